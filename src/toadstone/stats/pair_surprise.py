"""How surprising the values of a row are two by two: pairs of columns that go together, in a row where they do not.

Columns are cut into a few cells. For every pair of columns the logarithm of how many rows have both cells, over how many one
expects if the columns had nothing to do with each other, says how well the two values of a row belong together (pointwise
mutual information, Church and Hanks 1990). No row, and no copy of it, counts for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

_PARTS = 8
_LEVELS = 20
_PRIOR = 0.5
"""Rows that are added to what is there and to what is expected."""
_MOST_PAIRS = 3_000

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Cells:
    """How a column is cut.

    Attributes:
        edges: Of a column of numbers, where parts begin; of categories, the values that are told apart, ascending.
        numeric: Whether it holds numbers.
    """

    edges: Floats
    numeric: bool

    @property
    def size(self) -> int:
        """How many cells there are: those of missing and of other values included."""
        return len(self.edges) + 2

    def of(self, values: Floats) -> Numbers:
        """Give the cell of each value; NaN is missing."""
        if self.numeric:
            cell = np.searchsorted(self.edges, values, "right") + 1
        else:
            place = np.minimum(np.searchsorted(self.edges, values), max(len(self.edges) - 1, 0))
            known = self.edges[place] == values if len(self.edges) else np.zeros(len(values), bool)
            cell = np.where(known, place + 1, len(self.edges) + 1)
        return np.where(np.isnan(values), 0, cell).astype(np.int64)


def cells(values: Floats, *, numeric: bool) -> Cells:
    """Learn how to cut a column.

    Args:
        values: NaN where missing.
        numeric: Whether they are numbers, not hashes or codes of categories.
    """
    known = np.sort(values[~np.isnan(values)])
    if numeric:
        return Cells(np.unique(known[(np.arange(1, _PARTS) * len(known)) // _PARTS]) if len(known) else known, True)
    found, counts = np.unique(known, return_counts=True)
    return Cells(np.sort(found[np.argsort(-counts, kind="stable")[:_LEVELS]]), False)


@dataclass(frozen=True)
class PairSurprise:
    """A fitted model.

    Attributes:
        columns: How each column is cut; the label last.
        pairs: Places of the columns of each pair.
        tables: For each pair, how well two cells belong together, shape (folds, cells, cells), by rows of the other folds.
    """

    columns: tuple[Cells, ...]
    pairs: tuple[tuple[int, int], ...]
    tables: tuple[NDArray[np.float32], ...]

    def of(self, values: Floats, labels: Numbers, folds: Numbers) -> tuple[Floats, Floats]:
        """Say how surprising the values of rows are; higher is more so.

        Args:
            values: Shape (rows, columns), NaN where missing.
            labels: Code of each row, -1 where missing.
            folds: Fold of each row.

        Returns:
            All pairs together; the most surprising pair.
        """
        codes = [cut.of(_column(values, labels, place)) for place, cut in enumerate(self.columns)]
        total, worst = np.zeros(len(values)), np.zeros(len(values))
        for (left, right), table in zip(self.pairs, self.tables, strict=True):
            said = table[folds, codes[left], codes[right]]
            total -= said
            np.maximum(worst, -said, out=worst)
        return total, worst


def pair_surprise(
    values: Floats, numeric: int, labels: Numbers, folds: tuple[Numbers, int], random: np.random.Generator
) -> PairSurprise:
    """Fit to a sample of rows.

    Args:
        values: Shape (rows, columns), columns of numbers first, NaN where missing.
        numeric: How many columns hold numbers.
        labels: Code of each row, -1 where missing.
        folds: Fold of each row, and how many folds there are.
        random: Chooses among the pairs where there are too many.
    """
    looked = [cells(values[:, place], numeric=place < numeric) for place in range(values.shape[1])]
    looked.append(cells(np.where(labels >= 0, labels, np.nan), numeric=False))
    codes = [cut.of(_column(values, labels, place)) for place, cut in enumerate(looked)]
    pairs = list(combinations(range(len(looked)), 2))
    if len(pairs) > _MOST_PAIRS:
        pairs = [pairs[place] for place in np.sort(random.choice(len(pairs), _MOST_PAIRS, replace=False)).tolist()]
    tables = []
    own, many = folds
    for left, right in pairs:
        shape = (many, looked[left].size, looked[right].size)
        key = (own * shape[1] + codes[left]) * shape[2] + codes[right]
        inside = np.bincount(key, minlength=many * shape[1] * shape[2]).reshape(shape)
        others = (inside.sum(axis=0) - inside).astype(np.float64)
        rows = np.maximum(others.sum(axis=(1, 2), keepdims=True), 1.0)
        expected = others.sum(axis=2, keepdims=True) * others.sum(axis=1, keepdims=True) / rows
        tables.append(np.log((others + _PRIOR) / (expected + _PRIOR)).astype(np.float32))
    return PairSurprise(tuple(looked), tuple(pairs), tuple(tables))


def _column(values: Floats, labels: Numbers, place: int) -> Floats:
    return values[:, place] if place < values.shape[1] else np.where(labels >= 0, labels, np.nan)
