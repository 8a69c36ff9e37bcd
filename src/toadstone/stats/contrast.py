"""What doubted rows have in common that other rows do not: directions from one half, scores for the other half.

Rows whose label is doubted for many small reasons have nothing in common; rows that carry a mark have the mark. A direction that
was fitted to one half of them must raise the other half too (a classifier as a two-sample test, Lopez-Paz and Oquab 2017), and
the best cut of the scores says how much (a maximally selected likelihood ratio).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Codes = NDArray[np.int64]
Marked = NDArray[np.bool_]

_ROUNDS = 3
_FEWEST = 5
_TINY = 1e-9


@dataclass(frozen=True)
class Cut:
    """The cut of scores above which doubted rows are the most enriched.

    Attributes:
        log_ratio: Logarithm of the likelihood ratio (binomial) of the enrichment, >= 0.
        rows: How many rows lie above.
        hits: How many of them are doubted.
        threshold: The lowest score above the cut.
    """

    log_ratio: float
    rows: int
    hits: int
    threshold: float


def cut(scores: Floats, doubted: Marked, fewest: int, most: float) -> Cut:
    """Find the cut.

    Args:
        scores: Of rows; higher is more suspect.
        doubted: Of the same rows.
        fewest: Rows above the cut, at least.
        most: Share of the rows above the cut, at most.
    """
    order = np.argsort(-scores, kind="stable")
    usual = float(doubted.mean())
    rows = np.arange(1, len(order) + 1)
    hits = np.cumsum(doubted[order])
    found = hits / rows
    ratio = enrichment(rows, found, usual)
    low, high = min(fewest, len(order)) - 1, max(fewest, int(most * len(order)))
    best = low + int(ratio[low:high].argmax())
    return Cut(max(0.0, float(ratio[best])), int(rows[best]), int(hits[best]), float(scores[order[best]]))


def enrichment(rows: NDArray[np.int64], share: NDArray[np.float64], usual: float) -> NDArray[np.float64]:
    """Give the logarithm of the likelihood ratio (binomial) of a share among rows above the usual one; 0 where it is not."""
    found, known = np.clip(share, _TINY, 1 - _TINY), min(max(usual, _TINY), 1 - _TINY)
    ratio = rows * (found * np.log(found / known) + (1 - found) * np.log((1 - found) / (1 - known)))
    return np.where(found > known, ratio, 0.0)


def direction(values: Floats, doubted: Marked, fit: Marked) -> Floats | None:
    """Fit a direction to what doubted rows have in common; None when there are too few.

    It begins at the difference of means and is fitted again to the doubted rows above the best cut, against all rows below.

    Args:
        values: Whitened, shape (rows, numbers).
        doubted: Which rows are.
        fit: Which rows may be looked at.

    Returns:
        Of length 1.
    """
    inside, outside = fit & doubted, fit & ~doubted
    weights = None
    for turn in range(_ROUNDS):
        if inside.sum() < _FEWEST or not outside.any():
            break
        difference = values[inside].mean(0) - values[outside].mean(0)
        weights = np.asarray(difference / max(float(np.linalg.norm(difference)), _TINY), np.float32)
        if turn < _ROUNDS - 1:
            rows = np.flatnonzero(fit)
            scores = values[rows] @ weights
            above = np.zeros(len(values), bool)
            above[rows[scores >= cut(scores, doubted[rows], _FEWEST, 0.5).threshold]] = True
            inside, outside = above & doubted, fit & ~above
    return weights


def crossed(values: Floats, doubted: Marked, compared: Marked, half: Marked) -> Floats | None:
    """Give every row's score along the direction that was fitted to the other half, in standard deviations of undoubted rows.

    Args:
        values: Whitened, shape (rows, numbers).
        doubted: Which rows are.
        compared: Rows to which directions are fitted.
        half: Which half a row belongs to.

    Returns:
        Shape (rows,); None when one half has too few doubted rows.
    """
    out = np.zeros(len(values), np.float32)
    for side in (half, ~half):
        weights = direction(values, doubted, compared & side)
        if weights is None:
            return None
        scores = values @ weights
        known = scores[compared & side & ~doubted]
        out[~side] = ((scores - known.mean()) / max(float(known.std()), _TINY))[~side]
    return out
