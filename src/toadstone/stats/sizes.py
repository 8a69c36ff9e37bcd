"""The tail of a distribution of sizes, learned from its small sizes only, so that the large ones cannot vouch for themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, zeta

_SMALLEST = 2
_LARGEST = 5
"""Sizes from which the tail is learned; what is larger counts as a group but says nothing about the tail."""

_EXPONENTS = np.linspace(1.6, 9.0, 149)
_FIRST = (4.0, 1.0)
"""Exponent before any data and its standard deviation: repeats in natural collections fall off with powers between 2.6 and 6."""
_NEXT = 0.7
"""Standard deviation around what another level of the same data says."""


class SizeTail:
    """A discrete power law over sizes of two and more (Clauset et al. 2009), averaged over what its exponent may be.

    Args:
        counts: How many groups there are of each size from 0 on.
        prior: The tail of the same data at another level, or None.
    """

    def __init__(self, counts: NDArray[np.int64], prior: SizeTail | None = None) -> None:
        self.groups = int(counts[_SMALLEST:].sum())
        sizes = np.arange(_SMALLEST, _LARGEST + 1)
        seen = np.zeros(len(sizes))
        seen[: len(counts[_SMALLEST : _LARGEST + 1])] = counts[_SMALLEST : _LARGEST + 1]
        chance = sizes[None, :] ** -_EXPONENTS[:, None]
        chance /= chance.sum(axis=1, keepdims=True)
        mean: float
        deviation: float
        mean, deviation = _FIRST if prior is None else (prior.exponent, _NEXT)
        weight = np.log(chance) @ seen - 0.5 * ((_EXPONENTS - mean) / deviation) ** 2
        self._weight = weight - logsumexp(weight)
        self.exponent: float = float(np.exp(self._weight) @ _EXPONENTS)

    def log_survival(self, sizes: NDArray[np.signedinteger] | Sequence[int]) -> NDArray[np.float64]:
        """Give the logarithm of the probability that a group of two and more has at least each size."""
        wanted, back = np.unique(np.maximum(np.asarray(sizes, np.int64), _SMALLEST), return_inverse=True)
        tail = zeta(_EXPONENTS[None, :], wanted[:, None].astype(np.float64))
        log_tail = np.log(np.maximum(tail, 1e-300)) - np.log(zeta(_EXPONENTS, float(_SMALLEST)))[None, :]
        found: NDArray[np.float64] = logsumexp(log_tail + self._weight[None, :], axis=1)
        return np.minimum(found, 0.0)[back]

    def log_expected(self, sizes: NDArray[np.signedinteger] | Sequence[int]) -> NDArray[np.float64]:
        """Give the logarithm of the number of groups of at least each size that one expects in the whole data."""
        return self.log_survival(sizes) + float(np.log(max(self.groups, 1)))

    def detectable(self, rate: float, most: int = 100_000) -> int:
        """Give the smallest size that one expects fewer than ``rate`` times."""
        sizes = np.unique(np.geomspace(_SMALLEST, most, 400).astype(np.int64))
        below = np.flatnonzero(self.log_expected(sizes) <= np.log(rate))
        return int(sizes[below[0]]) if len(below) else most
