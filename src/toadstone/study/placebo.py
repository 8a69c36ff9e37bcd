"""Groups of a data set as they come, whatever their labels: what is usual there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from toadstone.study import phrases
from toadstone.study.congruence import Groups
from toadstone.study.naive_bayes import NaiveBayes
from toadstone.study.phrases import Properties, Wanted
from toadstone.study.strangeness import WITHIN, Strangeness, strangeness, surprise
from toadstone.study.study import Study
from toadstone.views.words import mixed

_EACH = 300
"""Properties of each size (within a factor of two) that are drawn."""
_LARGEST = 128
"""Rows of the largest."""
_SAME = 0.5

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


def drawn(found: Properties, seed: int) -> NDArray[np.uint64]:
    """Draw properties of each size, by their hashes; one that several classes have counts once."""
    keys, first = np.unique(found.keys, return_index=True)
    sizes = found.sizes[first]
    order = np.argsort(mixed(keys ^ np.uint64(seed)), kind="stable")
    octave = np.log2(sizes[order]).astype(np.int64)
    chosen = [order[octave == one][:_EACH] for one in range(int(np.log2(_LARGEST)))]
    return keys[np.sort(np.concatenate(chosen))] if len(keys) else keys


def surprises(study: Study, model: NaiveBayes, wanted: Wanted, keys: NDArray[np.uint64], asked: Groups) -> Floats:
    """Give how strange what the rows of groups share is, compared with placebo groups, in nats.

    Args:
        study: Whose chunks have ``phrases.payload``.
        model: Its naive Bayes.
        wanted: Among which properties the placebo groups were drawn.
        keys: Of these properties.
        asked: The groups in question.
    """
    keys = np.unique(keys)
    if not len(asked) or not len(keys):
        return np.zeros(len(asked))
    rows, offsets = phrases.members(study, wanted, keys)
    usual = Groups(rows, offsets, np.full(len(keys), -1, np.int64))
    sizes = np.diff(offsets)
    least, most = (int(value) for value in (np.diff(asked.offsets).min(), np.diff(asked.offsets).max()))
    usual = usual.take(np.flatnonzero((sizes * WITHIN >= min(least, _LARGEST // 2)) & (sizes <= WITHIN * most)))
    usual = usual.take(_different(usual))
    both = Groups.of([*_rows(asked), *_rows(usual)], np.concatenate([asked.classes, usual.classes]))
    found = strangeness(study, model, both)
    count = len(asked)
    ours = Strangeness(found.wording[:count], found.spelling[:count])
    theirs = Strangeness(found.wording[count:], found.spelling[count:])
    return surprise(ours, np.diff(asked.offsets), theirs, np.diff(usual.offsets), _apart(asked, usual, study.rows))


def _rows(groups: Groups) -> list[Numbers]:
    return [groups.rows_of(group) for group in range(len(groups))]


def _different(groups: Groups) -> Numbers:
    """Give the first of the groups that have the same rows."""
    owner = np.repeat(np.arange(len(groups)), np.diff(groups.offsets))
    sums = np.zeros(len(groups), np.uint64)
    np.add.at(sums, owner, mixed(groups.rows.astype(np.uint64) + np.uint64(1)))
    return np.sort(np.unique(sums, return_index=True)[1])


def _apart(left: Groups, right: Groups, rows: int) -> NDArray[np.bool_]:
    """Say which groups have mostly other rows, shape (left, right)."""
    first, second = (
        sparse.csr_matrix((np.ones(len(one.rows), np.int32), one.rows, one.offsets), shape=(len(one), rows))
        for one in (left, right)
    )
    shared = np.asarray((first @ second.T).todense())
    smaller = np.minimum(np.diff(left.offsets)[:, None], np.diff(right.offsets)[None, :])
    return np.asarray(shared < _SAME * smaller, bool)
