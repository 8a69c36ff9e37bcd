"""Groups of rows that share the cells of one, two or three columns, screened by what their rows say at first sight.

A group's rows are those of one label with the same cells. All single cells and, as far as the work allows, all pairs and triples
are counted; else pairs are made of the columns whose single cells are most suspicious, and triples grown from the best pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.column_cells import NONE, Cut
from toadstone.study.rank_space import RankSpace
from toadstone.study.table_rows import FEWEST, TableRows

PURITY = 0.75
_LARGEST = 0.2
_WORK = {"quick": 5_000_000, "standard": 40_000_000, "deep": 400_000_000}
"""Rows times column sets that are counted at each size of sets."""
_GROWN = 40
_DENSE = 1 << 20
_VIEWS = {"quick": 3, "standard": 6, "deep": 6}

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass
class Screened:
    """Groups, entries of equal index belong together.

    Attributes:
        columns: Of each group.
        scale: At which the columns are cut.
        cells: Of the columns.
        label: Class that the group pushes.
        hits: Its rows of that class.
        size: Rows with the cells.
        odd: Standard deviations by which its rows contradict their label at first sight, times the root of their number.
    """

    columns: list[tuple[int, ...]] = field(default_factory=list)
    scale: list[int] = field(default_factory=list)
    cells: list[tuple[int, ...]] = field(default_factory=list)
    label: list[int] = field(default_factory=list)
    hits: list[int] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    odd: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.hits)


def members(table: TableRows, found: Screened, group: int) -> Numbers:
    """Give the places of all rows with the cells of a group."""
    codes = table.codes[found.scale[group]]
    inside = np.ones(len(codes), bool)
    for column, cell in zip(found.columns[group], found.cells[group], strict=True):
        inside &= codes[:, column] == cell
    return np.flatnonzero(inside)


def screened(table: TableRows, space: RankSpace, effort: str, random: np.random.Generator) -> tuple[Screened, int]:
    """Count groups; give those with enough rows of one label, and how many those were chosen from.

    Args:
        table: Labelled rows.
        space: Of these rows.
        effort: ``quick``, ``standard`` or ``deep``.
        random: Divides columns into views.
    """
    counter = _Counter(table, space, contents(table, space, effort, random))
    most = _WORK[effort] // max(1, 3 * len(table.rows))
    for scale in range(len(table.scales)):
        fresh = table.scales[scale].fresh
        every = np.flatnonzero(fresh | (scale == 0))
        for column in every.tolist():
            counter.add((column,), scale)
    pairs = _pairs(counter.found, len(table.names), most)
    for scale in range(len(table.scales)):
        for pair in pairs:
            if table.scales[scale].fresh[list(pair)].any():
                counter.add(pair, scale)
    if effort != "quick":
        for triple, scale in _triples(counter.found, table, most):
            counter.add(triple, scale)
    return counter.found, counter.tests


def contents(table: TableRows, space: RankSpace, effort: str, random: np.random.Generator) -> Floats:
    """Give what each row's other columns say for its label: for all columns, and for random thirds of them.

    A third misses the columns of a trigger often enough; all together would see the trigger in the neighbours.

    Returns:
        Log-odds less those of the class's share, shape (views, rows).
    """
    columns, rows = len(table.names), np.arange(len(table.rows))
    prior = space.prior[space.labels]
    out = []
    order = np.arange(columns)
    for number in range(_VIEWS[effort] + 1):
        without = np.zeros(columns, bool)
        if number:
            if (number - 1) % 3 == 0:
                order = random.permutation(columns)
            without = ~np.isin(np.arange(columns), order[(number - 1) % 3 :: 3])
            if without.all():
                continue
        p = space.votes(rows, without)[rows, space.labels]
        out.append(np.clip(np.log(p / (1 - p)) - np.log(prior / (1 - prior)), -6.0, 6.0))
    return np.stack(out)


@dataclass
class _Counter:
    """Counts the groups of one set of columns after the other."""

    table: TableRows
    space: RankSpace
    content: Floats
    found: Screened = field(default_factory=Screened)
    tests: int = 0

    def __post_init__(self) -> None:
        labels, classes = self.space.labels, len(self.space.prior)
        self._labels = labels
        self._classes = classes
        totals = np.maximum(np.bincount(labels, minlength=classes), 1)
        self._totals = totals
        means = np.stack([np.bincount(labels, view, classes) / totals for view in self.content])
        squares = np.stack([np.bincount(labels, view**2, classes) / totals for view in self.content])
        self._means, self._spreads = means, np.sqrt(np.maximum(squares - means**2, 0.0)) + 0.1

    def add(self, columns: tuple[int, ...], scale: int) -> None:
        """Count the groups of some columns at one scale."""
        key, known = _keys(self.table.codes[scale], columns, self.table.scales[scale].cuts)
        rows = np.flatnonzero(known)
        if len(rows) < FEWEST:
            return
        key = key[rows]
        if int(key.max()) * self._classes > _DENSE:
            distinct, key = np.unique(key, return_inverse=True)
        else:
            distinct = np.arange(int(key.max()) + 1)
        classes = self._classes
        cell = key * classes + self._labels[rows]
        hits = np.bincount(cell, minlength=len(distinct) * classes)
        sizes = np.repeat(np.bincount(key, minlength=len(distinct)), classes)
        largest = max(_LARGEST * len(self._labels), 4 * FEWEST)
        chosen = np.flatnonzero((hits >= FEWEST) & (hits >= PURITY * sizes) & (sizes <= largest))
        if not len(chosen):
            return
        label = chosen % classes
        odd = np.full(len(chosen), -np.inf)
        for view, means, spreads in zip(self.content, self._means, self._spreads, strict=True):
            sums = np.bincount(cell, view[rows], len(hits))[chosen]
            odd = np.maximum(odd, (means[label] * hits[chosen] - sums) / (spreads[label] * np.sqrt(hits[chosen])))
        self.tests += len(chosen)
        self._keep(columns, scale, distinct[chosen // classes], label, hits[chosen], sizes[chosen], odd)

    def _keep(
        self,
        columns: tuple[int, ...],
        scale: int,
        key: Numbers,
        label: Numbers,
        hits: Numbers,
        size: Numbers,
        odd: Floats,
    ) -> None:
        found = self.found
        found.columns += [columns] * len(key)
        found.scale += [scale] * len(key)
        found.cells += _cells(key, columns, self.table.scales[scale].cuts)
        found.label += label.tolist()
        found.hits += hits.tolist()
        found.size += size.tolist()
        found.odd += odd.tolist()


def _keys(codes: NDArray[np.int32], columns: tuple[int, ...], cuts: tuple[Cut, ...]) -> tuple[Numbers, NDArray[np.bool_]]:
    key = codes[:, columns[0]].astype(np.int64)
    known = codes[:, columns[0]] != NONE
    for column in columns[1:]:
        key = key * cuts[column].size + codes[:, column]
        known &= codes[:, column] != NONE
    return key, known


def _cells(keys: Numbers, columns: tuple[int, ...], cuts: tuple[Cut, ...]) -> list[tuple[int, ...]]:
    parts = []
    for column in columns[:0:-1]:
        parts.append(keys % cuts[column].size)
        keys = keys // cuts[column].size
    parts.append(keys)
    return list(zip(*(part.tolist() for part in parts[::-1]), strict=True))


def _pairs(found: Screened, columns: int, most: int) -> list[tuple[int, int]]:
    """Give all pairs of columns, or those of the columns with the most suspicious cells."""
    if columns * (columns - 1) // 2 <= most:
        return list(combinations(range(columns), 2))
    best = np.full(columns, -np.inf)
    for (column,), odd in zip(found.columns, found.odd, strict=True):
        best[column] = max(best[column], odd)
    chosen = np.sort(np.argsort(-best, kind="stable")[: max(2, int(np.sqrt(2 * most)))])
    return list(combinations(chosen.tolist(), 2))


def _triples(found: Screened, table: TableRows, most: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """Yield all triples of columns, or those that hold one of the most suspicious pairs, with the scale."""
    columns = len(table.names)
    scales = range(len(table.scales))
    if columns * (columns - 1) * (columns - 2) // 6 <= most:
        chosen: set[tuple[int, ...]] = set(combinations(range(columns), 3))
    else:
        pairs = [place for place in range(len(found)) if len(found.columns[place]) == 2]
        pairs.sort(key=lambda place: -found.odd[place])
        best = list(dict.fromkeys(found.columns[place] for place in pairs))[: max(1, min(_GROWN, most // max(1, columns)))]
        chosen = {tuple(sorted({*pair, other})) for pair in best for other in range(columns) if other not in pair}
    for triple in sorted(chosen):
        for scale in scales:
            if table.scales[scale].fresh[list(triple)].any():
                yield triple, scale
