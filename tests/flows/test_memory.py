"""The command stays within the smallest budget, however many rows there are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

_RUN = """
import sys
from pathlib import Path
from toadstone.faces.cli import entry
code = entry()
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line for line in lines if line.startswith("VmHWM")), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.slow
def test_many_rows_within_the_smallest_budget(tmp_path):
    rng = np.random.default_rng(0)
    rows = 150_000
    words = np.array([f"word{number}" for number in range(20_000)])
    texts = [" ".join(some) for some in words[rng.integers(0, len(words), (rows, 6))].tolist()]
    labels = pa.array(np.where(rng.random(rows) < 0.5, "a", "b"))
    pq.write_table(pa.table({"text": texts, "label": labels}), tmp_path / "rows.parquet", row_group_size=20_000)
    options = ["--memory", "256M", "--effort", "quick", "--jobs", "1", "--no-cache", "--scores", str(tmp_path / "scores.parquet")]
    command = [sys.executable, "-c", _RUN, "scan", str(tmp_path / "rows.parquet"), *options]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert pq.read_metadata(tmp_path / "scores.parquet").num_rows == rows
    peak = int(told.stderr.split()[-2]) // 1024
    assert peak <= 256
