"""Nearest neighbours of vectors: exact among some ten thousand, among more in the cells around a row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int32]

EXACT = 30_000
"""Rows up to which all pairs are compared."""
_CELL = 500
"""Rows of a cell in the mean."""
_CELLS = 4
"""Cells around a row that are searched."""
_BLOCK = 256


def nearest(vectors: NDArray[np.floating], count: int, random: np.random.Generator) -> Rows:
    """Give the nearest other rows of each row, nearest first, shape (rows, at most count); -1 where there are fewer.

    Among more than `EXACT` rows only those are compared that share a cell around one of the nearest of some pivots (an inverted
    file, Sivic and Zisserman 2003): rows that are very near each other mostly do.

    Args:
        vectors: Shape (rows, numbers).
        count: Neighbours.
        random: Draws the pivots.
    """
    rows = len(vectors)
    count = min(count, rows - 1)
    found = np.full((rows, max(count, 0)), -1, np.int32)
    if count < 1:
        return found
    if rows <= EXACT:
        every = np.arange(rows)
        for start in range(0, rows, _BLOCK):
            block = every[start : start + _BLOCK]
            found[block] = _among(vectors, block, every, count)
        return found
    pivots = vectors[np.sort(random.choice(rows, rows // _CELL, replace=False))].astype(np.float32)
    cells = np.concatenate([_closest(vectors[start : start + 4096], pivots) for start in range(0, rows, 4096)])
    order = np.argsort(cells[:, 0], kind="stable")
    edges = np.searchsorted(cells[order, 0], np.arange(len(pivots) + 1))
    around = _closest(pivots, pivots)
    for cell in range(len(pivots)):
        block = order[edges[cell] : edges[cell + 1]]
        if not len(block):
            continue
        others = np.sort(np.concatenate([order[edges[near] : edges[near + 1]] for near in around[cell].tolist()]))
        for start in range(0, len(block), _BLOCK):
            some = block[start : start + _BLOCK]
            near = _among(vectors, some, others, min(count, len(others) - 1))
            found[some, : near.shape[1]] = near
    return found


def _closest(vectors: NDArray[np.floating], pivots: Floats) -> NDArray[np.int64]:
    """Give the nearest pivots of each row, nearest first, shape (rows, at most `_CELLS`)."""
    squares = (pivots * pivots).sum(1) - 2 * vectors.astype(np.float32) @ pivots.T
    few = min(_CELLS, len(pivots))
    places = np.argpartition(squares, few - 1, axis=1)[:, :few]
    order = np.argsort(np.take_along_axis(squares, places, 1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(places, order, 1), np.int64)


def _among(vectors: NDArray[np.floating], block: NDArray[np.int64], others: NDArray[np.int64], count: int) -> Rows:
    """Give the nearest of some rows, themselves left out, to a block of them."""
    if count < 1:
        return np.zeros((len(block), 0), np.int32)
    left, right = vectors[block].astype(np.float32), vectors[others].astype(np.float32)
    squares = (right * right).sum(1) - 2 * left @ right.T
    own = np.searchsorted(others, block)
    inside = np.flatnonzero((own < len(others)) & (others[np.minimum(own, len(others) - 1)] == block))
    squares[inside, own[inside]] = np.inf
    places = np.sort(np.argpartition(squares, count - 1, axis=1)[:, :count], axis=1)
    order = np.argsort(np.take_along_axis(squares, places, 1), axis=1, kind="stable")
    return np.asarray(others[np.take_along_axis(places, order, 1)], np.int32)
