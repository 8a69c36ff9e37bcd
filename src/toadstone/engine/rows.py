"""Arrays with some values a row, whose pages lie in a file: between steps their memory is given back."""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from toadstone.engine.store import no_room

_BLOCK = 1 << 20
_DROP = getattr(mmap, "MADV_DONTNEED", None)


class Rows:
    """Makes arrays that count as little memory: small ones as ever, large ones as files without a name.

    A file without a name vanishes with the array, also when the process is killed. Where a system cannot map a file whose name
    is gone, the folder's owner removes it.

    Args:
        folder: Gives the folder where the files lie; asked when the first is made.
        small: Bytes up to which an array is kept in memory.
    """

    def __init__(self, folder: Callable[[], Path], small: int) -> None:
        self.folder = folder
        self._small = small
        self._maps: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()

    def filled(self, shape: Sequence[int], kind: DTypeLike, value: object = 0) -> NDArray[Any]:
        """Make an array that has one value everywhere.

        Raises:
            UsageError: The folder has no room for it.
        """
        dtype = np.dtype(kind)
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        if size <= self._small:
            return np.full(shape, value, dtype)
        try:
            pages = self._pages(size, dtype, value)
        except OSError as error:
            raise no_room(error) from None
        self._maps.add(pages)
        return np.frombuffer(pages, dtype).reshape(shape)

    def _pages(self, size: int, dtype: np.dtype[Any], value: object) -> mmap.mmap:
        handle, name = tempfile.mkstemp(prefix="rows-", dir=self.folder())
        try:
            block = np.full(_BLOCK // dtype.itemsize, value, dtype).tobytes()
            for start in range(0, size, len(block)):  # written, not only promised: a full disk shows here, not as a bus error
                _write(handle, block[: size - start])
            return mmap.mmap(handle, size)
        finally:
            os.close(handle)
            _unlinked(name)

    def joined(self, parts: Iterable[NDArray[Any]], count: int) -> NDArray[Any]:
        """Give arrays of numbers, one behind the other, as one.

        Args:
            parts: All of one type and width.
            count: Rows of all of them.
        """
        out: NDArray[Any] | None = None
        place = touched = 0
        for part in parts:
            if out is None:
                out = self.filled((count, *part.shape[1:]), part.dtype)
            out[place : place + len(part)] = part
            place, touched = place + len(part), touched + part.nbytes
            if touched >= _BLOCK:
                self.rest()
                touched = 0
        return np.zeros(0) if out is None else out

    def copied(self, values: NDArray[Any]) -> NDArray[Any]:
        """Give the same values in an array made here; what is small, or was made here, stays as it is."""
        if values.nbytes <= self._small or isinstance(_bottom(values), mmap.mmap):
            return values
        out = self.filled(values.shape, values.dtype)
        out[...] = values
        self.rest()
        return out

    def rest(self) -> None:
        """Give the pages of all arrays back; whoever looks at one again gets it from the file."""
        if _DROP is None:
            return
        for pages in self._maps:
            pages.madvise(_DROP)


def _write(handle: int, block: bytes) -> None:
    while block:
        block = block[os.write(handle, block) :]


def _bottom(values: object) -> object:
    """Give what holds the memory of an array."""
    while isinstance(values, np.ndarray):
        values = values.base
    return values.obj if isinstance(values, memoryview) else values


def _unlinked(name: str) -> None:
    with suppress(PermissionError):  # Windows keeps what is mapped
        Path(name).unlink()
