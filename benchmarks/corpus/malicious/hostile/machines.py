# ruff: noqa: ANN401 - h5py has no type information
"""Pickle, marshal and binary headers that ask a reader for time, memory or depth it must refuse."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import h5py  # type: ignore[import-untyped]
import numpy as np

from benchmarks.corpus.malicious.asm import (
    DUP,
    EMPTY_LIST,
    EMPTY_TUPLE,
    MARK,
    MEMOIZE,
    NONE,
    POP,
    STOP,
    TUPLE1,
    TUPLE2,
    C,
    Encoder,
    frame,
    proto,
)
from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.containers.zips import plain
from benchmarks.corpus.malicious.formats.tensors import attribute, field, graph, node, onnx
from benchmarks.corpus.malicious.hosts import EVIL, npy
from benchmarks.corpus.malicious.payloads import CODE, COMMAND

P4 = proto(4)
_CALL = Encoder(4, memo=False).encode(C("os:system", COMMAND))


def _pickles() -> Iterator[Case]:
    nested = EVIL
    for _ in range(400):
        nested = Encoder(4).dumps(C("pickle:loads", nested))
    staged = CODE.encode()
    for _ in range(30):
        staged = base64.b64encode(staged)
    unwrap: object = staged
    for _ in range(30):
        unwrap = C("base64:b64decode", unwrap)
    streams: dict[str, tuple[bytes, str]] = {
        "memo-index-max": (P4 + NONE + b"r\xff\xff\xff\xff" + _CALL + STOP, "memo-index"),
        "memo-index-text-huge": (b"Np" + b"9" * 18 + b"\n0" + _CALL + STOP, "memo-index"),
        "memo-index-text-digits": (b"Np" + b"9" * 200_000 + b"\n0" + _CALL + STOP, "memo-index"),
        "memo-growth": (P4 + NONE + MEMOIZE * 3_000_000 + _CALL + STOP, "memo-growth"),
        "mark-depth": (P4 + MARK * 3_000_000 + _CALL + STOP, "mark-depth"),
        "mark-list-depth": (P4 + MARK * 500_000 + b"l" * 500_000 + STOP, "nesting-depth"),
        "tuple-depth": (P4 + NONE + TUPLE1 * 2_000_000 + _CALL + STOP, "nesting-depth"),
        "list-depth": (P4 + EMPTY_LIST * 500_000 + b"a" * 499_999 + STOP, "nesting-depth"),
        "doubling-tuples": (P4 + b"\x8c\x03lol" + (DUP + TUPLE2) * 400 + TUPLE1 + _CALL + STOP, "doubling"),
        "doubling-memo-lists": (
            P4
            + EMPTY_LIST
            + MEMOIZE
            + b"".join(
                EMPTY_LIST + MEMOIZE + MARK + b"j" + struct.pack("<I", i) + b"j" + struct.pack("<I", i) + b"e" for i in range(300)
            )
            + TUPLE1
            + _CALL
            + STOP,
            "doubling",
        ),
        "doubling-arguments": (
            P4
            + Encoder(4, memo=False).encode("os.system")
            + (DUP + TUPLE2) * 60
            + b"\x8c\x08builtins\x8c\x04repr\x93"
            + POP
            + _CALL
            + STOP,
            "doubling",
        ),
        "doubling-as-argument": (
            P4 + b"\x8c\x08builtins\x8c\x04repr\x93" + b"\x8c\x03lol" + (DUP + TUPLE2) * 60 + TUPLE1 + b"R" + STOP,
            "doubling",
        ),
        "self-containing": (P4 + EMPTY_LIST + MEMOIZE + (b"h\x00a" * 100_000) + TUPLE1 + _CALL + STOP, "cycle"),
        "self-as-argument": (
            P4 + EMPTY_LIST + MEMOIZE + b"h\x00a" + b"\x8c\x02os\x8c\x06system\x93" + b"h\x00" + TUPLE1 + b"R" + STOP,
            "cycle",
        ),
        "string-length-lie": (P4 + _CALL + b"X\xff\xff\xff\x7f" + b"a" * 100, "length-lie"),
        "bytes8-length-lie": (P4 + _CALL + b"\x8e" + struct.pack("<Q", 1 << 62) + b"a", "length-lie"),
        "bytearray8-length-lie": (proto(5) + b"\x96" + struct.pack("<Q", 1 << 40) + b"a", "length-lie"),
        "long4-8m": (P4 + b"\x8b" + struct.pack("<I", 8 << 20) + b"\x7f" * (8 << 20) + POP + _CALL + STOP, "big-number"),
        "long-text-digits": (b"L" + b"9" * 3_000_000 + b"L\n0" + _CALL + STOP, "big-number"),
        "int-text-digits": (b"I" + b"1" * 3_000_000 + b"\n0" + _CALL + STOP, "big-number"),
        "float-text-digits": (b"F1." + b"3" * 3_000_000 + b"\n0" + _CALL + STOP, "big-number"),
        "line-without-end": (b"V" + b"a" * (16 << 20), "line-without-end"),
        "global-name-8m": (b"c" + b"m." * (4 << 20) + b"\nx\n" + _CALL + STOP, "line-without-end"),
        "proto-flood": (proto(4) * 2_000_000 + _CALL + STOP, "opcode-flood"),
        "pop-flood": (P4 + (NONE + POP) * 2_000_000 + _CALL + STOP, "opcode-flood"),
        "frame-flood": (P4 + frame(b"") * 400_000 + _CALL + STOP, "opcode-flood"),
        "global-flood": (P4 + b"".join(b"cos\nsystem\n0" for _ in range(200_000)) + STOP, "opcode-flood"),
        "call-flood": (
            P4 + b"\x8c\x02os\x8c\x06system\x93" + MEMOIZE + (b"0h\x00" + EMPTY_TUPLE + b"R") * 200_000 + STOP,
            "opcode-flood",
        ),
        "distinct-globals": (P4 + b"".join(b"cm%d\nf\n0" % i for i in range(200_000)) + _CALL + STOP, "opcode-flood"),
        "stream-flood": (b"N." * 500_000 + EVIL, "stream-flood"),
        "stream-flood-globals": (b"cos\ngetpid\n." * 100_000, "stream-flood"),
        "zero-gap-flood": (b"".join(b"N." + bytes(8) for _ in range(200_000)) + EVIL, "stream-flood"),
        "almost-pickles": (b"\x80\x04\x95" * 1_000_000, "false-starts"),
        "almost-pickles-text": (b"cos\nsystem\n(" * 300_000, "false-starts"),
        "nested-400": (nested, "nested-pickles"),
        "staged-30": (Encoder(4).dumps(C("builtins:exec", unwrap)), "staged-depth"),
        "zlib-stage-bomb": (_stage_bomb(), "staged-bomb"),
        "build-chain": (
            P4 + Encoder(4, memo=False).encode(C("types:SimpleNamespace")) + (b"}\x8c\x01aNsb") * 200_000 + _CALL + STOP,
            "opcode-flood",
        ),
        "str-multiply": (Encoder(4).dumps(C("operator:mul", "A" * 1000, 10**12)), "lazy-size"),
        "range-list": (Encoder(4).dumps(C("builtins:list", C("builtins:range", 10**12))), "lazy-size"),
        "str-replace-growth": (Encoder(4).dumps(C("builtins:exec", _growth())), "staged-bomb"),
        "format-width": (Encoder(4).dumps(C("builtins:str.format", "{:>10000000000}", "x")), "lazy-size"),
        "power": (Encoder(4).dumps(C("operator:pow", 10, 10**9)), "lazy-size"),
    }
    for name, (data, technique) in streams.items():
        yield Case(f"pickle-{name}.pkl", data, f"pickle-{technique}")


def _stage_bomb() -> bytes:
    data = zlib.compress(bytes(256 << 20), 9)
    return Encoder(4).dumps(C("builtins:exec", C("zlib:decompress", data)))


def _growth() -> object:
    value: object = "aa"
    for _ in range(60):
        value = C("builtins:str.replace", value, "a", "aa")
    return value


def _marshal() -> Iterator[Case]:
    depth = b"\xa9\x01" * 500_000 + b"N"
    refs = (
        b"("
        + struct.pack("<I", 60)
        + b"\xa9\x02NN"
        + b"".join(b"\xa9\x02" + (b"r" + struct.pack("<I", i)) * 2 for i in range(59))
    )
    items: dict[str, bytes] = {
        "depth": depth,
        "doubling-references": refs,
        "self-reference": b"\xdb\x01\x00\x00\x00r\x00\x00\x00\x00",
        "count-lie": b"(" + struct.pack("<I", 0x7FFFFFFF) + b"N",
        "string-length-lie": b"s" + struct.pack("<I", 0x7FFFFFFF) + b"a",
        "negative-length": b"s" + struct.pack("<i", -5),
        "big-number": b"l" + struct.pack("<i", 2_000_000) + b"\xff\x7f" * 2_000_000,
        "reference-out-of-range": b"r" + struct.pack("<I", 0xFFFFFFFF),
        "truncated-code": b"\xe3" + bytes(10),
        "dict-without-end": b"{" + b"N" * 1_000_000,
        "type-flood": b"(" + struct.pack("<I", 2_000_000) + b"N" * 2_000_000,
    }
    for name, data in items.items():
        yield Case(f"marshal-{name}.pkl", Encoder(4).dumps(C("marshal:loads", data)), f"marshal-{name}")
        code = {
            "class_name": "__lambda__",
            "config": {"code": base64.b64encode(data).decode(), "defaults": None, "closure": None},
        }
        layer = {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "l", "function": code}}
        model = {"module": "keras", "class_name": "Sequential", "config": {"name": "s", "layers": [layer]}}
        yield Case(
            f"marshal-{name}.keras",
            plain([("config.json", json.dumps(model).encode()), ("metadata.json", b"{}")]),
            f"marshal-{name}",
        )


def _headers() -> Iterator[Case]:
    top, u64 = (1 << 63) - 1, struct.Struct("<Q").pack
    key = u64(5) + b"a.b.c"
    gguf: dict[str, bytes] = {
        "pairs-max": b"GGUF" + struct.pack("<IQQ", 3, 0, top),
        "tensors-max": b"GGUF" + struct.pack("<IQQ", 3, top, 0),
        "string-max": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + key + struct.pack("<I", 8) + u64(top) + b"a",
        "array-max": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + key + struct.pack("<IIQ", 9, 4, top),
        "array-depth": b"GGUF"
        + struct.pack("<IQQ", 3, 0, 1)
        + key
        + struct.pack("<I", 9)
        + (struct.pack("<I", 9) + u64(1)) * 300_000,
        "key-max": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + u64(top),
        "dimensions-max": b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + key + struct.pack("<I", 0x7FFFFFFF),
        "shape-overflow": b"GGUF"
        + struct.pack("<IQQ", 3, 1, 0)
        + key
        + struct.pack("<IQQQQIQ", 4, top, top, top, top, 0, 0)
        + bytes(64),
        "alignment-zero": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + u64(17) + b"general.alignment" + struct.pack("<II", 4, 0),
        "type-unknown": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + key + struct.pack("<I", 99),
        "many-keys": b"GGUF" + struct.pack("<IQQ", 3, 0, 200_000) + (key + struct.pack("<II", 4, 1)) * 200_000,
        "many-strings": b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + key + struct.pack("<IIQ", 9, 8, 2_000_000) + u64(0) * 2_000_000,
        "big-endian": b"GGUF" + struct.pack(">IQQ", 3, 1, 1),
    }
    for name, data in gguf.items():
        yield Case(f"gguf-{name}.gguf", data, f"gguf-{name}")
    tensors: dict[str, bytes] = {
        "length-max": u64((1 << 64) - 1) + b"{}",
        "json-depth": u64(200_008) + b"[" * 200_008,
        "json-object-depth": u64(500_000) + b'{"a":' * 100_000,
        "spaces": u64(8 << 20) + b"{" + b" " * ((8 << 20) - 2) + b"}",
        "digits": u64(2_000_020) + b'{"w":{"shape":[' + b"9" * 2_000_000 + b"]}}" + b" " * 2,
        "many-tensors": _many_tensors(),
    }
    for name, data in tensors.items():
        yield Case(f"safetensors-{name}.safetensors", data, f"safetensors-{name}")
    arrays: dict[str, bytes] = {
        "header-length": b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xFFFFFFFF) + b"{'descr'",
        "parentheses": npy(
            "{'descr': '<f4', 'fortran_order': False, 'shape': " + "(" * 20_000 + ")" * 20_000 + ", }", b"", (2, 0)
        ),
        "shape-huge": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9223372036854775807), }", b""),
        "shape-many": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (" + "1, " * 200_000 + "), }", b"", (2, 0)),
        "digits": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (" + "9" * 200_000 + ",), }", b"", (2, 0)),
        "operators": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (" + "-" * 100_000 + "1,), }", b"", (2, 0)),
        "dtype-depth": npy(
            "{'descr': " + "[('a', " * 5000 + "'<f4'" + ")]" * 5000 + ", 'fortran_order': False, 'shape': (1,), }", b"", (2, 0)
        ),
    }
    for name, data in arrays.items():
        yield Case(f"npy-{name}.npy", data, f"npy-{name}")


def _many_tensors() -> bytes:
    header = json.dumps({f"t{i}": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for i in range(60_000)}).encode()
    return struct.pack("<Q", len(header)) + header


def _onnx() -> Iterator[Case]:
    deep = graph((node("Relu"),))
    for _ in range(3000):
        deep = graph((node("If", attributes=attribute("then_branch", deep, 5)),))
    bodies: dict[str, bytes] = {
        "varint-endless": b"\x08" + b"\xff" * 1_000_000,
        "length-max": field(1, 9) + b"\x3a" + b"\xff" * 9 + b"\x01",
        "subgraph-depth": onnx(deep),
        "many-nodes": onnx(graph((b"",) * 500_000)),
        "group-depth": field(1, 9) + b"\x3b" * 1_000_000,
        "field-zero": field(1, 9) + b"\x02\x01a" * 1000,
        "wire-type-7": field(1, 9) + b"\x3f" * 64,
        "dimensions": onnx(
            graph((node("Relu"),), (field(1, (1 << 63) - 1) * 32 + field(2, 1) + field(8, "w") + field(9, b"x"),))
        ),
        "string-8m": onnx(graph((node("R" * (8 << 20)),))),
    }
    for name, data in bodies.items():
        yield Case(f"onnx-{name}.onnx", data, f"onnx-{name}")


def _h5(fill: Callable[[Any], None], **options: Any) -> bytes:
    memory = io.BytesIO()
    with h5py.File(memory, "w", **options) as file:
        fill(file)
    return memory.getvalue()


def _twenty(file: Any) -> None:
    for index in range(20):
        file.create_dataset(f"group/d{index}", data=np.arange(4))


def _hdf5() -> Iterator[Case]:
    def cycle(file: Any) -> None:
        group = file.create_group("a")
        group["self"] = group
        file["a/root"] = file["/"]
        file["x"], file["y"] = h5py.SoftLink("/y"), h5py.SoftLink("/x")

    def deep(file: Any) -> None:
        group = file
        for _ in range(3000):
            group = group.create_group("g")

    def shape(file: Any) -> None:
        file.create_dataset("w", shape=(1 << 40, 1 << 10), chunks=(1024, 1024), dtype="f8")

    def packed(file: Any) -> None:
        file.create_dataset("w", data=np.zeros(64 << 20, dtype="u1"), chunks=(16 << 20,), compression="gzip", compression_opts=9)

    def many(file: Any) -> None:
        for index in range(20_000):
            file.attrs.create(f"a{index}", 1) if index < 2000 else file.create_group(f"g{index}")

    old = _h5(_twenty, libver="earliest")
    files: dict[str, bytes] = {
        "link-cycle": _h5(cycle),
        "deep-groups": _h5(deep),
        "shape-bomb": _h5(shape),
        "chunk-bomb": _h5(packed),
        "many-groups": _h5(many, track_order=True),
        "truncated": old[: len(old) // 2],
        "superblock-only": old[:96],
    }
    files.update(_patched(old))
    for name, data in files.items():
        yield Case(f"hdf5-{name}.h5", data, f"hdf5-{name}")


def _patched(old: bytes) -> dict[str, bytes]:
    """Copies of an honest file with one address, size or count bent."""
    files: dict[str, bytes] = {}
    tree = old.index(b"TREE")
    looped = bytearray(old)
    looped[tree + 5] = 1
    looped[tree + 32 : tree + 40] = struct.pack("<Q", tree)
    files["btree-cycle"] = bytes(looped)
    sibling = bytearray(old)
    sibling[tree + 16 : tree + 24] = struct.pack("<Q", tree)
    sibling[tree + 6 : tree + 8] = b"\xff\xff"
    files["btree-sibling-and-count"] = bytes(sibling)
    heap = bytearray(old)
    place = old.index(b"HEAP")
    heap[place + 8 : place + 24] = struct.pack("<QQ", 1 << 62, place)
    files["heap-size"] = bytes(heap)
    node_count = bytearray(old)
    place = old.index(b"SNOD")
    node_count[place + 6 : place + 8] = b"\xff\xff"
    files["symbol-count"] = bytes(node_count)
    files["root-address-loop"] = old[:64] + struct.pack("<Q", 0) + old[72:]
    new = bytearray(_h5(_twenty, libver="latest"))
    place = new.index(b"OHDR")
    new[place + 6 : place + 10] = b"\xff\xff\xff\xff"
    files["object-header-size"] = bytes(new)
    header = bytearray(512)
    header[:8] = b"\x89HDF\r\n\x1a\n"
    header[8:24] = bytes([0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0])
    header[24:56] = struct.pack("<QqQq", 0, -1, 512, -1)
    header[56:96] = struct.pack("<QQIIQQ", 0, 96, 0, 0, 0, 0)
    header[96:112] = struct.pack("<BBHIII", 1, 0, 0xFFFF, 1, 24, 0)
    header[112:136] = struct.pack("<HHBBBBQQ", 0x10, 16, 0, 0, 0, 0, 112, 24)
    files["continuation-loop"] = bytes(header)
    return files


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _pickles()
    yield from _marshal()
    yield from _headers()
    yield from _onnx()
    yield from _hdf5()
