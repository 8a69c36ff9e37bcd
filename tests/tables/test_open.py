from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tables.files import FORMATS, npz, opened, rows_of, write
from toadstone.core.errors import UsageError
from toadstone.engine.executors import Processes, Serial, Threads
from toadstone.engine.store import Store
from toadstone.study.ingest import ingest
from toadstone.tables.open import open_dataset
from toadstone.tables.records import TextFile, field_spans, fields_of
from toadstone.tables.roles import Roles
from toadstone.views.words import Words

_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\x1c\x1d\x1e\x85\u2028\u2029"), max_size=12)
_LABELS = st.sampled_from(["ham", "spam", "a,b", 'say "no"', "two\nlines"])


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    rows = draw(st.integers(1, 20))
    texts = draw(st.lists(_TEXTS.map(lambda text: "w" + text), min_size=rows, max_size=rows))
    labels = draw(st.lists(_LABELS | st.none(), min_size=rows, max_size=rows))
    numbers = draw(st.lists(st.integers(-(10**9), 10**9) | st.none(), min_size=rows, max_size=rows))
    return pa.table(
        {"text": pa.array(texts, pa.string()), "label": pa.array(labels, pa.string()), "n": pa.array(numbers, pa.int64())}
    )


def codes(path: Path, executor: object) -> tuple[list[int], list[int], tuple[str, ...]]:
    with Store(1 << 20, shared=getattr(executor, "jobs", 1) > 1) as store:
        study = ingest(open_dataset(path), Roles(text="text", label="label"), [Words()], executor, store)  # type: ignore[arg-type]
        words = np.concatenate([chunk["words"] for chunk in study.chunks])
        return study.column("label").tolist(), words.tolist(), study.label_names


@given(tables())
@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_format_gives_the_same_rows_and_codes(table):
    with tempfile.TemporaryDirectory() as folder:
        expected = None
        for form in FORMATS:
            path = write(table, Path(folder) / form, form)
            found, troubles = opened(path)
            assert not troubles, form
            same = found.select(["text", "label"]).to_pydict()
            assert same == table.select(["text", "label"]).to_pydict(), form
            assert [None if n is None else int(n) for n in found["n"].to_pylist()] == table["n"].to_pylist(), form
            coded = codes(path, Serial())
            expected = expected or coded
            assert coded == expected, form


@pytest.fixture(scope="module")
def executors():
    with Threads(2) as threads, Processes(2) as processes:
        yield threads, processes


@given(table=tables())
@settings(max_examples=4, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_executor_gives_the_serial_study(executors, table):
    with tempfile.TemporaryDirectory() as folder:
        for form in FORMATS:
            path = write(table, Path(folder) / form, form)
            serial = codes(path, Serial())
            for executor in executors:
                assert codes(path, executor) == serial, form


def test_spans_of_text_files_are_read_apart(tmp_path, monkeypatch):
    monkeypatch.setattr("toadstone.tables.lines.SPAN", 200)
    monkeypatch.setattr("toadstone.tables.records.BLOCK", 64)
    table = pa.table({"text": [f'row {n}\n"quoted", é' for n in range(100)], "label": [n % 3 for n in range(100)]})
    for form in ("csv", "jsonl", "utf16.csv", "csv.gz"):
        dataset = open_dataset(write(table, tmp_path / form, form))
        assert (len(dataset.fragments) > 10) is not form.endswith(".gz")
        assert rows_of(dataset)[0].to_pydict() == table.to_pydict()
        parts = [rows_of_one(dataset, number) for number in range(len(dataset.fragments))]
        assert pa.concat_tables(parts).to_pydict() == table.to_pydict()


def rows_of_one(dataset, number):
    return pa.Table.from_batches(list(dataset.fragments[number].batches()), dataset.schema)


@given(st.lists(st.text('ab"\n ,', max_size=6), min_size=1, max_size=5))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_fields_are_those_of_the_csv_module(fields):
    import csv
    import io

    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(fields)
    assert [field or "" for field in fields_of(out.getvalue(), ",")] == fields
    raw = ",".join(fields).replace("\n", " ")
    spans = field_spans(raw, ",")
    assert ",".join(raw[begin:end] for begin, end in spans) == raw
    assert [field or "" for field in fields_of(raw, ",")] == next(csv.reader([raw]), [""]) or raw == ""


def test_content_decides_when_the_suffix_is_wrong(tmp_path):
    table = pa.table({"text": ["a b", "c d"], "label": [1, 2]})
    for form in ("parquet", "arrow", "jsonl", "csv"):
        path = write(table, tmp_path / form, form)
        for name in ("data.csv", "data.jsonl", "data.parquet", "data", "data.txt"):
            if form == "csv" and name == "data.parquet":
                continue
            moved = path.with_name("moved") / name
            moved.parent.mkdir(exist_ok=True)
            moved.write_bytes(path.read_bytes())
            if form in ("jsonl", "csv") and name == "data.parquet":
                with pytest.raises(UsageError):
                    open_dataset(moved)
            else:
                assert opened(moved)[0].to_pydict() == table.to_pydict(), (form, name)


def test_types_that_change_within_a_file_lose_nothing(tmp_path):
    lines = [
        '{"a": 1}',
        '{"a": "x", "late": [1, 2.5]}',
        '{"a": null, "deep": {"k": 1}}',
        '{"deep": {"k": "t", "m": []}, "late": null}',
        '{"a": {"b": 2}}',
    ]
    (tmp_path / "x.jsonl").write_text("\n".join(lines))
    table, troubles = opened(tmp_path / "x.jsonl")
    assert not troubles
    assert table["a"].to_pylist() == ["1", "x", None, None, '{"b": 2}']
    assert table["late"].to_pylist() == [None, [1.0, 2.5], None, None, None]
    assert table["deep"].to_pylist()[2:4] == [{"k": "1", "m": None}, {"k": "t", "m": []}]
    (tmp_path / "y.csv").write_text("zip,n,x,id\n007,1,1.5,12345678901234567890\n,2,2,1\n8,,nan,2\n")
    table, _ = opened(tmp_path / "y.csv")
    assert [str(kind) for kind in table.schema.types] == ["string", "int64", "double", "string"]
    assert table["n"].to_pylist() == [1, 2, None]


def test_objects_of_other_libraries():
    columns = {"text": ["a", "b", None], "label": [1, 0, 1]}
    table = pa.table(columns)
    for target in (
        columns,
        table,
        table.to_reader(),
        pd.DataFrame(columns),
        pl.DataFrame(columns),
        pl.DataFrame(columns).lazy(),
        table.to_pylist(),
    ):
        assert opened(target)[0].to_pydict() == columns, type(target)
    frame = pd.DataFrame({"m": [1, "x", None], "c": pd.Categorical(["u", "v", "u"])})
    assert opened(frame)[0].to_pydict() == {"m": ["1", "x", None], "c": ["u", "v", "u"]}
    found, _ = opened((np.arange(6.0).reshape(3, 2), np.array([0, 1, 0])))
    assert found.to_pydict() == {"x": [[0, 1], [2, 3], [4, 5]], "y": [0, 1, 0]}
    for bad in (object(), 5, {"a": [1], "b": [1, 2]}, {"a": "text"}):
        with pytest.raises(UsageError):
            open_dataset(bad)


def test_npz(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (10, 4, 5, 3)).astype(np.uint8)
    dataset = open_dataset(
        npz(tmp_path / "a.npz", x=images, y=np.array(["ü", "b"] * 5), note=np.array("z"), big=np.arange(10, dtype=">i4"))
    )
    table, troubles = rows_of(dataset)
    assert table.schema.names == ["image", "y", "big"]
    assert not troubles
    assert np.array_equal(table["image"].combine_chunks().to_numpy_ndarray(), images)
    assert table["y"].to_pylist() == ["ü", "b"] * 5
    assert table["big"].to_pylist() == list(range(10))
    fortran = np.asfortranarray(np.arange(20.0).reshape(10, 2))
    assert opened(npz(tmp_path / "f.npz", x=fortran))[0]["x"].to_pylist() == fortran.tolist()


def test_shards_of_text_join_their_types(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n')
    (tmp_path / "b.jsonl").write_text('{"a": "x", "b": 2}\n')
    assert opened(tmp_path)[0].to_pydict() == {"a": ["1", "x"], "b": [None, 2]}
    (tmp_path / "c.csv").write_text("a\n1\n")
    with pytest.raises(UsageError, match="other columns"):
        open_dataset(tmp_path)


def test_columns_with_one_name_are_kept_apart(tmp_path):
    pq.write_table(pa.table([[1], [2], [3]], names=["a", "a", "a.1"]), tmp_path / "d.parquet")
    table, troubles = opened(tmp_path / "d.parquet")
    assert table.to_pydict() == {"a": [1], "a.2": [2], "a.1": [3]}
    assert len(troubles) == 1
    (tmp_path / "d.csv").write_text("a,a,\n1,2,3\n")
    assert opened(tmp_path / "d.csv")[0].to_pydict() == {"a": [1], "a.1": [2], "column_3": [3]}


def test_a_dictionary_of_one_long_text_does_not_grow(tmp_path):
    words = pa.DictionaryArray.from_arrays(pa.array(np.zeros(20_000, np.int32)), pa.array(["x" * 200_000]))
    nested = pa.ListArray.from_arrays(pa.array(np.arange(0, 20_001, 50, dtype=np.int32)), words)
    pq.write_table(pa.table({"text": words}), tmp_path / "d.parquet")
    pq.write_table(pa.table({"text": nested}), tmp_path / "n.parquet")
    for name, most in (("d.parquet", 9 << 20), ("n.parquet", 11 << 20)):
        batches = open_dataset(tmp_path / name).fragments[0].batches()
        some = [next(batches) for _ in range(3)]
        assert all(0 < batch.nbytes <= most for batch in some), name  # type: ignore[union-attr]


def test_a_text_of_100_mb_in_one_row(tmp_path):
    long = "a" * (100 << 20)
    pq.write_table(pa.table({"text": ["b", long, "c"]}), tmp_path / "l.parquet")
    (tmp_path / "l.jsonl").write_text(f'{{"text": "b"}}\n{{"text": "{long}"}}\n{{"text": "c"}}\n')
    for name in ("l.parquet", "l.jsonl"):
        sizes = [len(value) for value in opened(tmp_path / name)[0]["text"].to_pylist()]
        assert sizes == [1, len(long), 1], name


def test_rows_count_without_columns(tmp_path):
    for form in FORMATS:
        dataset = open_dataset(write(pa.table({"text": ["a"] * 9, "n": [1] * 9}), tmp_path / form, form))
        assert sum(batch.num_rows for part in dataset.fragments for batch in part.batches([])) == 9, form  # type: ignore[union-attr]


def test_textfile_is_data():
    assert TextFile("a").wide is False
