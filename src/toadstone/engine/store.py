"""Columns of numbers, chunk by chunk: in memory while there is room, else in a temporary folder."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from toadstone.core.errors import UsageError

Array = NDArray[Any]


class Store:
    """Keeps arrays under a name and the number of a chunk.

    Args:
        memory: Bytes that may stay in memory; what comes later goes to disk.
        shared: Whether other processes have to see everything: all goes to disk.
        folder: Of another process's store, whose content this one shares.

    Raises:
        UsageError: (any method that writes) the temporary folder takes nothing more.
    """

    def __init__(self, memory: int, *, shared: bool = False, folder: Path | None = None) -> None:
        self._left = -1 if shared else memory  # not even what is empty may stay behind
        self._lock = threading.Lock()
        self._held: dict[tuple[str, int], Array] = {}
        self._folder = folder
        if shared:
            self.place()

    def put(self, name: str, chunk: int, values: Array) -> None:
        """Keep an array; one that is there already is replaced."""
        with self._lock:
            self._forget(name, chunk)
            if values.nbytes <= self._left:
                self._held[name, chunk] = values
                self._left -= values.nbytes
                return
        try:
            _write(self._file(name, chunk), values)
        except OSError as error:
            raise no_room(error) from None

    def get(self, name: str, chunk: int) -> Array:
        """Give an array.

        Raises:
            KeyError: there is none.
        """
        held = self._held.get((name, chunk))
        if held is not None:
            return held
        try:
            return _read(self._file(name, chunk))
        except FileNotFoundError:
            raise KeyError(name) from None

    def drop(self, name: str, chunk: int) -> None:
        """Forget an array."""
        with self._lock:
            self._forget(name, chunk)
        if self._folder is not None and self._file(name, chunk).exists():
            self._file(name, chunk).unlink()

    def _forget(self, name: str, chunk: int) -> None:
        held = self._held.pop((name, chunk), None)
        self._left += held.nbytes if held is not None else 0

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

    def __getstate__(self) -> dict[str, Path]:
        """Travel to another process, which reads and writes the same folder; what is held in memory stays behind."""
        return {"_folder": self.place()}

    def __setstate__(self, state: dict[str, Path]) -> None:
        self.__init__(0, shared=True, folder=state["_folder"])  # type: ignore[misc]  # (the one way to be made)

    def place(self) -> Path:
        """Give the folder; made when it is first asked for."""
        with self._lock:
            if self._folder is None:
                try:
                    self._folder = Path(tempfile.mkdtemp(prefix="toadstone-"))
                except OSError as error:
                    raise no_room(error) from None
            return self._folder

    def _file(self, name: str, chunk: int) -> Path:
        return self.place() / f"{chunk}.{name}"


_DIMENSIONS = 4
_HEAD = np.dtype([("type", "S16"), ("dimensions", "<i8"), ("shape", "<i8", (_DIMENSIONS,))])
"""Before the values: NPY says the same in a text, and parsing that takes longer than reading most columns."""


def _write(path: Path, values: Array) -> None:
    head = np.zeros(1, _HEAD)
    head["type"], head["dimensions"] = values.dtype.str, values.ndim
    head["shape"][0, : values.ndim] = values.shape
    with path.open("wb") as stream:
        stream.write(head.tobytes())
        stream.write(np.ascontiguousarray(values).data.cast("B") if values.size else b"")


def _read(path: Path) -> Array:
    with path.open("rb") as stream:
        head = np.frombuffer(stream.read(_HEAD.itemsize), _HEAD)[0]
        shape = tuple(head["shape"][: head["dimensions"]].tolist())
        values = np.fromfile(stream, np.dtype(head["type"].decode()))
    return values.reshape(shape)


def no_room(error: OSError) -> UsageError:
    """Say what a person can do when the temporary folder takes nothing more."""
    return UsageError(
        f"the temporary folder {tempfile.gettempdir()} cannot hold what the memory budget leaves no room for: {error.strerror}.",
        "Name a folder with more room in TMPDIR, or allow more with --memory.",
    )
