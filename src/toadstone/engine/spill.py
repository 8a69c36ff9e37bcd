"""Values that are too many for the memory, put into parts on the way to a file, so that one pass over the data is enough."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from toadstone.engine.store import no_room

Array = NDArray[Any]


class Spill:
    """Collects values and gives them back part by part, in the order in which they came.

    Args:
        folder: Gives the folder of the file; asked when the first values go there.
        parts: How many there are.
        memory: Bytes that may wait in memory.

    Raises:
        UsageError: (`add`) the folder has no room.
    """

    def __init__(self, folder: Callable[[], Path], parts: int, memory: int) -> None:
        self._folder = folder
        self._parts = parts
        self._memory = memory
        self._waiting: list[tuple[Array, Array]] = []
        self._size = 0
        self._file: Any = None
        self._kind = np.dtype(np.uint64)
        self._end = 0
        self._units: list[tuple[int, Array]] = []
        """Where each unit begins in the file, in values, and where its parts begin in it."""

    def add(self, values: Array, parts: NDArray[np.integer]) -> None:
        """Take values.

        Args:
            values: All of one type, whatever is added.
            parts: The part of each.
        """
        self._waiting.append((values, parts.astype(np.uint16 if self._parts <= 1 << 16 else np.uint32)))
        self._size += values.nbytes + self._waiting[-1][1].nbytes
        if self._size > self._memory:
            self._flush()

    def part(self, number: int) -> Array:
        """Give the values of a part."""
        found: list[Array] = []
        for begin, edges in self._units:
            first, stop = int(edges[number]), int(edges[number + 1])
            if stop > first:
                self._file.seek((begin + first) * self._kind.itemsize)
                found.append(np.frombuffer(self._file.read((stop - first) * self._kind.itemsize), self._kind))
        found += [values if self._parts == 1 else values[parts == number] for values, parts in self._waiting]
        return np.concatenate(found) if found else np.zeros(0, np.uint64)

    def _flush(self) -> None:
        values = np.concatenate([some for some, _ in self._waiting])
        parts = np.concatenate([some for _, some in self._waiting])
        self._waiting, self._size = [], 0
        order = np.argsort(parts, kind="stable")
        self._kind = values.dtype
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder(), buffering=0)  # noqa: SIM115  (see `close`)
            self._file.seek(self._end * self._kind.itemsize)
            left = values[order].data.cast("B")
            while len(left):
                left = left[self._file.write(left) :]
        except OSError as error:
            raise no_room(error) from None
        counts = np.bincount(parts, minlength=self._parts)
        self._units.append((self._end, np.append(0, np.cumsum(counts)).astype(np.uint32)))
        self._end += len(values)

    def close(self) -> None:
        """Give everything back, the file too."""
        self._waiting, self._units = [], []
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
