"""The superblock: where everything else begins."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.core.record import dataclass
from toadstone.readers.hdf5.medium import Broken, Cursor, Medium
from toadstone.readers.reader import Source

_WIDTHS = (2, 4, 8, 16, 32)


@dataclass(frozen=True)
class Superblock:
    """What the superblock says.

    Attributes:
        version: 0 to 3.
        root: Address of the root group's object header.
        extension: Address of the superblock extension's object header; -1 without one.
        driver: Address of the driver information block; -1 without one.
        end: End-of-file address.
    """

    version: int
    root: int
    extension: int
    driver: int
    end: int


def read_superblock(source: Source, start: int) -> tuple[Medium, Superblock]:
    """Read the superblock at file offset ``start``.

    Raises:
        Broken: If it is none of the four versions, or cut.
    """
    medium = Medium(source, start)
    data = source.blob.read(start, 256)
    cursor = Cursor(data, start)
    cursor.take(8)
    version = cursor.number(1)
    if version <= 1:
        block = _old(medium, cursor, version)
    elif version <= 3:
        block = _new(medium, cursor, version)
    else:
        raise Broken(f"superblock version {version} is not known", start)
    # The base address in the block need not be where the block is; the library then trusts the block's own place for
    # reading and corrects the difference, so the place is what counts here too.
    medium.source.coverage.read(start, start + cursor.position)
    medium.structures.append((start, start + cursor.position))
    return medium, block


def _widths(medium: Medium, cursor: Cursor) -> None:
    medium.wide = cursor.wide = cursor.number(1)
    medium.long = cursor.long = cursor.number(1)
    if medium.wide not in _WIDTHS or medium.long not in _WIDTHS:
        raise Broken(f"addresses of {medium.wide} and lengths of {medium.long} bytes", cursor.offset)


def _old(medium: Medium, cursor: Cursor, version: int) -> Superblock:
    cursor.take(4)
    _widths(medium, cursor)
    cursor.take(1)
    medium.group_leaf = cursor.number(2)
    medium.group_internal = cursor.number(2)
    cursor.take(4)
    if version == 1:
        medium.chunk_internal = cursor.number(2)
        cursor.take(2)
    cursor.address()
    cursor.address()
    end = cursor.address()
    driver = cursor.address()
    cursor.address()
    root = cursor.address()
    cursor.take(24)
    return Superblock(version, root, -1, -1 if driver == medium.undefined else driver, end)


def _new(medium: Medium, cursor: Cursor, version: int) -> Superblock:
    _widths(medium, cursor)
    cursor.take(1)
    cursor.address()
    extension = cursor.address()
    end = cursor.address()
    root = cursor.address()
    cursor.take(4)
    return Superblock(version, root, -1 if extension == medium.undefined else extension, -1, end)


def driver_block(medium: Medium, address: int) -> Iterator[Fact]:
    """Read the driver information block: the file is then one part of several, which are not here."""
    head = medium.take(address, 16, "driver information block")
    size = int.from_bytes(head[4:8], "little")
    medium.take(address, 16 + size, "driver information block")
    medium.read(address, 16 + size)
    name = head[8:16].rstrip(b"\0").decode("latin-1")
    yield medium.source.unread(f"the HDF5 driver {name!r} spreads this file over several", medium.base + address)
