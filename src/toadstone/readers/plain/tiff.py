"""Images whose parts are found by offsets: TIFF (and BigTIFF), and Windows icons and cursors.

Source: TIFF 6.0 (Adobe) and its BigTIFF extension. Such files may leave bytes between their parts unused, so everything up to
the last byte that anything refers to is inert: no program reaches it but through an offset. What lies behind is not.
"""

from __future__ import annotations

import struct

from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.plain.measure import FormatError, measured
from toadstone.readers.reader import Source

_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_DATA = {273: 279, 324: 325, 288: 289, 513: 514}  # offsets -> byte counts: strips, tiles, free space, thumbnail
_DIRECTORIES = frozenset({330, 34665, 34853, 40965})
_DIRECTORY_LIMIT = 4096
_VALUE_LIMIT = 1 << 20


class _Tiff:
    """Follows directories; remembers the furthest byte that anything refers to."""

    def __init__(self, cursor: Cursor, source: Source) -> None:
        self.cursor, self.source = cursor, source
        head = cursor.take(4)
        self.order = "<" if head[:2] == b"II" else ">"
        self.big = 43 in head[2:]
        self.end = 8
        self.waiting: list[int] = []
        self.seen: set[int] = set()

    def number(self, code: str) -> int:
        return self.cursor.unpack(struct.Struct(self.order + code))[0]

    def reach(self, end: int) -> None:
        if end > self.cursor.stop:
            raise ShortError(self.cursor.position)
        self.end = max(self.end, end)

    def follow(self) -> int:
        if self.big:
            self.cursor.skip(4)
        self.waiting.append(self.number("Q" if self.big else "I"))
        while self.waiting:
            offset = self.waiting.pop()
            if offset and offset not in self.seen:
                self.seen.add(offset)
                if len(self.seen) > _DIRECTORY_LIMIT:
                    raise FormatError("more directories than any picture has")
                self.directory(offset)
        return self.end

    def directory(self, offset: int) -> None:
        cursor = self.cursor
        cursor.position = offset
        count = self.number("Q" if self.big else "H")
        width, word = (20, "Q") if self.big else (12, "I")
        start = cursor.position
        self.reach(start + count * width + (8 if self.big else 4))
        self.source.budget.spend_steps(count)
        found: dict[int, list[int]] = {}
        for index in range(count):
            cursor.position = start + index * width
            tag, kind = self.number("H"), self.number("H")
            found[tag] = self.values(tag, kind, self.number(word))
        cursor.position = start + count * width
        self.waiting.append(self.number(word))
        for offsets, counts in _DATA.items():
            for position, size in zip(found.get(offsets, ()), found.get(counts, ()), strict=False):
                self.reach(position + size)
        for tag in _DIRECTORIES:
            self.waiting += found.get(tag, ())

    def values(self, tag: int, kind: int, count: int) -> list[int]:
        """Account for the values of an entry; give those of offsets, sizes and directories."""
        size = _WIDTHS.get(kind, 1) * count
        if size > (8 if self.big else 4):
            position = self.number("Q" if self.big else "I")
            self.reach(position + size)
            self.cursor.position = position
        wanted = tag in _DATA or tag in _DATA.values() or tag in _DIRECTORIES
        if not wanted or kind not in _NUMBERS or count > _VALUE_LIMIT:
            return []
        self.source.budget.spend_steps(count)
        return list(self.cursor.unpack(struct.Struct(f"{self.order}{count}{_NUMBERS[kind]}")))


def tiff_end(cursor: Cursor, source: Source) -> int:
    """Give the offset behind the last byte that any directory refers to."""
    return _Tiff(cursor, source).follow()


def icon_end(cursor: Cursor, _source: Source) -> int:
    """Give the offset behind the last picture of an icon."""
    cursor.skip(4)
    (count,) = cursor.unpack(struct.Struct("<H"))
    end = 6 + 16 * count
    for _ in range(count):
        cursor.skip(8)
        size, offset = cursor.unpack(struct.Struct("<II"))
        end = max(end, offset + size)
    if end > cursor.stop:
        raise ShortError(cursor.position)
    return end


def _is_icon(source: Source) -> bool:
    head = source.head(6 + 16 * 64)
    count = int.from_bytes(head[4:6], "little")
    if head[:4] not in (b"\0\0\1\0", b"\0\0\2\0") or not 0 < count <= 64 or len(head) < 6 + 16 * count:
        return False
    entries = [struct.unpack_from("<BBBBHHII", head, 6 + 16 * index) for index in range(count)]
    return all(
        entry[3] == 0 and entry[6] > 0 and entry[7] >= 6 + 16 * count and entry[6] + entry[7] <= source.blob.size
        for entry in entries
    )


READERS = (
    measured("tiff", tiff_end, heads=(b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"MM\0+\0\x08\0\0")),
    measured("icon", icon_end, marks=((0, b"\0\0\1\0"), (0, b"\0\0\2\0")), claims=_is_icon),
)
