"""Content that unpacks to itself, to one pattern a million times, or to containers in containers."""

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
import numpy as np
import zstandard

from benchmarks.corpus.malicious.asm import STOP, C, Encoder, proto
from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.containers.zips import LOCAL, Member, build, plain
from benchmarks.corpus.malicious.hosts import EVIL
from benchmarks.corpus.malicious.payloads import COMMAND

_MIB = 1 << 20
_CALL = Encoder(4, memo=False).encode(C("os:system", COMMAND))

_PATTERNS: dict[str, bytes] = {
    "letters": b"A",
    "lines": b"\n",
    "brackets": b"[",
    "marks": b"(",
    "nones": b"N",
    "dicts": b"}",
    "tuples": b"\x85",
    "ones": b"\xff",
    "streams": b"N.",
    "headers": b"\x80\x04.",
    "globals": b"cos\nsystem\n0",
    "calls": b"cos\nsystem\n)R0",
    "json": b"[1,",
    "records": b'{"a":1}\n',
    "templates": b"{{a}}",
    "yaml": b"- a\n",
    "python": b"import os\n",
    "zip-heads": LOCAL,
    "gzip-heads": b"\x1f\x8b\x08\0",
    "base64": b"gASV",
    "protobuf": b"\x0a\x02\x08\x01",
}


def _repeated(pattern: bytes, mebibytes: int, head: bytes = b"") -> bytes:
    """A gzip member of one pattern, made of one repeated block."""
    chunk = pattern * (_MIB // len(pattern))
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = engine.compress(head) + engine.flush(zlib.Z_FULL_FLUSH)
    block = engine.compress(chunk) + engine.flush(zlib.Z_FULL_FLUSH)
    crc = zlib.crc32(head)
    for _ in range(mebibytes):
        crc = zlib.crc32(chunk, crc)
    size = len(head) + mebibytes * len(chunk)
    return b"\x1f\x8b\x08\0" + bytes(6) + first + block * mebibytes + b"\x03\0" + struct.pack("<II", crc, size & 0xFFFFFFFF)


def _patterns() -> Iterator[Case]:
    for name, pattern in _PATTERNS.items():
        yield Case(f"pattern-{name}-1g.gz", _repeated(pattern, 1024), "gzip-pattern")
        harmless = name not in {"globals", "calls"}
        label = "harmless-arguments" if harmless else "malicious"
        yield Case(f"pattern-{name}-60m.gz", _repeated(pattern, 60), "gzip-pattern", label, payload=not harmless)
    yield Case("pattern-junk-then-1g.pkl.gz", _repeated(b"N0", 1024, proto(4) + _CALL), "gzip-pattern")
    yield Case("pattern-json-list-1g.json.gz", _repeated(b"1,", 1024, b'{"a":['), "gzip-pattern")


def gzip_quine() -> bytes:
    """A gzip file that unpacks to itself, made as in R. Cox, "Zip Files All The Way Down" (2010).

    Two operations of five bytes each: a stored block of n bytes, and a block that repeats the last n bytes. The checksum
    stands in the file, and so in its own content: it is the solution of 32 linear equations.
    """
    head = b"\x1f\x8b\x08\x08" + bytes(6) + b"q\0"
    for name in b"qrstuvwxyz":
        head = head[:10] + bytes([name, 0])
        total = len(_quine(head, 0))
        base = zlib.crc32(_quine(head, 0))
        columns = [zlib.crc32(_quine(head, 1 << bit)) ^ base for bit in range(32)]
        crc = _fixed_point(columns, base)
        if crc is not None and zlib.crc32(_quine(head, crc)) == crc and total < 0xFFFF:
            return _quine(head, crc)
    raise AssertionError("no name gives equations that can be solved")


def _stored(size: int) -> bytes:
    return b"\0" + struct.pack("<HH", size, size ^ 0xFFFF)


def _repeat(size: int) -> bytes:
    """A fixed-code block of exactly 40 bits: two copies of together ``size`` (17 to 20) bytes from ``size`` bytes back."""
    bits = [0, 1, 0]
    for length in (size // 2, size - size // 2):
        bits += [int(bit) for bit in f"{length + 254 - 256:07b}"]  # symbols 257 to 264: lengths 3 to 10
        bits += [0, 1, 0, 0, 0]  # distance symbol 8: 17 to 24
        bits += [size - 17 >> bit & 1 for bit in range(3)]
    bits += [0] * 7
    return sum(bit << place for place, bit in enumerate(bits)).to_bytes(5, "little")


def _quine(head: bytes, crc: int) -> bytes:
    tail_size = 13
    p, s = len(head) + 5, tail_size + 5
    lp, rp, ls, rs = _stored(p), _repeat(p), _stored(s), _repeat(s)
    zero, one, four, again = _stored(0), _stored(5), _stored(20), _repeat(20)
    parts = [head, lp, head, lp, rp, one, rp, one, one, four, rp, one, one, four, again, four, again, four, again, four]
    parts += [again, four, again, zero, zero, ls, again, zero, zero, ls]
    size = sum(map(len, parts)) + 2 * (5 + tail_size)
    tail = b"\x01\0\0\xff\xff" + struct.pack("<II", crc, size)
    return b"".join([*parts, rs, tail, rs, tail])


def _fixed_point(columns: list[int], base: int) -> int | None:
    """Solve x = base ^ (the columns that x selects)."""
    rows = [
        sum((columns[column] >> bit & 1) << column for column in range(32)) ^ 1 << bit | (base >> bit & 1) << 32
        for bit in range(32)
    ]
    for column in range(32):
        pivot = next((row for row in range(column, 32) if rows[row] >> column & 1), None)
        if pivot is None:
            return None
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for row in range(32):
            if row != column and rows[row] >> column & 1:
                rows[row] ^= rows[column]
    return sum((rows[column] >> 32) << column for column in range(32))


def _own_content() -> bytes:
    """A zip whose one stored member is everything behind its own header, directory included."""
    name = b"a.zip"
    end_size, central_size = 22, 46 + len(name)
    size = central_size + end_size
    local = LOCAL + struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x5821, 0, size, size, len(name), 0) + name
    central = b"PK\x01\x02" + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, 0, 0, 0, 0x5821, 0, size, size, 5, 0, 0, 0, 0, 0, 0) + name
    return local + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, central_size, len(local), 0)


def _tar(files: list[tuple[str, bytes]]) -> bytes:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w") as archive:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return memory.getvalue()


def _nested() -> Iterator[Case]:
    data = EVIL
    for _ in range(40):
        data = gzip.compress(_tar([("a.tar.gz", data)]), mtime=0)
    yield Case("depth-tar-gz-40.tar.gz", data, "archive-depth")
    for name, pack in {"xz": lzma.compress, "zstd": zstandard.compress, "lz4": lz4.frame.compress, "bz2": bz2.compress}.items():
        data = EVIL
        for _ in range(100):
            data = pack(data)
        yield Case(f"depth-{name}-100.bin", data, "archive-depth")
    yield Case("quine.gz", gzip_quine(), "quine", source="Cox 2010")
    yield Case("quine-in-zip.zip", plain([("q.gz", gzip_quine()), ("r.gz", gzip_quine())]), "quine", source="Cox 2010")
    yield Case("own-content.zip", _own_content(), "quine")
    wide = gzip.compress(_tar([(f"{number}.gz", gzip.compress(bytes(_MIB), mtime=0)) for number in range(1000)]), mtime=0)
    yield Case("breadth-1000-gz.tar.gz", wide, "archive-breadth")
    bombs = [(f"{number}.gz", _repeated(b"\0", 100)) for number in range(30)]
    yield Case("breadth-30-bombs.tar", _tar(bombs), "archive-breadth")
    yield Case("breadth-30-bombs.tar.gz", gzip.compress(_tar(bombs), mtime=0), "archive-breadth")
    level = plain([("x.pkl", EVIL)])
    for _ in range(14):
        level = plain([("a.zip", level), ("b.zip", level)], method=8) if len(level) < 1 << 20 else level
    yield Case("doubling-zips.zip", level, "archive-breadth")


def _members() -> Iterator[Case]:
    tiny = [(f"{number:05}.pkl", proto(4) + b"N.") for number in range(12_000)]
    yield Case("tiny-pickles.zip", plain([*tiny, ("z.pkl", EVIL)]), "many-members")
    yield Case("tiny-pickles.tar", _tar([*tiny, ("z.pkl", EVIL)]), "many-members")
    yield Case("tiny-pickles.tar.gz", gzip.compress(_tar([*tiny, ("z.pkl", EVIL)]), mtime=0), "many-members")
    yield Case("tiny-texts.zip", plain([(f"{number}.py", b"import os\n") for number in range(6_000)]), "many-members", "benign")
    head = b"\x1f\x8b\x08\x04" + bytes(6) + struct.pack("<H", 0xFFFF) + bytes(0xFFFF)
    yield Case("gzip-long-extra.gz", head + b"\x03\0" + bytes(8), "gzip-header", payload=False)
    yield Case("gzip-name-without-end.gz", b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 4_000_000, "gzip-header", payload=False)
    many = bz2.compress(b"a") * 20_000
    yield Case("bz2-streams-many.bz2", many + bz2.compress(EVIL), "many-members")
    yield Case("xz-streams-many.xz", lzma.compress(b"") * 20_000 + lzma.compress(EVIL), "many-members")
    yield Case("xz-padding.xz", lzma.compress(EVIL) + bytes(8 << 20) + lzma.compress(b"N."), "stream-padding")
    yield Case("zstd-frames-many.zst", zstandard.compress(b"") * 100_000 + zstandard.compress(EVIL), "many-members")
    skippable = struct.pack("<II", 0x184D2A50, 4) + b"skip"
    yield Case("zstd-skippable-many.zst", skippable * 100_000 + zstandard.compress(EVIL), "many-members")
    yield Case("lz4-skippable-many.lz4", lz4.frame.compress(b"") + skippable * 100_000 + lz4.frame.compress(EVIL), "many-members")
    sparse = b"GNU.sparse.major=1\nGNU.sparse.minor=0\n"
    yield Case("tar-sparse-lie.tar", _pax_sparse(sparse), "tar-sparse")


def _pax_sparse(_: bytes) -> bytes:
    """A sparse file of one byte that claims to be an exbibyte long."""
    records = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "m.pkl", "GNU.sparse.realsize": str(1 << 60)}
    body = b"1\n" + str(1 << 60 - 1).encode() + b"\n1\n"
    data = body.ljust(512, b"\0") + b"N"
    info = tarfile.TarInfo("m.pkl")
    info.size, info.pax_headers = len(data), records
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO(data))
    return memory.getvalue()


def _honest() -> Iterator[Case]:
    """What looks like a bomb and is none: it must be read to its end and hold nothing; its rows are examined when asked for."""
    memory = io.BytesIO()
    np.savez_compressed(memory, embedding=np.zeros((50_000, 1024), dtype=np.float32))
    yield Case("zeros-200m.npz", memory.getvalue(), "honest-zeros", "benign", payload=False)
    npy = io.BytesIO()
    np.save(npy, np.zeros((50_000, 1024), dtype=np.float32))
    yield Case("zeros-200m.npy.gz", gzip.compress(npy.getvalue(), 6, mtime=0), "honest-zeros", "benign", payload=False)
    hidden = npy.getvalue() + EVIL
    yield Case("zeros-200m-then-stream.npy.gz", gzip.compress(hidden, 6, mtime=0), "honest-zeros")
    padded = proto(4) + b"\x8e" + struct.pack("<Q", 200 * _MIB) + bytes(200 * _MIB) + b"0" + _CALL + STOP
    yield Case("zeros-200m-then-call.pkl.gz", gzip.compress(padded, 6, mtime=0), "honest-zeros")
    yield Case("zeros-200m-member.zip", build([Member("a.bin", bytes(200 * _MIB), 8), Member("z.pkl", EVIL)]), "honest-zeros")


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _patterns()
    yield from _nested()
    yield from _members()
    yield from _honest()
