"""Streaming decompression in bounded memory, shared by the zip reader and the readers of compressed files.

A `Stream` gives what can be unpacked, in pieces, and says afterwards how it ended: at its end mark, cut, broken, or
stopped by the budget. What came out before a defect is given too, to the last byte, because a loader that reads in
small steps has acted on it by the time it meets the defect.
"""

from __future__ import annotations

import enum
import sys
import zlib
from collections.abc import Callable, Iterator
from itertools import chain

from toadstone.core.blob import Blob, BytesBlob, SpooledBlob, Window
from toadstone.core.budget import DENSE, Budget, BudgetError

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import Protocol

    from lz4.frame import LZ4FrameDecompressor
else:
    Protocol = object

_INPUT = 64 << 10
_OUTPUT = 256 << 10
_IN_MEMORY = 1 << 20
_CREDIT = 8 << 20
"""Bytes of output that what has been read so far may still stand for: decoders read ahead, and content is uneven."""

_REPLAYED = 16 << 20
"""A broken stream is unpacked a second time in small steps if at most this much had come out."""

AFTER_BOMB = 1 << 20
"""Bytes of the beginning of a bomb that are looked into; the rest is unread."""

STEPS_AFTER_BOMB = 2_000_000
"""Steps that looking into it may take: the verdict stands."""

MEMORY_LIMIT = 160 << 20
"""What one LZMA decoder may ask for; ``xz -9`` needs 65 MiB."""


class Outcome(enum.Enum):
    """How a stream ended."""

    ENDED = "ended"
    CUT = "cut"
    BROKEN = "broken"
    BUDGET = "budget"


class Decoder(Protocol):
    """Pulls packed bytes by itself and gives at most ``limit`` unpacked ones; ``b""`` when there are no more.

    Attributes:
        ended: Whether the end mark was met.
        consumed: Packed bytes that were taken so far; after the end mark those that belong to the stream.
    """

    ended: bool
    consumed: int

    def read(self, limit: int) -> bytes: ...


Maker = Callable[[Blob, int, int], Decoder]
"""Makes a decoder of ``blob[start:stop]``."""


class Stream:
    """The unpacked form of ``blob[start:stop]``, given piece by piece.

    Attributes:
        consumed: Packed bytes that belong to the stream (known after it ended).
        produced: Unpacked bytes that were given.
        crc: CRC-32 of them.
        outcome: How it ended; `Outcome.CUT` until then.
        reason: What was wrong, one sentence; empty if nothing was.
    """

    def __init__(self, maker: Maker, blob: Blob, start: int, stop: int, budget: Budget) -> None:
        self._maker = maker
        self._blob = blob
        self._start = start
        self._stop = stop
        self._budget = budget
        self._credit = 0
        self._fed = 0
        self.consumed = 0
        self.produced = 0
        self.crc = 0
        self.outcome = Outcome.CUT
        self.reason = ""

    def __iter__(self) -> Iterator[bytes]:
        decoder: Decoder | None = None
        try:
            decoder = self._maker(self._blob, self._start, self._stop)
            while piece := decoder.read(_OUTPUT):
                yield self._account(piece, decoder)
        except BudgetError as error:
            self.outcome, self.reason = Outcome.BUDGET, str(error)
        except _errors() as error:
            self.outcome, self.reason = Outcome.BROKEN, _sentence(error)
            yield from self._rest_before_defect()
        else:
            self.outcome = Outcome.ENDED if decoder.ended else Outcome.CUT
            self.reason = "" if decoder.ended else "the stream stops before its end mark"
        self.consumed = decoder.consumed if decoder is not None else 0

    def _account(self, piece: bytes, decoder: Decoder) -> bytes:
        self._credit = min(self._credit + DENSE * max(decoder.consumed - self._fed, 0), _CREDIT)
        self._fed = max(decoder.consumed, self._fed)
        dense = min(len(piece), self._credit)
        self._credit -= dense
        self._budget.spend_expand(dense, len(piece) - dense)
        self.produced += len(piece)
        self.crc = zlib.crc32(piece, self.crc)
        return piece

    def _rest_before_defect(self) -> Iterator[bytes]:
        """Unpack once more up to where it broke, then in steps of one byte: a decoder drops its last piece on an error."""
        if self.produced > _REPLAYED:
            return
        known = self.produced
        try:
            decoder = self._maker(self._blob, self._start, self._stop)
            skipped = 0
            while skipped < known and (piece := decoder.read(min(_OUTPUT, known - skipped))):
                skipped += len(piece)
            while piece := decoder.read(1):
                yield self._account(piece, decoder)
        except BudgetError as error:
            self.outcome, self.reason = Outcome.BUDGET, str(error)
        except _errors():
            return


def _errors() -> tuple[type[BaseException], ...]:
    """What decoders raise for bad input; asked only after one did, so that no library is loaded for its errors."""
    found: tuple[type[BaseException], ...] = (zlib.error, OSError, EOFError, ValueError, RuntimeError, MemoryError)
    for name, error in (("lzma", "LZMAError"), ("zstandard", "ZstdError")):
        if name in sys.modules:
            found += (getattr(sys.modules[name], error),)
    return found


def _sentence(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:120]


class _Pushed(Protocol):
    """The shape of `bz2.BZ2Decompressor`."""

    @property
    def needs_input(self) -> bool: ...
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes, limit: int, /) -> bytes: ...


class _Push:
    """Drives a decoder that wants to be fed."""

    def __init__(self, inner: _Pushed, blob: Blob, start: int, stop: int) -> None:
        self._inner = inner
        self._blob = blob
        self._start = start
        self._position = start
        self._stop = min(stop, blob.size)
        self.ended = False
        self.consumed = 0

    def read(self, limit: int) -> bytes:
        while not self.ended:
            data = b""
            if self._inner.needs_input:
                data = self._blob.read(self._position, min(_INPUT, self._stop - self._position))
                self._position += len(data)
            piece = self._inner.decompress(data, limit)
            self.consumed = self._position - self._start
            if self._inner.eof:
                self.ended = True
                self.consumed -= len(self._inner.unused_data or b"")
            if piece:
                return piece
            if not data and self._inner.needs_input:
                break
        return b""


class _Zlib:
    """`zlib.decompressobj` in the shape of `bz2.BZ2Decompressor`."""

    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, limit: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, limit)


def deflate(blob: Blob, start: int, stop: int) -> Decoder:
    """Raw DEFLATE (RFC 1951)."""
    return _Push(_Zlib(-15), blob, start, stop)


def zlib_stream(blob: Blob, start: int, stop: int) -> Decoder:
    """DEFLATE in a zlib envelope (RFC 1950)."""
    return _Push(_Zlib(15), blob, start, stop)


def bzip2(blob: Blob, start: int, stop: int) -> Decoder:
    """One bzip2 stream."""
    import bz2  # noqa: PLC0415  (as every library here: loaded when there is such content)

    return _Push(bz2.BZ2Decompressor(), blob, start, stop)


def xz(blob: Blob, start: int, stop: int) -> Decoder:
    """One .xz stream."""
    import lzma  # noqa: PLC0415

    return _Push(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY_LIMIT), blob, start, stop)


def lzma_alone(blob: Blob, start: int, stop: int) -> Decoder:
    """One stream of the old .lzma format."""
    import lzma  # noqa: PLC0415

    return _Push(lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=MEMORY_LIMIT), blob, start, stop)


def lzma2(blob: Blob, start: int, stop: int) -> Decoder:
    """LZMA2 without a container, with the dictionary of preset 6."""
    import lzma  # noqa: PLC0415

    chosen = {"id": lzma.FILTER_LZMA2, "preset": 6}
    return _Push(lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chosen]), blob, start, stop)


def zip_lzma(blob: Blob, start: int, stop: int) -> Decoder:
    """LZMA as zip carries it (APPNOTE 5.8): version, size of the properties, properties, stream.

    Raises:
        ValueError: If the properties make no sense.
    """
    import lzma  # noqa: PLC0415

    head = blob.read(start, 9)
    if len(head) < 9 or head[2:4] != b"\x05\x00":
        raise ValueError("the LZMA properties are malformed")
    code, size = head[4], int.from_bytes(head[5:9], "little")
    if code >= 9 * 5 * 5:
        raise ValueError("the LZMA properties are out of range")
    if size > MEMORY_LIMIT:
        raise ValueError("the LZMA dictionary is larger than is followed")
    chosen = {"id": lzma.FILTER_LZMA1, "dict_size": size, "lc": code % 9, "lp": code // 9 % 5, "pb": code // 45}
    inner = _Push(lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[chosen]), blob, start + 9, stop)
    return _Shifted(inner, 9)


class _Shifted:
    """A decoder whose packed bytes begin a little later than the member."""

    def __init__(self, inner: Decoder, by: int) -> None:
        self._inner = inner
        self._by = by
        self.ended = False
        self.consumed = by

    def read(self, limit: int) -> bytes:
        piece = self._inner.read(limit)
        self.ended = self._inner.ended
        self.consumed = self._inner.consumed + self._by
        return piece


def zstd(blob: Blob, start: int, stop: int) -> Decoder:
    """Zstandard frames (RFC 8878), one after the other."""
    from toadstone.readers.zstd_frames import Zstd  # noqa: PLC0415

    return Zstd(blob, start, stop)


def lz4_frame(blob: Blob, start: int, stop: int) -> Decoder:
    """One LZ4 frame."""
    import lz4.frame  # noqa: PLC0415  (optional at start-up: only lz4 content needs it)

    return _Push(_Lz4(lz4.frame.LZ4FrameDecompressor()), blob, start, stop)


class _Lz4:
    """`lz4.frame.LZ4FrameDecompressor`, which dislikes an empty last piece."""

    def __init__(self, inner: LZ4FrameDecompressor) -> None:
        self._inner = inner

    @property
    def needs_input(self) -> bool:
        return bool(self._inner.needs_input)

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def unused_data(self) -> bytes | None:
        return bytes(self._inner.unused_data or b"") or None

    def decompress(self, data: bytes, limit: int) -> bytes:
        if not data and self._inner.needs_input:
            return b""
        return bytes(self._inner.decompress(data, max_length=limit))


class Beginning(Window):
    """The beginning of a bomb; closes the whole."""

    def __init__(self, whole: Blob) -> None:
        super().__init__(whole, 0, min(whole.size, AFTER_BOMB))

    def close(self) -> None:
        self._parent.close()


def collect(pieces: Iterator[bytes]) -> Blob:
    """Keep unpacked content: in memory while small, in a temporary file otherwise."""
    kept: list[bytes] = []
    size = 0
    for piece in pieces:
        kept.append(piece)
        size += len(piece)
        if size > _IN_MEMORY:
            return SpooledBlob(chain(kept, pieces))
    return BytesBlob(b"".join(kept))
