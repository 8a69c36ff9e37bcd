"""What the neighbours of a row say about its label, in a space from which single columns can be taken out.

Numbers count by their rank, categories by whether they are equal, each column by what it tells about the label. A distance is a
sum over columns, so that a group can be judged by the neighbours that its rows have in all columns other than those that made
it a group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.column_cells import FIRST
from toadstone.study.table_rows import TableRows

_NEIGHBOURS = 15
_LANDMARKS = {"quick": 1_000, "standard": 4_000, "deep": 4_000}
_LEVELS = 64
"""Categories of a column that are told apart."""
_PRIOR = 1.5
_LEAST = 0.1
_SURE = 1e-3
_BLOCK = 1 << 23
_NARROWEST = 0.02

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class RankSpace:
    """Rows as points.

    Attributes:
        points: Shape (rows, dimensions), float32.
        owner: Column of each dimension.
        landmarks: Rows that vote, ascending.
        labels: Class of each row.
        prior: Share of each class.
    """

    points: NDArray[np.float32]
    owner: Numbers
    landmarks: Numbers
    labels: Numbers
    prior: Floats

    def votes(self, rows: Numbers, without: NDArray[np.bool_]) -> Floats:
        """Give the probability of each class by a row's neighbours other than itself.

        Args:
            rows: Places of rows.
            without: Which columns do not count.

        Returns:
            Shape (rows, classes).
        """
        kept = ~without[self.owner]
        voters = self.points[self.landmarks][:, kept]
        lengths = (voters * voters).sum(axis=1)
        classes = len(self.prior)
        near = max(1, min(_NEIGHBOURS, len(self.landmarks) // 10))
        out = np.empty((len(rows), classes))
        step = max(1, _BLOCK // max(1, len(voters)))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            far = lengths - np.float32(2) * (self.points[some][:, kept] @ voters.T)
            place = np.minimum(np.searchsorted(self.landmarks, some), len(self.landmarks) - 1)
            own = self.landmarks[place] == some
            far[np.flatnonzero(own), place[own]] = np.inf
            nearest = np.argpartition(far, min(near, far.shape[1] - 1), axis=1)[:, :near]
            cells = np.repeat(np.arange(len(some)) * classes, near) + self.labels[self.landmarks[nearest]].ravel()
            counts = np.bincount(cells, minlength=len(some) * classes).reshape(-1, classes)
            out[start : start + step] = (counts + _PRIOR * self.prior) / (near + _PRIOR)
        return np.clip(out, _SURE, 1 - _SURE)


def rank_space(table: TableRows, classes: int, effort: str) -> RankSpace:
    """Make the space of the labelled rows of a table; the effort says how many rows vote."""
    parts, owners = [], []
    weights = _weights(table.codes[2], table.labels, classes)
    for column in range(len(table.names)):
        values = table.values[:, column]
        part = _ranks(values) if column < table.numeric else _levels(table.codes[0][:, column])
        spread = float(np.sqrt(part.var(axis=0).sum()))
        parts.append(part * np.float32(weights[column] / max(spread, _NARROWEST)))
        owners.append(np.full(part.shape[1], column))
    rows = len(table.labels)
    landmarks = np.unique(np.linspace(0, rows - 1, min(rows, _LANDMARKS[effort])).astype(np.int64))
    prior = np.asarray((np.bincount(table.labels, minlength=classes) + 0.5) / (rows + 0.5 * classes), np.float64)
    return RankSpace(np.concatenate(parts, axis=1), np.concatenate(owners), landmarks, table.labels, prior)


def _ranks(values: Floats) -> NDArray[np.float32]:
    """Give mean ranks in [0, 1]; missing values are in the middle and a dimension of their own says so."""
    known = ~np.isnan(values)
    ordered = np.sort(values[known])
    middle = (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / (2.0 * max(1, len(ordered)))
    ranks = np.where(known, middle, 0.5).astype(np.float32)[:, None]
    return ranks if known.all() else np.concatenate([ranks, ~known[:, None] * np.float32(0.5)], axis=1)


def _levels(codes: NDArray[np.int32]) -> NDArray[np.float32]:
    """Give one dimension for each of the most frequent codes, so that two different ones are at an equal distance."""
    counts = np.bincount(codes)
    kept = np.argsort(-counts, kind="stable")[:_LEVELS]
    return np.asarray((codes[:, None] == kept) * np.float32(0.5), np.float32)


def _weights(codes: NDArray[np.int32], labels: Numbers, classes: int) -> Floats:
    """Give each column the root of the information that its cells have on the label, less what chance would give, and a floor."""
    rows, columns = codes.shape
    found = np.zeros(columns)
    for column in range(columns):
        size = int(codes[:, column].max(initial=FIRST)) + 1
        joint = np.bincount(codes[:, column].astype(np.int64) * classes + labels, minlength=size * classes)
        share = joint.reshape(size, classes) / max(1, rows)
        by_chance = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
        inside = share > 0
        gain = float((share[inside] * np.log(share[inside] / by_chance[inside])).sum())
        cells = int((share.sum(axis=1) > 0).sum())
        found[column] = max(gain - (cells - 1) * (classes - 1) / (2.0 * max(1, rows)), 0.0)
    return np.sqrt(found / max(float(found.max(initial=0.0)), 1e-9)) + _LEAST
