"""Arrays in folders: chunks of Zarr version 2, and TensorStore's OCDBT databases, in which Orbax keeps checkpoints.

Sources: the Zarr specification, version 2; "Optionally-Cooperative Distributed B+tree format" of TensorStore's documentation.
A chunk is payload when it unpacks to exactly what ``.zarray`` next to it declares. Data files of a database are payload where a
node describes them or whole zstd frames stand; every node is checked against its CRC-32C. Values that are not compressed and
whose node is in another file are left unread: files further up are not opened. Chunks whose metadata name the filter
``pickle`` are read as what they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.core.regex import regex
from toadstone.readers.reader import Reader, Source

_CHUNK = regex(r"\d{1,12}(?:\.\d{1,12}){0,31}")
_DATA = regex(r"[0-9a-f]{32}")


def _claims_chunk(source: Source) -> bool:
    base = source.name.rsplit("/", 1)[-1]
    if source.depth or not base[:1].isdecimal() or not _CHUNK.fullmatch(base):
        return False
    metadata = source.sibling(".zarray")
    if metadata is None:
        return False
    metadata.close()
    return True


def _read_chunk(source: Source) -> Iterator[Fact]:
    """Unpack a chunk to see that it is what the metadata next to it say."""
    from toadstone.readers.zarr.chunk import read  # noqa: PLC0415  (start-up time)

    yield from read(source)


def _claims_data(source: Source) -> bool:
    """Whether a file stands in a folder ``d`` under the name of a digest, as data files of a database do."""
    path = source.place.path.rsplit("/", 2)
    return not source.depth and len(path) == 3 and path[1] == "d" and _DATA.fullmatch(path[2]) is not None


def _read_ocdbt(source: Source) -> Iterator[Fact]:
    """Check every node, hand on the texts in it, and account for the values."""
    from toadstone.readers.zarr.ocdbt import read  # noqa: PLC0415  (start-up time)

    yield from read(source)


READERS = (
    Reader(kind="zarr-chunk", read=_read_chunk, claims=_claims_chunk, always=True, rank=5),
    Reader(
        kind="ocdbt",
        read=_read_ocdbt,
        heads=(b"\x0c\xdb\x3a\x2a", b"\x0c\xdb\x20\xde", b"\x0c\xdb\x12\x34"),
        claims=_claims_data,
        always=True,
        rank=5,
    ),
)
