"""Local heaps (names of old-style groups) and global heaps (variable-length data)."""

from __future__ import annotations

from toadstone.readers.hdf5.medium import Broken, Cursor, Medium

_KEPT = 1 << 18
"""Objects of opened collections that are remembered; a collection has at most 65,535."""


class LocalHeap:
    """The names of one old-style group.

    Args:
        medium: The file.
        address: Of the heap's header.

    Raises:
        Broken: If it is cut or not there.
    """

    def __init__(self, medium: Medium, address: int) -> None:
        medium.once(address)
        size = 8 + 2 * medium.long + medium.wide
        cursor = Cursor(medium.signed(address, b"HEAP", size), medium.base + address, medium.wide, medium.long)
        cursor.take(8)
        self._size = cursor.length()
        free = cursor.length()
        self._data = cursor.address()
        self._medium = medium
        self._bytes = medium.take(self._data, self._size, "local heap")
        medium.read(address, size)
        self._free(free)

    def name(self, offset: int) -> bytes:
        """Give the string at an offset.

        Raises:
            Broken: If it lies outside or has no end.
        """
        end = self._bytes.find(b"\0", offset) if 0 <= offset < self._size else -1
        if end < 0:
            raise Broken("a name lies outside its local heap", self._medium.base + self._data)
        self._medium.source.budget.spend_steps(8 + (end - offset >> 3))
        self._medium.read(self._data + offset, end + 1 - offset)
        return self._bytes[offset:end]

    def _free(self, offset: int) -> None:
        """Claim the headers of the free blocks; what lies in them is nobody's."""
        width = 2 * self._medium.long
        seen: set[int] = set()
        while offset + width <= self._size and offset not in seen and len(seen) < 4096:
            seen.add(offset)
            self._medium.read(self._data + offset, width)
            offset = int.from_bytes(self._bytes[offset : offset + self._medium.long], "little")


class GlobalHeap:
    """The global-heap collections of a file; the ones opened last are remembered."""

    def __init__(self, medium: Medium) -> None:
        self._medium = medium
        self._opened: dict[int, dict[int, tuple[int, int]]] = {}
        self._kept = 0

    def find(self, address: int, index: int) -> tuple[int, int]:
        """Give address and size of an object, and claim it.

        Raises:
            Broken: If there is no such object.
        """
        if address not in self._opened:
            collection = self._open(address)
            while self._opened and self._kept + len(collection) > _KEPT:
                self._kept -= len(self._opened.pop(next(iter(self._opened))))
            self._opened[address] = collection
            self._kept += len(collection)
        found = self._opened[address].get(index)
        if found is None:
            raise Broken(f"object {index} is not in its global heap", self._medium.base + address)
        start, size = found
        self._medium.read(start, size)
        return found

    def _open(self, address: int) -> dict[int, tuple[int, int]]:
        medium = self._medium
        prefix = 8 + medium.long
        head = medium.signed(address, b"GCOL", prefix)
        size = int.from_bytes(head[8:], "little")
        if address + medium.base + size > medium.source.blob.size:
            raise Broken("a global heap lies partly outside the file", medium.base + address)
        medium.read(address, prefix)
        found: dict[int, tuple[int, int]] = {}
        position = prefix
        entry = 8 + medium.long
        while position + entry <= size:
            head = medium.take(address + position, entry, "global heap object")
            index = int.from_bytes(head[:2], "little")
            length = int.from_bytes(head[8:], "little")
            medium.read(address + position, entry)
            if index == 0:  # free space to the end of the collection
                break
            if position + entry + length > size or index in found:
                raise Broken("the objects of a global heap contradict each other", medium.base + address + position)
            found[index] = (address + position + entry, length)
            position += entry + (length + 7) // 8 * 8
        return found
