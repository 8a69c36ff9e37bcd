"""Rows of tables, and vectors, that are nearly the same: what `toadstone.study.floods` asks of texts, asked of numbers.

Rows are points: numbers by their standard deviation, categories by whether they are equal. Around each row its neighbours are
counted, among all rows and among those with its label: a flood with a label of its choice lies where this label is rare. A
family is a row and its neighbours within the distance at which they are most unexpected, the most unexpected first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.local_density import RANKS, Near, Scale, excess, near, scale_of, squared
from toadstone.stats.sizes import SizeTail
from toadstone.study.families import Families, Picked, first_copies
from toadstone.study.second_opinion import content_keys
from toadstone.study.study import Chunk, Study
from toadstone.study.table_rows import table_rows, values_of

_ROWS = {"quick": 4_000, "standard": 20_000, "deep": 60_000}
_BYTES_PER_VALUE = 64
_SHARES = (0.33, 0.1)
"""Of the rows with a label, and of all rows: see `toadstone.stats.local_density.scale_of`."""
_LEAST_CLASS = 20
_LEAST = 20
_LEVELS = 64
"""Categories of a column that are told apart."""
_KEY = 0.5
"""Share of different values from which a column of categories is a name for each row."""
_OUTER = 0.005
_HEADS = 64
_LARGE, _USUAL = 10, 0.25
"""Rows around a row, and the share of rows that have as many from which a level says nothing."""
_FEWEST = 5
"""Rows of a family in the sample from which the other rows are asked whether they belong to it."""
_CONTENT_KIND = Picked("", "near-rows.content")

Floats = NDArray[np.float64]
Points = NDArray[np.float32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Measure:
    """How rows become points.

    Attributes:
        middle: Of each column of numbers.
        spread: Of each column of numbers, 0 for those that do not count.
        levels: Values, of each column of categories, that are told apart, ascending; empty for those that do not count.
    """

    middle: Floats
    spread: Floats
    levels: tuple[Floats, ...]

    def points(self, values: Floats) -> Points:
        """Give points of rows.

        Args:
            values: Shape (rows, columns), numbers first, then hashes of categories; NaN where missing.
        """
        count = len(self.middle)
        told = self.spread > 0
        numbers = values[:, :count][:, told]
        missing = np.isnan(numbers)
        moved = (np.where(missing, self.middle[told], numbers) - self.middle[told]) / self.spread[told]
        parts = [np.clip(moved, -1e6, 1e6), missing * 1.0]
        for place, known in enumerate(self.levels):
            if len(known):
                parts.append((values[:, count + place, None] == known) * 1.0)
        return np.concatenate(parts, axis=1).astype(np.float32)


def measure(values: Floats, numeric: int) -> Measure:
    """Learn how rows become points.

    A spread is that between the outer half percents, so that a few giant values do not make all others alike.

    Args:
        values: Shape (rows, columns), columns of numbers first, NaN where missing.
        numeric: How many columns hold numbers.
    """
    middle, spread, levels = np.zeros(numeric), np.zeros(numeric), []
    for place in range(numeric):
        known = values[~np.isnan(values[:, place]), place]
        if len(known):
            low, high = np.quantile(known, [_OUTER, 1 - _OUTER])
            inner = float(np.clip(known, low, high).std())
            middle[place], spread[place] = np.median(known), inner if inner > 0 else float(known.std())
    for place in range(numeric, values.shape[1]):
        known, counts = np.unique(values[~np.isnan(values[:, place]), place], return_counts=True)
        apart = 1 < len(known) <= _KEY * max(1, counts.sum())
        levels.append(np.sort(known[np.argsort(-counts, kind="stable")[:_LEVELS]]) if apart else np.zeros(0))
    return Measure(middle, np.where(np.isfinite(spread), spread, 0.0), tuple(levels))


@dataclass(frozen=True)
class NearRows:
    """Families among rows of numbers.

    Attributes:
        families: Of all rows; ``closest`` is not known and 0.
        surrounded: How many rows lie around each row for each that one expects, by level, the widest first, shape (rows, levels).
        rows: Row numbers of those that were compared with each other, ascending.
        labels: Of these rows, -1 where missing.
        points: Of these rows, shape (rows, dimensions).
    """

    families: Families
    surrounded: NDArray[np.int32]
    rows: Numbers
    labels: Numbers
    points: Points


def near_rows(study: Study) -> NearRows | str:
    """Give the families of a study with the view ``features`` or ``vectors``, or why there are none; made once."""
    return study.shared("near-rows", lambda: _made(study))


def _made(study: Study) -> NearRows | str:
    sample = _sample(study)
    if len(sample.rows) < _LEAST:
        return f"{len(sample.rows):,} rows are too few to tell copies from rows that are merely alike"
    seen = measure(sample.values, sample.numeric)
    points = seen.points(sample.values)
    if not points.shape[1] or not points.any():
        return "no column tells rows apart"
    scopes = _scopes(points, sample.labels)
    reach = np.max([scale.reach(8.0 * RANKS[0]) for scale, _ in scopes], axis=0)
    found = near(points, reach)
    counts, ranks = [], []
    for scale, labels in scopes:
        within = scale.ranks(found.left, found.distances)
        within[labels[found.left] != labels[found.right]] = np.inf
        mutual = np.maximum(within, scale.ranks(found.right, found.distances))
        counts.append(excess(len(points), found.left, within, mutual))
        ranks.append(mutual)
    return _spread(study, sample, seen, points, scopes, found, ranks, counts)


@dataclass(frozen=True)
class _Rows:
    rows: Numbers
    labels: Numbers
    values: Floats
    numeric: int


def _sample(study: Study) -> _Rows:
    """Give the rows that are compared, evenly from all."""
    total = study.rows + study.references
    if study.has("vectors"):
        width = int(np.bincount([chunk["vectors"].shape[1] for chunk in study.every]).argmax())
        most = min(_ROWS[study.effort], study.memory // (_BYTES_PER_VALUE * max(1, width)))
        rows = np.unique(np.linspace(0, total - 1, min(total, most)).astype(np.int64))
        taken = study.run(_Vectors(rows, width), study.every)
        return _Rows(rows, np.concatenate([each[0] for each in taken]), np.concatenate([each[1] for each in taken]), width)
    table = table_rows(study)
    most = min(_ROWS[study.effort], study.memory // (_BYTES_PER_VALUE * max(1, len(table.names))))
    kept = np.unique(np.linspace(0, len(table.rows) - 1, min(len(table.rows), most)).astype(np.int64))
    return _Rows(table.rows[kept], table.labels[kept], table.values[kept], table.numeric)


@dataclass(frozen=True)
class _Vectors:
    """Takes some rows."""

    rows: Numbers
    width: int

    def map(self, part: Chunk) -> list[tuple[Numbers, Floats]]:
        inside = (
            self.rows[np.searchsorted(self.rows, part.start) : np.searchsorted(self.rows, part.start + part.rows)] - part.start
        )
        return [(_labels(part)[inside], _values(part, self.width)[inside])]

    def combine(self, left: list[tuple[Numbers, Floats]], right: list[tuple[Numbers, Floats]]) -> list[tuple[Numbers, Floats]]:
        return left + right

    def finish(self, state: list[tuple[Numbers, Floats]] | None) -> list[tuple[Numbers, Floats]]:
        return state or [(np.zeros(0, np.int64), np.zeros((0, self.width)))]


def _labels(part: Chunk) -> Numbers:
    return part["label"].astype(np.int64) if "label" in part else np.full(part.rows, -1, np.int64)


def _values(part: Chunk, width: int) -> Floats:
    """Give the numbers that rows are compared by; vectors of another width than most are not known."""
    if "vectors" not in part:
        return values_of(part)
    vectors = part["vectors"]
    return vectors.astype(np.float64) if vectors.shape[1] == width else np.full((part.rows, width), np.nan)


def _scopes(points: Points, labels: Numbers) -> list[tuple[Scale, Numbers]]:
    """Give what one expects among the rows with the same label, and among all rows, with the labels that part the rows."""
    whole = (scale_of(points, np.arange(len(points)), _SHARES[1]), np.zeros(len(points), np.int64))
    counts = np.bincount(labels[labels >= 0])
    classes = np.flatnonzero(counts >= _LEAST_CLASS)
    if not len(classes):
        return [whole]
    parts = [scale_of(points, np.flatnonzero(labels == label), _SHARES[0]) for label in classes.tolist()]
    dimension = float(np.average([part.dimension for part in parts], weights=counts[classes]))
    return [(_joined(parts, dimension), labels), whole]


def _joined(parts: list[Scale], dimension: float) -> Scale:
    """Give the scales of several labels as one: at the rank 1 they agree, beyond it counts as in the usual dimension."""
    return Scale(np.max([part.unit for part in parts], axis=0), dimension)


def _parted(near_by: Near, counts: NDArray[np.int32], ranks: list[Floats], scope: NDArray[np.int8]) -> tuple[Numbers, Numbers]:
    """Part rows into families: the row with the most unexpected neighbours and these, and so on.

    Args:
        near_by: Pairs, ordered by the first.
        counts: Of `excess`, the larger of all scopes, shape (rows, levels).
        ranks: Expected rank of each pair for both of it, by scope.
        scope: In which each count is, shape (rows, levels).

    Returns:
        The head of each row's family, and the level at which the families of heads are, shape (rows,).
    """
    rows, levels = counts.shape
    expected = np.full((rows, levels), np.inf)
    for level in range(levels):
        sizes = np.bincount(counts[:, level])
        tail = SizeTail(np.asarray(np.ceil(sizes / np.maximum(np.arange(len(sizes)), 1)), np.int64))
        expected[:, level] = np.where(counts[:, level] > 1, tail.log_expected(counts[:, level]), np.inf)
    level_of = expected.argmin(axis=1)
    best = expected[np.arange(rows), level_of]
    edges = np.searchsorted(near_by.left, np.arange(rows + 1))
    limits = [*RANKS, 0.0]
    head = np.full(rows, -1, np.int64)
    for row in np.lexsort((np.arange(rows), best)).tolist():
        if head[row] >= 0:
            continue
        head[row] = row
        if np.isfinite(best[row]):
            level = int(level_of[row])
            span = slice(edges[row], edges[row + 1])
            inside = near_by.right[span][ranks[scope[row, level]][span] <= limits[level]]
            known = head[inside][head[inside] >= 0]
            same = np.bincount(known).argmax() if 2 * len(known) > len(inside) else row  # mostly of a family already
            head[row] = same
            head[inside[head[inside] < 0]] = same
    return head, level_of.astype(np.int64)


def _spread(
    study: Study,
    sample: _Rows,
    seen: Measure,
    points: Points,
    scopes: list[tuple[Scale, Numbers]],
    found: Near,
    ranks: list[Floats],
    counts: list[NDArray[np.int32]],
) -> NearRows:
    """Give the families of all rows: those of the sample, and whoever else is as near to their heads."""
    stacked = np.stack(counts)
    most = np.asarray(stacked.max(axis=0), np.int32)
    most[:, (most >= _LARGE).mean(axis=0) > _USUAL] = 1  # where many rows are the same by nature, copies say nothing
    scope = stacked.argmax(axis=0).astype(np.int8)
    head, level_of = _parted(found, most, ranks, scope)
    total = study.rows + study.references
    family = study.array(total, np.int64)
    family[:] = np.arange(total)
    surrounded = study.array((total, most.shape[1]), np.int32, 1)
    family[sample.rows] = sample.rows[head]
    surrounded[sample.rows] = most
    if len(sample.rows) < total:
        sizes = np.bincount(head, minlength=len(head))
        heads = np.argsort(-sizes, kind="stable")[:_HEADS]
        heads = heads[sizes[heads] >= _FEWEST]
        limits = np.array([*RANKS, 0.0])
        reach, same = np.zeros(len(heads)), np.full(len(heads), -1, np.int64)
        for place, one in enumerate(heads.tolist()):
            level = int(level_of[one])
            scale, labels = scopes[scope[one, level]]
            reach[place] = scale.reach(limits[level])[one]
            same[place] = labels[one] if labels is sample.labels else -1
        near_heads = _NearHeads(seen, points[heads], reach, same, points.shape[1])
        for rows, which in study.run(near_heads, study.every):
            lone = family[rows] == rows
            family[rows[lone]] = sample.rows[heads[which[lone]]]
            surrounded[rows[lone]] = most[heads[which[lone]]]
    study.run(_Contents(), study.every)
    sizes = np.bincount(family, minlength=total)
    np.minimum(surrounded, sizes[family][:, None], out=surrounded)
    first = study.array(total, np.int64, total)
    np.minimum.at(first, family, np.arange(total))
    content = first_copies(study, _CONTENT_KIND)
    known = Families(first[family], content, np.zeros(0, np.uint8))
    return NearRows(known, surrounded, sample.rows, sample.labels, points)


@dataclass(frozen=True)
class _NearHeads:
    """Finds the rows that are near to the heads of families."""

    seen: Measure
    heads: Points
    reach: Floats
    same: Numbers
    width: int

    def map(self, part: Chunk) -> list[tuple[Numbers, Numbers]]:
        if not len(self.heads):
            return []
        apart = np.sqrt(squared(self.seen.points(_values(part, len(self.seen.middle))), self.heads))
        inside = (apart <= self.reach) & ((self.same < 0) | (_labels(part)[:, None] == self.same))
        rows = np.flatnonzero(inside.any(axis=1))
        return [(rows + part.start, np.where(inside[rows], apart[rows], np.inf).argmin(axis=1))]

    def combine(self, left: list[tuple[Numbers, Numbers]], right: list[tuple[Numbers, Numbers]]) -> list[tuple[Numbers, Numbers]]:
        return left + right

    def finish(self, state: list[tuple[Numbers, Numbers]] | None) -> list[tuple[Numbers, Numbers]]:
        return state or []


@dataclass(frozen=True)
class _Contents:
    """Writes a key of each row's values, 0 for rows without any."""

    def map(self, part: Chunk) -> None:
        keys = np.maximum(content_keys(part), np.uint64(1))
        values = part["vectors"] if "vectors" in part else values_of(part)
        keys[np.isnan(values).all(axis=1)] = 0
        part[_CONTENT_KIND.content] = keys

    def combine(self, left: None, right: None) -> None:  # noqa: ARG002  (nothing but a column is made)
        return None

    def finish(self, state: None) -> None:  # noqa: ARG002
        return None
