"""Tar archives: v7, ustar, GNU and pax, read header by header to the end of the file, not to the end mark.

Implementations differ in where the next header is: Python's ``tarfile`` stops at the first zero block and at the first
bad checksum, GNU tar goes on after both with ``-i``; a size on a link or folder is skipped by some and not by others; a
pax size overrides the header's for some (CVE-2025-62518, "TARmageddon"). Everything that any of them reaches is read.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source

_BLOCK = 512
_DIGITS = frozenset(b"\x00 01234567")


def read(source: Source) -> Iterator[Fact]:
    """Yield every member that some implementation of tar would unpack, links, and what is wrong with the structure."""
    from toadstone.readers.tar.archive import Tar  # noqa: PLC0415  (not at start-up)

    yield from Tar(source).facts()


def _claims(source: Source) -> bool:
    """Whether the first block is a header whose checksum holds."""
    if source.blob.size < _BLOCK:
        return False
    block = source.head(_BLOCK)
    if not _DIGITS.issuperset(block[148:156]):
        return False
    from toadstone.readers.tar.header import valid  # noqa: PLC0415  (not at start-up)

    return valid(block)


_MARKS = tuple((148, bytes([digit])) for digit in sorted(_DIGITS))

READERS = (Reader(kind="tar", read=read, marks=_MARKS, claims=_claims, rank=10),)
