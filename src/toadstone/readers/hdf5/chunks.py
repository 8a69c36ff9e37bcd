"""Chunk indexes of layout version 4: fixed arrays, extensible arrays, version-2 B-trees."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.record import dataclass
from toadstone.readers.hdf5.medium import Broken, Cursor, Medium
from toadstone.readers.hdf5.tree import records

_FILTERED = 1


@dataclass(frozen=True)
class Chunk:
    """One stored chunk.

    Attributes:
        address: Where; never undefined.
        size: Bytes stored.
        mask: Filters that were skipped, one bit each.
        index: Its number in the index (row-major for arrays), or the order in which a tree gives it.
    """

    address: int
    size: int
    mask: int
    index: int


class _Entries:
    """Reads the entries of an array index.

    Args:
        medium: The file.
        client: 0 for plain chunks, 1 for filtered ones.
        width: Bytes of an entry.
        plain: Bytes of an unfiltered chunk.
    """

    def __init__(self, medium: Medium, client: int, width: int, plain: int) -> None:
        self.medium = medium
        self.client = client
        self.width = width
        self.plain = plain
        if client > 1 or width < medium.wide + (5 if client else 0):
            raise Broken("a chunk index has impossible entries", medium.base)

    def read(self, cursor: Cursor, count: int, index: int) -> Iterator[Chunk]:
        """Give the chunks of ``count`` entries; entries that point nowhere are skipped."""
        self.medium.source.budget.spend_steps(4 * count)
        for number in range(index, index + count):
            address = cursor.address()
            size, mask = self.plain, 0
            if self.client == _FILTERED:
                size = cursor.number(self.width - self.medium.wide - 4)
                mask = cursor.number(4)
            if address != self.medium.undefined:
                yield Chunk(address, size, mask, number)


def fixed_array(medium: Medium, address: int, plain: int) -> Iterator[Chunk]:
    """Give the chunks of a fixed-array index.

    Raises:
        Broken: If it is cut or contradicts itself.
    """
    medium.once(address)
    size = 12 + medium.long + medium.wide
    cursor = Cursor(medium.signed(address, b"FAHD", size), medium.base + address, medium.wide, medium.long)
    cursor.take(5)
    entries = _Entries(medium, cursor.number(1), cursor.number(1), plain)
    page = 1 << min(cursor.number(1), 40)
    count, block = cursor.length(), cursor.address()
    medium.read(address, size)
    if block == medium.undefined:
        return
    prefix = 6 + medium.wide
    if count <= page:
        yield from _page(entries, block, prefix, (count, 0), b"FADB")
        return
    pages = (count + page - 1) // page
    bitmap = (pages + 7) // 8
    medium.source.budget.spend_steps(pages)
    data = medium.signed(block, b"FADB", prefix + bitmap + 4)
    medium.read(block, len(data))
    place = block + len(data)
    for number in range(pages):
        here = min(page, count - number * page)
        if _written(data[prefix : prefix + bitmap], number):
            yield from _page(entries, place, 0, (here, number * page), b"")
        place += page * entries.width + 4


def _page(entries: _Entries, address: int, prefix: int, span: tuple[int, int], signature: bytes) -> Iterator[Chunk]:
    """Give the chunks of ``span`` = (count, first index) entries that follow a prefix; a checksum ends the page."""
    medium = entries.medium
    medium.once(address)
    count, first = span
    size = prefix + count * entries.width + 4
    data = medium.signed(address, signature, size)
    medium.read(address, size)
    cursor = Cursor(data, medium.base + address, medium.wide, medium.long)
    cursor.take(prefix)
    yield from entries.read(cursor, count, first)


def _written(bitmap: bytes, number: int) -> bool:
    return bool(bitmap[number >> 3] & (0x80 >> (number & 7)))


class _Extensible:
    """An extensible-array index: an index block, then data blocks of growing size, later grouped under super blocks."""

    def __init__(self, medium: Medium, address: int, plain: int) -> None:
        medium.once(address)
        size = 12 + 6 * medium.long + medium.wide + 4
        cursor = Cursor(medium.signed(address, b"EAHD", size), medium.base + address, medium.wide, medium.long)
        cursor.take(5)
        self.entries = _Entries(medium, cursor.number(1), cursor.number(1), plain)
        self.bits = cursor.number(1)
        self.direct = cursor.number(1)
        self.smallest = cursor.number(1)
        self.pointers = cursor.number(1)
        self.page = 1 << min(cursor.number(1), 40)
        cursor.take(6 * medium.long)
        self.block = cursor.address()
        self.medium = medium
        medium.read(address, size)
        sizes = (self.smallest, self.pointers)
        if self.bits > 64 or any(size <= 0 or size & (size - 1) for size in sizes):
            raise Broken("an extensible array has impossible sizes", medium.base + address)
        self.offset_bytes = (self.bits + 7) // 8
        self.supers = 1 + self.bits - (self.smallest.bit_length() - 1)

    def chunks(self) -> Iterator[Chunk]:
        medium = self.medium
        if self.block == medium.undefined:
            return
        inline_supers = min(2 * (self.pointers.bit_length() - 1), self.supers)
        blocks = 2 * (self.pointers - 1)
        prefix = 6 + medium.wide
        size = prefix + self.direct * self.entries.width + (blocks + self.supers - inline_supers) * medium.wide + 4
        cursor = Cursor(medium.signed(self.block, b"EAIB", size), medium.base + self.block, medium.wide, medium.long)
        medium.read(self.block, size)
        cursor.take(prefix)
        yield from self.entries.read(cursor, self.direct, 0)
        index = self.direct
        for level in range(inline_supers):
            for _ in range(1 << (level // 2)):
                count = self._count(level)
                yield from self._data(cursor.address(), count, index, None)
                index += count
        for level in range(inline_supers, self.supers):
            yield from self._super(cursor.address(), level, index)
            index += (1 << (level // 2)) * self._count(level)

    def _count(self, level: int) -> int:
        return (1 << ((level + 1) // 2)) * self.smallest

    def _super(self, address: int, level: int, index: int) -> Iterator[Chunk]:
        medium = self.medium
        if address == medium.undefined:
            return
        medium.once(address)
        blocks, count = 1 << (level // 2), self._count(level)
        bitmap = (count // self.page + 7) // 8 if count > self.page else 0
        prefix = 6 + medium.wide + self.offset_bytes
        size = prefix + blocks * (bitmap + medium.wide) + 4
        cursor = Cursor(medium.signed(address, b"EASB", size), medium.base + address, medium.wide, medium.long)
        medium.read(address, size)
        cursor.take(prefix)
        maps = [cursor.take(bitmap) for _ in range(blocks)]
        for written in maps:
            yield from self._data(cursor.address(), count, index, written)
            index += count

    def _data(self, address: int, count: int, index: int, written: bytes | None) -> Iterator[Chunk]:
        medium = self.medium
        if address == medium.undefined:
            return
        prefix = 6 + medium.wide + self.offset_bytes
        if count <= self.page:
            yield from _page(self.entries, address, prefix, (count, index), b"EADB")
            return
        medium.signed(address, b"EADB", prefix + 4)
        medium.read(address, prefix + 4)
        place = address + prefix + 4
        medium.source.budget.spend_steps(count // self.page)
        for number in range(count // self.page):
            if written is None or _written(written, number):
                yield from _page(self.entries, place, 0, (self.page, index + number * self.page), b"")
            place += self.page * self.entries.width + 4


def extensible_array(medium: Medium, address: int, plain: int) -> Iterator[Chunk]:
    """Give the chunks of an extensible-array index.

    Raises:
        Broken: If it is cut or contradicts itself.
    """
    yield from _Extensible(medium, address, plain).chunks()


def tree2(medium: Medium, address: int, plain: int, rank: int, *, filtered: bool) -> Iterator[Chunk]:
    """Give the chunks of a version-2 B-tree index.

    Args:
        medium: The file.
        address: Of the tree's header.
        plain: Bytes of an unfiltered chunk.
        rank: Dimensions of the dataset.
        filtered: Whether records carry a stored size and a filter mask.
    """
    for number, record in enumerate(records(medium, address)):
        cursor = Cursor(record, medium.base + address, medium.wide, medium.long)
        at = cursor.address()
        size, mask = plain, 0
        if filtered:
            size = cursor.number(len(record) - medium.wide - 4 - 8 * rank)
            mask = cursor.number(4)
        yield Chunk(at, size, mask, number)
