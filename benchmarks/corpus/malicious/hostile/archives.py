"""Archives and compressors that cost far more to read than to write."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import lz4.frame
import zstandard

from benchmarks.corpus.malicious.asm import STOP, C, Encoder, proto
from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.containers.zips import END, LOCAL, Member, build, plain
from benchmarks.corpus.malicious.hosts import EVIL
from benchmarks.corpus.malicious.payloads import COMMAND

_MIB = 1 << 20
_CALL = Encoder(4, memo=False).encode(C("os:system", COMMAND))


def _zeros(mebibytes: int) -> tuple[bytes, int]:
    """A raw deflate stream of so many MiB of zeros, and the CRC; made of one repeated block."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = engine.compress(bytes(_MIB)) + engine.flush(zlib.Z_FULL_FLUSH)
    chunk, crc = bytes(_MIB), 0
    for _ in range(mebibytes):
        crc = zlib.crc32(chunk, crc)
    return block * mebibytes + b"\x03\x00", crc


def _bomb(name: str, mebibytes: int) -> Member:
    packed, crc = _zeros(mebibytes)
    size: dict[str, object] = {"usize": mebibytes * _MIB, "csize": len(packed), "crc": crc}
    return Member(name, b"", 8, packed, local=size, central=dict(size))


def _gzip_bomb(mebibytes: int) -> bytes:
    packed, crc = _zeros(mebibytes)
    return b"\x1f\x8b\x08\x00" + bytes(6) + packed + struct.pack("<II", crc, mebibytes * _MIB & 0xFFFFFFFF)


def _ratio() -> Iterator[Case]:
    yield Case("zip-ratio-1g.zip", build([_bomb("data.pkl", 1024)]), "zip-ratio")
    yield Case("torch-ratio-1g.pt", build([_bomb("archive/data.pkl", 1024), Member("archive/version", b"3\n")]), "zip-ratio")
    yield Case("npz-ratio-1g.npz", build([_bomb("w.npy", 1024)]), "zip-ratio")
    yield Case(
        "keras-ratio.keras", build([_bomb("config.json", 512), Member("metadata.json", b"{}")]), "zip-ratio", source="keras#23055"
    )
    yield Case("gzip-ratio-1g.pkl.gz", _gzip_bomb(1024), "gzip-ratio")
    yield Case("gzip-members-many.gz", gzip.compress(b"", mtime=0) * 100_000, "many-members")
    yield Case("gzip-bomb-then-pickle.gz", _gzip_bomb(512) + gzip.compress(EVIL, mtime=0), "gzip-ratio")
    yield Case("xz-ratio-2g.pkl.xz", lzma.compress(bytes(64 * _MIB), preset=0) * 32, "xz-ratio")
    yield Case("bz2-ratio-1g.pkl.bz2", bz2.compress(bytes(32 * _MIB)) * 32, "bz2-ratio")
    yield Case("zstd-ratio-4g.pkl.zst", zstandard.compress(bytes(64 * _MIB)) * 64, "zstd-ratio")
    yield Case("lz4-ratio-2g.pkl.lz4", lz4.frame.compress(bytes(64 * _MIB)) * 32, "lz4-ratio")
    yield Case("joblib-zlib-ratio.joblib", zlib.compress(bytes(256 * _MIB), 9), "zlib-ratio")
    wide = b"\x28\xb5\x2f\xfd\x00" + bytes([(31 - 10) << 3]) + b"\x01\x00\x00"
    yield Case("zstd-window-2g.zst", wide, "zstd-window")
    lzma_alone = bytearray(lzma.compress(bytes(1024), lzma.FORMAT_ALONE))
    lzma_alone[1:5] = struct.pack("<I", 0xFFFFFFFF)
    yield Case("lzma-dictionary-4g.lzma", bytes(lzma_alone), "lzma-dictionary")
    nested = gzip.compress(gzip.compress(gzip.compress(_gzip_bomb(1024), mtime=0), mtime=0), mtime=0)
    yield Case("gzip-ratio-nested.gz", nested, "gzip-ratio")


def _depth() -> Iterator[Case]:
    wraps: dict[str, tuple[int, str, Callable[[bytes], bytes]]] = {
        "zip": (200, "zip", lambda data: plain([("a.zip", data)])),
        "gzip": (400, "gz", lambda data: gzip.compress(data, 1, mtime=0)),
        "mixed": (60, "bz2", lambda data: bz2.compress(plain([("a", gzip.compress(data, 1, mtime=0))]))),
    }
    for name, (levels, suffix, wrap) in wraps.items():
        data = EVIL
        for _ in range(levels):
            data = wrap(data)
        yield Case(f"depth-{name}-{levels}.{suffix}", data, "archive-depth")
    wide = plain([(f"{i}.zip", plain([(f"{j}.zip", plain([("x.pkl", EVIL)])) for j in range(40)])) for i in range(40)])
    yield Case("breadth-1600-zips.zip", wide, "archive-breadth")
    fan = _bomb("x.bin", 64)
    level = build([fan])
    for _ in range(4):
        level = build([Member(f"{i}.zip", level, 8) for i in range(16)])
    yield Case("fan-out-42.zip", level, "archive-breadth")


def _overlap() -> Iterator[Case]:
    kernel = _bomb("kernel", 64)
    entries = [kernel]
    entries += [
        Member(f"m{index}.pkl", b"", 8, kernel.packed, central=dict(kernel.central), present=False, offset=0)
        for index in range(4000)
    ]
    yield Case("overlap-full.zip", build(entries), "zip-overlap", source="Fifield 2019")
    quoted: list[Member] = [
        Member(f"q{index}", b"", 8, b"", local={"csize": 1 << 20, "usize": 1 << 30}, central={"csize": 1 << 20, "usize": 1 << 30})
        for index in range(2000)
    ]
    yield Case("overlap-quoted.zip", build([*quoted, kernel]), "zip-overlap", source="Fifield 2019")


def _counts() -> Iterator[Case]:
    yield Case("zip-100k-members.zip", plain([(f"{i:x}", b"") for i in range(60_000)]), "zip-many-members")
    yield Case("zip-long-names.zip", plain([("n" * 65_000 + str(i), b"x") for i in range(60)]), "zip-long-names")
    yield Case("zip-local-signatures.zip", LOCAL * 500_000, "zip-signature-flood")
    yield Case("zip-end-signatures.zip", (END + bytes(18)) * 50_000, "zip-signature-flood")
    yield Case(
        "zip-comment-full-of-ends.zip", build([Member("a.pkl", EVIL)], comment=(END + b"\xff" * 8) * 5000), "zip-signature-flood"
    )
    yield Case("zip64-count-max.zip", build([Member("a.pkl", EVIL)], zip64=((1 << 64) - 1, -1)), "zip-count-lie")
    yield Case("zip-count-max.zip", build([Member("a.pkl", EVIL)], count=0xFFFE), "zip-count-lie")
    yield Case("zip-offset-loop.zip", build([Member("a.pkl", EVIL, offset=0xFFFFFF00)]), "zip-offset-lie")
    head = bytearray(512)
    head[:9] = b"model.pkl"
    head[100:108], head[124:136], head[156:157], head[257:265] = b"0000644\0", b"\x80" + b"\x7f" * 11, b"0", b"ustar\x0000"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    yield Case("tar-size-max.tar", bytes(head) + EVIL, "tar-size-lie")
    head[124:136] = b"\xff" * 12
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    yield Case("tar-size-negative.tar", bytes(head) + EVIL, "tar-size-lie")
    head[124:136], head[156:157] = b"%011o\0" % 0, b"x"
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    yield Case("tar-100k-pax.tar", bytes(head) * 60_000, "tar-many-members")
    start = struct.pack("<QQI", 0, 1 << 62, 0)
    yield Case(
        "sevenzip-header-max.7z", b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start, "sevenzip-lie"
    )


def _hole(head: bytes, size: int, tail: bytes) -> Callable[[Path], None]:
    """A writer of ``head``, ``size`` bytes of hole, ``tail``: sparse where the file system can."""

    def write(path: Path) -> None:
        with path.open("wb") as file:
            file.write(head)
            file.seek(size, 1)
            file.write(tail or b"\0")

    return write


def _large() -> Iterator[Case]:
    size = 600 * _MIB
    head = proto(4) + b"\x8e" + struct.pack("<Q", size)
    yield Case("padding-600m.pkl", _hole(head, size, b"0" + _CALL + STOP), "padding")
    yield Case("padding-600m-zeros-then-stream.pkl", _hole(Encoder(4).dumps({"a": 1}), size, EVIL), "padding")
    local = LOCAL + struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x5821, 0, size + len(EVIL), size + len(EVIL), 8, 0) + b"data.pkl"
    central = (
        b"PK\x01\x02"
        + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, 0, 0, 0, 0x5821, 0, size + len(EVIL), size + len(EVIL), 8, 0, 0, 0, 0, 0, 0)
        + b"data.pkl"
    )
    start = len(local) + size + len(EVIL)
    end = END + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), start, 0)
    stored = proto(4) + b"\x8e" + struct.pack("<Q", size - len(head))
    tail = b"0" + _CALL + STOP
    body = _hole(local + stored, size + len(EVIL) - len(stored) - len(tail), tail + central + end)
    yield Case("padding-600m.zip", body, "padding")
    text = b"{'descr': '|u1', 'fortran_order': False, 'shape': (%d,), }" % size
    text += b" " * (-(10 + len(text) + 1) % 64) + b"\n"
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text
    yield Case("padding-600m.npy", _hole(npy, size, EVIL), "padding")


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _ratio()
    yield from _depth()
    yield from _overlap()
    yield from _counts()
    yield from _large()
