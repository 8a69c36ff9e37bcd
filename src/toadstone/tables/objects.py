"""Data sets that are in memory: objects of other libraries, without importing these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from toadstone.core.errors import UsageError
from toadstone.tables.conform import conformed, inferred, legible
from toadstone.tables.dataset import ROWS, Dataset, Fragment, Trouble, bare
from toadstone.tables.npz import are_images, column_of
from toadstone.tables.sound import FAILURES, first_line, plain_schema, sound

ROWS_EACH = 4 * ROWS
"""Rows of a fragment."""

_ADVICE = "Give a path, a DataFrame, a datasets.Dataset, a pyarrow table, a dict of columns or NumPy arrays."


@dataclass(frozen=True)
class Slice(Fragment):
    """Consecutive rows of a table in memory.

    Attributes:
        table: They alone.
        schema: Of the rows as they are given.
    """

    number: int
    table: pa.Table = field(repr=False)
    schema: pa.Schema

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch | Trouble]:
        """Give the rows, validated: memory of another library is not trusted either."""
        if columns is not None and not len(columns) and self.schema.names:
            yield from bare(self.batches(self.schema.names[:1]))
            return
        row = 0
        for batch in self.table.to_batches(max_chunksize=ROWS):
            try:
                places = range(batch.num_columns) if columns is None else [self.schema.get_field_index(name) for name in columns]
                parts = pa.schema([self.schema.field(place) for place in places])
                kept = pa.RecordBatch.from_arrays([batch.column(place) for place in places], names=parts.names)
                for piece, reasons in sound(kept, parts):
                    yield from (Trouble(self.number, reason, row) for reason in reasons)
                    yield piece
                    row += piece.num_rows
            except FAILURES as error:
                yield Trouble(self.number, f"some rows cannot be read: {first_line(error)}", row)


def open_object(target: object, split: str | None = None) -> Dataset:
    """Open an object.

    Args:
        target: A pandas or polars DataFrame, a ``datasets.Dataset`` or ``DatasetDict``, a pyarrow Table, RecordBatch or
            RecordBatchReader (read once, into memory), a dict of columns, a list of rows, a NumPy array, a pair ``(x, y)`` of
            them, or whatever gives an Arrow stream (``__arrow_c_stream__``).
        split: Of a ``DatasetDict``: which one; None: all.

    Raises:
        UsageError: It is none of these.
    """
    try:
        return dataset_of(table_of(target, split))
    except FAILURES as error:
        kind = type(target)
        name = f"{kind.__module__}.{kind.__qualname__}"
        raise UsageError(f"an object of type {name} cannot be read as a table: {first_line(error)}", _ADVICE) from None


def dataset_of(table: pa.Table, name: str = "<memory>") -> Dataset:
    """Make a data set of a table."""
    schema, doubled = plain_schema(table.schema)
    starts = range(0, max(table.num_rows, 1), ROWS_EACH)
    fragments = tuple(Slice(number, table.slice(start, ROWS_EACH), schema) for number, start in enumerate(starts))
    troubles = (Trouble(0, f"{doubled}; the later ones were renamed"),) if doubled else ()
    return Dataset(name, "memory", schema, fragments, troubles, int(table.nbytes))


def table_of(target: object, split: str | None = None) -> pa.Table:
    """Make a table of an object.

    Raises:
        TypeError, ValueError, pyarrow.ArrowException: It cannot be one.
    """
    if isinstance(target, Mapping) and target and all(_is_hugging(value) for value in target.values()):
        return _splits(target, split)
    if split is not None:
        raise UsageError("the object has no splits", "Leave the split out.")
    if isinstance(target, pa.Table):
        return target
    if _is_hugging(target):
        return _hugging(target)
    if isinstance(target, Mapping):
        return _columns({str(name): values for name, values in target.items()})
    arrays = (target,) if isinstance(target, np.ndarray) else target
    if isinstance(arrays, tuple) and 1 <= len(arrays) <= 2:
        return _columns(dict(zip("xy", arrays, strict=False)))
    if isinstance(target, list) and all(isinstance(row, Mapping) for row in target):
        names = list(dict.fromkeys(key for row in target for key in row))
        return _columns({str(name): [row.get(name) for row in target] for name in names})
    return _exported(target)


def _splits(target: Mapping[Any, Any], split: str | None) -> pa.Table:
    """Give the tables of a ``DatasetDict`` one after the other, or one of them."""
    names = list(target) if split is None else [split]
    if any(name not in target for name in names):
        raise UsageError(f"there is no split {split!r}", f"There are {', '.join(map(str, target))}.")
    return pa.concat_tables([_hugging(target[name]) for name in names])


def _is_hugging(target: object) -> bool:
    return hasattr(target, "with_format") and hasattr(target, "column_names") and hasattr(target, "data")


def _hugging(target: Any) -> pa.Table:  # noqa: ANN401  (an object of a library that is not imported)
    """Give the table of a ``datasets.Dataset``; it stays mapped from disk unless rows were selected or shuffled."""
    if getattr(target, "_indices", None) is None:
        table = target.data
        return getattr(table, "table", table)
    return target.with_format("arrow")[:]


def _exported(target: Any) -> pa.Table:  # noqa: ANN401  (an object of a library that is not imported)
    if hasattr(target, "collect") and hasattr(target, "collect_schema"):  # a lazy frame of polars
        target = target.collect()
    if hasattr(target, "iloc") and hasattr(target, "columns"):  # pandas, whose columns may mix types
        return _frame(target)
    if hasattr(target, "__arrow_c_stream__"):
        return pa.table(target)
    if hasattr(target, "__arrow_c_array__"):
        return pa.Table.from_batches([pa.record_batch(target)])
    if hasattr(target, "to_arrow"):
        return target.to_arrow()
    raise TypeError("it is no table")


def _frame(target: Any) -> pa.Table:  # noqa: ANN401  (an object of a library that is not imported)
    arrays = []
    for place in range(target.shape[1]):
        series = target.iloc[:, place]
        try:
            arrays.append(pa.chunked_array([pa.Array.from_pandas(series)]) if len(series) else pa.array(series.tolist()))
        except FAILURES:
            arrays.append(_mixed([None if value != value else value for value in series.tolist()]))  # noqa: PLR0124  (NaN)
    return pa.table(arrays, names=[legible(str(name)) for name in target.columns])


def _columns(columns: Mapping[str, Any]) -> pa.Table:
    arrays = {legible(name): _column(values) for name, values in columns.items()}
    sizes = {name: len(array) for name, array in arrays.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name!r} has {size:,}" for name, size in list(sizes.items())[:5])
        raise UsageError(f"columns differ in their number of rows: {told}", "Give one value a row.")
    return pa.table(arrays)


def _column(values: Any) -> pa.Array | pa.ChunkedArray:  # noqa: ANN401  (any sequence)
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if hasattr(values, "to_numpy") and not isinstance(values, np.ndarray):
        values = values.to_numpy()
    if isinstance(values, np.ndarray):
        if values.ndim > 1 and values.dtype.kind in "?biufSU" and values.size:
            kind = pa.from_numpy_dtype(values.dtype) if values.dtype.kind in "?biuf" else pa.string()
            size = int(np.prod(values.shape[1:]))
            images = are_images(values.dtype, values.shape)
            return column_of(values, pa.fixed_shape_tensor(kind, values.shape[1:]) if images else pa.list_(kind, size))
        values = values.tolist() if values.dtype.kind not in "Mm" else pa.array(values)
    if isinstance(values, pa.Array):
        return values
    if isinstance(values, str | bytes):
        raise TypeError("a column is a sequence of values, not one text")
    rows = [value.tolist() if isinstance(value, np.ndarray | np.generic) else value for value in values]
    try:
        return pa.array(rows)
    except FAILURES:
        return _mixed(rows)


def _mixed(values: list[Any]) -> pa.Array:
    return conformed(values, inferred(values))
