"""ONNX: a computation graph as one protobuf message, with tensors inside it or in files next to it.

Source: ``onnx.proto`` up to IR version 14 and ``docs/ExternalData.md``. Operators outside the standard sets need host code;
external data is a path that the loader opens (CVE-2022-25882, CVE-2024-27318, CVE-2025-51480, CVE-2026-27489).
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.flood import thinned
from toadstone.readers.onnx.external import data_claims, data_read
from toadstone.readers.onnx.model import Model
from toadstone.readers.onnx.schema import SCHEMA
from toadstone.readers.protobuf import LENGTH, VARINT, WireError, fields, text
from toadstone.readers.reader import Reader, Source

_LOOKED_AT = 4096
"""Top-level fields that `claims` looks at."""


def claims(source: Source) -> bool:
    """Whether it is a ``ModelProto``.

    A protobuf has no magic number. A file named ``.onnx`` only needs a graph among its fields, in any order and between
    unknown ones, as loaders accept it; under any other name the version comes first, every field is known and of the right
    type, and the message fills the file to its end.
    """
    named = source.suffix == ".onnx"
    if not named and source.head(1) != b"\x08":
        return False
    cursor = Cursor(source.blob, step=512)
    version = graph = False
    try:
        for count, field in enumerate(fields(cursor, source.blob.size)):
            name, kind = SCHEMA["ModelProto"].get(field.number, ("", ""))
            strange = field.wire != (VARINT if kind == "int" else LENGTH) or (kind == "text" and "\0" in text(cursor, field, 256))
            if not named and (strange or not name or count > _LOOKED_AT):
                return False
            version = version or (name == "ir_version" and 1 <= field.value <= 64)
            graph = graph or (name == "graph" and _graph(source, field.value, field.stop))
            if named and graph:
                return True
    except (WireError, ShortError):
        return False
    return version and graph


def _graph(source: Source, start: int, stop: int) -> bool:
    """Whether the first field of a message is one of a ``GraphProto``."""
    try:
        first = next(fields(Cursor(source.blob, start, stop, step=512), stop), None)
    except (WireError, ShortError):
        return False
    return first is not None and first.number in SCHEMA["GraphProto"] and first.wire == LENGTH


def read(source: Source) -> Iterator[Fact]:
    """Read the whole model."""
    yield from thinned(source, Model(source).read())


READERS = (
    Reader(kind="onnx", read=read, suffixes=(".onnx",), marks=((0, b"\x08"),), claims=claims, rank=40),
    Reader(kind="onnx-data", read=data_read, suffixes=(".data", ".onnx_data", ".bin", ".weights"), claims=data_claims, rank=85),
)
