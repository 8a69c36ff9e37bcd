"""Nearest neighbours of 80,000 vectors: ``python -m benchmarks.data.neighbours``.

Every figure is CPU seconds of one thread. The index is compared with comparing every row with every other, on two sets and three
seeds, and its recall, which it measures on a sample, with its recall over all rows. Datalab (cleanlab) does its job on the same
vectors: outliers, which are rows far from their neighbours, and near-duplicates, which are rows close to them. ``--rows`` makes
it smaller, ``--without-peer`` leaves Datalab out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.data import peers
from benchmarks.data.speed_cases import vectors
from toadstone.stats.neighbours import Neighbours, neighbours

COUNT = 10
SEEDS = (0, 1, 2)
_PEER = Path(peers.__file__).parent / "datalab_vectors.py"


def clusters(rows: int) -> NDArray[np.float32]:
    """Give the vectors of the speed benchmark: ten clusters in 64 dimensions, some rows repeated, some far off."""
    table = pq.read_table(vectors(rows, 64))
    return np.asarray(table["vector"].combine_chunks().flatten(), np.float32).reshape(table.num_rows, -1)


def sheets(rows: int) -> NDArray[np.float32]:
    """Give vectors of length one in 128 dimensions that vary in twelve of them around each of fifty centres, as embeddings do."""
    rng = np.random.default_rng(0)
    centres, spread = rng.standard_normal((50, 128)), rng.standard_normal((50, 12, 128)) / np.sqrt(128)
    own = rng.integers(0, 50, rows)
    values = centres[own] + np.einsum("ni,nid->nd", rng.standard_normal((rows, 12)), spread[own])
    values += 0.05 * rng.standard_normal(values.shape)
    return np.asarray(values / np.linalg.norm(values, axis=1, keepdims=True), np.float32)


SETS: dict[str, Callable[[int], NDArray[np.float32]]] = {"clusters": clusters, "sheets": sheets}


def timed(values: NDArray[np.float32], seed: int, exact: int) -> tuple[Neighbours, float]:
    """Find neighbours; give them and the CPU seconds."""
    begun = time.process_time()
    found = neighbours(values, COUNT, np.random.default_rng(seed), exact=exact)
    return found, time.process_time() - begun


def judged(values: NDArray[np.float32]) -> tuple[int, int]:
    """Do what Datalab does with neighbours: count rows far from theirs, and rows with one that is all but the same."""
    found, _ = timed(values, 0, 50_000)
    mean = found.distances.mean(axis=1)
    low, middle, high = np.quantile(mean, [0.25, 0.5, 0.75])
    return int((mean > high + 3 * (high - low)).sum()), int((found.distances[:, 0] < 0.13 * middle).sum())


def peer(rows: int) -> float:
    """Let Datalab look for outliers and near-duplicates of the clusters; give its CPU seconds."""
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    variables.pop("PYTHONPATH", None)
    command = [str(peers.environment()), str(_PEER), str(vectors(rows, 64))]
    told = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    return float(json.loads(told.stdout.splitlines()[-1])["cpu"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; status 1 when the recall is below the target or Datalab is less than ten times slower."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=80_000)
    parser.add_argument("--without-peer", action="store_true")
    options = parser.parse_args(arguments)
    failed = False
    print("| set | all with all, CPU s | index, CPU s (seeds) | compared with | recall on its sample | recall over all rows |")
    print("|---|---|---|---|---|---|")
    for name, make in SETS.items():
        values = make(options.rows)
        truth, slow = timed(values, 0, len(values))
        least = truth.distances[:, -1:] * (1 + 1e-6)
        runs = [timed(values, seed, 1_000) for seed in SEEDS]
        recalls = [float((found.distances <= least).mean()) for found, _ in runs]
        seconds = ", ".join(f"{spent:.1f}" for _, spent in runs)
        said = ", ".join(f"{found.recall:.3f}" for found, _ in runs)
        share = max(found.compared for found, _ in runs)
        whole = ", ".join(f"{one:.3f}" for one in recalls)
        print(f"| {name} | {slow:.1f} | {seconds} | {share:.1%} of the rows | {said} | {whole} |")
        failed |= min(recalls) < 0.97
    if not options.without_peer:
        values = clusters(options.rows)
        begun = time.process_time()
        far, close = judged(values)
        own = time.process_time() - begun
        other = peer(options.rows)
        print(f"\nDatalab's job on {options.rows:,} vectors: {own:.1f} CPU s ({far:,} far, {close:,} repeated); ", end="")
        print(f"Datalab {other:.1f}: {other / own:.1f} times as long")
        failed |= other < 10 * own
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
