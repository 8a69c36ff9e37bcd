"""How densely a row is surrounded by near-duplicates: what tells a flood from texts that are chained together by accident."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.minhash import NOTHING
from toadstone.study.families import TEXTS, VECTORS, Families, Picked, families, vector_families
from toadstone.study.study import Study

LEVELS = (0.22, 0.4, 0.6)
"""Weighted Jaccard similarities at which neighbours are counted."""

_SAMPLE = 256
"""Members of a large family that every member is compared with."""
_FEWEST = 3


def cores(study: Study) -> NDArray[np.int32]:
    """Give each row's core at each level, shape (rows, levels).

    The core of a row is the largest c such that, of the different texts of its family, c - 1 are its neighbours and have
    themselves at least c - 1 neighbours (an h-index, Lü et al. 2016); 1 for rows that are alone. Exact copies count once and
    have the same core. Rows known to be good follow the others.
    """
    return study.shared("cores", lambda: _cores(study, families(study), TEXTS))


def vector_cores(study: Study) -> NDArray[np.int32]:
    """Give each row's core at each level among the study's vectors, as `cores` does among its texts."""
    return study.shared("cores.vectors", lambda: _cores(study, vector_families(study), VECTORS))


def _cores(study: Study, known: Families, kind: Picked) -> NDArray[np.int32]:
    rows = len(known.family)
    out = np.ones((rows, len(LEVELS)), np.int32)
    lone = np.flatnonzero(known.content == np.arange(rows))
    sizes = np.bincount(known.family[lone], minlength=rows)
    size = sizes[known.family[lone]]
    for level, similarity in enumerate(LEVELS):
        pairs = lone[(size == 2) & (known.closest[lone] >= similarity * 255)]
        out[pairs, level] = 2
    members = lone[size >= _FEWEST]
    members = members[np.argsort(known.family[members], kind="stable")]
    for chosen, picks in _gathered(study, kind, members, known.family):
        begins = np.flatnonzero(np.r_[True, np.diff(known.family[chosen]) != 0])
        for begin, end in zip(begins.tolist(), [*begins[1:].tolist(), len(chosen)], strict=True):
            out[chosen[begin:end]] = _surrounded(picks[begin:end])
    return out[known.content]


def _gathered(
    study: Study, kind: Picked, members: NDArray[np.int64], family: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint32]]]:
    """Give whole families with the picks of their members, as many as fit into a part of the memory (at least one)."""
    if not len(members):
        return
    width = study.every[0][kind.picks].shape[1]
    most = max(1 << 12, study.memory // 16 // (4 * width))
    ends = np.append(np.flatnonzero(np.diff(family[members])) + 1, len(members))
    first = 0
    while first < len(members):
        last = int(ends[max(int(np.searchsorted(ends, first + most, "right")) - 1, int(np.searchsorted(ends, first, "right")))])
        chosen = members[first:last]
        picks = np.full((len(chosen), width), NOTHING, np.uint32)
        for chunk in study.every:
            inside = np.flatnonzero((chosen >= chunk.start) & (chosen < chunk.start + chunk.rows))
            if len(inside):
                picks[inside] = chunk[kind.picks][chosen[inside] - chunk.start]
        yield chosen, picks
        first = last


def _surrounded(picks: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Give the cores of the members of one family, shape (members, levels)."""
    members, width = picks.shape
    chosen = np.unique(np.linspace(0, members - 1, min(members, _SAMPLE)).astype(np.int64))
    scale = members / len(chosen)
    agreed = np.empty((members, len(chosen)), np.float32)
    for place, other in enumerate(chosen.tolist()):
        agreed[:, place] = np.count_nonzero(picks == picks[other], axis=1)
        agreed[other, place] = 0
    agreed /= np.float32(width)
    out = np.empty((members, len(LEVELS)), np.int32)
    for level, similarity in enumerate(LEVELS):
        near = agreed >= np.float32(similarity)
        degree = near.sum(axis=1) * scale
        theirs = np.where(near, degree[chosen][None, :], 0.0)
        theirs = -np.sort(-theirs, axis=1)
        rank = np.arange(1, len(chosen) + 1) * scale
        out[:, level] = 1 + np.floor(np.minimum(theirs, rank).max(axis=1)).astype(np.int32)
    return out
