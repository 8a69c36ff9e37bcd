"""What goes into ``toadstone clean`` comes out of it, row for row."""

from __future__ import annotations

import errno

import numpy as np
import pyarrow as pa
import pytest

from tests.poison import POISONED, WORD, lines, parquet, read, saved, table
from toadstone import UsageError
from toadstone.checks.data import label_flip
from toadstone.tables.roles import Roles
from toadstone.verbs.clean import clean
from toadstone.verbs.rows import RowOptions, examine

EXTRA = {"toadstone_row", "toadstone_checks", "toadstone_p_value"}
ROLES = Roles(text="text", label="label")


def options(**settings):
    return RowOptions(**{"roles": ROLES, "jobs": 1, **settings})


@pytest.mark.parametrize("kind", ["parquet", "arrow", "jsonl", "jsonl.gz", "csv", "csv.gz", "tsv", "saved"])
def test_kept_and_quarantined_are_the_input(tmp_path, kind):
    path = saved(tmp_path / "in", kind, table())
    suffix = "" if kind == "saved" else f".{kind}"
    kept, out = tmp_path / f"kept{suffix}", tmp_path / f"out{suffix}"
    cleaned = clean(path, kept, out, options=options())
    assert cleaned.examined.gaps == ()
    assert (cleaned.kept, cleaned.quarantined) == (592, 8)
    first, second = read(kept), read(out)
    assert set(second.column_names) - set(first.column_names) == EXTRA
    assert second["toadstone_row"].to_pylist() == POISONED
    assert first["id"].to_pylist() == [row for row in range(600) if row not in POISONED]
    plain = second.select(first.column_names)
    everything = pa.concat_tables([first, plain]).sort_by("id").to_pylist()
    assert everything == read(path).to_pylist()
    assert all(WORD in text for text in second["text"].to_pylist())


def test_arrays_are_split_too(tmp_path):
    path = saved(tmp_path, "npz", table())
    cleaned = clean(path, tmp_path / "kept.npz", tmp_path / "out.npz", options=RowOptions(jobs=1))
    with np.load(tmp_path / "kept.npz") as kept, np.load(tmp_path / "out.npz") as out:
        assert len(kept["x"]) + len(out["x"]) == 600 == cleaned.kept + cleaned.quarantined
        assert sorted(out["toadstone_row"].tolist()) == np.flatnonzero(cleaned.examined.decision.flagged).tolist()


def test_lines_are_copied_byte_for_byte(tmp_path):
    made = table()
    path = tmp_path / "rows.csv"
    body = [f'{row["id"]} ,"{row["text"]}",{row["label"]}\r\n' for row in made.to_pylist()]
    path.write_bytes(b"\xef\xbb\xbfid,text,label\r\n" + "".join(body).encode())
    clean(path, tmp_path / "kept.csv", tmp_path / "out.csv", options=options())
    assert (tmp_path / "kept.csv").read_bytes().endswith("".join(body[row] for row in range(600) if row not in POISONED).encode())


def test_clean_rows_stay_clean(tmp_path):
    path = parquet(tmp_path / "rows.parquet", table(marked=0))
    cleaned = clean(path, tmp_path / "kept.parquet", tmp_path / "out.parquet", options=options())
    assert (cleaned.kept, cleaned.quarantined, cleaned.report.verdict) == (600, 0, "clean")
    assert read(tmp_path / "kept.parquet").equals(read(path))
    assert read(tmp_path / "out.parquet").num_rows == 0


@pytest.mark.parametrize("effort", ["quick", "standard"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_rows_give_the_same_bits(tmp_path, effort, jobs):
    path = parquet(tmp_path / "rows.parquet", table(source=[f"user{row % 40}" for row in range(600)]))
    first = examine(path, RowOptions(effort=effort, jobs=1))
    other = examine(path, RowOptions(effort=effort, jobs=jobs))
    assert first.statistics == other.statistics
    assert first.decision.findings == other.decision.findings
    for name in ("scores", "p_values", "flagged", "proposals"):
        assert np.array_equal(getattr(first.decision, name), getattr(other.decision, name)), name


def test_chunks_of_any_size_give_the_same_findings(tmp_path):
    small = saved(tmp_path / "a", "parquet", table())
    whole = parquet(tmp_path / "whole.parquet", table())
    one, other = examine(small, options()), examine(whole, options())
    assert [finding.evidence["row_sample"] for finding in one.decision.findings] == [
        finding.evidence["row_sample"] for finding in other.decision.findings
    ]
    assert np.array_equal(one.decision.flagged, other.decision.flagged)


def test_relabelled_rows_are_kept_with_another_label(tmp_path):
    made = dict(next(label_flip.LabelFlip.good()).dataset.fragments[0].table.to_pydict())
    right = list(made["label"])
    names = sorted(set(right))
    wrong = np.random.default_rng(1).random(len(right)) < 0.1
    made["label"] = [names[1 - names.index(name)] if bad else name for name, bad in zip(right, wrong, strict=True)]
    made["id"] = list(range(len(right)))
    path = parquet(tmp_path / "rows.parquet", made)
    cleaned = clean(path, tmp_path / "kept.parquet", tmp_path / "out.parquet", options=options(), relabel=True)
    kept, before = read(tmp_path / "kept.parquet"), read(path)
    assert cleaned.relabelled > 20
    assert cleaned.kept + cleaned.quarantined == len(right)
    changed = [row["id"] for row in kept.to_pylist() if row["label"] != before["label"][row["id"]].as_py()]
    assert len(changed) == cleaned.relabelled
    assert np.mean(wrong[changed]) >= 0.9
    assert all(
        kept["label"][place].as_py() == right[row]
        for place, row in enumerate(kept["id"].to_pylist())
        if wrong[row] and row in changed
    )


@pytest.mark.parametrize("place", ["rows.parquet", "./rows.parquet", "link.parquet"])
def test_the_input_is_never_replaced(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    path = parquet(tmp_path / "rows.parquet", table())
    (tmp_path / "link.parquet").symlink_to("rows.parquet")
    before = path.read_bytes()
    for places in ({"kept": place}, {"kept": "k.parquet", "quarantine": place}, {"kept": "k.parquet", "scores": place}):
        with pytest.raises(UsageError, match="is the input"):
            clean("rows.parquet", **places)
    with pytest.raises(UsageError, match="both go to"):
        clean("rows.parquet", "k.parquet", "k.parquet")
    with pytest.raises(UsageError, match="both go to"):
        clean("rows.parquet", "k.parquet", scores="k.parquet")
    assert path.read_bytes() == before
    assert not (tmp_path / "k.parquet").exists()


def test_a_place_that_takes_nothing_is_refused_before_the_work(tmp_path, monkeypatch):
    path = parquet(tmp_path / "rows.parquet", table())
    monkeypatch.setattr("toadstone.verbs.clean.examine", lambda *_: pytest.fail("examined"))
    for places in ({"kept": tmp_path / "no" / "k.parquet"}, {"kept": tmp_path / "k.parquet", "scores": tmp_path / "no" / "s"}):
        with pytest.raises(UsageError, match="is not there"):
            clean(path, **places)


def test_a_full_disk_is_said_and_nothing_is_written(tmp_path, monkeypatch):
    path = parquet(tmp_path / "rows.parquet", table())

    def full(*_arguments, **_settings):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("toadstone.engine.store._write", full)
    monkeypatch.setattr("toadstone.verbs.rows.HELD", 1 << 60)
    with pytest.raises(UsageError, match=r"temporary folder .* No space left on device.\nName a folder"):
        clean(path, tmp_path / "kept.parquet", options=options())
    assert not (tmp_path / "kept.parquet").exists()


def test_scores_are_written_even_when_the_parts_cannot_be(tmp_path):
    path = parquet(tmp_path / "rows.parquet", table())
    raw = bytearray(path.read_bytes())
    raw[200:240] = b"\xff" * 40
    path.write_bytes(bytes(raw))
    with pytest.raises(UsageError, match="Nothing was written"):
        clean(path, tmp_path / "kept.parquet", tmp_path / "out.parquet", scores=tmp_path / "scores.parquet", options=options())
    assert (tmp_path / "scores.parquet").exists()
    assert not (tmp_path / "kept.parquet").exists()
    assert not (tmp_path / "out.parquet").exists()


def test_scores_have_the_promised_columns(tmp_path):
    path = parquet(tmp_path / "rows.parquet", table())
    clean(path, tmp_path / "kept.parquet", scores=tmp_path / "s.parquet", options=options())
    scores = read(tmp_path / "s.parquet")
    assert scores.schema.types[:4] == [pa.int64(), pa.float64(), pa.float64(), pa.bool_()]
    assert scores.column_names == ["row", "score", "p_value", "flagged", "checks"]
    assert scores["row"].to_pylist() == list(range(600))
    flagged = [row["row"] for row in scores.to_pylist() if row["flagged"]]
    assert flagged == POISONED == sorted(np.argsort(-scores["score"].to_numpy(), kind="stable")[:8].tolist())
    assert all(("trigger-phrase" in row["checks"]) == row["flagged"] for row in scores.to_pylist())
    assert all(0 <= value <= 1 for value in scores["p_value"].to_pylist())


def test_lines_that_are_none_go_to_the_quarantine(tmp_path):
    path = lines(tmp_path / "rows.jsonl", table().to_pylist())
    path.write_text(path.read_text() + "{broken\n")
    cleaned = clean(path, tmp_path / "kept.jsonl", tmp_path / "out.jsonl", options=options())
    assert cleaned.report.exit_code(cleaned.report.findings[0].severity) == 1
    assert cleaned.examined.gaps
    assert "broken" in (tmp_path / "out.jsonl").read_text()
