"""Fractal heaps: where new-style groups and attributes keep what does not fit their header."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.readers.hdf5.freespace import claim_free_space
from toadstone.readers.hdf5.header import Message
from toadstone.readers.hdf5.medium import Broken, Cursor, Medium, bytes_for
from toadstone.readers.hdf5.tree import records

_MANAGED, _HUGE, _TINY = range(3)
_ROWS = 64
_DEPTH = 16


class FractalHeap:
    """A fractal heap; objects are fetched by their heap id.

    Args:
        medium: The file.
        address: Of the heap's header.

    Raises:
        Broken: If it is cut, not there, or contradicts itself.
    """

    def __init__(self, medium: Medium, address: int) -> None:
        medium.once(address)
        self._medium = medium
        self._address = address
        size = 22 + 12 * medium.long + 3 * medium.wide
        cursor = Cursor(medium.signed(address, b"FRHP", size + 4), medium.base + address, medium.wide, medium.long)
        cursor.take(5)
        self.id_length = cursor.number(2)
        self._filtered = cursor.number(2)
        self._flags = cursor.number(1)
        self._largest = cursor.number(4)
        cursor.length()
        self._huge_tree = cursor.address()
        cursor.length()
        self._free_space = cursor.address()
        for _ in range(8):
            cursor.length()
        self._width = cursor.number(2)
        self._start = cursor.length()
        self._max_direct = cursor.length()
        self._bits = cursor.number(2)
        cursor.number(2)
        self._root = cursor.address()
        self._rows = cursor.number(2)
        extra = medium.long + 4 + self._filtered if self._filtered else 0
        medium.read(address, cursor.position + extra + 4)
        self._check()
        self._offset_bytes = (self._bits + 7) // 8
        self._length_bytes = min(bytes_for(self._max_direct), bytes_for(self._largest))
        self._max_rows = self._max_direct.bit_length() - self._start.bit_length() + 2
        self._blocks: dict[int, tuple[int, int]] = {}
        self._huge: dict[int, tuple[int, int]] | None = None
        claim_free_space(medium, self._free_space)
        if self._root != medium.undefined and not self._filtered:
            self._map()

    def get(self, heap_id: bytes) -> tuple[int, bytes]:
        """Give the file offset and the bytes of an object, and claim them.

        Raises:
            Broken: If the id leads nowhere, or to filtered content, which is not read.
        """
        if not heap_id:
            raise Broken("an empty heap id", self._medium.base + self._address)
        kind = heap_id[0] >> 4 & 3
        if kind == _TINY:
            size = (heap_id[0] & 0xF) + 1
            return -1, heap_id[1 : 1 + size]
        if self._filtered:
            raise Broken("a fractal heap is compressed", self._medium.base + self._address)
        address, size = self._managed(heap_id) if kind == _MANAGED else self._huge_object(heap_id)
        data = self._medium.take(address, size, "object of a fractal heap")
        self._medium.read(address, size)
        return self._medium.base + address, data

    def _check(self) -> None:
        sizes = (self._start, self._max_direct)
        if any(size <= 0 or size & (size - 1) for size in sizes) or self._start > self._max_direct:
            raise Broken("a fractal heap has impossible block sizes", self._medium.base + self._address)
        if not 0 < self._width <= 1024 or self._bits > 64 or self._rows > _ROWS:
            raise Broken("a fractal heap has an impossible table", self._medium.base + self._address)

    def _managed(self, heap_id: bytes) -> tuple[int, int]:
        offset = int.from_bytes(heap_id[1 : 1 + self._offset_bytes], "little")
        start = 1 + self._offset_bytes
        size = int.from_bytes(heap_id[start : start + self._length_bytes], "little")
        first = self._block_start(offset, 0)
        address, length = self._blocks.get(first, (-1, 0))
        if address < 0 or offset + size > first + length:
            raise Broken("a heap id leads outside its fractal heap", self._medium.base + self._address)
        return address + offset - first, size

    def _block_start(self, offset: int, depth: int) -> int:
        """Give the heap offset at which the direct block that holds ``offset`` begins, or -1."""
        row_size, row_start = self._start, 0
        for row in range(_ROWS):
            if offset < row_start + row_size * self._width:
                first = row_start + (offset - row_start) // row_size * row_size
                if row < self._max_rows:
                    return first
                return first + self._block_start(offset - first, depth + 1) if depth < _DEPTH else -1
            row_start += row_size * self._width
            if row:
                row_size *= 2
        return -1

    def _map(self) -> None:
        if self._rows == 0:
            self._direct(self._root, 0, self._start)
        else:
            self._indirect(self._root, 0, self._rows, 0)

    def _prefix(self) -> int:
        return 5 + self._medium.wide + self._offset_bytes

    def _direct(self, address: int, start: int, size: int) -> None:
        prefix = self._prefix() + (4 if self._flags & 2 else 0)
        self._medium.once(address)
        self._medium.signed(address, b"FHDB", prefix)
        self._medium.read(address, prefix)
        self._blocks[start] = (address, size)

    def _indirect(self, address: int, start: int, rows: int, depth: int) -> None:
        if depth > _DEPTH or len(self._blocks) > 1_000_000:
            raise Broken("the blocks of a fractal heap are too many", self._medium.base + address)
        self._medium.once(address)
        size = self._prefix() + rows * self._width * self._medium.wide + 4
        data = self._medium.signed(address, b"FHIB", size)
        self._medium.read(address, size)
        cursor = Cursor(data, self._medium.base + address, self._medium.wide, self._medium.long)
        cursor.take(self._prefix())
        row_size = self._start
        for row in range(rows):
            for _ in range(self._width):
                child = cursor.address()
                if child != self._medium.undefined:
                    if row < self._max_rows:
                        self._direct(child, start, row_size)
                    else:
                        self._indirect(child, start, self._child_rows(row_size), depth + 1)
                start += row_size
            if row:
                row_size *= 2

    def _child_rows(self, size: int) -> int:
        return size.bit_length() - (self._start * self._width).bit_length() + 1

    def _huge_object(self, heap_id: bytes) -> tuple[int, int]:
        medium = self._medium
        if self.id_length - 1 >= medium.wide + medium.long:
            cursor = Cursor(heap_id[1:], medium.base, medium.wide, medium.long)
            return cursor.address(), cursor.length()
        if self._huge is None:
            self._huge = {}
            for record in records(medium, self._huge_tree):
                cursor = Cursor(record, medium.base, medium.wide, medium.long)
                address, size = cursor.address(), cursor.length()
                self._huge[cursor.length()] = (address, size)
        found = self._huge.get(int.from_bytes(heap_id[1 : 1 + min(8, self.id_length - 1)], "little"))
        if found is None:
            raise Broken("a huge object is not in its fractal heap", medium.base + self._address)
        return found


def dense(medium: Medium, message: Message, *, order: int, lead: int) -> Iterator[tuple[int, bytes]]:
    """Give what a dense group or a dense set of attributes keeps in its heap: offset in the file and bytes of each.

    Args:
        medium: The file.
        message: The info message that names the heap and its indexes.
        order: Bytes of the creation order that the message may hold.
        lead: Bytes of an index record before the heap id.

    Raises:
        Broken: If a part of it is cut, not there, or contradicts itself.
    """
    cursor = message.cursor(medium)
    cursor.take(1)
    flags = cursor.number(1)
    if flags & 1:
        cursor.take(order)
    heap_address, by_name = cursor.address(), cursor.address()
    by_order = cursor.address() if flags & 2 else medium.undefined
    message.claim(medium, cursor.position)
    if heap_address == medium.undefined:
        return
    heap = FractalHeap(medium, heap_address)
    if by_order != medium.undefined:
        for _ in records(medium, by_order):
            pass  # a second index over the same objects: only its bytes count
    for record in records(medium, by_name):
        yield heap.get(record[lead : lead + heap.id_length])
