"""Torch7, MXNet, TensorRT, and a pickle that writes into a tensor; written by hand after the formats, benign twins included."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.hosts import EVIL

_LUA = b"\x1bLuaQ\0\1\4\x08\4\x08\0"


def _text(value: bytes) -> bytes:
    return struct.pack("<ii", 2, len(value)) + value


def _table(index: int, *objects: bytes) -> bytes:
    return struct.pack("<iii", 3, index, len(objects) // 2) + b"".join(objects)


def _thing(index: int, name: bytes) -> bytes:
    return struct.pack("<iii", 4, index, 3) + b"V 1" + struct.pack("<i", len(name)) + name


def _tensor(index: int, side: int) -> bytes:
    head = _thing(index, b"torch.FloatTensor") + struct.pack("<i5q", 2, side, side, side, 1, 1)
    return head + _thing(index + 1, b"torch.FloatStorage") + struct.pack("<q", side * side) + bytes(4 * side * side)


def _function(*constants: bytes) -> bytes:
    code = _LUA + b"".join(b"\4" + struct.pack("<q", len(one) + 1) + one + b"\0" for one in constants)
    return struct.pack("<iii", 8, 90, len(code)) + code + struct.pack("<i", 0)


def _torch7() -> Iterator[Case]:
    network = _thing(1, b"nn.Linear") + _table(2, _text(b"weight"), _tensor(3, 3), _text(b"train"), struct.pack("<ii", 5, 1))
    yield Case("torch7/benign.t7", network, "torch7-benign", "benign", payload=False)
    for name, constants in {
        "execute": (b"os", b"execute", b"echo toadstone"),
        "popen": (b"io", b"popen", b"echo toadstone"),
        "loadstring": (b"loadstring", b"return 1"),
        "ffi": (b"require", b"ffi", b"cdef", b"int system(const char *);"),
    }.items():
        content = _table(1, _text(b"forward"), _function(*constants), _text(b"weight"), _tensor(2, 2))
        yield Case(f"torch7/{name}.t7", content, f"torch7-function-{name}")
    yield Case("torch7/trailing.t7", network + EVIL, "torch7-trailing-pickle")


def _array(*shape: int) -> bytes:
    count = 1
    for side in shape:
        count *= side
    head = struct.pack("<Ii", 0xF993FAC9, 0) + struct.pack(f"<i{len(shape)}q", len(shape), *shape)
    return head + struct.pack("<iii", 1, 0, 0) + bytes(4 * count)


def _mxnet() -> Iterator[Case]:
    names = b"".join(struct.pack("<Q", len(name)) + name for name in (b"arg:weight", b"aux:mean"))
    whole = struct.pack("<QQQ", 0x112, 0, 2) + _array(3, 4) + _array(4) + struct.pack("<Q", 2) + names
    yield Case("mxnet/benign-0001.params", whole, "mxnet-benign", "benign", payload=False)
    yield Case("mxnet/trailing-0001.params", whole + EVIL, "mxnet-trailing-pickle")


def _library(machine: int) -> bytes:
    return b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHI", 3, machine, 1) + bytes(40)


def _tensorrt() -> Iterator[Case]:
    engine = b"ftrt" + struct.pack("<II", 0x60, 0) + bytes(64) + _library(190)
    yield Case("tensorrt/host-library.engine", engine + _library(62), "tensorrt-host-library")
    yield Case("tensorrt/pickle.engine", engine + EVIL, "tensorrt-pickle")


def cases() -> Iterator[Case]:
    """Every case of this module."""
    yield from _torch7()
    yield from _mxnet()
    yield from _tensorrt()
    tensor = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)RX\x01\x00\x00\x00kK\x01s."
    yield Case("tensor/setitem.pkl", tensor, "tensor-setitem", source="CVE-2026-24747")
