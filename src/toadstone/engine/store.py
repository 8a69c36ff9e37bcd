"""Columns of numbers, chunk by chunk: in memory while there is room, else in a temporary folder."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Store:
    """Keeps arrays under a name and the number of a chunk.

    Args:
        memory: Bytes that may stay in memory; what comes later goes to disk.
        shared: Whether other processes have to see everything: all goes to disk.
    """

    def __init__(self, memory: int, *, shared: bool = False) -> None:
        self._left = 0 if shared else memory
        self._held: dict[tuple[str, int], Array] = {}
        self._folder: Path | None = None
        if shared:
            self._place()

    def put(self, name: str, chunk: int, values: Array) -> None:
        """Keep an array; one that is there already is replaced."""
        key = (name, chunk)
        old = self._held.pop(key, None)
        self._left += old.nbytes if old is not None else 0
        if values.nbytes <= self._left:
            self._held[key] = values
            self._left -= values.nbytes
        else:
            np.save(self._file(name, chunk), values, allow_pickle=False)

    def get(self, name: str, chunk: int) -> Array:
        """Give an array.

        Raises:
            KeyError: there is none.
        """
        held = self._held.get((name, chunk))
        if held is not None:
            return held
        try:
            loaded: Array = np.load(self._file(name, chunk), allow_pickle=False)
        except FileNotFoundError:
            raise KeyError(name) from None
        return loaded

    def drop(self, name: str, chunk: int) -> None:
        """Forget an array."""
        held = self._held.pop((name, chunk), None)
        if held is not None:
            self._left += held.nbytes
        elif self._folder is not None and self._file(name, chunk).exists():
            self._file(name, chunk).unlink()

    def __contains__(self, key: tuple[str, int]) -> bool:
        return key in self._held or (self._folder is not None and self._file(*key).exists())

    def close(self) -> None:
        """Forget everything, also on disk."""
        self._held.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __getstate__(self) -> dict[str, object]:
        """Travel to another process, which reads and writes the same folder; what is held in memory stays behind."""
        return {"_left": 0, "_held": {}, "_folder": self._place()}

    def _place(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="toadstone-"))
        return self._folder

    def _file(self, name: str, chunk: int) -> Path:
        return self._place() / f"{chunk}.{name}.npy"
