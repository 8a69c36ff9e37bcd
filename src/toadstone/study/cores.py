"""How densely a row is surrounded by near-duplicates: what tells a flood from texts that are chained together by accident."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.minhash import NOTHING, trues
from toadstone.stats.partition import RowNumbers
from toadstone.study.families import TEXTS, Families, Picked, families
from toadstone.study.study import Study

LEVELS = (0.22, 0.4, 0.6)
"""Weighted Jaccard similarities at which neighbours are counted."""

_SAMPLE = 256
"""Members of a large family that every member is compared with."""
_SEEN = 4
"""Neighbours in that sample below which it says nothing."""
_FEWEST = 3
_ROWS = 1 << 18
"""Rows that are looked at together."""
_BLOCK = 1 << 21
"""Comparisons of two picks that are made at once."""


def cores(study: Study) -> NDArray[np.int32]:
    """Give each row's core at each level, shape (rows, levels).

    The core of a row is the largest c such that, of the different texts of its family, c - 1 are its neighbours and have
    themselves at least c - 1 neighbours (an h-index, Lü et al. 2016); 1 for rows that are alone. Exact copies count once and
    have the same core. Rows known to be good follow the others.
    """
    return study.shared("cores", lambda: _cores(study, families(study), TEXTS))


def _cores(study: Study, known: Families, kind: Picked) -> NDArray[np.int32]:
    rows = len(known.family)
    out = study.array((rows, len(LEVELS)), np.int32, 1)
    members = _members(study, known, out)
    members = members[np.argsort(known.family[members], kind="stable")]
    begins = np.append(np.flatnonzero(np.diff(known.family[members], prepend=-1)), len(members))
    lengths = np.diff(begins)
    for length in np.unique(lengths).tolist():
        families_of_size = members[begins[:-1][lengths == length][:, None] + np.arange(length)]
        for part, found in _surrounded(study, kind, families_of_size):
            out[part] = found
    for start in range(0, rows, _ROWS):
        first = known.content[start : start + _ROWS]
        out[start : start + _ROWS] = out[first]  # the first of all copies stands before them, and for itself
        study.rest()
    return out


def _members(study: Study, known: Families, out: NDArray[np.int32]) -> RowNumbers:
    """Give the rows of families of three and more, copies left out; write the cores of pairs."""
    rows = len(known.family)
    sizes = study.array(rows, known.family.dtype)
    members = []
    for counting in (True, False):
        for start in range(0, rows, _ROWS):
            content = known.content[start : start + _ROWS]
            lone = np.flatnonzero(content == np.arange(start, start + len(content))) + start
            family = known.family[lone]
            if counting:
                np.add.at(sizes, family, 1)
                continue
            size = sizes[family]
            for level, similarity in enumerate(LEVELS):
                out[lone[(size == 2) & (known.closest[lone] >= similarity * 255)], level] = 2
            members.append(lone[size >= _FEWEST].astype(known.family.dtype))
        study.rest()
    return np.concatenate(members) if members else np.zeros(0, known.family.dtype)


def _surrounded(study: Study, kind: Picked, families: RowNumbers) -> Iterator[tuple[RowNumbers, NDArray[np.int32]]]:
    """Give rows, shape (some families, some members), and their cores, shape (same, levels).

    Args:
        study: Whose rows they are.
        kind: Where their picks are.
        families: Rows of families of one size, shape (families, members).
    """
    size = families.shape[1]
    place = np.unique(np.linspace(0, size - 1, min(size, _SAMPLE)).astype(np.int64))
    width = study.every[0][kind.picks].shape[1]
    if len(place) == size:
        step = max(1, _BLOCK // (size * size * width))
        most = max(1, study.memory // 4 // (size * width * 4) // step) * step  # families whose picks are held at once
        for first in range(0, len(families), most):
            held = families[first : first + most]
            picks = _picks(study, kind, held.ravel(), width).reshape(*held.shape, width)
            for start in range(0, len(held), step):
                some = picks[start : start + step]
                agreed = _agreed(some, some)
                agreed[:, np.arange(size), np.arange(size)] = 0
                yield held[start : start + step], _cores_of(agreed, agreed, 1.0)
        return
    step = max(1, _BLOCK // (len(place) * width))
    for family in families:
        sample = _picks(study, kind, family[place], width)
        among = _agreed(sample[None], sample[None])
        among[:, np.arange(len(place)), np.arange(len(place))] = 0
        for start in range(0, size, step):
            some = family[start : start + step]
            agreed = _agreed(_picks(study, kind, some, width)[None], sample[None])
            agreed[0][some[:, None] == family[place]] = 0
            yield some[None], _cores_of(agreed, among, size / len(place))


def _picks(study: Study, kind: Picked, rows: RowNumbers, width: int) -> NDArray[np.uint32]:
    """Give the picks of some rows, shape (rows, picks)."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    picks = np.full((len(rows), width), NOTHING, np.uint32)
    for chunk in study.every:
        low, high = np.searchsorted(ordered, [chunk.start, chunk.start + chunk.rows])
        if high > low:
            picks[order[low:high]] = chunk[kind.picks][ordered[low:high] - chunk.start]
    return picks


def _agreed(members: NDArray[np.uint32], sample: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Give the share of equal picks of each member and each of a sample, shape (families, members, sample)."""
    equal = trues(members[:, :, None, :] == sample[:, None, :, :])
    return np.asarray(equal.astype(np.float32) / np.float32(members.shape[2]), np.float32)


def _cores_of(agreed: NDArray[np.float32], among: NDArray[np.float32], scale: float) -> NDArray[np.int32]:
    """Give the cores of members, shape (families, members, levels).

    Args:
        agreed: Share of picks that members have in common with those of a sample, shape (families, members, sample).
        among: The same of the sample with itself, shape (families, sample, sample).
        scale: Members that each of the sample stands for.
    """
    out = np.empty((*agreed.shape[:2], len(LEVELS)), np.int32)
    rank = np.arange(1, agreed.shape[2] + 1) * scale
    for level, similarity in enumerate(LEVELS):
        count = (among >= np.float32(similarity)).sum(axis=2)
        degree = np.where(count >= (_SEEN if scale > 1 else 0), count * scale, 0.0)
        theirs = np.where(agreed >= np.float32(similarity), -degree[:, None, :], 0.0)
        theirs.sort(axis=2)
        out[:, :, level] = 1 + np.floor(np.minimum(-theirs, rank).max(axis=2)).astype(np.int32)
    return out
