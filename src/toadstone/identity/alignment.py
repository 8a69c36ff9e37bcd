"""What became of the rows of a table: which are the same, edited, added, removed, moved.

Works on the prefixes of rows' digests, in two sequences. Rows that are the same in both and in the same order are anchors;
between two anchors, as many of the missing rows as there are new ones count as edited, the rest as removed or added. Rows
that are in both but out of order are moved.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toadstone.identity.table import Prefixes

Rows = npt.NDArray[np.int64]

_LONGEST = 2_000_000
"""Rows out of order for which the fewest moves are looked for; beyond, all whose rank changed count as moved."""


@dataclass(frozen=True)
class Alignment:
    """What became of the rows.

    Attributes:
        edited: Shape (pairs, 2), the row before and after.
        added: Rows of the new table.
        removed: Rows of the old table.
        moved: Rows of the new table that are in the old one elsewhere.
    """

    edited: Rows
    added: Rows
    removed: Rows
    moved: Rows


def aligned(old: Prefixes, new: Prefixes) -> Alignment:
    """Compare two sequences of rows.

    Args:
        old: Prefixes of the digests of the rows before.
        new: And after.
    """
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    matched = _matched(before, after)
    kept = _in_order(matched[:, 1])
    anchors = matched[kept]
    moved = np.sort(matched[~kept, 1])
    lost = _others(len(before), matched[:, 0])
    fresh = _others(len(after), matched[:, 1])
    pairs, removed, added = _paired(lost, fresh, anchors)
    return Alignment(pairs + head, added + head, removed + head, moved + head)


def _common(left: Prefixes, right: Prefixes) -> int:
    """Count the rows that are the same from the beginning on."""
    length = min(len(left), len(right))
    different = np.flatnonzero(left[:length] != right[:length])
    return int(different[0]) if len(different) else length


def _matched(old: Prefixes, new: Prefixes) -> Rows:
    """Find the rows that are in both, each once; of equal ones the first goes with the first.

    Returns:
        Shape (matches, 2), row before and after, ascending in the first.
    """
    order_old, order_new = np.argsort(old, kind="stable"), np.argsort(new, kind="stable")
    sorted_old, sorted_new = old[order_old], new[order_new]
    nth = np.arange(len(old)) - np.searchsorted(sorted_old, sorted_old)
    first, last = np.searchsorted(sorted_new, sorted_old), np.searchsorted(sorted_new, sorted_old, "right")
    found = first + nth < last
    pairs = np.stack([order_old[found], order_new[(first + nth)[found]]], axis=1).astype(np.int64)
    return pairs[np.argsort(pairs[:, 0], kind="stable")]


def _in_order(places: Rows) -> npt.NDArray[np.bool_]:
    """Mark a longest ascending subsequence (patience sorting)."""
    kept = np.ones(len(places), np.bool_)
    if len(places) < 2 or (np.diff(places) > 0).all():
        return kept
    if len(places) > _LONGEST:
        return np.asarray(np.sort(places) == places)
    tops: list[int] = []
    at: list[int] = []
    back = np.full(len(places), -1, np.int64)
    for row, place in enumerate(places.tolist()):
        pile = bisect_left(tops, place)
        back[row] = at[pile - 1] if pile else -1
        if pile == len(tops):
            tops.append(place)
            at.append(row)
        else:
            tops[pile], at[pile] = place, row
    kept[:] = False
    row = at[-1]
    while row >= 0:
        kept[row] = True
        row = int(back[row])
    return kept


def _others(length: int, rows: Rows) -> Rows:
    missing = np.ones(length, np.bool_)
    missing[rows] = False
    return np.flatnonzero(missing)


def _paired(lost: Rows, fresh: Rows, anchors: Rows) -> tuple[Rows, Rows, Rows]:
    """Pair lost with new rows between the same two anchors.

    Returns:
        Pairs, rows that were removed, rows that were added.
    """
    gap_lost, gap_fresh = np.searchsorted(anchors[:, 0], lost), np.searchsorted(anchors[:, 1], fresh)
    nth_lost, nth_fresh = _ranks(gap_lost), _ranks(gap_fresh)
    room_fresh = np.bincount(gap_fresh, minlength=len(anchors) + 1)
    room_lost = np.bincount(gap_lost, minlength=len(anchors) + 1)
    with_partner, partner = nth_lost < room_fresh[gap_lost], nth_fresh < room_lost[gap_fresh]
    pairs = np.stack([lost[with_partner], fresh[partner]], axis=1)
    return pairs, lost[~with_partner], fresh[~partner]


def _ranks(groups: Rows) -> Rows:
    """Number the members of each group; groups are ascending."""
    return np.arange(len(groups)) - np.searchsorted(groups, groups)
