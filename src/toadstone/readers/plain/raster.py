"""Images that are followed chunk by chunk: PNG, JPEG, GIF, BMP.

Sources: PNG Specification (W3C), ITU-T T.81 (JPEG) and CIPA DC-007 (several pictures in one file), GIF89a, BITMAPINFOHEADER.
"""

from __future__ import annotations

import re
import struct

from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.plain.image_text import of_gif, of_jpeg, of_png
from toadstone.readers.plain.measure import FormatError, measured
from toadstone.readers.reader import Source

_SHORT = struct.Struct(">H")
_MARKER = rb"\xff[^\x00\xff\xd0-\xd7]"
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})


def png_end(cursor: Cursor, source: Source) -> int:
    """Walk the chunks of a PNG to the end of ``IEND``."""
    cursor.skip(8)
    while True:
        size, name = struct.unpack(">I4s", cursor.take(8))
        if not name.isalpha() or size > 0x7FFF_FFFF:
            cursor.position -= 8
            raise FormatError(f"no chunk of a PNG at {cursor.position:,}")
        source.budget.spend_steps(1)
        cursor.skip(size + 4)
        if name == b"IEND":
            return cursor.position


def jpeg_end(cursor: Cursor, source: Source) -> int:
    """Walk segments and scans of a JPEG to its end marker, and on to further pictures if the file announces them."""
    several = False
    while True:
        if cursor.take(2) != b"\xff\xd8":
            raise FormatError("no JPEG begins here")
        several = _picture(cursor, source) or several
        if not several or cursor.blob.read(cursor.position, 3) != b"\xff\xd8\xff":
            return cursor.position


def _picture(cursor: Cursor, source: Source) -> bool:
    """Move behind the end marker; gives whether a multi-picture index was among the segments."""
    several = False
    while True:
        source.budget.spend_steps(1)
        byte, marker = cursor.take(2)
        while byte == 0xFF and marker == 0xFF:  # fill bytes
            marker = cursor.take(1)[0]
        if byte != 0xFF or marker == 0:
            cursor.position -= 2
            raise FormatError(f"no marker at {cursor.position:,}")
        if marker == 0xD9:
            return several
        if marker in _BARE:
            continue
        (size,) = cursor.unpack(_SHORT)
        if size < 2:
            raise FormatError("a segment shorter than its own length")
        several = several or (marker == 0xE2 and cursor.blob.read(cursor.position, 4) == b"MPF\0")
        cursor.skip(size - 2)
        if marker == 0xDA:
            _scan(cursor)


def _scan(cursor: Cursor) -> None:
    """Move over entropy-coded data to the next marker that ends it."""
    marker = re.compile(_MARKER)
    while True:
        buffer, index = cursor.buffered(2)
        found = marker.search(buffer, index)
        if found:
            cursor.skip(found.start() - index)
            return
        cursor.skip(len(buffer) - index - 1)


def gif_end(cursor: Cursor, source: Source) -> int:
    """Walk the blocks of a GIF to its trailer."""
    flags = cursor.take(13)[10]
    cursor.skip(3 << (flags & 7) + 1 if flags & 0x80 else 0)
    while True:
        introducer = cursor.take(1)
        if introducer == b"\x3b":
            return cursor.position
        if introducer == b"\x2c":
            flags = cursor.take(9)[8]
            cursor.skip(3 << (flags & 7) + 1 if flags & 0x80 else 0)
        elif introducer != b"\x21":
            cursor.position -= 1
            raise FormatError(f"no block of a GIF at {cursor.position:,}")
        cursor.skip(1)  # the extension's label, or the minimum code size
        while size := cursor.take(1)[0]:
            source.budget.spend_steps(1)
            cursor.skip(size)


def bmp_end(cursor: Cursor, _source: Source) -> int:
    """Compute where the pixels of a bitmap end."""
    cursor.skip(10)
    offset, header = cursor.unpack(struct.Struct("<II"))
    if header == 12:
        width, height, _, bits = cursor.unpack(struct.Struct("<HHHH"))
        compression = size = 0
    else:
        width, height, _, bits, compression, size = cursor.unpack(struct.Struct("<iiHHII"))
    if compression in (0, 3, 6):
        size = -(-abs(width) * bits // 32) * 4 * abs(height)
    end = offset + size
    if end > cursor.stop:
        raise ShortError(cursor.position)
    return end


def _is_bmp(source: Source) -> bool:
    head = source.head(30)
    header = int.from_bytes(head[14:18], "little")
    planes = head[22:24] if header == 12 else head[26:28]
    offset = int.from_bytes(head[10:14], "little")
    return head.startswith(b"BM") and header in (12, 40, 52, 56, 64, 108, 124) and planes == b"\x01\0" and offset >= 14 + header


READERS = (
    measured("png", png_end, heads=(b"\x89PNG\r\n\x1a\n",), tells=of_png),
    measured("jpeg", jpeg_end, heads=(b"\xff\xd8\xff",), tells=of_jpeg),
    measured("gif", gif_end, heads=(b"GIF87a", b"GIF89a"), tells=of_gif),
    measured("bmp", bmp_end, marks=((0, b"BM"),), claims=_is_bmp),
)
