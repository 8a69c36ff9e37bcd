"""Object headers: the messages that describe a group, a dataset or a named datatype."""

from __future__ import annotations

from toadstone.core.record import dataclass
from toadstone.readers.hdf5.medium import Broken, Cursor, Medium

NIL, DATASPACE, LINK_INFO, DATATYPE, FILL_OLD, FILL, LINK, EXTERNAL = range(8)
LAYOUT, GROUP_INFO, FILTERS, ATTRIBUTE = 0x08, 0x0A, 0x0B, 0x0C
CONTINUATION, SYMBOL_TABLE, ATTRIBUTE_INFO = 0x10, 0x11, 0x15
DRIVER, SHARED_TABLE = 0x14, 0x0F

FAIL_ALWAYS = 0x80
"""Flag of a message: whoever does not know its type must not open the object."""

_SHARED = 0x02
_BLOCKS = 4096
"""Continuation blocks of one header that are followed; each must be new, so this only bounds honest oddities."""


@dataclass(frozen=True)
class Message:
    """One header message.

    Attributes:
        type: Its number.
        flags: Its flags.
        offset: File offset of its body.
        data: Its body.
    """

    type: int
    flags: int
    offset: int
    data: bytes

    @property
    def shared(self) -> bool:
        """Whether the body only says where the real message is."""
        return bool(self.flags & _SHARED)

    def cursor(self, medium: Medium) -> Cursor:
        """Give a cursor over the body."""
        return Cursor(self.data, self.offset, medium.wide, medium.long)

    def claim(self, medium: Medium, size: int) -> None:
        """Claim the first ``size`` bytes of the body as read."""
        medium.read(self.offset - medium.base, size)


def read_header(medium: Medium, address: int) -> list[Message]:
    """Read the messages of the object header at an address, over all its continuation blocks.

    Claims the prefixes of headers, blocks and messages. Bodies are claimed by whoever parses them.

    Raises:
        Broken: If the header is cut, of unknown version, or its continuations run in a circle.
    """
    if medium.take(address, 4, "object header") == b"OHDR":
        return _version2(medium, address)
    return _version1(medium, address)


def _version1(medium: Medium, address: int) -> list[Message]:
    prefix = medium.take(address, 16, "object header")
    if prefix[0] != 1:
        raise Broken(f"object header version {prefix[0]} is not known", medium.base + address)
    size = int.from_bytes(prefix[8:12], "little")
    medium.read(address, 16)
    return _blocks(medium, address + 16, size, old=True, ordered=False)


def _version2(medium: Medium, address: int) -> list[Message]:
    prefix = medium.take(address, 6, "object header")
    if prefix[4] != 2:
        raise Broken(f"object header version {prefix[4]} is not known", medium.base + address)
    flags = prefix[5]
    start = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = int.from_bytes(medium.take(address + start, width, "object header"), "little")
    medium.read(address, start + width)
    medium.take(address + start + width, size + 4, "object header")
    medium.read(address + start + width + size, 4)
    return _blocks(medium, address + start + width, size, old=False, ordered=bool(flags & 4))


def _blocks(medium: Medium, address: int, size: int, *, old: bool, ordered: bool) -> list[Message]:
    found: list[Message] = []
    pending = [(address, size)]
    seen: set[int] = set()
    while pending:
        address, size = pending.pop(0)
        if address in seen or len(seen) > _BLOCKS:
            raise Broken("the continuation blocks of an object header run in a circle", medium.base + address)
        seen.add(address)
        for message in _messages(medium, address, size, old=old, ordered=ordered):
            if message.type == CONTINUATION:
                pending.append(_continuation(medium, message, old=old))
            else:
                found.append(message)
    return found


def _continuation(medium: Medium, message: Message, *, old: bool) -> tuple[int, int]:
    cursor = message.cursor(medium)
    address, size = cursor.address(), cursor.length()
    message.claim(medium, cursor.position)
    if old:
        return address, size
    if size < 8:
        raise Broken("a continuation block is too small", medium.base + address)
    medium.signed(address, b"OCHK", size)
    medium.read(address, 4)
    medium.read(address + size - 4, 4)
    return address + 4, size - 8


def _messages(medium: Medium, address: int, size: int, *, old: bool, ordered: bool) -> list[Message]:
    data = medium.take(address, size, "object header block")
    prefix = 8 if old else (6 if ordered else 4)
    position = 0
    found: list[Message] = []
    while position + prefix <= size:
        if old:
            kind, length, flags = int.from_bytes(data[position : position + 2], "little"), data[position + 2 : position + 4], 4
        else:
            kind, length, flags = data[position], data[position + 1 : position + 3], 3
        body = position + prefix
        stop = body + int.from_bytes(length, "little")
        if stop > size:
            raise Broken("a header message is longer than its block", medium.base + address + position)
        medium.read(address + position, prefix)
        found.append(Message(kind, data[position + flags], medium.base + address + body, data[body:stop]))
        position = stop
    medium.source.budget.spend_steps(16 * len(found))
    return found
