"""Tar files, compressors, joblib, NumPy, legacy torch, 7z, wrong names and polyglots."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zlib
from collections.abc import Iterator

import lz4.frame
import zstandard

from benchmarks.corpus.malicious.asm import STOP, C, Encoder, proto
from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.containers.zips import plain
from benchmarks.corpus.malicious.hosts import (
    BENIGN,
    EVIL,
    EVIL_2,
    TORCH_MAGIC,
    float_npy,
    joblib_stream,
    npy,
    object_npy,
    torch_legacy,
    torch_members,
    torch_pickle,
)
from benchmarks.corpus.malicious.payloads import COMMAND

_BLOCK = 512
_TORCH_ZIP = plain(torch_members(torch_pickle(evil=True)))


def _header(
    name: bytes,
    size: int,
    kind: bytes = b"0",
    link: bytes = b"",
    magic: bytes = b"ustar\x0000",
    *,
    base256: bool = False,
) -> bytes:
    """One tar header with a right checksum."""
    head = bytearray(_BLOCK)
    head[0 : len(name)] = name
    head[100:108], head[108:116], head[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    head[124:136] = b"\x80" + size.to_bytes(11, "big") if base256 else b"%011o\0" % size
    head[136:148], head[148:156], head[156:157] = b"00000000000\0", b" " * 8, kind
    head[157 : 157 + len(link)] = link
    head[257 : 257 + len(magic)] = magic
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def _entry(
    name: bytes, data: bytes = b"", kind: bytes = b"0", link: bytes = b"", magic: bytes = b"ustar\x0000", size: int | None = None
) -> bytes:
    return _header(name, len(data) if size is None else size, kind, link, magic) + data + bytes(-len(data) % _BLOCK)


def _pax(values: dict[str, str], kind: bytes = b"x") -> bytes:
    body = b""
    for key, value in values.items():
        text = f" {key}={value}\n".encode()
        length = len(text) + 1
        while len(str(length)) + len(text) != length:
            length = len(str(length)) + len(text)
        body += str(length).encode() + text
    return _entry(b"PaxHeaders/x", body, kind)


_END = bytes(2 * _BLOCK)


def _tars() -> Iterator[Case]:
    evil = _entry(b"model.pkl", EVIL)
    good = _entry(b"readme.txt", b"hello\n")
    shapes: dict[str, tuple[bytes, str]] = {
        "v7": (_entry(b"model.pkl", EVIL, magic=b"", kind=b"\0") + _END, "tar-dialect"),
        "ustar": (good + evil + _END, "tar-dialect"),
        "gnu-long-name": (
            _entry(b"././@LongLink", b"a/" * 80 + b"model.pkl\0", b"L", magic=b"ustar  \0")
            + _entry(b"x", EVIL, magic=b"ustar  \0")
            + _END,
            "tar-dialect",
        ),
        "pax-name": (_pax({"path": "weights/model.pkl"}) + _entry(b"readme.txt", EVIL) + _END, "tar-pax"),
        "pax-name-hides": (_pax({"path": "readme.md"}) + evil + _END, "tar-pax"),
        "pax-size": (_pax({"size": str(len(EVIL))}) + _entry(b"model.pkl", EVIL, size=0) + _END, "tar-pax"),
        "pax-global": (_pax({"comment": "x"}, b"g") + evil + _END, "tar-pax"),
        "base256-size": (
            _header(b"model.pkl", len(EVIL), base256=True) + EVIL + bytes(-len(EVIL) % _BLOCK) + _END,
            "tar-dialect",
        ),
        "symlink-out": (_entry(b"out", kind=b"2", link=b"/root") + _entry(b"out/.bashrc", b"echo inert\n") + _END, "tar-link"),
        "hardlink-out": (_entry(b"keys", kind=b"1", link=b"/etc/shadow") + _END, "tar-link"),
        "symlink-parent": (_entry(b"data", kind=b"2", link=b"../../../../etc/passwd") + _END, "tar-link"),
        "absolute": (_entry(b"/etc/cron.d/toadstone-inert", b"* * * * * root echo inert\n") + _END, "tar-path"),
        "parent": (_entry(b"../../../tmp/toadstone-inert.pkl", EVIL) + _END, "tar-path"),
        "device": (_entry(b"dev", kind=b"3") + evil + _END, "tar-link"),
        "fifo": (_entry(b"model.pkl", kind=b"6") + _END, "tar-link"),
        "after-end": (good + _END + evil + _END, "tar-concatenated"),
        "one-zero-block": (good + bytes(_BLOCK) + evil + _END, "tar-concatenated"),
        "no-end": (good + evil, "tar-truncated"),
        "contiguous-type": (_entry(b"model.pkl", EVIL, b"7") + _END, "tar-dialect"),
        "unknown-type": (_entry(b"model.pkl", EVIL, b"Z") + _END, "tar-dialect"),
        "size-past-end": (_entry(b"model.pkl", EVIL, size=1 << 30), "tar-truncated"),
        "duplicate": (_entry(b"model.pkl", BENIGN) + evil + _END, "tar-duplicate"),
        "bad-checksum-then-evil": (good + b"\x01" + evil[1:] + evil + _END, "tar-checksum"),
        "in-tar": (_entry(b"inner.tar", evil + _END) + _END, "nested-archive"),
    }
    for name, (data, technique) in shapes.items():
        yield Case(f"tar-{name}.tar", data, technique, source="CVE-2007-4559" if technique in {"tar-path", "tar-link"} else "own")
    sparse = io.BytesIO()
    with tarfile.open(fileobj=sparse, mode="w", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo("model.pkl")
        info.size = len(EVIL)
        archive.addfile(info, io.BytesIO(EVIL))
    yield Case("tar-gnu-plain.tar", sparse.getvalue(), "tar-dialect")
    offsets = b"".join(b"%011o\0" % number for number in (0, len(EVIL)))
    head = bytearray(_header(b"model.pkl", len(EVIL), b"S", magic=b"ustar  \0"))
    head[386 : 386 + len(offsets)] = offsets
    head[483:495] = b"%011o\0" % (1 << 20)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    yield Case("tar-gnu-sparse.tar", bytes(head) + EVIL + bytes(-len(EVIL) % _BLOCK) + _END, "tar-sparse")
    nemo = (
        _entry(b"./model_config.yaml", b"model:\n  _target_: builtins.eval\n")
        + _entry(b"./model_weights.ckpt", _TORCH_ZIP)
        + _END
    )
    yield Case("tar-nemo.nemo", nemo, "nested-archive")
    yield Case("tar-nemo-gz.nemo", gzip.compress(nemo, mtime=0), "nested-archive")
    sys_info = Encoder(2).dumps({"protocol_version": 1000, "little_endian": True})
    old = (
        _entry(b"sys_info", sys_info)
        + _entry(b"pickle", EVIL_2)
        + _entry(b"storages", Encoder(2).dumps(0))
        + _entry(b"tensors", Encoder(2).dumps(0))
    )
    yield Case("torch-tar-pickle.pt", old + _END, "torch-legacy-tar")
    old = (
        _entry(b"sys_info", sys_info)
        + _entry(b"pickle", BENIGN)
        + _entry(b"storages", EVIL_2)
        + _entry(b"tensors", Encoder(2).dumps(0))
    )
    yield Case("torch-tar-storages.pt", old + _END, "torch-legacy-tar")


def _compressed() -> Iterator[Case]:
    forms: dict[str, bytes] = {
        "gz": gzip.compress(EVIL, mtime=0),
        "bz2": bz2.compress(EVIL),
        "xz": lzma.compress(EVIL),
        "lzma": lzma.compress(EVIL, lzma.FORMAT_ALONE),
        "zst": zstandard.compress(EVIL),
        "lz4": lz4.frame.compress(EVIL),
        "z": zlib.compress(EVIL),
    }
    for suffix, data in forms.items():
        yield Case(f"compressed.pkl.{suffix}", data, "compressed-pickle")
        yield Case(f"compressed-{suffix}-named.pkl", data, "compressed-pickle")
    good, evil = gzip.compress(BENIGN, mtime=0), gzip.compress(EVIL, mtime=0)
    yield Case("gz-second-member.gz", good + evil, "multi-member-stream")
    yield Case("gz-second-member-after-zeros.gz", good + bytes(100) + evil, "multi-member-stream")
    yield Case("gz-trailing-pickle.gz", good + EVIL, "trailing-data")
    named = b"\x1f\x8b\x08\x1c" + bytes(6) + b"\x04\x00abcd" + b"readme.txt\0" + b"comment\0" + good[10:]
    yield Case("gz-all-optional-fields.gz", named[: -len(good[10:])] + evil[10:], "stream-header")
    yield Case("gz-wrong-crc.gz", evil[:-8] + bytes(4) + evil[-4:], "stream-header")
    yield Case("gz-truncated.gz", evil[:-8], "stream-truncated")
    yield Case("bz2-second-stream.bz2", bz2.compress(BENIGN) + bz2.compress(EVIL), "multi-member-stream")
    yield Case("xz-second-stream.xz", lzma.compress(BENIGN) + bytes(8) + lzma.compress(EVIL), "multi-member-stream")
    skippable = struct.pack("<II", 0x184D2A50, 16) + bytes(16)
    yield Case("zst-second-frame.zst", zstandard.compress(BENIGN) + skippable + zstandard.compress(EVIL), "multi-member-stream")
    yield Case(
        "zst-payload-in-skippable.zst",
        zstandard.compress(BENIGN) + struct.pack("<II", 0x184D2A51, len(EVIL)) + EVIL,
        "trailing-data",
        label="code-carrying",
    )
    yield Case("lz4-second-frame.lz4", lz4.frame.compress(BENIGN) + lz4.frame.compress(EVIL), "multi-member-stream")
    body = joblib_stream(evil=True)
    for name, data in {
        "plain": body,
        "zlib": zlib.compress(body, 3),
        "gzip": gzip.compress(body, 3, mtime=0),
        "bz2": bz2.compress(body),
        "lzma": lzma.compress(body, lzma.FORMAT_ALONE),
        "xz": lzma.compress(body),
        "lz4": lz4.frame.compress(body),
    }.items():
        yield Case(f"joblib-{name}.joblib", data, "joblib")
    packed = zlib.compress(EVIL)
    yield Case("joblib-old-zfile.pkl", b"ZF" + b"%-19s" % hex(len(EVIL)).encode() + packed, "joblib")
    yield Case("joblib-no-compression-evil.joblib", EVIL, "joblib")


def _arrays() -> Iterator[Case]:
    for version in ((1, 0), (2, 0), (3, 0)):
        yield Case(f"object-v{version[0]}.npy", object_npy(version=version), "object-array")
    yield Case("object-after-float.npy", float_npy() + EVIL, "trailing-data")
    yield Case("object-two-arrays.npy", float_npy() + object_npy(), "trailing-data")
    record = "{'descr': [('a', '<i4'), ('b', '|O')], 'fortran_order': False, 'shape': (1,), }"
    yield Case("object-in-record.npy", npy(record, EVIL), "object-array")
    yield Case("object-alias.npy", npy("{'descr': 'O8', 'fortran_order': True, 'shape': (1, 1), }", EVIL), "object-array")
    yield Case("object-empty-shape.npy", npy("{'descr': '|O', 'fortran_order': False, 'shape': (), }", EVIL), "object-array")
    yield Case(
        "header-expression.npy",
        npy("{'descr': __import__('os').system('echo inert'), 'fortran_order': False, 'shape': (1,), }", b""),
        "npy-header",
    )
    for name, members, method in (
        ("object", [("w.npy", float_npy()), ("m.npy", object_npy())], 0),
        ("object-deflated", [("m.npy", object_npy())], 8),
        ("raw-pickle-member", [("w.npy", float_npy()), ("m.npy", EVIL)], 0),
        ("extra-pickle", [("w.npy", float_npy()), ("meta.pkl", EVIL)], 0),
        ("no-extension", [("w", object_npy())], 0),
    ):
        yield Case(f"npz-{name}.npz", plain(members, method), "object-array-npz")


def _legacy_torch() -> Iterator[Case]:
    for stream in range(1, 5):
        yield Case(f"torch-legacy-stream-{stream + 1}.pt", torch_legacy(stream), "torch-legacy-streams")
    code = Encoder(2, memo=False)
    magics = {
        "text": b"L%dL\n." % TORCH_MAGIC,
        "computed": proto(2) + code.encode(C("builtins:eval", str(TORCH_MAGIC))) + STOP,
        "side-effect": proto(2) + code.encode(C("os:system", COMMAND)) + b"0" + code.encode(TORCH_MAGIC) + STOP,
        "long4": proto(2) + b"\x8b\x0a\x00\x00\x00" + TORCH_MAGIC.to_bytes(10, "little") + STOP,
    }
    for name, magic in magics.items():
        evil = 3 if name in {"text", "long4"} else None
        yield Case(
            f"torch-legacy-magic-{name}.pt",
            torch_legacy(evil, magic),
            "torch-legacy-magic",
            source="picklescan pytorch_magic_bypass",
        )


def _seven_zip(name: str, data: bytes) -> bytes:
    """A 7z archive with one stored (Copy) member, header not packed. Source: 7zFormat.txt of the LZMA SDK."""
    text = name.encode("utf-16-le") + b"\0\0"
    crc = struct.pack("<I", zlib.crc32(data))
    size = b"\x80" + bytes([len(data)]) if len(data) >= 128 else bytes([len(data)])
    streams = (
        b"\x04"
        b"\x06\x00\x01\x09"
        + size
        + b"\x00"
        + b"\x07\x0b\x01\x00"
        + b"\x01\x01\x00"
        + b"\x0c"
        + size
        + b"\x00"
        + b"\x08\x0a\x01"
        + crc
        + b"\x00"
        + b"\x00"
    )
    files = b"\x05\x01" + b"\x11" + bytes([len(text) + 1]) + b"\x00" + text + b"\x00"
    header = b"\x01" + streams + files + b"\x00"
    start = struct.pack("<QQI", len(data), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start + data + header


def _names_and_polyglots() -> Iterator[Case]:
    for suffix in (
        "txt",
        "png",
        "json",
        "safetensors",
        "md",
        "h5",
        "onnx",
        "gguf",
        "csv",
        "py",
        "npy",
        "log",
        "dat",
        "keras",
        "parquet",
        "yaml",
        "",
        "PKL",
    ):
        name = f"renamed-pickle.{suffix}" if suffix else "renamed-pickle"
        yield Case(name, EVIL, "wrong-extension", source="CVE-2025-1889")
    for suffix in ("bin", "pkl", "txt", "safetensors", "model", "h5"):
        yield Case(f"renamed-zip.{suffix}", _TORCH_ZIP, "wrong-extension", source="CVE-2025-10155, GHSA-jgw4-cr84-mqxg")
    yield Case("renamed-gz.pt", gzip.compress(EVIL, mtime=0), "wrong-extension")
    yield Case("renamed-protocol-0.txt", b"cos\nsystem\n(S'echo toadstone-inert'\ntR.", "wrong-extension")
    yield Case("nullifai.7z", _seven_zip("model.pkl", EVIL), "seven-zip", source="nullifAI (ReversingLabs 2025-02)")
    yield Case("nullifai.pt", _seven_zip("archive/data.pkl", EVIL), "seven-zip", source="nullifAI (ReversingLabs 2025-02)")
    outer = plain([("a/m.7z", _seven_zip("m.tar.gz", gzip.compress(_entry(b"model.pkl", EVIL) + _END, mtime=0)))])
    yield Case("nested-zip-7z-tar-gz.zip", outer, "nested-archive")
    yield Case("nested-7z-zip.7z", _seven_zip("model.zip", plain([("model.pkl", EVIL)])), "nested-archive")
    heads = {
        "png": b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + b"IHDR"
        + struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
        + struct.pack(">I", 0x3A7E9B55)
        + struct.pack(">I", 10)
        + b"IDAT\x78\x9c\x63\x60\x00\x00\x00\x02\x00\x01"
        + struct.pack(">I", 0x48AFA471)
        + struct.pack(">I", 0)
        + b"IEND\xaeB`\x82",
        "jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9",
        "gif": b"GIF89a" + bytes.fromhex("01000100800000000000ffffff2c00000000010001000002024401003b"),
        "pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
        "elf": b"\x7fELF\x02\x01\x01" + bytes(57),
        "wav": b"RIFF\x24\0\0\0WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16) + b"data\0\0\0\0",
        "html": b"<!doctype html><title>model card</title>\n",
    }
    for name, head in heads.items():
        yield Case(f"polyglot-zip.{name}", head + _TORCH_ZIP, "polyglot-zip")
        yield Case(f"polyglot-pickle.{name}", head + EVIL, "polyglot-pickle", label="code-carrying")
    yield Case("polyglot-zip-tar.pt", _entry(b"model.pkl", EVIL) + _END + plain(torch_members(torch_pickle())), "polyglot-zip")
    yield Case("polyglot-pickle-zip.pkl", EVIL + plain(torch_members(torch_pickle())), "polyglot-zip")


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _tars()
    yield from _compressed()
    yield from _arrays()
    yield from _legacy_torch()
    yield from _names_and_polyglots()
