"""Pairs of values that were put into rows of one label: they are together too often, and nothing else about the rows says so.

Two columns may go together by nature. Then they do so under other labels too, or their rows are alike in other columns besides.
Values that were stamped on rows drawn at random are together in one label only, far more often than each of them makes likely,
and the neighbours of their rows, in all other columns, are any rows of the label. Two columns that say the same thing (a grade
and its number) have many such pairs of values: a pair counts by what it has beyond the next one of the same columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from toadstone.stats.column_cells import NONE
from toadstone.stats.natural_tail import large, log_expected_of
from toadstone.study.congruence import Groups
from toadstone.study.contradiction import START, heads
from toadstone.study.rank_space import RankSpace, rank_space
from toadstone.study.study import Study
from toadstone.study.table_rows import FEWEST, TableRows, table_rows

_PURITY = 0.75
_LEAST_CLASS = 20
_WORK = {"quick": 5_000_000, "standard": 40_000_000, "deep": 400_000_000}
_JUDGED = {"quick": 60, "standard": 150, "deep": 400}
_START = 8.0
"""Minus the logarithm of the chance from which a pair is looked at."""
_MOST = 64
_NEIGHBOURS = 15
_ALIKE = 2.0
"""Times that neighbours are in the group, beyond chance, from which its rows belong together by nature."""
_SAME = 0.5
_FEWEST_EXPECTED = 0.05
_RATE = 1.0
_MORE = 3.0
"""Pairs that go together by nature which one expects besides those that are seen."""

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Stamp:
    """A pair of values, judged.

    Attributes:
        columns: Places of its columns.
        scale: At which they are cut.
        cells: Of these columns.
        label: Code of the label.
        rows: Places, in the table, of its rows with that label.
        expected: How many of them one expects.
        surprise: Minus the logarithm of the chance of so many.
        likeness: Times that a neighbour is in the group, relative to chance.
        strength: Root of the surprise beyond that of the next pair of the same columns.
    """

    columns: tuple[int, ...]
    scale: int
    cells: tuple[int, ...]
    label: int
    rows: Numbers
    expected: float
    surprise: float
    likeness: float
    strength: float


@dataclass(frozen=True)
class Stamps:
    """The pairs of values of a table; entries of equal index belong together.

    Attributes:
        table: The labelled rows.
        stamps: Judged.
        log_p: Natural logarithm of the p-value by the data's own pairs.
        head: The strongest pair with mostly the same rows; -1 where there is no evidence.
        tests: Pairs among which these were chosen.
    """

    table: TableRows
    stamps: tuple[Stamp, ...]
    log_p: Floats
    head: Numbers
    tests: int


_Found = tuple[float, tuple[int, int], int, tuple[int, int], int, float]
"""Surprise, columns, scale, cells, label, expected rows."""


def value_stamps(study: Study) -> Stamps | str:
    """Give the pairs of values that look stamped, or why none can be told."""
    return study.shared("value-stamps", lambda: _made(study))


def _made(study: Study) -> Stamps | str:
    table = table_rows(study).labelled()
    classes = len(study.label_names)
    if (np.bincount(table.labels, minlength=classes) >= _LEAST_CLASS).sum() < 2:
        return "there are no two classes with enough rows"
    if classes > max(2, len(table.rows) // _LEAST_CLASS):
        return "the label has too many values to be classes"
    if len(table.names) < 3:
        return "there are no three columns"
    pairs = list(combinations(range(len(table.names)), 2))[: max(1, _WORK[study.effort] // max(1, 3 * len(table.rows)))]
    found: list[_Found] = []
    tests = 0
    for scale in range(len(table.scales)):
        for pair in pairs:
            if table.scales[scale].fresh[list(pair)].any():
                some, looked = _surprising(table, pair, scale, classes)
                found += some
                tests += looked
    found.sort(key=lambda entry: (-entry[0], entry[1:5]))
    space = study.shared("rank-space", lambda: rank_space(table, classes, study.effort))
    stamps = _beyond(list(_judged(table, space, found, _JUDGED[study.effort])))
    strengths = np.array([stamp.strength for stamp in stamps])
    bare = Groups.of([stamp.rows for stamp in stamps], np.array([stamp.label for stamp in stamps], np.int64))
    head = heads(bare, strengths, table.labels) if stamps else np.zeros(0, np.int64)
    expected, _ = log_expected_of(strengths, head, _RATE, START, _MORE)
    log_p = np.minimum(expected + large([len(stamp.rows) for stamp in stamps], len(table.rows)) - np.log(max(tests, 1)), 0.0)
    return Stamps(table, tuple(stamps), log_p, head, max(tests, 1))


def _surprising(table: TableRows, pair: tuple[int, int], scale: int, classes: int) -> tuple[list[_Found], int]:
    """Give the pairs of cells of two columns that one label has too often, and how many pairs were looked at."""
    codes, labels = table.codes[scale], table.labels
    left, right = codes[:, pair[0]].astype(np.int64), codes[:, pair[1]].astype(np.int64)
    width = int(right.max(initial=0)) + 1
    known = np.flatnonzero((left != NONE) & (right != NONE))
    if len(known) < FEWEST:
        return [], 0
    keys, place = np.unique(left[known] * width + right[known], return_inverse=True)
    hits = np.bincount(place * classes + labels[known], minlength=len(keys) * classes).reshape(-1, classes)
    sizes = hits.sum(axis=1)
    cell, label = np.nonzero((hits >= FEWEST) & (hits >= _PURITY * sizes[:, None]))
    if not len(cell):
        return [], 0
    first, second = keys[cell] // width, keys[cell] % width
    with_first, with_second = _counts(left, labels, classes), _counts(right, labels, classes)
    rows = np.bincount(labels, minlength=classes).astype(np.float64)
    others = len(labels) - rows[label]
    here = with_first[first, label] * with_second[second, label] / rows[label]
    elsewhere = (with_first[first].sum(1) - with_first[first, label]) * (with_second[second].sum(1) - with_second[second, label])
    together = (sizes[cell] - hits[cell, label] + 0.5) / (elsewhere / np.maximum(others, 1.0) + 0.5)
    expected = np.maximum(here, _FEWEST_EXPECTED) * np.maximum(together, 1.0)
    surprise = _log_poisson_tail(hits[cell, label].astype(np.float64), expected)
    chosen = np.flatnonzero(surprise > _START)
    columns = zip(*(each[chosen].tolist() for each in (surprise, first, second, label, expected)), strict=True)
    return [(float(s), pair, scale, (int(a), int(b)), int(t), float(e)) for s, a, b, t, e in columns], len(cell)


def _counts(codes: Numbers, labels: Numbers, classes: int) -> Floats:
    size = int(codes.max(initial=0)) + 1
    return np.bincount(codes * classes + labels, minlength=size * classes).reshape(size, classes).astype(np.float64)


def _log_poisson_tail(hits: Floats, expected: Floats) -> Floats:
    """Give minus the logarithm of P(X >= hits) for Poisson X; beyond underflow by the leading term."""
    plain = special.gammainc(hits, expected)
    leading = expected - hits * np.log(expected) + special.gammaln(hits + 1)
    return np.asarray(np.where(plain > 1e-280, -np.log(np.maximum(plain, 1e-280)), leading), np.float64)


def _judged(table: TableRows, space: RankSpace, found: list[_Found], most: int) -> Iterator[Stamp]:
    """Yield the most surprising pairs, those with the same rows once, with how alike their rows are."""
    seen: set[tuple[int, bytes]] = set()
    for surprise, pair, scale, cells, label, expected in found:
        if len(seen) >= most:
            return
        codes = table.codes[scale]
        inside = (codes[:, pair[0]] == cells[0]) & (codes[:, pair[1]] == cells[1]) & (table.labels == label)
        rows = np.flatnonzero(inside)
        signature = (label, rows.tobytes())
        if signature in seen:
            continue
        seen.add(signature)
        likeness = _likeness(space, rows, np.isin(space.owner, pair), inside, label)
        yield Stamp(pair, scale, cells, label, rows, expected, surprise, likeness, 0.0)


def _likeness(space: RankSpace, rows: Numbers, without: NDArray[np.bool_], inside: NDArray[np.bool_], label: int) -> float:
    """Say how many times more often than by chance the neighbours of a group's rows, among rows of its label, are in it."""
    some = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _MOST)).astype(np.int64))]
    peers = np.flatnonzero(space.labels == label)
    peers = peers[np.unique(np.linspace(0, len(peers) - 1, min(len(peers), len(space.landmarks))).astype(np.int64))]
    near = max(1, min(_NEIGHBOURS, len(peers) // 5))
    points = space.points[:, ~without]
    voters = points[peers]
    far = (voters * voters).sum(axis=1) - np.float32(2) * (points[some] @ voters.T)
    far[some[:, None] == peers] = np.inf
    nearest = np.argpartition(far, min(near, far.shape[1] - 1), axis=1)[:, :near]
    chance = max(float(inside[peers].sum()) - 1.0, 0.0) / max(1, len(peers) - 1)
    return (float(inside[peers[nearest]].mean()) + 0.01) / (chance + 0.01)


def _beyond(stamps: list[Stamp]) -> list[Stamp]:
    """Give every pair its strength: what it has beyond the next one, of other rows, of the same columns."""
    weighed = [stamp.surprise / max(1.0, stamp.likeness) if stamp.likeness < _ALIKE else 0.0 for stamp in stamps]
    out = []
    for place, stamp in enumerate(stamps):
        rivals = [
            weighed[other]
            for other, rival in enumerate(stamps)
            if rival.columns == stamp.columns and _overlap(rival.rows, stamp.rows) < _SAME
        ]
        strength = float(np.sqrt(max(0.0, weighed[place] - max(rivals, default=0.0))))
        out.append(Stamp(**{**stamp.__dict__, "strength": strength}))
    return out


def _overlap(left: Numbers, right: Numbers) -> float:
    return len(np.intersect1d(left, right, assume_unique=True)) / max(1, min(len(left), len(right)))
