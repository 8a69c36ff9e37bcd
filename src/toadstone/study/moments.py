"""Times, as people write them, as seconds since 1970."""

from __future__ import annotations

import datetime as dt
from email.utils import parsedate_to_datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.engine.arrow import compute as pc


def moments(column: pa.Array) -> NDArray[np.float64]:
    """Give the times of a column.

    Args:
        column: Timestamps or dates; texts in ISO 8601 or as mails have them (RFC 5322), without a zone taken for UTC; numbers
            count as they are.

    Returns:
        Seconds since 1970, shape (rows,); NaN where missing or not understood.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_temporal(column.type):
        if pa.types.is_time(column.type) or pa.types.is_duration(column.type):
            return np.full(len(column), np.nan)
        stamps = pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.int64())
        return _numbers(stamps) / 1e6
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        encoded = pc.dictionary_encode(column)
        known = np.array([*(instant(text) for text in encoded.dictionary.to_pylist()), np.nan])
        return known[np.asarray(pc.fill_null(encoded.indices, len(known) - 1), np.int64)]
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return _numbers(column)
    return np.full(len(column), np.nan)


def _numbers(column: pa.Array) -> NDArray[np.float64]:
    return np.asarray(pc.fill_null(pc.cast(column, pa.float64(), safe=False), float("nan")), np.float64)


def instant(text: str) -> float:
    """Read one time; NaN when it is none."""
    text = text.strip()
    for read in (dt.datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
            moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
            return moment.timestamp()
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return float("nan")
