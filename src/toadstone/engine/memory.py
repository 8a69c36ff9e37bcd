"""Gives memory back that is free but still held: what one step needed must not count against the budget of the next."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import pyarrow as pa


def give_back() -> None:
    """Return free memory of Arrow and, with the GNU C library, of the process (``malloc_trim(3)``) to the system."""
    pa.default_memory_pool().release_unused()
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Any:  # noqa: ANN401  (a foreign function)
    try:
        return getattr(ctypes.CDLL(None), "malloc_trim", None)
    except (OSError, TypeError):  # no handle on the own process: not every system has one
        return None
