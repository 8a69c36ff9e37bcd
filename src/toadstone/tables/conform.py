"""Python values whose types differ from row to row, as Arrow columns of one type.

The type of a column is the join over all its values: nothing < integer < number; structs and lists join field by field; what
else disagrees becomes text, in which everything that was no text stands as JSON. So no value is lost, and a batch never fails
because another batch looked different.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any

import pyarrow as pa

_DEPTH = 16
_FIELDS = 1024
"""Fields of a nested struct; with more, keys are data, and the column is text."""
_WHOLE = 1 << 53

Values = Sequence[Any]


def inferred(values: Values, depth: int = 0) -> pa.DataType:
    """Give the narrowest type that holds all values."""
    kinds = set(map(type, values))
    kinds.discard(type(None))
    if not kinds:
        return pa.null()
    if kinds == {bool}:
        return pa.bool_()
    if kinds <= {int, float}:
        return _number(values, kinds)
    if kinds == {dict} and depth < _DEPTH:
        return _struct([value for value in values if value is not None], depth)
    if kinds == {list} and depth < _DEPTH:
        return pa.list_(inferred(list(chain.from_iterable(value for value in values if value is not None)), depth + 1))
    return pa.string()


def _number(values: Values, kinds: set[type]) -> pa.DataType:
    whole = [value for value in values if type(value) is int]
    low, high = min(whole, default=0), max(whole, default=0)
    if kinds == {int}:
        return pa.int64() if low >= -(1 << 63) and high < 1 << 63 else pa.string()
    return pa.float64() if low >= -_WHOLE and high <= _WHOLE else pa.string()


def _struct(values: list[dict[str, Any]], depth: int) -> pa.DataType:
    names = list(dict.fromkeys(chain.from_iterable(values)))
    if not names or len(names) > _FIELDS:
        return pa.string()
    return pa.struct([pa.field(legible(name), inferred([row.get(name) for row in values], depth + 1)) for name in names])


def joined(left: pa.DataType, right: pa.DataType) -> pa.DataType:
    """Give the narrowest type that holds the values of both."""
    if left == right or pa.types.is_null(right):
        return left
    if pa.types.is_null(left):
        return right
    if {left, right} == {pa.int64(), pa.float64()}:
        return pa.float64()
    if pa.types.is_list(left) and pa.types.is_list(right):
        return pa.list_(joined(left.value_type, right.value_type))
    if pa.types.is_struct(left) and pa.types.is_struct(right):
        names = list(dict.fromkeys([field.name for field in left] + [field.name for field in right]))
        if len(names) <= _FIELDS:
            return pa.struct([pa.field(name, joined(_field(left, name), _field(right, name))) for name in names])
    return pa.string()


def _field(struct: pa.DataType, name: str) -> pa.DataType:
    index = struct.get_field_index(name)
    return struct.field(index).type if index >= 0 else pa.null()


def conformed(values: Values, kind: pa.DataType) -> pa.Array:
    """Make a column of a type that holds all values (see `inferred`, `joined`).

    Values that do not fit (the file changed while it was read) become null in a column of numbers.
    """
    if pa.types.is_string(kind):
        return _texts(values)
    if pa.types.is_list(kind):
        return _lists(values, kind)
    if pa.types.is_struct(kind):
        return _structs(values, kind)
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return pa.array([_scalar(value, kind) for value in values], kind)


def _scalar(value: object, kind: pa.DataType) -> object:
    if pa.types.is_floating(kind) and type(value) in (int, float):
        try:
            return float(value)  # type: ignore[arg-type]
        except OverflowError:
            return None
    if pa.types.is_integer(kind):
        return value if type(value) is int and -(1 << 63) <= value < 1 << 63 else None
    return value if pa.types.is_boolean(kind) and type(value) is bool else None


def _texts(values: Values) -> pa.Array:
    if not set(map(type, values)) <= {str, type(None)}:
        values = [value if value is None or type(value) is str else json_text(value) for value in values]
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        return pa.array([None if value is None else legible(value) for value in values], pa.string())


def json_text(value: object) -> str:
    """Give a value as JSON."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return "…"


def legible(text: str) -> str:
    """Replace half characters (lone surrogates), which JSON can name and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _lists(values: Values, kind: pa.DataType) -> pa.Array:
    rows = [value if type(value) is list else None for value in values]
    offsets: list[int | None] = []
    total = 0
    for row in rows:
        offsets.append(None if row is None else total)
        total += len(row or ())
    items = conformed(list(chain.from_iterable(row for row in rows if row)), kind.value_type)
    return pa.ListArray.from_arrays(pa.array([*offsets, total], pa.int32()), items).cast(kind)


def _structs(values: Values, kind: pa.DataType) -> pa.Array:
    rows = [value if type(value) is dict else None for value in values]
    columns = [conformed([None if row is None else row.get(field.name) for row in rows], field.type) for field in kind]
    missing = pa.array([row is None for row in rows], pa.bool_())
    return pa.StructArray.from_arrays(columns, fields=list(kind), mask=missing)
