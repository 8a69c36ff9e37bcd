"""Git's own files, so that a project can be scanned with its history in place.

No model loader reads them. Pack files, indexes and graphs end in a digest of all that stands before: content that
matches it is what Git wrote, and inert. Loose objects (zlib streams) are opened, and blobs in them are read as what they
are. Source: gitformat-index(5), gitformat-pack(5), gitformat-commit-graph(5).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source

_DIGESTS = (("sha1", 20), ("sha256", 32))


def read_checksummed(source: Source) -> Iterator[Fact]:
    """Claim a file whose last bytes are the SHA-1 or SHA-256 of the rest; otherwise it is not what it says."""
    for name, size in _DIGESTS:
        if source.blob.size <= size + 8:
            continue
        state = hashlib.new(name, usedforsecurity=False)
        for chunk in source.blob.chunks(0, source.blob.size - size):
            state.update(chunk)
        if state.digest() == source.blob.read(source.blob.size - size, size):
            source.coverage.inert(0, source.blob.size)
            return
    yield source.unread("a Git file whose checksum does not match its content")


_OBJECT = re.compile(rb"(blob|tree|commit|tag) (\d{1,15})\0")


def read_object(source: Source) -> Iterator[Fact]:
    """Read an unpacked object: its header, then a blob as a member of its own."""
    found = _OBJECT.match(source.head(32))
    if found is None:
        return  # asked for by a parent that promised one; unclaimed, so unread
    source.coverage.read(0, found.end())
    if found.group(1) == b"blob":
        source.coverage.read(found.end(), source.blob.size)
        yield source.member("blob", source.blob.window(found.end(), source.blob.size - found.end()))
    else:
        source.coverage.inert(found.end(), source.blob.size)


def _is_object(source: Source) -> bool:
    found = _OBJECT.match(source.head(32))
    return found is not None and found.end() + int(found.group(2)) == source.blob.size


_MARKS = ((0, b"blob "), (0, b"tree "), (0, b"commit "), (0, b"tag "))

READERS = (
    Reader(
        "git",
        read_checksummed,
        heads=(b"DIRC\0\0\0", b"PACK\0\0\0", b"\xfftOc\0\0\0", b"CGPH", b"MIDX", b"RIDX\0\0\0", b"BITM\0"),
        rank=20,
    ),
    Reader(
        "git-object",
        read_object,
        marks=_MARKS,
        claims=_is_object,
        rank=40,
    ),
)
