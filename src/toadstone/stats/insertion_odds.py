"""Odds that groups of rows were picked at random rather than grown together, against all groups of the same data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ENOUGH = 8
"""Rows from which a group tells something about groups in general."""
_NEUTRAL = 3.0
_INSIDE = 0.25
"""Share of a group's rows with words on both sides below which nothing is read from how they close."""
_PRIOR = 2.0
"""Log-odds against insertion before anything is seen: two kinds of evidence have to speak for it, or one loudly."""
_STRANGE = float(np.log(10.0))
"""Minus log p of how strange a phrase is has the density exp(-x) for phrases that grew, and is spread evenly from 0 to 10 for
inserted ones: the log of the ratio is x less this."""
_SMALLEST_SCALE = 0.25
"""Of the tail, in nats: data whose phrases are all coherent does not make a first incoherent one certain."""
_MAD = 1.4826


@dataclass(frozen=True)
class Signs:
    """What speaks for insertion, one entry a phrase.

    Attributes:
        coherence: Log of how much more alike the rows are than rows of the label, the phrase left out.
        spread: Standard deviation that the coherence of so many rows drawn at random has.
        closed: Rows in which the words around the phrase also stand next to each other elsewhere.
        cut: Rows in which there is a word on both sides.
        usual: Share of neighbouring words of the label's rows that also stand next to each other elsewhere.
        looked: Rows that were looked at.
    """

    coherence: Floats
    spread: Floats
    closed: Floats
    cut: Floats
    usual: Floats
    looked: Floats


@dataclass(frozen=True)
class Odds:
    """Evidence for insertion, one entry a group.

    Attributes:
        diversity: Log-likelihood ratio from how unlike each other the rows are.
        cut: Log-likelihood ratio from how the words around close.
        probability: Of insertion, in [0, 1].
    """

    diversity: Floats
    cut: Floats
    probability: Floats


def insertion_odds(seen: Signs, sizes: Floats, strange: Floats | None = None) -> Odds:
    """Compare each group with what random picks look like and with what the data's groups look like.

    Groups that grew are described by the median and the median absolute deviation of all groups: a few inserted ones do not
    move them.

    Args:
        seen: Signs of each group.
        sizes: Rows of each group.
        strange: How strange each phrase is to the data, as minus the logarithm of a p-value.
    """
    enough = sizes >= min(_ENOUGH, float(np.median(sizes)))
    typical = max(float(np.median(seen.coherence[enough])), 0.1)
    width = _MAD * float(np.median(np.abs(seen.coherence[enough] - typical)))
    width = float(np.sqrt(max(width**2 - float(np.median(seen.spread[enough])) ** 2, 0.01)))
    value = np.maximum(seen.coherence, 0.0)  # less alike than random is as good as random
    diversity = _log_normal(value, 0.0, seen.spread) - _log_normal(value, typical, np.hypot(width, seen.spread))
    share = seen.closed / np.maximum(seen.cut, 1.0)
    noise = np.sqrt(seen.usual * (1 - seen.usual) / np.maximum(seen.cut, 1.0))
    told = enough & (seen.cut >= 5)
    ratio = (share / seen.usual)[told]
    middle = min(float(np.median(ratio)), 0.8) if len(ratio) else 0.5
    swing = max(_MAD * float(np.median(np.abs(ratio - middle))), 0.1) if len(ratio) else 0.4
    value = np.minimum(share, seen.usual)
    closing = _log_normal(value, seen.usual, noise) - _log_normal(value, middle * seen.usual, np.hypot(swing * seen.usual, noise))
    closing = np.where((seen.cut >= _NEUTRAL) & (seen.cut >= _INSIDE * seen.looked), closing, 0.0)
    known = 0.0 if strange is None else strange - _STRANGE
    logit = np.clip(diversity + closing + known - _PRIOR, -500.0, 500.0)
    return Odds(diversity, closing, 1.0 / (1.0 + np.exp(-logit)))


def tail_scale(weights: Floats) -> float:
    """Give the scale s of the tail exp(-sqrt(weight / s)) that the bulk of the groups follows."""
    scale = float(np.quantile(weights, 0.9)) / float(np.log(10.0)) ** 2
    return max(scale, _SMALLEST_SCALE)


def log_tail(weights: Floats, scale: float) -> Floats:
    """Give the logarithm of the tail probability of each weight."""
    return -np.sqrt(np.maximum(weights, 0.0) / scale)


def _log_normal(value: Floats, mean: Floats | float, deviation: Floats | float) -> Floats:
    return np.asarray(-0.5 * ((value - mean) / deviation) ** 2 - np.log(deviation), np.float64)
