"""Phrases: runs of words that share their rows, joined; with what is known of each as a group of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from toadstone.study.repeats import Occurrences, occurrences
from toadstone.study.study import Study
from toadstone.views.words import mixed

_SAME = 0.8
"""Runs whose rows agree by this much (Jaccard) belong to one phrase."""
_MOST_SETS = 3000
"""Different sets of rows that are looked at, over all labels."""
_MOST_MATES = 64

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Phrase:
    """A phrase and the rows that have it.

    Attributes:
        label: Code of the label it goes with, -1 without labels.
        rows: All rows that have it, sorted.
        hits: Those with the label, sorted.
        starts: Place of the phrase's first word in each of `hits`.
        ends: Place behind its last.
        size: Words of its longest run that is counted.
        association: Log-likelihood ratio of the label's share among the rows, in nats.
    """

    label: int
    rows: Numbers
    hits: Numbers
    starts: Numbers
    ends: Numbers
    size: int
    association: float


def association(hits: Floats, sizes: Floats, base: Floats | float) -> Floats:
    """Give how much better a label's share among some rows fits them than its share of all, in nats (0 if it is lower)."""
    share = np.clip(hits / np.maximum(sizes, 1), 1e-9, 1.0)
    rest = np.maximum(1 - share, 1e-12)
    value = sizes * (share * np.log(share / base) + np.where(share < 1, rest * np.log(rest / (1 - base)), 0.0))
    return np.where(share > base, value, 0.0)


def phrases(study: Study, fewest: int, purity: float, widest: float) -> list[Phrase]:
    """Find the phrases that go with one label.

    Args:
        study: With labels.
        fewest: Rows of the label that a phrase needs.
        purity: Share of the label among its rows.
        widest: Largest share of all rows that a phrase may have.
    """
    label = study.column("label").astype(np.int64)
    names = len(study.label_names)
    counts = np.bincount(label[label >= 0], minlength=names).astype(np.float64)
    base = np.clip(counts / max(counts.sum(), 1), 1e-6, 1 - 1e-6)

    def choose(table: NDArray[np.int32]) -> Floats:
        best = table[:, 0].copy()
        sizes = table[:, 0].astype(np.int64)
        for column in range(1, table.shape[1]):
            np.maximum(best, table[:, column], out=best)
            sizes += table[:, column]
        good = (best >= fewest) & (best >= purity * sizes) & (sizes <= 2 * widest * study.rows)
        return np.where(good, best, 0.0)

    most = max(200_000, study.memory // 256)
    found = occurrences(study, choose, most)
    return _joined(_scored(found, label, base, names, fewest, purity, widest * study.rows), found, label)


@dataclass(frozen=True)
class _Runs:
    """Runs that go with a label, those with the very same rows together; the strongest first."""

    first: Numbers
    last: Numbers
    label: Numbers
    association: Floats
    begins: Numbers
    """Where each set of rows begins, and the end."""


def _scored(found: Occurrences, label: Numbers, base: Floats, names: int, fewest: int, purity: float, widest: float) -> _Runs:
    """Find the runs that go with a label."""
    if not len(found.run):
        nothing = np.zeros(0, np.int64)
        return _Runs(nothing, nothing, nothing, np.zeros(0), np.zeros(1, np.int64))
    first = np.flatnonzero(np.append(True, found.run[1:] != found.run[:-1]))
    last = np.append(first[1:], len(found.run))
    number = np.repeat(np.arange(len(first)), last - first)
    code = label[found.row]
    known = code >= 0
    pair, hits = np.unique(number[known] * names + code[known], return_counts=True)
    order = np.lexsort((pair, -hits, pair // names))  # the best label of each run first
    pair, hits = pair[order], hits[order]
    best = np.append(True, np.diff(pair // names) != 0) if len(pair) else np.zeros(0, bool)
    pair, hits = pair[best], hits[best].astype(np.float64)
    run, code = pair // names, pair % names
    sizes = (last - first)[run].astype(np.float64)
    value = association(hits, sizes, base[code])
    good = np.flatnonzero((hits >= fewest) & (hits >= purity * sizes) & (sizes <= widest) & (value > 0))
    rows = np.add.reduceat(mixed(found.row.astype(np.uint64) + np.uint64(1)), first)[run[good]]  # of the set of its rows
    good = good[np.lexsort((good, rows, -value[good]))]
    rows = np.add.reduceat(mixed(found.row.astype(np.uint64) + np.uint64(1)), first)[run[good]]
    begins = np.flatnonzero(np.append(True, rows[1:] != rows[:-1])) if len(good) else np.zeros(0, np.int64)
    chosen = np.zeros(len(begins), bool)
    for one in np.unique(code[good]).tolist():  # each label gets its share, lest one with much boilerplate takes all
        chosen[np.flatnonzero(code[good[begins]] == one)[: max(100, _MOST_SETS // names)]] = True
    lengths = np.diff(np.append(begins, len(good)))
    good = good[np.repeat(chosen, lengths)]
    begins = np.append(0, np.cumsum(lengths[chosen]))
    return _Runs(first[run[good]], last[run[good]], code[good], value[good], begins)


def _joined(scored: _Runs, found: Occurrences, label: Numbers) -> list[Phrase]:
    heads = scored.begins[:-1]
    if not len(heads):
        return []
    lengths = scored.last[heads] - scored.first[heads]
    at = np.repeat(scored.first[heads] - np.cumsum(lengths) + lengths, lengths) + np.arange(int(lengths.sum()))
    used, column = np.unique(found.row[at], return_inverse=True)
    shape = (len(heads), len(used))
    has = sparse.csr_matrix((np.ones(len(at), np.int32), column, np.append(0, np.cumsum(lengths))), shape=shape)
    shared = (has @ has.T).tocoo()
    union = lengths[shared.row] + lengths[shared.col] - shared.data
    code = scored.label[heads]
    same = (shared.data >= _SAME * union) & (code[shared.row] == code[shared.col])
    left, right = shared.row[same], shared.col[same]
    order = np.lexsort((right, left))
    left, right = left[order], right[order]
    near = np.searchsorted(left, np.arange(len(heads) + 1))
    taken = np.zeros(len(heads), bool)
    begins: list[int] = scored.begins.tolist()
    out = []
    for number in range(len(heads)):  # strongest first
        if taken[number]:
            continue
        mates = right[near[number] : near[number + 1]]
        mates = mates[~taken[mates]]
        taken[mates] = True
        runs = np.concatenate([np.arange(begins[mate], begins[mate + 1]) for mate in mates.tolist()])
        out.append(_phrase(scored, found, label, int(heads[number]), runs[:_MOST_MATES]))
    return out


def _phrase(scored: _Runs, found: Occurrences, label: Numbers, number: int, mates: Numbers) -> Phrase:
    """Join the runs that share the rows of one run: in each row the phrase reaches as far as they cover it without a gap."""
    span = slice(int(scored.first[number]), int(scored.last[number]))
    rows = found.row[span]
    place = [found.place[span].astype(np.int64)]
    size = int(found.size[span][0])
    low, high = place[0].copy(), place[0] + size
    pieces = sorted(mates.tolist(), key=lambda mate: -int(found.size[scored.first[mate]]))
    for _ in range(2):
        for mate in pieces:
            other = slice(int(scored.first[mate]), int(scored.last[mate]))
            at = np.minimum(np.searchsorted(found.row[other], rows), other.stop - other.start - 1)
            start = found.place[other][at].astype(np.int64)
            end = start + int(found.size[other][0])
            touches = (found.row[other][at] == rows) & (start <= high) & (end >= low)
            low, high = np.where(touches, np.minimum(low, start), low), np.where(touches, np.maximum(high, end), high)
            size = max(size, int(found.size[other][0])) if touches.mean() > _SAME else size
    code = int(scored.label[number])
    hit = label[rows] == code
    return Phrase(code, rows, rows[hit], low[hit], high[hit], size, float(scored.association[number]))
