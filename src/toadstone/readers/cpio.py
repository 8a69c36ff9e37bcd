"""cpio archives: what initial RAM disks and RPM packages are made of.

Sources: ``cpio(5)``: the "new" ASCII form (with and without checksum), the old portable ASCII form, the old binary form of both
byte orders.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from toadstone.core.fact import Fact, Link
from toadstone.core.record import dataclass
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.outside import escapes, link_escapes
from toadstone.readers.reader import Reader, Source

_NEW, _OLD = 110, 76
_LONGEST_NAME = 1 << 16
_LINK = 0o120000
_KIND = 0o170000
_TARGET = 4096
_BINARY = {b"\xc7\x71": "<", b"\x71\xc7": ">"}


@dataclass(frozen=True)
class Header:
    """What stands in front of a member.

    Attributes:
        mode: Type and permissions.
        name: Bytes of its name, with the zero at its end.
        size: Bytes of its content.
        align: Multiple to which name and content are filled up.
    """

    mode: int
    name: int
    size: int
    align: int


def read(source: Source) -> Iterator[Fact]:
    """Walk the members up to the trailer; what stands behind falls out."""
    cursor = Cursor(source.blob)
    first = cursor.position
    while True:
        start = cursor.position
        try:
            header = _header(cursor)
            if header is None:
                return
            name = cursor.take(header.name).rstrip(b"\0").decode("utf-8", "surrogateescape")
            cursor.skip(-(cursor.position - first) % header.align)
            begin = cursor.position
            cursor.skip(header.size)
        except ShortError:
            yield source.unread(f"the member at {start:,} is cut short", start)
            return
        if name != "TRAILER!!!":
            yield from _member(source, header, name, begin)
        cursor.position = min(cursor.position + -(cursor.position - first) % header.align, cursor.stop)
        source.coverage.read(start, cursor.position)
        if name == "TRAILER!!!":
            return


def _member(source: Source, header: Header, name: str, begin: int) -> Iterator[Fact]:
    shown = name.encode("utf-8", "backslashreplace").decode()
    if escapes(shown, nested=False):
        yield source.anomaly("path-traversal", f"{shown[:200]!r} would be written outside the folder it is unpacked into", begin)
    if header.mode & _KIND == _LINK:
        target = source.blob.read(begin, min(header.size, _TARGET)).decode("utf-8", "replace")
        yield Link(source.place.inside(shown[:400]), target, "symlink", escapes=link_escapes(shown, target))
    elif header.size:
        yield source.member(shown, source.blob.window(begin, header.size))


def _header(cursor: Cursor) -> Header | None:
    """Read a header of any form; None when there is none."""
    if cursor.left < 26:
        return None
    magic = cursor.blob.read(cursor.position, 6)
    if magic[:2] in _BINARY:
        words = struct.unpack(f"{_BINARY[magic[:2]]}13H", cursor.take(26))
        return Header(words[3], words[10], words[11] << 16 | words[12], 2) if 0 < words[10] <= _LONGEST_NAME else None
    if magic in (b"070701", b"070702") and cursor.left >= _NEW:
        numbers = _numbers(cursor.take(_NEW)[6:], 8, 16)
        return Header(numbers[1], numbers[11], numbers[6], 4) if numbers and 0 < numbers[11] <= _LONGEST_NAME else None
    if magic == b"070707" and cursor.left >= _OLD:
        text = cursor.take(_OLD)
        numbers = _numbers(text[18:24] + text[59:65], 6, 8)
        size = _numbers(text[65:76], 11, 8)
        return Header(numbers[0], numbers[1], size[0], 1) if numbers and size and 0 < numbers[1] <= _LONGEST_NAME else None
    return None


def _numbers(text: bytes, width: int, base: int) -> list[int]:
    """Read numbers of equal width; none when one is no number."""
    parts = [text[at : at + width] for at in range(0, len(text) // width * width, width)]
    if not all(part.isalnum() for part in parts):
        return []
    try:
        return [int(part, base) for part in parts]
    except ValueError:
        return []


def _claims(source: Source) -> bool:
    """Whether a whole header stands at the beginning, with a name that ends with a zero."""
    cursor = Cursor(source.blob)
    try:
        header = _header(cursor)
        return header is not None and cursor.take(header.name).endswith(b"\0")
    except ShortError:
        return False


READERS = (
    Reader(
        "cpio",
        read,
        marks=tuple((0, magic) for magic in (b"070701", b"070702", b"070707", *_BINARY)),
        claims=_claims,
        rank=10,
    ),
)
