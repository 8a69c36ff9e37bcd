"""Datatypes and dataspaces: what the elements of a dataset or attribute are, and how many."""

from __future__ import annotations

from toadstone.core.record import dataclass, field
from toadstone.readers.hdf5.medium import Broken, Cursor, Medium

FIXED, FLOAT, TIME, STRING, BITS, OPAQUE, COMPOUND, REFERENCE, ENUM, VARIABLE, ARRAY, COMPLEX = range(12)

_PROPERTIES = {FIXED: 4, FLOAT: 12, TIME: 2, STRING: 0, BITS: 4, REFERENCE: 0}
_DEPTH = 32
_RANK = 32
"""Most dimensions that the library allows."""

_HEAPED = 65_536
_REGION = 1
"""Reference type that points into the global heap."""


@dataclass(frozen=True)
class Datatype:
    """One datatype.

    Attributes:
        kind: Its class (`FIXED`, `STRING`, `COMPOUND` ...).
        size: Bytes of one element in the file.
        bits: The class's bit field.
        base: Type of what a variable-length sequence, array, enumeration or complex number holds.
        members: Of a compound: ``(name, offset, type)``.
        count: Elements of an array type.
    """

    kind: int
    size: int
    bits: int
    base: Datatype | None = None
    members: tuple[tuple[str, int, Datatype], ...] = field(default=())
    count: int = 1

    @property
    def text(self) -> bool:
        """Whether it is a string, of fixed or variable length."""
        return self.kind == STRING or (self.kind == VARIABLE and self.bits & 0xF == 1)

    @property
    def bytewise(self) -> bool:
        """Whether its elements, laid side by side, are plain bytes that a program may take for a file."""
        if self.kind == ARRAY and self.base is not None:
            return self.base.bytewise
        return self.kind in {OPAQUE, STRING} or (self.kind in {FIXED, BITS} and self.size == 1)

    def heaped(self) -> list[tuple[int, Datatype]]:
        """List ``(offset in the element, type)`` of everything that lives in the global heap.

        Raises:
            Broken: If one element holds more of them than any real one.
        """
        if self.kind == VARIABLE or (self.kind == REFERENCE and self.bits & 0xF == _REGION):
            return [(0, self)]
        parts: list[tuple[int, Datatype]] = []
        if self.kind == COMPOUND:
            for _, start, inner in self.members:
                parts += [(start + at, kind) for at, kind in inner.heaped()]
                _limit(len(parts))
        elif self.kind == ARRAY and self.base is not None:
            size, inside = self.base.size, self.base.heaped()
            _limit(len(inside) * self.count)
            parts = [(index * size + at, kind) for index in range(self.count if inside else 0) for at, kind in inside]
        return parts


def _limit(count: int) -> None:
    if count > _HEAPED:
        raise Broken(f"an element refers to {count:,} variable-length values")


def read_datatype(cursor: Cursor, depth: int = 0) -> Datatype:
    """Read a datatype message body.

    Raises:
        Broken: If it is cut, of unknown class or version, or nested deeper than any library writes.
    """
    if depth > _DEPTH:
        raise Broken("a datatype is nested too deeply", cursor.offset + cursor.position)
    first = cursor.number(1)
    kind, version = first & 0xF, first >> 4
    bits = cursor.number(3)
    size = cursor.number(4)
    if kind in _PROPERTIES:
        cursor.take(_PROPERTIES[kind])
        return Datatype(kind, size, bits)
    if kind == OPAQUE:
        start = cursor.position
        cursor.take(bits & 0xFF)
        cursor.align(8, start)
        return Datatype(kind, size, bits)
    if kind in {VARIABLE, COMPLEX}:
        return Datatype(kind, size, bits, read_datatype(cursor, depth + 1))
    if kind == ARRAY:
        return _array(cursor, size, version, depth)
    if kind == ENUM:
        return _enumeration(cursor, size, bits, version, depth)
    if kind == COMPOUND:
        return _compound(cursor, size, bits, version, depth)
    raise Broken(f"datatype class {kind} is not known", cursor.offset)


def _array(cursor: Cursor, size: int, version: int, depth: int) -> Datatype:
    rank = cursor.number(1)
    if rank > _RANK:
        raise Broken(f"an array type of {rank} dimensions", cursor.offset)
    if version < 3:
        cursor.take(3)
    count = 1
    for _ in range(rank):
        count *= cursor.number(4)
    if version < 3:
        cursor.take(4 * rank)
    base = read_datatype(cursor, depth + 1)
    if count * base.size > size:
        raise Broken("an array type is larger than its size", cursor.offset)
    return Datatype(ARRAY, size, 0, base, count=count)


def _enumeration(cursor: Cursor, size: int, bits: int, version: int, depth: int) -> Datatype:
    base = read_datatype(cursor, depth + 1)
    for _ in range(bits & 0xFFFF):
        _name(cursor, padded=version < 3)
    cursor.take((bits & 0xFFFF) * base.size)
    return Datatype(ENUM, size, bits, base)


def _compound(cursor: Cursor, size: int, bits: int, version: int, depth: int) -> Datatype:
    members: list[tuple[str, int, Datatype]] = []
    for _ in range(bits & 0xFFFF):
        name = _name(cursor, padded=version < 3)
        offset = cursor.number(4 if version < 3 else max(1, (size.bit_length() + 7) // 8))
        rank = 0
        extents: list[int] = []
        if version == 1:
            rank = cursor.number(1)
            cursor.take(11)
            extents = [cursor.number(4) for _ in range(4)]
        inner = read_datatype(cursor, depth + 1)
        if version == 1 and 0 < rank <= 4:
            count = 1
            for extent in extents[:rank]:
                count *= extent
            inner = Datatype(ARRAY, count * inner.size, 0, inner, count=count)
        if offset + inner.size > size:
            raise Broken("a compound's member lies outside the compound", cursor.offset)
        members.append((name, offset, inner))
    return Datatype(COMPOUND, size, bits, members=tuple(members))


def _name(cursor: Cursor, *, padded: bool) -> str:
    start = cursor.position
    name = cursor.text()
    if padded:
        cursor.align(8, start)
    return name.decode("utf-8", "replace")


@dataclass(frozen=True)
class Dataspace:
    """The shape of a dataset or attribute: ``()`` for a scalar, None for no data at all."""

    shape: tuple[int, ...] | None

    @property
    def count(self) -> int:
        """Number of elements."""
        if self.shape is None:
            return 0
        count = 1
        for extent in self.shape:
            count *= extent
        return count


def read_dataspace(cursor: Cursor) -> Dataspace:
    """Read a dataspace message body.

    Raises:
        Broken: If it is cut or of an unknown version.
    """
    version, rank, flags = cursor.number(1), cursor.number(1), cursor.number(1)
    if rank > _RANK:
        raise Broken(f"a shape of {rank} dimensions", cursor.offset)
    if version == 1:
        cursor.take(5)
        null = False
    elif version == 2:
        null = cursor.number(1) == 2
    else:
        raise Broken(f"dataspace version {version} is not known", cursor.offset)
    shape = tuple(cursor.length() for _ in range(rank))
    if flags & 1:
        cursor.take(rank * cursor.long)
    if version == 1 and flags & 2:
        cursor.take(rank * cursor.long)
    return Dataspace(None if null else shape)


def shared_datatype(medium: Medium, cursor: Cursor) -> int:
    """Read the body of a shared message; gives the address of the object header that holds the real one.

    Raises:
        Broken: If the message is kept in the file's table of shared messages, which is not read.
    """
    version, kind = cursor.number(1), cursor.number(1)
    if version == 1:
        cursor.take(6)
        return cursor.address()
    if version == 2 or (version == 3 and kind == 2):
        return cursor.address()
    raise Broken("a message is kept in the file's table of shared messages", medium.base)
