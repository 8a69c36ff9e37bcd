from __future__ import annotations

import gzip
import io
import json
import resource
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.tables.files import npz, opened, write
from toadstone.core.errors import UsageError
from toadstone.tables.open import open_dataset

_TABLE = pa.table(
    {
        "text": [f"text {n} é" for n in range(60)],
        "label": pa.array([["ham", "spam"][n % 2] for n in range(60)]).dictionary_encode(),
        "n": list(range(60)),
        "vector": pa.array([[n * 0.5, 1.0] for n in range(60)], pa.list_(pa.float32(), 2)),
        "deep": [{"a": [str(n)], "b": n} for n in range(60)],
    }
)
_SUFFIXES = ("parquet", "arrow", "stream.arrow", "jsonl", "jsonl.gz", "csv", "tsv", "npz", "saved")


def sample(suffix: str) -> bytes:
    """The bytes of a small file of a format (of the stream in a saved data set)."""
    with tempfile.TemporaryDirectory() as folder:
        if suffix == "npz":
            return npz(Path(folder, "a.npz"), x=np.arange(60.0).reshape(20, 3), y=np.array(["a", "é"] * 10)).read_bytes()
        table = _TABLE if suffix in ("parquet", "arrow", "stream.arrow", "jsonl", "jsonl.gz") else _TABLE.select(["text", "n"])
        path = write(table, Path(folder, "f"), suffix)
        return (path / "data-00000-of-00001.arrow" if path.is_dir() else path).read_bytes()


_SAMPLES = {suffix: sample(suffix) for suffix in _SUFFIXES}


def survives(raw: bytes, suffix: str) -> None:
    """Reading gives rows and troubles, or a usage error, within a second or so and little memory."""
    with tempfile.TemporaryDirectory() as folder:
        if suffix == "saved":
            path = write(_TABLE.select(["text", "n"]), Path(folder), "saved")
            (path / "data-00000-of-00001.arrow").write_bytes(raw)
        else:
            path = Path(folder, f"a.{suffix}")
            path.write_bytes(raw)
        began = time.monotonic()
        try:
            table, troubles = opened(path)
        except UsageError as error:
            assert str(error)  # noqa: PT017
        else:
            assert all(trouble.reason for trouble in troubles)
            table.validate(full=True)
        assert time.monotonic() - began < 20


@given(data=st.data())
@settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("suffix", _SUFFIXES)
def test_damaged_files(suffix, data):
    raw = bytearray(_SAMPLES[suffix])
    kind = data.draw(st.sampled_from(["flip", "flip", "cut", "splice", "insert"]))
    if kind == "cut":
        raw = raw[: data.draw(st.integers(0, len(raw) - 1))]
    elif kind == "insert":
        at = data.draw(st.integers(0, len(raw)))
        raw[at:at] = data.draw(st.binary(max_size=40))
    elif kind == "splice":
        at, other = data.draw(st.integers(0, len(raw))), data.draw(st.integers(0, len(raw)))
        raw = raw[:at] + raw[other:]
    else:
        for _ in range(data.draw(st.integers(1, 8))):
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(
                st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255)
            )
    survives(bytes(raw), suffix)


@given(
    raw=st.binary(max_size=200) | st.text('{}[]",:\n\r\\u0d8e1 \t;\ufeff', max_size=80).map(str.encode),
    suffix=st.sampled_from(_SUFFIXES),
)
@example(raw=b"PAR1" + b"\xff" * 20 + b"PAR1", suffix="parquet")
@example(raw=b"ARROW1\x00\x00" + b"\xff" * 20 + b"ARROW1", suffix="arrow")
@example(raw=b"\xff\xff\xff\xff\xff\xff\xff\x7f" + b"\x00" * 30, suffix="arrow")
@example(raw=b'{"a": "\\ud800", "\\ud800": 1}\n{"a": ' + b"1" * 5000 + b"}\n", suffix="jsonl")
@settings(max_examples=400, derandomize=True, deadline=None)
def test_arbitrary_bytes(raw, suffix):
    survives(raw, suffix)


def test_a_broken_line_is_a_row_with_its_number(tmp_path):
    deep = "[" * 100_000
    lines = ['{"a": 1}', '{"a": 2', "", '{"a": 3}', "7", '{"a": ' + deep + "}", '{"a": 4}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    table, troubles = opened(tmp_path / "a.jsonl")
    assert table.to_pydict() == {"a": [1, None, 3, None, None, 4]}
    assert [trouble.row for trouble in troubles] == [1, 3, 4]


def test_ragged_rows_and_quotes_that_never_close(tmp_path):
    (tmp_path / "r.csv").write_text("a,b\n1,2\n3\n4,5,6\n7,8\n")
    table, troubles = opened(tmp_path / "r.csv")
    assert table.to_pydict() == {"a": [1, 3, 4, 7], "b": [2, None, 5, 8]}
    assert [trouble.row for trouble in troubles] == [1, 2]
    (tmp_path / "q.csv").write_text('a,b\n1,"x\ny"\n2,"open\n3,z\n4,w,w\n')
    table, troubles = opened(tmp_path / "q.csv")
    assert table["a"].to_pylist()[:3] == [1, 2, 3]
    assert len(table) == 4
    assert any("never closed" in trouble.reason for trouble in troubles)
    (tmp_path / "t.tsv").write_text('a\tb\n"Great film\tgood\nbad\t1\n"Awful\tbad\n')
    table, troubles = opened(tmp_path / "t.tsv")
    assert table["a"].to_pylist() == ['"Great film', "bad", '"Awful']
    assert not troubles


def test_encodings(tmp_path):
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"):
        (tmp_path / "e.csv").write_bytes("näme,b\nä,1\nö,2\n".encode(encoding))
        table, troubles = opened(tmp_path / "e.csv")
        assert table.to_pydict() == {"näme": ["ä", "ö"], "b": [1, 2]}, encoding
        assert [trouble.row for trouble in troubles] == ([0, 1] if encoding == "latin-1" else [])
        (tmp_path / "e.jsonl").write_bytes('{"a": "ä"}\n{"a": "b"}\n'.encode(encoding))
        assert opened(tmp_path / "e.jsonl")[0].to_pydict() == {"a": ["ä", "b"]}, encoding


def test_texts_in_parquet_that_are_not_utf_8(tmp_path):
    raw = pa.array([b"ok", b"caf\xe9", None])
    broken = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
    for dictionary in (True, False):
        pq.write_table(pa.table({"a": broken, "b": [1, 2, 3]}), tmp_path / "u.parquet", use_dictionary=dictionary)
        table, troubles = opened(tmp_path / "u.parquet")
        assert table.to_pydict() == {"a": ["ok", "café", None], "b": [1, 2, 3]}
        assert "UTF-8" in troubles[0].reason


def test_a_damaged_page_ends_its_row_group_only(tmp_path):
    table = pa.table({"text": [f"{n} " * 50 for n in range(4000)]})
    pq.write_table(
        table, tmp_path / "p.parquet", row_group_size=1000, use_dictionary=False, compression="zstd", write_page_checksum=True
    )
    chunk = pq.ParquetFile(tmp_path / "p.parquet").metadata.row_group(1).column(0)
    raw = bytearray((tmp_path / "p.parquet").read_bytes())
    middle = chunk.data_page_offset + chunk.total_compressed_size // 2
    raw[middle : middle + 8] = b"\x00" * 8
    (tmp_path / "p.parquet").write_bytes(raw)
    found, troubles = opened(tmp_path / "p.parquet")
    assert found["text"].to_pylist()[-2000:] == table["text"].to_pylist()[2000:]
    assert len(found) < 4000
    assert "row group 1 is damaged" in troubles[0].reason


def test_nothing_but_a_header(tmp_path):
    (tmp_path / "h.csv").write_text("text,label\n")
    assert opened(tmp_path / "h.csv")[0].to_pydict() == {"text": [], "label": []}
    pq.write_table(_TABLE.slice(0, 0), tmp_path / "h.parquet")
    assert opened(tmp_path / "h.parquet")[0].num_rows == 0
    (tmp_path / "h.jsonl").write_text("")
    assert opened(tmp_path / "h.jsonl")[0].num_rows == 0
    (tmp_path / "e.csv").write_text("")
    with pytest.raises(UsageError, match="empty"):
        open_dataset(tmp_path / "e.csv")


def test_ten_thousand_columns(tmp_path):
    names = [f"c{n}" for n in range(10_000)]
    (tmp_path / "w.csv").write_text(",".join(names) + "\n" + (",".join("1" * 10_000) + "\n") * 3)
    (tmp_path / "w.jsonl").write_text((json.dumps(dict.fromkeys(names, 1)) + "\n") * 2 + "{}\n" * 1000)
    pq.write_table(pa.table({name: [1, 2] for name in names}), tmp_path / "w.parquet")
    for name, rows in (("w.csv", 3), ("w.jsonl", 1002), ("w.parquet", 2)):
        dataset = open_dataset(tmp_path / name)
        assert len(dataset.schema) == 10_000
        batches = list(dataset.fragments[0].batches(["c0", "c9999"]))
        assert sum(batch.num_rows for batch in batches) == rows  # type: ignore[union-attr]
        assert next(iter(dataset.fragments[0].batches())).num_columns == 10_000  # type: ignore[union-attr]


def test_pickled_columns_are_never_opened(tmp_path):
    np.savez(tmp_path / "o.npz", x=np.zeros((3, 2)), y=np.array([{}, [], None], dtype=object))
    table, troubles = opened(tmp_path / "o.npz")
    assert table.column_names == ["x"]
    assert "pickled column" in troubles[0].reason
    np.savez(tmp_path / "p.npz", x=np.array([{}, []], dtype=object))
    with pytest.raises(UsageError, match="pickled column"):
        open_dataset(tmp_path / "p.npz")


def test_claims_are_not_believed(tmp_path):
    header = (
        b"\x93NUMPY\x01\x00\x76\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 8), }".ljust(117) + b"\n"
    )
    with zipfile.ZipFile(tmp_path / "c.npz", "w") as archive:
        archive.writestr("x.npy", header + bytes(100))
    with pytest.raises(UsageError, match="claims"):
        open_dataset(tmp_path / "c.npz")
    assert peak_of(lambda: survives((tmp_path / "c.npz").read_bytes(), "npz")) < 50 << 20


def peak_of(work) -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024


def test_bombs_take_little_memory(tmp_path):
    zeros = bytes(1 << 20)
    with gzip.open(tmp_path / "b.csv.gz", "wb", compresslevel=1) as stream:
        stream.write(b"a,b\n")
        for _ in range(140):
            stream.write(zeros)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as sink:
        shape = (140 << 17, 1)
        text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
        sink.write(b"\x93NUMPY\x01\x00\x76\x00" + text.ljust(117) + b"\n")
        for _ in range(140):
            sink.write(zeros)
    (tmp_path / "z.npz").write_bytes(out.getvalue())

    def stream(name: str) -> int:
        return sum(1 for fragment in open_dataset(tmp_path / name).fragments for _ in fragment.batches())

    assert peak_of(lambda: stream("z.npz")) < 200 << 20
    assert peak_of(lambda: stream("b.csv.gz")) < 1100 << 20


def test_a_saved_data_set_stays_in_its_folder(tmp_path):
    path = write(_TABLE.select(["text", "n"]), tmp_path, "saved")
    (path / "state.json").write_text(json.dumps({"_data_files": [{"filename": "../../etc/passwd"}]}))
    with pytest.raises(UsageError, match="not a file in it"):
        open_dataset(path)
    for content in ("[]", "{", '{"_data_files": 5}', "{}", '{"_data_files": [{"filename": "missing.arrow"}]}'):
        (path / "state.json").write_text(content)
        with pytest.raises(UsageError):
            open_dataset(path)


def test_what_is_no_data_set(tmp_path):
    for name, raw in {
        "a.csv": b"\x80\x04K\x01.",
        "b.parquet": b"nonsense",
        "c.h5": b"\x89HDF\r\n\x1a\n",
        "d.json": b"[1, 2]",
        "e.npz": b"PK\x03\x04",
    }.items():
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(UsageError):
            open_dataset(tmp_path / name)
    for target in (tmp_path / "none.csv", tmp_path / "a\x00b", str(tmp_path / ("x" * 5000))):
        with pytest.raises(UsageError):
            open_dataset(target)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no data files"):
        open_dataset(tmp_path / "empty")
