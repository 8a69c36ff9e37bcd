"""How often the right labels look as wrong as a given one: p-values without ties, from probabilities or from known-good rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]

LIMIT = 60.0
_BINS = 12_000
_TOP = 0.05
"""Share of the known-good rows whose excesses tell how fast their scores die out."""
_FEWEST = 20
_DEEPER = 8.0
"""How many times smaller than one known-good row could show a p-value may be."""
_PRIOR = 10.0
"""Known-good rows that the expectation counts for."""


def histogram(scores: Real, weights: Real) -> Real:
    """Give the weight in each of the bins between -`LIMIT` and `LIMIT`; what lies beyond counts at the ends."""
    places = np.clip((scores + LIMIT) * (_BINS / (2 * LIMIT)), 0, _BINS - 1).astype(np.int64)
    return np.bincount(places.ravel(), weights.ravel(), _BINS).astype(np.float64)


@dataclass(frozen=True)
class Tail:
    """A distribution of scores under the null.

    Attributes:
        logs: Logarithm of the share at or above the lower edge of each bin, strictly falling.
        dies_out: Whether nothing lies beyond the last bin.
    """

    logs: Real
    dies_out: bool = True

    @classmethod
    def of(cls, weights: Real) -> Tail:
        """Make it of a `histogram`. Beyond the last weight it falls as the score's own odds do: by e for each unit."""
        above = np.cumsum(weights[::-1])[::-1] / max(float(weights.sum()), 1e-300)
        floor = -np.arange(_BINS) * 1e-12
        last = int(np.flatnonzero(above > 0)[-1]) if (above > 0).any() else 0
        logs = np.log(np.maximum(above, 1e-300))
        width = 2 * LIMIT / _BINS
        logs[last + 1 :] = logs[last] - width * np.arange(1, _BINS - last)
        return cls(np.asarray(np.minimum.accumulate(logs) + floor, np.float64), last < _BINS - 1)

    def log_p(self, scores: Real) -> Real:
        """Give the logarithm of the p-value of each score, between bins by interpolation."""
        edges = np.linspace(-LIMIT, LIMIT, _BINS, endpoint=False)
        logs = np.interp(scores, edges, self.logs)
        steep = 1.0 if self.dies_out else 1e-9
        return np.where(scores > edges[-1], self.logs[-1] - steep * (scores - edges[-1]), np.minimum(logs, 0.0))


def conformal(scores: Real, good: Real) -> Real:
    """Give logarithms of conformal p-values: (1 + known-good scores at or above) / (1 + known-good scores).

    Where scores fall between the same two known-good ones the higher has the smaller p-value, by less than a thousandth of a
    rank, so that scores are never tied and the promise holds to that thousandth (Bates et al. 2023).

    Args:
        scores: Higher is worse, shape (rows,).
        good: Of rows known to be good, treated alike, shape (known,).
    """
    ordered = np.sort(good)
    above = len(ordered) - np.searchsorted(ordered, scores, "left")
    within = 1e-3 * (0.5 + np.arctan(scores) / np.pi)
    return np.log((1.0 + above - within) / (1.0 + len(ordered)))


def anchored(scores: Real, good: Real, tail: Tail) -> Real:
    """Give logarithms of p-values that known-good rows answer for, also where too few of them lie to count.

    Where rows known to be good are many, their share at or above a score is the p-value (`conformal`). Beyond, the expected
    distribution gives the shape: on the scale of its own ``-log p`` the excess over a high known-good score is exponential, at
    the rate 1 if the expectation is right. The rate is learned from the excesses of the known-good rows, with a gamma prior
    around 1; the p-value is the predictive probability, a Lomax tail, whose weight grows with what the few rows leave
    unknown (Bayesian peaks over threshold; Coles and Powell 1996). It is never below the share of known-good rows at or above.

    Args:
        scores: Higher is worse, shape (rows,).
        good: Of rows known to be good, treated alike, shape (known,).
        tail: The distribution of the scores of right labels, as far as one can expect.
    """
    known = len(good)
    ordered = np.sort(-tail.log_p(good))
    count = min(known - 1, max(_FEWEST, int(_TOP * known)))
    begin = ordered[known - count - 1]
    depth = -tail.log_p(scores)
    beyond = np.maximum(depth - begin, 0.0)
    weight = _PRIOR + float((ordered[known - count :] - begin).sum())
    smooth = np.log((1.0 + count) / (1.0 + known)) - (_PRIOR + count) * np.log1p(beyond / weight)
    above = known - np.searchsorted(ordered, depth, "left")
    counted = np.log(np.maximum(above, 1.0 / _DEEPER) / (1.0 + known)) - 1e-6 * beyond
    return np.where(depth > begin, np.maximum(smooth, counted), conformal(scores, good))


def ranked(scores: Real) -> Real:
    """Give the logarithm of the share of rows with a score as high: it orders rows and can never flag one by itself.

    Args:
        scores: Higher is worse, shape (rows,).
    """
    ordered = np.sort(scores)
    above = len(scores) - np.searchsorted(ordered, scores, "left")
    return np.asarray(np.log(above / max(len(scores), 1)), np.float64)
