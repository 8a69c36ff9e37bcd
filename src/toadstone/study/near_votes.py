"""What the neighbours of a family, other than its own rows, say for its label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.local_density import squared
from toadstone.study.near_rows import NearRows

_NEIGHBOURS = 15
_VOTERS = 4_000
_ASKED = 4
"""Rows of a family that are asked: they are nearly the same."""
_SINGLE = 1_000
_PRIOR = 1.5
_BLOCK = 1 << 23

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


def support(found: NearRows, members: list[Numbers], label: Numbers) -> tuple[Floats, Floats]:
    """Ask the neighbours of families in all columns for the families' labels.

    Args:
        found: Rows as points, and their families.
        members: Row numbers of some rows of each family.
        label: Code of each family's label, -1 for none.

    Returns:
        Mean log-odds for the label, less those of its share, one a family, NaN where nobody can be asked; and the same of rows
        that are in no family, sorted.
    """
    known = np.flatnonzero(found.labels >= 0)
    counts = np.bincount(found.labels[known])
    if not len(known) or np.count_nonzero(counts) < 2:
        return np.full(len(members), np.nan), np.zeros(0)
    prior = np.asarray((counts + 0.5) / (len(known) + 0.5 * len(counts)), np.float64)
    voters = _thinned(known, _VOTERS)
    family = found.families.family[found.rows]
    asked, owners = [], []
    for place, rows in enumerate(members):
        inside = np.searchsorted(found.rows, rows)
        inside = inside[found.rows[np.minimum(inside, len(found.rows) - 1)] == rows]
        if label[place] >= 0 and len(inside):
            some = _thinned(inside, _ASKED)
            asked.append(some)
            owners.append(np.full(len(some), place))
    said = np.full(len(members), np.nan)
    if asked:
        rows, owner = np.concatenate(asked), np.concatenate(owners)
        odds = _odds(found, rows, label[owner], voters, family, prior)
        sums = np.bincount(owner, odds, len(members))
        times = np.bincount(owner, minlength=len(members))
        said[times > 0] = sums[times > 0] / times[times > 0]
    sizes = np.bincount(family, minlength=int(family.max(initial=0)) + 1)
    single = _thinned(known[sizes[family[known]] == 1], _SINGLE)
    return said, np.sort(_odds(found, single, found.labels[single], voters, family, prior))


def _thinned(rows: Numbers, most: int) -> Numbers:
    chosen: Numbers = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(np.int64))]
    return chosen


def _odds(found: NearRows, rows: Numbers, label: Numbers, voters: Numbers, family: Numbers, prior: Floats) -> Floats:
    """Give the log-odds that rows have some labels, by their nearest voters of other families, less those of the share."""
    out = np.empty(len(rows))
    near = max(1, min(_NEIGHBOURS, len(voters) // 10))
    step = max(1, _BLOCK // max(1, len(voters)))
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        far = squared(found.points[some], found.points[voters])
        far[family[some][:, None] == family[voters]] = np.inf
        nearest = np.argpartition(far, min(near, far.shape[1] - 1), axis=1)[:, :near]
        own = label[start : start + step]
        share = prior[own]
        p = ((found.labels[voters[nearest]] == own[:, None]).sum(axis=1) + _PRIOR * share) / (near + _PRIOR)
        out[start : start + step] = np.log(p / (1 - p)) - np.log(share / (1 - share))
    return out
