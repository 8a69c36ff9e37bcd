"""One chunk of an array of Zarr version 2."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from toadstone.core.fact import Fact
from toadstone.readers.bounded_json import JsonError, parse
from toadstone.readers.reader import Source
from toadstone.readers.unpack import Maker, Outcome, Stream, bzip2, xz, zlib_stream, zstd

_METADATA = 1 << 20
_TYPE = re.compile(r"[<>|][biufcmMSUV](\d{1,6})(?:\[\w+\])?")
_MAKERS: dict[str, Maker] = {"zstd": zstd, "zlib": zlib_stream, "bz2": bzip2, "lzma": xz}
_BLOSC = 16


def read(source: Source) -> Iterator[Fact]:
    """Claim a chunk that is exactly what the metadata say; anything else is left to the other readers."""
    blob = source.sibling(".zarray")
    if blob is None:
        return
    try:
        described = parse(blob.read(0, _METADATA)).root
    except JsonError:
        return
    finally:
        blob.close()
    size = _size(described)
    if size > 0 and _is_chunk(source, described.get("compressor"), size):
        source.coverage.inert(0, source.blob.size)
        source.notes.setdefault("kind", "zarr-chunk")
    yield from ()


def _size(described: Any) -> int:  # noqa: ANN401  (a parsed document)
    """Compute the bytes of an unpacked chunk; -1 if they are not plain numbers."""
    if not isinstance(described, dict) or described.get("filters"):
        return -1
    found = _TYPE.fullmatch(str(described.get("dtype")))
    chunks = described.get("chunks")
    if found is None or not isinstance(chunks, list) or any(type(item) is not int or item < 1 for item in chunks):
        return -1
    size = int(found[1]) * (4 if "U" in found[0] else 1)
    for item in chunks:
        size *= item
    return size if size < 1 << 40 else -1


def _is_chunk(source: Source, compressor: Any, size: int) -> bool:  # noqa: ANN401  (a parsed value)
    if compressor is None:
        return size == source.blob.size
    name = compressor.get("id") if isinstance(compressor, dict) else None
    if name == "blosc":
        head = source.blob.read(0, _BLOSC)
        stated = (int.from_bytes(head[4:8], "little"), int.from_bytes(head[12:16], "little"))
        return len(head) == _BLOSC and head[0] == 2 and stated == (size, source.blob.size)
    maker = _MAKERS.get(str(name))
    if maker is None:
        return False
    stream = Stream(maker, source.blob, 0, source.blob.size, source.budget)
    for _ in stream:
        if stream.produced > size:
            return False
    return stream.outcome is Outcome.ENDED and stream.produced == size and stream.consumed == source.blob.size
