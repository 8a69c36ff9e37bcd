"""Disjoint sets over row numbers, joined by arrays of pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RowNumbers = NDArray[np.signedinteger]
"""Numbers of rows: of 32 bits where these are enough."""


def joined(roots: RowNumbers, left: RowNumbers, right: RowNumbers) -> None:
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


def found(roots: RowNumbers, elements: RowNumbers) -> RowNumbers:
    """Give the smallest element of each element's set."""
    current = roots[elements]
    while True:
        further = roots[current]
        if np.array_equal(further, current):
            return current
        current = further
