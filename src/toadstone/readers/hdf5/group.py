"""Groups: the links that lead to other objects, in this file and outside it."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.record import dataclass
from toadstone.readers.hdf5.fractal import dense
from toadstone.readers.hdf5.header import LINK, LINK_INFO, SYMBOL_TABLE, Message
from toadstone.readers.hdf5.heap import LocalHeap
from toadstone.readers.hdf5.medium import Broken, Cursor, Medium
from toadstone.readers.hdf5.tree import group_leaves

HARD, SOFT, EXTERNAL = 0, 1, 64
_CACHED_SOFT_LINK = 2


@dataclass(frozen=True)
class GroupLink:
    """One link of a group.

    Attributes:
        name: Its name.
        kind: `HARD`, `SOFT`, `EXTERNAL` or the number of a user-defined class.
        address: Of the object, for hard links.
        target: Path in the file (soft), or file and path separated by a NUL (external).
        offset: File offset of the link.
    """

    name: str
    kind: int
    address: int = -1
    target: str = ""
    offset: int = -1


def group_links(medium: Medium, messages: list[Message]) -> Iterator[GroupLink]:
    """Give the links that the messages of an object header declare.

    Raises:
        Broken: If a structure is cut or contradicts itself; links given before that are sound.
    """
    for message in messages:
        if message.type == LINK:
            cursor = message.cursor(medium)
            yield _link(cursor)
            message.claim(medium, cursor.position)
        elif message.type == SYMBOL_TABLE:
            yield from _symbol_table(medium, message)
        elif message.type == LINK_INFO:
            yield from _dense(medium, message)


def _symbol_table(medium: Medium, message: Message) -> Iterator[GroupLink]:
    cursor = message.cursor(medium)
    tree, heap_address = cursor.address(), cursor.address()
    message.claim(medium, cursor.position)
    heap = LocalHeap(medium, heap_address)
    for address in group_leaves(medium, tree):
        medium.once(address)
        head = medium.signed(address, b"SNOD", 8)
        count = int.from_bytes(head[6:8], "little")
        size = 8 + count * (2 * medium.wide + 24)
        node = Cursor(medium.take(address, size, "symbol table"), medium.base + address, medium.wide, medium.long)
        node.take(8)
        medium.read(address, size)
        medium.source.budget.spend_steps(8 * count)
        for _ in range(count):
            offset = node.offset + node.position
            name, header, cached = node.address(), node.address(), node.number(4)
            node.take(4)
            scratch = node.take(16)
            text = heap.name(name).decode("utf-8", "replace")
            if cached == _CACHED_SOFT_LINK:
                target = heap.name(int.from_bytes(scratch[:4], "little")).decode("utf-8", "replace")
                yield GroupLink(text, SOFT, target=target, offset=offset)
            else:
                yield GroupLink(text, HARD, header, offset=offset)


def _dense(medium: Medium, message: Message) -> Iterator[GroupLink]:
    for offset, data in dense(medium, message, order=8, lead=4):
        yield _link(Cursor(data, offset, medium.wide, medium.long))


def _link(cursor: Cursor) -> GroupLink:
    start = cursor.offset
    version, flags = cursor.number(1), cursor.number(1)
    if version != 1:
        raise Broken(f"link version {version} is not known", start)
    kind = cursor.number(1) if flags & 8 else HARD
    if flags & 4:
        cursor.take(8)
    if flags & 16:
        cursor.take(1)
    name = cursor.take(cursor.number(1 << (flags & 3))).decode("utf-8", "replace")
    if kind == HARD:
        return GroupLink(name, HARD, cursor.address(), offset=start)
    value = cursor.take(cursor.number(2))
    if kind == EXTERNAL:
        value = value[1:].rstrip(b"\0")
    return GroupLink(name, kind, target=value.decode("utf-8", "replace"), offset=start)
