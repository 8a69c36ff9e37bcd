"""Makes the files on which speed and memory are measured; all harmless to keep, none to be loaded.

The payload, where there is one, is ``os.system("echo inert")``.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import pickle
import random
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.corpus.benign.environment import FAMILIES, install
from benchmarks.place import work_folder

MEBI = 1 << 20
PAYLOAD = b"cposix\nsystem\nX\x0a\x00\x00\x00echo inert\x85R."
"""GLOBAL, BINUNICODE, TUPLE1, REDUCE, STOP."""


class Payload:
    """Pickles to a call of ``os.system`` with an inert argument."""

    def __reduce__(self) -> tuple[object, ...]:
        """Return the call."""
        return os.system, ("echo inert",)


def folder() -> Path:
    """Return the folder of the cases; created if absent."""
    path = work_folder() / "speed"
    path.mkdir(exist_ok=True)
    return path


def tiny() -> Path:
    """One pickle of a few bytes."""
    return _made("tiny.pkl", lambda path: path.write_bytes(pickle.dumps({"a": [1, 2.5, "x"]}, 4)))


def rows(protocol: int, *, payload: bool = False) -> Path:
    """150,000 dictionaries of strings, integers and floats: about five million opcodes, 57 MB by protocol 2."""

    def make(path: Path) -> None:
        chance = random.Random(7)
        table: list[object] = [_row(number, chance) for number in range(150_000)]
        if payload:
            table.append(Payload())
        with path.open("wb") as stream:
            pickle.dump(table, stream, protocol)

    return _made(f"rows-p{protocol}{'-payload' if payload else ''}.pkl", make)


def _row(number: int, chance: random.Random) -> dict[str, object]:
    words = [
        f"{prefix}-{chance.getrandbits(48):012x}-{number}"
        for prefix in ("name", "city", "street", "mail", "phone", "note", "tag")
    ]
    row: dict[str, object] = dict(zip(("name", "city", "street", "mail", "phone", "note", "tag"), words, strict=True))
    return row | {
        "id": number,
        "age": chance.randrange(100),
        "score": chance.random(),
        "weight": chance.random(),
        "level": number % 7,
    }


def torch_zip() -> Path:
    """A state dictionary of 200 MB, saved by torch itself."""
    script = (
        "import sys, torch; torch.manual_seed(7); torch.save({f'w{n}': torch.randn(1250, 1000) for n in range(40)}, sys.argv[1])"
    )

    def make(path: Path) -> None:
        family = next(family for family in FAMILIES if family.name == "torch_models")
        subprocess.run([str(install("current", family)), "-c", script, str(path)], check=True)

    return _made("weights.pt", make)


def tree() -> Path:
    """1,000 small pickles in ten folders."""

    def make(path: Path) -> None:
        for number in range(1000):
            file = path / f"part{number % 10}" / f"{number:04}.pkl"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(
                pickle.dumps({"number": number, "values": list(range(number % 30)), "name": f"item {number}"}, 2 + number % 4)
            )

    return _made("tree", make)


def padded_by_bytes() -> Path:
    """600 MB in one BINBYTES8 that is popped, then the payload."""
    size = 600_000_000
    return _made("padded-bytes.pkl", lambda path: _write(path, _bytes_padding(size)))


def _bytes_padding(size: int) -> Iterator[bytes]:
    yield b"\x80\x04\x8e" + size.to_bytes(8, "little")
    block = bytes(range(256)) * 4096
    yield from (block[: min(MEBI, size - done)] for done in range(0, size, MEBI))
    yield b"0" + PAYLOAD


def padded_by_strings() -> Path:
    """600 MB in 9,600 strings of 64 kB that are pushed and popped, then the payload."""
    block = b"X" + (62_500).to_bytes(4, "little") + b"pad " * 15_625 + b"0"

    def blocks() -> Iterator[bytes]:
        yield b"\x80\x04"
        yield from (block for _ in range(9_600))
        yield PAYLOAD

    return _made("padded-strings.pkl", lambda path: _write(path, blocks()))


def padded_by_junk() -> Path:
    """Ten million pushes and pops of nothing (20 MB), then the payload."""

    def blocks() -> Iterator[bytes]:
        yield b"\x80\x04"
        yield from (b"N0" * 500_000 for _ in range(20))
        yield PAYLOAD

    return _made("padded-junk.pkl", lambda path: _write(path, blocks()))


def gzip_bomb() -> Path:
    """100 GB of zeros in a gzip file of 100 MB: one member of 1 GB, repeated."""
    return _made("bomb.pkl.gz", lambda path: _repeat(path, _gzip_member(), 100))


def _gzip_member() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(bytes(MEBI)) for _ in range(1024)), packer.flush()])


def xz_bomb() -> Path:
    """100 GB of zeros in an xz file of 15 MB."""
    packer = lzma.LZMACompressor(preset=6)
    return _made(
        "bomb.pkl.xz",
        lambda path: _repeat(path, b"".join([*(packer.compress(bytes(MEBI)) for _ in range(1024)), packer.flush()]), 100),
    )


def bz2_bomb() -> Path:
    """100 GB of zeros in a bzip2 file of a few kB."""
    packer = bz2.BZ2Compressor(9)
    return _made(
        "bomb.pkl.bz2",
        lambda path: _repeat(path, b"".join([*(packer.compress(bytes(MEBI)) for _ in range(1024)), packer.flush()]), 100),
    )


def zip_bomb() -> Path:
    """Ten members of 1 GB of zeros."""

    def make(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(10):
                with archive.open(f"model{number}/data.pkl", "w", force_zip64=True) as member:
                    for _ in range(1024):
                        member.write(bytes(MEBI))

    return _made("bomb.zip", make)


def nested_bomb() -> Path:
    """A gzip file inside a gzip file, forty deep."""

    def make(path: Path) -> None:
        content = pickle.dumps(Payload(), 4)
        for _ in range(40):
            content = gzip.compress(content, mtime=0)
        path.write_bytes(content)

    return _made("nested.pkl.gz", make)


def _write(path: Path, blocks: Iterator[bytes]) -> None:
    with path.open("wb") as stream:
        stream.writelines(blocks)


def _repeat(path: Path, member: bytes, times: int) -> None:
    _write(path, (member for _ in range(times)))


def _made(name: str, make: Callable[[Path], object]) -> Path:
    path = folder() / name
    if not path.exists():
        part = folder() / f".part-{name}"
        make(part)
        part.rename(path)
    return path


DIGESTS = f"""
import hashlib, sys
import blake3
sha, fast = hashlib.sha256(), blake3.blake3()
with open(sys.argv[1], "rb") as stream:
    while block := stream.read({MEBI}):
        sha.update(block)
        fast.update(block)
print(sha.hexdigest(), fast.hexdigest())
"""
"""The baseline of the torch zip: read it once and compute both digests that a report holds."""
