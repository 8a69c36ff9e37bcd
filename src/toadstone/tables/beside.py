"""Vectors that a callable of the user's makes of the rows, as one more column beside those of the data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.core.errors import UsageError
from toadstone.tables.attached import base_of, with_bytes
from toadstone.tables.dataset import Dataset, Fragment, Trouble

Embed = Callable[[list[Any]], Any]
"""Called with at most `TOGETHER` rows; gives one vector each, shape (n, d)."""

TOGETHER = 256
NAME = "toadstone_embedding"


@dataclass(frozen=True)
class Beside(Fragment):
    """A fragment, and vectors of its rows in a file of bare float32.

    Attributes:
        inner: The fragment.
        name: Of the column of vectors.
        path: Of the file.
        width: Numbers of a vector.
    """

    number: int
    inner: Fragment
    name: str
    path: str
    width: int

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch | Trouble]:
        """Give the batches of the fragment with the vectors of their rows, when these are wanted."""
        if columns is not None and self.name not in columns:
            yield from self.inner.batches(columns)
            return
        wanted = None if columns is None else [name for name in columns if name != self.name]
        vectors = np.fromfile(self.path, np.float32).reshape(-1, self.width) if Path(self.path).stat().st_size else None
        row = 0
        for batch in self.inner.batches(wanted):
            if isinstance(batch, Trouble):
                yield batch
                continue
            flat = np.zeros(0, np.float32) if vectors is None else vectors[row : row + batch.num_rows].ravel()
            column = pa.FixedSizeListArray.from_arrays(pa.array(flat), self.width)
            names = [*batch.schema.names, self.name] if columns is None else list(columns)
            yield pa.RecordBatch.from_arrays([column if name == self.name else batch.column(name) for name in names], names=names)
            row += batch.num_rows


def embedded(dataset: Dataset, column: str, embed: Embed, folder: Path) -> Dataset:
    """Give a data set with vectors of its rows beside it.

    Args:
        dataset: Which.
        column: What the vectors are made of. Texts are handed over as such, arrays as arrays, encoded images as the bytes of
            their files; rows without a value are not, and have no vector.
        embed: Makes the vectors.
        folder: Where they are kept.

    Raises:
        UsageError: Something else than one vector of numbers a row comes out.
    """
    name = NAME
    while name in dataset.schema.names:
        name += "_"
    base = base_of(dataset.path)
    fragments: list[Fragment] = []
    width = _width(dataset, column, base, embed)
    for fragment in dataset.fragments:
        path = folder / f"vectors-{fragment.number}"
        with path.open("wb") as out:
            for values in _values(fragment, column, base):
                out.write(np.ascontiguousarray(_made(values, embed, width)).data.cast("B"))
        fragments.append(Beside(fragment.number, fragment, name, str(path), width))
    schema = dataset.schema.append(pa.field(name, pa.list_(pa.float32(), width)))
    return replace(dataset, schema=schema, fragments=tuple(fragments))


def _width(dataset: Dataset, column: str, base: str, embed: Embed) -> int:
    """Give the numbers of a vector: rows without a value have to get as many."""
    for fragment in dataset.fragments:
        for values in _values(fragment, column, base):
            for value in values:
                if value is not None:
                    return int(_made([value], embed, 0).shape[1])
    raise UsageError(f"no row of {dataset.name} has a value in the column {column!r}.", "There is nothing to make vectors of.")


def _values(fragment: Fragment, column: str, base: str) -> Iterator[list[Any]]:
    for batch in fragment.batches([column]):
        if isinstance(batch, Trouble):
            continue
        for start in range(0, batch.num_rows, TOGETHER):
            yield _plain(batch.column(0).slice(start, TOGETHER), base)


def _plain(values: pa.Array, base: str) -> list[Any]:
    if isinstance(values.type, pa.FixedShapeTensorType):
        shape = tuple(values.type.shape)
        return [None if row is None else np.asarray(row).reshape(shape) for row in values.storage.to_pylist()]
    if pa.types.is_struct(values.type):
        values = with_bytes(values, base)[0]
        values = values.field("bytes") if values.type.get_field_index("bytes") >= 0 else values
    found: list[Any] = values.to_pylist()
    return found


def _made(values: list[Any], embed: Embed, width: int) -> NDArray[np.float32]:
    there = [place for place, value in enumerate(values) if value is not None]
    if not there:
        return np.full((len(values), width), np.nan, np.float32)
    made = embed([values[place] for place in there])
    try:
        vectors = np.asarray(made, np.float32)
    except (TypeError, ValueError):
        raise UsageError(
            f"the embedding gives {type(made).__name__}, no numbers.", "It must give an array, shape (n, d)."
        ) from None
    if vectors.ndim != 2 or len(vectors) != len(there) or not vectors.shape[1] or vectors.shape[1] != (width or vectors.shape[1]):
        wanted = f"({len(there)}, {width or 'd'})"
        raise UsageError(f"the embedding gives an array of shape {vectors.shape} for {len(there)} rows.", f"It must be {wanted}.")
    out = np.full((len(values), vectors.shape[1]), np.nan, np.float32)
    out[there] = vectors
    return out
