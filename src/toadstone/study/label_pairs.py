"""Which labels are written for which others: pairs of labels beyond what nature does, and how labels are wrong on the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.label_noise import Calibration, calibrate, directed, fitted, rescaled, symmetric, without_noise
from toadstone.stats.tails import log_binomial_tail, log_chi_squared_tail
from toadstone.study.second_opinion import Opinion

_SURE = 10.83
"""Twice a log-likelihood ratio from which it is worth asking the halves of the data."""
PROVEN = float(np.log(20.0))
"""Logarithm of an e-value from which wrong labels are a fact."""
_LEANING = float(np.log(100.0))
"""The same for a pair of labels, of which several are asked: from there on it counts in the ranking of rows, may it be natural
or not, and it is asked whether it is more than nature."""
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
        leaning: Logarithm of the p-value of the hypothesis that the rate is not above that of wrong labels in general.
        throughout: Whether the rows that look most like ``right`` are written as ``written`` too.
    """

    right: int
    written: int
    rate: float
    natural: float
    log_p: float
    leaning: float
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

    proof = _Proof(opinion)
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
        log_p = leaning = 0.0
        if gain > _SURE:
            leaning = proof.log_p(right, written, general)
        if leaning < -_LEANING and rate > natural:
            log_p = log_chi_squared_tail(less(right, written, natural)) - float(np.log(2.0))
            log_p = log_p if recognised[right] else max(log_p, even)
        found.append(Pair(right, written, rate, natural, log_p, leaning, even < _EVEN))
    found.sort(key=lambda pair: (pair.log_p, pair.leaning))
    return found, classes * (classes - 1)


class _Proof:
    """Asks the halves of the data for a rate of a pair of labels."""

    def __init__(self, opinion: Opinion) -> None:
        self._opinion = opinion
        self._fits: list[Calibration] = []

    def log_p(self, right: int, written: int, natural: float) -> float:
        """Give the logarithm of the p-value of the hypothesis that the rate is at most ``natural``."""
        plain, finer, halves = self._opinion.calibration, self._opinion.directed, self._opinion.halves
        assert plain is not None
        assert finer is not None
        assert halves is not None

        def null(scores: Real, labels: NDArray[np.int64]) -> Calibration:
            held = (right, written, natural)
            right_labels, any_label = without_noise(scores, labels), calibrate(scores, labels, natural)
            fits = [directed(replace(any_label, noise=finer.noise), scores, labels, held, warm=True)]
            fits.append(directed(any_label, scores, labels, held))
            fits += [(fit, fitted(fit, scores, labels)) for fit in (right_labels, any_label)]
            return max(fits, key=lambda fit: fit[1])[0]

        self._fits = self._fits or halves.fits(lambda scores, labels: directed(plain, scores, labels)[0])
        return min(0.0, -halves.log_e(self._fits, null))


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


def background(opinion: Opinion, *, lenient: bool = False) -> float:
    """Give the rate of wrong labels, whatever the class, as far as the labels prove that there are some.

    Args:
        opinion: Of the classifiers.
        lenient: Whether wrong labels of a single class count: it orders rows, but may be how the class is by nature.
    """
    plain = opinion.calibration
    assert plain is not None
    return max(plain.rate, _RARE) if (opinion.noisy if lenient else opinion.proof) >= PROVEN else _RARE


def carelessness(opinion: Opinion, natural: float) -> float:
    """Give the logarithm of the p-value of the hypothesis that at most a share ``natural`` of labels is wrong."""
    plain, halves = opinion.calibration, opinion.halves
    assert plain is not None
    assert halves is not None
    if plain.rate <= natural or opinion.proof < PROVEN:
        return 0.0
    return min(0.0, -halves.log_e(halves.fits(calibrate), partial(calibrate, most=natural)))


def leaning(found: Sequence[Pair]) -> list[Pair]:
    """Give the pairs that count in the ranking of rows."""
    return [pair for pair in found if pair.leaning < -_LEANING]


def settled(opinion: Opinion, standing: Sequence[Pair], *, lenient: bool = False) -> Calibration:
    """Give the calibration to judge rows by: with some pairs, with one rate of wrong labels, or with none."""
    plain = opinion.calibration
    assert plain is not None
    classes = len(plain.noise)
    rate = background(opinion, lenient=lenient)
    if standing and opinion.directed is not None:
        noise = symmetric(classes, min(rate, 0.4))
        for pair in standing:
            noise[pair.right, pair.written] = pair.rate
        np.fill_diagonal(noise, 0.0)
        np.fill_diagonal(noise, np.maximum(1.0 - noise.sum(1), 0.1))
        return rescaled(replace(opinion.directed, noise=noise / noise.sum(1, keepdims=True)), opinion.scores, opinion.labels)
    if rate <= _RARE:
        return replace(without_noise(opinion.scores, opinion.labels), noise=symmetric(classes, _RARE))
    return replace(plain, noise=symmetric(classes, rate))
