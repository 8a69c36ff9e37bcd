"""What in a zip file's structure makes two loaders see two things, and what it hides.

Sources: PKWARE APPNOTE 6.3.10; Python's ``zipfile``; miniz as PyTorch vendors it (names are compared without case, local
headers are used only to find the content); Java's ``ZipInputStream`` (local headers only); D. Fifield, "A better zip
bomb" (WOOT 2019); CVE-2025-1944 and CVE-2025-1945 (PyTorch archives with contradicting names and flags).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.fact import Anomaly, Fact
from toadstone.readers.member_names import folded, traverses, trick
from toadstone.readers.reader import Source, candidates
from toadstone.readers.zip.entry import STORED, Entry
from toadstone.readers.zip.gaps import between
from toadstone.readers.zip.records import (
    DESCRIBED,
    ENCRYPTED,
    END,
    FULL32,
    MASKED,
    PATCHED,
    SPANNED,
    STRONG,
    UTF8,
    Header,
    fields,
    unicode_name,
)

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from toadstone.readers.zip.archive import Archive
    from toadstone.readers.zip.directory import Directory

_TOLD = 100
"""Anomalies of one kind that are told one by one; a bomb can have a hundred thousand."""

_TEXT_RANK = 90

_KNOWN_EXTRAS = {
    0x0001: 32, 0x000A: 40, 0x000D: 64, 0x5455: 13, 0x5855: 12, 0x7855: 8, 0x7875: 24, 0x756E: 64, 0x9901: 7, 0xCAFE: 0,
    0x7075: 1030, 0x6375: 1030, 0x07C8: 128, 0x2605: 64, 0x334D: 64,
}  # fmt: skip
"""Extra fields in common use (APPNOTE 4.5, Info-ZIP's ``extrafld.txt``) with the longest form in which they are met."""


def facts(source: Source, archive: Archive) -> Iterator[Fact]:
    """Claim the structure of an archive and yield what is wrong with it."""
    told: dict[str, int] = {}
    for anomaly in _all(source, archive):
        number = told[anomaly.kind] = told.get(anomaly.kind, 0) + 1
        if number <= _TOLD:
            yield anomaly
    for kind, number in told.items():
        if number > _TOLD:
            yield source.anomaly(kind, f"the same in {number - _TOLD:,} further places")
    yield from _unreadable(source, archive)
    yield from _comments(source, archive)


def _all(source: Source, archive: Archive) -> Iterator[Anomaly]:
    yield from _directories(source, archive)
    for entry in archive.entries:
        yield from _headers(source, entry)
        yield from _name(source, entry)
    yield from _repeated(source, archive)
    yield from _overlaps(source, archive)
    _claim(source, archive)


# -- directories ------------------------------------------------------------------------------------------------------


def _directories(source: Source, archive: Archive) -> Iterator[Anomaly]:
    for offset in archive.found.stray:
        detail = "an end record leads to no directory; loaders that take the last one fail"
        yield source.anomaly("archive-confusion", detail, offset)
    if archive.found.more:
        yield source.anomaly("archive-confusion", f"{archive.found.more:,} further end records or directories")
    for directory in archive.rivals:
        yield source.anomaly("archive-confusion", "a second directory that some loaders take instead", directory.start)
    if archive.directories:
        yield from _directory(source, archive.directories[0])
    else:
        detail = "the directory is missing; loaders that stream still unpack the members"
        yield source.anomaly("malformed", detail, archive.blob.size)
    for start, stop in archive.strays[:_TOLD]:
        yield source.anomaly("hidden-data", f"a directory record of {stop - start} bytes outside every directory", start)


def _directory(source: Source, directory: Directory) -> Iterator[Anomaly]:
    end = directory.end
    count = len(directory.headers)
    if end.plain is not None:
        yield source.anomaly("archive-confusion", "the zip64 end record contradicts the plain one", end.record64)
    if end.rival64 >= 0:
        yield source.anomaly("archive-confusion", "two zip64 end records", end.rival64)
    elif end.record64 >= 0 and end.stated64 + directory.base != end.record64:
        detail = f"the zip64 locator points to {end.stated64:,}, the record stands at {end.record64:,}"
        yield source.anomaly("archive-confusion", detail, end.locator)
    if any(number not in {0, 0xFFFF, FULL32} for number in end.disk):
        yield source.anomaly("malformed", "the end record says that the archive is split over several files", end.offset)
    if not directory.capped and (end.count - count) % 0x10000:
        detail = f"the end record counts {end.count:,} members, the directory has {count:,}"
        yield source.anomaly("archive-confusion", detail, end.offset)
    if directory.cut:
        yield source.anomaly("archive-confusion", "the last directory record is cut; only Python takes it", directory.stop)
    if end.cut:
        yield source.anomaly("malformed", "the archive comment is cut", end.offset)
    gap = (end.record64 if end.record64 >= 0 else end.offset) - directory.stop
    if gap > 0:
        detail = f"{gap:,} bytes stand between the directory and its end record: loaders look in different places"
        yield source.anomaly("archive-confusion", detail, directory.stop)


# -- the two headers of a member --------------------------------------------------------------------------------------


def _headers(source: Source, entry: Entry) -> Iterator[Anomaly]:
    central, local = entry.central, entry.local
    if central is None:
        yield source.anomaly("hidden-data", f"no directory names the member {entry.name!r}", entry.offset)
        return
    if local is None:
        detail = f"the directory says that {entry.name!r} begins here, but there is no header"
        yield source.anomaly("malformed", detail, entry.offset)
        return
    if central.raw_name != local.raw_name:
        detail = f"the directory says {central.name!r}, the header says {local.name!r}"
        yield source.anomaly("name-mismatch", detail, entry.offset)
    differences = _differences(entry, central, local)
    if differences:
        yield source.anomaly("header-mismatch", f"{entry.name!r}: {'; '.join(differences)}", entry.offset)
    if entry.is_directory and central.unpacked:
        yield source.anomaly("hidden-data", f"the folder {entry.name!r} has {central.unpacked:,} bytes of content", entry.offset)


def _differences(entry: Entry, central: Header, local: Header) -> list[str]:
    """Say in which fields that a loader acts on the headers differ.

    Dates, versions and the bits that only tell how hard a compressor tried are nobody's business.
    """
    found: list[str] = []
    if central.method != local.method:
        found.append(f"method {central.method} in the directory, {local.method} in the header")
    mask = ENCRYPTED | STRONG | PATCHED | MASKED
    if not central.raw_name.isascii():
        mask |= UTF8
    if (central.flags ^ local.flags) & mask:
        found.append(f"flags {central.flags:#06x} in the directory, {local.flags:#06x} in the header")
    elif central.flags & ENCRYPTED and central.method == STORED and central.packed == central.unpacked:
        found.append("the flags say encrypted, the content is not")
    found += _compared("header", (local.packed, local.unpacked, local.crc), central, partly=bool(local.flags & DESCRIBED))
    if entry.descriptor is not None:
        told = entry.descriptor
        found += _compared("descriptor", (told.packed, told.unpacked, told.crc), central)
    if central.method == STORED == local.method and central.packed != central.unpacked and not central.encrypted:
        found.append(f"stored as {central.packed:,} bytes but unpacked to {central.unpacked:,}")
    return found


def _compared(where: str, stored: tuple[int, int, int], central: Header, *, partly: bool = False) -> list[str]:
    """Compare sizes and checksum; with ``partly``, zeros are left to the descriptor (macOS fills in one of three)."""
    wanted = (central.packed, central.unpacked, central.crc)
    return [
        f"{what} {old:,} in the directory, {new:,} in the {where}"
        for what, old, new in zip(("packed size", "unpacked size", "CRC-32"), wanted, stored, strict=True)
        if old != new and not (partly and new in {0, FULL32})
    ]


# -- names ------------------------------------------------------------------------------------------------------------


def _name(source: Source, entry: Entry) -> Iterator[Anomaly]:
    for header in (entry.central, entry.local):
        if header is None:
            continue
        name = header.name
        if traverses(name):
            yield source.anomaly("path-traversal", f"{name!r} leads out of the folder it is unpacked into", header.offset)
        oddity = trick(name)
        if oddity:
            yield source.anomaly("name-trick", f"{name[:200]!r} {oddity}", header.offset)
        other = unicode_name(header)
        if other is not None and not header.raw_name.isascii() and not _same_unicode(header, other):
            yield source.anomaly("name-mismatch", f"{name!r} is called {other!r} in its Unicode field", header.offset)
        elif other is not None and header.raw_name.isascii() and other != name and "#U" not in name and "?" not in name:
            # Info-ZIP writes the escaped form (#U00e4, or ?) as the plain name when it cannot be expressed
            yield source.anomaly("name-mismatch", f"{name!r} is called {other!r} in its Unicode field", header.offset)
        if entry.local is not None and entry.central is not None and entry.central.raw_name == entry.local.raw_name:
            break


def _same_unicode(header: Header, other: str) -> bool:
    """Whether a Unicode name could be the plain name: the same text, or the same with the letters that no code page has."""
    if other == header.name:
        return True
    plain = re.sub(rb"[^\x20-\x7e]+", b"", header.raw_name).decode("ascii")
    return plain == re.sub(r"[^\x20-\x7e]+", "", other)


def _repeated(source: Source, archive: Archive) -> Iterator[Anomaly]:
    """Members with one name: which one counts differs (Python the last, libzip the first, miniz either)."""
    exact: dict[str, Entry] = {}
    unfolded: dict[str, Entry] = {}
    for entry in archive.entries:
        if entry.is_directory:
            continue
        key = folded(entry.name)
        known = exact.setdefault(entry.name, entry)
        if known is not entry:
            yield _collision(source, known, entry)
        elif unfolded.setdefault(key, entry) is not entry:
            detail = f"{unfolded[key].name!r} and {entry.name!r} are one name for loaders that ignore case or Unicode form"
            yield source.anomaly("name-collision", detail, entry.offset)


def _collision(source: Source, first: Entry, second: Entry) -> Anomaly:
    one, two = first.header, second.header
    if (one.crc, one.unpacked) == (two.crc, two.unpacked) and first.central and second.central:
        return source.anomaly("repeated-member", f"{second.name!r} is there twice with the same content", second.offset)
    return source.anomaly("duplicate-member", f"{second.name!r} is there twice with different content", second.offset)


# -- regions ----------------------------------------------------------------------------------------------------------


def _overlaps(source: Source, archive: Archive) -> Iterator[Anomaly]:
    """Members that share bytes with each other or with the directory (every such archive is made by hand)."""
    spans = [(entry.offset, max(entry.end, entry.offset + 1), entry.name) for entry in archive.entries if entry.local is not None]
    spans += [(directory.start, directory.stop, "the directory") for directory in archive.directories[:1] if directory.headers]
    spans.sort()
    reach, owner = 0, ""
    for start, stop, name in spans:
        if start < reach:
            yield source.anomaly("overlap", f"{name!r} shares bytes with {owner!r}", start)
        if stop > reach:
            reach, owner = stop, name


def _claim(source: Source, archive: Archive) -> None:
    """Claim headers, directories and end records, except for what in them has content of its own."""
    coverage = source.coverage
    for entry in archive.entries:
        if entry.local is None:
            continue
        holes = _odd_fields(source, entry.local, entry.local.end - len(entry.local.extra))
        for start, stop in between([(hole[0], hole[1]) for hole in holes], entry.local.end) if holes else ():
            coverage.read(max(start, entry.offset), stop)
        if not holes:
            coverage.read(entry.offset, entry.local.end)
        coverage.read(entry.data_end, entry.end)
    holes = []
    for entry in archive.entries:
        if entry.central is not None and entry.central.extra:
            header = entry.central
            holes += _odd_fields(source, header, header.end - len(header.comment) - len(header.extra))
    for start, stop in [*archive.structure(), *archive.strays]:
        inside = [hole for hole in holes if start <= hole[0] < stop]
        for begin, finish in between([(0, start), *inside], stop) if inside else [(start, stop)]:
            coverage.read(begin, finish)
    if archive.blob.read(0, 4) in SPANNED and any(entry.offset == 4 for entry in archive.entries):
        coverage.read(0, 4)


def _odd_fields(source: Source, header: Header, base: int) -> list[tuple[int, int]]:
    """List the spans of extra fields that hold something of their own: they stay unclaimed, so the walker looks inside."""
    extra = header.extra
    if not extra:
        return []
    found: list[tuple[int, int]] = []
    known, rest = fields(extra)
    if rest < len(extra):
        known.append((-1, rest, extra[rest:]))
    for kind, at, data in known:
        if len(data) <= _KNOWN_EXTRAS.get(kind, 3) or data.count(data[:1]) == len(data) or not data.strip(b"\0"):
            continue  # its own small form, or padding
        inner = Source(source.blob.window(base + at, len(data)), "", source.place, source.budget, source.depth + 1)
        if any(reader.rank < _TEXT_RANK for reader in candidates(inner)):
            found.append((base + at, base + at + len(data)))
    return found


# -- what stays unread, comments --------------------------------------------------------------------------------------


def _unreadable(source: Source, archive: Archive) -> Iterator[Fact]:
    if archive.capped:
        yield source.unread("the archive has more members than the budget allows")
    for entry in archive.entries:
        if entry.local is None:
            entry.taken = True
            yield source.unread(f"the member {entry.name!r} has no header where the directory points", entry.offset)
    for directory in archive.directories[:1]:
        first = directory.end.disk
        if first[0] not in {0, 0xFFFF, FULL32} and any(entry.local is None for entry in archive.entries):
            yield source.unread("the archive is split; its other parts were not read")


def _comments(source: Source, archive: Archive) -> Iterator[Fact]:
    """Yield comments as members: they are content like any other."""
    for directory in archive.directories[:1]:
        comment = directory.end.comment
        if comment:
            at = directory.end.offset + 22
            if not _plain(comment):
                yield source.anomaly("hidden-data", f"the archive comment holds {len(comment):,} bytes that are no text", at)
            yield source.member("@comment", source.blob.window(at, len(comment)))
    for entry in archive.entries:
        header = entry.central
        if header is not None and header.comment:
            at = header.end - len(header.comment)
            if not _plain(header.comment):
                yield source.anomaly("hidden-data", f"the comment of {entry.name!r} is no text", at)
            yield source.member(f"@comment of {entry.name}", source.blob.window(at, len(header.comment)))


def _plain(data: bytes) -> bool:
    """Whether bytes are text without control characters (in UTF-8 or an old code page) and hold no end record."""
    return END not in data and not any(byte < 0x20 and byte not in b"\t\n\r\x1a" for byte in data)
