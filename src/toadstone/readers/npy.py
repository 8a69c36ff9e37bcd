"""NumPy's ``.npy``: a header written as a Python literal, then the array; object arrays are pickles.

Source: NumPy enhancement proposal 1 (NEP 1) and ``numpy.lib.format`` for versions 1.0, 2.0 and 3.0.
The literal is read by a bounded parser of our own; nothing is evaluated.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Generator, Iterator
from math import prod
from typing import TypeAlias

from toadstone.core.fact import Fact
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.reader import Reader, Source

MAGIC = b"\x93NUMPY"
HEADER_LIMIT = 4 << 20
"""Bytes of a header that are parsed; NumPy itself stops at 10,000 unless pickles are allowed."""

_DEPTH = 32
_RESOURCE = 1 << 30
_ARRAYS = 100_000

Literal: TypeAlias = "None | bool | int | str | tuple[Literal, ...] | list[Literal] | dict[str, Literal]"

_PIECES = (
    r"\s*(?:(?P<mark>[()\[\]{},:])"
    r"|(?P<text>[urbURB]{0,2}'(?:[^'\\\n]|\\.)*'|[urbURB]{0,2}\"(?:[^\"\\\n]|\\.)*\")"
    r"|(?P<number>[+-]?\d+)[lL]?"
    r"|(?P<word>True|False|None)\b)"
)
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_WORDS: dict[str, Literal] = {"True": True, "False": False, "None": None}
_TYPE = r"([<>=|!]?)([?bBhHiIlLqQnNpPefdgFDGSUVOmMcau])(\d*)(?:\[[^\]]{0,32}\])?"
_SIZED = frozenset("biufcSUVaOmM")
_BARE = {
    **dict.fromkeys("?bBca", 1),
    **dict.fromkeys("hHe", 2),
    **dict.fromkeys("iIf", 4),
    **dict.fromkeys("lLqQnNpPdFmMO", 8),
    **dict.fromkeys("gD", 16),
    "G": 32,
    "S": 0,
    "U": 0,
    "V": 0,
}
_NAMED = r"(bool|u?int|float|complex|bytes|str|void|object|datetime|timedelta)(\d*)_?"


class LiteralError(ValueError):
    """The header is not the literal that NumPy writes."""


class _Parser:
    """Reads nested literals within a depth; repeated keys are remembered, because the last one wins in NumPy."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.repeated: list[str] = []
        self.pattern = re.compile(_PIECES)  # compiled when the first array comes, not when the program starts
        self.separator = re.compile(r"\s*,")

    def token(self) -> tuple[str, str]:
        found = self.pattern.match(self.text, self.position)
        if not found:
            raise LiteralError(f"unexpected {self.text[self.position : self.position + 12]!r}")
        self.position = found.end()
        kind = str(found.lastgroup)
        return kind, found.group(kind)

    def value(self, depth: int = 0) -> Literal:
        kind, word = self.token()
        return self.of(kind, word, depth)

    def of(self, kind: str, word: str, depth: int) -> Literal:
        if kind == "text":
            return _text(word)
        if kind == "number":
            if len(word) > 40:
                raise LiteralError("a number of more than 40 digits")
            return int(word)
        if kind == "word":
            return _WORDS[word]
        if word not in _CLOSING:
            raise LiteralError(f"unexpected {word!r}")
        if depth >= _DEPTH:
            raise LiteralError(f"nested deeper than {_DEPTH} levels")
        return self.mapping(depth) if word == "{" else self.sequence(word, depth)

    def sequence(self, opening: str, depth: int) -> Literal:
        items: list[Literal] = []
        comma = False
        while True:
            kind, word = self.token()
            if word == _CLOSING[opening] and kind == "mark":
                break
            if items and not comma:
                raise LiteralError(f"unexpected {word!r}")
            items.append(self.of(kind, word, depth + 1))
            comma = self.comma()
        if opening == "[":
            return items
        return items[0] if len(items) == 1 and not comma else tuple(items)

    def mapping(self, depth: int) -> Literal:
        found: dict[str, Literal] = {}
        comma = True
        while True:
            kind, word = self.token()
            if kind == "mark" and word == "}":
                return found
            if kind != "text" or not comma:
                raise LiteralError(f"unexpected {word!r}")
            key = _text(word)
            if self.token() != ("mark", ":"):
                raise LiteralError("a key without a value")
            if key in found:
                self.repeated.append(key)
            found[key] = self.value(depth + 1)
            comma = self.comma()

    def comma(self) -> bool:
        found = self.separator.match(self.text, self.position)
        if found:
            self.position = found.end()
        return bool(found)


def _text(word: str) -> str:
    body = word.lstrip("urbURB")[1:-1]
    return re.sub(r"\\(.)", r"\1", body)


def element(descr: Literal, depth: int = 0) -> tuple[int, bool]:
    """Size a dtype description.

    Args:
        descr: As in the header: a string, a list of fields, or ``(base, shape)``.
        depth: Levels of nesting so far.

    Returns:
        Bytes of one element, and whether Python objects are in it (NumPy then stores a pickle).

    Raises:
        LiteralError: If it is no dtype that NumPy writes.
    """
    if depth > _DEPTH:
        raise LiteralError(f"a dtype nested deeper than {_DEPTH} levels")
    if isinstance(descr, str):
        return _scalar(descr)
    if isinstance(descr, tuple) and len(descr) == 2:
        size, objects = element(descr[0], depth + 1)
        return size * prod(dimensions(descr[1])), objects
    if not isinstance(descr, list):
        raise LiteralError(f"no dtype: {str(descr)[:40]}")
    total, any_objects = 0, False
    for field in descr:
        if not isinstance(field, tuple) or len(field) not in (2, 3):
            raise LiteralError(f"no field of a dtype: {str(field)[:40]}")
        size, objects = element(field[1], depth + 1)
        total += size * (prod(dimensions(field[2])) if len(field) == 3 else 1)
        any_objects = any_objects or objects
    return total, any_objects


def _scalar(text: str) -> tuple[int, bool]:
    if found := re.fullmatch(_TYPE, text):
        _, code, digits = found.groups()
        if not digits and code in _BARE:
            return _BARE[code], code == "O"
        if digits and code in _SIZED and len(digits) < 12:
            number = int(digits)
            return {"U": 4 * number, "O": 8, "c": number}.get(code, number), code == "O"
    elif found := re.fullmatch(_NAMED, text):
        name, bits = found.groups()
        return (int(bits) // 8 if bits and len(bits) < 5 else 8), name == "object"
    raise LiteralError(f"no dtype that NumPy writes: {text[:40]!r}")


def dimensions(shape: Literal) -> tuple[int, ...]:
    """Read a shape.

    Raises:
        LiteralError: If it is no tuple of non-negative integers.
    """
    if isinstance(shape, int) and not isinstance(shape, bool):
        shape = (shape,)
    if not isinstance(shape, tuple) or len(shape) > 64:
        raise LiteralError(f"no shape: {str(shape)[:40]}")
    sizes = tuple(size for size in shape if isinstance(size, int) and not isinstance(size, bool) and size >= 0)
    if len(sizes) != len(shape):
        raise LiteralError(f"a negative or non-integer dimension: {str(shape)[:40]}")
    return sizes


def read(source: Source) -> Iterator[Fact]:
    """Read one array after the other: ``numpy.save`` may have been called several times on one file."""
    position = 0
    for _ in range(_ARRAYS):
        if source.blob.read(position, len(MAGIC)) != MAGIC:
            return
        after = yield from _array(source, position)
        if after <= position:
            return
        position = after


def _array(source: Source, start: int) -> Generator[Fact, None, int]:
    """Read one array; the generator's value is the offset behind it, or -1."""
    begin = -1
    understood = False
    try:
        header, begin = _header(source, start)
        described, repeated = _described(header)
        shape = dimensions(described["shape"])
        understood = True
        size, objects = element(described["descr"])
    except (LiteralError, ShortError) as error:
        yield source.unread(f"array header not understood: {error}", start)
        if begin > 0 and not understood:
            yield source.anomaly("forged-header", f"the array header is no literal that NumPy writes: {error}", start)
        if begin > 0:  # NumPy may understand it, and unpickle what follows
            source.coverage.read(begin, source.blob.size)
            yield source.member(f"@{begin}", source.blob.window(begin, source.blob.size))
        return -1
    source.coverage.read(start, begin)
    for key in repeated[:64]:
        yield source.anomaly("ambiguous-record", f"the array header gives {key!r} twice", start)
    if objects:
        # NumPy hands everything from here on to the unpickler; what lies behind the pickle is the member's own gap.
        source.coverage.read(begin, source.blob.size)
        yield source.member("pickle" if not start else f"@{begin}.pkl", source.blob.window(begin, source.blob.size), "pickle")
        return -1
    return (yield from _data(source, begin, prod(shape) * size))


def _described(header: str) -> tuple[dict[str, Literal], list[str]]:
    """Parse the header into its dict and the keys that it repeats."""
    parser = _Parser(header)
    described = parser.value()
    if header[parser.position :].strip():
        raise LiteralError("text behind the description")
    if not isinstance(described, dict) or set(described) != {"descr", "fortran_order", "shape"}:
        raise LiteralError("the keys are not descr, fortran_order and shape")
    return described, parser.repeated


def _data(source: Source, begin: int, wanted: int) -> Generator[Fact, None, int]:
    there = source.blob.size - begin
    if wanted <= there:
        source.coverage.inert(begin, begin + wanted)
        return begin + wanted
    source.coverage.inert(begin, source.blob.size)
    if wanted > max(_RESOURCE, 64 * there):
        yield source.anomaly("resource-claim", f"the header claims {wanted:,} bytes of data; {there:,} are there", begin)
    yield source.unread(f"the array is cut short: {there:,} of {wanted:,} bytes", begin, there)
    return -1


def _header(source: Source, start: int) -> tuple[str, int]:
    cursor = Cursor(source.blob, start + len(MAGIC))
    major, minor = cursor.take(2)
    if (major, minor) not in ((1, 0), (2, 0), (3, 0)):
        raise LiteralError(f"format version {major}.{minor}")
    (size,) = cursor.unpack(struct.Struct("<H" if major == 1 else "<I"))
    if size > HEADER_LIMIT:
        raise LiteralError(f"a header of {size:,} bytes")
    source.budget.spend_steps(size)
    raw = cursor.take(size)
    try:
        return raw.decode("utf-8" if major == 3 else "latin-1"), cursor.position
    except UnicodeDecodeError:
        raise LiteralError("the header is not UTF-8") from None


READERS = (Reader(kind="npy", read=read, heads=(MAGIC,), rank=20),)
