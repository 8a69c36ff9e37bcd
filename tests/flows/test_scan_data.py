"""Bad input ends in a clear error or an incomplete report; never in a traceback, never in rows that are lost."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.poison import lines, parquet, read, table
from toadstone import UsageError
from toadstone.core.policy import Config, Policy
from toadstone.tables.roles import Roles
from toadstone.verbs.clean import clean
from toadstone.verbs.data_targets import with_rows
from toadstone.verbs.rows import RowOptions, examine
from toadstone.verbs.scan import scan

NAN = float("nan")
LABELLED = RowOptions(roles=Roles(text="text", label="label"), jobs=1)


def cleaned(path, options=LABELLED):
    """Clean a file and see that nothing got lost."""
    suffix = "".join(path.suffixes)
    kept, out = path.with_name("kept" + suffix), path.with_name("out" + suffix)
    result = clean(path, kept, out, options=options)
    assert result.kept + result.quarantined == result.examined.rows
    return result


def columns(rows=300, **over):
    made = table(marked=0).slice(0, rows).to_pydict()
    return {**made, **over}


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"label": ["a"] * 300}, "one class"),
        ({"label": pa.nulls(300, pa.string())}, "0 labelled rows"),
        ({"label": pa.nulls(300)}, "0 labelled rows"),
        ({"label": [NAN] * 300}, "0 labelled rows"),
        ({"label": np.random.default_rng(0).normal(size=300)}, "300 classes"),
        ({"label": [f"class {row}" for row in range(300)]}, "300 classes"),
    ],
)
def test_labels_that_say_nothing_leave_the_report_incomplete(tmp_path, over, reason):
    result = cleaned(parquet(tmp_path / "rows.parquet", columns(**over)))
    assert result.report.verdict == "incomplete"
    assert any(reason in gap.reason for gap in result.examined.gaps)
    assert not any("internal error" in gap.reason for gap in result.examined.gaps)
    assert result.quarantined == 0


@pytest.mark.parametrize("rows", [0, 1, 2])
@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv"])
def test_hardly_any_rows(tmp_path, kind, rows):
    path = tmp_path / f"rows.{kind}"
    made = pa.table(columns()).slice(0, rows)
    if kind == "parquet":
        pq.write_table(made, path)
    elif kind == "csv":
        path.write_text("id,text,label\n" + "".join(f"{row['id']},{row['text']},{row['label']}\n" for row in made.to_pylist()))
    else:
        lines(path, made.to_pylist())
    if kind == "jsonl" and not rows:
        with pytest.raises(UsageError, match="has no"):
            cleaned(path)
        return
    result = cleaned(path)
    assert result.examined.rows == rows
    assert not any("internal error" in gap.reason for gap in result.examined.gaps)


@pytest.mark.parametrize(
    "over",
    [
        {"label": [None if row % 7 == 0 else "ab"[row % 2] for row in range(300)]},
        {"text": [""] * 300},
        {"text": pa.nulls(300, pa.string())},
        {"text": ["the very same words"] * 300},
        {"text": ["\N{ZERO WIDTH SPACE}"] * 300},
        {"text": [bytes([row % 256, 255, 0, 200]) for row in range(300)]},
        {"text": list(range(300))},
        {"text": [[f"word{row}"] for row in range(300)]},
        {"label": [{"a": row % 2} for row in range(300)], "text": [{"b": str(row)} for row in range(300)]},
        {"label": [b"\xff\x00" if row % 2 else b"ham" for row in range(300)]},
        {"label": pa.array([row % 2 for row in range(300)], pa.duration("s"))},
        {"label": pa.array(["a", "b"] * 150).dictionary_encode()},
    ],
)
def test_odd_columns_do_no_harm(tmp_path, over):
    result = cleaned(parquet(tmp_path / "rows.parquet", columns(**over)))
    assert not any("internal error" in gap.reason for gap in result.examined.gaps)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("odd", [NAN, float("inf"), -float("inf"), 1e300])
def test_odd_numbers_in_keys(tmp_path, odd):
    over = {
        "label": [odd if row % 9 == 0 else float(row % 2) for row in range(300)],
        "source": [odd if row % 5 == 0 else float(row % 20) for row in range(300)],
        "time": [odd if row % 3 == 0 else 1e9 + row for row in range(300)],
    }
    roles = Roles(text="text", label="label", source="source", time="time")
    result = cleaned(parquet(tmp_path / "rows.parquet", columns(**over)), RowOptions(roles=roles, jobs=1))
    assert not any("internal error" in gap.reason for gap in result.examined.gaps)


@pytest.mark.parametrize("kind", [{"a": 1}, [1, 2], "no time"])
def test_roles_with_types_that_do_not_fit(tmp_path, kind):
    over = {"source": [kind] * 300, "time": [kind] * 300}
    roles = Roles(text="text", label="label", source="source", time="time")
    result = cleaned(parquet(tmp_path / "rows.parquet", columns(**over)), RowOptions(roles=roles, jobs=1))
    assert not any("internal error" in gap.reason for gap in result.examined.gaps)


def test_names_of_numbers_do_not_depend_on_where_batches_end(tmp_path):
    labels = [float(row % 2) for row in range(200)] + [0.5] * 100
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table(columns(label=labels)), path, row_group_size=50)
    assert examine(path, LABELLED).label_names == ("0", "1", "0.5")


def test_many_classes(tmp_path):
    path = parquet(tmp_path / "rows.parquet", {"text": ["a b c"] * 50_000, "label": [f"c{row}" for row in range(50_000)]})
    assert cleaned(path).report.verdict == "incomplete"


def test_a_table_without_anything_to_look_at_is_not_called_clean(tmp_path):
    result = cleaned(parquet(tmp_path / "rows.parquet", {"z": [[row] for row in range(300)]}), RowOptions(jobs=1))
    assert result.report.verdict == "incomplete"


def test_lines_of_many_encodings(tmp_path):
    path = tmp_path / "rows.csv"
    codes = ("utf-8", "latin-1", "cp1252")
    rows = [f"caf\u00e9 {text},{label}\r\n".encode(codes[row % 3]) for row, (text, label) in enumerate(_pairs())]
    path.write_bytes(b"\xef\xbb\xbftext,label\r\n" + b"".join(rows))
    result = cleaned(path)
    gaps = [gap.reason for gap in result.examined.gaps]
    assert next(reason for reason in gaps if "Latin-1" in reason).endswith("more like it)")
    assert len(gaps) == 1
    body = (tmp_path / "kept.csv").read_bytes() + (tmp_path / "out.csv").read_bytes()
    assert all(row in body for row in rows)


def _pairs():
    made = columns()
    return list(zip(made["text"], made["label"], strict=True))


def test_a_damaged_row_group_is_said(tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table(columns()), path, row_group_size=100, compression="none", use_dictionary=False)
    raw = bytearray(path.read_bytes())
    offset = pq.ParquetFile(path).metadata.row_group(1).column(1).data_page_offset
    raw[offset : offset + 40] = b"\xff" * 40
    path.write_bytes(bytes(raw))
    examined = examine(path, LABELLED)
    assert any("row group 1" in gap.reason for gap in examined.gaps)
    with pytest.raises(UsageError, match="Nothing was written"):
        cleaned(path)
    assert not (tmp_path / "kept.parquet").exists()


def test_one_enormous_text(tmp_path):
    rows = table(marked=0).slice(0, 300).to_pylist()
    rows[5]["text"] = "word and word " * 700_000
    result = cleaned(lines(tmp_path / "rows.jsonl", rows))
    assert any("only its beginning was looked at" in gap.reason for gap in result.examined.gaps)
    assert read(tmp_path / "kept.jsonl").num_rows + read(tmp_path / "out.jsonl").num_rows == 300


def test_a_view_that_fails_costs_completeness_only(tmp_path, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("toadstone.views.words.Words.of", broken)
    result = cleaned(parquet(tmp_path / "rows.parquet", columns()))
    assert result.report.verdict == "incomplete"
    assert any("view words: internal error ZeroDivisionError" in gap.reason for gap in result.examined.gaps)


def test_a_reference_must_be_able_to_vouch(tmp_path):
    path = parquet(tmp_path / "rows.parquet", columns())

    def against(**over):
        reference = parquet(tmp_path / "good.parquet", {**table(marked=0).slice(300, 100).to_pydict(), **over})
        return cleaned(path, RowOptions(roles=LABELLED.roles, jobs=1, reference=reference))

    assert against().examined.statistics["references"] == 100
    with pytest.raises(UsageError, match="none of the labels"):
        against(label=["x"] * 100)
    empty = parquet(tmp_path / "empty.parquet", table().slice(0, 0))
    with pytest.raises(UsageError, match="has no rows"):
        cleaned(path, RowOptions(roles=LABELLED.roles, jobs=1, reference=empty))
    other = parquet(tmp_path / "other.parquet", {"words": ["a"], "label": ["b"]})
    with pytest.raises(UsageError, match="lacks the column 'text'"):
        cleaned(path, RowOptions(roles=LABELLED.roles, jobs=1, reference=other))
    with pytest.raises(UsageError, match="not there"):
        cleaned(path, RowOptions(roles=LABELLED.roles, jobs=1, reference=tmp_path / "nowhere.parquet"))


def test_what_an_effort_leaves_out_is_said_and_no_gap(tmp_path):
    path = parquet(tmp_path / "rows.parquet", columns())
    quick = examine(path, RowOptions(roles=LABELLED.roles, jobs=1, effort="quick"))
    assert quick.gaps == ()
    assert quick.statistics["did_not_look"]["clean-label-trigger"] == "not part of --effort quick"
    assert "clean-label-trigger" not in json.dumps(examine(path, LABELLED).statistics["did_not_look"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"memory": 64 << 20}, "at least 256M"),
        ({"fdr": 0.0}, "between 0 and 1"),
        ({"fdr": NAN}, "between 0 and 1"),
        ({"effort": "fast"}, "quick, standard, deep"),
    ],
)
def test_settings_out_of_range(settings, said):
    with pytest.raises(UsageError, match=said):
        RowOptions(**settings)


def test_a_folder_of_images_is_a_data_set_when_rows_are_asked_for(tmp_path):
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for number in range(3):
            (tmp_path / label / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    report = with_rows(scan(str(tmp_path)), [str(tmp_path)], RowOptions(jobs=1), config=Config(), policy=Policy(), inside=True)
    whole = next(subject for subject in report.subjects if subject.path == str(tmp_path))
    assert whole.kind == "images"
    assert whole.statistics["rows"] == 6
    assert whole.unread
