"""Core ML: model specifications (``.mlmodel``) and the weight files of packages (``.mlpackage``).

Custom layers and custom models name a class that the application must have; linked models and weights name files. The manifest of
a package is read with the other configurations. Source: the protobuf specification of coremltools 9 and its ``MILBlob`` storage.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.protobuf import LENGTH, VARINT, WireError, fields
from toadstone.readers.reader import Reader, Source

_LOOKED_AT = 64


def claims(source: Source) -> bool:
    """Whether it is a ``Model``: a version, a description, and one of the kinds of models."""
    if source.head(1) != b"\x08":
        return False
    cursor = Cursor(source.blob, step=512)
    described = kind = False
    try:
        for count, field in enumerate(fields(cursor, source.blob.size)):
            if field.number == 1:
                if field.wire != VARINT or not 0 < field.value <= 64:
                    return False
            elif field.number == 10:
                if field.wire != VARINT:
                    return False
            elif field.wire != LENGTH or not (field.number == 2 or 200 <= field.number <= 3000):
                return False
            described = described or field.number == 2
            kind = kind or field.number >= 200
            if count > _LOOKED_AT or (source.suffix == ".mlmodel" and kind and described):
                break
    except (WireError, ShortError):
        return False
    return kind and (described or source.suffix == ".mlmodel")


def read(source: Source) -> Iterator[Fact]:
    """Read a specification."""
    from toadstone.readers.coreml.model import Model  # noqa: PLC0415  (not at start-up)
    from toadstone.readers.flood import thinned  # noqa: PLC0415

    yield from thinned(source, Model(source).read())


def claims_weights(source: Source) -> bool:
    """Whether a weight storage of version 2 begins here: its header is zero but for two numbers, a marked entry follows."""
    head = source.head(72)
    count = int.from_bytes(head[:4], "little")
    return 0 < count < 1 << 24 and head[4:64] == b"\x02" + bytes(59) and head[64:68] == b"\xef\xbe\xad\xde"


def read_weights(source: Source) -> Iterator[Fact]:
    """Walk the entries of a weight storage; each says where its data lie."""
    count = int.from_bytes(source.head(4), "little")
    source.coverage.read(0, 64)
    position = 64
    for _ in range(count):
        source.budget.spend_steps(8)
        entry = source.blob.read(position, 64)
        if len(entry) < 64 or entry[:4] != b"\xef\xbe\xad\xde":
            yield source.unread(f"no entry stands at {position:,}", position)
            return
        size, offset = int.from_bytes(entry[8:16], "little"), int.from_bytes(entry[16:24], "little")
        source.coverage.read(position, position + 64)
        if offset < position + 64 or offset + size > source.blob.size:
            detail = f"the data of an entry, {size:,} bytes at {offset:,}, lie outside the file or over other entries"
            yield source.anomaly("tensor-bounds", detail, position)
            return
        source.coverage.inert(offset, offset + size)
        position = (offset + size + 63) // 64 * 64
        if not source.blob.read(offset + size, position - offset - size).strip(b"\0"):
            source.coverage.inert(offset + size, position)


READERS = (
    Reader(kind="coreml", read=read, marks=((0, b"\x08"),), claims=claims, rank=40),
    Reader(kind="coreml-weights", read=read_weights, marks=((64, b"\xef\xbe\xad\xde"),), claims=claims_weights, rank=40),
)
