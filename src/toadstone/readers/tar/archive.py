"""How a tar archive is walked: from header to header, and past everything at which some implementation stops."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from toadstone.core.blob import Blob, JoinedBlob
from toadstone.core.budget import BudgetError
from toadstone.core.fact import Fact, Link
from toadstone.readers.member_names import traverses, trick
from toadstone.readers.outside import link_escapes
from toadstone.readers.reader import Source
from toadstone.readers.tar.extended import LONGEST, Map, laid_out, number_of, old_map, pax_map, pax_records
from toadstone.readers.tar.header import BLOCK, LINKS, LONG, NODES, PAX, Header, parse, text, valid

_OCTAL_LIMIT = 1 << 33
"""Sizes from here on do not fit the octal field, so a pax record has to carry them."""

_TOLD = 100

Onward = Generator[Fact, None, int]
"""Facts, and then a number: where the next header is, or a size."""


class Tar:
    """Walks the headers of one archive and keeps what extended headers say about the next member."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.blob = source.blob
        self.globals: dict[str, str] = {}
        self.locals: dict[str, str] = {}
        self.names: dict[bytes, str] = {}
        self.links: set[str] = set()
        self.seen: dict[str, tuple[int, int]] = {}
        self.told: dict[str, int] = {}

    def facts(self) -> Iterator[Fact]:
        """Follow the headers to the end of the file."""
        position, ended = 0, False
        while position < self.blob.size:
            block = self.blob.read(position, BLOCK)
            if not block.strip(b"\0"):
                ended = True
                position = self._next_block(position)
                continue
            if not valid(block):
                if not ended:
                    detail = "a header has a wrong checksum; Python stops here, GNU tar goes on"
                    yield from self._tell("malformed", detail, position)
                broken = position
                position = self._resynchronised(position)
                yield from self._broken(block, broken, position)
                if position < 0:
                    return
                block = self.blob.read(position, BLOCK)
            if ended:
                ended = False
                yield from self._tell("hidden-data", "members follow the end-of-archive mark, where most readers stop", position)
            position = yield from self._header(parse(block), position)

    def _broken(self, block: bytes, position: int, following: int) -> Iterator[Fact]:
        """Yield what a header with a wrong checksum describes: there are unpackers that do not look at the checksum."""
        if block[257:262] != b"ustar":
            return
        header = parse(block)
        begin = position + BLOCK
        room = (following if following >= 0 else self.blob.size) - begin
        if header.size <= 0 or header.kind not in {b"0", b"\0", b"7"}:
            return
        self.source.coverage.read(position, begin + min(header.size, room))
        yield self.source.member(header.name, self.blob.window(begin, min(header.size, room)))
        if header.size > room:
            yield self.source.unread(f"{header.name!r} has a wrong checksum and reaches over other headers", position)

    def _tell(self, kind: str, detail: str, offset: int) -> Iterator[Fact]:
        """Yield an anomaly, unless there are too many of its kind."""
        number = self.told[kind] = self.told.get(kind, 0) + 1
        if number <= _TOLD:
            yield self.source.anomaly(kind, detail, offset)

    def _next_block(self, position: int) -> int:
        """Step over zero blocks."""
        for chunk in self.blob.chunks(position):
            kept = chunk.lstrip(b"\0")
            if kept:
                return position + (len(chunk) - len(kept)) // BLOCK * BLOCK
            position += len(chunk)
        return position

    def _resynchronised(self, position: int) -> int:
        """Find the next block with a magic number and a right checksum, or give -1."""
        position += BLOCK
        for chunk in self.blob.chunks(position):
            found = chunk.find(b"ustar")
            while found >= 0:
                at = position + found - 257
                if at >= position - 257 and (found - 257) % BLOCK == 0 and valid(self.blob.read(at, BLOCK)):
                    return at
                found = chunk.find(b"ustar", found + 1)
            position += len(chunk)
        return -1

    def _header(self, header: Header, position: int) -> Onward:
        """Deal with one header and give the offset of the next."""
        begin = position + BLOCK
        # before ustar nothing stood behind the link; some writers of v7 leave the device numbers of later forms there
        used = BLOCK if header.magic != "v7" or not header.raw[257:].strip(b"\x00 0") else 257
        self.source.coverage.read(position, position + used)
        if header.size < 0:
            yield from self._tell("malformed", f"the size of {header.name!r} is no number", position)
            return begin
        if header.kind in PAX:
            return (yield from self._pax(header, begin))
        if header.kind in LONG:
            return (yield from self._long(header, begin))
        following = yield from self._member(header, position, begin)
        self.locals = {}
        self.names = {}
        return following

    def _padded(self, begin: int, size: int) -> Onward:
        """Claim the padding after content and give the offset of the next header."""
        stop = min(begin + size, self.blob.size)
        following = begin + (size + BLOCK - 1) // BLOCK * BLOCK
        padding = self.blob.read(stop, following - stop)
        if padding.strip(b"\0"):
            yield from self._tell("hidden-data", f"{len(padding)} bytes of padding are not zero", stop)
        else:
            self.source.coverage.read(stop, stop + len(padding))
        return following

    def _pax(self, header: Header, begin: int) -> Onward:
        data = self.blob.read(begin, min(header.size, LONGEST))
        records, stop = pax_records(data)
        self.source.coverage.read(begin, begin + stop)
        if stop < len(data) and data[stop:].strip(b"\0"):
            yield from self._tell("malformed", "a pax record is broken", begin + stop)
        if header.kind == b"g":
            self.globals.update(records)
        else:
            self.locals.update(records)
        return (yield from self._padded(begin, header.size))

    def _long(self, header: Header, begin: int) -> Onward:
        data = self.blob.read(begin, min(header.size, LONGEST))
        self.names[header.kind] = text(data)
        used = data.find(b"\0")
        if used < 0 or not data[used:].strip(b"\0"):
            used = len(data)
        self.source.coverage.read(begin, begin + used)
        return (yield from self._padded(begin, header.size))

    def _member(self, header: Header, position: int, begin: int) -> Onward:
        records = self.globals | self.locals
        name = records.get("GNU.sparse.name") or records.get("path") or self.names.get(b"L") or header.name
        link = records.get("linkpath") or self.names.get(b"K") or header.link
        size = yield from self._size(header, records, name, position)
        yield from self._name(name, position)
        if header.kind in LINKS or header.kind in NODES or header.kind == b"5":
            return (yield from self._bodiless(header, name, link, size, position))
        if header.kind == b"M":
            yield self.source.unread(f"{name!r} continues a file of another volume, which was not read", position)
        return (yield from self._content(header, records, name, size, begin))

    def _size(self, header: Header, records: dict[str, str], name: str, position: int) -> Onward:
        """Give the size that counts; say if two readers would take two."""
        stated = number_of(records, "size")
        if stated < 0:
            return header.size
        if stated != header.size and stated < _OCTAL_LIMIT:
            detail = f"{name!r} has {header.size:,} bytes by its header and {stated:,} by its pax record"
            yield from self._tell("archive-confusion", detail, position)
        return stated

    def _name(self, name: str, position: int) -> Iterator[Fact]:
        if traverses(name):
            yield from self._tell("path-traversal", f"{name!r} leads out of the folder it is unpacked into", position)
        oddity = trick(name.rstrip("/"))
        if oddity and name not in {".", "./"}:
            yield from self._tell("name-trick", f"{name[:200]!r} {oddity}", position)
        if self.links and (through := self._through(name)):
            yield from self._tell("path-traversal", f"{name!r} is written through the link {through!r}", position)

    def _through(self, name: str) -> str:
        parts = name.strip("/").split("/")
        return next((prefix for end in range(1, min(len(parts), 64)) if (prefix := "/".join(parts[:end])) in self.links), "")

    def _bodiless(self, header: Header, name: str, link: str, size: int, position: int) -> Onward:
        """Links, folders and device nodes: Python takes the next block as a header even if a size is stated, others skip."""
        if header.kind in LINKS:
            hard = header.kind == b"1"
            outside = link_escapes(name, link, from_root=hard)
            yield Link(self.source.place.inside(name), link, "hardlink" if hard else "symlink", outside)
            if not hard:
                self.links.add(name.strip("/"))
        elif header.kind in NODES:
            yield from self._tell("special-file", f"{name!r} would be made a device or pipe", position)
        begin = position + BLOCK
        if not size:
            return begin
        if valid(self.blob.read(begin, BLOCK)):
            if header.kind != b"1":  # old writers state the size of what a hard link points to
                yield from self._tell("parser-confusion", f"{name!r} has no content but states {size:,} bytes", position)
            return begin
        if not self.blob.read(begin, BLOCK).strip(b"\0"):
            return begin
        yield from self._tell("archive-confusion", f"{name!r} should have no content but has {size:,} bytes", position)
        return (yield from self._content(header, {}, name, size, begin))

    def _content(self, header: Header, records: dict[str, str], name: str, size: int, begin: int) -> Onward:
        source = self.source
        if header.kind == b"S":
            parts, real, start = old_map(self.blob, header, begin)
            sparse: tuple[Map, int] | None = (parts, real)
            source.coverage.read(begin, start)
            begin = start
        elif (found := pax_map(self.blob, records, begin, size)) is not None:
            parts, real, start = found
            sparse = (parts, real)
            start = min(start, begin + size)
        else:
            sparse, start = None, begin
        stop = begin + size
        packed = self.blob.window(start, stop - start)
        source.coverage.read(begin, stop)
        cut = stop > self.blob.size
        if cut:
            yield from self._tell("malformed", f"the file ends inside {name!r}", begin)
        if packed.size and not name.endswith("/"):
            yield from self._repeated(name, start, packed.size)
            yield from self._yielded(name, packed, sparse)
        elif packed.size:
            yield from self._tell("hidden-data", f"the folder {name!r} has {packed.size:,} bytes of content", begin)
            yield source.member(name.rstrip("/"), packed)
        if cut:
            yield source.unread(f"the file ends {stop - self.blob.size:,} bytes too early, inside {name!r}", begin)
        return (yield from self._padded(begin, size))

    def _yielded(self, name: str, packed: Blob, sparse: tuple[Map, int] | None) -> Iterator[Fact]:
        if sparse is None:
            yield self.source.member(name, packed)
            return
        parts, real = sparse
        try:
            pieces = laid_out(packed, parts, real, self.source.budget)
        except BudgetError as error:
            yield self.source.anomaly("resource-claim", f"the sparse file {name!r} claims {real:,} bytes")
            yield self.source.unread(f"the holes of {name!r} were not laid out: {error}")
            pieces = None
        else:
            if pieces is None:
                yield self.source.anomaly("malformed", f"the map of the sparse file {name!r} contradicts itself")
        yield self.source.member(name, JoinedBlob(pieces) if pieces is not None else packed)

    def _repeated(self, name: str, start: int, size: int) -> Iterator[Fact]:
        """A name twice: readers that unpack take the last, those that stream the first."""
        first = self.seen.setdefault(name, (start, size))
        if first == (start, size):
            return
        pairs = zip(self.blob.chunks(first[0], first[1]), self.blob.chunks(start, size), strict=False)
        same = first[1] == size and all(one == two for one, two in pairs)
        kind, how = ("repeated-member", "the same") if same else ("duplicate-member", "different")
        yield from self._tell(kind, f"{name!r} is there twice with {how} content", start)
