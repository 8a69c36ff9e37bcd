"""Which labels are written for which others: pairs of labels beyond what nature does, and how labels are wrong on the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.label_noise import Calibration, directed, fitted, rescaled, symmetric, without_noise
from toadstone.stats.tails import log_binomial_tail, log_chi_squared_tail
from toadstone.study.second_opinion import Opinion

_SURE = 10.83
"""Twice a log-likelihood ratio: 0.1 % of the chi-squared distribution with one degree of freedom."""
_LEANING = 20.0
"""Twice the log-likelihood ratio from which a pair counts in the ranking of rows though it may be natural: the square of 4.5
standard errors, as the likeness of two classes is never exactly what the model says."""
_NATURAL = 0.05
"""Share of a class that may look like another one by nature and still be no finding."""
_RARE = 1e-3
_ENOUGH = 50
_PAIRS = 12
_CLEAREST = 0.2
_FEWEST = 20
_OVERALL = 0.8
_DECLINE = 0.5
"""Of the share of the other label among all rows that look like a class, what its clearest rows have of it at most by nature."""
_EVEN = float(np.log(0.05))
_CERTAIN = float(np.log(0.01))
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
        gain: Twice the log-likelihood ratio of the rate against that of wrong labels in general.
        throughout: Whether the rows that look most like ``right`` are written as ``written`` too.
    """

    right: int
    written: int
    rate: float
    natural: float
    log_p: float
    gain: float
    throughout: bool


def pairs(opinion: Opinion) -> tuple[list[Pair], int]:
    """Find labels that are written for others more often than other pairs of labels explain.

    The rate of a pair is compared with what nature does elsewhere in the same data: twice the rate of the reverse direction,
    three times the median of all other pairs, and never less than 5 %. Under that hypothesis everything else is fitted again.
    A second test looks at the rows that are most like the right class: where classes only resemble each other the likeness
    ends with those, while swapped labels are as frequent among them. A class whose own rows are mostly not recognised as such
    needs both tests: rows of a class that cannot be learned look like others, and so do those of a class half of which is
    written as another one.

    Returns:
        Pairs that are more than wrong labels in general, strongest first, and the number of pairs that were looked at.
    """
    finer = opinion.directed
    if finer is None:
        return [], 0
    classes = len(finer.noise)
    counts = np.bincount(opinion.labels, minlength=classes)
    rates = finer.noise - np.diag(np.diag(finer.noise))
    whole = replace(finer, scales=np.ones(1), offsets=np.zeros(classes))
    scores = finer.logits(opinion.scores)[None]
    margins = _margins(scores[0])
    general = background(opinion) / max(1, classes - 1)
    recognised = np.bincount(opinion.labels[scores[0].argmax(1) == opinion.labels], minlength=classes) >= _RECOGNISED * counts

    def less(right: int, written: int, rate: float) -> float:
        held = directed(whole, scores, opinion.labels, (right, written, rate), warm=True)[1]
        return max(0.0, 2.0 * (opinion.fit - held))

    found = []
    for place in np.argsort(-rates * counts[:, None], axis=None)[:_PAIRS].tolist():
        right, written = divmod(place, classes)
        rate = float(rates[right, written])
        if rate <= max(0.01, 2.0 * general) or min(counts[right], counts[written]) < _ENOUGH:
            continue
        clear, share = _clearest(margins[:, right], opinion.labels, right, written, rate)
        natural = _natural(rates, right, written)
        even = float(log_binomial_tail(*clear, max(natural, _DECLINE * share)))
        gain = less(right, written, general) if recognised[right] or even < _CERTAIN else 0.0
        log_p = 0.0
        if rate > natural and gain > _SURE:
            log_p = log_chi_squared_tail(less(right, written, natural)) - float(np.log(2.0))
            log_p = log_p if recognised[right] else max(log_p, even)
        found.append(Pair(right, written, rate, natural, log_p, gain, even < _EVEN))
    found.sort(key=lambda pair: (pair.log_p, -pair.gain))
    return found, classes * (classes - 1)


def _natural(rates: Real, right: int, written: int) -> float:
    others = np.ones_like(rates, dtype=bool)
    np.fill_diagonal(others, False)
    others[right, written] = others[written, right] = False
    typical = 3.0 * float(np.median(rates[others])) if others.any() else 0.0
    return min(0.9, max(_NATURAL, 2.0 * float(rates[written, right]), typical))


def _margins(logits: Real) -> Real:
    """Give by how much each class leads the best other one, shape (rows, classes)."""
    ordered = np.sort(logits, axis=1)
    best, second = ordered[:, -1:], ordered[:, -2:-1]
    return np.asarray(np.where(logits == best, logits - second, logits - best))


def _clearest(margins: Real, labels: NDArray[np.int64], right: int, written: int, rate: float) -> tuple[tuple[int, int], float]:
    """Count, among the rows that look most like a class and have either label, those with the other label.

    Args:
        margins: By how much the class leads, shape (rows,).
        labels: Of the rows.
        right: The class.
        written: The other one.
        rate: At which it is written, as far as is known: it says how many rows the class has.

    Returns:
        The count and the number of rows; and the share of the other label among all rows that look like the class.
    """
    either = np.flatnonzero((labels == right) | (labels == written))
    either = either[np.argsort(-margins[either], kind="stable")]
    other = labels[either] == written
    size = int((labels == right).sum() / max(1.0 - rate, 0.2))
    most = min(len(other), max(_FEWEST, int(_CLEAREST * size)))
    upto = min(len(other), max(most, int(_OVERALL * size)))
    return (int(other[:most].sum()), most), float(other[:upto].mean())


def background(opinion: Opinion) -> float:
    """Give the rate of wrong labels, whatever the class, as far as the labels prove that there are some."""
    plain = opinion.calibration
    assert plain is not None
    return max(plain.rate, _RARE) if plain.evidence >= _SURE else _RARE


def carelessness(opinion: Opinion, natural: float) -> float:
    """Give the logarithm of the p-value of the hypothesis that at most a share ``natural`` of labels is wrong."""
    plain = opinion.calibration
    assert plain is not None
    if plain.rate <= natural:
        return 0.0
    less = rescaled(replace(plain, noise=symmetric(len(plain.noise), natural)), opinion.scores, opinion.labels)
    gain = fitted(plain, opinion.scores, opinion.labels) - fitted(less, opinion.scores, opinion.labels)
    return log_chi_squared_tail(2.0 * gain) - float(np.log(2.0))


def leaning(found: Sequence[Pair]) -> list[Pair]:
    """Give the pairs that count in the ranking of rows."""
    return [pair for pair in found if pair.gain > _LEANING]


def settled(opinion: Opinion, standing: Sequence[Pair]) -> Calibration:
    """Give the calibration to judge rows by: with some pairs, with one rate of wrong labels, or with none."""
    plain = opinion.calibration
    assert plain is not None
    classes = len(plain.noise)
    rate = background(opinion)
    if standing and opinion.directed is not None:
        noise = symmetric(classes, min(rate, 0.4))
        for pair in standing:
            noise[pair.right, pair.written] = pair.rate
        np.fill_diagonal(noise, 0.0)
        np.fill_diagonal(noise, np.maximum(1.0 - noise.sum(1), 0.1))
        return rescaled(replace(opinion.directed, noise=noise / noise.sum(1, keepdims=True)), opinion.scores, opinion.labels)
    if plain.evidence < _SURE:
        return replace(without_noise(opinion.scores, opinion.labels), noise=symmetric(classes, _RARE))
    return replace(plain, noise=symmetric(classes, rate))
