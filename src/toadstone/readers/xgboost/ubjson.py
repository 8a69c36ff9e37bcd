"""Universal Binary JSON, Draft 12, as a stream of events; numbers are big-endian, as XGBoost writes them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from toadstone.readers.cursor import Cursor
from toadstone.readers.outline import CLOSE, KEY, OPEN_LIST, OPEN_MAP, TEXT, VALUE, Event, Span, StructureError

DEPTH = 200
"""Containers inside each other that are followed; XGBoost's models have eight."""

_LONGEST_KEY = 1 << 16
_KEPT_TEXT = 1 << 20
"""Bytes of a text that are handed on; longer ones are handed on as a `Span`."""

_NUMBERS = {
    marker: struct.Struct(f">{code}")
    for marker, code in ((0x69, "b"), (0x55, "B"), (0x49, "h"), (0x6C, "i"), (0x4C, "q"), (0x64, "f"), (0x44, "d"))
}
"""i U I l L d D"""

_INTEGERS = frozenset(b"iUIlL")
_CONSTANTS: dict[int, Any] = {0x5A: None, 0x4E: None, 0x54: True, 0x46: False}
"""Z N T F"""

_ARRAY, _OBJECT, _ARRAY_END, _OBJECT_END = b"[{]}"
_STRING, _PRECISE, _CHARACTER, _NOTHING, _TYPE, _COUNT = b"SHCN$#"

MARKERS = frozenset(_NUMBERS) | frozenset(_CONSTANTS) | frozenset(b"[{SHC")
"""How a value begins."""


class _Open:
    """A container: how many items are left (-1: until its end mark), and the marker that all of them share (0: none)."""

    __slots__ = ("left", "map", "marker")

    def __init__(self, is_map: bool, left: int, marker: int) -> None:
        self.map, self.left, self.marker = is_map, left, marker


def length(cursor: Cursor) -> int:
    """Read a length or count.

    Raises:
        StructureError: If there is none, it is negative, or no file can hold as much.
    """
    marker = cursor.take(1)[0]
    if marker not in _INTEGERS:
        raise StructureError(f"{marker:#04x} where a length belongs")
    value: int = cursor.unpack(_NUMBERS[marker])[0]
    if value < 0:
        raise StructureError(f"a length of {value:,}", "resource-claim")
    if value >= 1 << 40:
        raise StructureError(f"a length of {value:,}, and {cursor.left:,} bytes are left", "resource-claim")
    return value


def events(cursor: Cursor) -> Iterator[Event]:
    """Yield the events of one value; the cursor stands behind it afterwards.

    Raises:
        StructureError: If the bytes are no UBJSON.
        ShortError: If they end inside it.
    """
    stack: list[_Open] = []
    while True:
        marker = cursor.take(1)[0] if not stack else 0
        while stack and _ended(cursor, stack[-1]):
            stack.pop()
            yield CLOSE, None
            if not stack:
                return
        if stack:
            top = stack[-1]
            if top.map:
                yield KEY, _key(cursor)
            marker = top.marker or cursor.take(1)[0]
            top.left -= top.left > 0
        if marker in (_ARRAY, _OBJECT):
            yield from _begin(cursor, marker, stack)
        else:
            yield VALUE, _scalar(cursor, marker)
        if not stack:
            return


def _ended(cursor: Cursor, top: _Open) -> bool:
    if top.left >= 0:
        return top.left == 0
    end = _OBJECT_END if top.map else _ARRAY_END
    while True:
        buffer, index = cursor.buffered(1)
        if buffer[index] == _NOTHING and not top.map:
            cursor.position += 1  # a no-op between items
            continue
        if buffer[index] == end:
            cursor.position += 1
            return True
        return False


def _begin(cursor: Cursor, marker: int, stack: list[_Open]) -> Iterator[Event]:
    """Read what stands behind the opening mark; arrays of numbers are moved over at once."""
    shared, left = 0, -1
    buffer, index = cursor.buffered(1)
    if buffer[index] == _TYPE:
        shared = cursor.take(2)[1]
        if shared not in MARKERS:
            raise StructureError(f"items of the type {shared:#04x}")
        buffer, index = cursor.buffered(1)
        if buffer[index] != _COUNT:
            raise StructureError("items of one type without their count")
    if buffer[index] == _COUNT:
        cursor.position += 1
        left = length(cursor)
    if marker == _ARRAY and shared in _NUMBERS and left >= 0:
        layout = _NUMBERS[shared]
        span = Span(cursor.blob, cursor.position, left * layout.size, layout.format, left)
        cursor.skip(span.size)
        yield VALUE, span
        return
    if shared in _CONSTANTS and left > 1 << 20 and marker == _ARRAY:
        raise StructureError(f"{left:,} items that take no bytes", "resource-claim")
    if len(stack) >= DEPTH:
        raise StructureError(f"nested deeper than {DEPTH} levels", "depth-bomb")
    stack.append(_Open(marker == _OBJECT, left, shared))
    yield (OPEN_MAP if marker == _OBJECT else OPEN_LIST), None


def _key(cursor: Cursor) -> str:
    size = length(cursor)
    if size > _LONGEST_KEY:
        raise StructureError(f"a key of {size:,} bytes")
    return cursor.take(size).decode("utf-8", "replace")


def _scalar(cursor: Cursor, marker: int) -> Any:  # noqa: ANN401  (any JSON scalar)
    if marker in _NUMBERS:
        return cursor.unpack(_NUMBERS[marker])[0]
    if marker in _CONSTANTS:
        return _CONSTANTS[marker]
    if marker == _CHARACTER:
        return chr(cursor.take(1)[0])
    if marker not in (_STRING, _PRECISE):
        raise StructureError(f"{marker:#04x} where a value belongs")
    size = length(cursor)
    if size > _KEPT_TEXT:
        start = cursor.position
        cursor.skip(size)
        return Span(cursor.blob, start, size, kind=TEXT)
    return cursor.take(size).decode("utf-8", "replace")
