"""How compressed files are unpacked: all their streams, what stands between them, what their trailers promise."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.core.record import dataclass
from toadstone.readers.compressed import LZ4, is_bzip2
from toadstone.readers.reader import Source
from toadstone.readers.unpack import (
    AFTER_BOMB,
    STEPS_AFTER_BOMB,
    Beginning,
    Maker,
    Outcome,
    Stream,
    bzip2,
    collect,
    deflate,
    lz4_frame,
    lzma_alone,
    xz,
    zlib_stream,
    zstd,
)

_INNER_SUFFIXES = {".tgz": ".tar", ".tbz": ".tar", ".tbz2": ".tar", ".txz": ".tar", ".tzst": ".tar", ".svgz": ".svg"}
_OUTER_SUFFIXES = frozenset(
    [".gz", ".gzip", ".z", ".zlib", ".bz2", ".bz", ".xz", ".lzma", ".zst", ".zstd", ".lz4", ".zf"],
)

_STREAM_STEPS = 200
"""What one more stream costs, so that a file of millions of empty ones ends early; blocked gzip stays far below."""

_GZIP_TEXT = 1 << 16


@dataclass
class _Part:
    """One stream of a file: where it stands, how it unpacks, what its trailer promises.

    Attributes:
        begin: Where its header begins.
        start: Where the packed content begins.
        maker: How it is unpacked.
        trailer: Bytes after the packed content that belong to the stream.
        checked: Whether the trailer is gzip's checksum and size.
    """

    begin: int
    start: int
    maker: Maker
    trailer: int = 0
    checked: bool = False


class _Unpacking:
    """Unpacks all streams of a file one after the other and keeps what has to be told about them."""

    def __init__(self, source: Source, kind: str) -> None:
        self._source = source
        self._kind = kind
        self.facts: list[Fact] = []
        self.gap = ""
        self.produced = 0
        self.bomb = False

    def pieces(self) -> Iterator[bytes]:
        """Give the unpacked content of all streams."""
        position = 0
        while (part := _PARTS[self._kind](self._source, position)) is not None:
            self._source.budget.steps -= _STREAM_STEPS
            if self._source.budget.steps < 0:
                self.gap = "more streams than the budget allows"
                self.bomb = True
                self._source.coverage.read(position, self._source.blob.size)
                return
            stream = Stream(part.maker, self._source.blob, part.start, self._source.blob.size, self._source.budget)
            for piece in stream:
                self.produced += len(piece)
                yield piece
            self._source.coverage.read(part.begin, part.start + stream.consumed)
            position = self._ended(part, stream)
            if stream.outcome is not Outcome.ENDED:
                return

    def _ended(self, part: _Part, stream: Stream) -> int:
        source = self._source
        end = part.start + stream.consumed
        if stream.outcome is not Outcome.ENDED:
            self.gap = stream.reason
            self.bomb = stream.outcome is Outcome.BUDGET
            source.coverage.read(end, source.blob.size)
            return source.blob.size
        trailer = source.blob.read(end, part.trailer)
        if len(trailer) < part.trailer:
            self.facts.append(source.anomaly("malformed", "the file ends inside the stream's trailer", end))
        elif part.checked:
            crc, size = int.from_bytes(trailer[:4], "little"), int.from_bytes(trailer[4:], "little")
            if (crc, size) != (stream.crc, stream.produced & 0xFFFFFFFF):
                told = f"the trailer says {crc:08x} and {size:,}"
                detail = f"the content has CRC-32 {stream.crc:08x} and {stream.produced:,} bytes, {told}"
                self.facts.append(source.anomaly("checksum-mismatch", detail, end))
        source.coverage.read(end, end + len(trailer))
        return end + len(trailer)


def facts(source: Source, kind: str) -> Iterator[Fact]:
    """Yield the content of all streams of a file of the given format, and what is wrong with them."""
    unpacking = _Unpacking(source, kind)
    content = collect(unpacking.pieces())
    yield from unpacking.facts
    if kind == "gzip":
        yield from _gzip_extras(source)
    elif kind == "zstd":
        yield from _zstd_skippable(source)
    if unpacking.bomb:
        detail = f"{source.blob.size:,} bytes unpack to more than {unpacking.produced:,}"
        yield source.anomaly("expansion-bomb", detail, 0)
        source.budget.steps = min(source.budget.steps, STEPS_AFTER_BOMB)
    elif unpacking.gap:
        yield source.anomaly("malformed", f"the {kind} stream is broken: {unpacking.gap}", 0)
    if content.size:
        followed = Beginning(content) if unpacking.bomb else content
        yield source.member(_inner_name(source, kind), followed)
    else:
        content.close()
    if unpacking.gap:
        read = f"; {AFTER_BOMB >> 20} MiB of them were looked into" if unpacking.bomb and content.size > AFTER_BOMB else ""
        yield source.unread(f"unpacking stopped after {unpacking.produced:,} bytes: {unpacking.gap}{read}")


def _inner_name(source: Source, kind: str) -> str:
    """Name the content: the file's name without its suffix, or what gzip remembers, or ``content``."""
    base = source.name.rsplit("/", 1)[-1]
    suffix = source.suffix
    stem = base[: len(base) - len(suffix)]
    if suffix in _INNER_SUFFIXES:
        return stem + _INNER_SUFFIXES[suffix]
    if suffix in _OUTER_SUFFIXES and stem:
        return stem
    if kind == "gzip" and (header := _gzip_header(source, 0)) is not None and header.name:
        return header.name.rsplit("/", 1)[-1] or "content"
    return "content"


# -- gzip -------------------------------------------------------------------------------------------------------------


@dataclass
class _GzipHeader:
    """A gzip header (RFC 1952 2.3): where each optional field stands and where the content begins."""

    stop: int
    name: str = ""
    extra: tuple[int, int] = (0, 0)
    comment: tuple[int, int] = (0, 0)


def _gzip_header(source: Source, offset: int) -> _GzipHeader | None:
    blob = source.blob
    head = blob.read(offset, 10)
    if len(head) < 10 or head[:3] != b"\x1f\x8b\x08":
        return None
    flags = head[3]
    header = _GzipHeader(offset + 10)
    if flags & 4:
        size = int.from_bytes(blob.read(header.stop, 2), "little")
        header.extra = (header.stop + 2, header.stop + 2 + size)
        header.stop += 2 + size
    for bit in (8, 16):
        if flags & bit:
            text = blob.read(header.stop, _GZIP_TEXT)
            length = text.find(b"\0")
            if length < 0:
                return None
            if bit == 8:
                header.name = text[:length].decode("latin-1")
            else:
                header.comment = (header.stop, header.stop + length)
            header.stop += length + 1
    header.stop += 2 if flags & 2 else 0
    return header


def _gzip_part(source: Source, position: int) -> _Part | None:
    """Find the next member; zeros between members are padding (RFC 1952 says nothing, gzip and Python step over them)."""
    if position and not source.blob.read(position, 1).strip(b"\0"):
        for chunk in source.blob.chunks(position):
            kept = chunk.lstrip(b"\0")
            position += len(chunk) - len(kept)
            if kept:
                break
    header = _gzip_header(source, position)
    return _Part(position, header.stop, deflate, trailer=8, checked=True) if header is not None else None


def _gzip_extras(source: Source) -> Iterator[Fact]:
    """Yield the first header's own fields: they are content like any other."""
    header = _gzip_header(source, 0)
    if header is None:
        return
    for name, (start, stop) in (("@extra", header.extra), ("@comment", header.comment)):
        if stop - start > _BGZF_EXTRA:
            yield source.member(name, source.blob.window(start, stop - start))


_BGZF_EXTRA = 6
"""Blocked gzip (used for large tables) marks each member with an extra field of this size: its own length."""

# -- the others -------------------------------------------------------------------------------------------------------


def _bzip2_part(source: Source, position: int) -> _Part | None:
    return _Part(position, position, bzip2) if is_bzip2(source.blob.read(position, 10)) else None


def _xz_part(source: Source, position: int) -> _Part | None:
    """Find the next stream; streams may be padded by a multiple of four zeros."""
    if position and source.blob.read(position, 4) == bytes(4):
        begin = position
        for chunk in source.blob.chunks(position):
            kept = chunk.lstrip(b"\0")
            position += len(chunk) - len(kept)
            if kept:
                break
        position -= (position - begin) % 4
    return _Part(position, position, xz) if source.blob.read(position, 6) == b"\xfd7zXZ\x00" else None


def _lzma_part(_: Source, position: int) -> _Part | None:
    return _Part(position, position, lzma_alone) if position == 0 else None


def _zlib_part(_: Source, position: int) -> _Part | None:
    return _Part(position, position, zlib_stream) if position == 0 else None


def _zf_part(source: Source, position: int) -> _Part | None:
    """Find the stream of joblib up to 0.9: ``ZF``, the length in hexadecimal padded to 19 (Python 2: 20) characters, zlib."""
    if position:
        return None
    start = 21 + (source.blob.read(21, 1) == b" ")
    return _Part(0, start, zlib_stream)


def _zstd_part(_: Source, position: int) -> _Part | None:
    return _Part(position, position, zstd) if position == 0 else None


def _zstd_skippable(source: Source) -> Iterator[Fact]:
    """Yield what skippable frames carry: decoders step over it, so anything can be there."""
    from toadstone.readers.zstd_frames import frames  # noqa: PLC0415  (not at start-up)

    for number, frame in enumerate(frames(source.blob, 0, source.blob.size)):
        if number >= _SKIPPABLE_TOLD:
            yield source.unread(f"more than {_SKIPPABLE_TOLD:,} frames; skippable ones among the rest were not looked into")
            return
        if frame.skippable and frame.stop > frame.data:
            yield source.member(f"@skippable {number}", source.blob.window(frame.data, frame.stop - frame.data))


_SKIPPABLE_TOLD = 1000


def _lz4_part(source: Source, position: int) -> _Part | None:
    while (head := source.blob.read(position, 8))[1:4] == b"\x2a\x4d\x18" and len(head) == 8 and head[0] >> 4 == 5:
        position += 8 + int.from_bytes(head[4:8], "little")
    return _Part(position, position, lz4_frame) if head[:4] == LZ4 else None


_PARTS = {
    "gzip": _gzip_part,
    "zlib": _zlib_part,
    "bzip2": _bzip2_part,
    "xz": _xz_part,
    "lzma": _lzma_part,
    "zstd": _zstd_part,
    "lz4": _lz4_part,
    "joblib-zf": _zf_part,
}
