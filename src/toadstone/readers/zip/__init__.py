"""Zip files, read by our own parser: what the directory says, what the headers say, and what neither mentions.

How readers of zip-based formats use it::

    archive = open_zip(source)                 # parsed once for a source, however many readers ask
    for entry in archive.entries:              # entry.name, .size, .stored, .central, .local, .data_offset ...
        if is_payload(entry) and archive.inert(source, entry):
            continue                           # claimed as inert; False (not possible) leaves it to `facts`
        if entry.name.endswith("/data.pkl"):
            yield from archive.member(source, entry, hint="pickle")   # every version, with its anomalies
    config = archive.read(source, entry, 65536)                        # a look at the head, unpacked
    blob = archive.content(source, entry)      # the whole content (stored: a window), or None; the caller closes it
    yield from archive.facts(source)           # structure and its anomalies (once), then all members not dealt with

`facts` must be run once by whoever opens an archive; a second reader of the same source gets only what is left. The
reader of this module has rank 10: readers of formats inside zip files take a smaller rank and find it has nothing to do.
"""

from __future__ import annotations

import importlib
from collections.abc import Generator, Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from toadstone.readers.zip.archive import Archive
    from toadstone.readers.zip.directory import Directory
    from toadstone.readers.zip.entry import Entry, View
    from toadstone.readers.zip.records import Header

__all__ = ["READERS", "Archive", "Directory", "Entry", "Header", "View", "behind_prefix", "open_zip", "prefix_facts"]

_NAMES = (".zip", ".npz", ".keras", ".pt", ".pth", ".ckpt", ".bin", ".whl", ".skops", ".mar", ".jar", ".docx", ".xlsx")


_HOMES = {"Archive": "archive", "Directory": "directory", "Entry": "entry", "View": "entry", "Header": "records"}


def __getattr__(name: str) -> object:
    """Load the parser when it is first needed: start-up pays only for this module."""
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def open_zip(source: Source) -> Archive:
    """Parse the structure of a zip file, once for a source however many readers ask.

    Costs a read of the file's tail, of the directory and of each local header: about 10 µs a member. Never raises for
    what is in the file; an archive without members and directories is no zip.
    """
    from toadstone.readers.zip.archive import opened  # noqa: PLC0415  (see __getattr__)

    return opened(source)


def read(source: Source) -> Iterator[Fact]:
    """Yield the structure's contradictions and every member that no reader of a zip-based format has dealt with."""
    archive = open_zip(source)
    if not archive.entries and not archive.directories:
        yield source.unread("a zip signature without a single complete record")
        return
    yield from archive.facts(source)


def read_behind_prefix(source: Source) -> Iterator[Fact]:
    """Read an archive that begins behind something else: self-extractors, polyglots."""
    if (yield from prefix_facts(source)):
        yield from open_zip(source).facts(source)


def prefix_facts(source: Source) -> Generator[Fact, None, bool]:
    """Say what stands before an archive; give whether the archive is to be read here. For the first who asks only.

    Content of another container that happens to end in a stored zip is not read twice: if the other container's reader
    understood all of it, more follows after the end record, and the name promises no zip, then the zip is a member.
    """
    from toadstone.readers.zip.directory import last_end  # noqa: PLC0415  (see __getattr__)

    if "zip-prefix" in source.shared:
        return False
    source.shared["zip-prefix"] = True
    offset = last_end(source.blob)
    at_end = offset + 22 + int.from_bytes(source.blob.read(offset + 20, 2), "little") >= source.blob.size
    named = source.suffix in _NAMES
    if not at_end and not named and not any(start < offset for start, _ in source.coverage.gaps()):
        return False
    understood = source.coverage.covered
    archive = open_zip(source)
    first = min([*(entry.offset for entry in archive.entries), *(found.start for found in archive.directories)], default=offset)
    if understood:
        yield source.anomaly("parser-confusion", "the same bytes are a zip file and something else", first)
    elif _is_command_line(source.blob.read(0, min(first, _LINE + 1))):
        source.coverage.read(0, first)
    else:
        yield source.anomaly("hidden-data", f"the archive begins behind {first:,} bytes of something else", 0)
    return True


_LINE = 256


def _is_command_line(prefix: bytes) -> bool:
    """Whether all that stands before an archive is the line that makes it a Python program (PEP 441)."""
    return prefix.startswith(b"#!") and len(prefix) <= _LINE and prefix.endswith(b"\n") and prefix.count(b"\n") == 1


def behind_prefix(source: Source) -> bool:
    """Whether a zip's end record leads to a directory in something that does not begin like a zip."""
    blob = source.blob
    if blob.size < 22 or b"PK\x05\x06" not in blob.read(max(blob.size - _TAIL, 0), _TAIL) or source.head(8).startswith(_HEADS):
        return False
    from toadstone.readers.zip.directory import last_end  # noqa: PLC0415  (see __getattr__)

    return last_end(blob) >= 0


_TAIL = 22 + 0xFFFF
_HEADS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x01\x02", b"PK00PK\x03\x04", b"PK\x07\x08PK\x03\x04")

READERS = (
    Reader(kind="zip", read=read, heads=_HEADS, rank=10),
    Reader(kind="zip-behind-prefix", read=read_behind_prefix, claims=behind_prefix, always=True, rank=79),
)
