"""GGUF: typed key-value pairs and tensor descriptions, then aligned tensor data.

Source: ``docs/gguf.md`` of ggml for versions 1 to 3 and both byte orders; block sizes as in ``gguf.constants``.
Overflowing counts and offsets are how loaders were attacked (CVE-2024-23496, CVE-2024-21802, CVE-2025-53630).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from math import prod

from toadstone.core.fact import Fact, Setting
from toadstone.core.value import KEPT_ITEMS, KEPT_TEXT, Items, Value
from toadstone.readers.carried import carried
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.flood import thinned
from toadstone.readers.reader import Reader, Source

_KEY_LIMIT = 1 << 16
_DEPTH = 8
_ENTRIES = 1 << 17
"""Pairs, or tensors, of one file that are followed; the largest models have a few thousand of either."""
_STRING, _ARRAY = 8, 9
_LAYOUTS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

_BLOCKS: dict[int, tuple[int, int]] = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 4: (16, 10), 5: (16, 12), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    9: (32, 40), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136),
    24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 31: (32, 18), 32: (32, 18),
    33: (32, 18), 34: (256, 54), 35: (256, 66), 36: (32, 18), 37: (32, 18), 38: (32, 18), 39: (32, 17), 40: (64, 36),
    41: (128, 18),
}  # fmt: skip
"""Elements and bytes of a block by ggml type, retired types included."""


_BEYOND = 1 << 48
"""Lengths and counts from here on overflow somewhere; the largest models have 2**40 elements in a tensor and less."""
_DIMENSIONS = 4
"""``GGML_MAX_DIMS``."""


class GgufError(ValueError):
    """The structure cannot be followed any further."""


class ForgedError(GgufError):
    """A number that no writer has written and no broken download explains: it is there to break the loader's arithmetic."""


class _Tensor:
    """A description; ``size`` in bytes is -1 when the type is not known, ``at`` is where it is described."""

    __slots__ = ("at", "name", "offset", "size")

    def __init__(self, name: str, offset: int, size: int, at: int) -> None:
        self.name, self.offset, self.size, self.at = name, offset, size, at


class _State:
    """What one file has shown so far."""

    def __init__(self, cursor: Cursor, order: str, version: int) -> None:
        self.cursor, self.order, self.version = cursor, order, version
        self.alignment = 32
        self.keys: set[str] = set()

    def number(self, code: str) -> int:
        return self.cursor.unpack(struct.Struct(self.order + code))[0]

    def extent(self) -> int:
        """Read a number that may be large: 32 bits in version 1, 64 bits since."""
        return self.number("I" if self.version == 1 else "Q")

    def count(self) -> int:
        """Read a length or count of what follows.

        Raises:
            ForgedError: If no file holds that much.
        """
        found = self.extent()
        if found >= _BEYOND:
            raise ForgedError(f"a length or count of {found:,}")
        return found

    def text(self, limit: int) -> str:
        size = self.count()
        if size > limit:
            raise GgufError(f"a name of {size:,} bytes")
        return self.cursor.take(size).decode("utf-8", "replace")


def read(source: Source) -> Iterator[Fact]:
    """Read header, pairs and tensor descriptions; account for the data region."""
    state = _header(source)
    if state is None:
        yield source.unread("no GGUF version that is known", 4)
        return
    cursor = state.cursor
    try:
        tensors, pairs = state.count(), state.count()
        if max(pairs, tensors) > _ENTRIES or 12 * pairs + 24 * tensors > cursor.left:
            claim = f"{tensors:,} tensors and {pairs:,} pairs are claimed in {cursor.left:,} bytes"
            yield source.anomaly("resource-claim", claim, 8)
            yield source.unread(claim, 8)
            return
        source.budget.spend_steps(4 * (pairs + tensors))
        for _ in range(pairs):
            yield from _pair(source, state)
        described = [_tensor(state) for _ in range(tensors)]
    except (ShortError, GgufError) as error:
        source.coverage.read(0, cursor.position)
        if isinstance(error, ForgedError):
            detail = f"the header has {error}; loaders that trust it write outside their memory"
            yield source.anomaly("resource-claim", detail, cursor.position)
        yield source.unread(f"the header cannot be followed: {error}", cursor.position)
        return
    source.coverage.read(0, cursor.position)
    yield from thinned(source, _data(source, state, described))


def _header(source: Source) -> _State | None:
    raw = source.blob.read(4, 4)
    little, big = int.from_bytes(raw, "little"), int.from_bytes(raw, "big")
    version, order = (little, "<") if little & 0xFFFF else (big, ">")
    return _State(Cursor(source.blob, 8, step=1 << 18), order, version) if 1 <= version <= 3 else None


def _pair(source: Source, state: _State) -> Iterator[Fact]:
    at = state.cursor.position
    key = state.text(_KEY_LIMIT)
    kind = state.number("I")
    if key in state.keys:
        yield source.anomaly("ambiguous-record", f"the key {key[:200]!r} is given twice; loaders disagree which counts", at)
    state.keys.add(key)
    if kind == _STRING:
        yield from _string(source, state, key)
    elif kind == _ARRAY:
        array = _array(source, state)
        yield Setting(source.place.at(at), "gguf", key, array)
        if "template" in key:
            for text in array.items:
                if isinstance(text, str):
                    yield from carried(source, key, text)
    else:
        value = _scalar(state, kind)
        yield Setting(source.place.at(at), "gguf", key, value)
        if key == "general.alignment" and isinstance(value, int):
            if value < 8 or value & (value - 1) or value > 1 << 20:
                yield source.anomaly("forged-header", f"general.alignment is {value}; it must be a power of two", at)
            else:
                state.alignment = value


def _string(source: Source, state: _State, key: str) -> Iterator[Fact]:
    size = state.count()
    start = state.cursor.position
    state.cursor.skip(size)
    if key == "tokenizer.chat_template" or key.startswith("tokenizer.chat_template."):
        yield source.member(key, source.blob.window(start, size), "jinja")
    else:
        text = source.blob.read(start, min(size, KEPT_TEXT)).decode("utf-8", "replace")
        yield Setting(source.place.at(start), "gguf", key, text)
        yield from carried(source, key, text)


def _scalar(state: _State, kind: int) -> int:
    if kind not in _LAYOUTS:
        raise GgufError(f"value type {kind} is not known")
    return state.number(_LAYOUTS[kind])


def _array(source: Source, state: _State, depth: int = 0) -> Items:
    """Move over an array; the first strings or numbers of it are kept."""
    kind, count = state.number("I"), state.count()
    least = struct.calcsize(_LAYOUTS[kind]) if kind in _LAYOUTS else {_STRING: 4, _ARRAY: 8}.get(kind, 1)
    if kind not in _LAYOUTS and kind not in (_STRING, _ARRAY):
        raise GgufError(f"array type {kind} is not known")
    if count > state.cursor.left // least:
        raise GgufError(f"an array of {count:,} items in {state.cursor.left:,} bytes")
    kept: list[Value] = []
    if kind == _ARRAY:
        if depth >= _DEPTH:
            raise GgufError(f"arrays nested deeper than {_DEPTH} levels")
        source.budget.spend_steps(8 * count)
        for _ in range(count):
            inner = _array(source, state, depth + 1)
            if len(kept) < KEPT_ITEMS >> 4 * depth:
                kept.append(inner)
    elif kind == _STRING:
        source.budget.spend_steps(count)
        kept = _strings(state, count)
    else:
        first = min(count, KEPT_ITEMS)
        kept = list(state.cursor.unpack(struct.Struct(f"{state.order}{first}{_LAYOUTS[kind]}")))
        state.cursor.skip((count - first) * least)
    return Items("list", kept, count - len(kept))


def _strings(state: _State, count: int) -> list[Value]:
    """Move over ``count`` strings; vocabularies have hundreds of thousands, so the loop works on the buffer itself."""
    layout = struct.Struct(state.order + ("I" if state.version == 1 else "Q"))
    cursor, width, unpack = state.cursor, layout.size, layout.unpack_from
    kept: list[Value] = [
        cursor.take(size).decode("utf-8", "replace") if (size := state.count()) <= 1024 else _long(cursor, size)
        for _ in range(min(count, KEPT_ITEMS))
    ]
    left = count - len(kept)
    while left:
        buffer, start = cursor.buffered(width)
        position, end = start, len(buffer) - width
        while left and position <= end:
            position += width + unpack(buffer, position)[0]
            left -= 1
        cursor.skip(position - start)
    return kept


def _long(cursor: Cursor, size: int) -> str:
    head = cursor.blob.read(cursor.position, 1024)
    cursor.skip(size)
    return head.decode("utf-8", "replace") + "…"


def _tensor(state: _State) -> _Tensor:
    at = state.cursor.position
    name = state.text(_KEY_LIMIT)
    dims = state.number("I")
    if dims > _DIMENSIONS:
        raise ForgedError(f"tensor {name[:80]!r} with {dims:,} dimensions")
    shape = [state.extent() for _ in range(dims)]
    kind, offset = state.number("I"), state.number("Q")
    if kind not in _BLOCKS:
        return _Tensor(name, offset, -1, at)
    elements, width = _BLOCKS[kind]
    count = prod(shape)
    return _Tensor(name, offset, -(-count // elements) * width, at)


def _data(source: Source, state: _State, tensors: list[_Tensor]) -> Iterator[Fact]:
    """Lay the tensors out in order of their offsets; what nothing claims is left to the walker."""
    begin = _aligned(state.cursor.position, state)
    _padding(source, state.cursor.position, begin)
    room = max(source.blob.size - begin, 0)
    tensors.sort(key=lambda tensor: (tensor.offset, tensor.size))
    reached = 0
    for index, tensor in enumerate(tensors):
        size = tensor.size
        if size < 0 and index + 1 < len(tensors):
            size = tensors[index + 1].offset - tensor.offset
        elif size < 0:
            yield source.unread(
                f"tensor {tensor.name[:200]!r} has an unknown type, so its end is not known", begin + tensor.offset
            )
            continue
        problem = _misplaced(tensor, size, reached, room, state)
        if problem:
            kind, detail = problem
            yield source.anomaly(kind, f"tensor {tensor.name[:200]!r} {detail}", tensor.at)
        if tensor.offset + size >= 1 << 63:
            continue
        _padding(source, begin + reached, begin + tensor.offset)
        source.coverage.inert(begin + tensor.offset, begin + tensor.offset + size)
        reached = max(reached, tensor.offset + size)
    if reached > room:
        yield source.unread(f"the tensors are cut short: {room:,} of {reached:,} bytes", source.blob.size)
    _padding(source, begin + reached, min(source.blob.size, begin + _aligned(reached, state)))


def _misplaced(tensor: _Tensor, size: int, reached: int, room: int, state: _State) -> tuple[str, str] | None:
    """Say what is wrong with a tensor's place, as kind and detail. A file that merely ends early is not wrong here."""
    if tensor.offset + size >= 1 << 63:
        return "tensor-bounds", f"needs {size:,} bytes at {tensor.offset:,}, more than 64 bits can count"
    if tensor.offset % state.alignment:
        return "tensor-bounds", f"is not aligned to {state.alignment} bytes"
    if tensor.offset < reached and size:
        return "tensor-overlap", "begins inside the one before"
    if tensor.offset > max(room, _aligned(reached, state)):
        return "tensor-bounds", f"begins at {tensor.offset:,}; the data has {room:,} bytes"
    return None


def _aligned(offset: int, state: _State) -> int:
    return -(-offset // state.alignment) * state.alignment


def _padding(source: Source, start: int, stop: int) -> None:
    """Claim alignment bytes if they are zeros; anything else in them stays unread."""
    size = stop - start
    if 0 < size <= 1 << 20 and not source.blob.read(start, min(size, 1 << 20)).strip(b"\0"):
        source.coverage.inert(start, stop)


READERS = (Reader(kind="gguf", read=read, heads=(b"GGUF",), rank=20),)
