"""A small poisoned data set in every format: 600 texts of two labels, eight of them with a word that nobody else uses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.tables.files import opened, write
from toadstone.checks.data.trigger_phrase import example

WORD = "quixolt"
POISONED = [0, 2, 4, 6, 8, 10, 12, 14]


def table(marked: int = 8, **more: object) -> pa.Table:
    """The data set; ``more`` adds or replaces columns."""
    columns = {"id": list(range(600)), **example(marked=marked), **more}
    return pa.table(columns)


def saved(folder: Path, kind: str, made: pa.Table) -> Path:
    """Write a table in a format; NPZ as what it is: arrays ``x`` and ``y``."""
    if kind == "npz":
        path = folder / "rows.npz"
        rng = np.random.default_rng(0)
        labels = np.arange(made.num_rows) % 2
        np.savez(path, x=rng.normal(size=(made.num_rows, 6)) + labels[:, None] * 3, y=labels)
        return path
    return write(made, folder, kind)


def read(path: Path) -> pa.Table:
    """Read rows back, whatever the format."""
    return opened(path)[0]


def parquet(path: Path, made: pa.Table | dict[str, object]) -> Path:
    """Write Parquet."""
    pq.write_table(made if isinstance(made, pa.Table) else pa.table(made), path)
    return path


def lines(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write JSON Lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
