"""How much the content of a contributor's rows speaks against their labels, by a model that has not seen the contributor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.ragged import ranges, summed
from toadstone.study.naive_bayes import NaiveBayes, Rows, gathered, without_group
from toadstone.study.study import Chunk, Study

_SHARES = np.array([0.1, 0.2, 0.4, 0.7, 0.95])
"""Shares of wrong labels that are tried."""
_SCALE = 1 << 20


@dataclass(frozen=True)
class Weighed:
    """What was found about some rows of one origin.

    Attributes:
        rows: Row numbers, sorted, those with a label.
        contrary: Whether the model would rather give each another label.
        log_e: Logarithm of the evidence that a share of the labels is wrong: an e-value, so that exp(-log_e) bounds the p-value;
            the smaller one of the model without these rows and of the model across folds.
        cohesion: Mean cosine of pairs of rows, by their telling words, in [0, 1].
        discounted: Evidence as of independent rows: rows of one topic err together.
        excess: Contrary rows beyond those that the model expects.
    """

    rows: NDArray[np.int64]
    contrary: NDArray[np.bool_]
    log_e: float
    cohesion: float
    discounted: float
    excess: float


def weighed(study: Study, model: NaiveBayes, groups: list[NDArray[np.int64]]) -> list[Weighed]:
    """Weigh groups of rows, each by the model without it (Vovk and Wang 2021 on e-values; Kish 1965 on the discount).

    Args:
        study: After `naive_bayes`.
        model: Its model.
        groups: Row numbers of each group, sorted.
    """
    words = float(model.counts.sum()) / max(1.0, float(model.rows.sum()))
    most = max(20_000, int(study.memory / 64 / max(words, 16.0)))
    found: list[Weighed] = []
    first = 0
    while first < len(groups):
        last, held = first + 1, len(groups[first])
        while last < len(groups) and held + len(groups[last]) <= most:
            held += len(groups[last])
            last += 1
        numbers = np.concatenate(groups[first:last])
        part, seen = gathered(study, model, numbers), _across(study, numbers)
        start = 0
        for group in groups[first:last]:
            found.append(_weighed(model, group, _section(part, start, start + len(group)), seen[start : start + len(group)]))
            start += len(group)
        first = last
    return found


def _across(study: Study, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give each row's probability of its own label across folds: by a model that has seen others of its origin."""
    margins = study.column("nb.margin")[rows].astype(np.float64)
    return np.asarray(1 / (1 + np.exp(-np.minimum(margins, 30.0))), np.float64)


def _section(rows: Rows, start: int, stop: int) -> Rows:
    offsets = rows.offsets[start : stop + 1]
    return Rows(rows.slots[offsets[0] : offsets[-1]], offsets - offsets[0], rows.classes[start:stop])


def _weighed(model: NaiveBayes, numbers: NDArray[np.int64], group: Rows, across: NDArray[np.float64]) -> Weighed:
    kept = np.flatnonzero(group.classes >= 0)
    if len(kept) < len(numbers):
        lengths = group.lengths[kept]
        slots = group.slots[ranges(group.offsets[:-1][kept], lengths)]
        group = Rows(slots, np.append(0, np.cumsum(lengths)), group.classes[kept])
    if not len(kept):
        return Weighed(numbers[kept], np.zeros(0, bool), 0.0, 0.0, 0.0, 0.0)
    p = without_group(model, group)
    own = p[np.arange(len(kept)), group.classes]
    # Whoever writes about what nobody else writes about has labels that only such rows explain: an origin with a subject, a
    # style or a time of its own. So what is left counts when the model knows other rows of the origin.
    log_e = min(_total(own, p.shape[1]), _total(across[kept], p.shape[1]))
    contrary = (p.argmax(axis=1) != group.classes) & (across[kept] < 0.5)
    together = _cohesion(model, group)
    excess = float(contrary.sum() - (1 - p.max(axis=1)).sum())
    discounted = log_e / (1 + (len(kept) - 1) * together)
    return Weighed(numbers[kept], contrary, log_e, together, discounted, excess)


def _total(own: NDArray[np.floating], classes: int) -> float:
    """Give the evidence of all rows together, over all shares."""
    return float(np.logaddexp.reduce(_evidence(own, classes).sum(axis=1)) - np.log(len(_SHARES)))


def _evidence(own: NDArray[np.floating], classes: int) -> NDArray[np.float64]:
    """Give log((1 - s) + s * (1 - p) / ((classes - 1) p)) for every share s and probability p of a row's own label."""
    ratio = (1 - own) / np.maximum(own * max(classes - 1, 1), 1e-12)
    return np.asarray(np.log1p(_SHARES[:, None] * (ratio[None, :] - 1)), np.float64)


def _cohesion(model: NaiveBayes, group: Rows) -> float:
    """Give the mean cosine of pairs of rows; words weigh by how rare they are outside the group."""
    n = len(group.lengths)
    if n < 2 or not len(group.slots):
        return 0.0
    slots, places, counts = np.unique(group.slots, return_inverse=True, return_counts=True)
    elsewhere = np.maximum(model.counts[slots].sum(axis=1) - counts, 0) + 1.0
    weight = np.maximum(np.log((float(model.rows.sum()) + 1.0) / elsewhere), 0.0)[places]
    norms = np.sqrt(summed(weight * weight, group.offsets))
    unit = weight / np.repeat(np.maximum(norms, 1e-9), group.lengths)
    total = np.bincount(places, weights=unit)
    return float(np.clip((float((total * total).sum()) - n) / (n * (n - 1)), 0.0, 1.0))


@dataclass(frozen=True)
class Screen:
    """Adds up, by the value of a column of codes, the evidence of the model's out-of-fold margins, and counts labelled rows.

    Attributes:
        column: Name of the column.
        size: How many codes there are.
        classes: Of the model.
    """

    column: str
    size: int
    classes: int

    def map(self, part: Chunk) -> NDArray[np.int64]:
        codes = part[self.column]
        known = (codes >= 0) & (part["label"] >= 0)
        margin = np.minimum(part["nb.margin"][known].astype(np.float64), 30.0)
        evidence = _evidence(1 / (1 + np.exp(-margin)), self.classes)
        whole = np.round(evidence * _SCALE).astype(np.int64)  # sums of integers do not depend on where the rows are cut
        out = np.zeros((len(_SHARES) + 1, self.size), np.int64)
        for line, values in zip(out, [*whole, np.ones(int(known.sum()), np.int64)], strict=True):
            np.add.at(line, codes[known], values)
        return out

    def combine(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
        left += right
        return left

    def finish(self, state: NDArray[np.int64] | None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Give the evidence for each code, and its labelled rows."""
        if state is None:
            return np.zeros(self.size), np.zeros(self.size, np.int64)
        return np.logaddexp.reduce(state[:-1] / _SCALE, axis=0) - np.log(len(_SHARES)), state[-1]


def rows_by_code(codes: NDArray[np.int32], wanted: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Give the rows that have each wanted code, sorted."""
    ranks = np.argsort(wanted, kind="stable")
    held = np.flatnonzero(np.isin(codes, wanted))
    order = held[np.argsort(codes[held], kind="stable")]
    starts = np.searchsorted(codes[order], wanted[ranks], "left")
    ends = np.searchsorted(codes[order], wanted[ranks], "right")
    found: list[NDArray[np.int64]] = [np.zeros(0, np.int64)] * len(wanted)
    for rank, start, end in zip(ranks.tolist(), starts.tolist(), ends.tolist(), strict=True):
        found[rank] = order[start:end]
    return found


def temper(values: NDArray[np.float64], tests: int, spared: int = 3) -> float:
    """Give the factor, at least 1, by which the evidence of the other groups of the data exceeds what chance gives.

    Args:
        values: Logarithms of e-values of the strongest groups.
        tests: How many groups there are.
        spared: How many of the strongest may be poison and say nothing about chance.
    """
    ordered = np.sort(values)[::-1][spared:]
    if not len(ordered):
        return 1.0
    ranks = np.arange(spared + 1, spared + 1 + len(ordered))
    chance = np.log(np.maximum(tests / ranks, 1.0)) + 1.0
    return float(max(1.0, (ordered / chance).max()))
