"""joblib's arrays: raw bytes in the middle of a pickle stream.

``joblib.dump`` writes each array as a ``NumpyArrayWrapper`` object followed by the array's bytes (aligned by a counted
padding since joblib 1.1), or by a whole pickle when the array holds objects; ``joblib.load`` reads them when the wrapper
is built. Source: ``joblib/numpy_pickle.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator

from toadstone.core.fact import Fact, Link
from toadstone.core.regex import regex
from toadstone.core.value import Items, Result, Symbol, Value
from toadstone.readers.outside import escapes
from toadstone.readers.reader import Source

WRAPPERS = ("NumpyArrayWrapper",)
"""Last parts of the names of classes that are followed by an array (joblib lives on in copies inside other packages)."""

COMPANIONS = ("NDArrayWrapper", "ZNDArrayWrapper")
"""The same of older versions, whose arrays lie in files beside the pickle (``joblib/numpy_pickle_compat.py``)."""

_TYPE = regex(r"[<>|=]?([?bBhHiIlLqQefdgFDGiufcSUVmMO])(\d*)")
_SIZES = {"?": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "l": 8, "L": 8, "q": 8, "Q": 8, "e": 2, "f": 4, "d": 8, "g": 16}
_EXTENDED = frozenset("SUV")
"""Types whose size is taken from the state and not from the name (``PyTypeNum_ISEXTENDED``)."""
_HAS_OBJECTS = 1
"""``NPY_ITEM_REFCOUNT`` among the flags of a dtype."""

Follow = Callable[[int], Generator[Fact, None, int]]
"""Follows the pickle stream at an offset; gives the offset behind it."""


def attributes(wrapper: Result) -> dict[str, Value] | None:
    """Give the attributes that a wrapper has once it is built: later states and, of equal keys, later ones count.

    Returns:
        None when they cannot be told: states that are no dicts of plain names, or more of them than are kept.
    """
    found: dict[str, Value] = {}
    for state in wrapper.state:
        if not isinstance(state, Items) or state.kind != "dict" or state.more:
            return None
        for pair in state.items:
            key = pair.items[0] if isinstance(pair, Items) and len(pair.items) == 2 else None
            if not isinstance(key, str) or not isinstance(pair, Items):
                return None
            found[key] = pair.items[1]
    return found if len(wrapper.state) == 1 and not wrapper.args else None


def item_size(dtype: Value) -> int | None:
    """Give the bytes of one element of ``numpy.dtype(...)`` as it was read; 0 for objects, None when unknown.

    Size and flags come from the state that the dtype is given, as in ``arraydescr_setstate``: that may contradict its
    name. Only the form that NumPy itself writes is trusted, ``dtype(name, False, True)`` with a state behind it.
    """
    if not isinstance(dtype, Result) or dtype.callee != Symbol("numpy", "dtype") or dtype.kwargs or len(dtype.args) != 3:
        return None
    name, align, copy = dtype.args
    found = _TYPE.fullmatch(name) if isinstance(name, str) else None
    state = dtype.state[-1] if dtype.state else None
    if not found or align or copy not in (True, 1) or not isinstance(state, Items) or len(state.items) not in (8, 9):
        return None
    kind, digits = found.groups()
    size, flags = state.items[5], state.items[7]
    if not isinstance(size, int) or not isinstance(flags, int) or any(isinstance(value, bool) for value in (size, flags)):
        return None
    if (kind == "O") != bool(flags & _HAS_OBJECTS) and kind != "V":
        return None
    if flags & _HAS_OBJECTS:
        return 0
    if kind in _EXTENDED:
        return size if size > 0 else None
    return int(digits[:9]) if digits else _SIZES.get(kind)


def array_bytes(
    source: Source, follow: Follow, as_opcodes: Callable[[int], Iterator[Fact]]
) -> Callable[[Result, int], Generator[Fact, None, int]]:
    """Make the detour (see `toadstone.readers.pickle.machine`) that steps over an array's bytes."""

    def detour(wrapper: Result, offset: int) -> Generator[Fact, None, int]:
        known = attributes(wrapper)
        size = item_size(known.get("dtype")) if known is not None else None
        shape = known.get("shape") if known is not None else None
        if size == 0:
            return (yield from follow(offset))
        counts = (
            [count for count in shape.items if isinstance(count, int)]
            if isinstance(shape, Items) and shape.kind == "tuple"
            else []
        )
        if size is None or not isinstance(shape, Items) or len(counts) != len(shape.items) or any(count < 0 for count in counts):
            yield source.anomaly(
                "array-confusion", "an array is described as joblib never does; its loader decides where it ends", offset
            )
            yield source.unread("an array of unknown size follows in the stream", offset)
            return offset
        yield from as_opcodes(offset)
        begin = offset
        if known is not None and known.get("numpy_array_alignment_bytes") is not None:
            padding = source.blob.read(offset, 1)
            begin += 1 + (padding[0] if padding else 0)
        end = begin + size * math.prod(counts)
        if end > source.blob.size:
            yield source.unread(f"an array claims {end - begin:,} bytes, more than there are", offset)
            end = source.blob.size
        source.coverage.inert(offset, end)
        return end

    return detour


def array_file(source: Source) -> Callable[[Result, int], Generator[Fact, None, int]]:
    """Make the detour for arrays in files of their own: joblib opens them by name, and unpickles what is no array."""

    def detour(wrapper: Result, offset: int) -> Generator[Fact, None, int]:
        name = (attributes(wrapper) or {}).get("filename")
        if isinstance(name, str):
            yield Link(
                source.place.at(offset), name, "external-data", escapes(name, nested=False)
            )  # it lies beside the (compressed) pickle
        else:
            yield source.anomaly("array-confusion", "the file of an array is named as joblib never does", offset)
        return offset

    return detour
