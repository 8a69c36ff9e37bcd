"""What rows may cost when nobody asked for them: proportion to the bytes of the file, in every format."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

from toadstone.core.policy import Config, Policy
from toadstone.tables.allowance import OutsizedError, check_claims
from toadstone.tables.dataset import Trouble
from toadstone.tables.open import open_dataset
from toadstone.verbs.data_targets import with_rows
from toadstone.verbs.rows import RowOptions
from toadstone.verbs.scan import scan


def _gzip_lines(path: Path) -> Path:
    with gzip.open(path, "wb") as stream:
        stream.write(b"a,b\n" * 700_000)
    return path


def _gzip_wide(path: Path) -> Path:
    with gzip.open(path, "wb") as stream:
        stream.write(b'{"text": "' + b"a" * (40 << 20) + b'"}\n')
    return path


def _zeros(path: Path) -> Path:
    np.savez_compressed(path, x=np.zeros((10_000, 1_024), np.float32), y=np.zeros(10_000, np.int64))
    return path


def _runs(path: Path) -> Path:
    pq.write_table(pa.table({"a": np.zeros(2_000_000, np.int64)}), path, compression="zstd")
    return path


def _nothing(path: Path, *, stream: bool = False) -> Path:
    table = pa.table({"a": pa.nulls(600_000)})
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(str(path), table.schema) as writer:
        writer.write_table(table)
    return path


def _all(folder: Path) -> list[Path]:
    return [
        _gzip_lines(folder / "lines.csv.gz"),
        _gzip_wide(folder / "wide.jsonl.gz"),
        _zeros(folder / "zeros.npz"),
        _runs(folder / "runs.parquet"),
        _nothing(folder / "nothing.arrow"),
        _nothing(folder / "stream.arrow", stream=True),
    ]


def test_far_more_rows_than_bytes_are_refused_unasked(tmp_path: Path) -> None:
    for path in _all(tmp_path):
        with pytest.raises(OutsizedError, match=r"more than is looked at unasked.*--rows"):
            check_claims(open_dataset(path, bounded=True))


def test_whoever_asks_gets_all_rows(tmp_path: Path) -> None:
    rows = 0
    for batch in open_dataset(_gzip_lines(tmp_path / "lines.csv.gz")).fragments[0].batches():
        assert not isinstance(batch, Trouble)
        rows += batch.num_rows
    assert rows == 699_999


def test_the_report_says_what_was_not_looked_at(tmp_path: Path) -> None:
    path = str(_zeros(tmp_path / "zeros.npz"))
    report = with_rows(scan(path), [path], RowOptions(jobs=1), config=Config(), policy=Policy())
    (subject,) = report.subjects
    assert report.exit_code(Policy().gate) == 3
    much = f"its rows: 41,040,000 bytes of rows in {Path(path).stat().st_size:,} bytes are more than is looked at unasked"
    assert [gap.reason for gap in subject.unread] == [f"{much}; to examine them, ask for it with --rows or name a column"]


def test_honest_files_hold_what_they_weigh(tmp_path: Path) -> None:
    chance = np.random.default_rng(5)
    labels = chance.integers(0, 2, 600_000)
    pq.write_table(pa.table({"id": np.arange(600_000), "label": labels}), tmp_path / "a.parquet")
    with gzip.open(tmp_path / "b.csv.gz", "wt") as stream:
        stream.write("id,label\n" + "".join(f"{row},{label}\n" for row, label in enumerate(labels[:500_000])))
    np.savez_compressed(tmp_path / "c.npz", x=chance.integers(0, 256, (60_000, 28, 28), np.uint8) // 64, y=labels[:60_000])
    for name in ("a.parquet", "b.csv.gz", "c.npz"):
        check_claims(open_dataset(tmp_path / name, bounded=True))
