"""Hand-made files of the formats without code, and how the tests look at them."""

import io
import json
import random
import struct
import zipfile
import zlib
from typing import Any

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Anomaly, Fact, Unread
from toadstone.core.place import Place
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk

PICKLE = b"\x80\x04cposix\nsystem\n\x8c\x04echo\x85R."


class Look:
    """The facts of one file."""

    def __init__(self, data: bytes, name: str, siblings: dict[str, bytes] | None = None) -> None:
        found = siblings or {}
        self.source = Source(
            BytesBlob(data),
            name,
            Place(name),
            Budget.of(len(data)),
            sibling=lambda other: BytesBlob(found[other]) if other in found else None,
        )
        self.facts = list(walk(self.source))
        self.kind = self.source.notes["kind"]

    def of(self, kind: type[Fact]) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    @property
    def unread(self) -> list[str]:
        return [fact.reason for fact in self.of(Unread)]

    @property
    def anomalies(self) -> list[str]:
        return [fact.kind for fact in self.of(Anomaly)]


def look(data: bytes, name: str, siblings: dict[str, bytes] | None = None) -> Look:
    return Look(data, name, siblings)


def assert_total(data: bytes, name: str, flips: int = 200) -> None:
    """Cut the file at every offset and change bytes at random: nothing may crash, and the same bytes give the same facts."""
    variants = [data[:size] for size in range(0, len(data), max(1, len(data) // 400))]
    chance = random.Random(len(data))
    for _ in range(flips):
        changed = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 4))):
            changed[chance.randrange(len(changed))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        variants.append(bytes(changed))
    for variant in variants:
        reasons = look(variant, name).unread
        assert not [reason for reason in reasons if "internal error" in reason], reasons


def safetensors(header: object, data: bytes = b"", raw: bytes | None = None) -> bytes:
    text = raw if raw is not None else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(shape: list[int], start: int, stop: int, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


def gguf_text(value: str, order: str = "<") -> bytes:
    raw = value.encode()
    return struct.pack(order + "Q", len(raw)) + raw


def gguf_pair(key: str, kind: int, payload: bytes, order: str = "<") -> bytes:
    return gguf_text(key, order) + struct.pack(order + "I", kind) + payload


def gguf_tensor(name: str, shape: list[int], kind: int, offset: int, order: str = "<") -> bytes:
    body = struct.pack(order + "I", len(shape)) + b"".join(struct.pack(order + "Q", size) for size in shape)
    return gguf_text(name, order) + body + struct.pack(order + "IQ", kind, offset)


def gguf(pairs: list[bytes], tensors: list[bytes], data: bytes = b"", order: str = "<", alignment: int = 32) -> bytes:
    head = b"GGUF" + struct.pack(order + "IQQ", 3, len(tensors), len(pairs)) + b"".join(pairs) + b"".join(tensors)
    return head + b"\0" * (-len(head) % alignment) + data


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, value: bytes | str | float) -> bytes:
    """Write one protobuf field: integers as varints, floats as 32 bits, everything else with its length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def onnx_node(op: str, domain: str = "", *attributes: bytes, name: str = "n") -> bytes:
    body = field(1, "X") + field(2, "Y") + field(3, name) + field(4, op) + b"".join(field(5, item) for item in attributes)
    return body + (field(7, domain) if domain else b"")


def onnx_entry(key: str, value: str) -> bytes:
    return field(1, key) + field(2, value)


def onnx_external(**entries: str) -> bytes:
    return (
        field(1, 4)
        + field(2, 1)
        + field(8, "w")
        + b"".join(field(13, onnx_entry(*item)) for item in entries.items())
        + field(14, 1)
    )


def onnx_model(*nodes: bytes, initializers: tuple[bytes, ...] = (), extra: bytes = b"", graph_extra: bytes = b"") -> bytes:
    graph = b"".join(field(1, node) for node in nodes) + field(2, "g") + b"".join(field(5, item) for item in initializers)
    return field(1, 8) + field(2, "tests") + field(7, graph + graph_extra) + extra + field(8, field(1, "") + field(2, 18))


def skops_file(root: dict[str, Any], members: dict[str, bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in (members or {}).items():
            archive.writestr(name, content)
        archive.writestr("schema.json", json.dumps({**root, "protocol": 2, "_skops_version": "0.16.0"}))
    return buffer.getvalue()


def skops_node(loader: str, module: str, name: str, **rest: Any) -> dict[str, Any]:
    return {"__class__": name, "__module__": module, "__loader__": loader, **rest}


def png(*extra: tuple[bytes, bytes]) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(b"\0\0")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*item) for item in chunks)


def elf(payload: bytes = b"\x90" * 32) -> bytes:
    header = struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x400000, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    program = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 120 + len(payload), 120 + len(payload), 4096)
    return b"\x7fELF\x02\x01\x01" + b"\0" * 9 + header + program + payload
