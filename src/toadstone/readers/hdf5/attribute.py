"""Attributes: small named values attached to an object."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from toadstone.core.record import dataclass
from toadstone.readers.hdf5.datatype import Dataspace, Datatype, read_dataspace, read_datatype, shared_datatype
from toadstone.readers.hdf5.fractal import dense
from toadstone.readers.hdf5.header import ATTRIBUTE, ATTRIBUTE_INFO, Message
from toadstone.readers.hdf5.medium import Broken, Cursor, Medium

Resolve = Callable[[int], Datatype]
"""Gives the datatype that is kept in the object header at an address."""


@dataclass(frozen=True)
class Attribute:
    """One attribute.

    Attributes:
        name: Its name.
        datatype: Of its elements.
        space: Its shape.
        data: Its bytes.
        offset: File offset of the bytes; -1 for a tiny object kept in an index.
    """

    name: str
    datatype: Datatype
    space: Dataspace
    data: bytes
    offset: int


def attributes(medium: Medium, messages: list[Message], resolve: Resolve) -> Iterator[Attribute | Broken]:
    """Give the attributes that the messages of an object header declare; one that is broken is given as its error."""
    for message in messages:
        if message.type == ATTRIBUTE:
            if message.shared:
                yield Broken("an attribute is kept in the file's table of shared messages", message.offset)
                continue
            cursor = message.cursor(medium)
            try:
                found = _attribute(medium, cursor, resolve)
            except Broken as error:
                yield error
                continue
            message.claim(medium, cursor.position)
            yield found
        elif message.type == ATTRIBUTE_INFO:
            yield from _dense(medium, message, resolve)


def _dense(medium: Medium, message: Message, resolve: Resolve) -> Iterator[Attribute | Broken]:
    try:
        for offset, data in dense(medium, message, order=2, lead=0):
            yield _attribute(medium, Cursor(data, offset, medium.wide, medium.long), resolve)
    except Broken as error:
        yield error


def _attribute(medium: Medium, cursor: Cursor, resolve: Resolve) -> Attribute:
    version, flags = cursor.number(1), cursor.number(1)
    if version not in {1, 2, 3}:
        raise Broken(f"attribute version {version} is not known", cursor.offset)
    if version == 1:
        flags = 0
    name_size, type_size, space_size = cursor.number(2), cursor.number(2), cursor.number(2)
    if version == 3:
        cursor.take(1)
    padded = version == 1

    def part(size: int) -> Cursor:
        start = cursor.position
        inner = Cursor(cursor.take(size), cursor.offset + start, medium.wide, medium.long)
        if padded:
            cursor.align(8, start)
        return inner

    name = part(name_size).data.split(b"\0", 1)[0].decode("utf-8", "replace")
    kind = part(type_size)
    datatype = resolve(shared_datatype(medium, kind)) if flags & 1 else read_datatype(kind)
    if flags & 2:
        raise Broken("a dataspace is kept elsewhere", cursor.offset)
    space = read_dataspace(part(space_size))
    size = space.count * datatype.size
    offset = cursor.offset + cursor.position if cursor.offset >= 0 else -1
    if size > cursor.left:
        raise Broken(f"the attribute {name[:80]!r} is shorter than its shape", cursor.offset)
    return Attribute(name, datatype, space, cursor.take(size), offset)
