"""Sound and film: RIFF (WAV, AVI, WebP), ISO base media (MP4, HEIC), Ogg, MP3, FLAC.

Sources: RIFF (IBM/Microsoft 1991) and EBU Tech 3306 (RF64), ISO/IEC 14496-12, RFC 3533 (Ogg), ISO/IEC 11172-3 and ID3v2.4,
RFC 9639 (FLAC).
"""

from __future__ import annotations

import struct

from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.plain.measure import FormatError, measured
from toadstone.readers.reader import Source

_FORMS = frozenset({b"WAVE", b"AVI ", b"AVIX", b"WEBP", b"ACON", b"RMID", b"sfbk", b"PAL ", b"CDXA"})
_BOXES = frozenset(
    b"ftyp moov mdat free skip wide uuid moof mfra sidx ssix styp emsg meta pdin prft pnot udta junk idat imda".split(),
)
_BITRATES = (
    (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)
"""Kilobits a second: MPEG-1 layers I, II, III, then MPEG-2 layer I and layers II/III."""

_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def riff_end(cursor: Cursor, source: Source) -> int:
    """Walk RIFF chunks; long films consist of several."""
    while True:
        name = cursor.take(4)
        size = int.from_bytes(cursor.take(4), "little")
        if name in (b"RF64", b"BW64") and size == 0xFFFF_FFFF:
            size = int.from_bytes(cursor.blob.read(20, 8), "little")
        begin = cursor.position
        if cursor.take(4) not in _FORMS or size < 4:
            raise FormatError("a form that is not known")
        stop = begin + size
        if stop > cursor.stop:
            raise ShortError(cursor.position)
        _chunks(cursor, source, stop)
        cursor.position = min(stop + (size & 1), cursor.stop)
        if cursor.blob.read(cursor.position, 4) != b"RIFF" or cursor.blob.read(cursor.position + 8, 4) != b"AVIX":
            return cursor.position


def _chunks(cursor: Cursor, source: Source, stop: int) -> None:
    """Check that the chunks fill their form."""
    while cursor.position + 8 <= stop:
        name, size = struct.unpack("<4sI", cursor.take(8))
        if not all(32 <= byte < 127 for byte in name):
            raise FormatError(f"no chunk of a RIFF at {cursor.position - 8:,}")
        source.budget.spend_steps(1)
        if cursor.position + size > stop:
            if size == 0xFFFF_FFFF:  # RF64 keeps the real size elsewhere
                return
            raise FormatError("a chunk goes beyond its form")
        cursor.position = min(cursor.position + size + (size & 1), cursor.stop)


def media_end(cursor: Cursor, source: Source) -> int:
    """Walk the top-level boxes of an ISO media file."""
    while cursor.left >= 8:
        start = cursor.position
        size, name = struct.unpack(">I4s", cursor.take(8))
        if name not in _BOXES:
            return start
        source.budget.spend_steps(1)
        if size == 1:
            size = int.from_bytes(cursor.take(8), "big")
        if size == 0:
            return cursor.stop
        if size < cursor.position - start:
            raise FormatError(f"a box shorter than its own head at {start:,}")
        cursor.position = start
        cursor.skip(size)
    return cursor.position


def ogg_end(cursor: Cursor, source: Source) -> int:
    """Walk the pages of an Ogg stream."""
    while cursor.blob.read(cursor.position, 5) == b"OggS\0":
        count = cursor.take(27)[26]
        source.budget.spend_steps(1)
        cursor.skip(sum(cursor.take(count)))
    return cursor.position


def mp3_end(cursor: Cursor, source: Source) -> int:
    """Walk ID3v2 tags, audio frames and the tags behind them."""
    while (head := cursor.blob.read(cursor.position, 10))[:3] == b"ID3":
        cursor.skip(10 + _synchsafe(head[6:10]) + (10 if head[5:6] and head[5] & 0x10 else 0))
    cursor.position = _padding(cursor)
    frames = 0
    while cursor.left >= 4:
        buffer, index = cursor.buffered(4)
        size = _frame(buffer[index : index + 4])
        if not size or size > cursor.left:
            break
        frames += 1
        source.budget.spend_steps(1)
        cursor.skip(size)
    if not frames:
        raise FormatError("no audio frame")
    return _tags_behind(cursor)


def _padding(cursor: Cursor) -> int:
    """Give the offset behind zeros that some writers leave between tag and sound."""
    piece = cursor.blob.read(cursor.position, 1 << 16)
    zeros = len(piece) - len(piece.lstrip(b"\0"))
    return cursor.position + (zeros if zeros < len(piece) else 0)


def _tags_behind(cursor: Cursor) -> int:
    head = cursor.blob.read(cursor.position, 32)
    if head[:8] == b"APETAGEX":
        cursor.skip(min(int.from_bytes(head[12:16], "little") + 32, cursor.left))
    if cursor.left == 128 and cursor.blob.read(cursor.position, 3) == b"TAG":
        return cursor.stop
    return cursor.position


def _synchsafe(data: bytes) -> int:
    return sum((byte & 0x7F) << shift for byte, shift in zip(data, (21, 14, 7, 0), strict=False))


def _frame(head: bytes) -> int:
    """Give the size of an MPEG audio frame; 0 if it is none."""
    if head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bitrate, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return 0
    table = layer - 1 if version == 3 else (3 if layer == 1 else 4)
    kilobits, hertz = _BITRATES[table][bitrate], _RATES[version][rate]
    if layer == 1:
        return (12_000 * kilobits // hertz + padding) * 4
    return (72_000 if layer == 3 and version != 3 else 144_000) * kilobits // hertz + padding


def _is_mp3(source: Source) -> bool:
    """Whether an ID3 tag or four frames in a row begin here."""
    head = source.head(8)
    if head.startswith(b"ID3"):
        return len(head) > 4 and 2 <= head[3] <= 4
    position = 0
    for _ in range(4):
        head = source.blob.read(position, 4)
        size = _frame(head) if len(head) == 4 else 0
        if not size:
            return False
        position += size
    return True


def flac_end(cursor: Cursor, source: Source) -> int:
    """Walk the metadata of a FLAC file and bound its last frame.

    A frame's length is not stored. The stream says how many samples it has and how long a frame may be at most, so
    the sound ends at most that many bytes behind the last frame head; what is further away is not sound.
    """
    cursor.skip(4)
    longest = 0
    while True:
        head = cursor.take(4)
        size = int.from_bytes(head[1:], "big")
        if head[0] & 0x7F == 0 and size == 34:
            longest = int.from_bytes(cursor.blob.read(cursor.position + 7, 3), "big")
        source.budget.spend_steps(1)
        cursor.skip(size)
        if head[0] & 0x80:
            break
    last = cursor.position
    sync = cursor.blob.read(last, 2)
    if len(sync) == 2 and sync[0] == 0xFF and sync[1] & 0xFC == 0xF8:
        last = _last_frame(cursor, sync, last, longest or 1 << 20)
    return min(last + (longest or 1 << 20), cursor.stop)


def _last_frame(cursor: Cursor, sync: bytes, start: int, longest: int) -> int:
    """Go from frame head to frame head as long as the next one comes within the longest frame."""
    last = start
    position = start
    while position < cursor.stop:
        piece = cursor.blob.read(position, 1 << 20)
        index = piece.find(sync)
        while index >= 0:
            if position + index - last > longest:
                return last
            last = position + index
            index = piece.find(sync, index + 2)
        if position + len(piece) >= cursor.stop:
            break
        position += len(piece) - 1
    return last


READERS = (
    measured("riff", riff_end, heads=(b"RIFF", b"RF64", b"BW64")),
    measured("iso-media", media_end, marks=((4, b"ftyp"),), claims=lambda source: source.head(8)[4:] == b"ftyp"),
    measured("ogg", ogg_end, heads=(b"OggS\0",)),
    measured("mp3", mp3_end, marks=((0, b"ID3"), (0, b"\xff")), claims=_is_mp3),
    measured("flac", flac_end, heads=(b"fLaC",)),
)
