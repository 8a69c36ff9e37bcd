"""MessagePack as a stream of events."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from toadstone.readers.cursor import Cursor
from toadstone.readers.outline import BYTES, CLOSE, KEY, OPEN_LIST, OPEN_MAP, TEXT, VALUE, Event, Span, StructureError

DEPTH = 512
"""Containers inside each other that are followed; the common libraries stop at 511 or 1024."""

_CLAIM = 1 << 28
"""Items that a container of no honest file claims; loaders make room for them before they look."""

_KEPT_TEXT = 1 << 16
_CONSTANTS: dict[int, Any] = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS = {
    0xCA: struct.Struct(">f"), 0xCB: struct.Struct(">d"), 0xCC: struct.Struct(">B"), 0xCD: struct.Struct(">H"),
    0xCE: struct.Struct(">I"), 0xCF: struct.Struct(">Q"), 0xD0: struct.Struct(">b"), 0xD1: struct.Struct(">h"),
    0xD2: struct.Struct(">i"), 0xD3: struct.Struct(">q"),
}  # fmt: skip
_WIDE = (struct.Struct(">B"), struct.Struct(">H"), struct.Struct(">I"))
_LENGTHS = {
    0xC4: (BYTES, 0), 0xC5: (BYTES, 1), 0xC6: (BYTES, 2), 0xD9: (TEXT, 0), 0xDA: (TEXT, 1), 0xDB: (TEXT, 2),
}  # fmt: skip
"""Runs of bytes and of text: kind and width of the length."""

_EXTENSIONS = {0xC7: 0, 0xC8: 1, 0xC9: 2}
_FIXED = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}


def events(cursor: Cursor) -> Iterator[Event]:
    """Yield the events of one object; the cursor stands behind it afterwards.

    Raises:
        StructureError: If the bytes are no MessagePack.
        ShortError: If they end inside it.
    """
    left: list[int] = []  # items (of a mapping: keys and values) that are still to come
    maps: list[bool] = []
    while True:
        if left:
            if not left[-1]:
                left.pop()
                maps.pop()
                yield CLOSE, None
                if not left:
                    return
                continue
            left[-1] -= 1
            is_key = maps[-1] and left[-1] & 1
        else:
            is_key = False
        byte = cursor.take(1)[0]
        container = _container(cursor, byte)
        if container is None:
            yield (KEY if is_key else VALUE), _scalar(cursor, byte, is_key)
            if not left:
                return
            continue
        is_map, count = container
        if is_key:
            raise StructureError("a container as a key")
        if len(left) >= DEPTH:
            raise StructureError(f"nested deeper than {DEPTH} levels", "depth-bomb")
        if count > cursor.left:
            kind = "resource-claim" if count > _CLAIM else ""
            raise StructureError(f"a container of {count:,} items in {cursor.left:,} bytes", kind)
        left.append(2 * count if is_map else count)
        maps.append(is_map)
        yield (OPEN_MAP if is_map else OPEN_LIST), None


def _container(cursor: Cursor, byte: int) -> tuple[bool, int] | None:
    if 0x80 <= byte <= 0x9F:
        return byte < 0x90, byte & 0x0F
    if 0xDC <= byte <= 0xDF:
        return byte >= 0xDE, cursor.unpack(_WIDE[1 + (byte & 1)])[0]
    return None


def _scalar(cursor: Cursor, byte: int, is_key: bool | int) -> Any:  # noqa: ANN401  (any scalar)
    if byte < 0x80:
        return byte
    if byte >= 0xE0:
        return byte - 0x100
    if 0xA0 <= byte <= 0xBF:
        return cursor.take(byte & 0x1F).decode("utf-8", "replace")
    if byte in _NUMBERS:
        return cursor.unpack(_NUMBERS[byte])[0]
    if byte in _CONSTANTS:
        return _CONSTANTS[byte]
    kind, size = _run(cursor, byte)
    if size <= _KEPT_TEXT and (kind == TEXT or (is_key and kind == BYTES)):
        raw = cursor.take(size)
        return raw.decode("utf-8", "replace") if kind == TEXT else raw
    if is_key and kind == TEXT:
        raise StructureError(f"a key of {size:,} bytes")
    start = cursor.position
    cursor.skip(size)
    return Span(cursor.blob, start, size, kind=kind)


def _run(cursor: Cursor, byte: int) -> tuple[int, int]:
    """Read the kind and length of a run of bytes, of text, or of an extension."""
    if byte in _LENGTHS:
        kind, width = _LENGTHS[byte]
        return kind, cursor.unpack(_WIDE[width])[0]
    if byte in _FIXED:
        size = _FIXED[byte]
    elif byte in _EXTENSIONS:
        size = cursor.unpack(_WIDE[_EXTENSIONS[byte]])[0]
    else:
        raise StructureError(f"{byte:#04x} is no type of the format")
    return int.from_bytes(cursor.take(1), "big", signed=True), size
