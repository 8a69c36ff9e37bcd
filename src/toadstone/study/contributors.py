"""How much the content of rows of one origin speaks against their labels: the evidence of all its rows together.

Counting the rows whose label looks wrong throws away most of what is known: five rows of which each is a little odd say more
than one that is very odd. So every labelled row bets against its label with what several learners across folds give it (those
of `second_opinion`; the words alone where there is no such opinion), and the bets of an origin are multiplied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.ragged import summed
from toadstone.study.naive_bayes import NaiveBayes, Rows, gathered
from toadstone.study.second_opinion import COLUMN, second_opinion, write
from toadstone.study.study import Chunk, Study

OWN = "own-label"
"""Column of the chunks: probability that a row would be given the label that it has, float32; NaN where it has none."""
SECOND = "second-label"
"""Column of the chunks: code of the likeliest label, int32; -1 where the likeliest is one of those that were pooled."""

_SHARES = np.array([0.1, 0.2, 0.4, 0.7, 0.95])
"""Shares of wrong labels that are tried."""
_SCALE = 1 << 20
_DRAWN, _DRAWN_ROWS = 40, 24
"""Groups that are drawn at random, and rows of each."""


@dataclass(frozen=True)
class Weighed:
    """What was found about some rows of one origin.

    Attributes:
        rows: Row numbers, sorted, those with a label.
        contrary: Whether another label is likelier for each.
        log_e: Logarithm of the evidence that a share of the labels is wrong: an e-value, so that exp(-log_e) bounds the p-value.
        cohesion: Mean cosine of pairs of rows, by their telling words, in [0, 1].
        discounted: Evidence as of independent rows: rows of one topic err together.
        excess: Contrary rows beyond those that the learners expect.
    """

    rows: NDArray[np.int64]
    contrary: NDArray[np.bool_]
    log_e: float
    cohesion: float
    discounted: float
    excess: float


def judged(study: Study, model: NaiveBayes) -> int:
    """Write `OWN` and `SECOND` of all chunks, once a study; give the number of labels among which the learners chose."""
    return study.shared("contributors.judged", lambda: _judged(study, model))


def _judged(study: Study, model: NaiveBayes) -> int:
    opinion = second_opinion(study)
    if opinion.calibration is None:
        study.run(_Words(), study.every)
        return len(model.rows)
    write(study, opinion, opinion.calibration)
    study.run(_Own(opinion.calibration.noise), study.every)
    return len(opinion.calibration.noise)


@dataclass(frozen=True)
class _Own:
    """Gives each row the probability of the label that it has, honest errors at the usual rate included."""

    noise: NDArray[np.float64]

    def map(self, part: Chunk) -> int:
        labels = part["label"].astype(np.int64)
        chances = np.exp(part[COLUMN].astype(np.float64))
        own = np.einsum("rc,cr->r", chances, self.noise[:, np.maximum(labels, 0)])
        part[OWN] = np.where(labels >= 0, own, np.nan).astype(np.float32)
        part[SECOND] = chances.argmax(axis=1).astype(np.int32)
        return part.rows

    def combine(self, left: int, right: int) -> int:
        return left + right

    def finish(self, state: int | None) -> int:
        return state or 0


@dataclass(frozen=True)
class _Words:
    """Does the same by naive Bayes."""

    def map(self, part: Chunk) -> int:
        margin = np.minimum(part["nb.margin"].astype(np.float64), 30.0)
        part[OWN] = np.where(part["label"] >= 0, 1 / (1 + np.exp(-margin)), np.nan).astype(np.float32)
        part[SECOND] = part["nb.prediction"]
        return part.rows

    def combine(self, left: int, right: int) -> int:
        return left + right

    def finish(self, state: int | None) -> int:
        return state or 0


def weighed(study: Study, model: NaiveBayes, groups: list[NDArray[np.int64]]) -> list[Weighed]:
    """Weigh groups of rows by what learners say that have not seen the rows (Vovk and Wang 2021; Kish 1965 on the discount).

    Args:
        study: After `naive_bayes`.
        model: Its model.
        groups: Row numbers of each group, sorted.
    """
    classes = judged(study, model)
    own, second, labels = study.column(OWN), study.column(SECOND), study.column("label")
    usual = base(study, model)
    found = []
    for place, part in sections(study, model, groups):
        rows = groups[place]
        kept = np.isfinite(own[rows])
        alike = _cohesion(model, part)
        rows, chance = rows[kept], own[rows[kept]].astype(np.float64)
        log_e = _total(chance, classes) if len(rows) else 0.0
        contrary = (second[rows] != labels[rows]) & (chance < 0.5)
        excess = float(contrary.sum() - np.minimum(chance, 1 - chance).sum())
        discounted = log_e / (1 + (len(rows) - 1) * max(0.0, alike - usual))
        found.append(Weighed(rows, contrary, log_e, alike, discounted, excess))
    return found


def base(study: Study, model: NaiveBayes) -> float:
    """Give the cohesion of rows that have nothing in common: of groups drawn at random."""
    return study.shared("contributors.base", lambda: _base(study, model))


def _base(study: Study, model: NaiveBayes) -> float:
    rng = study.random("contributors.base")
    size = min(_DRAWN_ROWS, study.rows)
    groups = [np.sort(rng.choice(study.rows, size, replace=False)) for _ in range(_DRAWN)]
    return float(np.median([_cohesion(model, part) for _, part in sections(study, model, groups)]))


def sections(study: Study, model: NaiveBayes, groups: list[NDArray[np.int64]]) -> Iterator[tuple[int, Rows]]:
    """Give the number and the words of each group in turn; as many as the memory has room for are read at once.

    Args:
        study: After `naive_bayes`.
        model: Its model.
        groups: Row numbers of each group, sorted.
    """
    words = float(model.counts.sum()) / max(1.0, float(model.rows.sum()))
    most = max(20_000, int(study.memory / 64 / max(words, 16.0)))
    first = 0
    while first < len(groups):
        last, held = first + 1, len(groups[first])
        while last < len(groups) and held + len(groups[last]) <= most:
            held += len(groups[last])
            last += 1
        part = gathered(study, model, np.concatenate(groups[first:last]))
        start = 0
        for place in range(first, last):
            yield place, _section(part, start, start + len(groups[place]))
            start += len(groups[place])
        first = last


def _section(rows: Rows, start: int, stop: int) -> Rows:
    offsets = rows.offsets[start : stop + 1]
    return Rows(rows.slots[offsets[0] : offsets[-1]], offsets - offsets[0], rows.classes[start:stop])


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
    """Adds up, by the value of a column of codes, what speaks against labels (after `judged`), and counts labelled rows.

    Attributes:
        column: Name of the column.
        size: How many codes there are.
        classes: Labels among which the learners chose.
    """

    column: str
    size: int
    classes: int

    def map(self, part: Chunk) -> NDArray[np.int64]:
        codes = part[self.column]
        known = (codes >= 0) & (part["label"] >= 0)
        evidence = _evidence(part[OWN][known].astype(np.float64), self.classes)
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
