"""Model files of any size that exist only while they are read: real headers, and tensors that are one byte many times."""

from __future__ import annotations

import json
import pickle
import struct
import zlib

from tests.remotes.loopback import Content

FILL = 7
"""The byte that tensors are made of."""


def safetensors(size: int, tensors: int = 300) -> Content:
    """A shard with ``tensors`` float tensors of ``size`` bytes in all."""
    each = size // tensors // 4 * 4
    header = {
        f"model.layers.{number}.weight": {
            "dtype": "F32",
            "shape": [each // 4],
            "data_offsets": [number * each, (number + 1) * each],
        }
        for number in range(tensors)
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return Content(struct.pack("<Q", len(text)), text, (FILL, tensors * each))


def gguf(size: int, tensors: int = 300) -> Content:
    """GGUF version 3 with a vocabulary of 30,000 tokens."""
    each = size // tensors // 32 * 32

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    tokens = b"".join(text(f"token{number}") for number in range(30_000))
    pairs = [
        text("general.architecture") + struct.pack("<I", 8) + text("llama"),
        text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 30_000) + tokens,
    ]
    infos = [text(f"blk.{number}.weight") + struct.pack("<IQIQ", 1, each // 4, 0, number * each) for number in range(tensors)]
    head = b"GGUF" + struct.pack("<IQQ", 3, tensors, len(pairs)) + b"".join(pairs) + b"".join(infos)
    return Content(head + bytes(-len(head) % 32), (FILL, tensors * each))


def onnx(size: int, tensors: int = 300) -> Content:
    """A model whose initializers hold their data inside."""
    each = size // tensors // 4 * 4

    def field(number: int, payload: bytes) -> bytes:
        return _varint(number << 3 | 2) + _varint(len(payload)) + payload

    parts: list[bytes | tuple[int, int]] = []
    total = 0
    for number in range(tensors):
        tensor = b"\x08" + _varint(each // 4) + b"\x10\x01" + field(8, f"weight.{number}".encode()) + b"\x4a" + _varint(each)
        begun = b"\x2a" + _varint(len(tensor) + each) + tensor
        parts += [begun, (FILL, each)]
        total += len(begun) + each
    graph = field(2, b"graph")
    return Content(b"\x08\x08" + field(2, b"pytorch") + b"\x3a" + _varint(total + len(graph)), *parts, graph)


def npy(size: int) -> Content:
    """One array of floats."""
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({size // 4},), }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return Content(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head, (FILL, size // 4 * 4))


def torch_zip(size: int, tensors: int = 300) -> Content:
    """What ``torch.save`` writes for a state dictionary of float tensors."""
    each = size // tensors // 4 * 4
    members: list[tuple[str, bytes | tuple[int, int]]] = [
        ("archive/data.pkl", state_dict(tensors, each // 4)),
        ("archive/byteorder", b"little"),
    ]
    members += [(f"archive/data/{number}", (FILL, each)) for number in range(tensors)]
    members.append(("archive/version", b"3\n"))
    crc = _crc(each)
    parts: list[bytes | tuple[int, int]] = []
    directory = b""
    at = 0
    for name, content in members:
        length, check = (len(content), zlib.crc32(content)) if isinstance(content, bytes) else (content[1], crc)
        padding = -(at + 30 + len(name) + 4) % 64
        extra = b"FB" + struct.pack("<H", padding) + b"Z" * padding
        common = struct.pack("<HHHHHIIIHH", 0, 0, 0, 0, 0, check, length, length, len(name), len(extra))
        local = b"PK\x03\x04" + common + name.encode() + extra
        central = struct.pack("<HHHHHHIIIHHHHHII", 0, 0, 0, 0, 0, 0, check, length, length, len(name), 0, 0, 0, 0, 0, at)
        directory += b"PK\x01\x02" + central + name.encode()
        parts += [local, content]
        at += len(local) + length
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), at, 0)
    return Content(*parts, directory, end)


def state_dict(tensors: int, length: int) -> bytes:
    """The pickle of such a dictionary, written opcode by opcode: the library that makes them is not needed."""
    stream = b"\x80\x02}q\x00("
    for number in range(tensors):
        name, key = f"layers.{number}.weight", str(number)
        stream += b"X" + struct.pack("<I", len(name)) + name.encode()
        stream += b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
        stream += b"X" + struct.pack("<I", len(key)) + key.encode() + b"X\x03\x00\x00\x00cpu"
        stream += _integer(length) + b"tQK\x00" + _integer(length) + b"\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR"
    return stream + b"u."


def _integer(value: int) -> bytes:
    return pickle.dumps(value, 2)[2:-1]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _crc(size: int) -> int:
    crc, piece = 0, bytes([FILL]) * (1 << 20)
    while size > 0:
        crc = zlib.crc32(piece[: min(size, 1 << 20)], crc)
        size -= 1 << 20
    return crc
