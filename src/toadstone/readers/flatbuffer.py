"""FlatBuffers at any offset of a blob: tables, vectors and strings, every reference checked before it is followed.

Source: "FlatBuffers Internals" of the FlatBuffers documentation. Loaders that skip the verifier follow these references blindly.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from toadstone.core.blob import Blob

_U16, _U32, _I32 = struct.Struct("<H"), struct.Struct("<I"), struct.Struct("<i")


class FlatError(ValueError):
    """A reference leads outside the buffer."""


class Flat:
    """One buffer.

    Args:
        blob: The buffer, and nothing else.
    """

    def __init__(self, blob: Blob) -> None:
        self.blob = blob

    def number(self, layout: struct.Struct, at: int) -> int:
        """Read one number.

        Raises:
            FlatError: If it is not there.
        """
        raw = self.blob.read(at, layout.size)
        if at < 0 or len(raw) < layout.size:
            raise FlatError(f"a reference to byte {at:,} of {self.blob.size:,}")
        value: int = layout.unpack(raw)[0]
        return value

    def root(self) -> Table:
        """Give the root table.

        Raises:
            FlatError: If there is none.
        """
        return Table(self, self.number(_U32, 0))


class Table:
    """A table: fields by their number in the schema.

    Args:
        flat: The buffer.
        at: Offset of the table.
    """

    def __init__(self, flat: Flat, at: int) -> None:
        self._flat = flat
        self.at = at
        self._vtable = at - flat.number(_I32, at)
        self._slots = (flat.number(_U16, self._vtable) - 4) // 2
        if self._vtable < 0 or self._slots < 0:
            raise FlatError("a table without its layout")

    def _field(self, index: int) -> int:
        """Give the offset of a field; 0 when the table does not have it."""
        offset = self._flat.number(_U16, self._vtable + 4 + 2 * index) if index < self._slots else 0
        return self.at + offset if offset else 0

    def _reference(self, index: int) -> int:
        at = self._field(index)
        return at + self._flat.number(_U32, at) if at else 0

    def table(self, index: int) -> Table | None:
        """Give a table field."""
        at = self._reference(index)
        return Table(self._flat, at) if at else None

    def vector(self, index: int, width: int) -> tuple[int, int]:
        """Give where the items of a vector begin, and how many there are; none when the field is not there.

        Raises:
            FlatError: If the vector is longer than the buffer.
        """
        at = self._reference(index)
        if not at:
            return 0, 0
        count = self._flat.number(_U32, at)
        if at + 4 + count * width > self._flat.blob.size:
            raise FlatError(f"a vector of {count:,} items at byte {at:,} of {self._flat.blob.size:,}")
        return at + 4, count

    def integers(self, index: int, most: int) -> list[int]:
        """Give a vector of 32-bit integers, at most so many of it."""
        start, count = self.vector(index, 4)
        count = min(count, most)
        return list(struct.unpack(f"<{count}i", self._flat.blob.read(start, 4 * count)))

    def string(self, index: int, limit: int) -> str:
        """Give a string field, at most so many bytes of it."""
        start, count = self.vector(index, 1)
        return self._flat.blob.read(start, min(count, limit)).decode("utf-8", "replace")

    def items(self, index: int, most: int) -> Iterator[int]:
        """Yield the offsets that the references in a vector lead to, at most so many."""
        start, count = self.vector(index, 4)
        for number in range(min(count, most)):
            at = start + 4 * number
            yield at + self._flat.number(_U32, at)

    def tables(self, index: int, most: int) -> Iterator[Table]:
        """Yield the tables in a vector, at most so many."""
        for at in self.items(index, most):
            yield Table(self._flat, at)

    def strings(self, index: int, most: int, limit: int) -> list[str]:
        """Give the strings in a vector."""
        found = []
        for at in self.items(index, most):
            size = self._flat.number(_U32, at)
            if at + 4 + size > self._flat.blob.size:
                raise FlatError(f"a string of {size:,} bytes at byte {at:,}")
            found.append(self._flat.blob.read(at + 4, min(size, limit)).decode("utf-8", "replace"))
        return found
