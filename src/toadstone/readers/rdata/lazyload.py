"""Databases of R packages (``.rdb``): serialized objects one after the other, each with its size and compressed by itself.

Source: ``lazyLoadDBinsertValue`` and ``R_decompress1`` to ``R_decompress3`` in ``src/main/serialize.c`` of R 4. The index with
their places is another file (``.rdx``), which is a compressed object of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.blob import Blob
from toadstone.core.fact import Fact
from toadstone.readers.reader import Source
from toadstone.readers.unpack import Maker, Outcome, Stream, bzip2, collect, lzma2, zlib_stream

_SIZE = 4
_MAKERS: dict[bytes, Maker] = {b"2": bzip2, b"Z": lzma2}


def first_is_object(source: Source) -> bool:
    """Whether the file begins with an object: it unpacks to serialized data."""
    for _, _, blob in _records(source):
        return blob is not None and blob.read(0, 2) in (b"X\n", b"A\n", b"B\n")
    return False


def read(source: Source) -> Iterator[Fact]:
    """Hand on every object; what is none stays unclaimed."""
    end = 0
    for start, stop, blob in _records(source):
        if blob is None:
            return
        yield source.member(f"@{start}", blob, "rdata-part")
        source.coverage.read(end, stop)
        end = stop


def _records(source: Source) -> Iterator[tuple[int, int, Blob | None]]:
    """Yield where each object stands, and what it unpacks to; None where none stands."""
    start = 0
    while start + _SIZE < source.blob.size:
        head = source.blob.read(start, _SIZE + 2)
        size, kind = int.from_bytes(head[:_SIZE], "big"), head[_SIZE : _SIZE + 1]
        source.budget.spend_steps(64)
        if kind == b"0":
            yield start, start + _SIZE + 1 + size, source.blob.window(start + _SIZE + 1, size)
            start += _SIZE + 1 + size
            continue
        maker = _MAKERS.get(kind)
        begin = start + _SIZE + (maker is not None)
        stream = Stream(maker or zlib_stream, source.blob, begin, source.blob.size, source.budget)
        blob = collect(iter(stream))
        if stream.outcome is not Outcome.ENDED or stream.produced != size:
            yield start, start, None
            return
        yield start, begin + stream.consumed, blob
        start = begin + stream.consumed
