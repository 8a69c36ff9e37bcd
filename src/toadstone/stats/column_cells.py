"""Columns cut into cells: values that come again and again, narrow and wide parts between quantiles, tails beyond a gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NONE, MISSING, FIRST = 0, 1, 2
"""Codes: a value in no cell, a missing value, the first cell."""

_DISCRETE = 64
"""Different values up to which a column of numbers is cut into its values at every scale."""
_MOST_VALUES = 2048
_TAIL = 0.03
_GAP = 0.25

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Cut:
    """How one column is cut.

    Attributes:
        exact: Whether cells are single values; else they lie between edges.
        edges: The values in ascending order, or the edges; a cell begins at its edge.
    """

    exact: bool
    edges: Floats

    def codes(self, values: Floats) -> Codes:
        """Give the cell of each value, shape (rows,)."""
        place = np.searchsorted(self.edges, values, "left" if self.exact else "right")
        if self.exact:
            found = place < len(self.edges)
            found[found] = self.edges[place[found]] == values[found]
            out = np.where(found, place + FIRST, NONE)
        else:
            out = place + FIRST
        return np.where(np.isnan(values), MISSING, out).astype(np.int32)

    @property
    def size(self) -> int:
        """One more than the largest code."""
        return len(self.edges) + FIRST + 1


def by_value(values: Floats, fewest: int, *, categorical: bool) -> Cut:
    """Cut into the values that at least `fewest` rows have; of categories and of numbers alike.

    Args:
        values: With NaN where missing.
        fewest: Rows.
        categorical: Whether values are names: then rare ones are no cells either, however few there are.
    """
    found, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    if len(found) > _DISCRETE or categorical:
        kept = counts >= fewest
        if kept.sum() > _MOST_VALUES:
            kept &= counts >= np.sort(counts)[-_MOST_VALUES]
        found = found[kept]
    return Cut(exact=True, edges=found)


def is_discrete(values: Floats) -> bool:
    """Whether a column of numbers has so few values that each is a cell."""
    return len(np.unique(values[~np.isnan(values)])) <= _DISCRETE


def by_quantile(values: Floats, parts: int) -> Cut:
    """Cut into parts of about equal numbers of rows; where a gap parts off the outermost rows, there too."""
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return Cut(exact=False, edges=np.zeros(0))
    edges = known[(np.arange(1, parts) * len(known)) // parts]
    return Cut(exact=False, edges=np.unique(np.concatenate([edges, _tails(known)])))


def _tails(known: Floats) -> Floats:
    """Give the edges behind which, after a wide gap, some of the smallest or largest values lie."""
    count = max(2, int(_TAIL * len(known)))
    usual = known[-count - 1] - known[count] if len(known) > 2 * count + 1 else 0.0
    edges = []
    for tail in (known[: count + 1], known[-count - 1 :]):
        gaps = np.diff(tail)
        if len(gaps) and gaps.max() > _GAP * usual > 0:
            edges.append(tail[int(gaps.argmax()) + 1])
    return np.array(edges, np.float64)
