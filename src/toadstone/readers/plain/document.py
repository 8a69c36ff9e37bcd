"""Documents, fonts and databases: PDF, OpenType and WOFF, SQLite.

Sources: ISO 32000-2 section 7.5 (PDF), OpenType 1.9 and WOFF 1.0/2.0 (W3C), SQLite "Database File Format".
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from toadstone.core.fact import Fact, Member
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.plain.measure import FormatError, measured
from toadstone.readers.reader import Reader, Source

_TAIL = rb"startxref\s++(\d{1,19})\s++%%EOF(?:\r\n|\r|\n)?"
_STEP = 1 << 20
_MARKS = 256
"""End marks that are tried; each saved change of a document leaves one."""
_OVERLAP = 256


def pdf_end(cursor: Cursor, source: Source) -> int:
    """Find the last end-of-file mark whose cross-reference really is where it says.

    Actions and scripts inside a PDF run in viewers, not in model loaders; they are not looked at.
    """
    position = cursor.stop
    tried = 0
    while position > 0 and tried < _MARKS:
        start = max(position - _STEP, 0)
        piece = cursor.blob.read(start, position - start + _OVERLAP)
        for found in reversed(list(re.finditer(_TAIL, piece))[-_MARKS:]):
            tried += 1
            target = cursor.blob.read(int(found.group(1)), 32).lstrip()
            if target.startswith(b"xref") or re.match(rb"\d+\s+\d+\s+obj", target):
                return start + found.end()
        source.budget.spend_steps(1)
        position = start
    raise FormatError("no cross-reference table")


def font_end(cursor: Cursor, source: Source) -> int:
    """Follow the table directory of an OpenType font or collection."""
    starts = [0]
    if cursor.blob.read(0, 4) == b"ttcf":
        cursor.skip(8)
        (count,) = cursor.unpack(struct.Struct(">I"))
        if count > 1024:
            raise FormatError(f"{count:,} fonts in one file")
        starts = list(cursor.unpack(struct.Struct(f">{count}I")))
    end = cursor.position
    for start in starts:
        cursor.position = start
        _, count, _, _, _ = cursor.unpack(struct.Struct(">IHHHH"))
        source.budget.spend_steps(count)
        for _ in range(count):
            _, _, offset, size = cursor.unpack(struct.Struct(">IIII"))
            end = max(end, offset + size)
        end = max(end, cursor.position)
    if end > cursor.stop:
        raise ShortError(cursor.position)
    tail = cursor.blob.read(end, -end % 4)
    return end if tail.strip(b"\0") else end + len(tail)


_FONTS = (b"\0\1\0\0", b"OTTO", b"true", b"typ1")


def _is_font(source: Source) -> bool:
    """Whether a table directory with ASCII tags begins here."""
    head = source.head(64)
    if head.startswith(b"ttcf\0"):
        return True
    count = int.from_bytes(head[4:6], "big")
    tags = [head[12 + 16 * index : 16 + 16 * index] for index in range(min(count, 3))]
    return head[:4] in _FONTS and 0 < count < 256 and all(_printable(tag) for tag in tags)


def _printable(tag: bytes) -> bool:
    return len(tag) == 4 and all(32 <= byte < 127 for byte in tag)


def woff_end(cursor: Cursor, _source: Source) -> int:
    """Read the length that a web font states of itself."""
    _, _, size, tables, reserved = cursor.unpack(struct.Struct(">4sIIHH"))
    if size > cursor.stop:
        raise ShortError(cursor.position)
    if reserved or not tables or size < 44 + tables:
        raise FormatError("no header of a web font")
    return size


def sqlite_end(cursor: Cursor, _source: Source) -> int:
    """Multiply page size and page count."""
    cursor.skip(16)
    (page,) = cursor.unpack(struct.Struct(">H"))
    page = 65536 if page == 1 else page
    if page < 512 or page & (page - 1):
        raise FormatError(f"a page of {page} bytes")
    cursor.position = 24
    changes, pages = cursor.unpack(struct.Struct(">II"))
    cursor.position = 92
    (valid_for,) = cursor.unpack(struct.Struct(">I"))
    if not pages or changes != valid_for:  # written by a version that does not keep the count
        return cursor.stop // page * page
    if pages * page > cursor.stop:
        raise ShortError(cursor.stop)
    return pages * page


def read_sqlite(source: Source) -> Iterator[Fact]:
    """Claim the pages, and look for pickles in them: shelves, caches and result stores keep objects in tables."""
    from toadstone.readers.pickle import carve  # noqa: PLC0415  (few files are databases)

    yield from _SQLITE.read(source)
    position, end = 0, source.blob.size
    for _ in range(_PICKLES):
        found = -1
        for fact in carve(source, position, end):
            if isinstance(fact, Member):
                found = int(fact.name[1:])
                yield fact
        if found < 0:
            return
        position = found + 1
    yield source.unread(f"a database with more than {_PICKLES} pickles; the rest was not followed")


_PICKLES = 64
_SQLITE = measured("sqlite", sqlite_end, heads=(b"SQLite format 3\0",))

READERS = (
    measured("pdf", pdf_end, heads=(b"%PDF-",)),
    measured("font", font_end, marks=tuple((0, tag) for tag in (b"ttcf\0", *_FONTS)), claims=_is_font),
    measured("web-font", woff_end, heads=(b"wOFF", b"wOF2")),
    Reader(kind="sqlite", read=read_sqlite, heads=(b"SQLite format 3\0",), rank=20),
)
