"""Zstandard frames (RFC 8878): where each one ends and what it needs, read from headers alone, and their content.

The bounded reader of the zstandard library does not tell how much of its input belonged to a frame, and its unbounded
one gives up to 32,768 bytes for each byte it is fed. So the frames are measured here and unpacked there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, cast

from toadstone.core.blob import Blob
from toadstone.core.record import dataclass

if TYPE_CHECKING:
    from typing import IO

MAGIC: Final = b"\x28\xb5\x2f\xfd"
WINDOW: Final = 128 << 20
"""Largest window that is followed; the reference decoder has the same limit unless told otherwise."""

_BUFFER = 64 << 10
_BLOCKS = 1 << 20
_BLOCK_MEAN = 64
_FRAMES = 10_000
_FRAME_MEAN = 256


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame.

    Attributes:
        start: Where it begins.
        stop: Where it ends, or where the data end.
        data: Where the first block begins; for a skippable frame, its user data.
        skippable: Whether it holds user data that decoders step over.
        whole: Whether it is all there and its block headers are valid.
        dictionary: Id of the dictionary that is needed, or 0.
        window: Bytes that a decoder must keep.
    """

    start: int
    stop: int
    data: int
    skippable: bool
    whole: bool
    dictionary: int = 0
    window: int = 0


def frames(blob: Blob, start: int, stop: int) -> Iterator[Frame]:
    """Give the frames that follow each other from ``start``."""
    stop = min(stop, blob.size)
    while start < stop:
        head = blob.read(start, 18)
        if head[:4] == MAGIC:
            frame = _frame(blob, start, stop, head)
        elif len(head) >= 8 and head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5:
            end = start + 8 + int.from_bytes(head[4:8], "little")
            frame = Frame(start, min(end, stop), start + 8, skippable=True, whole=end <= stop)
        else:
            return
        yield frame
        if not frame.whole:
            return
        start = frame.stop


def _frame(blob: Blob, start: int, stop: int, head: bytes) -> Frame:
    descriptor = head[4] if len(head) > 4 else 0xFF
    single = bool(descriptor & 0x20)
    sizes = ((0, 1, 2, 4)[descriptor & 3], (1 if single else 0, 2, 4, 8)[descriptor >> 6])
    position = 5 + (0 if single else 1)
    data = position + sum(sizes)
    if len(head) < data or descriptor & 8:
        return Frame(start, stop, start, skippable=False, whole=False)
    dictionary = int.from_bytes(head[position : position + sizes[0]], "little")
    if single:
        window = int.from_bytes(head[position + sizes[0] : data], "little") + (256 if sizes[1] == 2 else 0)
    else:
        base = 1 << (10 + (head[5] >> 3))
        window = base + base // 8 * (head[5] & 7)
    end = _blocks_end(blob, start + data, stop)
    if end >= 0 and descriptor & 4:
        end = end + 4 if end + 4 <= stop else -1
    whole = end >= 0
    return Frame(start, end if whole else stop, start + data, skippable=False, whole=whole, dictionary=dictionary, window=window)


def _blocks_end(blob: Blob, position: int, stop: int) -> int:
    """Follow block headers to the end of the last block; -1 if one is invalid or missing."""
    buffer, origin, begin, count = b"", position, position, 0
    while True:
        count += 1
        if count > _BLOCKS and position - begin < count * _BLOCK_MEAN:
            return -1  # no encoder makes a million blocks of a few bytes; walking them is all they are for
        at = position - origin
        if at + 3 > len(buffer):
            buffer, origin, at = blob.read(position, min(_BUFFER, stop - position)), position, 0
            if len(buffer) < 3:
                return -1
        word = buffer[at] | buffer[at + 1] << 8 | buffer[at + 2] << 16
        kind = word >> 1 & 3
        if kind == 3:
            return -1
        position += 3 + (1 if kind == 1 else word >> 3)
        if position > stop:
            return -1
        if word & 1:
            return position


class Zstd:
    """Unpacks all frames of ``blob[start:stop]``, one after the other (a `toadstone.readers.unpack.Decoder`)."""

    def __init__(self, blob: Blob, start: int, stop: int) -> None:
        self._blob = blob
        self._start = start
        self._frames = frames(blob, start, stop)
        self._frame: Frame | None = None
        self._count = 0
        self._reader: IO[bytes] | None = None
        self._feed: _Feed | None = None
        self.ended = False
        self.consumed = 0

    def read(self, limit: int) -> bytes:
        while True:
            if self._reader is not None:
                piece = self._reader.read(limit)
                if piece:
                    self.consumed = self._feed.position - self._start if self._feed else 0
                    return piece
                self._reader = None
                if not self._finished():
                    return b""
            frame = next(self._frames, None)
            if frame is None:
                return b""
            self._frame = frame
            self._count += 1
            if self._count > _FRAMES and frame.start - self._start < self._count * _FRAME_MEAN:
                raise ValueError(f"more than {_FRAMES:,} frames of a few bytes")
            self.ended = False
            if not frame.skippable:
                self._open(frame)
            elif not self._finished():
                return b""

    def _finished(self) -> bool:
        """Note the end of the current frame; false if it is not whole."""
        frame = self._frame
        assert frame is not None  # set before anything is read
        self.consumed = frame.stop - self._start
        self.ended = frame.whole
        return frame.whole

    def _open(self, frame: Frame) -> None:
        if frame.dictionary:
            raise ValueError(f"it needs the dictionary {frame.dictionary}, which is not here")
        if frame.window > WINDOW:
            raise ValueError(f"it needs a window of {frame.window:,} bytes, more than is followed")
        import zstandard  # noqa: PLC0415  (not at start-up: only zstd content needs it)

        self._feed = _Feed(self._blob, frame.start, frame.stop)
        part = cast("IO[bytes]", self._feed)
        inner = zstandard.ZstdDecompressor(max_window_size=WINDOW)
        self._reader = cast("IO[bytes]", inner.stream_reader(part, read_size=_BUFFER, read_across_frames=False))


class _Feed:
    """A file object over a part of a blob, as much of one as the library needs."""

    def __init__(self, blob: Blob, start: int, stop: int) -> None:
        self._blob = blob
        self.position = start
        self._stop = stop

    def read(self, size: int = -1) -> bytes:
        room = self._stop - self.position
        data = self._blob.read(self.position, room if size < 0 else min(size, room))
        self.position += len(data)
        return data
