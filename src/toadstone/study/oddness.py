"""How odd the values of each row of a table are together: one number a row, for the whole study."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.optimize import minimize

from toadstone.stats.joint_density import FOLDS, JointDensity, joint_density
from toadstone.stats.pair_surprise import PairSurprise, pair_surprise
from toadstone.study.second_opinion import content_keys
from toadstone.study.study import Chunk, Study
from toadstone.study.table_rows import table_rows, values_of

_ROWS = 6_000
"""Rows that the model is fitted to."""
_FEATURES = {"quick": 12, "standard": 300, "deep": 600}
_LEAST = 50
_PENALTY = 1e-4

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Oddness:
    """How odd rows are, those known to be good behind the others.

    Attributes:
        odd: Higher is odder, shape (rows,).
        made_up: Share of made-up rows, whose columns have nothing to do with each other, that are no odder, shape (rows,).
    """

    odd: Floats
    made_up: Floats


def oddness(study: Study) -> Oddness | str:
    """Give how odd each row is, those known to be good behind the others; or why nothing can be said.

    Four measures count by their ranks: those of `toadstone.stats.joint_density` and of `toadstone.stats.pair_surprise`. By how
    much is learned from rows that are made up: which tables need which measure differs, and made-up rows show it (stacking,
    Wolpert 1992).
    """
    return study.shared("oddness", lambda: _made(study))


def _made(study: Study) -> Oddness | str:
    table = table_rows(study)
    if len(table.names) < 2:
        return "there is only one column"
    if len(table.rows) < _LEAST:
        return f"{len(table.rows):,} rows are too few to learn what belongs together"
    some = np.unique(np.linspace(0, len(table.rows) - 1, min(len(table.rows), _ROWS)).astype(np.int64))
    random = study.random("joint-density")
    folds = np.concatenate(study.run(_Folds(), study.every))[table.rows[some]]
    values, labels = table.values[some], table.labels[some]
    model = joint_density(values, table.numeric, labels, folds, _FEATURES[study.effort], random)
    pairs = pair_surprise(values, table.numeric, labels, (folds, FOLDS), random)
    measures = _Odd(model, pairs)
    found = np.concatenate(study.run(measures, study.every))
    shuffled = np.stack([random.permutation(values[:, place]) for place in range(values.shape[1])], axis=1)
    made_up = measures.of(shuffled, random.permutation(labels), random.integers(0, FOLDS, len(values)))
    known = np.sort(found, axis=0)
    own, theirs = _by_rank(found, known), _by_rank(made_up, known)
    weights = _weights(own[table.rows[some]], theirs)
    odd = np.asarray(own @ weights, np.float64)
    share = np.searchsorted(np.sort(theirs @ weights), odd, "right") / max(1, len(theirs))
    return Oddness(odd, np.asarray(share, np.float64))


def _by_rank(values: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give minus the logarithm of the share of known values (each column in order) that are as high, by column."""
    out = np.empty(values.shape, np.float32)
    for place in range(values.shape[1]):
        above = len(known) - np.searchsorted(known[:, place], values[:, place], "left")
        out[:, place] = -np.log(np.maximum(above, 0.5) / max(1, len(known)))
    return out


def _weights(rows: NDArray[np.float32], made_up: NDArray[np.float32]) -> NDArray[np.float32]:
    """Learn how much each measure counts: logistic regression, rows against made-up rows, no weight below 0."""
    both = np.concatenate([rows, made_up]).astype(np.float64)
    sign = np.repeat([-1.0, 1.0], [len(rows), len(made_up)])

    def loss(values: Floats) -> tuple[float, Floats]:
        margin = sign * (both @ values[1:] + values[0])
        pull = -sign * special.expit(-margin) / len(both)
        cost = float(np.logaddexp(0.0, -margin).mean()) + _PENALTY * float(values[1:] @ values[1:])
        return cost, np.append(pull.sum(), both.T @ pull + 2.0 * _PENALTY * values[1:])

    count = both.shape[1]
    begin = np.append(0.0, np.full(count, 1.0 / count))
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=[(None, None)] + [(0.0, None)] * count)
    weights = np.maximum(np.asarray(found.x[1:], np.float32), np.float32(0.02))
    return np.asarray(weights / weights.sum(), np.float32)


def _labels(part: Chunk) -> Numbers:
    return part["label"].astype(np.int64) if "label" in part else np.full(part.rows, -1, np.int64)


@dataclass(frozen=True)
class _Folds:
    """Puts rows into folds by their content."""

    def map(self, part: Chunk) -> list[Numbers]:
        return [(content_keys(part) % np.uint64(FOLDS)).astype(np.int64)]

    def combine(self, left: list[Numbers], right: list[Numbers]) -> list[Numbers]:
        return left + right

    def finish(self, state: list[Numbers] | None) -> list[Numbers]:
        return state or [np.zeros(0, np.int64)]


@dataclass(frozen=True)
class _Odd:
    """Measures every row."""

    model: JointDensity
    pairs: PairSurprise

    def of(self, values: Floats, labels: Numbers, folds: Numbers) -> NDArray[np.float32]:
        """Give the measures of rows, shape (rows, measures)."""
        measures = (*self.model.oddness(values, labels, folds), *self.pairs.of(values, labels, folds))
        return np.stack(measures, axis=1).astype(np.float32)

    def map(self, part: Chunk) -> list[NDArray[np.float32]]:
        folds = (content_keys(part) % np.uint64(FOLDS)).astype(np.int64)
        return [self.of(values_of(part), _labels(part), folds)]

    def combine(self, left: list[NDArray[np.float32]], right: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        return left + right

    def finish(self, state: list[NDArray[np.float32]] | None) -> list[NDArray[np.float32]]:
        return state or [np.zeros((0, 4), np.float32)]
