"""The nearest neighbours of every row among all others: exact for some ten thousand rows, from an index beyond.

The index is an inverted file (Sivic and Zisserman, *Video Google*, ICCV 2003): rows lie in cells around centres found by k-means
(Lloyd, *Least squares quantization in PCM*, IEEE Trans. Inf. Theory 28, 1982), and a row is compared with the rows of the cells
nearest to its own. How many cells that takes is not guessed: the true neighbours of some rows are found by comparing them with
every row, and the cells in which those lie say how many have to be opened for the recall that is wanted. Afterwards the recall
is measured on other rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EXACT = 50_000
"""Rows up to which every row is compared with every other."""
TARGET = 0.98
"""Share of the true neighbours that an index has to find."""

_SAMPLE = 512
"""Rows whose true neighbours are found by comparing them with all: half to set the index up, half to measure it."""
_MARGIN = 0.004
"""By how much the sample that sets the index up has to be better: more than a standard error of 2,560 neighbours."""
_PER_CENTRE = 40
"""Rows from which a centre is learnt."""
_ROUNDS = 6
_SHARE = 0.4
"""Part of all rows from which on an index saves nothing."""
_GROUPS = 32

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]
Make = Callable[[tuple[int, ...], Any], NDArray[Any]]


@dataclass(frozen=True)
class Neighbours:
    """The nearest rows of each row, itself left out.

    Attributes:
        rows: Their numbers, nearest first, shape (n, k).
        distances: Euclidean, shape (n, k).
        recall: Share of the true neighbours that are among them, measured on a sample; 1 when every row was compared with every
            other.
        compared: Share of the rows that a row was compared with, on average.
    """

    rows: NDArray[np.int32]
    distances: Floats
    recall: float
    compared: float

    @property
    def exact(self) -> bool:
        """Whether every row was compared with every other."""
        return self.compared >= 1


def neighbours(
    vectors: NDArray[Any],
    count: int,
    random: np.random.Generator,
    *,
    exact: int = EXACT,
    target: float = TARGET,
    memory: int = 1 << 28,
    make: Make = np.zeros,
) -> Neighbours:
    """Find the nearest rows of each row.

    Args:
        vectors: Finite numbers, shape (n, d); may lie in a file. Rows of length one make the distance that of angles.
        count: Neighbours of each row; fewer when there are not as many others.
        random: Of the sample and the first centres.
        exact: Rows up to which all are compared.
        target: Recall that an index has to have; more cells are opened until it has, and at last all.
        memory: Bytes for what is compared at once.
        make: Makes the arrays of one value or more a row, such as `toadstone.study.study.Study.array`.

    Returns:
        The same for the same numbers, whatever the memory, but for ties in the last bits.
    """
    rows = len(vectors)
    count = max(min(count, rows - 1), 0)
    given = _Centred(vectors)
    if rows <= max(exact, 2 * _SAMPLE) or not count:
        return _measured(given, _against_all(given, np.arange(rows), count, memory, make), 1.0, 1.0, make)
    sample = random.permutation(rows)[: min(_SAMPLE, rows)]
    truth = _against_all(given, sample, count, memory, np.zeros)
    index = _Index(given, random, memory, make)
    half = len(sample) // 2
    opened = index.needed(sample[:half], truth[:half], target + _MARGIN)
    while index.share(opened) < _SHARE:
        found = index.search(count, opened)
        recall = _recall(given, sample[half:], truth[half:], found)
        if recall >= target:
            return _measured(given, found, recall, index.share(opened), make)
        opened += max(opened // 3, 1)
    return _measured(given, _against_all(given, np.arange(rows), count, memory, make), 1.0, 1.0, make)


class _Centred:
    """Vectors with their mean in the origin, some at a time: where all lie far from it, products say little about distances."""

    def __init__(self, vectors: NDArray[Any]) -> None:
        self._vectors = vectors
        self.shape = vectors.shape
        sums = np.zeros(vectors.shape[1])
        for start in range(0, len(vectors), 1 << 14):
            sums += vectors[start : start + (1 << 14)].sum(axis=0, dtype=np.float64)
        self._mean = sums / max(len(vectors), 1)

    def __getitem__(self, rows: Any) -> Floats:  # noqa: ANN401  (whatever an array takes)
        return np.asarray(self._vectors[rows] - self._mean, np.float32)


class _Index:
    """Rows sorted into cells.

    Args:
        vectors: As above.
        random: Of the first centres.
        memory: Bytes for what is compared at once.
        make: Makes the arrays of one value or more a row.
    """

    def __init__(self, vectors: _Centred, random: np.random.Generator, memory: int, make: Make) -> None:
        rows, width = vectors.shape
        self._memory, self._make = memory, make
        cells = int(np.clip(2 * np.sqrt(rows), 2, 8_192))
        learnt = np.sort(random.permutation(rows)[: cells * _PER_CENTRE])
        centres = _centres(vectors[learnt], cells, memory)
        self.cell = make((rows,), np.int32)
        for start, block in _blocks(vectors, rows, memory // 8 // max(len(centres) + width, 1) // 4):
            self.cell[start : start + len(block)] = _nearest_centre(block, centres)
        self.order = make((rows,), np.int32)
        self.order[:] = np.argsort(self.cell, kind="stable")
        self.edges = np.append(0, np.cumsum(np.bincount(self.cell, minlength=len(centres))))
        self.sorted = make((rows, width), np.float32)
        for start in range(0, rows, 1 << 14):
            self.sorted[start : start + (1 << 14)] = vectors[self.order[start : start + (1 << 14)]]
        self.near = np.argsort(_table(centres, centres), axis=1, kind="stable").astype(np.int32)
        """All cells, from nearest to farthest, for each."""

    def needed(self, sample: Numbers, truth: NDArray[np.int32], target: float) -> int:
        """Say how many cells have to be opened to find a share of the true neighbours of some rows."""
        rank = np.empty_like(self.near)
        np.put_along_axis(rank, self.near, np.arange(self.near.shape[1], dtype=np.int32)[None, :], axis=1)
        ranks = np.sort(rank[self.cell[sample][:, None], self.cell[truth]].ravel())
        return int(ranks[min(int(np.ceil(target * len(ranks))), len(ranks)) - 1]) + 1

    def share(self, opened: int) -> float:
        """Say which share of the rows is compared with a row, on average, when some cells are opened."""
        sizes = np.diff(self.edges)
        seen = sizes[self.near[:, :opened]].sum(axis=1)
        return float((seen * sizes).sum() / sizes.sum() ** 2)

    def search(self, count: int, opened: int) -> NDArray[np.int32]:
        """Compare the rows of each cell with those of the cells nearest to it."""
        out = self._make((len(self.cell), count), np.int32)
        for cell in range(len(self.edges) - 1):
            first, stop = int(self.edges[cell]), int(self.edges[cell + 1])
            if first == stop:
                continue
            places = self._places(cell, opened, count)
            others = np.ascontiguousarray(self.sorted[places])
            most = max(self._memory // 8 // (4 * len(others)), 1)
            for start in range(first, stop, most):
                own = np.arange(start, min(start + most, stop))
                table = _table(self.sorted[own], others)
                table[places[None, :] == own[:, None]] = np.inf
                out[self.order[own]] = self.order[places[_least(table, count)]]
        return out

    def _places(self, cell: int, opened: int, count: int) -> Numbers:
        """Give the places of the rows with which those of a cell are compared: never fewer than are wanted."""
        sizes = np.diff(self.edges)[self.near[cell]]
        enough = int(np.searchsorted(np.cumsum(sizes), count + 1)) + 1
        chosen = np.sort(self.near[cell, : max(opened, enough)])
        return np.concatenate([np.arange(int(self.edges[one]), int(self.edges[one + 1])) for one in chosen.tolist()])


def _centres(vectors: Floats, cells: int, memory: int) -> Floats:
    """Find centres by k-means; one that loses all its rows stays where it was."""
    centres = vectors[np.linspace(0, len(vectors) - 1, cells).astype(np.int64)].copy()
    for _ in range(_ROUNDS):
        most = max(memory // 8 // (4 * cells), 1)
        cell = np.concatenate([_nearest_centre(vectors[at : at + most], centres) for at in range(0, len(vectors), most)])
        order = np.argsort(cell, kind="stable")
        sizes = np.bincount(cell, minlength=cells)
        there = np.flatnonzero(sizes)
        starts = (np.cumsum(sizes) - sizes)[there]
        centres[there] = np.add.reduceat(vectors[order].astype(np.float64), starts, axis=0) / sizes[there, None]
    return centres


def _nearest_centre(vectors: Floats, centres: Floats) -> NDArray[np.int32]:
    return np.asarray(_table(vectors, centres).argmin(axis=1), np.int32)


def _table(some: Floats, others: Floats) -> Floats:
    """Give what orders others by their distance from some: half the squared distance, less what is the same for a row."""
    table = some @ others.T
    np.subtract(0.5 * np.einsum("ij,ij->i", others, others)[None, :], table, out=table)
    return table


def _against_all(vectors: _Centred, wanted: Numbers, count: int, memory: int, make: Make) -> NDArray[np.int32]:
    """Find the nearest of all rows for some."""
    rows, width = vectors.shape
    out = make((len(wanted), count), np.int32)
    if not count:
        return out
    span = int(np.clip(memory // 8 // (4 * width), 1, rows))
    block = int(np.clip(memory // 4 // (4 * span), 1, len(wanted)))
    for start in range(0, len(wanted), block):
        own = wanted[start : start + block]
        queries = vectors[own]
        best, which = np.full((len(own), 0), np.inf, np.float32), np.zeros((len(own), 0), np.int64)
        for first, others in _blocks(vectors, rows, span):
            table = _table(queries, others)
            inside = np.flatnonzero((own >= first) & (own < first + len(others)))
            table[inside, own[inside] - first] = np.inf
            places = _least(table, min(count, len(others)))
            best = np.hstack([best, np.take_along_axis(table, places, axis=1)])
            which = np.hstack([which, places + first])
            kept = _least(best, min(count, best.shape[1]))
            best, which = np.take_along_axis(best, kept, axis=1), np.take_along_axis(which, kept, axis=1)
        out[start : start + block] = which
    return out


def _blocks(vectors: _Centred, rows: int, most: int) -> Iterator[tuple[int, Floats]]:
    for start in range(0, rows, max(most, 1)):
        yield start, vectors[start : start + max(most, 1)]


def _least(table: Floats, count: int) -> Numbers:
    """Give the places of the least values of each row, the least first; ties by place.

    The least of every group of columns are looked at first: the k-th of those is a bound that few values do not exceed.

    Args:
        table: Shape (n, m).
        count: At most m.
    """
    groups = min(_GROUPS, table.shape[1] // max(4 * count, 1))
    if groups > 1:
        width = table.shape[1] // groups
        firsts = table[:, : groups * width].reshape(len(table), groups, width).min(axis=1)
        bound = np.partition(firsts, count - 1, axis=1)[:, count - 1]
        hits = np.flatnonzero((table <= bound[:, None]).ravel())
        if len(hits) <= 16 * count * len(table):
            return _first(table, hits, count)
    places = np.argpartition(table, min(count, table.shape[1] - 1), axis=1)[:, :count] if count < table.shape[1] else None
    if places is None:
        return np.argsort(table, axis=1, kind="stable")[:, :count]
    places.sort(axis=1)
    return np.take_along_axis(places, np.argsort(np.take_along_axis(table, places, axis=1), axis=1, kind="stable"), axis=1)


def _first(table: Floats, hits: Numbers, count: int) -> Numbers:
    """Give the places of the least values among some, of which each row has enough."""
    owners, places = np.divmod(hits, table.shape[1])
    order = np.lexsort((table.ravel()[hits], owners))
    starts = np.searchsorted(owners, np.arange(len(table)))
    first: Numbers = places[order[starts[:, None] + np.arange(count)]]
    return first


def _recall(vectors: _Centred, sample: Numbers, truth: NDArray[np.int32], found: NDArray[np.int32]) -> float:
    """Give the share of found neighbours that are as near as the true ones: of rows that are the same, any will do."""
    least = _distances(vectors, sample, truth)[:, -1:]
    return float((_distances(vectors, sample, found[sample]) <= least * (1 + 1e-6)).mean())


def _distances(vectors: _Centred, own: Numbers, others: NDArray[np.int32]) -> Floats:
    """Give distances between rows and others, without the cancellation of a table of products."""
    gaps = vectors[others] - vectors[own][:, None, :]
    return np.asarray(np.sqrt(np.einsum("ijk,ijk->ij", gaps, gaps)), np.float32)


def _measured(vectors: _Centred, found: NDArray[np.int32], recall: float, compared: float, make: Make) -> Neighbours:
    rows = make(found.shape, np.int32)
    distances = make(found.shape, np.float32)
    block = max((1 << 25) // (4 * max(found.shape[1], 1) * max(vectors.shape[1], 1)), 1)
    for start in range(0, len(found), block):
        own = np.arange(start, min(start + block, len(found)))
        far = _distances(vectors, own, found[own])
        order = np.lexsort((found[own], far), axis=1)
        rows[own] = np.take_along_axis(found[own], order, axis=1)
        distances[own] = np.take_along_axis(far, order, axis=1)
    return Neighbours(rows, distances, recall, compared)
