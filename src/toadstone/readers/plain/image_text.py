"""What images say beside their pixels: comments, descriptions, camera data; and how many pixels they claim.

Sources: PNG Specification, third edition (W3C 2025), 11.3.3; ITU-T T.81, B.2.2 and B.2.4.5; CIPA DC-008 (Exif); XMP part 3;
GIF89a, 24.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

from toadstone.core.fact import Anomaly, Fact, Text
from toadstone.readers.reader import Source

_LONGEST = 1 << 16
"""Bytes of one text that are looked at, packed or not."""
_TEXTS = 256
"""Texts of one image."""
_PIXELS = 178_956_970
"""Pixels from which Pillow, with its defaults, refuses an image as a bomb (twice `MAX_IMAGE_PIXELS`)."""
_BACKED = 32
"""Bytes of pixels that one byte of a file may stand for."""
_PRINTABLE = re.compile(rb"[\x20-\x7e\t\r\n]{8,}")
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


def of_png(source: Source, end: int) -> Iterator[Fact]:
    """Give the texts of a PNG, and its claim if it is none that the file could hold."""
    blob, position, left = source.blob, 8, _TEXTS
    while position + 12 <= end:
        size, name = struct.unpack(">I4s", blob.read(position, 8))
        if name == b"IHDR" and size == 13:
            width, height = struct.unpack(">II", blob.read(position + 8, 8))
            yield from _claim(source, end, width, height)
        elif name in (b"tEXt", b"zTXt", b"iTXt", b"eXIf") and left:
            left -= 1
            raw = blob.read(position + 8, min(size, _LONGEST))
            for text in _printed(raw) if name == b"eXIf" else _of_chunk(name, raw):
                yield Text(source.place.at(position), "metadata", text)
        source.budget.spend_steps(1)
        position += size + 12


def _of_chunk(name: bytes, raw: bytes) -> Iterator[str]:
    _, _, rest = raw.partition(b"\0")
    packed = name == b"zTXt"
    if name == b"iTXt" and len(rest) >= 2:
        packed, rest = rest[0] == 1, rest[2:]
        rest = rest.split(b"\0", 2)[-1]
    elif packed:
        rest = rest[1:]
    if packed:
        try:
            rest = zlib.decompressobj().decompress(rest, _LONGEST)
        except zlib.error:
            return
    text = rest.decode("utf-8" if name == b"iTXt" else "latin-1", "replace").strip("\0 \n")
    if text:
        yield text


def of_jpeg(source: Source, end: int) -> Iterator[Fact]:
    """Give the comments of a JPEG, what is printed in its camera data, and its claim if it is none that the file could hold."""
    blob, position, left = source.blob, 2, _TEXTS
    while position + 4 <= end and left:
        first, marker, size = struct.unpack(">BBH", blob.read(position, 4))
        if first != 0xFF or marker in (0xD9, 0xDA) or size < 2:
            return
        if marker in _FRAMES and size >= 8:
            height, width = struct.unpack(">HH", blob.read(position + 5, 4))
            yield from _claim(source, end, width, height)
        elif marker == 0xFE or marker in (0xE1, 0xED):
            left -= 1
            raw = blob.read(position + 4, size - 2)
            for text in [raw.decode("utf-8", "replace").strip("\0 \n")] if marker == 0xFE else _printed(raw):
                if text:
                    yield Text(source.place.at(position), "metadata", text)
        source.budget.spend_steps(1)
        position += size + 2


def of_gif(source: Source, end: int) -> Iterator[Fact]:
    """Give the comments of a GIF, and its claim if it is none that the file could hold."""
    blob = source.blob
    head = blob.read(0, 13)
    width, height = struct.unpack("<HH", head[6:10])
    yield from _claim(source, end, width, height)
    position, left = 13 + (3 << (head[10] & 7) + 1 if head[10] & 0x80 else 0), _TEXTS
    while position + 2 <= end and left:
        introducer, label = blob.read(position, 2)
        if introducer == 0x2C:
            flags = blob.read(position + 9, 1)[0]
            position += 10 + (3 << (flags & 7) + 1 if flags & 0x80 else 0) + 1
        elif introducer == 0x21:
            position += 2
        else:
            return
        text, position = _blocks(source, position, end, wanted=introducer == 0x21 and label == 0xFE)
        if text:
            left -= 1
            yield Text(source.place.at(position), "metadata", text)


def _blocks(source: Source, position: int, end: int, *, wanted: bool) -> tuple[str, int]:
    """Give the content of sub-blocks as text, when it is wanted, and the position behind them."""
    content = b""
    while position < end and (size := source.blob.read(position, 1)[0]):
        source.budget.spend_steps(1)
        if wanted and len(content) < _LONGEST:
            content += source.blob.read(position + 1, size)
        position += size + 1
    return content.decode("utf-8", "replace").strip("\0 \n"), position + 1


def _printed(raw: bytes) -> Iterator[str]:
    """Give what can be read in binary fields."""
    for found in _PRINTABLE.findall(raw[:_LONGEST])[:_TEXTS]:
        yield found.decode("ascii").strip()


def _claim(source: Source, end: int, width: int, height: int) -> Iterator[Fact]:
    if width * height > max(_PIXELS, _BACKED * end):
        told = f"the image claims {width:,} x {height:,} pixels in {end:,} bytes"
        yield Anomaly(source.place.at(0), "resource-claim", told)
