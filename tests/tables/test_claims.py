"""Files that claim more than their bytes can hold are not believed; honest ones of every kind are."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.tables.files import opened
from toadstone.tables.claims import Page, check_count, check_size, page_at

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")

_MEASURED = """
import sys
from pathlib import Path
from toadstone.engine.memory import without_pandas
without_pandas()
from toadstone.tables.open import open_dataset
from toadstone.tables.dataset import Trouble
rows, reasons = 0, []
for fragment in open_dataset(sys.argv[1]).fragments:
    for batch in fragment.batches():
        if isinstance(batch, Trouble):
            reasons.append(batch.reason)
        else:
            rows += batch.num_rows
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(rows, int(peak.split()[1]) // 1024, *reasons)
"""


def measured(path):
    """Read a file in a process of its own; give rows, MB and what it said."""
    told = subprocess.run([sys.executable, "-c", _MEASURED, str(path)], capture_output=True, text=True, check=True, timeout=120)
    rows, peak, *reasons = told.stdout.split(" ", 2)
    return int(rows), int(peak), " ".join(reasons)


def arrow(path, table, maker=pa.ipc.new_file):
    with maker(str(path), table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return path


def test_one_text_that_unpacks_to_hundreds_of_megabytes(tmp_path):
    table = pa.table({"text": pa.array(["a" * (200 << 20)], pa.large_string()), "label": ["x"]})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd", use_dictionary=False)
    for path in (
        tmp_path / "a.parquet",
        arrow(tmp_path / "a.arrow", table),
        arrow(tmp_path / "s.arrow", table, pa.ipc.new_stream),
    ):
        assert path.stat().st_size < 1 << 20
        rows, peak, reasons = measured(path)
        assert (rows, "would unpack" in reasons) == (0, True)
        assert peak < 150


def test_a_row_with_more_entries_than_bytes_can_stand_for(tmp_path):
    entries = 100 << 20
    column = pa.ListArray.from_arrays(pa.array([0, entries], pa.int32()), pa.array(np.zeros(entries, np.int8)))
    pq.write_table(pa.table({"text": column, "label": ["x"]}), tmp_path / "n.parquet", compression="zstd")
    rows, peak, reasons = measured(tmp_path / "n.parquet")
    assert (rows, "claims 104,857,600 values" in reasons) == (0, True)
    assert peak < 150


def test_values_that_each_repeat_the_one_before(tmp_path):
    texts = ["a" * 400_000 + str(row) for row in range(500)]
    pq.write_table(
        pa.table({"text": texts}), tmp_path / "d.parquet", use_dictionary=False, column_encoding={"text": "DELTA_BYTE_ARRAY"}
    )
    assert (tmp_path / "d.parquet").stat().st_size < 2 << 20
    rows, peak, _ = measured(tmp_path / "d.parquet")
    assert rows == 500
    assert peak < 400


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
def test_honest_pages_are_read(tmp_path, version, compression):
    table = pa.table(
        {
            "text": [f"text {row} " * (row % 50) for row in range(3000)],
            "same": ["x" * 100] * 3000,
            "none": pa.nulls(3000, pa.int64()),
            "list": [[row] * (row % 5) for row in range(3000)],
            "deep": [{"a": [str(row)], "b": None} for row in range(3000)],
        }
    )
    settings = {"data_page_version": version, "data_page_size": 1000, "row_group_size": 1100, "write_page_checksum": True}
    pq.write_table(table, tmp_path / "h.parquet", compression=compression, **settings)
    found, troubles = opened(tmp_path / "h.parquet")
    assert (found.num_rows, troubles) == (3000, [])
    assert found["text"].to_pylist() == table["text"].to_pylist()


def test_millions_of_rows_in_hardly_any_bytes_are_honest(tmp_path):
    pq.write_table(pa.table({"label": pa.array(["x"]).take(pa.array(np.zeros(3_000_000, np.int8)))}), tmp_path / "r.parquet")
    assert (tmp_path / "r.parquet").stat().st_size < 10_000
    assert measured(tmp_path / "r.parquet")[0] == 3_000_000


def test_the_header_of_a_page_is_read_as_it_was_written(tmp_path):
    pq.write_table(pa.table({"n": list(range(1000))}), tmp_path / "p.parquet", compression="none", use_dictionary=False)
    chunk = pq.ParquetFile(tmp_path / "p.parquet").metadata.row_group(0).column(0)
    with (tmp_path / "p.parquet").open("rb") as file:
        page = page_at(file.fileno(), chunk.data_page_offset)
        assert page == Page(page.packed, page.packed, 1000, 0, page.begin)
        assert page.begin + page.packed == chunk.total_compressed_size
        for place in range(chunk.data_page_offset + 1, chunk.data_page_offset + 200):  # wherever: a page or an error
            try:
                page_at(file.fileno(), place)
            except ValueError as error:
                assert "page" in str(error)  # noqa: PT017


def test_files_are_read_where_the_system_reads_from_no_place(tmp_path, monkeypatch):
    table = pa.table({"n": list(range(1000)), "t": ["text"] * 1000})
    pq.write_table(table, tmp_path / "p.parquet")
    arrow(tmp_path / "p.arrow", table)
    monkeypatch.delattr(os, "pread")
    for name in ("p.parquet", "p.arrow"):
        read, troubles = opened(tmp_path / name)
        assert read.equals(table)
        assert not troubles


def test_limits():
    check_size("it", 1, 64 << 20)
    check_size("it", 2 << 20, 100 << 20)
    check_count("it", 0, 1 << 24)
    with pytest.raises(ValueError, match="would unpack"):
        check_size("it", 1 << 20, 100 << 20)
    with pytest.raises(ValueError, match="claims"):
        check_count("it", 1, 1 << 25)
    with pytest.raises(ValueError, match="claims"):
        check_count("it", 1, -1)
