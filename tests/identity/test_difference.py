"""What changed is named by row and column, from digests alone."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toadstone.identity.alignment import aligned
from toadstone.identity.difference import Known, compare
from toadstone.identity.index import RowIndex, RowIndexError, find_all, write_index
from toadstone.identity.manifest import ManifestError, read_manifest, write_manifest
from toadstone.identity.rows import GREATEST, LEAST, block_root, context, cuts, root_from, row_digests, row_proof
from toadstone.identity.table import identify
from toadstone.tables.dataset import Dataset

ROWS = 20_000


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    return pa.table(
        {
            "text": [f"row {number} says {word}" for number, word in enumerate(rng.integers(0, 99, ROWS))],
            "label": rng.integers(0, 3, ROWS),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(rng.normal(size=ROWS * 4)), 4),
        }
    )


@pytest.fixture(scope="module")
def known(table):
    found = identify(Dataset.of(table))
    return Known(found, found.prefixes, "label")


def with_cells(table, column, cells):
    values = table[column].to_pylist()
    for row, value in cells.items():
        values[row] = value
    index = table.schema.get_field_index(column)
    return table.set_column(index, column, pa.array(values, table.schema.field(index).type))


def changes(known, table):
    dataset = Dataset.of(table)
    return [(one.kind, one.rows, one.columns) for one in compare(known, identify(dataset, rows=False), dataset)]


def test_nothing_changed(known, table):
    assert changes(known, table) == []
    assert changes(known, table.select(["vector", "label", "text"])) == []


def test_one_cell(known, table):
    assert changes(known, with_cells(table, "label", {12_345: 9})) == [("relabelled", (12_345,), ("label",))]
    assert changes(known, with_cells(table, "text", {0: "x", 19_999: "y"})) == [("edited", (0, 19_999), ("text",))]


def test_every_label_behind_the_first_ten_thousand(known, table):
    flipped = with_cells(table, "label", dict.fromkeys(range(10_000, ROWS), 7))
    assert changes(known, flipped) == [("relabelled", tuple(range(10_000, ROWS)), ("label",))]


def test_rows_came_and_went(known, table):
    extra = with_cells(table.slice(0, 3), "label", {0: 8, 1: 8, 2: 8})
    assert changes(known, pa.concat_tables([table.slice(0, 700), extra, table.slice(700)])) == [("added", (700, 701, 702), ())]
    assert changes(known, pa.concat_tables([table.slice(0, 700), table.slice(703)])) == [("removed", (700, 701, 702), ())]
    both = pa.concat_tables([table.slice(0, 700), table.slice(703), extra])
    assert changes(known, both) == [("added", (19_997, 19_998, 19_999), ()), ("removed", (700, 701, 702), ())]


def test_an_edited_row_and_a_new_one_far_apart_are_told_apart(known, table):
    edited = with_cells(table, "label", {3: 8})
    found = changes(known, pa.concat_tables([edited, table.slice(5, 1)]))
    assert found == [("added", (ROWS,), ()), ("relabelled", (3,), ("label",))]


def test_another_order(known, table):
    moved = pa.concat_tables([table.slice(10, 10), table.slice(0, 10), table.slice(20)])
    assert [(kind, len(rows)) for kind, rows, _ in changes(known, moved)] == [("reordered", 10)]
    shuffled = table.take(np.random.default_rng(1).permutation(ROWS))
    assert {kind for kind, _, _ in changes(known, shuffled)} == {"reordered"}


def test_columns_came_and_went(known, table):
    assert changes(known, table.drop_columns(["vector"])) == [("removed", (), ("vector",))]
    wider = table.append_column("more", table["label"])
    assert changes(known, wider) == [("added", (), ("more",))]
    both = with_cells(wider, "label", {1: 9})
    assert changes(known, both) == [("added", (), ("more",)), ("relabelled", (), ("label",))]


def test_without_the_index_blocks_and_columns_are_named(known, table):
    bare = Known(known.identity, None, "label")
    dataset = Dataset.of(with_cells(table, "label", {9000: 9}))
    (found,) = compare(bare, identify(dataset, rows=False), dataset)
    assert (found.kind, found.rows, found.columns) == ("relabelled", (), ("label",))
    assert "8192-16383" in found.note


def test_few_blocks_change_when_rows_are_inserted(known, table):
    extra = table.slice(7, 2)
    longer = pa.concat_tables([table.slice(0, 4000), extra, table.slice(4000, 9000), extra, table.slice(13_000)])
    now = identify(Dataset.of(longer))
    assert known.identity.cuts is not None
    assert now.cuts is not None
    old, new = ({cut.root for cut in cuts} for cuts in (known.identity.cuts, now.cuts))
    assert len(new - old) <= 3
    assert len(new) > 15


def test_cuts_keep_their_bounds_whatever_the_rows():
    zero = np.zeros((100_000, 32), np.uint8)
    never = np.full((100_000, 32), 255, np.uint8)
    for digests, length in ((zero, LEAST), (never, GREATEST)):
        ends = [0, *cuts(digests, 0)]
        assert set(np.diff(ends)) == {length}
    assert next(cuts(never, GREATEST - 5)) == 5


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 600), st.data())
def test_a_row_is_proved_to_be_in_its_block(rows, data):
    found = [bytes([number % 256, number // 256]) * 16 for number in range(rows)]
    block = b"".join(found)
    row = data.draw(st.integers(0, rows - 1))
    assert root_from(found[row], row_proof(block, row)) == block_root(block)
    assert root_from(b"\xff" * 32, row_proof(block, row)) != block_root(block)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=12), st.lists(st.integers(0, 6), max_size=12))
def test_an_alignment_accounts_for_every_row(old, new):
    found = aligned(np.array(old, np.uint64), np.array(new, np.uint64))
    pairs = found.edited.tolist()
    gone = [old[row] for row in found.removed] + [old[row] for row, _ in pairs]
    fresh = [new[row] for row in found.added] + [new[row] for _, row in pairs]
    for value in range(7):
        assert old.count(value) - gone.count(value) == new.count(value) - fresh.count(value)
    assert all(old[before] != new[after] for before, after in pairs)
    if old == new:
        assert not len(found.moved) + len(pairs) + len(found.added) + len(found.removed)


def test_an_index_finds_rows_and_says_where(tmp_path, known):
    path = tmp_path / "rows"
    digest = write_index(path, known.prefixes, bytes(32))
    index = RowIndex(path)
    assert index.digest() == digest
    assert (index.prefixes() == known.prefixes).all()
    assert index.contains(np.array([known.prefixes[77], 1], np.uint64)).tolist() == [True, False]
    assert find_all(index, [int(known.prefixes[77]), 1]) == {int(known.prefixes[77]): [77]}
    assert path.stat().st_size <= 12 * ROWS + 64


@pytest.mark.parametrize("length", [0, 10, 64, 100])
def test_a_cut_off_index_is_refused(tmp_path, known, length):
    path = tmp_path / "rows"
    write_index(path, known.prefixes, bytes(32))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(RowIndexError, match="cut off"):
        RowIndex(path)


def test_an_empty_index_holds_nothing(tmp_path):
    path = tmp_path / "rows"
    write_index(path, np.zeros(0, np.uint64), bytes(32))
    assert RowIndex(path).contains(np.array([1], np.uint64)).tolist() == [False]
    assert not len(RowIndex(path).prefixes())


def test_a_manifest_comes_back(tmp_path, known):
    path = tmp_path / "blocks"
    write_manifest(path, known.identity)
    found = read_manifest(path)
    assert (found.content, found.row_root) == (known.identity.content, known.identity.row_root)
    assert found.blocks == known.identity.blocks


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_manifest_is_refused_or_has_another_root(tmp_path_factory, known, data):
    path = tmp_path_factory.mktemp("m") / "blocks"
    write_manifest(path, known.identity)
    held = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(held) - 1))
    held[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(held))
    try:
        found = read_manifest(path)
    except ManifestError:
        return
    same = found.content == known.identity.content and found.row_root == known.identity.row_root
    assert not same or found.blocks == known.identity.blocks  # a type's name or a cut's column may differ


def test_row_digests_depend_on_the_names():
    one = context([b"a"])
    assert one != context([b"b"])
    assert row_digests([], 0, one).shape == (0, 32)
