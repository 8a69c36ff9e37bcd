"""Objects of the standard library and of NumPy that are little more than numbers, as far as code that hides text uses them."""

# ruff: noqa: ANN401  (values of any type are worked out)
from __future__ import annotations

import ipaddress
import struct
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from toadstone.forensics.effort import ITEMS, NotWorkedOut
from toadstone.forensics.values import Attributes, Hosted

_WIDTHS = {"b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "l": 8, "L": 8, "q": 8, "Q": 8}
_NAMED = {"int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q"}
_OPERATORS: dict[str, Callable[[int, int], int]] = {
    "^": lambda a, b: a ^ b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "*": lambda a, b: a * b,
    "%": lambda a, b: a % b,
    "//": lambda a, b: a // b,
    ">>": lambda a, b: a >> b if b >= 0 else 0,
    "<<": lambda a, b: a << b if 0 <= b < 64 else 0,
}
_SWAPPED = "<>"


class Numbers:
    """A one-dimensional array of whole numbers (``array.array``, ``numpy.ndarray``).

    Args:
        code: Format of an item, as `struct` knows it.
        values: The items.
        order: ``<`` or ``>``.
    """

    def __init__(self, code: str, values: list[int], order: str = "<") -> None:
        if len(values) > ITEMS:
            raise NotWorkedOut("size")
        bits = 8 * _WIDTHS[code]
        low = -(1 << bits - 1) if code.islower() else 0
        self.code, self.order = code, order
        self.values = [(int(value) - low) % (1 << bits) + low for value in values]

    def __repr__(self) -> str:
        raise NotWorkedOut("repr")

    def __iter__(self) -> Iterator[int]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def item(self, key: Any) -> Any:
        """Give one item, or a part as another array."""
        made = self.values[key]
        return Numbers(self.code, made, self.order) if isinstance(made, list) else made

    def combined(self, sign: str, other: Any, *, swapped: bool = False) -> Numbers:
        """Give what an operator gives with a number, or item by item with as many numbers.

        Raises:
            NotWorkedOut: It is another operator, or the lengths differ.
        """
        function = _OPERATORS.get(sign)
        others = [other] * len(self.values) if isinstance(other, int) else list(other)
        if function is None or len(others) != len(self.values):
            raise NotWorkedOut(sign)
        pairs = zip(others, self.values, strict=True) if swapped else zip(self.values, others, strict=True)
        return Numbers(self.code, [function(left, right) for left, right in pairs], self.order)

    def method(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Give what a method gives.

        Raises:
            NotWorkedOut: If it is none of those that are worked out.
        """
        if name in ("tobytes", "tostring"):
            return struct.pack(f"{self.order}{len(self.values)}{self.code}", *self.values)
        if name in ("tolist", "flatten", "ravel", "copy"):
            return list(self.values) if name == "tolist" else self
        if name == "astype":
            return Numbers(_code(args[0] if args else kwargs.get("dtype"))[0], self.values)
        if name == "byteswap":
            raw = self.method("tobytes", (), {})
            return Numbers(self.code, list(struct.unpack(f"{_SWAPPED[self.order == '<']}{len(self.values)}{self.code}", raw)))
        raise NotWorkedOut(f"method {name}")


def _code(kind: Any) -> tuple[str, str]:
    """Give format and byte order of a type as NumPy names it.

    Raises:
        NotWorkedOut: It is none of whole numbers.
    """
    name = kind if isinstance(kind, str) else str(kind).rpartition(".")[2]
    order = name[0] if name[:1] in "<>" else "<"
    name = name.lstrip("<>|=")
    sized = {f"{'i' if code.islower() else 'u'}{_WIDTHS[code]}": code for code in "bBhHiIqQ"}
    code = _NAMED.get(name) or sized.get(name) or (name if name in _WIDTHS else "")
    if not code:
        raise NotWorkedOut(f"type {name[:20]}")
    return code, order


def array(code: Any, items: Any = b"") -> Any:
    """``array.array``: bytes are what lies in memory, a list the items.

    Raises:
        NotWorkedOut: The items are no whole numbers.
    """
    if code in ("B", "b") and isinstance(items, (bytes, bytearray)):
        return bytearray(items)
    if code not in _WIDTHS:
        raise NotWorkedOut(f"array of {code!r}")
    if isinstance(items, (bytes, bytearray)):
        return Numbers(code, list(struct.unpack(f"<{len(items) // _WIDTHS[code]}{code}", items)))
    return Numbers(code, list(items))


def frombuffer(data: Any, dtype: Any = "float64", **_options: Any) -> Numbers:
    """``numpy.frombuffer`` of whole numbers."""
    code, order = _code(dtype)
    width = _WIDTHS[code]
    return Numbers(code, list(struct.unpack(f"{order}{len(data) // width}{code}", data[: len(data) // width * width])), order)


def numbers(items: Any, dtype: Any = "int64", **_options: Any) -> Numbers:
    """``numpy.array`` of a flat list of whole numbers.

    Raises:
        NotWorkedOut: It is anything else.
    """
    listed = list(items) if isinstance(items, (list, tuple, range, bytes, bytearray, Numbers)) else None
    if listed is None or not all(type(item) is int for item in listed):
        raise NotWorkedOut("an array of other things")
    code, order = _code(dtype)
    return Numbers(code, listed, order)


class Plain(Attributes):
    """An object that is its attributes; ``__str__`` and ``__int__`` among them are what the types of that name give.

    Args:
        parts: Attributes by name.
    """

    def __init__(self, parts: dict[str, Any]) -> None:
        super().__init__(self._part)
        self._parts = parts

    def _part(self, name: str) -> Any:
        if name not in self._parts:
            raise NotWorkedOut(f"attribute {name}")
        return self._parts[name]

    def __str__(self) -> str:
        return str(self._part("__str__"))

    def __repr__(self) -> str:
        raise NotWorkedOut("repr")

    def __int__(self) -> int:
        return int(self._part("__int__"))


def address(value: Any) -> Plain:
    """An address of `ipaddress`."""
    if isinstance(value, Plain):
        return value
    known = ipaddress.ip_address(value)
    parts = {"packed": known.packed, "compressed": str(known), "exploded": known.exploded}
    return Plain(parts | {"__str__": str(known), "__int__": int(known)})


def identifier(text: Any = None, bytes: Any = None, bytes_le: Any = None, fields: Any = None, int: Any = None) -> Plain:  # noqa: A002  (as uuid.UUID has them)
    """``uuid.UUID``."""
    known = uuid.UUID(text, bytes, bytes_le, fields, int)
    names = ("bytes", "bytes_le", "hex", "int", "time_low", "time_mid", "time_hi_version", "node")
    return Plain({name: getattr(known, name) for name in names} | {"__str__": str(known), "__int__": known.int})


def inflater(inflate: Callable[[Any, Any], Any], dictionary: Any) -> Plain:
    """``zlib.decompressobj`` with a dictionary."""

    def run(args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Any:
        return inflate(args[0], dictionary)

    return Plain({"decompress": Hosted(run), "flush": Hosted(lambda _args, _kwargs: b"")})
