"""Llamafiles: a program for several systems at once, with its weights in a zip archive behind it.

The program is an "actually portable executable" of Cosmopolitan Libc; the archive belongs to it, so the two are no polyglot. A
member ``.args`` holds arguments of its command line. Source: llamafile README, Cosmopolitan ``ape/specification.md``.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Code, Fact, Setting
from toadstone.readers.reader import Reader, Source
from toadstone.readers.zip import open_zip

_MARKS = (b"MZqFpD='", b"jartsr='", b"APEDBG='")
_TAIL = 22 + 0xFFFF
_LIMIT = 1 << 16


def read(source: Source) -> Iterator[Fact]:
    """Report the program, then read the archive."""
    archive = open_zip(source)
    starts = [*(entry.offset for entry in archive.entries), *(found.start for found in archive.directories)]
    first = min(starts, default=source.blob.size)
    source.shared["zip-prefix"] = True
    source.coverage.read(0, first)
    name = source.name.rpartition("/")[2]
    yield Code(
        source.place, "native", name, f"an executable for several systems (APE), {first:,} bytes, with an archive behind it"
    )
    for entry in archive.named(".args"):
        text = archive.read(source, entry, _LIMIT).decode("utf-8", "replace")
        yield Setting(source.place.inside(entry.name), "command", ".args", " ".join(text.split())[:4000])
    yield from archive.facts(source)


def _claims(source: Source) -> bool:
    return source.head(8).startswith(_MARKS) and b"PK\x05\x06" in source.blob.read(max(source.blob.size - _TAIL, 0), _TAIL)


READERS = (Reader("llamafile", read, marks=tuple((0, mark) for mark in _MARKS), claims=_claims, rank=9),)
