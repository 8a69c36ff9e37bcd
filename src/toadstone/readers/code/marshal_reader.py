"""CPython's ``marshal`` format, read by ourselves and bounded: nothing is built but plain scalars and pictures.

Format: ``Python/marshal.c`` of CPython (versions 0 to 5). Code objects have three layouts since 3.6, told apart by the
interpreter's version: up to 3.7, 3.8 to 3.10 (positional-only arguments), and 3.11 to 3.14 (``localsplus``, qualified name,
exception table). Naked marshal data carries no version, so all layouts are tried and those that read to the end are kept.
"""

# ruff: noqa: SLF001, ANN401  (the table of leaves names methods of its own class; marshalled values can be anything)
from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from toadstone.core.record import dataclass, field

DEPTH = 2000
"""Nesting that CPython itself accepts (``MAX_MARSHAL_STACK_DEPTH``)."""

OBJECTS = 500_000
"""Objects read from one stream at most; a real module has thousands."""

_FLAG_REF = 0x80


class MarshalError(ValueError):
    """The bytes are no marshal data of the layout that was tried."""


@dataclass(eq=False)
class CodeObject:
    """What a code object says of itself.

    Attributes:
        layout: Which of `LAYOUTS` it was read with.
        names: Global and attribute names (``co_names``).
        locals: Names of local, cell and free variables by index, as the instructions of its version count them.
        cells: Cell and free variables by index, for versions that count them apart (up to 3.10).
        offset: Where its record begins.
    """

    layout: str = ""
    argcount: int = 0
    flags: int = 0
    code: bytes = b""
    consts: tuple[Any, ...] = ()
    names: tuple[str, ...] = ()
    locals: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    filename: str = ""
    name: str = ""
    qualname: str = ""
    firstlineno: int = 0
    lines: bytes = b""
    offset: int = 0


@dataclass(eq=False)
class Sequence:
    """A container: ``kind`` is ``list``, ``dict`` (flat key, value, key ...), ``set``, ``frozenset`` or ``slice``."""

    kind: str
    items: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class BigInt:
    """An integer too long to be worth converting."""

    digits: int


class Null:
    """The end of a dict; nowhere else in valid data."""


_NULL = Null()

_TAIL_OLD = ("code", "consts", "names", "varnames", "freevars", "cellvars", "filename", "name", "#firstlineno", "lines")
LAYOUTS: dict[str, tuple[str, ...]] = {
    "3.11": (
        *("#argcount", "#posonly", "#kwonly", "#stacksize", "#flags", "code", "consts", "names", "localsplus", "kinds"),
        *("filename", "name", "qualname", "#firstlineno", "lines", "exceptiontable"),
    ),
    "3.8": ("#argcount", "#posonly", "#kwonly", "#nlocals", "#stacksize", "#flags", *_TAIL_OLD),
    "3.6": ("#argcount", "#kwonly", "#nlocals", "#stacksize", "#flags", *_TAIL_OLD),
}
"""Fields of a code object in file order; those with ``#`` are plain 32-bit numbers."""


@dataclass
class _Frame:
    """An object whose parts are still being read."""

    finish: Callable[[list[Any]], Any]
    wanted: int
    parts: list[Any]
    slot: int
    early: Any = None
    layout: tuple[str, ...] = ()


class Unmarshaller:
    """Reads one marshal stream.

    Args:
        data: The bytes.
        layout: A key of `LAYOUTS`.
        start: Where to begin.
    """

    def __init__(self, data: bytes, layout: str, start: int = 0) -> None:
        self.data = data
        self.position = start
        self.layout = layout
        self.codes: list[CodeObject] = []
        self._refs: list[Any] = []
        self._stack: list[_Frame] = []
        self._objects = 0
        self.met_code = False
        """Whether a code object began, finished or not."""

    def load(self) -> Any:
        """Read one object; `position` is behind it afterwards.

        Raises:
            MarshalError: If it is broken, too deep, or not of this layout.
        """
        while True:
            value, complete = self._next()
            while complete:
                if not self._stack:
                    if value is _NULL:
                        raise MarshalError("a null object outside a dict")
                    return value
                frame = self._stack[-1]
                if value is _NULL and frame.wanted >= 0:
                    raise MarshalError("a null object outside a dict")
                if frame.wanted >= 0:
                    frame.parts.append(value)
                    done = len(frame.parts) >= frame.wanted
                else:
                    done = value is _NULL and len(frame.parts) % 2 == 0
                    if not done:
                        frame.parts.append(value)
                if not done:
                    self._numbers(frame)
                    done = len(frame.parts) == frame.wanted
                if not done:
                    break
                self._stack.pop()
                value = self._complete(frame)

    def _complete(self, frame: _Frame) -> Any:
        value = frame.finish(frame.parts)
        if frame.slot >= 0:
            self._refs[frame.slot] = value
        return value

    def _numbers(self, frame: _Frame) -> None:
        """Read the plain numbers that come next in a code object."""
        while frame.layout and len(frame.parts) < frame.wanted and frame.layout[len(frame.parts)][0] == "#":
            frame.parts.append(self._int32())

    def _take(self, size: int) -> bytes:
        piece = self.data[self.position : self.position + size]
        if size < 0 or len(piece) < size:
            raise MarshalError("the data ends inside an object")
        self.position += size
        return piece

    def _int32(self) -> int:
        return int.from_bytes(self._take(4), "little", signed=True)

    def _size(self, least: int) -> int:
        """Read a count whose items need at least ``least`` bytes each."""
        size = self._int32()
        if size < 0 or size * least > len(self.data) - self.position:
            raise MarshalError("a declared size exceeds the data")
        return size

    def _next(self) -> tuple[Any, bool]:
        """Read one object's head: give it whole, or push a frame and give ``(None, False)``."""
        self._objects += 1
        if self._objects > OBJECTS:
            raise MarshalError("more objects than any real code has")
        tag = self._take(1)[0]
        slot = -1
        kind = tag & 0x7F
        if tag & _FLAG_REF and kind not in _UNFLAGGED:
            slot = len(self._refs)
            self._refs.append(_PENDING)
        leaf = _LEAVES.get(kind)
        if leaf is not None:
            value = leaf(self)
            if slot >= 0:
                self._refs[slot] = value
            return value, True
        if kind == 0x72:  # 'r'
            return self._reference(), True
        return self._open(kind, slot)

    def _reference(self) -> Any:
        index = self._int32()
        if not 0 <= index < len(self._refs):
            raise MarshalError("a reference to nothing")
        value = self._refs[index]
        if value is _PENDING:
            raise MarshalError("a reference to an unfinished object")
        return value

    def _open(self, kind: int, slot: int) -> tuple[Any, bool]:
        if len(self._stack) >= DEPTH:
            raise MarshalError("nested deeper than CPython reads")
        frame = self._frame(kind, slot)
        if frame.wanted == 0:
            return self._complete(frame), True
        self._stack.append(frame)
        self._numbers(frame)
        return None, False

    def _frame(self, kind: int, slot: int) -> _Frame:
        if kind == 0x29:  # ')'
            return _Frame(tuple, self._take(1)[0], [], slot)
        if kind == 0x28:  # '('
            return _Frame(tuple, self._size(1), [], slot)
        if kind == 0x63:  # 'c'
            self.met_code = True
            fields = LAYOUTS[self.layout]
            offset = self.position - 1
            return _Frame(lambda parts: self._code(parts, offset), len(fields), [], slot, layout=fields)
        name = {0x5B: "list", 0x7B: "dict", 0x3C: "set", 0x3E: "frozenset", 0x3A: "slice"}.get(kind)
        if name is None:
            raise MarshalError(f"unknown type code {kind:#04x}")
        picture = Sequence(name)
        if slot >= 0 and name in ("list", "dict", "set"):
            self._refs[slot] = picture  # these may contain themselves

        def finish(parts: list[Any]) -> Sequence:
            picture.items = parts
            return picture

        wanted = 3 if name == "slice" else -1 if name == "dict" else self._size(1)
        return _Frame(finish, wanted, [], slot)

    def _code(self, parts: list[Any], offset: int) -> CodeObject:
        named = dict(zip((name.lstrip("#") for name in LAYOUTS[self.layout]), parts, strict=True))
        local_names = _strings(named.get("localsplus", named.get("varnames")))
        made = CodeObject(
            layout=self.layout,
            argcount=named["argcount"],
            flags=named["flags"],
            code=_typed(named["code"], bytes),
            consts=_typed(named["consts"], tuple),
            names=_strings(named["names"]),
            locals=local_names,
            cells=(*_strings(named.get("cellvars", ())), *_strings(named.get("freevars", ()))),
            filename=_typed(named["filename"], str),
            name=_typed(named["name"], str),
            qualname=_typed(named.get("qualname", named["name"]), str),
            firstlineno=named["firstlineno"],
            lines=_typed(named["lines"], bytes),
            offset=offset,
        )
        if "kinds" in named and len(_typed(named["kinds"], bytes)) != len(local_names):
            raise MarshalError("kinds and names of variables differ in number")
        self.codes.append(made)
        return made

    def _text_float(self) -> float:
        raw = self._take(self._take(1)[0])
        try:
            return float(raw)
        except ValueError:
            raise MarshalError("a malformed number") from None

    def _long(self) -> int | BigInt:
        count = self._int32()
        digits = self._take(2 * abs(count))
        if abs(count) > 1024:
            return BigInt(abs(count))
        values = struct.unpack(f"<{abs(count)}H", digits)
        if any(digit > 0x7FFF for digit in values):
            raise MarshalError("a digit out of range")
        number = 0
        for digit in reversed(values):
            number = (number << 15) | digit
        return -number if count < 0 else number

    def _double(self) -> float:
        return float(struct.unpack("<d", self._take(8))[0])

    def _utf8(self) -> str:
        raw = self._take(self._size(1))
        try:
            return raw.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise MarshalError("malformed text") from None


def _typed(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise MarshalError(f"a field of a code object is no {kind.__name__}")
    return value


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, tuple) or not all(isinstance(item, str) for item in value):
        raise MarshalError("names of a code object are no tuple of text")
    return value


_PENDING = object()

_UNFLAGGED = frozenset(b"r0NFTS.")
"""Singletons and references never get an index of their own."""

_LEAVES: dict[int, Callable[[Unmarshaller], Any]] = {
    ord("0"): lambda _reader: _NULL,
    ord("N"): lambda _reader: None,
    ord("F"): lambda _reader: False,
    ord("T"): lambda _reader: True,
    ord("S"): lambda _reader: StopIteration,
    ord("."): lambda _reader: ...,
    ord("i"): lambda reader: reader._int32(),
    ord("I"): lambda reader: int.from_bytes(reader._take(8), "little", signed=True),
    ord("l"): lambda reader: reader._long(),
    ord("f"): lambda reader: reader._text_float(),
    ord("g"): lambda reader: reader._double(),
    ord("x"): lambda reader: complex(reader._text_float(), reader._text_float()),
    ord("y"): lambda reader: complex(reader._double(), reader._double()),
    ord("s"): lambda reader: reader._take(reader._size(1)),
    ord("t"): lambda reader: reader._utf8(),
    ord("u"): lambda reader: reader._utf8(),
    ord("a"): lambda reader: reader._take(reader._size(1)).decode("latin-1"),
    ord("A"): lambda reader: reader._take(reader._size(1)).decode("latin-1"),
    ord("z"): lambda reader: reader._take(reader._take(1)[0]).decode("latin-1"),
    ord("Z"): lambda reader: reader._take(reader._take(1)[0]).decode("latin-1"),
}


@dataclass(eq=False)
class Loaded:
    """One successful reading.

    Attributes:
        value: The top object.
        codes: All code objects in it, inner ones first.
        end: Offset behind it.
        layout: The layout that fitted.
    """

    value: Any
    codes: list[CodeObject]
    end: int
    layout: str


def load_all(data: bytes, layouts: tuple[str, ...] = tuple(LAYOUTS), start: int = 0) -> tuple[list[Loaded], str]:
    """Read one object with every layout that fits.

    Returns:
        The successful readings, the one that reaches farthest first (only the first if there is no code object in it),
        and the reason of the last failure.
    """
    found: list[Loaded] = []
    reason = ""
    for layout in layouts:
        reader = Unmarshaller(data, layout, start)
        try:
            value = reader.load()
        except MarshalError as error:
            reason = str(error)
            if not reader.met_code:
                break  # as below
            continue
        found.append(Loaded(value, reader.codes, reader.position, layout))
        if not reader.codes:
            break  # layouts differ in code objects only
    return sorted(found, key=lambda loaded: -loaded.end), reason
