"""One form for all the ways in which Arrow can hold the same values.

The same table can be held as dictionary or plain strings, with 32 or 64 bit offsets, as slices of larger arrays, with anything at
all in the slots under nulls, with integers of any width, times in any unit. Here each of these becomes the same few plain arrays,
so that a digest over them is a digest of the values. What counts as the same value:

* integers of any width; `uint64` is a kind of its own, as its values need not fit the others';
* floating-point numbers of any width, by value: -0.0 is 0.0, and every NaN is one NaN;
* decimals of any precision and scale, by value; texts and bytes with any layout, code point for code point;
* points in time of any unit; with a time zone the instant counts, not the zone (which the schema tells);
* lists of any layout, structs with fields in any order; a null is a null whatever its type.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from toadstone.core.errors import UsageError
from toadstone.engine.arrow import compute as pc

Bytes = npt.NDArray[np.uint8]
Whole = npt.NDArray[np.int64]

NULL, BOOLEAN, INTEGER, UNSIGNED, NUMBER, DECIMAL, TEXT, BINARY = b"\0biufxty"
DATE, CLOCK, MOMENT, INSTANT, DURATION, LIST, STRUCT, MAP = b"dcmzolsp"

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True)
class Canonical:
    """The values of an array in their canonical form.

    Attributes:
        kind: One of the constants above: what the values are.
        rows: How many there are.
        valid: Shape (rows,), 1 where there is a value, 0 for nulls; None: there are no nulls.
        fixed: Shape (rows, width), the bytes of values of fixed width, little-endian, zero under nulls; None for other kinds.
        offsets: Shape (rows + 1,), for texts, bytes and lists: where the values begin and end in `data` or in the child.
        data: The bytes of texts, back to back.
        children: For lists one, for structs one a field, sorted by name; rows of the struct are rows of the child.
        names: Of the children of a struct, UTF-8.
    """

    kind: int
    rows: int
    valid: Bytes | None = None
    fixed: Bytes | None = None
    offsets: Whole | None = None
    data: Bytes | None = None
    children: tuple[Canonical, ...] = ()
    names: tuple[bytes, ...] = ()

    def slice(self, first: int, last: int) -> Canonical:
        """Give rows ``first`` to ``last`` (not included), without copying values."""
        valid = None if self.valid is None else self.valid[first:last]
        fixed = None if self.fixed is None else self.fixed[first:last]
        offsets, data, children = None, self.data, self.children
        if self.offsets is not None:
            offsets = self.offsets[first : last + 1]
            low, high = int(offsets[0]), int(offsets[-1])
            offsets = offsets - low if low else offsets
            data = None if data is None else data[low:high]
            children = tuple(child.slice(low, high) for child in children)
        elif children:
            children = tuple(child.slice(first, last) for child in children)
        return Canonical(self.kind, last - first, valid, fixed, offsets, data, children, self.names)


def canonical(array: pa.Array) -> Canonical:
    """Bring an array into the canonical form.

    Args:
        array: Of any type but unions and intervals.

    Raises:
        UsageError: Its type has no canonical form.
    """
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return canonical(array.storage)
    if pa.types.is_dictionary(kind):
        return canonical(array.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return canonical(pc.run_end_decode(array))
    if pa.types.is_null(kind):
        return Canonical(NULL, len(array), np.zeros(len(array), np.uint8))
    if pa.types.is_struct(kind):
        return _struct(array)
    if pa.types.is_nested(kind) and not pa.types.is_union(kind):
        return _list(array)
    text = _text_kind(kind)
    return _fixed(array) if text is None else _text(array, text)


def _valid(array: pa.Array) -> Bytes | None:
    if not array.null_count:
        return None
    return np.asarray(array.is_valid().to_numpy(zero_copy_only=False), np.uint8)


def _text_kind(kind: pa.DataType) -> int | None:
    types = pa.types
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return TEXT
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind) or types.is_fixed_size_binary(kind):
        return BINARY
    return DECIMAL if types.is_decimal(kind) else None


def _text(array: pa.Array, kind: int) -> Canonical:
    valid = _valid(array)
    if kind == DECIMAL:
        array = _plain_decimals(array)
    elif pa.types.is_string_view(array.type):
        array = array.cast(pa.string())
    elif pa.types.is_binary_view(array.type) or pa.types.is_fixed_size_binary(array.type):
        array = array.cast(pa.binary())
    flat = array.cast(pa.large_binary())
    if valid is not None:  # what lies under a null is anybody's
        flat = pc.fill_null(flat, pa.scalar(b"", pa.large_binary()))
    _, offsets_buffer, values = flat.buffers()
    if not len(flat) or offsets_buffer is None:
        return Canonical(kind, 0, valid, offsets=np.zeros(1, np.int64), data=np.zeros(0, np.uint8))
    offsets = np.frombuffer(offsets_buffer, np.int64)[flat.offset : flat.offset + len(flat) + 1]
    low, high = int(offsets[0]), int(offsets[-1])
    data = np.zeros(0, np.uint8) if values is None else np.frombuffer(values, np.uint8)[low:high]
    return Canonical(kind, len(flat), valid, offsets=offsets - low if low else offsets, data=data)


def _plain_decimals(array: pa.Array) -> pa.Array:
    """Write decimals as digits without zeros behind the last other digit of a fraction."""
    written = array.cast(pa.string())
    if array.type.scale <= 0:
        return written
    return pc.utf8_rtrim(pc.utf8_rtrim(written, characters="0"), characters=".")


def _fixed(array: pa.Array) -> Canonical:
    kind = array.type
    valid = _valid(array)
    if pa.types.is_boolean(kind):
        return _words(BOOLEAN, _numbers(array.cast(pa.uint8()), valid).astype("<i8"), valid)
    if pa.types.is_uint64(kind):
        return _words(UNSIGNED, _numbers(array, valid), valid)
    if pa.types.is_integer(kind):
        return _words(INTEGER, _numbers(array.cast(pa.int64()), valid), valid)
    if pa.types.is_floating(kind):
        return _words(NUMBER, _plain_numbers(_numbers(array, valid)), valid)
    if pa.types.is_date(kind):
        return _words(DATE, _numbers(array.cast(pa.date32()).cast(pa.int32()), valid).astype("<i8"), valid)
    if pa.types.is_timestamp(kind):
        return _time(array, INSTANT if kind.tz else MOMENT, kind.unit, valid)
    if pa.types.is_duration(kind):
        return _time(array, DURATION, kind.unit, valid)
    if pa.types.is_time(kind):
        return _time(array, CLOCK, kind.unit, valid)
    raise UsageError(f"columns of type {kind} have no canonical form.", "Leave the column out, or pin the file without its rows.")


def _numbers(array: pa.Array, valid: Bytes | None) -> npt.NDArray[np.generic]:
    """Give the numbers of an array of fixed width, zero under nulls."""
    if valid is not None:
        array = pc.fill_null(array, pa.scalar(0).cast(array.type))
    numbers: npt.NDArray[np.generic] = array.to_numpy(zero_copy_only=False)
    return numbers


def _plain_numbers(numbers: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Give floating-point numbers as 64 bits: no negative zero, one NaN."""
    plain: npt.NDArray[np.float64] = np.add(numbers, 0.0, dtype="<f8")  # -0.0 + 0.0 is 0.0
    unknown = np.isnan(plain)
    if unknown.any():
        plain[unknown] = np.nan
    return plain


def _time(array: pa.Array, kind: int, unit: str, valid: Bytes | None) -> Canonical:
    """Give times as whole seconds and nanoseconds, so that the unit does not matter and none overflows."""
    counts = _numbers(
        array.cast(pa.int32()).cast(pa.int64()) if pa.types.is_time32(array.type) else array.cast(pa.int64()), valid
    )
    each = _PER_SECOND[unit]
    seconds, rest = np.divmod(counts.astype(np.int64, copy=False), each)
    return _words(kind, np.stack([seconds, rest * (10**9 // each)], axis=1).astype("<i8", copy=False), valid)


def _words(kind: int, values: npt.NDArray[np.generic], valid: Bytes | None) -> Canonical:
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    rows = len(little)
    return Canonical(kind, rows, valid, fixed=little.view(np.uint8).reshape(rows, 8 * values.ndim))


def _list(array: pa.Array) -> Canonical:
    kind = array.type
    valid = _valid(array)
    if pa.types.is_map(kind):
        array = array.cast(pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)])))
    counts = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    offsets = np.zeros(len(array) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    child = canonical(array.flatten())  # leaves out what lies under nulls
    return Canonical(MAP if pa.types.is_map(kind) else LIST, len(array), valid, offsets=offsets, children=(child,))


def _struct(array: pa.StructArray) -> Canonical:
    valid = _valid(array)
    names = [field.name.encode() for field in array.type]
    parts = array.flatten()  # hands the struct's nulls down
    order = sorted(range(len(names)), key=lambda index: (names[index], index))
    children = tuple(canonical(parts[index]) for index in order)
    return Canonical(STRUCT, len(array), valid, children=children, names=tuple(names[index] for index in order))
