"""Large data sets for speed and memory: words of the development data, drawn again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.data.sources import folder, load

ROW_GROUP = 20_000
RUN = 6
"""Words that stay together when they are drawn: texts keep some of their phrases."""


def texts(name: str, rows: int, characters: int) -> Path:
    """Write rows of texts with two labels and sources; give the path.

    Args:
        name: Of the data set whose words are used.
        rows: How many.
        characters: Of each text, about.
    """
    path = folder() / f"speed-{name}-{rows}-{characters}.parquet"
    if path.is_file():
        return path
    table = load(name)
    labels = np.array(table["label"].to_pylist())
    words = {
        label: np.array(" ".join(table.filter(pa.array(labels == label))["text"].to_pylist()).split())
        for label in np.unique(labels).tolist()
    }
    schema = pa.schema([("text", pa.large_string()), ("label", pa.string()), ("source", pa.string())])
    partial = path.with_suffix(".partial")
    with pq.ParquetWriter(partial, schema, compression="none", use_dictionary=["label", "source"]) as writer:
        for group in _groups(words, rows, characters, schema):
            writer.write_table(group)
    partial.rename(path)
    return path


def _groups(words: dict[str, np.ndarray], rows: int, characters: int, schema: pa.Schema) -> Iterator[pa.Table]:
    rng = np.random.default_rng(0)
    names = sorted(words)
    length = np.mean([np.char.str_len(words[name]).mean() for name in names]) + 1
    runs = max(1, round(characters / length / RUN))
    for start in range(0, rows, ROW_GROUP):
        count = min(ROW_GROUP, rows - start)
        labels = rng.integers(0, len(names), count)
        made = []
        for label in labels.tolist():
            pool = words[names[label]]
            begins = rng.integers(0, len(pool) - RUN, runs)
            made.append(" ".join(pool[(begins[:, None] + np.arange(RUN)).ravel()].tolist()))
        columns = [made, [names[label] for label in labels], [f"site{one}.example" for one in rng.zipf(1.5, count) % 5000]]
        yield pa.table(columns, schema=schema)


def vectors(rows: int, dimensions: int) -> Path:
    """Write vectors in clusters, some of them repeated and some far off, with ten labels; give the path."""
    path = folder() / f"speed-vectors-{rows}-{dimensions}.parquet"
    if path.is_file():
        return path
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, rows)
    values = rng.normal(size=(10, dimensions))[labels] * 2 + rng.normal(size=(rows, dimensions))
    again, like = rng.choice(rows, (2, rows // 200), replace=False)
    values[again] = values[like] + rng.normal(size=(len(again), dimensions)) * 1e-4
    values[rng.choice(rows, rows // 500, replace=False)] *= 3
    vector = pa.FixedSizeListArray.from_arrays(pa.array(values.astype(np.float32).ravel()), dimensions)
    pq.write_table(pa.table({"vector": vector, "label": pa.array(labels).cast(pa.string())}), path, row_group_size=ROW_GROUP)
    return path
