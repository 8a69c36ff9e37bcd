"""Labels that are partly wrong: what classifiers across folds say, turned into probabilities of the right label.

The labels themselves show how far the scores can be trusted and how many labels are wrong. Where rows are ambiguous by nature,
disagreement between score and label dies out as the margin grows; a wrong label does not care about the margin, so that wrong
labels leave a plateau. Both are fitted together by maximum likelihood: the observed label y of a row has the probability
``sum over t of q(t) * T(t, y)``, where q is the softmax of the weighted scores and T(t, y) the rate at which t is written as y.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Real = NDArray[np.float64]
Codes = NDArray[np.int64]

_STEPS = 60
_LARGEST = 50.0
_TINY = 1e-300


@dataclass(frozen=True)
class Calibration:
    """How scores become probabilities.

    Attributes:
        scales: Weight of each classifier, shape (classifiers,), not negative.
        offsets: Of each class, shape (classes,).
        noise: Shape (classes, classes): rate at which the label of the row is written as that of the column.
        rate: Share of labels that are wrong, if all were equally likely to be.
        evidence: Twice the logarithm of the likelihood ratio of ``rate`` against 0.
    """

    scales: Real
    offsets: Real
    noise: Real
    rate: float = 0.0
    evidence: float = 0.0

    def log_probabilities(self, scores: Real) -> Real:
        """Give the logarithm of q, shape (rows, classes), of scores of shape (classifiers, rows, classes)."""
        return log_softmax(self.logits(scores))

    def logits(self, scores: Real) -> Real:
        """Give what the logarithm of q is the log-softmax of, shape (rows, classes)."""
        return np.asarray(np.tensordot(self.scales, scores, 1) + self.offsets)


def log_softmax(values: Real) -> Real:
    """Give the logarithm of the softmax of each row."""
    shifted: Real = values - values.max(1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(1, keepdims=True)))


def symmetric(classes: int, rate: float) -> Real:
    """Give the noise that writes every label as any other at equal rates."""
    noise = np.full((classes, classes), rate / max(1, classes - 1))
    np.fill_diagonal(noise, 1.0 - rate)
    return noise


def calibrate(scores: Real, labels: Codes, most: float = 0.49, wrong: Real | None = None) -> Calibration:
    """Fit scales, offsets and one rate of wrong labels.

    Args:
        scores: Of classifiers that have not seen the row, centred, shape (classifiers, rows, classes).
        labels: Class of each row, shape (rows,), all known.
        most: Highest rate.
        wrong: Chance that the label of the row is written as that of the column when it is wrong, shape (classes, classes);
            rows of zeros are always right. None: any class as any other.
    """
    classes = scores.shape[2]
    plain = _fitted(scores, labels, None)
    others = symmetric(classes, 1.0) if wrong is None else wrong
    others = others - np.diag(others.sum(1))
    scales, offsets, rate, loss = _fitted(scores, labels, plain[0], others, most)
    evidence = max(0.0, 2.0 * (plain[3] - loss))
    return Calibration(scales, offsets, np.eye(classes) + rate * others, rate, evidence)


def without_noise(scores: Real, labels: Codes) -> Calibration:
    """Fit scales and offsets as if all labels were right."""
    scales, offsets, _, _ = _fitted(scores, labels, None)
    return Calibration(scales, offsets, symmetric(scores.shape[2], 0.0))


def _fitted(
    scores: Real, labels: Codes, start: Real | None, others: Real | None = None, most: float = 0.0
) -> tuple[Real, Real, float, float]:
    """Give scales, offsets, rate and negative log-likelihood; the rate is 0 when there is no start.

    Args:
        scores: As of `calibrate`.
        labels: As of `calibrate`.
        start: Scales to begin with.
        others: How a label changes when it is wrong: what a rate of 1 adds to the identity, shape (classes, classes).
        most: Highest rate.
    """
    models, rows, classes = scores.shape
    at = np.arange(rows)
    with_rate = start is not None
    turned = np.zeros((rows, classes)) if others is None else others[:, labels].T

    def loss(values: Real) -> tuple[float, Real]:
        rate = float(values[models]) if with_rate else 0.0
        logs = log_softmax(np.tensordot(values[:models], scores, 1) + np.append(0.0, values[models + with_rate :]))
        chances = np.exp(logs)
        changed = np.einsum("nk,nk->n", chances, turned)
        observed = np.maximum(chances[at, labels] + rate * changed, 0.0) + _TINY
        written = rate * turned
        written[at, labels] += 1.0
        pull = chances * (written - observed[:, None]) / observed[:, None]
        slope = [np.einsum("mnk,nk->m", scores, pull)]
        if with_rate:
            slope.append(np.array([(changed / observed).sum()]))
        slope.append(pull.sum(0)[1:])
        return -float(np.log(observed).sum()) / rows, -np.concatenate(slope) / rows

    first = np.full(models, 1.0 / models) if start is None else start
    begin = np.concatenate([first, [min(0.02, most)] if with_rate else [], np.zeros(classes - 1)])
    bounds = [(0.0, _LARGEST)] * models + [(0.0, most)] * with_rate + [(-5.0, 5.0)] * (classes - 1)
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS})
    offsets = np.append(0.0, found.x[models + with_rate :])
    return found.x[:models], offsets, float(found.x[models]) if with_rate else 0.0, float(found.fun) * rows


def directed(
    calibration: Calibration,
    scores: Real,
    labels: Codes,
    held: tuple[int, int, float] | None = None,
    *,
    warm: bool = False,
) -> tuple[Calibration, float]:
    """Refine a calibration: each label is written as each other at a rate of its own (Dawid and Skene 1979).

    Args:
        calibration: Where to begin.
        scores: As of `calibrate`.
        labels: As of `calibrate`.
        held: Row, column and value of a rate that is not to be fitted.
        warm: Whether the noise is to begin as it is, instead of the same for all classes.

    Returns:
        The calibration and its log-likelihood.
    """
    models, rows, classes = scores.shape
    cells = np.zeros((rows, classes))
    cells[np.arange(rows), labels] = 1.0
    free = models + classes - 1
    share = np.ones((classes, 1))
    if held is not None:
        share[held[0]] -= held[2]

    def noise_of(values: Real) -> tuple[Real, Real]:
        logits = values[free:].reshape(classes, classes)
        if held is not None:
            logits = logits.copy()
            logits[held[0], held[1]] = -np.inf
        split = np.exp(log_softmax(logits))
        noise = share * split
        if held is not None:
            noise[held[0], held[1]] = held[2]
        return noise, split

    def loss(values: Real) -> tuple[float, Real]:
        noise, split = noise_of(values)
        total, slope, chances, observed = _fit(values[:free], scores, noise[:, labels].T)
        reach = share * (chances.T @ (cells / observed))
        turned = split * (reach - (split * reach).sum(1, keepdims=True))
        return total / rows, np.concatenate([slope, -turned.ravel()]) / rows

    start = np.log(np.maximum(calibration.noise, 1e-3) if warm else symmetric(classes, max(0.1, calibration.rate)))
    begin = np.concatenate([calibration.scales, calibration.offsets[1:] - calibration.offsets[0], start.ravel()])
    bounds = [(0.0, _LARGEST)] * models + [(-5.0, 5.0)] * (classes - 1) + [(-12.0, 3.0)] * classes**2
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 3 * _STEPS})
    offsets = np.append(0.0, found.x[models:free])
    refined = replace(calibration, scales=found.x[:models], offsets=offsets, noise=noise_of(found.x)[0])
    return refined, -float(found.fun) * rows


def rescaled(calibration: Calibration, scores: Real, labels: Codes) -> Calibration:
    """Fit scales and offsets again, with the noise as it is."""
    models, rows, classes = scores.shape
    written = calibration.noise[:, labels].T

    def loss(values: Real) -> tuple[float, Real]:
        total, slope, _, _ = _fit(values, scores, written)
        return total / rows, slope / rows

    begin = np.concatenate([calibration.scales, calibration.offsets[1:] - calibration.offsets[0]])
    bounds = [(0.0, _LARGEST)] * models + [(-5.0, 5.0)] * (classes - 1)
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS})
    return replace(calibration, scales=found.x[:models], offsets=np.append(0.0, found.x[models:]))


def fitted(calibration: Calibration, scores: Real, labels: Codes) -> float:
    """Give the log-likelihood of labels."""
    chances = np.exp(calibration.log_probabilities(scores))
    return float(np.log(np.einsum("nk,nk->n", chances, calibration.noise[:, labels].T) + _TINY).sum())


def _fit(values: Real, scores: Real, written: Real) -> tuple[float, Real, Real, Real]:
    """Give the negative log-likelihood, its slope in scales and offsets, and the probabilities of right and observed labels.

    Args:
        values: Scales and all offsets but the first.
        scores: Shape (classifiers, rows, classes).
        written: Chance that each class is written as the row's label, shape (rows, classes).
    """
    models = len(scores)
    chances = np.exp(log_softmax(np.tensordot(values[:models], scores, 1) + np.append(0.0, values[models:])))
    observed = np.einsum("nk,nk->n", chances, written)[:, None] + _TINY
    pull = chances * (written - observed) / observed
    slope = -np.concatenate([np.einsum("mnk,nk->m", scores, pull), pull.sum(0)[1:]])
    return -float(np.log(observed).sum()), slope, chances, observed


def cautious(calibration: Calibration, scores: Real, labels: Codes, drop: float = 2.0) -> Calibration:
    """Blunt a calibration as far as the labels allow: the smallest common factor of scales and offsets whose log-likelihood,
    with the best rate of wrong labels, is within ``drop`` of the best.

    Probabilities of right labels are then rather too close to each other than too far apart, which matters with few rows.
    """  # noqa: D205
    logits = np.tensordot(calibration.scales, scores, 1) + calibration.offsets
    rates = np.linspace(0.0, 2.0, 21)

    def best(factor: float) -> float:
        chances = np.exp(log_softmax(factor * logits))
        right = chances[np.arange(len(labels)), labels]
        wrong = np.einsum("nk,nk->n", chances, calibration.noise[:, labels].T)
        return max(float(np.log(np.maximum(right + rate * (wrong - right), _TINY)).sum()) for rate in rates)

    least = best(1.0) - drop
    low, high = 0.2, 1.0
    for _ in range(12):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if best(middle) >= least else (middle, high)
    return replace(calibration, scales=high * calibration.scales, offsets=high * calibration.offsets)
