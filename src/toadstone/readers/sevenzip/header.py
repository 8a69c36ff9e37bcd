"""The header of a 7z archive: which streams are packed how, and which files they hold. Every count is checked."""

from __future__ import annotations

from toadstone.core.record import dataclass, field

END, HEADER, PROPERTIES, ADDITIONAL, MAIN, FILES, PACK, UNPACK, SUBSTREAMS, SIZE, CRC, FOLDER, UNPACK_SIZE, NUMBERS = range(14)
EMPTY_STREAM, EMPTY_FILE, ANTI, NAMES, ATTRIBUTES, ENCODED, DUMMY = 0x0E, 0x0F, 0x10, 0x11, 0x15, 0x17, 0x19

_CODERS = 16
"""Coders of one folder; 7-Zip itself makes at most four."""


class HeaderError(ValueError):
    """The header contradicts itself or ends too early."""


@dataclass
class Coder:
    """One step of unpacking: identifier, properties, and how many streams go in and out."""

    identifier: bytes
    properties: bytes
    inputs: int = 1
    outputs: int = 1


@dataclass
class Folder:
    """A chain of coders with its packed streams and its size after each coder.

    Attributes:
        coders: As written: the first one gives the content.
        binds: Pairs of coder streams, in and out.
        packed: Number of packed streams that it takes.
        sizes: Unpacked sizes, one for each output.
        crc: Of the whole content; -1 if it is not stated.
        substreams: Sizes and checksums of the files in it.
    """

    coders: list[Coder]
    binds: list[tuple[int, int]]
    packed: int
    sizes: list[int] = field(default_factory=list)
    crc: int = -1
    substreams: list[tuple[int, int]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Unpacked size of the whole: of the output that no other coder takes."""
        taken = {out for _, out in self.binds}
        return next((size for index, size in enumerate(self.sizes) if index not in taken), 0)


@dataclass
class Streams:
    """Packed streams and how they are unpacked."""

    position: int = 0
    packed: list[int] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)


@dataclass
class File:
    """A file of the archive."""

    name: str = ""
    empty: bool = False
    folder: bool = False
    anti: bool = False
    attributes: int = 0


class Parser:
    """Reads forward through a header that is in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def byte(self) -> int:
        """Read one byte."""
        return self.bytes(1)[0]

    def bytes(self, size: int) -> bytes:
        """Read exactly ``size`` bytes."""
        if size < 0 or size > len(self.data) - self.position:
            raise HeaderError("the header ends too early")
        self.position += size
        return self.data[self.position - size : self.position]

    def number(self) -> int:
        """Read a number of one to nine bytes."""
        first = self.byte()
        mask, value = 0x80, 0
        for index in range(8):
            if not first & mask:
                return value | (first & (mask - 1)) << (8 * index)
            value |= self.byte() << (8 * index)
            mask >>= 1
        return value

    def count(self, least: int = 1) -> int:
        """Read a number of things that take at least ``least`` bits each in what is left of the header."""
        value = self.number()
        if value * least > 8 * (len(self.data) - self.position) + 64:
            raise HeaderError(f"{value:,} entries in {len(self.data) - self.position:,} bytes")
        return value

    def bits(self, count: int) -> list[bool]:
        """Read a row of bits."""
        raw = self.bytes(-(-count // 8))
        return [bool(raw[index >> 3] & 0x80 >> (index & 7)) for index in range(count)]

    def defined(self, count: int) -> list[bool]:
        """Read which of ``count`` values are there: all, or a row of bits."""
        return [True] * count if self.byte() else self.bits(count)

    def checksums(self, count: int) -> list[int]:
        """Read ``count`` checksums; -1 for those that are not stated."""
        return [int.from_bytes(self.bytes(4), "little") if there else -1 for there in self.defined(count)]

    def streams(self) -> Streams:
        """Read ``StreamsInfo``."""
        streams = Streams()
        while (kind := self.number()) != END:
            if kind == PACK:
                self._pack(streams)
            elif kind == UNPACK:
                self._unpack(streams)
            elif kind == SUBSTREAMS:
                self._substreams(streams)
            else:
                raise HeaderError(f"property {kind} among the streams")
        for folder in streams.folders:
            if not folder.substreams and folder.size:
                folder.substreams = [(folder.size, folder.crc)]
        return streams

    def _pack(self, streams: Streams) -> None:
        streams.position = self.number()
        count = self.count(8)
        while (kind := self.number()) != END:
            if kind == SIZE:
                streams.packed = [self.number() for _ in range(count)]
            elif kind == CRC:
                self.checksums(count)
            else:
                raise HeaderError(f"property {kind} among the packed streams")

    def _unpack(self, streams: Streams) -> None:
        if self.number() != FOLDER:
            raise HeaderError("no folders")
        count = self.count(8)
        if self.byte():
            raise HeaderError("folders are described elsewhere")
        streams.folders = [self._folder() for _ in range(count)]
        while (kind := self.number()) != END:
            if kind == UNPACK_SIZE:
                for folder in streams.folders:
                    folder.sizes = [self.number() for coder in folder.coders for _ in range(coder.outputs)]
            elif kind == CRC:
                for folder, crc in zip(streams.folders, self.checksums(count), strict=True):
                    folder.crc = crc
            else:
                raise HeaderError(f"property {kind} among the folders")

    def _folder(self) -> Folder:
        coders: list[Coder] = []
        count = self.number()
        if not 0 < count <= _CODERS:
            raise HeaderError(f"{count} coders")
        for _ in range(count):
            flags = self.byte()
            coder = Coder(self.bytes(flags & 15), b"")
            if flags & 0x10:
                coder.inputs, coder.outputs = self.number(), self.number()
            if flags & 0x20:
                coder.properties = self.bytes(self.number())
            if flags & 0x80 or not 0 < coder.inputs <= _CODERS or coder.outputs != 1:
                raise HeaderError("a coder that is not described as any known one")
            coders.append(coder)
        inputs = sum(coder.inputs for coder in coders)
        binds = [(self.number(), self.number()) for _ in range(count - 1)]
        packed = inputs - len(binds)
        if packed < 1:
            raise HeaderError("a folder without packed streams")
        if packed > 1:
            for _ in range(packed):
                self.number()
        return Folder(coders, binds, packed)

    def _substreams(self, streams: Streams) -> None:
        counts = [1] * len(streams.folders)
        kind = self.number()
        if kind == NUMBERS:
            counts = [self.count(0) for _ in streams.folders]
            if sum(counts) > len(self.data) * 8:
                raise HeaderError(f"{sum(counts):,} files in a header of {len(self.data):,} bytes")
            kind = self.number()
        sizes: list[list[int]] = []
        for folder, count in zip(streams.folders, counts, strict=True):
            stated = [self.number() for _ in range(count - 1)] if kind == SIZE else [0] * (count - 1)
            sizes.append([*stated, folder.size - sum(stated)] if count else [])
            if count and folder.size < sum(stated):
                raise HeaderError("files that are larger than what holds them")
        if kind == SIZE:
            kind = self.number()
        unknown = sum(count for folder, count in zip(streams.folders, counts, strict=True) if count != 1 or folder.crc < 0)
        found = iter(self.checksums(unknown) if kind == CRC else [-1] * unknown)
        if kind == CRC:
            kind = self.number()
        if kind != END:
            raise HeaderError(f"property {kind} among the substreams")
        for folder, row in zip(streams.folders, sizes, strict=True):
            known = len(row) == 1 and folder.crc >= 0
            folder.substreams = [(size, folder.crc if known else next(found)) for size in row]

    def files(self) -> list[File]:
        """Read ``FilesInfo``."""
        files = [File() for _ in range(self.count(8))]
        while (kind := self.number()) != END:
            size = self.number()
            inner = Parser(self.bytes(size))
            if kind == EMPTY_STREAM:
                for file, empty in zip(files, inner.bits(len(files)), strict=True):
                    file.empty = file.folder = empty
            elif kind in (EMPTY_FILE, ANTI):
                hollow = [file for file in files if file.empty]
                for file, bit in zip(hollow, inner.bits(len(hollow)), strict=True):
                    file.folder = file.folder and not (kind == EMPTY_FILE and bit)
                    file.anti = file.anti or (kind == ANTI and bit)
            elif kind == NAMES:
                _names(inner, files)
            elif kind == ATTRIBUTES:
                there = inner.defined(len(files))
                if inner.byte():
                    raise HeaderError("attributes are described elsewhere")
                for file, stated in zip(files, there, strict=True):
                    file.attributes = int.from_bytes(inner.bytes(4), "little") if stated else 0
        return files


def _names(inner: Parser, files: list[File]) -> None:
    if inner.byte():
        raise HeaderError("names are described elsewhere")
    raw = inner.data[inner.position :]
    names = raw[: len(raw) & ~1].decode("utf-16-le", "replace").split("\0")
    if len(names) < len(files):
        raise HeaderError("fewer names than files")
    for file, name in zip(files, names, strict=False):
        file.name = name
