"""A test that one may look at whenever one likes: whether things fail more often than they should.

The likelihood ratio of a grid of higher rates against the benign one, averaged, is an e-process: under the benign rate the chance
that it *ever* reaches 1/alpha is at most alpha (Ville's inequality), however often one looks and whenever one stops. Only counts
enter, so that the state of a watch of years is two numbers. Sources: Ville 1939; Ramdas et al., "Game-theoretic statistics and
safe anytime-valid inference", Statistical Science 2023.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

_GRID = 40


@lru_cache(maxsize=64)
def _rates(benign: float) -> tuple[float, ...]:
    """Give the higher rates that are tried, denser near the benign one."""
    return tuple((benign + (1 - benign) * np.geomspace(1e-4, 0.999, _GRID)).tolist())


def log_e_value(trials: int, failures: int, benign: float) -> float:
    """Give the logarithm of the e-value: how much speaks against the benign rate.

    Args:
        trials: So far.
        failures: Among them.
        benign: Rate of failures that is nobody's fault, in [0, 1).

    Returns:
        0 before anything was seen; infinite when something failed that never fails.
    """
    if not 0 <= failures <= trials or not 0 <= benign < 1:
        raise ValueError(f"{failures} of {trials} at a benign rate of {benign}")
    if benign == 0:
        return math.inf if failures else 0.0
    rates = np.array(_rates(benign))
    ratios = failures * np.log(rates / benign) + (trials - failures) * np.log((1 - rates) / (1 - benign))
    top = float(ratios.max())
    return top + math.log(float(np.exp(ratios - top).mean()))


def log_mean_e(values: Iterable[float]) -> float:
    """Give the logarithm of the mean of e-values, which is an e-value: one alarm over many strata."""
    held = list(values)
    if not held:
        return 0.0
    top = max(held)
    if math.isinf(top):
        return top
    return top + math.log(sum(math.exp(value - top) for value in held) / len(held))


def detectable_rate(trials: int, benign: float, *, alpha: float = 0.01, power: float = 0.9) -> float:
    """Give the least rate of failures that a single look after so many trials finds.

    Args:
        trials: How many.
        benign: Rate that is nobody's fault.
        alpha: Chance of a false alarm.
        power: Chance that it is found.

    Returns:
        In (0, 1]; 1 when nothing would be found.
    """
    from scipy.stats import binom  # noqa: PLC0415  (a quarter of a second)

    if trials <= 0:
        return 1.0
    if benign == 0:
        return float(1 - (1 - power) ** (1 / trials))
    bar = math.log(1 / alpha)
    low, high = 0, trials + 1  # the least number of failures that raises the alarm
    while low < high:
        middle = (low + high) // 2
        if middle > benign * trials and log_e_value(trials, min(middle, trials), benign) >= bar:
            high = middle
        else:
            low = middle + 1
    if low > trials:
        return 1.0
    below, above = benign, 1.0
    for _ in range(50):
        rate = (below + above) / 2
        if binom.sf(low - 1, trials, rate) >= power:
            above = rate
        else:
            below = rate
    return above
