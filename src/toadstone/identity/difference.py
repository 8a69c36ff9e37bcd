"""What changed in a table, down to rows and columns, without the table as it was: from the digests that are kept of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from toadstone.identity.alignment import Rows, aligned
from toadstone.identity.blocks import ROWS, Block
from toadstone.identity.rows import context, row_digests
from toadstone.identity.table import Prefixes, TableIdentity, identify, ordered, prefixes_of, read_pieces
from toadstone.identity.verified import Change
from toadstone.tables.dataset import Dataset


@dataclass(frozen=True)
class Known:
    """What is known of a table as it was.

    Attributes:
        identity: Digests of its blocks.
        prefixes: Of its rows; None when there is no index any more.
        label: Name of the column of labels.
    """

    identity: TableIdentity
    prefixes: Prefixes | None
    label: str | None


def compare(known: Known, now: TableIdentity, dataset: Dataset) -> list[Change]:
    """Say what changed.

    Args:
        known: The table as it was.
        now: Identity of the table as it is; rows need not be hashed.
        dataset: The table as it is, of which the parts that differ are read once more.

    Raises:
        UsageError: A column has a type without canonical form.
    """
    old = known.identity
    if set(old.names) != set(now.names):
        return list(_columns(known, now))
    if old.blocks == now.blocks:
        return []
    if known.prefixes is None:
        return [_blocks_only(known, now)]
    if old.rows == now.rows:
        return _in_place(known, now, dataset)
    if now.prefixes is None:
        now = identify(dataset)
    return list(_moved(known, now))


def _columns(known: Known, now: TableIdentity) -> Iterator[Change]:
    """Columns came or went; the others are compared column by column."""
    old = known.identity
    gone, fresh = sorted(set(old.names) - set(now.names)), sorted(set(now.names) - set(old.names))
    if gone:
        yield Change("removed", columns=_named(gone), note="columns are gone")
    if fresh:
        yield Change("added", columns=_named(fresh), note="columns are new")
    if old.rows != now.rows:
        yield Change("edited", note=f"{old.rows:,} rows became {now.rows:,}; which, cannot be told across a change of columns")
        return
    shared = [name for name in old.names if name in set(now.names)]
    before, after = _by_name(old), _by_name(now)
    differing = [name for name in shared if before[name] != after[name]]
    if differing:
        yield _judged(known, (), tuple(differing), "rows are not named across a change of columns")


def _by_name(identity: TableIdentity) -> dict[bytes, list[bytes]]:
    return {name: [block.columns[index] for block in identity.blocks] for index, name in enumerate(identity.names)}


def _blocks_only(known: Known, now: TableIdentity) -> Change:
    """Without the rows' digests, blocks and columns are all that can be named."""
    old = known.identity
    if old.rows != now.rows:
        return Change("edited", note=f"{old.rows:,} rows became {now.rows:,}; their index is not here, so that none can be named")
    blocks = _differing(old.blocks, now.blocks)
    columns = {name for index in blocks for name in _differing_columns(old.names, old.blocks[index], now.blocks[index])}
    spans = ", ".join(f"{index * ROWS}-{min((index + 1) * ROWS, now.rows) - 1}" for index in blocks[:10])
    more = f" and {len(blocks) - 10} more blocks" if len(blocks) > 10 else ""
    return _judged(known, (), tuple(sorted(columns)), f"somewhere in rows {spans}{more}; their index is not here")


def _differing(old: Sequence[Block], new: Sequence[Block]) -> list[int]:
    return [index for index, (before, after) in enumerate(zip(old, new, strict=True)) if before != after]


def _differing_columns(names: Sequence[bytes], old: Block, new: Block) -> tuple[bytes, ...]:
    return tuple(name for name, before, after in zip(names, old.columns, new.columns, strict=True) if before != after)


def _in_place(known: Known, now: TableIdentity, dataset: Dataset) -> list[Change]:
    """As many rows as before: only the blocks that differ are read again."""
    assert known.prefixes is not None
    old = known.identity
    blocks = _differing(old.blocks, now.blocks)
    after = known.prefixes.copy()
    for first, prefixes in _read_again(dataset, now, blocks):
        after[first : first + len(prefixes)] = prefixes
    low, high = blocks[0] * ROWS, min((blocks[-1] + 1) * ROWS, now.rows)
    found = aligned(known.prefixes[low:high], after[low:high])
    changes = list(_rows(found.added + low, found.removed + low, found.moved + low))
    edited = found.edited + low
    unmoved = edited[edited[:, 0] == edited[:, 1]]
    if len(unmoved) < len(edited):  # rows were inserted and removed: blocks in place say nothing of columns
        changes.append(Change("edited", tuple(edited[:, 1].tolist())))
        return changes
    groups: dict[tuple[bytes, ...], list[Rows]] = {}
    of = unmoved[:, 1] // ROWS
    for index in np.unique(of).tolist():
        columns = _differing_columns(old.names, old.blocks[index], now.blocks[index])
        groups.setdefault(columns if not changes else (), []).append(unmoved[of == index, 1])
    return changes + [_judged(known, np.concatenate(rows), columns) for columns, rows in sorted(groups.items())]


def _read_again(dataset: Dataset, now: TableIdentity, blocks: Sequence[int]) -> Iterator[tuple[int, Prefixes]]:
    """Hash the rows of some blocks; only fragments that hold some of them are read.

    Yields:
        The number of the first row, and the prefixes from there on.
    """
    wanted = set(blocks)
    start, order = context(now.names), ordered(now.columns)[1]
    for fragment, (first, end) in zip(dataset.fragments, pairwise((*now.starts, now.rows)), strict=True):
        if wanted.isdisjoint(range(first // ROWS, -(-end // ROWS))):
            continue
        at = first
        for pieces, rows in read_pieces(fragment, order, []):
            for block in sorted(wanted.intersection(range(at // ROWS, (at + rows - 1) // ROWS + 1))):
                low, high = max(block * ROWS - at, 0), min((block + 1) * ROWS - at, rows)
                yield at + low, prefixes_of(row_digests([piece.slice(low, high) for piece in pieces], high - low, start))
            at += rows


def _moved(known: Known, now: TableIdentity) -> Iterator[Change]:
    """Rows came or went."""
    assert known.prefixes is not None
    assert now.prefixes is not None
    found = aligned(known.prefixes, now.prefixes)
    yield from _rows(found.added, found.removed, found.moved)
    groups: dict[tuple[bytes, ...], list[int]] = {}
    for columns, row in _edited_columns(known.identity, now, found.edited):
        groups.setdefault(columns, []).append(row)
    for columns, rows in sorted(groups.items()):
        yield _judged(known, rows, columns)


def _edited_columns(old: TableIdentity, now: TableIdentity, edited: Rows) -> Iterator[tuple[tuple[bytes, ...], int]]:
    """Say in which columns rows were edited, by the blocks that are cut by content and hold nothing but edited rows."""
    if old.cuts is None or now.cuts is None or not len(edited):
        yield from (((), row) for row in edited[:, 1].tolist())
        return
    ends = [np.cumsum([cut.block.rows for cut in cuts]) for cuts in (old.cuts, now.cuts)]
    for before, after in edited.tolist():
        left, right = (int(np.searchsorted(end, row, "right")) for end, row in zip(ends, (before, after), strict=True))
        one, other = old.cuts[left].block, now.cuts[right].block
        starts = int(ends[0][left]) - one.rows, int(ends[1][right]) - other.rows
        alike = one.rows == other.rows and before - starts[0] == after - starts[1]
        yield (_differing_columns(old.names, one, other) if alike else ()), after


def _rows(added: Rows, removed: Rows, moved: Rows) -> Iterator[Change]:
    if len(added):
        yield Change("added", tuple(added.tolist()))
    if len(removed):
        yield Change("removed", tuple(removed.tolist()))
    if len(moved):
        yield Change("reordered", tuple(moved.tolist()))


def _judged(known: Known, rows: Iterable[int] | Rows, columns: tuple[bytes, ...], note: str = "") -> Change:
    """Edited rows of which only the label differs are relabelled."""
    named = _named(columns)
    kind = "relabelled" if known.label is not None and named == (known.label,) else "edited"
    return Change(kind, tuple(int(row) for row in rows), named, note)


def _named(names: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(name.decode(errors="surrogatepass") for name in names)
