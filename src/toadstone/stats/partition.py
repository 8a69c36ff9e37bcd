"""Disjoint sets over row numbers, joined by arrays of pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def joined(roots: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]) -> None:
    """Join sets, in place.

    Args:
        roots: For each element one of its set with a lower or the same number; following it leads to the set's smallest
            element, which names itself. Shape (elements,).
        left: Elements, one a pair.
        right: The element that each is joined with.
    """
    left, right = found(roots, left), found(roots, right)
    while True:
        apart = left != right
        if not apart.any():
            return
        low, high = np.minimum(left[apart], right[apart]), np.maximum(left[apart], right[apart])
        np.minimum.at(roots, high, low)
        left, right = found(roots, low), found(roots, high)


def found(roots: NDArray[np.int64], elements: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the smallest element of each element's set."""
    current = roots[elements]
    while True:
        further = roots[current]
        if np.array_equal(further, current):
            return current
        current = further
