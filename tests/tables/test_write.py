from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tables.files import FORMATS, npz, opened, write
from tests.tables.test_open import tables
from toadstone.core.errors import UsageError
from toadstone.tables.guess import guess_roles
from toadstone.tables.open import open_dataset
from toadstone.tables.plan import BROKEN, EXTRA, Flags
from toadstone.tables.records import TextFile, described, lines
from toadstone.tables.roles import Roles
from toadstone.tables.write import Quarantine, split, write_scores


def reasons(rows: int) -> Quarantine:
    numbers = np.arange(rows)
    checks = Flags(("trigger-phrase", "label-flip"), (numbers[numbers % 3 > 0], numbers[numbers % 3 > 1]))
    return Quarantine(checks, np.linspace(0, 1, max(rows, 1))[:rows])


def halves(path: Path, folder: Path, flagged: list[bool], **settings: object) -> tuple[Path, Path]:
    kept, quarantine = folder / f"kept-{path.name}", folder / f"quarantine-{path.name}"
    parts = split(open_dataset(path), np.array(flagged, bool), kept, quarantine, reasons(len(flagged)), **settings)  # type: ignore[arg-type]
    assert parts.kept + parts.quarantined == len(flagged)
    return kept, quarantine


@given(table=tables(), data=st.data())
@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_both_sides_together_are_the_input_row_for_row(table, data):
    flagged = data.draw(st.lists(st.booleans(), min_size=table.num_rows, max_size=table.num_rows))
    with tempfile.TemporaryDirectory() as folder:
        for form in FORMATS:
            path = write(table, Path(folder) / form, form)
            before = snapshot(path)
            kept, quarantine = halves(path, Path(folder), flagged)
            assert snapshot(path) == before, "the input is never touched"
            good, _ = opened(kept)
            bad, _ = opened(quarantine)
            rows = [row for row, flag in enumerate(flagged) if flag]
            if "jsonl" in form and not (any(flagged) and not all(flagged)):
                continue  # a file without lines has no columns
            assert bad["toadstone_row"].to_pylist() == rows, form
            original = opened(path)[0]
            assert same(good, original.filter(pa.array([not flag for flag in flagged]))), form
            assert same(bad.select(original.column_names), original.filter(pa.array(flagged, pa.bool_()))), form


def same(one: pa.Table, other: pa.Table) -> bool:
    """Equal values; a column of text may turn out narrower when only some rows are left."""
    if one.num_rows == 0:
        return other.num_rows == 0
    as_text = [
        [None if v in ("", None) else str(v) for v in t[name].to_pylist()] for t in (one, other) for name in other.column_names
    ]
    return one.column_names == other.column_names and as_text[: len(as_text) // 2] == as_text[len(as_text) // 2 :]


def snapshot(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return {str(file): file.read_bytes() for file in files}


def records(path: Path) -> list[bytes]:
    file = described(str(path))
    return [line for group in lines(file, 0) for line in group]


@given(data=st.data())
@settings(max_examples=60, derandomize=True, deadline=None)
def test_json_lines_are_copied_byte_for_byte(data):
    pieces = [
        b'{"a": 1}',
        b' {"a" :"\\u00e9", "b":[1,2]} ',
        b'{"a": "caf\xe9"}',
        b"{broken",
        b"",
        b"   ",
        b"[1]",
        b"\xff\xfe{",
        b"{}",
        b'{"a": 1, "a": 2}',
    ]
    chosen = data.draw(st.lists(st.sampled_from(pieces), min_size=1, max_size=12))
    end = data.draw(st.sampled_from([b"\n", b"\r\n"]))
    raw = b'{"a": 0}' + end + end.join(chosen) + data.draw(st.sampled_from([b"", end]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.jsonl")
        path.write_bytes(raw)
        rows = [record for record in records(path) if record.strip()]
        flagged = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
        kept, quarantine = halves(path, Path(folder), flagged)
        good = [record for record in records(kept) if record.strip()]
        bad = [json.loads(record.decode("utf-8", "replace")) for record in records(quarantine) if record.strip()]
        taken = {entry["toadstone_row"]: entry for entry in bad}
        left = iter(good)
        for row, record in enumerate(rows):
            if row not in taken:
                assert next(left) == record
                continue
            entry = {key: value for key, value in taken[row].items() if key not in EXTRA}
            if BROKEN in entry:
                assert entry[BROKEN].encode("utf-8", "surrogateescape") == record.rstrip()
            else:
                assert entry == json.loads(record.decode("utf-8", "replace"))
        assert next(left, None) is None
        assert all(row in taken for row, flag in enumerate(flagged) if flag)


@given(data=st.data())
@settings(max_examples=60, derandomize=True, deadline=None)
def test_records_of_a_table_of_text_are_copied_byte_for_byte(data):
    pieces = ["1,a", '2,"two\nlines"', '3,"say ""no"""', "ragged", "4,too,many", "5,", ',""', "6,é", '"7",x']
    chosen = data.draw(st.lists(st.sampled_from(pieces), min_size=1, max_size=12))
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]))
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    raw = (end.join(["n,text", *chosen]) + end).encode(encoding)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.csv")
        path.write_bytes(raw)
        flagged = data.draw(st.lists(st.booleans(), min_size=len(chosen), max_size=len(chosen)))
        kept, quarantine = halves(path, Path(folder), flagged)
        good = [one for one, flag in zip(chosen, flagged, strict=True) if not flag]
        bad = [(row, one) for row, (one, flag) in enumerate(zip(chosen, flagged, strict=True)) if flag]
        assert kept.read_bytes() == (end.join(["n,text", *good]) + end).encode(encoding)
        text = quarantine.read_bytes().decode(encoding).split(end, 1)
        assert text[0] == ",".join(EXTRA) + ",n,text"
        why = reasons(len(flagged))
        checks = why.checks.of(np.arange(len(flagged))).to_pylist()
        expected = [f"{row},{';'.join(checks[row])},{float(why.p_values[row])!r},{one}{end}" for row, one in bad]
        assert text[1] == "".join(expected)


def test_labels_are_replaced_and_nothing_else(tmp_path):
    cases = {
        "a.jsonl": (
            b'{"label":  "ham", "t": "label"}\n{"t": {"label": "x"}, "label" : "ham"}\n',
            b'{"label":  "ham", "t": "label"}\n{"t": {"label": "x"}, "label" : "spam"}\n',
        ),
        "n.jsonl": (b'{"label": 0}\n{"label": 0}\n', b'{"label": 0}\n{"label": 1}\n'),
        "a.csv": (b't,label\n"a,b","ham"\n"c,d",ham\n', b't,label\n"a,b","ham"\n"c,d",spam\n'),
    }
    for name, (before, after) in cases.items():
        (tmp_path / name).write_bytes(before)
        new = "1" if name == "n.jsonl" else "spam"
        kept, _ = halves(tmp_path / name, tmp_path, [False, False], relabel={1: new}, label="label")
        assert kept.read_bytes() == after, name
    table = pa.table({"t": ["a", "b", "c"], "label": pa.array(["ham", "spam", "ham"]).dictionary_encode(), "n": [1, 2, 3]})
    for form in ("parquet", "arrow"):
        path = write(table, tmp_path, form)
        kept, _ = halves(path, tmp_path, [True, False, False], relabel={2: "spam"}, label="label")
        assert opened(kept)[0].to_pydict() == {"t": ["b", "c"], "label": ["spam", "spam"], "n": [2, 3]}
    path = npz(tmp_path / "l.npz", x=np.eye(3), y=np.array([0, 1, 0]))
    kept, _ = halves(path, tmp_path, [True, False, False], relabel={2: "1"}, label="y")
    assert np.load(kept)["y"].tolist() == [1, 1]


def test_parquet_keeps_schema_metadata_and_compression(tmp_path):
    frame = pd.DataFrame({"c": pd.Categorical(["u", "v", "u"]), "when": pd.to_datetime(["2020-01-01"] * 3), "l": [[1], [], None]})
    frame.to_parquet(tmp_path / "a.parquet", compression="zstd")
    kept, quarantine = halves(tmp_path / "a.parquet", tmp_path, [False, True, False])
    assert pq.read_schema(kept).equals(pq.read_schema(tmp_path / "a.parquet"), check_metadata=True)
    assert pq.ParquetFile(kept).metadata.row_group(0).column(0).compression == "ZSTD"
    assert pq.read_table(quarantine).column_names == [*frame.columns, *EXTRA]
    assert pd.read_parquet(kept)["c"].tolist() == ["u", "u"]


def test_npz_keeps_every_array(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "x": rng.random((20, 3)),
        "y": rng.integers(0, 9, 20),
        "z": rng.random((20, 2)) + 1j,
        "names": np.array(["é"] * 20),
        "note": np.arange(3),
    }
    arrays["f"] = np.asfortranarray(rng.random((20, 4)))
    del arrays["z"]
    path = npz(tmp_path / "a.npz", **arrays)
    flagged = rng.random(20) < 0.3
    kept, quarantine = halves(path, tmp_path, flagged.tolist())
    good, bad = np.load(kept), np.load(quarantine)
    for name, values in arrays.items():
        for side, mask in ((good, ~flagged), (bad, flagged)):
            assert np.array_equal(side[name], values[mask] if len(values) == 20 else values), name
            assert side[name].dtype == values.dtype
    assert bad["toadstone_row"].tolist() == np.flatnonzero(flagged).tolist()


def test_a_packed_file_stays_packed(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n{"a": 2}\n'))
    kept, quarantine = halves(tmp_path / "a.jsonl.gz", tmp_path, [False, True])
    assert gzip.decompress(kept.read_bytes()) == b'{"a": 1}\n'
    assert json.loads(gzip.decompress(quarantine.read_bytes()))["toadstone_row"] == 1


def test_the_input_is_never_replaced(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    dataset = open_dataset(path)
    (tmp_path / "link.csv").symlink_to(path)
    (tmp_path / "hard.csv").hardlink_to(path)
    other = tmp_path / "b.csv"
    for kept, quarantine in (
        (path, other),
        (other, path),
        (other, other),
        (tmp_path / "link.csv", other),
        (tmp_path / "hard.csv", other),
        (tmp_path / "no" / "x.csv", other),
        (tmp_path, other),
        (tmp_path / "x.parquet", other),
    ):
        with pytest.raises(UsageError):
            split(dataset, [False], kept, quarantine, reasons(1))
    assert path.read_text() == "a\n1\n"
    with pytest.raises(UsageError, match="changed"):
        split(dataset, [False, True], other, tmp_path / "c.csv", reasons(2))
    path.write_text("a\n1\n2\n")
    with pytest.raises(UsageError, match="changed"):
        split(dataset, [False], other, tmp_path / "c.csv", reasons(1))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.csv", "hard.csv", "link.csv"]


def test_objects_in_memory_become_parquet(tmp_path):
    frame = pd.DataFrame({"m": ["a", "b"], "c": pd.Categorical(["u", "v"])})
    split(open_dataset(frame), np.array([True, False]), tmp_path / "k.parquet", None, reasons(2))
    assert pd.read_parquet(tmp_path / "k.parquet")["c"].tolist() == ["v"]


def test_scores_are_one_line_a_row(tmp_path):
    evidence = reasons(4)
    write_scores(
        tmp_path / "s.parquet",
        np.array([1e300, 0.1, -1, 2]),
        evidence.p_values,
        np.array([True, False, True, False]),
        evidence.checks,
    )
    table = pq.read_table(tmp_path / "s.parquet")
    assert table.column_names == ["row", "score", "p_value", "flagged", "checks"]
    assert table["row"].to_pylist() == [0, 1, 2, 3]
    assert table["score"].to_pylist() == [1e300, 0.1, -1, 2]
    assert table["checks"].to_pylist() == evidence.checks.of(np.arange(4)).to_pylist()


def test_roles_are_guessed_carefully():
    n = range(60)
    mails = {
        "id": list(n),
        "Body": [f"a longer text number {i}" for i in n],
        "Category": [i % 2 for i in n],
        "created_at": ["2024-01-02T10:00:00Z" for _ in n],
        "author": [f"u{i % 7}" for i in n],
    }
    roles = guess_roles(open_dataset(mails), Roles())
    assert (roles.text, roles.label, roles.time, roles.source, roles.features) == ("Body", "Category", "created_at", "author", ())
    assert roles.guessed == {"text", "label", "time", "source"}
    chosen = guess_roles(open_dataset(mails), Roles(label="author"))
    assert (chosen.label, "label" in chosen.guessed) == ("author", False)
    pairs = {"instruction": [f"do {i} now" for i in n], "output": [f"yes {i} done" for i in n]}
    roles = guess_roles(open_dataset(pairs), Roles())
    assert (roles.prompt, roles.response, roles.text) == ("instruction", "output", None)
    numbers = {"a": [i * 0.5 for i in n], "b": [i % 5 for i in n], "target": [i / 7 for i in n]}
    roles = guess_roles(open_dataset(numbers), Roles())
    assert (roles.label, roles.features) == (None, ("a", "b", "target"))
    assert guess_roles(open_dataset((np.zeros((9, 4)), np.zeros(9, int))), Roles()).embedding == "x"
    with pytest.raises(UsageError, match="Did you mean 'Category'"):
        guess_roles(open_dataset(mails), Roles(label="Categroy"))


def test_the_quarantine_reads_as_an_ordinary_table(tmp_path):
    (tmp_path / "a.csv").write_text('text,label\n"a, b",x\nplain,y\n')
    _, quarantine = halves(tmp_path / "a.csv", tmp_path, [True, True])
    rows = list(csv.DictReader(io.StringIO(quarantine.read_text())))
    assert [row["text"] for row in rows] == ["a, b", "plain"]
    assert [row["toadstone_row"] for row in rows] == ["0", "1"]


def test_described_knows_line_ends(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a,b\r1,2\r")
    assert described(str(tmp_path / "a.csv")) == TextFile(str(tmp_path / "a.csv"), newline="\r")
    assert opened(tmp_path / "a.csv")[0].to_pydict() == {"a": [1], "b": [2]}
