"""Binary formats: counts, chains and headers that cost more than their size; pickles that work hard."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import random
import struct
import zlib
from collections.abc import Iterator

from benchmarks.corpus.malicious.asm import MARK, NONE, STOP, C, Encoder, proto
from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.containers.zips import plain
from benchmarks.corpus.malicious.formats.tensors import attribute, field, graph, node, onnx
from benchmarks.corpus.malicious.hosts import EVIL, npy
from benchmarks.corpus.malicious.payloads import COMMAND

P4 = proto(4)
_CALL = Encoder(4, memo=False).encode(C("os:system", COMMAND))
_FUNCTION = b"\x8c\x01m\x8c\x01f\x93\x940"


def _u32(number: int) -> bytes:
    return struct.pack("<I", number)


def _pickles() -> Iterator[Case]:
    state = b"}\x94" + b"".join(b"h\x00\x8c\x01ah\x00s0" for _ in range(100_000))
    chance = random.Random(3)
    streams: dict[str, bytes] = {
        "memo-2g": P4 + NONE + b"r" + _u32(0x7FFFFFFF) + b"j" + _u32(0x7FFFFFFF) + b"0" + _CALL + STOP,
        "memo-sparse": P4 + NONE + b"".join(b"r" + _u32(number * 9973) for number in range(300_000)) + _CALL + STOP,
        "memo-read-all": P4 + b"]\x94" * 200_000 + b"".join(b"j" + _u32(number) for number in range(200_000)) + _CALL + STOP,
        "text-memo": P4 + NONE + b"".join(b"p%d\ng%d\n0" % (n, n) for n in range(150_000)) + _CALL + STOP,
        "dup-doubling": P4 + b"\x8c\x01a" + b"2\x86" * 1_000_000 + _CALL + STOP,
        "dup-flood": P4 + NONE + b"2" * 2_000_000 + _CALL + STOP,
        "dup-lists": P4 + b"](" + b"N2" * 500_000 + b"e" + _CALL + STOP,
        "get-put-loop": P4 + b"]\x94" + b"h\x00q\x00" * 400_000 + _CALL + STOP,
        "build-doubling": P4 + _FUNCTION + b"h\x00)R\x94" + b"h\x01}\x8c\x01ah\x01sb\x94" * 60_000 + _CALL + STOP,
        "build-graph": P4 + _FUNCTION + b"".join(b"h\x00)R}\x8c\x01aj%bsb\x94" % _u32(n) for n in range(40_000)) + _CALL + STOP,
        "setitem-self": P4 + state + _CALL + STOP,
        "setitems-large": P4 + b"}(" + b"NN" * 700_000 + b"u" + _CALL + STOP,
        "append-one-list": P4 + b"]\x94" + b"h\x00Na0" * 300_000 + _CALL + STOP,
        "mark-pairs": P4 + b"(t0" * 600_000 + _CALL + STOP,
        "marks-nested-tuples": P4 + MARK * 9_000 + b"t" * 9_000 + _CALL + STOP,
        "reduce-chain": P4 + _FUNCTION + b"N" + b"\x85h\x00\x8c\x00\x86R" * 100_000 + _CALL + STOP,
        "call-distinct": P4 + _FUNCTION + b"".join(b"h\x00J%b\x85R0" % _u32(n) for n in range(100_000)) + _CALL + STOP,
        "stack-globals": P4 + b"".join(b"\x8c\x06m%05d\x8c\x01f\x930" % n for n in range(100_000)) + _CALL + STOP,
        "getattr-chain": P4
        + b"\x8c\x08builtins\x8c\x07getattr\x93\x94\x8c\x02os"
        + b"0h\x00h\x00\x8c\x01a\x86R" * 100_000
        + _CALL
        + STOP,
        "inst-flood": b"(ios\nsystem\n0" * 150_000 + EVIL,
        "obj-flood": P4 + _FUNCTION + b"(h\x00o0" * 200_000 + _CALL + STOP,
        "newobj-flood": P4 + _FUNCTION + b"h\x00)\x810" * 200_000 + _CALL + STOP,
        "persistent-flood": P4 + b"NQ0" * 400_000 + _CALL + STOP,
        "persistent-text": b"Pabc\n0" * 200_000 + EVIL,
        "extension-flood": P4 + b"\x82\x01\x83\x01\x02\x84\x01\x02\x03\x00000" * 100_000 + _CALL + STOP,
        "long4-many": P4 + (b"\x8b" + _u32(4096) + b"\x7f" * 4096 + b"0") * 1000 + _CALL + STOP,
        "long1-many": P4 + (b"\x8a\xff" + b"\x7f" * 255 + b"0") * 10_000 + _CALL + STOP,
        "long-text-many": (b"L" + b"9" * 4000 + b"L\n0") * 700 + _CALL + STOP,
        "integers-text": b"".join(b"I%d\n0" % number for number in range(300_000)) + _CALL + STOP,
        "strings-escaped": b"S'" + b"\\x41" * 700_000 + b"'\n0" + _CALL + STOP,
        "unicode-escaped": b"V" + b"\\u0041" * 500_000 + b"\n0" + _CALL + STOP,
        "strings-base64": P4 + (b"\x8c\xfcgASV" + b"QUFB" * 62 + b"0") * 8_000 + _CALL + STOP,
        "strings-zlib": P4 + _zlib_strings() + _CALL + STOP,
        "strings-pickles": P4 + (b"C" + bytes([len(EVIL)]) + EVIL + b"0") * 20_000 + _CALL + STOP,
        "tiny-streams-then-call": b"\x80\x04N." * 100_000 + EVIL,
        "tiny-lists-then-call": b"\x80\x04]." * 300_000 + EVIL,
        "streams-with-gaps": b"".join(b"\x80\x04N." + b"\xfe" for _ in range(100_000)) + EVIL,
        "noise": b"\x80\x04" + chance.randbytes(2_000_000),
        "byte-flood-frames": P4 + (b"\x95" + struct.pack("<Q", 9) + b"C\x07" + bytes(7)) * 100_000 + _CALL + STOP,
        "frames-crossing": P4 + (b"\x95\x05" + bytes(7) + b"X\x04\0\0\0aaaa0") * 50_000 + _CALL + STOP,
        "next-buffer": proto(5) + b"\x97\x980" * 300_000 + _CALL + STOP,
        "sets": P4 + b"\x8f(" + b"K\x01" * 500_000 + b"\x90" + _CALL + STOP,
        "frozenset-depth": P4 + b"(" * 5000 + b"\x91" * 5000 + _CALL + STOP,
        "joblib-arrays": P4 + _joblib_flood() + _CALL + STOP,
        "held-then-pops": P4 + b"\x8c\x01a" + b"2\x86" * 400_000 + b"N0" * 1_500_000 + _CALL + STOP,
    }
    streams |= {name: P4 + _FUNCTION + flood + _CALL + STOP for name, flood in _shared().items()}
    for name, data in streams.items():
        yield Case(f"machine-{name}.pkl", data, f"pickle-{name}")
    torch = [("archive/data.pkl", P4 + (NONE + b"0") * 1_000_000 + _CALL + STOP), ("archive/version", b"3\n")]
    yield Case(
        "machine-pops.pt", plain([*torch, *((f"archive/data/{n}", bytes(64)) for n in range(5000))]), "torch-many-storages"
    )


def _shared() -> dict[str, bytes]:
    """Calls that are all handed the same value: one that grows, one that doubles, one that is long."""
    line = b"V" + b"http://a.example.com/" * 45_000 + b"\n\x940"
    text = b"X" + _u32(4_000) + b"http://a.example.com/ ..." * 160 + b"\x940"
    return {
        "calls-doubling": b"N" + b"".join(b"2\x86\x94h\x00j%b\x85R0" % _u32(n + 1) for n in range(60_000)),
        "calls-growing-list": b"]\x940" + b"".join(b"h\x01J%ba0h\x00h\x01\x85R0" % _u32(n) for n in range(60_000)),
        "calls-growing-dict": b"}\x940" + b"".join(b"h\x01J%bNs0h\x00h\x01\x85R0" % _u32(n) for n in range(50_000)),
        "calls-of-results": b"h\x00)R" + b"\x8c\x01a\x85R" * 100_000,
        "calls-long-line": line + b"".join(b"h\x00h\x01J%b\x86R0" % _u32(n) for n in range(5_000)),
        "calls-long-text": text + b"".join(b"h\x00h\x01J%b\x86R0" % _u32(n) for n in range(40_000)),
    }


def _zlib_strings() -> bytes:
    packed = zlib.compress(bytes(1 << 20), 9)
    return (b"B" + _u32(len(packed)) + packed + b"0") * 500


def _joblib_flood() -> bytes:
    return b"\x8c\x13joblib.numpy_pickle\x8c\x11NumpyArrayWrapper\x93\x940" + b"h\x00)\x81}b0" * 100_000


def _tensors() -> Iterator[Case]:
    u64 = struct.Struct("<Q").pack
    padding = 100_000_000
    yield Case(
        "safetensors-header-100m.safetensors", u64(padding) + b"{}" + b" " * (padding - 2), "safetensors-header", payload=False
    )
    meta = json.dumps({"__metadata__": {f"k{i}": "v" for i in range(100_000)}}).encode()
    yield Case(
        "safetensors-metadata.safetensors", u64(len(meta)) + meta, "safetensors-metadata", "harmless-arguments", payload=False
    )
    hosts = json.dumps({"__metadata__": {f"k{i}": f"http://h{i}.example/x" for i in range(15_000)}}).encode()
    yield Case(
        "safetensors-addresses.safetensors", u64(len(hosts)) + hosts, "safetensors-metadata", "harmless-arguments", payload=False
    )
    overlap = json.dumps({f"t{i}": {"dtype": "U8", "shape": [64], "data_offsets": [0, 64]} for i in range(20_000)}).encode()
    yield Case("safetensors-overlap.safetensors", u64(len(overlap)) + overlap + bytes(64), "safetensors-overlap", payload=False)
    same = b"{" + b",".join(b'"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}' for _ in range(30_000)) + b"}"
    yield Case("safetensors-same-name.safetensors", u64(len(same)) + same, "safetensors-same-name", payload=False)
    fields = ", ".join(f"('f{i}', '<f4')" for i in range(50_000))
    wide = npy("{'descr': [" + fields + "], 'fortran_order': False, 'shape': (0,), }", b"", (2, 0))
    yield Case("npy-many-fields.npy", wide, "npy-many-fields", "harmless-arguments", payload=False)
    spaces = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }" + " " * 1_000_000, b"", (2, 0))
    yield Case("npy-header-1m.npy", spaces, "npy-header", "harmless-arguments", payload=False)
    arrays = npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", P4 + (NONE + b"0") * 800_000 + _CALL + STOP)
    yield Case("npy-object-pops.npy", arrays, "npy-object")
    key = u64(1) + b"a"
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + key + _u32(9)
    nested = _u32(9) + u64(50_000) + (_u32(4) + u64(0)) * 50_000
    yield Case("gguf-arrays-of-arrays.gguf", head + nested, "gguf-array", payload=False)
    levels = b"".join(_u32(9) + u64(2) for _ in range(3000))
    yield Case("gguf-array-doubling.gguf", head + levels, "gguf-array", payload=False)
    info = b"".join(u64(6) + b"%06d" % n + struct.pack("<IQIQ", 1, 0, 0, 0) for n in range(60_000))
    yield Case("gguf-many-tensors.gguf", b"GGUF" + struct.pack("<IQQ", 3, 60_000, 0) + info, "gguf-tensors", "harmless-arguments")
    name = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + u64(4_000_000) + b"k" * 4_000_000 + struct.pack("<II", 4, 1)
    yield Case("gguf-long-key.gguf", name, "gguf-long-key", "harmless-arguments", payload=False)


def _graphs() -> Iterator[Case]:
    deep = graph((node("Relu"),))
    for _ in range(12):
        twice = attribute("then_branch", deep, 5) + attribute("else_branch", deep, 5)
        deep = graph((node("If", attributes=twice),))
    tensor = field(1, 0) + field(2, 1) + field(8, "w")
    bodies = {
        "graphs-doubling": onnx(deep),
        "many-initializers": onnx(graph((node("Relu"),), (tensor,) * 60_000)),
        "many-custom-nodes": onnx(graph(tuple(node(f"Op{i}") for i in range(30_000)))),
        "long-varints": field(1, 9) + (b"\x08" + b"\x80" * 9 + b"\x00") * 100_000,
        "empty-fields": field(1, 9) + b"\x3a\x00" * 1_000_000,
    }
    for name, data in bodies.items():
        yield Case(f"graph-{name}.onnx", data, f"onnx-{name}", "harmless-arguments", payload=False)


def _others() -> Iterator[Case]:
    pieces = b"".join(b"\x0a" + bytes([10]) + b"\x0a\x03abc\x15\0\0\0\0" for _ in range(150_000))
    tiff = b"II*\0" + _u32(8) + b"".join(struct.pack("<H", 0) + _u32(8 + 6 * (n + 1)) for n in range(200_000))
    png = b"\x89PNG\r\n\x1a\n" + b"".join(_u32(0) + b"teXt" + _u32(zlib.crc32(b"teXt")) for _ in range(200_000))
    elf = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 64, 0, 64, 56, 65535, 64, 65535, 1)
    ar = b"!<arch>\n" + b"".join(b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (b"a/", 0, 0, 0, b"644", 0) for _ in range(60_000))
    schema = json.dumps({"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": []})
    for _ in range(200):
        schema = '{"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": [' + schema + "]}"
    layers = [{"class_name": "Dense", "config": {"name": f"d{i}", "units": 1}} for i in range(40_000)]
    model = {"class_name": "Sequential", "config": {"layers": layers}}
    inner: dict[str, object] = {"class_name": "Dense", "config": {}}
    for _ in range(300):
        inner = {"class_name": "Wrapper", "config": {"layer": inner, "other": inner}} if len(str(inner)) < 20_000 else inner
    idx = b"\xfftOc" + struct.pack(">I", 2) + b"\xff" * 1024 + bytes(200_000)
    files: dict[str, bytes] = {
        "pieces.model": pieces,
        "directories.tiff": tiff,
        "directory-loop.tiff": b"II*\0" + _u32(8) + struct.pack("<H", 0) + _u32(8),
        "chunks.png": png,
        "sections.so": elf + bytes(100_000),
        "members.a": ar,
        "nodes.skops": plain([("schema.json", schema.encode())]),
        "layers.keras": plain([("config.json", json.dumps(model).encode()), ("metadata.json", b"{}")]),
        "wrapped.keras": plain([("config.json", json.dumps(inner).encode()), ("metadata.json", b"{}")]),
        "pack.idx": idx,
        "parquet.parquet": b"PAR1" + bytes(100_000) + _u32(0x7FFFFFFF) + b"PAR1",
        "arrow.arrow": b"ARROW1\0\0" + b"\xff" * 100_000 + b"ARROW1",
        "lines.csv": b"a,b\n" * 500_000,
        "lines.csv.gz": gzip.compress(b"a,b\n" * 8_000_000, 9, mtime=0),
        "fields.csv": b"," * 2_000_000,
        "records.jsonl": b'{"a":1}\n' * 300_000,
        "document.pdf": b"%PDF-1.4\n" + b"1 0 obj <<>> endobj\n" * 100_000,
        "vector.svg": b"<svg>" + b"<g>" * 300_000,
        "words.txt": b"<script>" * 300_000,
        "readme.md": b"[a](" * 500_000,
        "noise.bin": random.Random(5).randbytes(4_000_000),
        "torchscript.pt": plain(
            [("m/code/__torch__.py", b"def f(x):\n  return x\n" * 30_000), ("m/data.pkl", EVIL), ("m/version", b"3\n")]
        ),
    }
    for name, data in files.items():
        label = "malicious" if name == "torchscript.pt" else "harmless-arguments"
        yield Case(f"other-{name}", data, f"other-{name}", label, payload=False)
    memory = io.BytesIO()
    for number in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001}):
        pickle.dump(number, memory, 2)
    yield Case("torch-legacy-pops.pt", memory.getvalue() + P4 + (NONE + b"0") * 1_000_000 + _CALL + STOP, "torch-legacy")


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _pickles()
    yield from _tensors()
    yield from _graphs()
    yield from _others()
