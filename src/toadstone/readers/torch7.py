"""Torch7 (Lua): what ``torch.save`` writes, in binary and as text (``.t7``, ``.th``, ``.net``).

One object after the other: numbers, strings, tables, objects of Torch's classes, and functions as the bytecode that Lua's
``string.dump`` gives. Loading hands that bytecode to ``loadstring``, which does not verify it; it runs when somebody calls the
function. Source: ``File.lua``, ``generic/Tensor.c`` and ``generic/Storage.c`` of torch7.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from toadstone.core.fact import Call, Code, Fact, Moment, Text
from toadstone.core.regex import regex
from toadstone.core.value import Symbol
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.reader import Reader, Source

_NIL, _NUMBER, _STRING, _TABLE, _TORCH, _BOOLEAN, _FUNCTION, _OLD_RECURSIVE, _RECURSIVE = range(9)
_FUNCTIONS = frozenset({_FUNCTION, _OLD_RECURSIVE, _RECURSIVE})
_WIDTHS = {
    "Byte": 1, "Char": 1, "Short": 2, "Half": 2, "Int": 4, "Long": 8, "Float": 4, "Double": 8, "Cuda": 4, "CudaByte": 1,
    "CudaChar": 1, "CudaShort": 2, "CudaHalf": 2, "CudaInt": 4, "CudaLong": 8, "CudaDouble": 8,
}  # fmt: skip
_KIND = regex(r"torch\.(\w{3,10}?)(Tensor|Storage)")
_INT = struct.Struct("<i")
_VERSION = regex(rb"V \d{1,4}")
_CLASS = regex(rb"[\w.\-:]{1,200}")
_NAME = 1 << 10
_KEPT = 4096
_DIMENSIONS = 64
_LONGEST_LINE = 1 << 16
_CODE = 1 << 20
"""Bytes of a function in which names are looked for."""
_NAMED = regex(rb"[ -~]{2,400}")
_GRAVE = {
    b"execute": Symbol("os", "execute"),
    b"popen": Symbol("io", "popen"),
    b"loadstring": Symbol("", "loadstring"),
    b"loadlib": Symbol("package", "loadlib"),
    b"dofile": Symbol("", "dofile"),
    b"loadfile": Symbol("", "loadfile"),
    b"cdef": Symbol("ffi", "cdef"),
}
"""Names that a function's constants hold when it runs commands, loads code or calls C; the source is Lua's manual."""


class _BrokenError(Exception):
    """The stream is not what Torch writes."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(f"{what} at byte {offset:,}")


class _Binary:
    """Numbers as the machine that wrote them had them: 32-bit ``int``, 64-bit ``long``, little-endian."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def number(self) -> int:
        """Read an ``int``."""
        return self._cursor.unpack(_INT)[0]

    def plain(self) -> None:
        """Move over a ``double``."""
        self._cursor.skip(8)

    def longs(self, count: int) -> list[int]:
        """Read an array of ``long``."""
        return list(struct.unpack(f"<{count}q", self._cursor.take(8 * count)))

    def text(self, size: int, kept: int) -> bytes:
        """Read a string, of which the first ``kept`` bytes are given."""
        found = self._cursor.take(min(size, kept))
        self._cursor.skip(size - len(found))
        return found

    def elements(self, count: int, width: int) -> None:
        """Move over the elements of a storage."""
        self._cursor.skip(count * width)


class _Lines:
    """The same as text: numbers on lines of their own, arrays on one line."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def _line(self, longest: int) -> bytes:
        held = b""
        while (piece := self._cursor.take(min(256, self._cursor.left) or 1)).find(b"\n") < 0:
            held += piece
            if len(held) > longest:
                raise _BrokenError("a line that is too long", self._cursor.position)
        end = piece.index(b"\n")
        self._cursor.position -= len(piece) - end - 1
        return held + piece[:end]

    def number(self) -> int:
        """Read a number."""
        line = self._line(64)
        if not line.lstrip(b"-").isdigit():
            raise _BrokenError("no number", self._cursor.position)
        return int(line)

    def plain(self) -> None:
        """Move over a number of any kind."""
        self._line(64)

    def longs(self, count: int) -> list[int]:
        """Read an array of numbers."""
        words = self._line(_LONGEST_LINE).split() if count else self._line(64).split()
        if len(words) != count or not all(word.lstrip(b"-").isdigit() for word in words):
            raise _BrokenError("no array of numbers", self._cursor.position)
        return [int(word) for word in words]

    def text(self, size: int, kept: int) -> bytes:
        """Read a string, of which the first ``kept`` bytes are given."""
        found = self._cursor.take(min(size, kept))
        self._cursor.skip(size - len(found))
        if self._cursor.take(1) != b"\n":
            raise _BrokenError("a string without its end", self._cursor.position)
        return found

    def elements(self, count: int, width: int) -> None:
        """Move over the line of a storage; bytes are written as they are."""
        if width == 1:
            self._cursor.skip(count)
            if self._cursor.take(1) != b"\n":
                raise _BrokenError("a storage without its end", self._cursor.position)
            return
        seen, inside = 0, False
        while True:
            piece = self._cursor.take(min(1 << 16, self._cursor.left) or 1)
            end = piece.find(b"\n")
            part = piece if end < 0 else piece[:end]
            if part.translate(None, b"0123456789+-.eEinfaN \t"):
                raise _BrokenError("no number in a storage", self._cursor.position)
            words = part.split()
            seen += len(words) - (inside and bool(words) and not part[:1].isspace())
            inside = bool(part) and not part[-1:].isspace()
            if end >= 0:
                self._cursor.position -= len(piece) - end - 1
                break
        if seen != count:
            raise _BrokenError("another number of elements than stated", self._cursor.position)


class _Stream:
    """Follows the objects of one file."""

    def __init__(self, source: Source, numbers: _Binary | _Lines, cursor: Cursor) -> None:
        self._source = source
        self._numbers = numbers
        self._cursor = cursor
        self._seen: set[int] = set()

    def objects(self) -> Iterator[Fact]:
        """Read one object with everything in it: what nests is written in order, so a count of what is left is enough."""
        waiting = 1
        while waiting:
            waiting -= 1
            self._source.budget.spend_steps(1)
            kind = self._numbers.number()
            if kind in (_NUMBER, _BOOLEAN):
                self._plain(kind)
            elif kind == _STRING:
                yield from self._string()
            elif kind == _TABLE:
                waiting += self._table()
            elif kind == _TORCH:
                waiting += self._torch()
            elif kind in _FUNCTIONS:
                if kind == _FUNCTION or self._new():
                    yield from self._function()
                    waiting += 1
            elif kind != _NIL:
                raise _BrokenError(f"an object of the unknown type {kind}", self._cursor.position)

    def _new(self) -> bool:
        index = self._numbers.number()
        if index in self._seen:
            return False
        self._seen.add(index)
        return True

    def _plain(self, kind: int) -> None:
        if kind == _BOOLEAN:
            if self._numbers.number() not in (0, 1):
                raise _BrokenError("a truth that is neither", self._cursor.position)
        else:
            self._numbers.plain()

    def _size(self) -> int:
        size = self._numbers.number()
        if not 0 <= size <= self._cursor.left:
            raise _BrokenError(f"a size of {size:,}", self._cursor.position)
        return size

    def _string(self) -> Iterator[Fact]:
        offset = self._cursor.position
        text = self._numbers.text(self._size(), _KEPT)
        if len(text) >= 8 and (shown := text.decode("utf-8", "replace")).isprintable():
            yield Text(self._source.place.at(offset), "metadata", shown)

    def _table(self) -> int:
        return 2 * self._size() if self._new() else 0

    def _torch(self) -> int:
        """Read an object of a class; give how many objects follow in it."""
        if not self._new():
            return 0
        name = self._numbers.text(self._size(), _NAME)
        if _VERSION.fullmatch(name):
            name = self._numbers.text(self._size(), _NAME)
        if not _CLASS.fullmatch(name):
            raise _BrokenError("a class without a name", self._cursor.position)
        found = _KIND.fullmatch(name.decode())
        if found is None or found[1] not in _WIDTHS:
            return 1  # a class of Lua: its fields are a table
        if found[2] == "Storage":
            (count,) = self._numbers.longs(1)
            if not 0 <= count <= self._cursor.left:
                raise _BrokenError(f"a storage of {count:,} elements", self._cursor.position)
            self._numbers.elements(count, _WIDTHS[found[1]])
            return 0
        dimensions = self._numbers.number()
        if not 0 <= dimensions <= _DIMENSIONS:
            raise _BrokenError(f"a tensor of {dimensions:,} dimensions", self._cursor.position)
        self._numbers.longs(dimensions)
        self._numbers.longs(dimensions)
        self._numbers.longs(1)
        return 1

    def _function(self) -> Iterator[Fact]:
        offset = self._cursor.position
        size = self._size()
        code = self._numbers.text(size, _CODE)
        place = self._source.place.at(offset)
        words = [found[0] for found in _NAMED.finditer(code)]
        texts = tuple(word.decode("ascii") for word in words if len(word) > 8)[:16]
        form = "LuaJIT" if code.startswith(b"\x1bLJ") else "Lua" if code.startswith(b"\x1bLua") else "unknown"
        yield Code(place, "lua", "function", f"a function of {size:,} bytes of {form} bytecode")
        for name, symbol in _GRAVE.items():
            if any(word.endswith(name) for word in words):
                yield Call(place, symbol, texts, (), "function", "lua", Moment.USE)


def _read(source: Source) -> Iterator[Fact]:
    """Follow the object to its end; whatever is behind it stays unclaimed."""
    cursor = Cursor(source.blob)
    numbers = _Lines(cursor) if source.head(1).isdigit() else _Binary(cursor)
    try:
        yield from _Stream(source, numbers, cursor).objects()
    except (ShortError, _BrokenError) as error:
        source.coverage.read(0, cursor.position)
        yield source.unread(f"torch7: {error}", cursor.position)
    else:
        source.coverage.read(0, cursor.position)


def _claims(source: Source) -> bool:
    """Whether a first object of a class, or a table whose first key is text or a number, begins here."""
    head = source.head(256)
    if head[:1].isdigit():
        return bool(_TEXT_START.match(head))
    return bool(_BINARY_START.match(head))


_TEXT_START = regex(rb"4\n1\n3\nV \d\n\d{1,3}\n[\w.]+\n|3\n1\n\d{1,9}\n(?:2\n\d{1,4}\n[ -~]|1\n[\d.]+\n)")
_BINARY_START = regex(
    rb"(?s)\x04\0\0\0\x01\0\0\0\x03\0\0\0V \d.\0\0\0[\w.]+"
    rb"|\x03\0\0\0\x01\0\0\0..\0\0(?:\x02\0\0\0.\0\0\0[ -~]|\x01\0\0\0\0\0\0\0\0\0\xf0\?)"
)

READERS = (
    Reader(
        kind="torch7",
        read=_read,
        marks=((0, b"\x04\0\0\0\x01\0\0\0\x03\0\0\0V "), (0, b"\x03\0\0\0\x01\0\0\0"), (0, b"4\n1\n3\nV "), (0, b"3\n1\n")),
        claims=_claims,
        rank=40,
    ),
)
