"""The same values have one identity however Arrow holds them, and no two tables with different cells share one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.core.errors import UsageError
from toadstone.identity.table import TableIdentity, identify
from toadstone.tables.dataset import Dataset

MOMENT = dt.datetime(2020, 1, 1, 3, 4, 5)  # noqa: DTZ001  (without a zone is one of the cases)
LISTS = [[1, 2], None, [], [3]]
STRUCTS = [{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}]

SAME = {
    "dictionary": (pa.array(["a", None, "b"]), pa.array(["a", None, "b"]).dictionary_encode()),
    "large strings": (pa.array(["a", None, "b"]), pa.array(["a", None, "b"], pa.large_string())),
    "string views": (pa.array(["a", None, "b"]), pa.array(["a", None, "b"], pa.string_view())),
    "sized bytes": (pa.array([b"ab", None]), pa.array([b"ab", None], pa.binary(2))),
    "byte views": (pa.array([b"ab", None]), pa.array([b"ab", None], pa.binary_view())),
    "narrow integers": (pa.array([1, None, 3]), pa.array([1, None, 3], pa.uint8())),
    "narrow numbers": (pa.array([1.5, None]), pa.array([1.5, None], pa.float32())),
    "half numbers": (pa.array([1.5, None]), pa.array([np.float16(1.5), None], pa.float16())),
    "negative zero": (pa.array([0.0]), pa.array([-0.0])),
    "any NaN": (pa.array([float("nan")]), pa.array(np.array([0x7FF8000000000123], np.uint64).view(np.float64))),
    "decimals": (pa.array([Decimal("1.5"), None], pa.decimal128(10, 2)), pa.array([Decimal("1.5"), None], pa.decimal256(40, 7))),
    "whole decimals": (pa.array([Decimal(100)], pa.decimal128(10, 2)), pa.array([Decimal(100)], pa.decimal128(10, 0))),
    "units of time": (pa.array([MOMENT, None], pa.timestamp("s")), pa.array([MOMENT, None], pa.timestamp("ns"))),
    "time zones": (pa.array([MOMENT], pa.timestamp("s", "Europe/Paris")), pa.array([MOMENT], pa.timestamp("us", "UTC"))),
    "clocks": (pa.array([dt.time(1, 2, 3)], pa.time32("s")), pa.array([dt.time(1, 2, 3)], pa.time64("ns"))),
    "dates": (pa.array([dt.date(2020, 1, 2)], pa.date32()), pa.array([dt.date(2020, 1, 2)], pa.date64())),
    "durations": (pa.array([dt.timedelta(seconds=3)], pa.duration("s")), pa.array([dt.timedelta(seconds=3)], pa.duration("us"))),
    "lists": (pa.array(LISTS), pa.array(LISTS, pa.large_list(pa.int16()))),
    "list views": (pa.array(LISTS), pa.array(LISTS, pa.list_view(pa.int64()))),
    "sized lists": (pa.array([[1, 2], None]), pa.array([[1, 2], None], pa.list_(pa.int64(), 2))),
    "structs": (pa.array(STRUCTS), pa.array(STRUCTS, pa.struct([("b", pa.large_string()), ("a", pa.int8())]))),
    "maps": (
        pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int8())),
        pa.array([[("k", 1)], None], pa.map_(pa.large_string(), pa.int64())),
    ),
    "slices": (pa.array(["c", None, "d"]), pa.array(["a", "b", "c", None, "d", "e"]).slice(2, 3)),
    "slices of lists": (pa.array(LISTS[1:]), pa.array([[9], *LISTS, [9]]).slice(2, 3)),
    "runs": (pa.array([7, 7, 8]), pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array([7, 8]))),
    "nothing but nulls": (pa.array([None, None], pa.string()), pa.array([None, None], pa.int64())),
    "garbage under nulls": (
        pa.Array.from_buffers(pa.int64(), 2, [pa.py_buffer(b"\x01"), pa.py_buffer(np.array([5, 6]).tobytes())]),
        pa.array([5, None]),
    ),
}


def of(array: pa.Array, rows: bool = True) -> TableIdentity:
    return identify(Dataset.of(pa.table({"c": array})), rows=rows)


@pytest.mark.parametrize("name", SAME)
def test_the_same_values_have_one_identity(name):
    left, right = (of(array) for array in SAME[name])
    assert left.content == right.content
    assert left.row_root == right.row_root
    assert left.prefixes.tolist() == right.prefixes.tolist()


DIFFERENT = [
    pa.array([1, 2]),
    pa.array([2, 1]),
    pa.array([1, None]),
    pa.array([1, 0]),
    pa.array([1.0, 2.0]),
    pa.array(["1", "2"]),
    pa.array([b"1", b"2"]),
    pa.array(["12", ""]),
    pa.array(["", "12"]),
    pa.array(["12", None]),
    pa.array([True, False]),
    pa.array([Decimal(1), Decimal(2)]),
    pa.array([1, 2], pa.uint64()),
    pa.array([[1], [2]]),
    pa.array([[1, 2], []]),
    pa.array([[1, 2], None]),
    pa.array([[None, 1], [2]]),
    pa.array([{"a": 1}, {"a": 2}]),
    pa.array([{"b": 1}, {"b": 2}]),
    pa.array([{"a": 1}, None]),
    pa.array([{"a": 1}, {"a": None}]),
    pa.array([MOMENT, MOMENT], pa.timestamp("s")),
    pa.array([MOMENT, MOMENT], pa.timestamp("s", "UTC")),
    pa.array([None, None]),
]


def test_different_values_have_different_identities():
    found = [of(array) for array in DIFFERENT]
    assert len({one.content for one in found}) == len(DIFFERENT)
    assert len({one.row_root for one in found}) == len(DIFFERENT)


def test_a_union_has_no_canonical_form():
    union = pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])])
    with pytest.raises(UsageError, match="canonical form"):
        of(union)


def test_names_count_and_their_order_does_not():
    one = identify(Dataset.of(pa.table({"a": [1], "b": [2]})))
    other = identify(Dataset.of(pa.table({"b": [2], "a": [1]})))
    renamed = identify(Dataset.of(pa.table({"a": [1], "c": [2]})))
    swapped = identify(Dataset.of(pa.table({"a": [2], "b": [1]})))
    assert one.content == other.content != renamed.content
    assert one.row_root == other.row_root
    assert len({one.row_root, renamed.row_root, swapped.row_root}) == 3


CELLS = st.recursive(
    st.one_of(st.none(), st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=3)),
    max_leaves=4,
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "number": st.one_of(st.none(), st.integers(-5, 5)),
            "text": st.one_of(st.none(), st.text(max_size=5)),
            "list": st.one_of(st.none(), st.lists(st.one_of(st.none(), st.text(max_size=3)), max_size=3)),
            "struct": st.one_of(
                st.none(), st.fixed_dictionaries({"x": st.one_of(st.none(), st.floats(allow_nan=False, width=32))})
            ),
        }
    ),
    min_size=1,
    max_size=12,
)
TYPE = pa.schema(
    [("number", pa.int64()), ("text", pa.string()), ("list", pa.list_(pa.string())), ("struct", pa.struct([("x", pa.float64())]))]
)


def plain(row: dict[str, object]) -> str:
    """Write a row so that equal rows are written the same: negative zero is zero."""
    return repr(row).replace("-0.0", "0.0")


@settings(max_examples=60, deadline=None)
@given(ROWS, ROWS)
def test_identities_are_equal_only_for_equal_rows(left, right):
    one, other = (identify(Dataset.of(pa.Table.from_pylist(rows, TYPE))) for rows in (left, right))
    equal = [plain(row) for row in left] == [plain(row) for row in right]
    assert (one.content == other.content) is equal
    assert (one.row_root == other.row_root) is equal


@settings(max_examples=40, deadline=None)
@given(ROWS, st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_pieces_do_not_matter(rows, sizes):
    table = pa.Table.from_pylist(rows, TYPE)
    pieces, at = [], 0
    while at < len(rows):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(table.slice(at, size).combine_chunks())
        at += size
    cut = identify(Dataset.of(pa.concat_tables(pieces)))
    whole = identify(Dataset.of(table))
    assert cut.content == whole.content
    assert cut.row_root == whole.row_root
