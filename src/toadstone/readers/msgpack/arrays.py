"""Arrays in MessagePack: Flax's extensions, and the mappings of msgpack_numpy and srsly."""

from __future__ import annotations

import re
from typing import Any

from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.msgpack.tokens import events
from toadstone.readers.outline import BYTES, Node, Outline, Row, Span, StructureError

_NDARRAY, _SCALAR = 1, 3
_NAME = re.compile(r"(?:u?int|float|complex|bfloat)(\d{1,3})")
_SHORT = {"bool": 1, "int4": 1, "uint4": 1, "int2": 1, "uint2": 1, "bool_": 1}
_TYPE = re.compile(r"[<>|=]?([biufcSVUmM?])(\d{0,4})(?:\[\w+\])?")
_DIMENSIONS = 64

Problem = tuple[str, str]
"""Kind of the anomaly, and what is wrong."""


def extension_problem(span: Span) -> Problem | None:
    """Say what is wrong with an array in Flax's form: shape, name of the dtype, bytes. Other extensions are not judged."""
    if span.kind not in (_NDARRAY, _SCALAR):
        return None
    outline = Outline(lambda _path, _value: None, lambda: 0)
    cursor = Cursor(span.blob, span.offset, span.offset + span.size, step=256)
    try:
        for event in events(cursor):
            outline.feed(*event)
    except (StructureError, ShortError):
        return None  # another program's extension
    parts = outline.root
    if not isinstance(parts, Row) or len(parts) != 3 or not isinstance(parts[0], Row) or not isinstance(parts[1], str):
        return None
    shape, name, data = parts
    if name in ("object", "object_", "O"):
        return "forged-header", "has the dtype object, which cannot be made from bytes"
    width = _SHORT.get(name) or (1 if name.startswith("float8_") else 0)
    if found := _NAME.fullmatch(name):
        width = int(found[1]) // 8
    return _mismatch(shape, width, data.size if isinstance(data, Span) and data.kind == BYTES else -1, name)


def is_array(node: Node) -> bool:
    """Whether a mapping is an array or a scalar of NumPy."""
    return (b"nd" in node or "nd" in node) and (b"data" in node or "data" in node)


def unpickles(node: Node) -> bool:
    """Whether msgpack_numpy hands the data of an array to `pickle.loads`."""
    kind = node.get(b"kind", node.get("kind"))
    return _raw(kind) == b"O" and node.get(b"nd", node.get("nd")) is True


def array_problem(node: Node, data: Any) -> Problem | None:  # noqa: ANN401  (a parsed value)
    """Say what is wrong with an array in the form of a mapping."""
    descriptor = node.get(b"type", node.get("type"))
    name = _raw(descriptor).decode("utf-8", "replace") if isinstance(descriptor, (str, bytes, Span)) else ""
    found = _TYPE.fullmatch(name)
    size = data.size if isinstance(data, Span) else len(data) if isinstance(data, (str, bytes)) else -1
    if found is None:
        return ("forged-header", "has the dtype object, which cannot be made from bytes") if name.endswith("O") else None
    width = int(found[2] or 1) * (4 if found[1] == "U" else 1)
    shape = node.get(b"shape", node.get("shape", [] if node.get(b"nd", node.get("nd")) is False else None))
    return _mismatch(shape, width, size, name)


def _raw(value: Any) -> bytes:  # noqa: ANN401
    if isinstance(value, Span):
        return value.blob.read(value.offset, min(value.size, 256))
    return value.encode("utf-8", "replace") if isinstance(value, str) else value if isinstance(value, bytes) else b""


def _mismatch(shape: Any, width: int, size: int, name: str) -> Problem | None:  # noqa: ANN401
    """Compare a shape and the width of an item with the bytes that are there; nothing is said of what is not known."""
    if not isinstance(shape, list) or len(shape) > _DIMENSIONS or width <= 0 or size < 0:
        return None
    needed = width
    for item in shape:
        if type(item) is not int or item < 0:
            return "tensor-bounds", f"has the shape {str(list(shape))[:80]}"
        needed *= item
    if needed != size:
        return "tensor-bounds", f"is {name} of shape {str(list(shape))[:80]} and needs {needed:,} bytes; {size:,} are there"
    return None
