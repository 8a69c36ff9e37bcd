"""Ragged rows: values of all rows one after the other, with offsets; and log-odds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def log_odds(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give log(p / (1 - p)), bounded."""
    p = np.clip(p, 1e-9, 1 - 1e-9)
    return np.log(p) - np.log1p(-p)


def ranges(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give starts[0], starts[0] + 1 .. for lengths[0] numbers, then the same of the next."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    out: NDArray[np.int64] = np.arange(total) + np.repeat(starts - (ends - lengths), lengths)
    return out


def summed(values: NDArray[np.floating], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Add up ragged rows: values shape (total, ...), result shape (rows, ...)."""
    out = np.zeros((len(offsets) - 1, *values.shape[1:]), np.float64)
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        out[filled] = np.add.reduceat(values, offsets[filled], axis=0, dtype=np.float64)
    return out


def picked(values: NDArray[np.float64], classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give one value a row: that of the row's class."""
    return values[np.arange(len(classes)), classes]
