"""Where the directories of a zip file are: every one that some loader may choose.

Loaders agree to look for the end record backwards from the end of the file, and disagree on the rest: Python counts
back from the end record to the directory, miniz (which PyTorch uses) goes to the offset as written, libzip tries every
end record and takes the most consistent one, streaming readers never look. See Python's ``zipfile._EndRecData``,
miniz' ``mz_zip_reader_read_central_dir``, libzip's ``_zip_find_central_dir``.
"""

from __future__ import annotations

from collections.abc import Callable

from toadstone.core.blob import Blob
from toadstone.core.record import dataclass, field
from toadstone.readers.zip.records import CENTRAL, END, SIGNATURE, End, Header, read_central, read_end

TAIL = 22 + 0xFFFF
"""Bytes at the end of a file among which loaders look for the end record: the record and the longest comment."""

_ENDS_TRIED = 64
_DIRECTORIES_READ = 8
_BUFFER = 1 << 20
_LONGEST = 46 + 3 * 0xFFFF


@dataclass(slots=True)
class Directory:
    """A central directory that some loader would take.

    Attributes:
        end: The record that leads to it.
        start: Where it begins.
        stop: Where what could be parsed ends.
        base: What has to be added to the written offsets: the length of what stands before the archive.
        headers: Its records.
        capped: Whether records were left out because there are too many.
        cut: Whether the last record is longer than the directory.
    """

    end: End
    start: int
    stop: int
    base: int
    headers: list[Header] = field(default_factory=list)
    capped: bool = False
    cut: bool = False


@dataclass(slots=True)
class Found:
    """All directories of a blob.

    Attributes:
        directories: The one that most loaders take first.
        stray: Offsets of end records after the first directory's that lead nowhere.
        candidates: Offsets of further end signatures, which may lead to rivals or belong to a zip stored inside.
        more: Rivals that were not followed because there are too many.
    """

    directories: list[Directory]
    stray: list[int]
    candidates: list[int]
    more: int = 0


def last_end(blob: Blob) -> int:
    """Give the offset of the last end record that leads to a directory, or -1. Costs one read of the tail."""
    for offset in _end_offsets(blob)[:_ENDS_TRIED]:
        end = read_end(blob, offset)
        if end is not None and _starts(blob, end):
            return offset
    return -1


def find(blob: Blob, limit: int) -> Found:
    """Find and parse the directory that most loaders take, at most ``limit`` members of it."""
    offsets = _end_offsets(blob)
    found = Found([], [], [])
    for index, offset in enumerate(offsets[:_ENDS_TRIED]):
        end = read_end(blob, offset)
        starts = _starts(blob, end) if end is not None else []
        if end is None or not starts:
            found.stray.append(offset)
            continue
        found.directories = [_parse(blob, end, start, base, limit) for start, base in starts]
        found.candidates = offsets[index + 1 :]
        return found
    found.more = max(len(offsets) - _ENDS_TRIED, 0)
    return found


def add_rivals(blob: Blob, found: Found, inside: Callable[[int], bool], limit: int) -> None:
    """Parse the directories to which further end records lead.

    Args:
        blob: The file.
        found: What `find` gave.
        inside: Whether an offset lies in the content of a member: a zip stored in a zip is no rival.
        limit: Members to read of each.
    """
    outside = [offset for offset in found.candidates if not inside(offset)]
    found.more += max(len(outside) - _ENDS_TRIED, 0)
    for offset in outside[:_ENDS_TRIED]:
        end = read_end(blob, offset)
        for start, base in _starts(blob, end) if end is not None else ():
            assert end is not None  # or there would be no starts
            if len(found.directories) >= _DIRECTORIES_READ:
                found.more += 1
            elif not any(known.start == start and known.base == base for known in found.directories):
                found.directories.append(_parse(blob, end, start, base, limit))


def _end_offsets(blob: Blob) -> list[int]:
    """List the offsets of end signatures in the tail, last first."""
    begin = max(blob.size - TAIL, 0)
    tail = blob.read(begin, TAIL)
    found: list[int] = []
    position = len(tail)
    while (position := tail.rfind(END, 0, position + 3)) >= 0:
        found.append(begin + position)
    return found


def _starts(blob: Blob, end: End) -> list[tuple[int, int]]:
    """List ``(start, base)`` of the directories to which an end record may lead."""
    if end.count == 0 and end.length == 0:
        return [(end.offset, end.offset)]
    found: list[tuple[int, int]] = []
    if end.adjacent >= 0 and blob.read(end.adjacent, 4) == CENTRAL:
        found.append((end.adjacent, end.adjacent - end.start))
    if end.start != end.adjacent and blob.read(end.start, 4) == CENTRAL:
        found.append((end.start, 0))
    return found


def _parse(blob: Blob, end: End, start: int, base: int, limit: int) -> Directory:
    directory = Directory(end, start, start, base)
    stop = min(start + end.length, end.offset)
    buffer, origin = blob.read(start, min(_BUFFER, stop - start)), start
    position = start
    headers = directory.headers
    while position < stop:
        if len(headers) >= limit:
            directory.capped = True
            break
        header = read_central(buffer, position - origin, origin)
        if header is None and origin != position and origin + len(buffer) < stop:
            buffer, origin = blob.read(position, min(max(_BUFFER, _LONGEST), stop - position)), position
            header = read_central(buffer, 0, origin)
        if header is None and origin + len(buffer) >= stop:
            header = read_central(buffer, position - origin, origin, cut=True)
            directory.cut = header is not None
        if header is None:
            position = _signature(buffer, position - origin, position)
            break
        headers.append(header)
        position += header.size
    directory.stop = min(position, stop)
    return directory


def _signature(buffer: bytes, at: int, position: int) -> int:
    """Step over a digital signature of the directory (APPNOTE 4.3.13)."""
    if buffer[at : at + 4] == SIGNATURE and at + 6 <= len(buffer):
        return position + 6 + int.from_bytes(buffer[at + 4 : at + 6], "little")
    return position
