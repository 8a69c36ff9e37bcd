"""How far new rows lie from those that are known: distance to near anchors, as a conformal p-value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ANCHORS = 2_000
_NEAREST = 5
_BLOCK = 2_048

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Novelty:
    """A sample of known rows, and how far known rows lie from it.

    Attributes:
        centre: Median of each dimension, shape (d,).
        scale: Interquartile range of each dimension, 1 where it is 0, shape (d,).
        anchors: The sample, standardised, shape (m, d).
        distances: Of the other known rows (of all, when the sample holds all: each without itself), sorted.
    """

    centre: Floats
    scale: Floats
    anchors: Floats
    distances: Floats

    @classmethod
    def of(cls, vectors: NDArray[np.floating], random: np.random.Generator) -> Novelty:
        """Learn what is known.

        Args:
            vectors: Finite numbers, shape (n, d), n >= 1.
            random: For the sample; n <= 2,000 rows are all kept.
        """
        values = np.asarray(vectors, np.float64)
        low, centre, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
        scale = np.where(high > low, high - low, 1.0)
        chosen = np.sort(random.choice(len(values), min(_ANCHORS, len(values)), replace=False))
        anchors = (values[chosen] - centre) / scale
        rest = np.setdiff1d(np.arange(len(values)), chosen)
        made = cls(centre, scale, anchors, np.zeros(0))
        known = made.distance(values[rest]) if len(rest) >= _ANCHORS else made.distance(values[chosen], skip=1)
        return cls(centre, scale, anchors, np.sort(known))

    def distance(self, vectors: NDArray[np.floating], *, skip: int = 0) -> Floats:
        """Give the mean distance to the nearest anchors, shape (n,).

        Args:
            vectors: Shape (n, d).
            skip: How many of the nearest do not count (1: the row itself is an anchor).
        """
        values = (np.asarray(vectors, np.float64) - self.centre) / self.scale
        nearest = min(_NEAREST, len(self.anchors) - skip)
        out = np.zeros(len(values))
        if nearest < 1:
            return out
        squares = np.einsum("ij,ij->i", self.anchors, self.anchors)
        for start in range(0, len(values), _BLOCK):
            block = values[start : start + _BLOCK]
            table = np.einsum("ij,ij->i", block, block)[:, None] + squares - 2.0 * (block @ self.anchors.T)
            table = np.sqrt(np.maximum(table, 0.0))
            table.partition(skip + nearest - 1, axis=1)
            out[start : start + _BLOCK] = np.sort(table[:, : skip + nearest], axis=1)[:, skip:].mean(axis=1)
        return out

    def log_p(self, vectors: NDArray[np.floating]) -> Floats:
        """Give the natural logarithm of each new row's conformal p-value (Vovk et al. 2005), shape (n,).

        Beyond the farthest known row the logarithm goes on falling in proportion to the distance, so that rows do not tie.
        """
        distance = self.distance(vectors)
        known = len(self.distances)
        farther = known - np.searchsorted(self.distances, distance, "left")
        top = self.distances[-1] if known else 0.0
        beyond = np.maximum(0.0, distance - top) / (top if top > 0 else 1.0)
        result: Floats = np.log((farther + 1.0) / (known + 1.0)) - beyond
        return result
