"""Rows that are numbers already: embeddings, and the columns of a table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.engine.arrow import compute as pc
from toadstone.views.view import Columns, View, text_bytes
from toadstone.views.words import hashed

_GIANT = 1e150
"""Largest number that is told from larger ones: its square is a number too."""


class Vectors(View):
    """``vectors``: float32, shape (rows, dimension): the embedding of each row.

    Missing rows and rows of another length than the first are NaN throughout; infinite numbers are NaN.
    """

    name = "vectors"
    role = "embedding"

    def of(self, values: pa.Array) -> Columns:
        kind = values.type
        if pa.types.is_fixed_size_list(kind):
            width = int(kind.list_size)
            lengths = np.full(len(values), width, np.int64)
        else:
            values = pc.cast(values, pa.large_list(kind.value_type))
            lengths = np.asarray(pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False), np.int64)
            width = int(_usual(lengths))
        whole = (lengths == width) & np.asarray(pc.is_valid(values).to_numpy(zero_copy_only=False), bool)
        flat = pc.list_flatten(values.filter(pa.array(whole)))
        numbers = np.asarray(pc.cast(flat, pa.float32(), safe=False).to_numpy(zero_copy_only=False), np.float32)
        out = np.full((len(values), width), np.nan, np.float32)
        out[whole] = numbers.reshape(-1, width) if width else 0.0
        out[~np.isfinite(out)] = np.nan
        return {"vectors": out}


def _usual(lengths: NDArray[np.int64]) -> int:
    """Give the length of most rows that have one."""
    counts = np.bincount(np.minimum(lengths[lengths > 0], 1 << 20))
    return int(counts.argmax()) if len(counts) else 0


class Features(View):
    """The columns of a table: ``numbers``, float64, shape (rows, columns), NaN where a number is missing or infinite; and
    ``categories``, uint32, shape (rows, columns): hashes of the values of the other columns, 0 where one is missing.
    """  # noqa: D205  (two columns, one sentence)

    name = "features"
    role = "features"

    def of(self, values: pa.Array) -> Columns:
        numbers, categories = [], []
        for place in range(values.type.num_fields):
            column = values.field(place)
            kind = column.type
            if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
                numbers.append(_numbers(column))
            elif pa.types.is_boolean(kind):
                numbers.append(_numbers(pc.cast(column, pa.int8())))
            elif pa.types.is_temporal(kind):
                numbers.append(_numbers(pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.int64())))
            else:
                categories.append(_categories(column))
        shape = (len(values), 0)
        return {
            "numbers": np.stack(numbers, 1) if numbers else np.zeros(shape, np.float64),
            "categories": np.stack(categories, 1) if categories else np.zeros(shape, np.uint32),
        }


def _numbers(column: pa.Array) -> NDArray[np.float64]:
    numbers = np.array(pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)
    numbers[~np.isfinite(numbers)] = np.nan
    return np.clip(numbers, -_GIANT, _GIANT, out=numbers)


def _categories(column: pa.Array) -> NDArray[np.uint32]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        column = pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.large_string())
    missing = np.asarray(pc.is_null(column).to_numpy(zero_copy_only=False), bool)
    content, offsets = text_bytes(pc.cast(pc.fill_null(column, ""), pa.large_string()))
    codes = np.maximum(hashed(content, offsets[:-1], offsets[1:]), np.uint32(1))
    codes[missing] = 0
    return codes
