"""Unix archives: static libraries, import libraries, Debian packages. Each member is looked at for what it is.

Source: ``ar(5)`` with the GNU and BSD ways to keep long names.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.cursor import Cursor
from toadstone.readers.reader import Reader, Source

_INDEXES = ("/", "/SYM64/", "__.SYMDEF", "__.SYMDEF SORTED", "__.SYMDEF_64")
_NAMES_LIMIT = 1 << 22


def read(source: Source) -> Iterator[Fact]:
    """Walk the members; stops where no member header stands, so that anything behind falls out."""
    cursor = Cursor(source.blob, 8)
    source.coverage.read(0, 8)
    names = b""
    while cursor.left >= 60:
        start = cursor.position
        header = cursor.take(60)
        digits = header[48:58].strip()
        if header[58:] != b"`\n" or not digits.isdigit():
            return
        size = int(digits)
        if size > cursor.left:
            yield source.unread(f"the member at {start:,} is cut short: {cursor.left:,} of {size:,} bytes", start)
            return
        begin = cursor.position
        cursor.skip(size)
        source.coverage.read(start, cursor.position)
        label = header[:16].decode("latin-1").rstrip()
        if label == "//":
            names = source.blob.read(begin, min(size, _NAMES_LIMIT))
        elif label.rstrip("/") + "/" not in (f"{index.rstrip('/')}/" for index in _INDEXES):
            name, skipped = _name(source, label, names, begin, size)
            yield source.member(name, source.blob.window(begin + skipped, size - skipped))
        if size & 1 and cursor.left:
            source.coverage.read(cursor.position, cursor.position + 1)
            cursor.skip(1)


def _name(source: Source, label: str, names: bytes, begin: int, size: int) -> tuple[str, int]:
    """Give a member's name, and how many bytes of its content the name takes (BSD)."""
    if label.startswith("#1/") and label[3:].isdecimal() and int(label[3:]) <= min(size, 4096):
        length = int(label[3:])
        return source.blob.read(begin, length).rstrip(b"\0").decode("utf-8", "replace"), length
    if label.startswith("/") and label[1:].isdecimal():
        return names[int(label[1:]) :].split(b"/\n", 1)[0][:4096].decode("utf-8", "replace"), 0
    return label.rstrip("/") or f"@{begin}", 0


READERS = (Reader(kind="ar", read=read, heads=(b"!<arch>\n",), rank=10),)
