"""Checkpoints of TensorFlow: an index (a sorted table of LevelDB) and data files with the bytes of the tensors.

Source: ``tensorflow/core/util/tensor_bundle``, and LevelDB's ``doc/table_format.md``. TensorFlow writes the blocks of the index
without compression.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from toadstone.core.blob import BytesBlob
from toadstone.core.fact import Fact
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.messages import Found, Reading, last, table
from toadstone.readers.pickle import carve
from toadstone.readers.protobuf import WireError, varint
from toadstone.readers.reader import Source
from toadstone.readers.tensorflow.model import MESSAGES

_FOOTER = 48
_TRAILER = 5
"""A byte for the compression and a checksum follow every block."""

_BLOCKS = 1 << 16
_BLOCK = 16 << 20
_ENTRIES = 1 << 20
_KEY = 1 << 12
_NAME = re.compile(r"(.+)\.data-(\d{5})-of-(\d{5})", re.DOTALL)
_KEPT = {"BundleEntryProto": frozenset({"dtype", "shard_id", "offset", "size"})}


class TableError(ValueError):
    """The index cannot be followed."""


class Tensor(NamedTuple):
    """Where a tensor lies."""

    name: str
    shard: int
    offset: int
    size: int


def index(source: Source) -> Iterator[Fact]:
    """Account for every block of an index, and check what it says of the data files next to it."""
    try:
        tensors = entries(source, claim=True)
    except (TableError, ShortError, WireError) as error:
        yield source.unread(f"the index cannot be followed: {error}")
        return
    stem = source.name.removesuffix(".index")
    shards = {tensor.shard for tensor in tensors}
    for number in sorted(shards)[:64]:
        blob = None if source.depth else source.sibling(f"{stem}.data-{number:05d}-of-{len(shards):05d}")
        if blob is None:
            continue
        beyond = [tensor for tensor in tensors if tensor.shard == number and tensor.offset + tensor.size > blob.size]
        blob.close()
        for tensor in beyond[:16]:
            detail = (
                f"tensor {tensor.name[:200]!r} reaches to byte {tensor.offset + tensor.size:,}, behind the end of its data file"
            )
            yield source.anomaly("tensor-bounds", detail)


def shard(source: Source) -> Iterator[Fact]:
    """Claim what the index declares; inside an archive, where the index is out of reach, look for pickles instead."""
    found = _NAME.fullmatch(source.name.rpartition("/")[2])
    blob = source.sibling(f"{found[1]}.index") if found and not source.depth else None
    if found is None:
        return
    if blob is None:
        if source.depth:
            yield from carve(source, 0, source.blob.size)
            source.coverage.inert(0, source.blob.size)
        return
    inner = Source(blob, "index", source.place, source.budget)
    try:
        tensors = entries(inner, claim=False)
    except (TableError, ShortError, WireError):
        return  # an index that cannot be followed vouches for nothing
    finally:
        blob.close()
    for tensor in sorted(tensors, key=lambda tensor: tensor.offset):
        if tensor.shard == int(found[2]):
            source.coverage.inert(tensor.offset, tensor.offset + tensor.size)


def entries(source: Source, *, claim: bool) -> list[Tensor]:
    """List the tensors of an index, and claim its blocks.

    Raises:
        TableError: It is no table, or larger than any real one.
        ShortError: It ends too early.
        WireError: An entry is no message.
    """
    size = source.blob.size
    footer = Cursor(source.blob, max(size - _FOOTER, 0))
    handles = [varint(footer) for _ in range(4)]
    if claim:
        source.coverage.read(size - _FOOTER, size)
    block(source, handles[0], handles[1], claim=claim)  # the meta index: filters, which TensorFlow does not write
    tensors: list[Tensor] = []
    for count, (_, value) in enumerate(block(source, handles[2], handles[3], claim=claim)):
        if count >= _BLOCKS:
            raise TableError(f"more than {_BLOCKS:,} blocks")
        place = Cursor(BytesBlob(value))
        for key, entry in block(source, varint(place), varint(place), claim=claim):
            if key and (tensor := _tensor(source, key, entry)) is not None:
                tensors.append(tensor)
            if len(tensors) > _ENTRIES:
                raise TableError(f"more than {_ENTRIES:,} tensors")
    return tensors


def block(source: Source, offset: int, size: int, *, claim: bool) -> list[tuple[bytes, bytes]]:
    """Read the pairs of a block.

    Raises:
        TableError: It is compressed, or its counts make no sense.
        ShortError: It ends too early.
        WireError: A number in it is too long.
    """
    if size > _BLOCK or offset + size + _TRAILER > source.blob.size or size < 4:
        raise TableError(f"a block of {size:,} bytes at {offset:,}")
    raw = source.blob.read(offset, size + _TRAILER)
    if raw[size] != 0:
        raise TableError("a compressed block, which TensorFlow does not write")
    restarts = int.from_bytes(raw[size - 4 : size], "little")
    stop = size - 4 - 4 * restarts
    if stop < 0:
        raise TableError("more restart points than bytes")
    source.budget.spend_steps(size // 8 + 16)
    cursor, key, pairs = Cursor(BytesBlob(raw), 0, stop), b"", []
    while cursor.left:
        shared, more, length = varint(cursor), varint(cursor), varint(cursor)
        if shared > len(key) or shared + more > _KEY:
            raise TableError("a name that is longer than any real one")
        key = key[:shared] + cursor.take(more)
        pairs.append((key, cursor.take(length) if length <= _BLOCK else b""))
    if claim:
        source.coverage.read(offset, offset + size + _TRAILER)
    return pairs


def _tensor(source: Source, key: bytes, entry: bytes) -> Tensor | None:
    kept: list[Found] = []

    def one(_kind: str, found: Found, _start: int) -> Iterator[Fact]:
        kept.append(found)
        return iter(())

    inner = Source(BytesBlob(entry), "entry", source.place, source.budget)
    reading = Reading(inner, table(MESSAGES), _KEPT)
    reading.finished = one
    for _ in reading.run("BundleEntryProto"):
        pass
    if not kept:
        return None
    number = {name: int(last(kept[0], name) or 0) for name in ("shard_id", "offset", "size")}
    return Tensor(key.decode("utf-8", "replace"), number["shard_id"], number["offset"], number["size"])
