"""Kinds that are plainly no model: read to their end, and not one byte further."""

import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from format_files import PICKLE, assert_total, elf, look, png

from toadstone.checks.model.native_code import NativeCode
from toadstone.core.fact import Call, Code
from toadstone.core.finding import Severity


def jpeg(extra: bytes = b"") -> bytes:
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\x12\xff\x00\x34\xff\xd0\x56" * 3
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + extra + scan + b"\xff\xd9"


def mpf() -> bytes:
    return b"\xff\xe2" + struct.pack(">H", 8) + b"MPF\0" + b"\0\0"


def gif() -> bytes:
    extension = b"\x21\xf9\x04\0\0\0\0\0"
    return b"GIF89a\1\0\1\0\x80\0\0" + bytes(6) + extension + b"\x2c\0\0\0\0\1\0\1\0\0\2\2\x4c\1\0\x3b"


def bmp() -> bytes:
    return (
        b"BM"
        + struct.pack("<IHHI", 70, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 2, -2, 1, 24, 0, 0, 0, 0, 0, 0)
        + b"\x81" * 16
    )


def tiff(order: str = "<") -> bytes:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entries = [(256, 3, 1, 2), (257, 3, 1, 2), (273, 4, 1, 8), (279, 4, 1, 4)]
    table = b"".join(
        struct.pack(order + "HHI", *entry[:3])
        + struct.pack(order + ("HH" if entry[1] == 3 else "I"), *([entry[3], 0][: 2 if entry[1] == 3 else 1]))
        for entry in entries
    )
    return mark + struct.pack(order + "I", 12) + b"\x81\x82\x83\x84" + struct.pack(order + "H", 4) + table + bytes(4)


def icon() -> bytes:
    return struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 1, 1, 0, 0, 1, 32, 40, 22) + b"\x81" * 40


def wave() -> bytes:
    body = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data" + struct.pack("<I", 3) + b"\x81\x82\x83\0"
    return b"RIFF" + struct.pack("<I", len(body)) + body


def mp4() -> bytes:
    boxes = [(b"ftyp", b"isom\0\0\0\0isom"), (b"free", b""), (b"mdat", b"\x81" * 9)]
    large = struct.pack(">I4sQ", 1, b"moov", 20) + b"\x81" * 4
    return b"".join(struct.pack(">I4s", len(body) + 8, name) + body for name, body in boxes) + large


def ogg() -> bytes:
    return (b"OggS\0\2" + bytes(20) + b"\2\x05\x03" + b"\x81" * 8) * 2


def mp3() -> bytes:
    frame = b"\xff\xfb\x90\x00" + b"\x55" * 413
    return b"ID3\4\0\0\0\0\0\4" + b"\0" * 4 + frame * 5 + b"TAG" + b"\x20" * 125


def pdf() -> bytes:
    body = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n"
    return body + b"xref\n0 1\n0000000000 65535 f \ntrailer\n<<>>\nstartxref\n" + str(len(body)).encode() + b"\n%%EOF\n"


def font() -> bytes:
    return b"\0\1\0\0" + struct.pack(">HHHH", 1, 16, 0, 0) + b"glyf" + struct.pack(">III", 0, 28, 6) + b"\x81" * 6 + bytes(2)


def woff() -> bytes:
    return b"wOF2" + struct.pack(">IIHH", 0x10000, 60, 1, 0) + b"\x81" * 44


def parquet() -> bytes:
    return b"PAR1" + b"\x81" * 20 + struct.pack("<I", 12) + b"PAR1"


def arrow_stream() -> bytes:
    def message(body: bytes) -> bytes:
        table = struct.pack("<HHHHHH", 12, 24, 4, 6, 8, 16)
        root = struct.pack("<iHBxIIq", 12, 4, 1, 0, 0, len(body))
        flat = struct.pack("<I", 16) + table + root + bytes(8)
        flat += bytes(-len(flat) % 8)
        return struct.pack("<Ii", 0xFFFFFFFF, len(flat)) + flat + body

    return message(b"") + message(b"\x81" * 16) + struct.pack("<Ii", 0xFFFFFFFF, 0)


def idx() -> bytes:
    return struct.pack(">BBBBII", 0, 0, 8, 2, 3, 5) + b"\x81" * 15


def tfrecord() -> bytes:
    # The checksum of the eight length bytes is what TensorFlow writes for a record of five bytes.
    from toadstone.readers.plain.records import _masked_crc

    size = struct.pack("<Q", 5)
    record = size + struct.pack("<I", _masked_crc(size)) + b"\x81" * 5 + b"\x82" * 4
    return record * 3


def wasm() -> bytes:
    return b"\0asm\1\0\0\0" + b"\x01\x04\x01\x60\0\0" + b"\0\x03\x02hi"


def java() -> bytes:
    constants = [b"\7\0\2", b"\1\0\1A", b"\5" + bytes(8), b"\1\0\4Code"]
    method = struct.pack(">HHHH", 1, 2, 2, 1) + struct.pack(">HI", 5, 3) + b"\xb1\0\0"
    return (
        b"\xca\xfe\xba\xbe\0\0\0\x34"
        + struct.pack(">H", 6)
        + b"".join(constants)
        + struct.pack(">HHHHHH", 33, 1, 1, 0, 0, 1)
        + method
        + struct.pack(">H", 0)
    )


def pe() -> bytes:
    head = b"MZ" + bytes(58) + struct.pack("<I", 64)
    section = b".text\0\0\0" + struct.pack("<IIII", 16, 4096, 16, 0xB0) + bytes(16)
    return (
        head
        + b"PE\0\0"
        + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 2, 2)
        + struct.pack("<H", 0x20B)
        + bytes(0)
        + section
        + bytes(0xB0 - 64 - 24 - 2 - 40)
        + b"\x90" * 16
    )


def macho() -> bytes:
    segment = struct.pack("<II16sQQQQIIII", 0x19, 72, b"__TEXT", 0, 4096, 0, 136, 5, 5, 0, 0)
    return struct.pack("<IIIIIIII", 0xFEEDFACF, 0x1000007, 3, 2, 1, 72, 0, 0) + segment + b"\x90" * 32


FILES: dict[str, Callable[[], bytes]] = {
    "png": png, "jpeg": jpeg, "gif": gif, "bmp": bmp, "tiff": tiff, "icon": icon, "riff": wave, "iso-media": mp4, "ogg": ogg,
    "mp3": mp3, "pdf": pdf, "font": font, "web-font": woff, "parquet": parquet, "arrow-stream": arrow_stream, "idx": idx,
    "tfrecord": tfrecord, "elf": elf, "wasm": wasm, "java-class": java, "pe": pe, "mach-o": macho,
}  # fmt: skip
NATIVE = {"elf", "wasm", "java-class", "pe", "mach-o"}
WHOLE = {"parquet", "idx"}  # nothing can stand behind these: they are recognised by their end


@pytest.mark.parametrize("kind", FILES)
def test_kind_is_recognised_by_content_and_complete(kind: str) -> None:
    seen = look(FILES[kind](), "file")
    assert (seen.kind, seen.unread, seen.anomalies) == (kind, [], [])
    assert bool(seen.of(Code)) == (kind in NATIVE)


@pytest.mark.parametrize("kind", sorted(set(FILES) - WHOLE))
def test_appended_payload_falls_out(kind: str) -> None:
    seen = look(FILES[kind]() + PICKLE, "file")
    assert seen.kind == kind
    assert [str(fact.callee) for fact in seen.of(Call)] == ["posix.system"]


@pytest.mark.parametrize("kind", sorted(WHOLE))
def test_appended_payload_spoils_files_that_are_read_from_their_end(kind: str) -> None:
    assert look(FILES[kind]() + PICKLE, "file").unread


@pytest.mark.parametrize("kind", FILES)
def test_any_bytes_are_survived(kind: str) -> None:
    assert_total(FILES[kind](), "file", flips=120)


@pytest.mark.parametrize("kind", sorted(set(FILES) - {"ogg", "tfrecord", "mp3", "iso-media", "arrow-stream", "wasm"}))
def test_half_a_file_is_never_complete(kind: str) -> None:
    data = FILES[kind]()
    assert look(data[: len(data) * 3 // 4], "file").unread


def test_both_byte_orders_of_tiff() -> None:
    assert look(tiff(">"), "a.tif").facts == []


def test_several_pictures_in_one_jpeg_need_their_announcement() -> None:
    assert look(jpeg(mpf()) + jpeg(), "a.jpg").facts == []
    assert look(jpeg() + jpeg(), "a.jpg").anomalies == ["hidden-data"]


def test_sqlite_from_the_real_library(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path)
    connection.execute("create table t(a)")
    connection.commit()
    connection.close()
    data = path.read_bytes()
    assert (look(data, "a.db").kind, look(data, "a.db").facts) == ("sqlite", [])
    assert look(data + PICKLE, "a.db").of(Call)


@pytest.mark.parametrize(
    "data",
    [
        b"plain ASCII\n",
        "Grüße, 漢字 😀\n".encode(),
        b"\xef\xbb\xbfwith a mark",
        "wide".encode("utf-16"),
        "wider".encode("utf-32"),
        ("Ça va très bien à l'école. " * 4).encode("latin-1"),
        ("“smart” quotes are rare in a text as long as this one is, even if somebody likes them; " * 9).encode("cp1252"),
        b"\x1b[31mlog\x1b[0m\r\n",
        b"a,b\n1,2\n" * 10_000,
        b"x" * 3_000_000,
        "é".encode() * 600_001,
        b"text" + bytes(600),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_text_in_every_usual_encoding(data: bytes) -> None:
    seen = look(data, "notes")
    assert (seen.kind, seen.facts) == ("text", [])


@pytest.mark.parametrize(
    "data",
    [
        bytes(range(256)), b"text\0binary" * 10, b"\xff\xfeodd", b"\xd8\xd9\xda\xdb", b"a" * 10_000 + b"\0" + b"a" * 10,
        b"a" * 10_000 + bytes(range(1, 32)) * 40, bytes(range(128, 256)) * 40, b"\xff\xfe" + b"\0\xd8" * 40,
    ],
    ids=lambda data: repr(data[:12]),
)  # fmt: skip
def test_what_is_no_text_is_unread(data: bytes) -> None:
    assert look(data, "notes.txt").unread


@pytest.mark.parametrize(
    ("data", "name", "severity"),
    [
        (elf(), "logo.png", Severity.HIGH),
        (elf(), "model.safetensors", Severity.HIGH),
        (elf(), "libop.so", Severity.MEDIUM),
        (b"#!/bin/sh\necho hi\n", "weights.bin", Severity.HIGH),
        (b"#!/bin/sh\necho hi\n", "download.sh", Severity.LOW),
        (b"@echo off\r\n", "run.bat", Severity.LOW),
        (b"#!/usr/bin/env python3\nprint(1)\n", "run.py", None),
        (b"# Title\n", "README.md", None),
        (png(), "logo.png", None),
    ],
)
def test_judgement_of_programs(data: bytes, name: str, severity: Severity | None) -> None:
    facts = [fact for fact in look(data, name).facts if isinstance(fact, NativeCode.reads)]
    found = [finding.severity for fact in facts for finding in NativeCode().examine(fact)]
    assert found == ([] if severity is None else [severity])


def test_archive_glued_behind_a_script_is_not_text() -> None:
    seen = look(b"#!/bin/sh\ntail -n +3 $0 | tar x\nexit\n" + bytes(range(256)) * 20, "install")
    assert seen.of(Code)
    assert seen.unread
