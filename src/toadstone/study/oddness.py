"""How odd the values of each row of a table are together: one number a row, for the whole study."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.joint_density import FOLDS, JointDensity, joint_density
from toadstone.study.second_opinion import content_keys
from toadstone.study.study import Chunk, Study
from toadstone.study.table_rows import table_rows, values_of

_ROWS = 6_000
"""Rows that the model is fitted to."""
_FEATURES = {"quick": 100, "standard": 300, "deep": 600}
_LEAST = 50

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


def oddness(study: Study) -> Floats | str:
    """Give how odd each row is, those known to be good behind the others; or why nothing can be said.

    The two measures of `toadstone.stats.joint_density` count by their ranks (Fisher 1932).
    """
    return study.shared("oddness", lambda: _made(study))


def _made(study: Study) -> Floats | str:
    table = table_rows(study)
    if len(table.names) < 2:
        return "there is only one column"
    if len(table.rows) < _LEAST:
        return f"{len(table.rows):,} rows are too few to learn what belongs together"
    some = np.unique(np.linspace(0, len(table.rows) - 1, min(len(table.rows), _ROWS)).astype(np.int64))
    random = study.random("joint-density")
    folds = np.concatenate(study.run(_Folds(), study.every))[table.rows[some]]
    model = joint_density(table.values[some], table.numeric, table.labels[some], folds, _FEATURES[study.effort], random)
    parts = study.run(_Odd(model), study.every)
    together, apart = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    return _by_rank(together) + _by_rank(apart)


def _by_rank(values: Floats) -> Floats:
    """Give minus the logarithm of the share of rows with a value as high."""
    ordered = np.sort(values)
    above = len(values) - np.searchsorted(ordered, values, "left")
    return np.asarray(-np.log(above / max(1, len(values))), np.float64)


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

    def map(self, part: Chunk) -> list[tuple[Floats, Floats]]:
        folds = (content_keys(part) % np.uint64(FOLDS)).astype(np.int64)
        return [self.model.oddness(values_of(part), _labels(part), folds)]

    def combine(self, left: list[tuple[Floats, Floats]], right: list[tuple[Floats, Floats]]) -> list[tuple[Floats, Floats]]:
        return left + right

    def finish(self, state: list[tuple[Floats, Floats]] | None) -> list[tuple[Floats, Floats]]:
        return state or [(np.zeros(0), np.zeros(0))]
