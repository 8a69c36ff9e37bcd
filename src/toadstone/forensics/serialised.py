"""Plain data inside ``marshal`` and pickle streams: text, bytes, numbers and containers of them, read without any loader.

A payload may lie in one of these as in any other encoding. Whatever imports, calls or is code is none of our business here:
readers of their own take it. Sources: ``Python/marshal.c`` and ``Lib/pickletools.py`` of CPython.
"""

# ruff: noqa: ANN401  (values of any type are read)
from __future__ import annotations

import pickletools
import struct
from typing import Any

from toadstone.forensics.effort import ITEMS, LONGEST, NotWorkedOut

_DEPTH = 40
_SCALARS = {b"N": None, b"T": True, b"F": False}
_SHORT = frozenset({b"z", b"Z"})
_TEXT = frozenset({b"t", b"u", b"a", b"A", b"z", b"Z"})


class _Marshal:
    """Reads one object."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self._refs: list[Any] = []
        self._left = ITEMS

    def _take(self, count: int) -> bytes:
        if count < 0 or self._position + count > len(self._data):
            raise ValueError("marshal data is cut off")
        self._position += count
        return self._data[self._position - count : self._position]

    def _number(self) -> int:
        return int(struct.unpack("<i", self._take(4))[0])

    def read(self, depth: int = 0) -> Any:
        """Read an object.

        Raises:
            ValueError, NotWorkedOut: If it is no plain data, or more than anybody writes.
        """
        self._left -= 1
        if depth > _DEPTH or self._left < 0:
            raise NotWorkedOut("size")
        tag = self._take(1)[0]
        kind = bytes([tag & 0x7F])
        slot = len(self._refs) if tag & 0x80 and kind not in _SCALARS else -1
        if slot >= 0:
            self._refs.append(NotWorkedOut)
        value = self._value(kind, depth)
        if slot >= 0:
            self._refs[slot] = value
        return value

    def _value(self, kind: bytes, depth: int) -> Any:
        if kind in _SCALARS:
            return _SCALARS[kind]
        if kind == b"i":
            return self._number()
        if kind == b"s":
            return self._take(self._number())
        if kind in _TEXT:
            content = self._take(self._take(1)[0] if kind in _SHORT else self._number())
            return content.decode("utf-8" if kind in (b"t", b"u") else "latin-1")
        if kind in (b"(", b")", b"["):
            count = self._take(1)[0] if kind == b")" else self._number()
            if count > ITEMS:
                raise NotWorkedOut("size")
            items = [self.read(depth + 1) for _ in range(count)]
            return items if kind == b"[" else tuple(items)
        if kind == b"r":
            value = self._refs[self._number()]
            if value is not NotWorkedOut:
                return value
        if kind == b"l":
            count = self._number()
            digits = struct.unpack(f"<{abs(count)}H", self._take(2 * abs(count)))
            number = sum(digit << (15 * index) for index, digit in enumerate(digits[: ITEMS >> 4]))
            return -number if count < 0 else number
        raise NotWorkedOut("no plain data")


def unmarshal(data: bytes) -> Any:
    """Give the plain data in a ``marshal`` stream.

    Raises:
        ValueError, NotWorkedOut: If it holds anything else.
    """
    if not isinstance(data, (bytes, bytearray)) or len(data) > LONGEST:
        raise NotWorkedOut("no plain data")
    return _Marshal(bytes(data)).read()


_PUSHED = frozenset(
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 STRING BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8 "
    "UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8 FLOAT BINFLOAT".split()
)
_NOTHING = frozenset({"PROTO", "FRAME"})
_EMPTY: dict[str, Any] = {
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
}
_OPCODES = 200_000
_MARK = object()


class _Pickle:
    """Follows the opcodes of a stream that holds plain data only."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def read(self, data: bytes) -> Any:
        """Give what the stream holds.

        Raises:
            NotWorkedOut: If it does anything but hold plain data.
        """
        for count, (opcode, argument, _place) in enumerate(pickletools.genops(data)):
            if count > _OPCODES:
                raise NotWorkedOut("steps")
            if opcode.name == "STOP":
                return self._stack[-1]
            self._step(opcode.name, argument)
        raise NotWorkedOut("no end")

    def _step(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _PUSHED:
            stack.append(argument)
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in _NOTHING:
            return
        elif name == "MARK":
            stack.append(_MARK)
        elif name in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[len(self._memo) if name == "MEMOIZE" else argument] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif name == "GLOBAL" and argument == "_codecs encode":
            stack.append(_MARK)  # protocols 0 to 2 write bytes as text that is encoded
        elif name == "REDUCE":
            self._encoded()
        else:
            self._build(name)

    def _encoded(self) -> None:
        args = self._stack.pop()
        if not (isinstance(args, tuple) and len(args) == 2 and args[1] == "latin1" and self._stack.pop() is _MARK):
            raise NotWorkedOut("a call")
        self._stack.append(str(args[0]).encode("latin-1"))

    def _build(self, name: str) -> None:
        stack = self._stack
        if name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            count = int(name[-1])
            items = stack[len(stack) - count :]
            del stack[len(stack) - count :]
            stack.append(tuple(items))
        elif name == "TUPLE":
            stack.append(tuple(self._marked()))
        elif name in ("APPEND", "APPENDS"):
            items = [stack.pop()] if name == "APPEND" else self._marked()
            stack[-1].extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = [stack.pop(-2), stack.pop()] if name == "SETITEM" else self._marked()
            stack[-1].update(zip(items[::2], items[1::2], strict=True))
        else:
            raise NotWorkedOut(name)

    def _marked(self) -> list[Any]:
        for index in range(len(self._stack) - 1, -1, -1):
            if self._stack[index] is _MARK:
                items = self._stack[index + 1 :]
                del self._stack[index:]
                return items
        raise NotWorkedOut("no mark")


def unpickle(data: bytes, **_options: Any) -> Any:
    """Give the plain data in a pickle; nothing is imported, called or built but plain values.

    Raises:
        ValueError, LookupError, NotWorkedOut: If it holds anything else.
    """
    if not isinstance(data, (bytes, bytearray)) or len(data) > LONGEST:
        raise NotWorkedOut("no plain data")
    return _Pickle().read(bytes(data))
