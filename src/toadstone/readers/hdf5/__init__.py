"""HDF5 files (``.h5``, ``.hdf5``, Keras weights and models, PyTables and pandas stores, MATLAB v7.3).

A read-only parser of the HDF5 File Format Specification 3.0 (and what HDF5 2.0 adds to it): superblocks 0 to 3 behind user
blocks of any size, object headers, groups in both styles, attributes in both styles, every chunk index, external and virtual
storage. The C library is not used: it parses hostile bytes in this process.

Metadata is *read*, numeric payload inside its declared bounds is *inert*, and what the library does not reach is nobody's:
it stays unclaimed, so the walker looks into it. Checksums of metadata are not verified: the library refuses a file whose
checksums are wrong, so reading it all the same shows more than a loader sees, never less.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source

SIGNATURE = b"\x89HDF\r\n\x1a\n"


def superblock_at(source: Source) -> int:
    """Give the offset of the superblock (0, 512, 1024, 2048 ...), or -1."""
    offset = 0
    while offset < source.blob.size:
        if source.blob.read(offset, 8) == SIGNATURE:
            return offset
        offset = offset * 2 or 512
    return -1


def read(source: Source) -> Iterator[Fact]:
    """Give the facts of an HDF5 file: attributes as settings and members, links, external storage, hidden pickles."""
    from toadstone.readers.hdf5.traverse import traverse  # noqa: PLC0415  (only for files that are HDF5)

    start = superblock_at(source)
    if start >= 0:
        yield from traverse(source, start)


READERS = (
    Reader(kind="hdf5", read=read, heads=(SIGNATURE,), claims=lambda source: superblock_at(source) > 0, always=True, rank=20),
)
