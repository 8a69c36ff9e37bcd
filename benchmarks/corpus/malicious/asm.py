"""A small pickle assembler: opcodes of every protocol written by hand, and expression trees encoded as pickle would.

Sources: PEP 307, PEP 3154, PEP 574 and the opcode table of CPython's ``pickletools``. Nothing here reads or runs a pickle.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

MARK, STOP, POP, POP_MARK, DUP, NONE = b"(", b".", b"0", b"1", b"2", b"N"
EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE, EMPTY_SET = b"}", b"]", b")", b"\x8f"
REDUCE, BUILD, OBJ, NEWOBJ, NEWOBJ_EX = b"R", b"b", b"o", b"\x81", b"\x92"
TUPLE, TUPLE1, TUPLE2, TUPLE3, LIST, DICT = b"t", b"\x85", b"\x86", b"\x87", b"l", b"d"
APPEND, APPENDS, SETITEM, SETITEMS, ADDITEMS, FROZENSET = b"a", b"e", b"s", b"u", b"\x90", b"\x91"
STACK_GLOBAL, MEMOIZE, NEWTRUE, NEWFALSE = b"\x93", b"\x94", b"\x88", b"\x89"
BINPERSID, NEXT_BUFFER, READONLY_BUFFER = b"Q", b"\x97", b"\x98"

_BYTE = 256


def proto(version: int) -> bytes:
    """PROTO."""
    return b"\x80" + bytes([version])


def frame(body: bytes, length: int | None = None) -> bytes:
    """FRAME around ``body``, with a true length unless another is given."""
    return b"\x95" + struct.pack("<Q", len(body) if length is None else length) + body


def short_unicode(text: str) -> bytes:
    """SHORT_BINUNICODE."""
    data = text.encode("utf-8", "surrogatepass")
    return b"\x8c" + bytes([len(data)]) + data


def bin_unicode(text: str) -> bytes:
    """BINUNICODE."""
    data = text.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def bin_unicode8(text: str) -> bytes:
    """BINUNICODE8."""
    data = text.encode("utf-8", "surrogatepass")
    return b"\x8d" + struct.pack("<Q", len(data)) + data


def text_unicode(text: str) -> bytes:
    """UNICODE (protocol 0), raw-unicode-escaped."""
    safe = text.replace("\\", "\\u005c").replace("\0", "\\u0000").replace("\n", "\\u000a").replace("\r", "\\u000d")
    return b"V" + safe.encode("raw_unicode_escape") + b"\n"


def text_string(text: str) -> bytes:
    """STRING (protocol 0), quoted as ``repr`` does."""
    return b"S" + repr(text).encode("ascii") + b"\n"


def bin_string(text: str) -> bytes:
    """BINSTRING."""
    data = text.encode("ascii")
    return b"T" + struct.pack("<i", len(data)) + data


def short_string(text: str) -> bytes:
    """SHORT_BINSTRING."""
    data = text.encode("ascii")
    return b"U" + bytes([len(data)]) + data


def short_bytes(data: bytes) -> bytes:
    """SHORT_BINBYTES or BINBYTES, whichever fits."""
    if len(data) < _BYTE:
        return b"C" + bytes([len(data)]) + data
    return b"B" + struct.pack("<I", len(data)) + data


def bytes8(data: bytes) -> bytes:
    """BINBYTES8."""
    return b"\x8e" + struct.pack("<Q", len(data)) + data


def bytearray8(data: bytes) -> bytes:
    """BYTEARRAY8."""
    return b"\x96" + struct.pack("<Q", len(data)) + data


def global_(module: str, name: str) -> bytes:
    """GLOBAL."""
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def inst(module: str, name: str) -> bytes:
    """INST; its arguments stand above a MARK."""
    return b"i" + module.encode() + b"\n" + name.encode() + b"\n"


def stack_global(module: str, name: str) -> bytes:
    """Two SHORT_BINUNICODE and STACK_GLOBAL, without memo."""
    return short_unicode(module) + short_unicode(name) + STACK_GLOBAL


def put(index: int) -> bytes:
    """PUT (text)."""
    return b"p%d\n" % index


def get(index: int) -> bytes:
    """GET (text)."""
    return b"g%d\n" % index


def bin_put(index: int) -> bytes:
    """BINPUT, or LONG_BINPUT for an index above 255."""
    return b"q" + bytes([index]) if index < _BYTE else b"r" + struct.pack("<I", index)


def bin_get(index: int) -> bytes:
    """BINGET, or LONG_BINGET for an index above 255."""
    return b"h" + bytes([index]) if index < _BYTE else b"j" + struct.pack("<I", index)


def int_(number: int) -> bytes:
    """BININT1, BININT2, BININT or LONG1, whichever fits."""
    if 0 <= number < _BYTE:
        return b"K" + bytes([number])
    if 0 <= number < _BYTE**2:
        return b"M" + struct.pack("<H", number)
    if -(2**31) <= number < 2**31:
        return b"J" + struct.pack("<i", number)
    data = number.to_bytes(number.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


@dataclass(frozen=True)
class Symbol:
    """A global, written ``module:qualified.name``."""

    where: str

    @property
    def module(self) -> str:
        """The module part."""
        return self.where.partition(":")[0]

    @property
    def name(self) -> str:
        """The (possibly dotted) name in the module."""
        return self.where.partition(":")[2]


@dataclass(frozen=True)
class Call:
    """``function(*arguments)`` at load time."""

    function: object
    arguments: tuple[object, ...] = ()


@dataclass(frozen=True)
class Raw:
    """Opcodes that leave one value on the stack."""

    code: bytes


def S(where: str) -> Symbol:  # noqa: N802 - a one-letter constructor keeps the tables readable
    """Shorthand for ``Symbol``."""
    return Symbol(where)


def C(function: str | Symbol | Call, *arguments: object) -> Call:  # noqa: N802 - as above
    """Shorthand for ``Call``; a string is a symbol."""
    return Call(Symbol(function) if isinstance(function, str) else function, arguments)


@dataclass
class Encoder:
    """Encodes an expression tree the way ``pickle`` writes it, memo opcodes included.

    Attributes:
        protocol: 0 to 5. Below 4 a dotted name becomes ``getattr`` calls, below 3 bytes become ``_codecs.encode``.
        memo: whether to write memo opcodes.
    """

    protocol: int = 4
    memo: bool = True
    _count: int = field(default=0, init=False)

    def dumps(self, value: object) -> bytes:
        """One whole pickle."""
        self._count = 0
        body = self.encode(value) + STOP
        if self.protocol >= 4:
            return proto(self.protocol) + frame(body)
        return (proto(self.protocol) if self.protocol >= 2 else b"") + body

    def encode(self, value: object) -> bytes:
        """The opcodes that push ``value``."""
        if isinstance(value, Raw):
            return value.code
        if isinstance(value, Symbol):
            return self._symbol(value)
        if isinstance(value, Call):
            return self.encode(value.function) + self._tuple(value.arguments) + REDUCE + self._remember()
        if isinstance(value, tuple):
            return self._tuple(value)
        if isinstance(value, (list, dict, set)):
            return self._container(value)
        return self._scalar(value)

    def _remember(self) -> bytes:
        index, self._count = self._count, self._count + 1
        if not self.memo:
            return b""
        if self.protocol >= 4:
            return MEMOIZE
        return bin_put(index) if self.protocol else put(index)

    def _scalar(self, value: object) -> bytes:
        if value is None:
            return NONE
        if isinstance(value, bool):
            return self._bool(value)
        if isinstance(value, int):
            return int_(value) if self.protocol else (b"I%d\n" if abs(value) < 2**31 else b"L%dL\n") % value
        if isinstance(value, float):
            return b"G" + struct.pack(">d", value) if self.protocol else b"F" + repr(value).encode() + b"\n"
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bytes):
            return self._bytes(value)
        raise TypeError(f"no opcode for {type(value).__name__}")

    def _bool(self, value: bool) -> bytes:
        if self.protocol >= 2:
            return NEWTRUE if value else NEWFALSE
        return b"I01\n" if value else b"I00\n"

    def _text(self, value: str) -> bytes:
        if self.protocol == 0:
            return text_unicode(value) + self._remember()
        short = self.protocol >= 4 and len(value.encode("utf-8", "surrogatepass")) < _BYTE
        return (short_unicode(value) if short else bin_unicode(value)) + self._remember()

    def _bytes(self, value: bytes) -> bytes:
        if self.protocol >= 3:
            return short_bytes(value) + self._remember()
        return self.encode(C("_codecs:encode", value.decode("latin1"), "latin1"))

    def _symbol(self, symbol: Symbol) -> bytes:
        module, name = symbol.module, symbol.name
        if self.protocol >= 4:
            return self._text(module) + self._text(name) + STACK_GLOBAL + self._remember()
        head, *rest = name.split(".")
        if rest:
            return self.encode(C("builtins:getattr", Symbol(f"{module}:{name.rpartition('.')[0]}"), rest[-1]))
        if self.protocol < 3 and module == "builtins":
            module = "__builtin__"
        return global_(module, head) + self._remember()

    def _tuple(self, items: tuple[object, ...]) -> bytes:
        if not items:
            return EMPTY_TUPLE if self.protocol else MARK + TUPLE
        body = b"".join(self.encode(item) for item in items)
        if self.protocol >= 2 and len(items) <= 3:
            return body + (TUPLE1, TUPLE2, TUPLE3)[len(items) - 1] + self._remember()
        return MARK + body + TUPLE + self._remember()

    def _container(self, value: list[object] | dict[object, object] | set[object]) -> bytes:
        if isinstance(value, set):
            return self.encode(C("builtins:set", sorted(value, key=repr)))
        empty = EMPTY_LIST if isinstance(value, list) else EMPTY_DICT
        if self.protocol == 0:
            empty = MARK + (LIST if isinstance(value, list) else DICT)
        head = empty + self._remember()
        if not value:
            return head
        if isinstance(value, list):
            parts = [self.encode(item) for item in value]
            return head + MARK + b"".join(parts) + APPENDS if self.protocol else head + b"".join(p + APPEND for p in parts)
        pairs = [self.encode(key) + self.encode(item) for key, item in value.items()]
        return head + MARK + b"".join(pairs) + SETITEMS if self.protocol else head + b"".join(p + SETITEM for p in pairs)
