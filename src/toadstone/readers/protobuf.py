"""Protocol Buffers on the wire: fields of a message in order, bounded, without a schema and without copies.

Source: "Encoding" chapter of the Protocol Buffers documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from toadstone.readers.cursor import Cursor, ShortError

VARINT, FIXED64, LENGTH, GROUP, END_GROUP, FIXED32 = range(6)
GROUP_DEPTH = 64


class WireError(ValueError):
    """The bytes are no message."""


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        number: Field number.
        wire: Wire type; a group counts as one field of type `GROUP`.
        value: The number of a varint; otherwise the offset of the payload.
        stop: Offset behind the field.
        start: Offset of its tag.
    """

    number: int
    wire: int
    value: int
    stop: int
    start: int


def varint(cursor: Cursor) -> int:
    """Read a variable-length integer of at most 64 bits.

    Raises:
        ShortError: If it is cut.
        WireError: If it has more than ten bytes.
    """
    buffer, index = cursor.buffered(1)
    byte = buffer[index]
    cursor.position += 1
    if byte < 0x80:
        return byte
    value = byte & 0x7F
    for shift in range(7, 70, 7):
        buffer, index = cursor.buffered(1)
        byte = buffer[index]
        cursor.position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF
    raise WireError("a number of more than ten bytes")


def fields(cursor: Cursor, stop: int) -> Iterator[Field]:
    """Yield the fields between the cursor and ``stop``.

    While the generator is suspended the caller may move the cursor inside the field; it goes on behind the field.

    Raises:
        WireError: If the bytes are no message.
        ShortError: If they end inside a field.
    """
    while (start := cursor.position) < stop:
        tag = varint(cursor)
        number, wire = tag >> 3, tag & 7
        if not 0 < number < 1 << 29:
            raise WireError(f"field number {number}")
        if wire == LENGTH:
            size = varint(cursor)
            value = cursor.position
            end = value + size
        elif wire == VARINT:
            value = varint(cursor)
            end = cursor.position
        elif wire in (FIXED32, FIXED64):
            value = cursor.position
            end = value + (4 if wire == FIXED32 else 8)
        elif wire == GROUP:
            value = cursor.position
            end = _group(cursor, stop, number)
        else:
            raise WireError(f"wire type {wire}")
        if end > stop:
            raise WireError(f"field {number} goes beyond its message")
        yield Field(number, wire, value, end, start)
        cursor.position = end


def _group(cursor: Cursor, stop: int, number: int) -> int:
    """Skip a group and those inside it; gives the offset behind its end."""
    inside = [number]
    while inside:
        if cursor.position >= stop:
            raise WireError("a group without its end")
        tag = varint(cursor)
        number, wire = tag >> 3, tag & 7
        if wire == END_GROUP:
            if inside.pop() != number:
                raise WireError("the end of another group")
        elif wire == GROUP:
            inside.append(number)
            if len(inside) > GROUP_DEPTH:
                raise WireError(f"groups nested deeper than {GROUP_DEPTH}")
        elif wire == VARINT:
            varint(cursor)
        elif wire in (LENGTH, FIXED32, FIXED64):
            cursor.skip(varint(cursor) if wire == LENGTH else 4 if wire == FIXED32 else 8)
        else:
            raise WireError(f"wire type {wire}")
    return cursor.position


def text(cursor: Cursor, field: Field, limit: int) -> str:
    """Decode a string field, at most ``limit`` bytes of it; invalid UTF-8 becomes replacement characters."""
    return cursor.blob.read(field.value, min(field.stop - field.value, limit)).decode("utf-8", "replace")


def well_formed(cursor: Cursor, stop: int, limit: int) -> bool:
    """Whether the next bytes are a message of at most ``limit`` fields that ends at ``stop``."""
    try:
        for count, _ in enumerate(fields(cursor, stop)):
            if count >= limit:
                return False
    except (WireError, ShortError):
        return False
    return cursor.position == stop
