"""Two warm Ray workers against one process: ``python -m benchmarks.data.ray --rows N``.

The same short rows are examined serially and by two workers of a Ray cluster that was started, and had done a small examination,
before the clock ran. Reports must be the same, bit for bit. Two figures are given: time on the wall, which only counts on a
machine with three free cores, and the time that work takes on its longest way, from CPU seconds: those of the process that asks,
which fits, sorts and decides, and those of the busier worker, one after the other. Status 1 when reports differ, or when neither
ratio is 1.7.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.data.sources import folder

WORDS = 10
"""Of a row; about 45 bytes."""
LEAST = 1.7
_GROUP = 20_000


def short_rows(rows: int) -> Path:
    """Write rows of ten words with two labels, which prefer words, and fifty sources; give the path."""
    path = folder() / f"ray-{rows}.parquet"
    if path.is_file():
        return path
    rng = np.random.default_rng(0)
    syllables = [first + second for first in "bdfgklmnprst" for second in "aeiou"]
    words = np.array([one + other + end for one in syllables for other in syllables for end in ("n", "r")])
    share = np.cumsum(1 / np.arange(1, len(words) + 1) ** 0.9)
    schema = pa.schema([("text", pa.string()), ("label", pa.string()), ("source", pa.string())])
    with pq.ParquetWriter(path, schema) as out:
        for start in range(0, rows, _GROUP):
            count = min(_GROUP, rows - start)
            label = rng.integers(0, 2, count)
            place = np.searchsorted(share, rng.random((count, WORDS)) * share[-1])
            place = np.where(rng.random(place.shape) < 0.25, (2 * place + label[:, None]) % len(words), place)
            texts = [" ".join(row) for row in words[place].tolist()]
            sources = [f"source {number}" for number in rng.integers(0, 50, count).tolist()]
            out.write_table(pa.table([texts, [f"class {number}" for number in label.tolist()], sources], schema=schema))
    return path


def examined(path: Path, engine: str, effort: str, jobs: int, small: Path) -> dict[str, Any]:
    """Examine in a process of its own; give what it says."""
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "benchmarks.data.ray_run", str(path), engine, effort, str(jobs), str(small)]
    told = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--effort", default="quick", choices=("quick", "standard", "deep"))
    options = parser.parse_args(arguments)
    path, small = short_rows(options.rows), short_rows(20_000)
    serial = examined(path, "local", options.effort, 1, small)
    ray = examined(path, "ray", options.effort, 2, small)
    longest = ray["own"] + max(ray["workers"])
    wall, way = serial["wall"] / ray["wall"], serial["own"] / longest
    same = serial["digest"] == ray["digest"]
    print(f"{options.rows:,} rows, {options.effort}: the reports are {'the same, bit for bit' if same else 'NOT the same'}")
    print("| | wall, s | CPU of the process that asks, s | CPU of the workers, s |")
    print("|---|---|---|---|")
    print(f"| serial | {serial['wall']:.1f} | {serial['own']:.1f} | |")
    print(
        f"| two Ray workers, warm | {ray['wall']:.1f} | {ray['own']:.1f} | {', '.join(f'{one:.1f}' for one in ray['workers'])} |"
    )
    print(f"\nratio of the walls {wall:.2f}; of the longest ways {way:.2f} (bar: {LEAST})")
    return int(not same or max(wall, way) < LEAST)


if __name__ == "__main__":
    raise SystemExit(main())
