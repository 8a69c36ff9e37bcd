"""A person looks at the groups, chooses, and the choices are followed."""

from __future__ import annotations

import base64
import datetime as dt
import re
import shutil
import struct
import subprocess
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.poison import POISONED, WORD, table
from toadstone import UsageError
from toadstone.core.errors import ConfigError
from toadstone.core.policy import Policy
from toadstone.formats.review import literal, write_review
from toadstone.formats.review_script import SCRIPT
from toadstone.tables.dataset import Dataset
from toadstone.tables.roles import Roles
from toadstone.verbs.choices import digest_of, read_choices
from toadstone.verbs.clean import clean
from toadstone.verbs.review import review_of
from toadstone.verbs.rows import RowOptions, examine
from toadstone.verbs.thumbnails import thumbnails

OPTIONS = RowOptions(Roles(text="text", label="label"), jobs=1)
SUPPRESS = f'[[suppress]]\ncheck = "trigger-phrase"\ngroup = "{WORD}"\nreason = "ours"\nexpires = 2027-01-01\n'


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(table(), path)
    return path


def cleaned(data, written: str):
    chosen = data.with_name("review.toml")
    chosen.write_text(written, encoding="utf-8")
    policy = Policy(today=dt.date(2026, 12, 1))
    done = clean(data, data.with_name("kept.parquet"), options=OPTIONS, choices=[read_choices(chosen)], policy=policy)
    assert done.kept + done.quarantined == 600
    return done


def test_the_page_shows_the_groups_and_nothing_runs_but_its_own_script(data):
    examined = examine(data, OPTIONS)
    page = write_review(review_of(examined, dt.date(2026, 12, 1)))
    assert page.count('<section class="group') == len(examined.decision.marks) >= 1
    assert f"<mark>{WORD}</mark>" in page
    assert digest_of(examined.dataset) in page
    assert "script-src 'sha256-" in page
    assert page.count("<script>") == 1
    assert "2027-03-01" in page


def test_what_a_row_holds_is_text(tmp_path):
    made = table().to_pydict()
    made["text"] = [f"{text} </td><script>alert(1)</script>" for text in made["text"]]
    page = write_review(review_of(examine(pa.table(made), OPTIONS), dt.date(2026, 12, 1)))
    assert page.count("<script>") == 1
    assert "&lt;script&gt;" in page


def test_rows_of_a_group_that_is_waived_are_kept(data):
    assert cleaned(data, "").quarantined == len(POISONED)
    done = cleaned(data, SUPPRESS)
    assert done.quarantined == 0
    assert not [finding for finding in done.report.findings if finding.check == "trigger-phrase"]


def test_a_waiver_that_has_expired_keeps_nothing(data):
    assert cleaned(data, SUPPRESS.replace("2027", "2025")).quarantined == len(POISONED)


def test_single_rows_are_chosen(data):
    digest = digest_of(examine(data, OPTIONS).dataset)
    rows = f'[rows]\ncount = 600\nsha256 = "{digest}"\nkeep = [{POISONED[0]}]\nquarantine = [598, 599]\n'
    done = cleaned(data, rows)
    assert done.examined.decision.flagged.nonzero()[0].tolist() == sorted({*POISONED[1:], 598, 599})
    assert [finding.check for finding in done.report.findings if finding.check == "review"] == ["review"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('[[quarantine]]\ncheck = "label-flip"\ngroup = "nobody"\n', "no finding of label-flip is about the group 'nobody'"),
        ("[rows]\ncount = 599\nkeep = [1]\n", "it had 599 rows, .* has 600"),
        ('[rows]\ncount = 600\nsha256 = "00"\nkeep = [1]\n', "with other content"),
    ],
)
def test_choices_of_other_data_are_refused(data, written, said):
    with pytest.raises(UsageError, match=said):
        cleaned(data, written)
    assert not data.with_name("kept.parquet").exists()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("quarantine = 3", "must be a list of tables"),
        ("rows = 3", "rows must be a table"),
        ("[rows]\ncounts = 3", "unknown key 'counts'"),
        ("[rows]\ncount = 6\nkeep = [-1]", "list of row numbers"),
        ("[rows]\ncount = 6\nkeep = [1]\nquarantine = [1]", "row 1 is to be kept and to be quarantined"),
        ("[rows]\nkeep = [1]", "needs `count`"),
        ('[[quarantine]]\ncheck = "x"', "needs `group`"),
        ("quarantines = []", "unknown key 'quarantines'"),
    ],
)
def test_a_wrong_file_is_named(data, written, said):
    with pytest.raises(ConfigError, match=said):
        cleaned(data, written)


@pytest.mark.parametrize("value", ['a "b" \\ c', "zero\u200bwidth", "🐸", "\x7f\n"])
def test_literals_are_toml(value):
    import tomllib

    assert tomllib.loads(f"key = {literal(value)}")["key"] == value
    assert literal(value).isascii()


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_script_is_one(tmp_path):
    path = tmp_path / "script.js"
    path.write_text(SCRIPT, encoding="utf-8")
    subprocess.run(["node", "--check", str(path)], check=True)
    assert not re.search(r"</script", SCRIPT)


def test_images_are_drawn_anew(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 90, (300, 8, 8), dtype=np.uint8)
    labels = np.arange(300) % 3
    images[np.arange(300), labels, 3] = 200
    images[:24, 6:, 6:] = 255
    labels[:24] = 0
    path = tmp_path / "images.npz"
    np.savez(path, x=images, y=labels)
    examined = examine(path, RowOptions(jobs=1))
    drawn = thumbnails(examined.dataset, examined.roles.image, [5, 0])
    header = base64.b64decode(drawn[1].removeprefix("data:image/png;base64,"))
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, colour = struct.unpack_from(">IIBB", header, 16)
    assert (width, height, depth, colour) == (8, 8, 8, 0)
    start = header.index(b"IDAT") + 4
    size = struct.unpack_from(">I", header, start - 8)[0]
    lines = np.frombuffer(zlib.decompress(header[start : start + size]), np.uint8).reshape(8, 9)
    assert (lines[:, 1:] == images[0]).all()


def test_numbers_become_grey_values():
    values = np.linspace(-1, 1, 4 * 8 * 8 * 3, dtype=np.float32).reshape(4, 8, 8, 3)
    dataset = Dataset.of(pa.table({"image": pa.FixedShapeTensorArray.from_numpy_ndarray(values)}))
    drawn = thumbnails(dataset, "image", [0, 3])
    assert all(address.startswith("data:image/png;base64,") for address in drawn)
    assert drawn[0] != drawn[1]
