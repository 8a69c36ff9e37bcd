"""Models of TensorFlow Lite: a small writer of FlatBuffers, and the tables of the schema that the cases need."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Table:
    """A table: field number to a number (``struct`` code, value) or to what it refers to."""

    fields: dict[int, object] = field(default_factory=dict)


def _pad(out: bytearray, width: int) -> None:
    out += bytes(-len(out) % width)


def _write(out: bytearray, item: object) -> int:
    """Append an object and what it refers to; give its offset."""
    if isinstance(item, bytes):
        _pad(out, 16)
        out += bytes(12) + struct.pack("<I", len(item))
        start = len(out) - 4
        out += item + b"\0"
        return start
    if isinstance(item, list):
        return _vector(out, item)
    assert isinstance(item, Table)
    count = max(item.fields, default=-1) + 1
    _pad(out, 8)
    at = len(out)
    out += bytes(4 + 2 * count)
    _pad(out, 8)
    table = len(out)
    out += struct.pack("<i", table - at) + bytes(4)
    places: list[tuple[int, object]] = []
    for number, value in sorted(item.fields.items()):
        code, plain = value if isinstance(value, tuple) else ("I", 0)
        _pad(out, 8)
        struct.pack_into("<H", out, at + 4 + 2 * number, len(out) - table)
        if not isinstance(value, tuple):
            places.append((len(out), value))
        out += struct.pack("<" + code, plain)
    _pad(out, 8)
    struct.pack_into("<HH", out, at, 4 + 2 * count, len(out) - table)
    for place, value in places:
        struct.pack_into("<I", out, place, _write(out, value) - place)
    return table


def _vector(out: bytearray, items: Sequence[object]) -> int:
    _pad(out, 4)
    start = len(out)
    out += struct.pack("<I", len(items))
    if items and isinstance(items[0], int):
        out += struct.pack(f"<{len(items)}i", *items)
        return start
    places = [len(out) + 4 * index for index in range(len(items))]
    out += bytes(4 * len(items))
    for place, item in zip(places, items, strict=True):
        struct.pack_into("<I", out, place, _write(out, item) - place)
    return start


def flat(root: Table, identifier: bytes = b"TFL3") -> bytes:
    """A whole buffer."""
    out = bytearray(bytes(4) + identifier)
    struct.pack_into("<I", out, 0, _write(out, root))
    return bytes(out)


def strings(*texts: str) -> bytes:
    """A tensor of texts as TensorFlow Lite stores it."""
    raw = [text.encode() for text in texts]
    offsets = [8 + 4 * len(raw)]
    for text in raw:
        offsets.append(offsets[-1] + len(text))
    return struct.pack(f"<{len(raw) + 2}i", len(raw), *offsets) + b"".join(raw)


def flex_options(op: str, node: bytes) -> bytes:
    """The options of a Flex operator: a FlexBuffer with the operator's name and its node."""
    out = bytearray()
    places = []
    for text in (op.encode(), node):
        out += struct.pack("<H", len(text))
        places.append(len(out))
        out += text + b"\0"
        _pad(out, 2)
    out += struct.pack("<H", 2)
    start = len(out)
    for place in places:
        out += struct.pack("<H", len(out) - place)
    out += bytes([5 << 2 | 1, 5 << 2 | 1])
    _pad(out, 2)
    out += struct.pack("<H", len(out) - start)
    return bytes(out) + bytes([10 << 2 | 1, 2])


def model(
    *operators: tuple[str, bytes, tuple[bytes, ...]],
    metadata: Sequence[tuple[str, bytes]] = (),
    more: dict[int, object] | None = None,
) -> bytes:
    """A model: for each operator its custom code (empty: ADD), its options, and its constant inputs (tensors of texts)."""
    buffers: list[Table] = [Table()]
    tensors: list[Table] = [Table({0: [4], 1: ("b", 0), 2: ("I", 0), 3: b"input"})]
    codes: list[Table] = []
    nodes: list[Table] = []
    for code, options, constants in operators:
        codes.append(Table({0: ("b", 32), 1: code.encode(), 3: ("i", 32)} if code else {0: ("b", 0), 3: ("i", 0)}))
        inputs = [0]
        if constants:
            inputs = []
        for constant in constants:
            buffers.append(Table({0: constant}))
            inputs.append(len(tensors))
            tensors.append(Table({0: [1], 1: ("b", 5), 2: ("I", len(buffers) - 1), 3: b"constant"}))
        fields: dict[int, object] = {0: ("I", len(codes) - 1), 1: inputs, 2: [0]}
        if options:
            fields[5] = options
        nodes.append(Table(fields))
    entries = []
    for name, content in metadata:
        buffers.append(Table({0: content}))
        entries.append(Table({0: name.encode(), 1: ("I", len(buffers) - 1)}))
    root: dict[int, object] = {0: ("I", 3), 1: codes, 2: [Table({0: tensors, 1: [0], 2: [0], 3: nodes, 4: b"main"})]}
    root |= {3: b"toad", 4: buffers, 6: entries} if entries else {3: b"toad", 4: buffers}
    return flat(Table(root | (more or {})))
