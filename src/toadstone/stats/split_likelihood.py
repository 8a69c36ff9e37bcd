"""Likelihood ratios that hold where the usual ones do not: what is fitted to one half of the data is judged by the other.

A rate of wrong labels next to slopes of classifiers is a mixture whose parts vanish under the hypothesis that all labels are
right: the slopes of a step can be anything when there is nothing to learn. Twice the logarithm of the likelihood ratio is then
no chi-squared variable, and with several weak classifiers and few rows it is many times as large. The likelihood that a fit to
one half gives to the other half, divided by the best that the hypothesis gives to it, has an expectation of at most 1 under the
hypothesis, whatever is fitted, and so has the mean of such ratios (universal inference, Wasserman, Ramdas and Balakrishnan
2020). By Markov's inequality its inverse is a p-value.

How the classifiers are weighed is of no interest in itself, but costs the alternative what it gains the hypothesis. Here both
learn it from the first half: of the second the hypothesis fits how far to trust the sum of the alternative and that of a fit
without wrong labels, and everything else.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.label_noise import Calibration, fitted, without_noise

Real = NDArray[np.float64]
Codes = NDArray[np.int64]
Fit = Callable[[Real, Codes], Calibration]

_FEWEST = 20
"""Rows of a half."""


class Halves:
    """Scores and labels, split in half a few times.

    Args:
        scores: Of classifiers that have not seen the row, shape (classifiers, rows, classes).
        labels: Class of each row, shape (rows,), all known.
        first: Whether a row is in the first half, shape (splits, rows); copies of a row are in the same.
    """

    def __init__(self, scores: Real, labels: Codes, first: NDArray[np.bool_]) -> None:
        sides = [side for split in first for side in (split, ~split)]
        good = all(min(side.sum(), (~side).sum()) >= _FEWEST for side in sides)
        self._plain: list[Calibration] = []
        self._parts = [(scores[:, side], labels[side]) for side in sides] if good else []

    def fits(self, fit: Fit) -> list[Calibration]:
        """Fit to each half of each split."""
        return [fit(*part) for part in self._parts]

    def log_e(self, alternatives: list[Calibration], null: Fit) -> float:
        """Give the logarithm of an e-value against a hypothesis; at most 0 is nothing.

        Args:
            alternatives: As `fits` gives them.
            null: Fits the best of the hypothesis.
        """
        if not self._parts:
            return -np.inf
        self._plain = self._plain or self.fits(without_noise)
        gains = []
        for place, (scores, labels) in enumerate(self._parts):
            other, plain = alternatives[place ^ 1], self._plain[place ^ 1]
            sums = np.stack([_centred(one.logits(scores)) for one in (other, plain)])
            gains.append(fitted(other, scores, labels) - fitted(null(sums, labels), sums, labels))
        return float(np.logaddexp.reduce(gains) - np.log(len(gains)))


def _centred(logits: Real) -> Real:
    """Give logits with mean 0 in each row, and a standard deviation of 1."""
    centred: Real = logits - logits.mean(1, keepdims=True)
    return np.asarray(centred / max(float(centred.std()), 1e-12))
