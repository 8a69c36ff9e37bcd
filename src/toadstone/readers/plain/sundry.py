"""Catalogues of translations, fonts for old browsers, three-dimensional scenes, taggers: data in which programs look things up.

Sources: the GNU gettext manual, "The Format of GNU MO Files"; W3C submission "Embedded OpenType"; Khronos glTF 2.0, "Binary glTF
Layout"; ``crf1d_model.c`` of CRFsuite 0.12.
"""

from __future__ import annotations

import struct
from itertools import pairwise

from toadstone.readers.cursor import Cursor
from toadstone.readers.plain.measure import FormatError, measured
from toadstone.readers.reader import Source

_CATALOGUE = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}
_ENTRIES = 1 << 20
_SCENE = (b"JSON", b"BIN\0")


def catalogue_end(cursor: Cursor, source: Source) -> int:
    """Follow both tables of texts; each text ends with a zero."""
    order = _CATALOGUE.get(cursor.take(4), "")
    if not order:
        raise FormatError("no catalogue")
    revision, count, originals, translations, size, hashes = cursor.unpack(struct.Struct(f"{order}6I"))
    if revision >> 16 > 1 or count > _ENTRIES:
        raise FormatError(f"revision {revision >> 16}, {count:,} texts")
    spans = [(0, 28), (hashes, hashes + 4 * size)] if size else [(0, 28)]
    source.budget.spend_steps(2 * count)
    for table in (originals, translations):
        cursor.position = table
        numbers = struct.unpack(f"{order}{2 * count}I", cursor.take(8 * count))
        spans.append((table, table + 8 * count))
        spans += [(begin, begin + length + 1) for length, begin in zip(numbers[::2], numbers[1::2], strict=True)]
    spans.sort()
    if any(later[0] - earlier[1] > 16 for earlier, later in pairwise(spans)):
        raise FormatError("bytes that belong to no text")
    end = max(stop for _, stop in spans)
    cursor.position = min(end, cursor.stop)
    if end > cursor.stop:
        raise FormatError("a text beyond the end")
    return end


def embedded_font_end(cursor: Cursor, _source: Source) -> int:
    """Take the declared size; the font inside may be compressed in a way of its own."""
    total, data, version = cursor.unpack(struct.Struct("<3I"))
    if total > cursor.stop or data > total or version not in (0x10000, 0x20001, 0x20002):
        raise FormatError(f"{total:,} bytes, version {version:#x}")
    return total


def scene_end(cursor: Cursor, _source: Source) -> int:
    """Walk the chunks of a binary glTF file."""
    _, version, total = cursor.unpack(struct.Struct("<4sII"))
    if version != 2 or total > cursor.stop:
        raise FormatError(f"version {version}, {total:,} bytes")
    while cursor.position < total:
        head = cursor.take(8)
        if head[4:] not in _SCENE:
            raise FormatError("a chunk of another kind")
        cursor.skip(int.from_bytes(head[:4], "little"))
    return total


def tagger_end(cursor: Cursor, _source: Source) -> int:
    """Take the size that a model of CRFsuite states; its parts are tables of numbers and of names."""
    head = cursor.take(16)
    size, version = int.from_bytes(head[4:8], "little"), int.from_bytes(head[12:], "little")
    if (kind := head[8:12]) != b"FOMC" or version > 200 or size > cursor.stop:
        raise FormatError(f"{kind!r}, version {version}")
    return size


READERS = (
    measured("catalogue", catalogue_end, heads=tuple(_CATALOGUE)),
    measured(
        "embedded-font",
        embedded_font_end,
        marks=((34, b"LP"),),
        claims=lambda source: source.head(12)[8:12] in (b"\0\0\1\0", b"\1\0\2\0", b"\2\0\2\0"),
    ),
    measured("scene", scene_end, heads=(b"glTF\x02\0\0\0",)),
    measured("crfsuite", tagger_end, heads=(b"lCRF",)),
)
