"""A 7z archive: from its two headers to every file."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from toadstone.core.blob import Blob
from toadstone.core.budget import BudgetError
from toadstone.core.fact import Fact, Link
from toadstone.readers.member_names import folded, traverses, trick
from toadstone.readers.outside import link_escapes
from toadstone.readers.reader import Source
from toadstone.readers.sevenzip.coders import CoderError, Unpacked
from toadstone.readers.sevenzip.header import (
    ENCODED,
    END,
    FILES,
    HEADER,
    MAIN,
    PROPERTIES,
    File,
    Folder,
    HeaderError,
    Parser,
    Streams,
)
from toadstone.readers.unpack import collect

_START = 32
_HEADER = 64 << 20
_NESTED = 4
_LINK = 0o120000
_LINK_TEXT = 4096


class Archive:
    """Reads one archive.

    Args:
        source: Where it is; its coverage is claimed on the way.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.blob = source.blob
        self.seen: dict[str, tuple[int, int]] = {}
        self.folded: dict[str, str] = {}

    def facts(self) -> Iterator[Fact]:
        """Yield everything."""
        head = self.blob.read(0, _START)
        if len(head) < _START:
            yield self.source.unread("the file ends inside its first header")
            return
        self.source.coverage.read(0, _START)
        offset, size = int.from_bytes(head[12:20], "little"), int.from_bytes(head[20:28], "little")
        if zlib.crc32(head[12:32]) != int.from_bytes(head[8:12], "little"):
            yield self.source.anomaly("checksum-mismatch", "the first header does not match its checksum", 8)
        if not size:
            return
        if size > _HEADER or _START + offset + size > self.blob.size:
            yield self.source.unread(f"the header of {size:,} bytes at {_START + offset:,} is not there", 12)
            return
        data = self.blob.read(_START + offset, size)
        self.source.coverage.read(_START + offset, _START + offset + size)
        if zlib.crc32(data) != int.from_bytes(head[28:32], "little"):
            yield self.source.anomaly("checksum-mismatch", "the header does not match its checksum", _START + offset)
        try:
            yield from self.header(data)
        except HeaderError as error:
            yield self.source.unread(f"the header cannot be followed: {error}", _START + offset)

    def header(self, data: bytes) -> Iterator[Fact]:
        """Read a header, unpacking it first if it is packed."""
        for _ in range(_NESTED):
            self.source.budget.spend_steps(len(data))
            parser = Parser(data)
            kind = parser.number()
            if kind == HEADER:
                yield from self.contents(parser)
                return
            if kind != ENCODED:
                raise HeaderError(f"property {kind} where a header begins")
            streams = parser.streams()
            if len(streams.folders) != 1 or streams.folders[0].size > _HEADER or not streams.packed:
                raise HeaderError("the packed header is no single stream")
            start = _START + streams.position
            try:
                unpacked = Unpacked(self.blob, start, streams.packed[0], streams.folders[0], self.source.budget)
                data = b"".join(unpacked)
            except (CoderError, BudgetError) as error:
                self.source.coverage.read(start, start + streams.packed[0])
                yield self.source.unread(f"the list of files is {error}", start)
                return
            self.source.coverage.read(start, start + streams.packed[0])
            if unpacked.reason:
                raise HeaderError(f"its packed form is broken: {unpacked.reason}")
        raise HeaderError("packed more often than any archiver does")

    def contents(self, parser: Parser) -> Iterator[Fact]:
        """Read the parts of a plain header, then every file."""
        streams, files = Streams(), []
        while (kind := parser.number()) != END:
            if kind == MAIN:
                streams = parser.streams()
            elif kind == FILES:
                files = parser.files()
            elif kind == PROPERTIES:
                while parser.number() != END:
                    parser.bytes(parser.number())
            else:
                raise HeaderError(f"property {kind} in the header")
        for file in files:
            yield from self.name(file)
        yield from self.folders(streams, [file for file in files if not file.empty])

    def name(self, file: File) -> Iterator[Fact]:
        """Judge a name."""
        name = file.name
        if traverses(name):
            yield self.source.anomaly("path-traversal", f"{name[:200]!r} leads out of the folder it is unpacked into")
        if oddity := trick(name.rstrip("/")):
            yield self.source.anomaly("name-trick", f"{name[:200]!r} {oddity}")
        first = self.folded.setdefault(folded(name), name)
        if first != name:
            yield self.source.anomaly("name-collision", f"{first[:200]!r} and {name[:200]!r} are one name to some systems")

    def folders(self, streams: Streams, files: list[File]) -> Iterator[Fact]:
        """Unpack folder after folder; files take their content from them in order."""
        start = _START + streams.position
        packed = iter(streams.packed)
        waiting = iter(files)
        for folder in streams.folders:
            sizes = [next(packed, -1) for _ in range(folder.packed)]
            if -1 in sizes:
                raise HeaderError("fewer packed streams than folders take")
            inside = [(next(waiting, File(f"@{start}")), size, crc) for size, crc in folder.substreams]
            yield from self.folder(folder, start, sizes, inside)
            start += sum(sizes)

    def folder(self, folder: Folder, start: int, sizes: list[int], inside: list[tuple[File, int, int]]) -> Iterator[Fact]:
        """Unpack one folder."""
        stop = start + sum(sizes)
        self.source.coverage.read(start, stop)
        if stop > self.blob.size:
            yield self.source.unread(f"the file ends {stop - self.blob.size:,} bytes too early", start)
        names = ", ".join(file.name[:80] for file, _, _ in inside[:4])
        try:
            unpacked = Unpacked(self.blob, start, sizes[0], folder, self.source.budget)
        except CoderError as error:
            yield self.source.unread(f"{names or 'content'}: {error}", start, sum(sizes))
            return
        pieces = _Pieces(unpacked)
        for file, size, crc in inside:
            blob = collect(pieces.take(size))
            yield from self.file(file, blob, size, crc, pieces.crc)
            if blob.size < size:
                reason = unpacked.reason or "the stream ends too early"
                if "budget" in reason:
                    yield self.source.anomaly("expansion-bomb", f"{names!r} unpack to {folder.size:,} bytes", start)
                yield self.source.unread(f"{file.name[:200]!r} could not be unpacked whole: {reason}", start)
                return

    def file(self, file: File, blob: Blob, size: int, stated: int, crc: int) -> Iterator[Fact]:
        """Yield a file, and what is wrong with it."""
        name = file.name or "@"
        if blob.size == size and stated >= 0 and crc != stated:
            detail = f"{name[:200]!r} has CRC-32 {crc:08x} and declares {stated:08x}"
            yield self.source.anomaly("checksum-mismatch", detail)
        first = self.seen.setdefault(name, (size, crc))
        if first != (size, crc):
            yield self.source.anomaly("duplicate-member", f"{name[:200]!r} is there twice with different content")
        if file.attributes & 0x8000 and file.attributes >> 16 & 0o170000 == _LINK:
            target = blob.read(0, _LINK_TEXT).decode("utf-8", "replace")
            yield Link(self.source.place.inside(name), target, "symlink", link_escapes(name, target))
            if blob.size <= _LINK_TEXT and target.isprintable():
                return
        if blob.size:
            yield self.source.member(name, blob)


class _Pieces:
    """Cuts one stream into files."""

    def __init__(self, unpacked: Unpacked) -> None:
        self._pieces = iter(unpacked)
        self._rest = b""
        self.crc = 0

    def take(self, size: int) -> Iterator[bytes]:
        """Give the next ``size`` bytes; `crc` is their checksum afterwards."""
        self.crc = 0
        while size > 0:
            piece = self._rest or next(self._pieces, b"")
            if not piece:
                return
            self._rest = piece[size:]
            piece = piece[:size]
            size -= len(piece)
            self.crc = zlib.crc32(piece, self.crc)
            yield piece
