"""Virtual datasets: which other files they are put together from."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.readers.hdf5.medium import Broken, Cursor

_NONE, _POINTS, _HYPERSLABS, _ALL = range(4)
_ENTRIES = 100_000


def virtual_sources(cursor: Cursor) -> Iterator[str]:
    """Give the file names of a virtual dataset's mapping (``.`` is the file itself).

    Raises:
        Broken: If the mapping is cut or of an unknown version.
    """
    version = cursor.number(1)
    if version > 1:
        raise Broken(f"virtual mapping version {version} is not known", cursor.offset)
    entries = cursor.length()
    if entries > _ENTRIES:
        raise Broken(f"a virtual dataset claims {entries:,} sources", cursor.offset)
    for _ in range(entries):
        flags = cursor.number(1) if version == 1 else 0
        yield from _file_name(cursor, flags)
        _dataset_name(cursor, flags)
        _selection(cursor)
        _selection(cursor)


_SHARED_FILE, _SHARED_DATASET, _SAME_FILE = 1, 2, 4


def _file_name(cursor: Cursor, flags: int) -> Iterator[str]:
    if flags & _SAME_FILE:
        yield "."
    elif flags & _SHARED_FILE:
        cursor.length()  # the number of an earlier entry with the same name
    else:
        yield cursor.text().decode("utf-8", "replace")


def _dataset_name(cursor: Cursor, flags: int) -> None:
    if flags & _SHARED_DATASET:
        cursor.length()
    else:
        cursor.text()


def _selection(cursor: Cursor) -> None:
    """Skip a serialised selection."""
    kind, version = cursor.number(4), cursor.number(4)
    if kind in {_NONE, _ALL}:
        cursor.take(8)
    elif version == 1:
        cursor.take(4)
        cursor.take(cursor.number(4))
    elif kind == _HYPERSLABS and version == 2:
        cursor.take(1)
        cursor.take(cursor.number(4))
    elif kind == _HYPERSLABS and version == 3:
        flags, width = cursor.number(1), cursor.number(1)
        rank = cursor.number(4)
        cursor.take(width * rank * (4 if flags & 1 else 2 * cursor.number(width)))
    elif kind == _POINTS and version == 2:
        width, rank = cursor.number(1), cursor.number(4)
        cursor.take(width * rank * cursor.number(width))
    else:
        raise Broken(f"selection {kind} of version {version} is not known", cursor.offset + cursor.position)
