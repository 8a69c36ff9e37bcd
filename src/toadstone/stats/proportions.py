"""Shares and their differences, with intervals that also hold for small numbers."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from toadstone.stats.tails import log_normal_tail


def wilson(hits: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Give the interval of Wilson (1927) for a share.

    Args:
        hits: 0 .. trials.
        trials: At least 0; for 0 the interval is [0, 1].
        confidence: In (0, 1).
    """
    if trials <= 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p = hits / trials
    middle = (p + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * float(np.sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials)))
    return (0.0 if hits <= 0 else max(0.0, middle - half)), (1.0 if hits >= trials else min(1.0, middle + half))


def newcombe(hits: int, trials: int, others: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """Give the interval of Newcombe (1998, method 10) for the difference of two shares, hits/trials - others/of."""
    p, q = hits / max(1, trials), others / max(1, of)
    low, high = wilson(hits, trials, confidence)
    below, above = wilson(others, of, confidence)
    lower = p - q - float(np.hypot(p - low, above - q))
    upper = p - q + float(np.hypot(high - p, q - below))
    return max(-1.0, lower), min(1.0, upper)


def log_difference(hits: int, trials: int, others: int, of: int) -> float:
    """Give log p, two-sided, of the hypothesis that two shares are equal (Pearson's test with Yates' correction)."""
    total = trials + of
    pooled = (hits + others) / max(1, total)
    spread = pooled * (1 - pooled) * (1 / max(1, trials) + 1 / max(1, of))
    if spread <= 0:
        return 0.0
    gap = abs(hits / trials - others / of) - 0.5 * (1 / trials + 1 / of)
    return min(0.0, float(np.log(2)) + float(log_normal_tail(gap / np.sqrt(spread)))) if gap > 0 else 0.0
