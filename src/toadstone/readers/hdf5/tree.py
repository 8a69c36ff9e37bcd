"""B-trees of both versions."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.readers.hdf5.medium import Broken, Cursor, Medium, bytes_for

_DEPTH = 64


def group_leaves(medium: Medium, address: int) -> Iterator[int]:
    """Give the addresses of the symbol-table nodes of a group's version-1 B-tree.

    Raises:
        Broken: If the tree is cut or is reached twice.
    """
    for level, child, _key in _version1(medium, address, 0, medium.long, 0):
        if level == 0:
            yield child


def chunk_leaves(medium: Medium, address: int, rank: int) -> Iterator[tuple[int, int, int, bytes]]:
    """Give ``(address, stored size, filter mask, position)`` of the chunks of a version-1 B-tree.

    Args:
        medium: The file.
        address: Of the root node.
        rank: Dimensions of the chunk plus one (the element).
    """
    for level, child, key in _version1(medium, address, 1, 8 + 8 * rank, 0):
        if level == 0:
            yield child, int.from_bytes(key[:4], "little"), int.from_bytes(key[4:8], "little"), key[8:]


def _version1(medium: Medium, address: int, kind: int, width: int, depth: int) -> Iterator[tuple[int, int, bytes]]:
    if depth > _DEPTH:
        raise Broken("a B-tree is too deep", medium.base + address)
    medium.once(address)
    prefix = 8 + 2 * medium.wide
    head = medium.signed(address, b"TREE", prefix)
    if head[4] != kind:
        raise Broken("a B-tree node is of the wrong kind", medium.base + address)
    level, used = head[5], int.from_bytes(head[6:8], "little")
    size = prefix + used * (width + medium.wide) + width
    cursor = Cursor(medium.take(address, size, "B-tree node"), medium.base + address, medium.wide, medium.long)
    cursor.take(prefix)
    medium.read(address, size)
    for _ in range(used):
        key = cursor.take(width)
        child = cursor.address()
        yield level, child, key
        if level:
            yield from _version1(medium, child, kind, width, depth + 1)


class _Shape:
    """Sizes of the nodes of a version-2 B-tree, level by level."""

    def __init__(self, medium: Medium, node: int, record: int, depth: int) -> None:
        leaf = (node - 10) // record
        if leaf <= 0:
            raise Broken("a B-tree node is smaller than its records", medium.base)
        self.count_bytes = bytes_for(leaf)
        self.total_bytes = [0]
        total = leaf
        for level in range(1, depth + 1):
            pointer = medium.wide + self.count_bytes + self.total_bytes[level - 1]
            records_here = (node - 10 - pointer) // (record + pointer)
            if records_here <= 0:
                raise Broken("a B-tree node is smaller than its records", medium.base)
            total = (records_here + 1) * total + records_here
            self.total_bytes.append(bytes_for(total))


def records(medium: Medium, address: int) -> Iterator[bytes]:
    """Give the records of a version-2 B-tree.

    Raises:
        Broken: If the tree is cut, contradicts itself, or is reached twice.
    """
    size = 22 + medium.wide + medium.long
    cursor = Cursor(medium.signed(address, b"BTHD", size), medium.base + address, medium.wide, medium.long)
    cursor.take(6)
    node, record, depth = cursor.number(4), cursor.number(2), cursor.number(2)
    cursor.take(2)
    root, count = cursor.address(), cursor.number(2)
    medium.read(address, size)
    if root == medium.undefined or not count:
        return
    if not record or depth > _DEPTH:
        raise Broken("a B-tree has impossible sizes", medium.base + address)
    shape = _Shape(medium, node, record, depth)
    yield from _version2(medium, root, (record, count, depth), shape)


def _version2(medium: Medium, address: int, form: tuple[int, int, int], shape: _Shape) -> Iterator[bytes]:
    record, count, depth = form
    medium.once(address)
    pointer = medium.wide + shape.count_bytes + shape.total_bytes[depth - 1] if depth else 0
    size = 6 + count * record + ((count + 1) * pointer if depth else 0) + 4
    data = medium.signed(address, b"BTIN" if depth else b"BTLF", size)
    medium.read(address, size)
    cursor = Cursor(data, medium.base + address, medium.wide, medium.long)
    cursor.take(6)
    medium.source.budget.spend_steps(4 * count)
    for _ in range(count):
        yield cursor.take(record)
    for _ in range(count + 1 if depth else 0):
        child = cursor.address()
        below = cursor.number(shape.count_bytes)
        cursor.number(shape.total_bytes[depth - 1])
        yield from _version2(medium, child, (record, below, depth - 1), shape)
