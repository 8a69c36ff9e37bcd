"""joblib's arrays: raw bytes in the middle of a pickle stream.

``joblib.dump`` writes each array as a ``NumpyArrayWrapper`` object followed by the array's bytes (aligned by a counted
padding since joblib 1.1), or by a whole pickle when the array holds objects; ``joblib.load`` reads them when the wrapper
is built. Source: ``joblib/numpy_pickle.py``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Generator, Iterator

from toadstone.core.fact import Fact
from toadstone.core.value import Items, Result, Symbol, Value, leaves
from toadstone.readers.reader import Source

WRAPPERS = (
    Symbol("joblib.numpy_pickle", "NumpyArrayWrapper"),
    Symbol("sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper"),
)

_TYPE = re.compile(r"[<>|=]?([?bBhHiIlLqQefdgFDGiufcSUVmMO])(\d*)")
_SIZES = {"?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "l": 8, "L": 8, "q": 8, "Q": 8, "e": 2, "f": 4, "d": 8, "g": 16}

Follow = Callable[[int], Generator[Fact, None, int]]
"""Follows the pickle stream at an offset; gives the offset behind it."""


def entry(state: Value, name: str) -> Value:
    """Give the value of a key of a dict that was read; None when there is none."""
    if isinstance(state, Items):
        for pair in state.items:
            if isinstance(pair, Items) and len(pair.items) == 2 and pair.items[0] == name:
                return pair.items[1]
    return None


def item_size(dtype: Value) -> int | None:
    """Give the bytes of one element of ``numpy.dtype(...)`` as it was read; 0 for objects, None when unknown."""
    if not isinstance(dtype, Result) or not dtype.args or not isinstance(dtype.args[0], str):
        return None
    found = _TYPE.fullmatch(dtype.args[0])
    if not found:
        return None
    kind, digits = found.groups()
    if kind == "O" or any(leaf == "O8" or leaf == "O" for state in dtype.state for leaf in leaves(state)):  # noqa: PLR1714
        return 0
    if not digits:
        return _SIZES.get(kind)
    return int(digits[:9]) * (4 if kind == "U" else 1)


def array_bytes(
    source: Source, follow: Follow, as_opcodes: Callable[[int], Iterator[Fact]]
) -> Callable[[Result, int], Generator[Fact, None, int]]:
    """Make the detour (see `toadstone.readers.pickle.machine`) that steps over an array's bytes."""

    def detour(wrapper: Result, offset: int) -> Generator[Fact, None, int]:
        state = wrapper.state[-1] if wrapper.state else None
        size = item_size(entry(state, "dtype"))
        shape = entry(state, "shape")
        if size == 0:
            return (yield from follow(offset))
        counts = [count for count in shape.items if isinstance(count, int)] if isinstance(shape, Items) else []
        if size is None or not isinstance(shape, Items) or len(counts) != len(shape.items) or any(count < 0 for count in counts):
            yield source.unread("an array of unknown size follows in the stream", offset)
            return offset
        yield from as_opcodes(offset)
        begin = offset
        if entry(state, "numpy_array_alignment_bytes") is not None:
            padding = source.blob.read(offset, 1)
            begin += 1 + (padding[0] if padding else 0)
        end = begin + size * math.prod(counts)
        if end > source.blob.size:
            yield source.unread(f"an array claims {end - begin:,} bytes, more than there are", offset)
            end = source.blob.size
        source.coverage.inert(offset, end)
        return end

    return detour
