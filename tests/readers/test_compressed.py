"""Compressed files: each format and its streams, what stands around them, what is broken in them, and bombs."""

import bz2
import gzip
import lzma
import os
import random
import struct
import time
import zlib

import lz4.frame
import pytest
import zstandard
from format_files import PICKLE, assert_total, look

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Call, Member
from toadstone.core.place import Place
from toadstone.readers import compressed
from toadstone.readers.reader import Source, candidates
from toadstone.readers.unopened import READERS as UNOPENED
from toadstone.readers.zstd_frames import frames

TEXT = b"The quick brown fox jumps over the lazy dog.\n" * 50


def old_joblib(data: bytes) -> bytes:
    return b"ZF" + hex(len(data)).encode().ljust(19) + zlib.compress(data)


PACKERS = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zstd": zstandard.compress,
    "lz4": lz4.frame.compress,
    "joblib-zf": old_joblib,
}
MANY = ("gzip", "bzip2", "xz", "zstd", "lz4")


def unpacked(data: bytes, kind: str, name: str = "a") -> list[tuple[str, bytes]]:
    reader = next(reader for reader in compressed.READERS if reader.kind == kind)
    source = Source(BytesBlob(data), name, Place(name), Budget.of(len(data)))
    found = []
    for fact in reader.read(source):
        if isinstance(fact, Member):
            found.append((fact.name, fact.blob.read(0, fact.blob.size)))
            fact.blob.close()
    return found


def loads(data: bytes, name: str = "a") -> bool:
    return any("system" in str(fact.callee) for fact in look(data, name).of(Call))


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("content", [b"x", TEXT, os.urandom(5000), bytes(3 << 20)], ids=["one", "text", "noise", "zeros"])
def test_content_comes_out(kind, content):
    data = PACKERS[kind](content)
    assert unpacked(data, kind) == [("content", content)]
    assert kind in [reader.kind for reader in candidates(Source(BytesBlob(data), "a", Place("a"), Budget.of(len(data))))]


@pytest.mark.parametrize("kind", PACKERS)
def test_ordinary_files_are_silent(kind):
    seen = look(PACKERS[kind](TEXT), "a.txt.packed")
    assert (seen.kind, seen.anomalies, seen.unread) == (kind, [], [])


@pytest.mark.parametrize("kind", PACKERS)
def test_every_level_is_recognised(kind):
    packers = {
        "gzip": [lambda data, level=level: gzip.compress(data, level) for level in (0, 1, 6, 9)],
        "zlib": [lambda data, level=level: zlib.compress(data, level) for level in (0, 1, 6, 9)],
        "bzip2": [lambda data, level=level: bz2.compress(data, level) for level in (1, 9)],
        "lzma": [lambda data, level=level: lzma.compress(data, lzma.FORMAT_ALONE, preset=level) for level in (0, 6, 9)],
        "zstd": [lambda data, level=level: zstandard.compress(data, level) for level in (1, 19)],
    }
    for packer in packers.get(kind, ()):
        for content in (PICKLE, TEXT, os.urandom(9000), b""):
            seen = look(packer(content), "a")
            assert seen.kind == kind
            assert not [reason for reason in seen.unread if "unpacking" in reason]


@pytest.mark.parametrize("kind", MANY)
def test_streams_that_follow_each_other_are_one_content(kind):
    pack = PACKERS[kind]
    assert unpacked(pack(TEXT) + pack(b"and more"), kind) == [("content", TEXT + b"and more")]


def test_padding_between_streams():
    assert unpacked(gzip.compress(b"a") + bytes(700) + gzip.compress(b"b"), "gzip") == [("content", b"ab")]
    assert unpacked(lzma.compress(b"a") + bytes(8) + lzma.compress(b"b"), "xz") == [("content", b"ab")]
    assert look(gzip.compress(TEXT) + bytes(512), "a.gz").unread == []


@pytest.mark.parametrize("kind", PACKERS)
def test_what_stands_behind_is_looked_at(kind):
    seen = look(PACKERS[kind](TEXT) + PICKLE, "a.packed")
    assert "hidden-data" in seen.anomalies
    assert any("system" in str(fact.callee) for fact in seen.of(Call))


@pytest.mark.parametrize("kind", PACKERS)
def test_what_came_out_before_the_cut_is_read_and_the_rest_is_unread(kind):
    noise = PICKLE + os.urandom(300_000)
    data = PACKERS[kind](noise) if kind != "bzip2" else bz2.compress(noise, 1)  # it gives whole blocks only
    seen = look(data[: len(data) - 1000], "a")
    assert seen.kind == kind
    assert "malformed" in seen.anomalies
    assert any("unpacking stopped" in reason for reason in seen.unread)
    assert any("system" in str(fact.callee) for fact in seen.of(Call))


@pytest.mark.parametrize("kind", ["gzip", "zlib", "lzma", "xz"])
def test_a_defect_right_behind_the_payload_hides_nothing(kind):
    data = bytearray(PACKERS[kind](PICKLE + TEXT))
    data[-30:] = b"\xff" * 30
    assert loads(bytes(data))


def test_gzip_fields():
    data = gzip.compress(TEXT)
    body = data[10:]
    extra = struct.pack("<H", len(PICKLE)) + PICKLE
    full = b"\x1f\x8b\x08\x1f" + data[4:10] + extra + b"inner.txt\0" + b"a comment\0" + b"\0\0" + body
    found = unpacked(full, "gzip")
    assert found[-1] == ("inner.txt", TEXT)
    assert ("@extra", PICKLE) in found
    assert ("@comment", b"a comment") in found
    assert loads(full)
    wrong = bytearray(data)
    wrong[-6] ^= 1
    assert "checksum-mismatch" in look(bytes(wrong), "a.gz").anomalies


def test_the_content_is_named_after_the_file():
    assert unpacked(gzip.compress(b"x"), "gzip", "model.pkl.gz")[0][0] == "model.pkl"
    assert unpacked(gzip.compress(b"x"), "gzip", "model.tgz")[0][0] == "model.tar"
    assert unpacked(zlib.compress(b"x"), "zlib", "model.joblib")[0][0] == "content"
    assert unpacked(lzma.compress(b"x"), "xz", "a/b/model.npy.xz")[0][0] == "model.npy"


def test_zstd_frames():
    skippable = b"\x5e\x2a\x4d\x18" + struct.pack("<I", len(PICKLE)) + PICKLE
    assert unpacked(skippable + zstandard.compress(TEXT), "zstd") == [("@skippable 0", PICKLE), ("content", TEXT)]
    assert loads(skippable + zstandard.compress(TEXT), "a.zst")
    samples = [b"sample %d of the same kind of text" % number for number in range(2000)]
    dictionary = zstandard.train_dictionary(4096, samples)
    packed = zstandard.ZstdCompressor(dict_data=dictionary).compress(TEXT)
    assert any("dictionary" in reason for reason in look(packed, "a.zst").unread)
    wide = b"\x28\xb5\x2f\xfd\x00\xa8" + b"\x01\x00\x00"
    assert any("window" in reason for reason in look(wide, "a.zst").unread)
    streamed = zstandard.ZstdCompressor(write_content_size=False, write_checksum=True).compressobj()
    data = (
        streamed.compress(TEXT) + streamed.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) + streamed.compress(TEXT) + streamed.flush()
    )
    assert [frame.whole for frame in frames(BytesBlob(data), 0, len(data))] == [True]
    assert unpacked(data, "zstd") == [("content", TEXT + TEXT)]


def test_text_and_noise_are_not_claimed():
    for text in (
        b"x^2 + y^2 = z^2\n" * 30,
        b"x\x9cnot deflate at all, just text that goes on",
        b"BZh9 is how bzip2 files begin",
        b"]\0\0\0\0text",
    ):
        source = Source(BytesBlob(text), "a", Place("a"), Budget.of(len(text)))
        assert not [reader.kind for reader in candidates(source) if reader.kind in PACKERS]
    chance = random.Random(7)
    claimed = 0
    for size in (20, 300, 5000):
        for _ in range(1000):
            noise = b"\x78\x9c" + chance.randbytes(size)
            claimed += compressed._claims_zlib(Source(BytesBlob(noise), "a", Place("a"), Budget.of(len(noise))))
    assert claimed < 15  # of 3000 that begin with the two right bytes, which one in 30,000 does


@pytest.mark.parametrize("kind", ["gzip", "zlib", "bzip2", "xz", "lzma", "zstd", "lz4", "joblib-zf"])
def test_bombs_end_are_told_and_their_head_is_read(kind):
    data = PACKERS[kind](PICKLE + bytes(24 << 20))
    source = Source(BytesBlob(data), "a", Place("a"), Budget(expand=8 << 20, steps=1 << 20, thin=8 << 20))
    from toadstone.readers.walk import walk

    start = time.process_time()
    facts = list(walk(source))
    assert time.process_time() - start < 3
    assert "expansion-bomb" in [getattr(fact, "kind", "") for fact in facts]
    assert any("unpacking stopped" in getattr(fact, "reason", "") for fact in facts)
    assert any("system" in str(fact.callee) for fact in facts if isinstance(fact, Call))


def test_nesting_ends_by_depth():
    data = PICKLE
    for _ in range(40):
        data = gzip.compress(data)
    seen = look(data, "a.gz")
    assert "depth-bomb" in seen.anomalies
    assert any("deeper" in reason for reason in seen.unread)


def test_a_million_empty_streams_end_by_budget():
    start = time.process_time()
    seen = look(gzip.compress(b"") * 50_000, "a.gz")
    assert any("streams" in reason for reason in seen.unread)
    assert time.process_time() - start < 3


@pytest.mark.parametrize("reader", UNOPENED, ids=lambda reader: reader.kind)
def test_unopened_archives_are_never_clean(reader):
    for magic in reader.heads:
        data = magic + (b"0" * 104 if magic.startswith(b"0707") else os.urandom(200))
        assert any("not opened" in reason for reason in look(data, "a").unread)


@pytest.mark.parametrize("kind", PACKERS)
def test_hostile_bytes_are_harmless(kind):
    assert_total(PACKERS[kind](PICKLE + TEXT[:300]), "a", flips=150)
