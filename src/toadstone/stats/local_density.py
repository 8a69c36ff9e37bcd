"""How many neighbours rows have where the density around them lets expect next to none.

Around a row, where the density changes slowly, the number of rows within a distance r grows as r^d. The distance to a good part
of all rows fixes the factor, and is not moved by a few copies; d is the median over all rows, the intrinsic dimension (Pettis et
al. 1979). So every neighbour has an *expected rank*, the number of rows that one expects as near: copies with a little noise have
ranks far below one. Rows that lie in a dense place by nature have neighbours in the shell around them too: what the shell lets
expect is taken off (a scan statistic, Kulldorff 1997).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RANKS = (1.0, 2.0**-3, 2.0**-6, 2.0**-9, 2.0**-15, 2.0**-21)
"""Expected ranks up to which neighbours are counted, the widest first: one and fewer, down to what only copies can have."""
_SHELL = 8.0
_TIES = 0.2
"""Rows that one expects with the very same values, for each that is the nearest to them: columns of few values have ties."""
_ANCHORS = 1_000
_BLOCK = 1 << 23
_LATTICE = 0.999
"""Ratio of the two distances from which a row lies in a lattice, where no distance lets expect anything."""
_INNER = 4
"""Times that the rows within the inner of the two distances that give the dimension are fewer than within the outer."""

Floats = NDArray[np.float64]
Points = NDArray[np.float32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Scale:
    """What one expects around the rows of a set of points.

    Attributes:
        unit: Distance within which one expects one other row, by row, shape (rows,); 0 for rows that nothing can be said of.
        dimension: In which the number of rows grows.
    """

    unit: Floats
    dimension: float

    def ranks(self, rows: Numbers, distances: Floats) -> Floats:
        """Give the expected rank of neighbours of rows at some distances."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = (distances / self.unit[rows]) ** self.dimension
        return np.where(self.unit[rows] > 0, np.where(distances > 0, found, 0.0), np.inf)

    def reach(self, rank: float) -> Floats:
        """Give the distance at which neighbours have an expected rank, by row."""
        return np.asarray(self.unit * rank ** (1.0 / self.dimension), np.float64)


def scale_of(points: Points, members: Numbers, share: float) -> Scale:
    """Learn what one expects around some rows among themselves.

    Args:
        points: Shape (rows, dimensions).
        members: Places of the rows, ascending.
        share: Of the rows, the part whose distance fixes the factor: larger than any flood, smaller than what is dense alike.
    """
    anchors = members[np.unique(np.linspace(0, len(members) - 1, min(len(members), _ANCHORS)).astype(np.int64))]
    outer = max(int(share * len(anchors)), 2)
    inner = max(outer // _INNER, 1)
    far, near = np.zeros(len(members)), np.zeros(len(members))
    step = max(1, _BLOCK // len(anchors))
    for begin in range(0, len(members), step):
        some = members[begin : begin + step]
        apart = squared(points[some], points[anchors])
        apart[some[:, None] == anchors] = np.inf
        place = min(outer - 1, apart.shape[1] - 1)
        apart.partition((min(inner - 1, place), place), axis=1)
        far[begin : begin + step], near[begin : begin + step] = apart[:, place], apart[:, min(inner - 1, place)]
    far, near = np.sqrt(np.where(np.isfinite(far), far, 0.0)), np.sqrt(np.where(np.isfinite(near), near, 0.0))
    spread = np.log(far[near > 0] / near[near > 0])
    spread = spread[spread > 0]
    dimension = float(np.clip(np.log(outer / inner) / np.median(spread), 0.5, 100.0)) if len(spread) else 1.0
    unit = np.zeros(len(points))
    far[near >= _LATTICE * far] = 0.0
    unit[members] = far * (len(anchors) / (outer * len(members))) ** (1.0 / dimension)
    return Scale(unit, dimension)


def squared(left: Points, right: Points) -> NDArray[np.float32]:
    """Give squared distances, shape (left, right), at least 0."""
    out: NDArray[np.float32] = left @ right.T
    out *= np.float32(-2.0)
    out += (left * left).sum(axis=1)[:, None]
    out += (right * right).sum(axis=1)
    return np.maximum(out, np.float32(0.0), out=out)


@dataclass(frozen=True)
class Near:
    """Pairs of rows near to each other, ordered by the first.

    Attributes:
        left: Places of rows.
        right: Places of their neighbours.
        distances: Between them.
    """

    left: Numbers
    right: Numbers
    distances: Floats


def near(points: Points, reach: Floats) -> Near:
    """Give the neighbours of each row up to its reach; exact.

    Args:
        points: Shape (rows, dimensions).
        reach: Distance by row; rows of reach 0 have no neighbours but those with the very same values.
    """
    parts = list(_near(points, reach))
    if not parts:
        return Near(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    left, right, distances = zip(*parts, strict=True)
    return Near(np.concatenate(left), np.concatenate(right), np.concatenate(distances))


def _near(points: Points, reach: Floats) -> Iterator[tuple[Numbers, Numbers, Floats]]:
    """Yield pairs: a product of matrices finds those that may be near, differences measure them."""
    rows = len(points)
    longest = float((points.astype(np.float64) ** 2).sum(axis=1).max(initial=0.0))
    slack = 1e-5 * longest + 1e-12
    step = max(1, _BLOCK // max(rows, 1))
    for begin in range(0, rows, step):
        some = points[begin : begin + step]
        limit = (reach[begin : begin + step] ** 2 + slack).astype(np.float32)
        left, right = np.nonzero(squared(some, points) <= limit[:, None])
        left = left + begin
        apart = left != right
        left, right = left[apart], right[apart]
        distances = np.empty(len(left))
        width = max(1, _BLOCK // max(1, points.shape[1]))
        for start in range(0, len(left), width):
            part = slice(start, start + width)
            distances[part] = np.sqrt(((points[left[part]] - points[right[part]]).astype(np.float64) ** 2).sum(axis=1))
        kept = distances <= reach[left]
        yield left[kept], right[kept], distances[kept]


def excess(rows: int, left: Numbers, ranks: Floats, mutual: Floats) -> NDArray[np.int32]:
    """Give how many rows lie around each row for each that one expects by the shell around them, itself included, at least 1.

    Args:
        rows: How many there are.
        left: Row of each pair.
        ranks: Expected rank of the neighbour; 0 for the very same values. Pairs up to eight times the widest are needed.
        mutual: The larger of the expected ranks of the two for each other: what lies among many is near to whatever is odd.

    Returns:
        Shape (rows, levels): within each of `RANKS`, and with the very same values.
    """

    def within(near_by: NDArray[np.bool_]) -> Numbers:
        return 1 + np.bincount(left[near_by], minlength=rows)

    found = []
    for rank in RANKS:
        inner, outer = within(mutual <= rank), within((mutual <= rank) | (ranks <= _SHELL * rank))
        found.append(inner / np.maximum(1.0, (outer - inner) / (_SHELL - 1.0)))
    ties = within(mutual == 0.0)
    found.append(ties / np.maximum(1.0, _TIES * (within((mutual == 0.0) | (ranks <= RANKS[0])) - ties)))
    return np.maximum(np.floor(np.stack(found, axis=1)), 1).astype(np.int32)
