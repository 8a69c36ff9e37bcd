"""MXNet: files of parameters (``.params``, ``.nd``), as ``mx.nd.save`` and Gluon write them.

A list of arrays, then a list of names. Graphs (``*-symbol.json``) are JSON and read with the other configurations. Source:
``src/ndarray/ndarray.cc`` and ``include/mxnet/tuple.h`` of MXNet 1.9.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from toadstone.core.fact import Fact, Text
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.reader import Reader, Source

_LIST = (0x112).to_bytes(8, "little") + bytes(8)
_FIRST, _SECOND, _THIRD = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_WIDTHS = (4, 8, 2, 1, 4, 1, 8, 1, 2, 2, 4, 8, 2)
"""Bytes of an element by its type's number."""
_HELD = {-1: 0, 0: 0, 1: 1, 2: 2}
"""Index arrays of a storage type: dense, row-sparse, compressed rows."""
_DIMENSIONS = 32
_NAME = 4096
_U32, _I32, _U64 = struct.Struct("<I"), struct.Struct("<i"), struct.Struct("<Q")


class _BrokenError(Exception):
    """The file is not what MXNet writes."""


class _File:
    """Walks one file; each array is compared with the bytes that are there."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.cursor = Cursor(source.blob, len(_LIST))
        self._claimed = 0

    def _number(self, layout: struct.Struct) -> int:
        return self.cursor.unpack(layout)[0]

    def _count(self, what: str) -> int:
        count = self._number(_U64)
        if count > self.cursor.left // 4:
            raise _BrokenError(f"{count:,} {what}")
        return count

    def _shape(self) -> tuple[int, ...] | None:
        """Read a shape of the newer forms; None if it is not known."""
        dimensions = self._number(_I32)
        if dimensions == -1:
            return None
        if not 0 <= dimensions <= _DIMENSIONS:
            raise _BrokenError(f"an array of {dimensions:,} dimensions")
        return struct.unpack(f"<{dimensions}q", self.cursor.take(8 * dimensions))

    def _width(self) -> int:
        kind = self._number(_I32)
        if not 0 <= kind < len(_WIDTHS):
            raise _BrokenError(f"elements of the unknown type {kind}")
        return _WIDTHS[kind]

    def _elements(self, shape: tuple[int, ...], width: int) -> None:
        count = 1
        for size in shape:
            if size < 0:
                raise _BrokenError(f"a side of {size:,}")
            count *= size
        if count * width > self.cursor.left:
            raise _BrokenError(f"an array of {count:,} elements, and {self.cursor.left:,} bytes are left")
        self._source.coverage.read(self._claimed, self.cursor.position)
        self._source.coverage.inert(self.cursor.position, self.cursor.position + count * width)
        self.cursor.skip(count * width)
        self._claimed = self.cursor.position

    def _array(self) -> None:
        magic = self._number(_U32)
        if magic in (_SECOND, _THIRD):
            self._typed(magic)
        elif magic == _FIRST:
            self._plain(self._shape() or ())
        elif magic <= _DIMENSIONS:
            self._plain(struct.unpack(f"<{magic}I", self.cursor.take(4 * magic)))
        else:
            raise _BrokenError(f"an array with the unknown mark {magic:#x}")

    def _plain(self, shape: tuple[int, ...]) -> None:
        if shape:
            self.cursor.skip(8)  # the device
            self._elements(shape, self._width())

    def _typed(self, magic: int) -> None:
        storage = self._number(_I32)
        if storage not in _HELD:
            raise _BrokenError(f"the unknown storage type {storage}")
        held = _HELD[storage]
        stored = self._shape() if held else None
        shape = self._shape()
        if shape is None or (magic == _SECOND and not shape):
            return
        self.cursor.skip(8)
        width = self._width()
        indices = [(self._width(), self._shape()) for _ in range(held)]
        if storage == 1 and stored and indices[0][1]:
            stored = (indices[0][1][0], *stored[1:])  # the stated number of rows may be older than the rows
        self._elements(stored if stored is not None else shape, width)
        for each, its in indices:
            self._elements(its or (), each)

    def read(self) -> Iterator[Fact]:
        """Walk arrays and names."""
        for _ in range(self._count("arrays")):
            self._source.budget.spend_steps(4)
            self._array()
        names: list[str] = []
        for _ in range(self._count("names")):
            size = self._number(_U64)
            if size > _NAME:
                raise _BrokenError(f"a name of {size:,} bytes")
            names.append(self.cursor.take(size).decode("utf-8", "replace"))
        self._source.coverage.read(self._claimed, self.cursor.position)
        for start in range(0, len(names), 500):
            yield Text(self._source.place, "metadata", "\n".join(names[start : start + 500]))


def _read(source: Source) -> Iterator[Fact]:
    """Account for every array and name; whatever is behind the last name stays unclaimed."""
    file = _File(source)
    try:
        yield from file.read()
    except (ShortError, _BrokenError) as error:
        yield source.unread(f"mxnet: {error}", file.cursor.position)


READERS = (Reader(kind="mxnet", read=_read, heads=(_LIST,), rank=20),)
