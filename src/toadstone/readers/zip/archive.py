"""An opened zip file: its members, each to be had as bytes, as a fact, or to be declared inert."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator

from toadstone.core.blob import Blob
from toadstone.core.fact import Anomaly, Fact
from toadstone.readers.reader import Source
from toadstone.readers.zip import content, contradictions
from toadstone.readers.zip.directory import Directory, Found, add_rivals, find
from toadstone.readers.zip.entry import Entry
from toadstone.readers.zip.gaps import between, hidden_entries
from toadstone.readers.zip.records import DESCRIBED, LOCAL_ONCE, Header, read_descriptor, read_local

_SHARED = "zip"
_GAPS_TRIED = 4096
_SUFFIXES = 8


class Archive:
    """All members of a zip file, however a loader may find them.

    Attributes:
        blob: The file.
        entries: Members in the order of their directory; those of rival directories and those that no directory
            names come last (``entry.directory`` tells).
        directories: The directories, the one that most loaders take first; empty when the file has none.
        found: What the search for directories gave.
        strays: Spans of directory records outside every directory.
        capped: Whether members were left out because there are too many.
    """

    def __init__(self, source: Source) -> None:
        blob = source.blob
        limit = max(source.budget.members, 1)
        self.blob = blob
        self.found: Found = find(blob, limit)
        self.directories: list[Directory] = self.found.directories
        self.entries: list[Entry] = []
        self.strays: list[tuple[int, int]] = []
        self._told = False
        self._by_name: dict[str, list[Entry]] = {}
        self._seen: dict[tuple[int, int, int], set[str]] = {}
        self._read_directories(limit)
        self.capped = any(directory.capped for directory in self.directories)
        self._read_gaps(source, limit)

    @property
    def rivals(self) -> list[Directory]:
        """Directories that some loaders take instead of the first."""
        return self.directories[1:]

    def _read_directories(self, limit: int) -> None:
        blob = self.blob
        for directory in self.directories[:1]:
            blob.expect((header.target + directory.base, LOCAL_ONCE) for header in directory.headers)
            self.entries = [_entry(blob, header, directory.base, 0) for header in directory.headers]
        if self.found.candidates:
            spans = sorted((entry.data_offset, entry.data_end) for entry in self.entries if entry.local is not None)
            add_rivals(blob, self.found, lambda offset: _inside(spans, offset), limit)
        if self.rivals:
            known = {(entry.offset, entry.header.raw_name) for entry in self.entries}
            for index, directory in enumerate(self.rivals, 1):
                for header in directory.headers:
                    entry = _entry(blob, header, directory.base, index)
                    if (entry.offset, header.raw_name) not in known:
                        known.add((entry.offset, header.raw_name))
                        self.entries.append(entry)

    def _read_gaps(self, source: Source, limit: int) -> None:
        spans = self.structure()
        spans.extend((entry.offset, entry.end) for entry in self.entries if entry.local is not None)
        for number, (start, stop) in enumerate(between(spans, self.blob.size)):
            room = limit - len(self.entries)
            if number >= _GAPS_TRIED or room <= 0:
                break  # what is not looked into here stays unclaimed, so the walker reports it
            entries, strays = hidden_entries(self.blob, start, stop, source.budget, room)
            self.entries.extend(entries)
            self.strays.extend(strays)

    def structure(self) -> list[tuple[int, int]]:
        """List the spans of the directories and their end records (with comments)."""
        spans: list[tuple[int, int]] = []
        for directory in self.directories:
            end = directory.end
            spans += [(directory.start, directory.stop), (end.offset, end.offset + end.size)]
            if end.record64 >= 0:
                spans += [(end.record64, end.record64 + end.size64)]
            if end.locator >= 0:
                spans += [(end.locator, end.locator + 20)]
        return spans

    def named(self, name: str) -> list[Entry]:
        """List the members with exactly this name (by any header); several when loaders could disagree."""
        if not self._by_name:
            for entry in self.entries:
                for known in entry.names:
                    self._by_name.setdefault(known, []).append(entry)
        return self._by_name.get(name, [])

    def read(self, source: Source, entry: Entry, limit: int) -> bytes:
        """Give up to ``limit`` unpacked bytes of a member, to decide what it is; the member stays to be dealt with."""
        return content.peek(source, entry, limit)

    def content(self, source: Source, entry: Entry) -> Blob | None:
        """Give a member's unpacked content as its directory record describes it; None when it cannot be read.

        Stored content is a window that costs nothing. The caller closes the blob. The member stays to be dealt with:
        call `member` or `inert` for it as well, or leave it to `facts`.
        """
        return content.unpacked(source, entry)

    def member(self, source: Source, entry: Entry, hint: str = "") -> Iterator[Fact]:
        """Yield a member, in every version that some loader would see, with what contradicts its headers.

        The content is unpacked now, claimed, and its checksum verified (of stored content above 1 MiB by `verify` only).
        """
        if not entry.taken:
            entry.taken = True
            if not self._repeats(entry):
                yield from content.facts(source, entry, hint)

    def _repeats(self, entry: Entry) -> bool:
        """Whether the very same packed bytes were given before under names of the same kind.

        The best bombs list one member ten thousand times; reading it once tells all. Another suffix can wake other
        readers, so a few of them are given again.
        """
        header = entry.header
        key = (entry.data_offset, header.packed, header.method)
        if entry.local is None or (entry.local.packed, entry.local.method) != key[1:]:
            return False
        suffixes = self._seen.setdefault(key, set())
        suffix = entry.name.rpartition(".")[2][:16]
        if suffix in suffixes or len(suffixes) >= _SUFFIXES:
            return True
        suffixes.add(suffix)
        return False

    def inert(self, source: Source, entry: Entry) -> bool:
        """Claim a member's content as payload that nothing interprets.

        Only a stored member whose headers agree can be inert; for any other this does nothing and gives False, so
        that `facts` will treat it as a member.
        """
        if entry.taken or not entry.plain:
            return False
        entry.taken = True
        source.coverage.inert(entry.data_offset, entry.data_end)
        return True

    def verify(self, source: Source, entry: Entry) -> Anomaly | None:
        """Compute the checksum of a stored member of any size and compare."""
        if entry.local is None or not entry.stored or entry.central is None:
            return None
        crc = 0
        for piece in self.blob.chunks(entry.data_offset, entry.extent):
            crc = zlib.crc32(piece, crc)
        return content.checksum(source, entry, crc, entry.central.crc)

    def facts(self, source: Source, hint: Callable[[Entry], str] | None = None) -> Iterator[Fact]:
        """Claim the structure, yield its contradictions (once), then every member that was not dealt with yet.

        Args:
            source: Where the archive was opened.
            hint: Names the reader that must be tried first on a member; ``""`` lets the content decide.
        """
        if not self._told:
            self._told = True
            yield from contradictions.facts(source, self)
        for entry in self.entries:
            if not entry.taken:
                yield from self.member(source, entry, hint(entry) if hint is not None else "")


def _inside(spans: list[tuple[int, int]], offset: int) -> bool:
    """Whether an offset lies in one of the sorted spans (those that overlap are found by their neighbours)."""
    index = bisect_right(spans, (offset, 1 << 64))
    return index > 0 and spans[index - 1][0] <= offset < spans[index - 1][1]


def _entry(blob: Blob, header: Header, base: int, directory: int) -> Entry:
    offset = header.target + base
    local = read_local(blob, offset)
    if local is None and base and (local := read_local(blob, header.target)) is not None:
        offset = header.target
    entry = Entry(header.name.partition("\0")[0], header, local, offset, directory=directory)
    if local is not None:
        entry.extent = max(min(header.packed, blob.size - local.end), 0)
        if local.flags & DESCRIBED:
            entry.descriptor = read_descriptor(blob, entry.data_end, header.packed, header.unpacked, signed=True)
    return entry


def opened(source: Source) -> Archive:
    """Give the archive of a source; parsed when it is first asked for."""
    known = source.shared.get(_SHARED)
    if not isinstance(known, Archive):
        known = Archive(source)
        source.shared[_SHARED] = known
    return known
