"""Doubt about labels: which labels are written for which others, and how doubtful each row's label is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.label_noise import Calibration, directed, fitted, rescaled, symmetric, without_noise
from toadstone.stats.null import Tail, conformal, histogram
from toadstone.stats.tails import log_chi_squared_tail
from toadstone.study.second_opinion import COLUMN, Opinion
from toadstone.study.study import Chunk, Study

SCORE = "label-doubt"
"""Column of the chunks: logarithm of the odds that the label is wrong, float64; NaN where it is missing."""

_SURE = 10.83  # chi-squared with one degree of freedom: 0.1 %
_NATURAL = 0.05
"""Share of a class that may look like another one by nature and still be no finding."""
_RARE = 1e-3
_BLOCK = 1 << 19
_ENOUGH = 50
_PAIRS = 20
_RECOGNISED = 0.6

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """A label that is written for another one.

    Attributes:
        right: Code of the label that the rows should have.
        written: Code of the label that they have.
        rate: Share of the rows of ``right`` that are written as ``written``.
        natural: The largest rate that the other pairs make believable.
        log_p: Of the hypothesis that the rate is not above ``natural``.
    """

    right: int
    written: int
    rate: float
    natural: float
    log_p: float


def pairs(opinion: Opinion) -> tuple[list[Pair], int]:
    """Find labels that are written for others more often than other pairs of labels explain.

    The rate of a pair is compared with what nature does elsewhere in the same data: twice the rate of the reverse direction,
    three times the median of all other pairs, and never less than 5 %. Under that hypothesis everything else is fitted again.
    A class whose own rows are not recognised as such is left out: rows of a class that cannot be learned look like others.

    Returns:
        Pairs above, strongest first, and the number of pairs that were looked at.
    """
    finer = opinion.directed
    if finer is None:
        return [], 0
    classes = len(finer.noise)
    found = []
    counts = np.bincount(opinion.labels, minlength=classes)
    best = finer.log_probabilities(opinion.scores).argmax(1)
    recognised = np.bincount(opinion.labels[best == opinion.labels], minlength=classes)
    known = (counts >= _ENOUGH) & (recognised >= _RECOGNISED * counts)
    rates = finer.noise - np.diag(np.diag(finer.noise))
    order = np.argsort(-rates, axis=None)[:_PAIRS]
    for right, written in zip(*np.unravel_index(order, rates.shape), strict=True):
        others = np.ones_like(rates, dtype=bool)
        np.fill_diagonal(others, False)
        others[right, written] = others[written, right] = False
        typical = 3.0 * float(np.median(rates[others])) if others.any() else 0.0
        natural = min(0.9, max(_NATURAL, 2.0 * float(rates[written, right]), typical))
        rate = float(rates[right, written])
        if rate <= natural or not known[right] or counts[written] < _ENOUGH:
            continue
        _, less = directed(finer, opinion.scores, opinion.labels, (int(right), int(written), natural))
        log_p = log_chi_squared_tail(2.0 * (opinion.fit - less)) - float(np.log(2.0))
        found.append(Pair(int(right), int(written), rate, natural, log_p))
    found.sort(key=lambda pair: pair.log_p)
    return found, classes * (classes - 1)


def carelessness(opinion: Opinion, natural: float) -> float:
    """Give the logarithm of the p-value of the hypothesis that at most a share ``natural`` of labels is wrong."""
    plain = opinion.calibration
    assert plain is not None
    if plain.rate <= natural:
        return 0.0
    less = rescaled(replace(plain, noise=symmetric(len(plain.noise), natural)), opinion.scores, opinion.labels)
    gain = fitted(plain, opinion.scores, opinion.labels) - fitted(less, opinion.scores, opinion.labels)
    return log_chi_squared_tail(2.0 * gain) - float(np.log(2.0))


def settled(opinion: Opinion, standing: list[Pair]) -> Calibration:
    """Give the calibration to judge rows by: with the pairs that stand, with one rate of wrong labels, or with none."""
    plain = opinion.calibration
    assert plain is not None
    if standing and opinion.directed is not None:
        finer = opinion.directed
        classes = len(finer.noise)
        noise = symmetric(classes, max(min(plain.rate, 0.4), _RARE))
        for pair in standing:
            noise[pair.right, pair.written] = pair.rate
        np.fill_diagonal(noise, 0.0)
        np.fill_diagonal(noise, np.maximum(1.0 - noise.sum(1), 0.1))
        return rescaled(replace(finer, noise=noise / noise.sum(1, keepdims=True)), opinion.scores, opinion.labels)
    if plain.evidence < _SURE:
        return replace(without_noise(opinion.scores, opinion.labels), noise=symmetric(len(plain.noise), _RARE))
    return replace(plain, noise=symmetric(len(plain.noise), max(plain.rate, _RARE)))


def doubts(study: Study, calibration: Calibration) -> Tail:
    """Write `SCORE` of all chunks; give its distribution over right labels, as the opinion expects it."""
    return study.run(_Doubt(calibration.noise), study.chunks) if not study.trusted else _with_trusted(study, calibration)


def _with_trusted(study: Study, calibration: Calibration) -> Tail:
    study.run(_Doubt(calibration.noise), study.trusted)
    return study.run(_Doubt(calibration.noise), study.chunks)


def log_p_values(study: Study, tail: Tail) -> tuple[Real, bool]:
    """Give the logarithm of each row's p-value, 0 where the label is missing, and whether rows known to be good stand for it.

    With enough known-good rows of a label its rows are compared with those, else with all known-good rows.
    """
    out = study.array(study.rows, np.float64)
    good = np.concatenate([chunk[SCORE] for chunk in study.trusted]) if study.trusted else np.zeros(0)
    kinds = np.concatenate([chunk["label"] for chunk in study.trusted]) if study.trusted else np.zeros(0, np.int32)
    kinds, good = kinds[np.isfinite(good)], good[np.isfinite(good)]
    peers = {label: good[kinds == label] for label in np.unique(kinds).tolist()}
    promised = len(good) >= _ENOUGH
    for chunk in study.chunks:
        scores, labels = chunk[SCORE], chunk["label"]
        found = out[chunk.start : chunk.start + chunk.rows]
        judged = np.isfinite(scores)
        found[judged] = conformal(scores[judged], good) if promised else tail.log_p(scores[judged])
        for label, own in peers.items() if promised else ():
            if len(own) >= 20.0 / study.fdr:
                found[judged & (labels == label)] = conformal(scores[judged & (labels == label)], own)
        np.minimum(found, 0.0, out=found)
    study.rest()
    return out, promised


def detectable(study: Study, opinion: Opinion, calibration: Calibration, tail: Tail) -> int | None:
    """Give the smallest number of random flips of which some would be flagged here in nine of ten cases; None: no number would.

    Among k flips those below the limit of Benjamini and Hochberg for j rows are about Poisson.
    """
    rows, classes = len(opinion.labels), len(calibration.noise)
    other = (opinion.labels + 1 + np.arange(rows) % max(1, classes - 1)) % classes
    logs = calibration.log_probabilities(opinion.scores)
    log_p = np.sort(tail.log_p(odds(logs, calibration.noise)[np.arange(rows), other]))
    found = np.arange(1, max(2, study.rows // 2))
    shares = np.searchsorted(log_p, np.log(study.fdr * found / study.rows), "right") / rows
    needed = ((1.28 + np.sqrt(1.64 + 4.0 * found)) / 2.0) ** 2
    counts = np.maximum(np.ceil(needed[shares > 0] / shares[shares > 0]), found[shares > 0])
    smallest = int(counts.min()) if len(counts) else study.rows
    return smallest if smallest < study.rows // 2 else None


def odds(logs: Real, noise: Real) -> Real:
    """Give the logarithm of the odds that each label would be wrong, shape (rows, classes).

    Args:
        logs: Logarithm of the probability that each class is the right one, shape (rows, classes).
        noise: As of `toadstone.stats.label_noise.Calibration`.
    """
    chances = np.exp(logs)
    kept = np.diag(noise)
    wrong = np.maximum(chances @ (noise - np.diag(kept)), 1e-18)
    return np.log(wrong) - np.log(kept) - logs


@dataclass(frozen=True)
class _Doubt:
    """Writes how doubtful each label is, and sums how doubtful right ones would be."""

    noise: Real

    def map(self, part: Chunk) -> Real:
        opinion, labels = part[COLUMN], part["label"]
        scores = np.full(part.rows, np.nan)
        weights = np.zeros(1)
        step = max(1, _BLOCK // opinion.shape[1])
        for start in range(0, part.rows, step):
            logs = opinion[start : start + step].astype(np.float64)
            own = labels[start : start + step]
            known = np.flatnonzero(own >= 0)
            every = odds(logs[known], self.noise)
            scores[start + known] = every[np.arange(len(known)), own[known]]
            weights = weights + histogram(every, np.exp(logs[known]))
        part[SCORE] = scores
        return weights

    def combine(self, left: Real, right: Real) -> Real:
        return left + right

    def finish(self, state: Real | None) -> Tail:
        assert state is not None
        return Tail.of(state)
