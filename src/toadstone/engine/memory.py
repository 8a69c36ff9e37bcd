"""Keeps memory low: takes none for nothing, and gives back what is free but still held, so that no step pays for another."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from importlib.abc import MetaPathFinder
from typing import Any

import pyarrow as pa


def without_pandas() -> None:
    """Let pyarrow believe that pandas is not installed: it would import it at the first array, for 40 MB and half a second.

    Only for processes of the product's own: who has pandas objects needs pyarrow to know them. ``Table.to_pandas`` and the like
    look again and still work.
    """
    if "pandas" not in sys.modules:
        absent = _Absent()
        sys.meta_path.insert(0, absent)
        try:
            pa.array([0])
        finally:
            sys.meta_path.remove(absent)


class _Absent(MetaPathFinder):
    """Finds no pandas, and lets nobody else find it."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:  # noqa: ARG002  (as the import system calls it)
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)


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
