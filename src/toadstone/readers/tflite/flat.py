"""FlatBuffers that remember which spans were looked at, and FlexBuffers as far as vectors of strings.

Source: "FlatBuffer Internals" and "FlexBuffers" of the FlatBuffers documentation.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from toadstone.core.blob import Blob
from toadstone.core.budget import Budget

_STEPS = 4
_FLEX_VECTOR, _FLEX_STRING, _FLEX_BLOB, _FLEX_KEY = 10, 5, 25, 4
_FLEX_KEYS = 14
_FLEX_ITEMS = 64
_FLEX_LIMIT = 1 << 20


class FlatError(ValueError):
    """An offset or count leads out of the buffer."""


class Flat:
    """A buffer; remembers which spans were looked at.

    Args:
        blob: The bytes.
        budget: Pays for every object.
    """

    def __init__(self, blob: Blob, budget: Budget) -> None:
        self.blob = blob
        self.budget = budget
        self.spans: list[tuple[int, int]] = []

    def bytes(self, offset: int, size: int) -> bytes:
        """Read exactly ``size`` bytes.

        Raises:
            FlatError: If they are not there.
        """
        found = self.blob.read(offset, size) if 0 <= offset <= self.blob.size and 0 <= size <= self.blob.size - offset else b""
        if len(found) != size:
            raise FlatError(f"{size:,} bytes at {offset:,}, outside the buffer")
        return found

    def number(self, offset: int, code: str) -> int:
        """Read one little-endian number of a ``struct`` code."""
        layout = struct.Struct("<" + code)
        return int(layout.unpack(self.bytes(offset, layout.size))[0])

    def claim(self, offset: int, size: int) -> None:
        """Remember a span that was looked at."""
        self.budget.spend_steps(_STEPS)
        self.spans.append((offset, offset + size))

    def root(self) -> Table:
        """Give the root table."""
        self.claim(0, 8)
        return Table(self, self.number(0, "I"))

    def vector(self, offset: int, width: int) -> tuple[int, int]:
        """Give the offset of the first element, and how many there are."""
        count = self.number(offset, "I")
        if count * width > self.blob.size - offset - 4:
            raise FlatError(f"a vector of {count:,} elements at {offset:,}")
        self.claim(offset, 4 + count * width)
        return offset + 4, count

    def text(self, offset: int, limit: int) -> str:
        """Read a string, at most ``limit`` bytes of it."""
        start, count = self.vector(offset, 1)
        self.claim(start + count, 1)
        return self.bytes(start, min(count, limit)).decode("utf-8", "replace")


class Table:
    """A table: fields by their index in the schema.

    Raises:
        FlatError: If its list of fields is not there.
    """

    def __init__(self, flat: Flat, offset: int) -> None:
        self.flat = flat
        self.offset = offset
        at = offset - flat.number(offset, "i")
        size, inline = flat.number(at, "H"), flat.number(at + 2, "H")
        if size < 4 or size & 1:
            raise FlatError(f"a list of fields of {size} bytes at {at:,}")
        self._fields = struct.unpack(f"<{size // 2 - 2}H", flat.bytes(at + 4, size - 4))
        flat.claim(at, size)
        flat.claim(offset, inline)

    def place(self, field: int) -> int:
        """Give the offset of a field; 0 if it is absent."""
        relative = self._fields[field] if field < len(self._fields) else 0
        return self.offset + relative if relative else 0

    def number(self, field: int, code: str, default: int = 0) -> int:
        """Read a number."""
        place = self.place(field)
        return self.flat.number(place, code) if place else default

    def target(self, field: int) -> int:
        """Follow a field to what it refers to; 0 if it is absent."""
        place = self.place(field)
        return place + self.flat.number(place, "I") if place else 0

    def text(self, field: int, limit: int = 4096) -> str:
        """Read a string; empty if it is absent."""
        target = self.target(field)
        return self.flat.text(target, limit) if target else ""

    def span(self, field: int) -> tuple[int, int]:
        """Give offset and size of a vector of bytes; (0, 0) if it is absent."""
        target = self.target(field)
        return self.flat.vector(target, 1) if target else (0, 0)

    def tables(self, field: int) -> Iterator[Table]:
        """Yield the tables of a vector."""
        target = self.target(field)
        if target:
            start, count = self.flat.vector(target, 4)
            for index in range(count):
                place = start + 4 * index
                yield Table(self.flat, place + self.flat.number(place, "I"))

    def numbers(self, field: int, code: str, most: int) -> list[int]:
        """Read the first numbers of a vector."""
        target = self.target(field)
        if not target:
            return []
        width = struct.calcsize("<" + code)
        start, count = self.flat.vector(target, width)
        kept = min(count, most)
        return list(struct.unpack(f"<{kept}{code}", self.flat.bytes(start, kept * width)))


def flex_strings(raw: bytes) -> list[bytes]:
    """List the strings of a FlexBuffer whose root is a vector of them; empty if it is anything else."""
    if not 3 <= len(raw) <= _FLEX_LIMIT or raw[-2] >> 2 not in (_FLEX_VECTOR, _FLEX_KEYS + 1):
        return []
    width, root_width = 1 << (raw[-2] & 3), raw[-1]
    if root_width not in (1, 2, 4, 8) or len(raw) < 2 + root_width:
        return []
    place = len(raw) - 2 - root_width
    start = place - int.from_bytes(raw[place : place + root_width], "little")
    count = int.from_bytes(raw[max(start - width, 0) : max(start, 0)], "little")
    found: list[bytes] = []
    for index in range(min(count, _FLEX_ITEMS)):
        element = start + index * width
        kind = start + count * width + index
        if element < 0 or kind >= len(raw):
            break
        target = element - int.from_bytes(raw[element : element + width], "little")
        packed = raw[kind]
        if packed >> 2 in (_FLEX_STRING, _FLEX_BLOB) and target > 0:
            inner = 1 << (packed & 3)
            size = int.from_bytes(raw[max(target - inner, 0) : target], "little")
            found.append(raw[target : target + min(size, len(raw))])
    return found
