"""Members that no directory names: local headers in front of, between and behind what the directories describe.

A reader that streams (Java's ``ZipInputStream``, bsdtar, an unpacker fed by a pipe) sees these members and no others.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.blob import Blob
from toadstone.core.budget import Budget
from toadstone.readers.unpack import Outcome, Stream, deflate
from toadstone.readers.zip.entry import DEFLATED, Entry
from toadstone.readers.zip.records import (
    CENTRAL,
    DESCRIBED,
    DESCRIPTOR,
    LOCAL,
    SPANNED,
    Descriptor,
    Header,
    read_central,
    read_descriptor,
    read_local,
)

_CHUNK = 1 << 20
_SIGNATURES_TRIED = 4096


def between(spans: list[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    """Give what the spans leave over of ``[0, size)``, in order."""
    position = 0
    for start, stop in sorted(spans):
        if start > position:
            yield position, start
        position = max(position, stop)
    if position < size:
        yield position, size


def hidden_entries(blob: Blob, start: int, stop: int, budget: Budget, limit: int) -> tuple[list[Entry], list[tuple[int, int]]]:
    """Read records one after the other from ``start`` while they parse.

    Returns:
        Members without a directory record, and the spans of stray directory records.
    """
    entries: list[Entry] = []
    strays: list[tuple[int, int]] = []
    position = _first_record(blob, start, stop)
    while position < stop and len(entries) + len(strays) < limit:
        signature = blob.read(position, 4)
        if signature == LOCAL and (local := read_local(blob, position)) is not None and local.end <= stop:
            entry = _local_entry(blob, local, stop, budget)
            entries.append(entry)
            position = entry.end
        elif signature == CENTRAL and (record := _stray(blob, position, stop)) is not None:
            strays.append((position, record.end))
            position = record.end
        else:
            break
    return entries, strays


def _first_record(blob: Blob, start: int, stop: int) -> int:
    """Step over padding of zeros (aligners leave it) and over the marker of a split archive."""
    if start == 0 and blob.read(0, 4) in SPANNED:
        return 4
    head = blob.read(start, min(_CHUNK, stop - start))
    return start + len(head) - len(head.lstrip(b"\0"))


def _stray(blob: Blob, position: int, stop: int) -> Header | None:
    data = blob.read(position, min(46 + 3 * 0xFFFF, stop - position))
    return read_central(data, 0, position)


def _local_entry(blob: Blob, local: Header, stop: int, budget: Budget) -> Entry:
    entry = Entry(local.name.partition("\0")[0], None, local, local.offset, directory=-1)
    room = stop - local.end
    if local.flags & DESCRIBED and not local.packed:
        entry.extent = _extent(blob, local, room, budget)
        entry.descriptor = _descriptor(blob, local.end + entry.extent, entry.extent, stop)
    else:
        entry.extent = min(local.packed, room)
        if local.flags & DESCRIBED:
            entry.descriptor = _descriptor(blob, local.end + entry.extent, entry.extent, stop)
    return entry


def _descriptor(blob: Blob, offset: int, packed: int, stop: int) -> Descriptor | None:
    found = read_descriptor(blob, offset, packed, -1)
    return found if found is not None and offset + found.size <= stop else None


def _extent(blob: Blob, local: Header, room: int, budget: Budget) -> int:
    """Find out how long content is whose header does not tell: a deflate stream ends itself, the rest by its descriptor."""
    if local.method == DEFLATED:
        stream = Stream(deflate, blob, local.end, local.end + room, budget)
        for _ in stream:
            pass
        return stream.consumed if stream.outcome is Outcome.ENDED else room
    tried = 0
    position = local.end
    while position < local.end + room and tried < _SIGNATURES_TRIED:
        chunk = blob.read(position, min(_CHUNK, local.end + room - position))
        found = chunk.find(DESCRIPTOR)
        while found >= 0 and tried < _SIGNATURES_TRIED:
            tried += 1
            length = position + found - local.end
            if read_descriptor(blob, position + found, length, -1) is not None:
                return length
            found = chunk.find(DESCRIPTOR, found + 1)
        position += max(len(chunk) - 3, 1)
    return room
