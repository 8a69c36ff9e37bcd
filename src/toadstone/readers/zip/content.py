"""The content of zip members: unpacked, compared with what the headers say, in every version that a loader may see."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from toadstone.core.blob import Blob
from toadstone.core.fact import Anomaly, Fact, Link
from toadstone.core.record import dataclass
from toadstone.readers.outside import link_escapes
from toadstone.readers.reader import Source
from toadstone.readers.unpack import Beginning, Maker, Outcome, Stream, bzip2, collect, deflate, xz, zip_lzma, zstd
from toadstone.readers.zip.entry import STORED, Entry, View
from toadstone.readers.zip.records import FULL32

_VERIFIED = 1 << 20
"""Stored content up to this size has its checksum verified at once. Larger stored members are tensors, which loaders map
into memory without looking at the checksum: computing it would cost a pass over the whole model and tell nothing about
what the loader sees. `Archive.verify` does it on demand."""

_METHODS: dict[int, Maker] = {8: deflate, 12: bzip2, 14: zip_lzma, 93: zstd, 95: xz}

_METHOD_NAMES = {
    1: "shrink", 2: "reduce", 3: "reduce", 4: "reduce", 5: "reduce", 6: "implode", 9: "deflate64", 10: "PKWARE implode",
    16: "z/OS compression", 18: "TERSE", 19: "LZ77", 20: "the withdrawn zstd id", 94: "MP3", 96: "JPEG", 97: "WavPack",
    98: "PPMd", 99: "AES encryption",
}  # fmt: skip

_LINK_TEXT = 4096


@dataclass
class Version:
    """A member's content as one loader would unpack it.

    Attributes:
        blob: The content; None when nothing came out.
        consumed: Packed bytes that it came from.
        facts: What was wrong with it.
        gap: Why it is not whole; empty when it is.
    """

    blob: Blob | None
    consumed: int
    facts: list[Fact]
    gap: str = ""


def facts(source: Source, entry: Entry, hint: str) -> Iterator[Fact]:
    """Yield a member in all its versions."""
    if entry.local is None:
        return  # `contradictions` has said so
    if entry.is_directory and not entry.extent:
        return
    if entry.mode & 0o170000 == 0o120000:
        text = peek(source, entry, _LINK_TEXT + 1)
        yield from _symlink(source, entry, text)
        if _is_path(text):
            return  # otherwise it is content for loaders that do not look at the mode, as Python and PyTorch do not
    if _really_encrypted(source, entry):
        yield source.unread(f"the member {entry.name!r} is encrypted", entry.data_offset, entry.extent)
        source.coverage.read(entry.data_offset, entry.data_end)
        return
    if entry.header.method != STORED and entry.header.encrypted and entry.local.encrypted:
        yield source.anomaly("header-mismatch", f"{entry.name!r}: the flags say encrypted, the content is not", entry.offset)
    yield from _versions(source, entry, hint)


def _versions(source: Source, entry: Entry, hint: str) -> Iterator[Fact]:
    """Yield the content as each loader takes it; it is unread only if no view gives it whole."""
    gaps: list[str] = []
    for number, view in enumerate(entry.views()):
        version = _version(source, entry, view)
        gaps.append(version.gap)
        yield from version.facts
        if version.blob is None:
            continue
        source.coverage.read(entry.data_offset, entry.data_offset + version.consumed)
        if version.blob.size:
            yield from _members(source, entry, version.blob, hint, number)
        else:
            version.blob.close()
    if all(gaps):
        reason = next(iter(gaps), "nothing could be unpacked")
        yield source.unread(f"the member {entry.name!r} could not be read: {reason}", entry.data_offset, entry.extent)
        source.coverage.read(entry.data_offset, entry.data_end)


def _members(source: Source, entry: Entry, blob: Blob, hint: str, number: int) -> Iterator[Fact]:
    """Yield the content under its name, and under every other name that a loader uses (a name adds candidates)."""
    names = entry.names or [f"@{entry.offset}"]
    for name in names[1:] if number == 0 else []:
        yield source.member(name, blob.window(0, blob.size), hint)
    yield source.member(names[0], blob, hint)


def _version(source: Source, entry: Entry, view: View) -> Version:
    if view.method == STORED:
        return _stored(source, entry, view)
    maker = _METHODS.get(view.method)
    if maker is None:
        name = _METHOD_NAMES.get(view.method, f"method {view.method}")
        return Version(None, 0, [], f"compressed with {name}, which is not opened by this version")
    stop = min(entry.data_offset + view.packed, source.blob.size)
    stream = Stream(maker, source.blob, entry.data_offset, stop, source.budget)
    blob = collect(iter(stream))
    if not blob.size and stream.outcome is not Outcome.ENDED:
        blob.close()
        found = [_bomb(source, entry, stream)] if stream.outcome is Outcome.BUDGET else []
        return Version(None, 0, list(found), stream.reason)
    return _compared(source, entry, view, stream, blob)


def _stored(source: Source, entry: Entry, view: View) -> Version:
    blob = source.blob.window(entry.data_offset, view.packed)
    version = Version(blob, blob.size, [])
    if blob.size < view.packed:
        version.gap = f"the file ends {view.packed - blob.size:,} bytes too early"
        version.facts.append(source.anomaly("malformed", f"the member {entry.name!r} is cut", entry.offset))
    elif blob.size <= _VERIFIED and view.crc >= 0:
        wrong = checksum(source, entry, zlib.crc32(blob.read(0, blob.size)), view.crc)
        version.facts += [wrong] if wrong else []
    return version


def _compared(source: Source, entry: Entry, view: View, stream: Stream, blob: Blob) -> Version:
    """Compare what came out with what the header says."""
    version = Version(blob, stream.consumed, [])
    name = entry.name
    complete = stream.outcome is Outcome.ENDED or (stream.outcome is Outcome.CUT and stream.produced == view.unpacked)
    if stream.outcome is Outcome.BUDGET:
        version.facts.append(_bomb(source, entry, stream))
        version.blob = Beginning(blob)
        version.gap = stream.reason
        version.consumed = entry.extent
        return version
    if not complete:
        detail = f"the packed content of {name!r} is broken: {stream.reason}"
        version.facts.append(source.anomaly("malformed", detail, entry.offset))
        version.gap = stream.reason
        version.consumed = entry.extent
        return version
    if view.unpacked >= 0 and view.unpacked not in {stream.produced, stream.produced & FULL32}:  # macOS lets large sizes wrap
        detail = f"{name!r} unpacks to {stream.produced:,} bytes and declares {view.unpacked:,} in its {view.told_by}"
        version.facts.append(source.anomaly("header-mismatch", detail, entry.offset))
    elif view.crc >= 0:
        wrong = checksum(source, entry, stream.crc, view.crc)
        version.facts += [wrong] if wrong else []
    if stream.consumed < view.packed:
        rest = view.packed - stream.consumed
        detail = f"{rest:,} bytes stand behind the end of the packed content of {name!r}"
        version.facts.append(source.anomaly("hidden-data", detail, entry.data_offset + stream.consumed))
    return version


def _bomb(source: Source, entry: Entry, stream: Stream) -> Anomaly:
    most = max(stream.produced, entry.size)
    detail = f"{entry.name!r} unpacks {entry.extent:,} bytes to {most:,} or more; the budget of the file ended there"
    return source.anomaly("expansion-bomb", detail, entry.offset)


def checksum(source: Source, entry: Entry, computed: int, stored: int) -> Anomaly | None:
    """Compare a checksum."""
    if computed == stored:
        return None
    detail = f"{entry.name!r} has CRC-32 {computed:08x} and declares {stored:08x}"
    return source.anomaly("checksum-mismatch", detail, entry.offset)


def _really_encrypted(source: Source, entry: Entry) -> bool:
    """Whether the flags that say so are right: encryption adds at least 12 bytes and leaves no readable stream."""
    headers = [header for header in (entry.central, entry.local) if header is not None]
    if not all(header.encrypted for header in headers):
        return False
    if any(header.method == 99 for header in headers):
        return True
    header = entry.header
    if header.method == STORED:
        return header.packed != header.unpacked
    maker = _METHODS.get(header.method)
    if maker is None:
        return True
    stream = Stream(maker, source.blob, entry.data_offset, entry.data_end, source.budget)
    for _ in stream:
        pass
    return stream.outcome is not Outcome.ENDED or (stream.produced != header.unpacked and stream.crc != header.crc)


def _symlink(source: Source, entry: Entry, text: bytes) -> Iterator[Fact]:
    """A symbolic link's content is its target."""
    target = text[:_LINK_TEXT].decode("utf-8", "replace")
    yield Link(source.place.inside(entry.name), target, "symlink", link_escapes(entry.name, target))
    if _is_path(text):
        source.coverage.read(entry.data_offset, entry.data_end)


def _is_path(text: bytes) -> bool:
    """Whether content can be nothing but a path: text without control characters (a pickle has at least one)."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return 0 < len(text) <= _LINK_TEXT and not any(byte < 0x20 for byte in text)


def peek(source: Source, entry: Entry, limit: int) -> bytes:
    """Give up to ``limit`` unpacked bytes by the authoritative view."""
    views = entry.views()
    if entry.local is None or not views:
        return b""
    if views[0].method == STORED:
        return source.blob.read(entry.data_offset, min(limit, entry.extent))
    maker = _METHODS.get(views[0].method)
    if maker is None:
        return b""
    found = bytearray()
    for piece in Stream(maker, source.blob, entry.data_offset, entry.data_end, source.budget):
        found += piece
        if len(found) >= limit:
            break
    return bytes(found[:limit])


def unpacked(source: Source, entry: Entry) -> Blob | None:
    """Give the whole unpacked content by the authoritative view, or None when there is none."""
    if entry.local is None or _really_encrypted(source, entry):
        return None
    return _version(source, entry, entry.views()[0]).blob
