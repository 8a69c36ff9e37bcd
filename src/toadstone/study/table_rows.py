"""The rows of a table in memory, as many as are looked at, with their cells at three scales.

Numbers stand beside the hashes of categories, missing values are NaN. A table larger than what is looked at is sampled by the
content of its rows, so that the sample depends on neither order nor chunks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.stats.column_cells import Cut, by_quantile, by_value, is_discrete
from toadstone.study.second_opinion import content_keys
from toadstone.study.study import Chunk, Study

FEWEST = 5
"""Rows that a cell needs to be a group."""
SCALES = (0, 64, 16)
"""Parts of a column of numbers; 0: its repeated values."""

_ROWS = {"quick": 8_000, "standard": 40_000, "deep": 200_000}
_BYTES_PER_VALUE = 64
_MOST_CLASSES = 500

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Scale:
    """One way to cut all columns.

    Attributes:
        cuts: One a column.
        fresh: Columns that no scale before this one cuts alike.
    """

    cuts: tuple[Cut, ...]
    fresh: NDArray[np.bool_]

    def codes(self, values: Floats) -> NDArray[np.int32]:
        """Give the cell of every value, shape (rows, columns)."""
        return np.stack([cut.codes(values[:, place]) for place, cut in enumerate(self.cuts)], axis=1)


@dataclass(frozen=True)
class TableRows:
    """Rows of a table.

    Attributes:
        names: Of the columns: those of numbers, then those of categories.
        numeric: How many hold numbers.
        rows: Row numbers in the study (`Study.every`), ascending.
        labels: Codes, -1 where missing.
        values: Shape (rows, columns): numbers, or hashes of categories; NaN where missing.
        whole: Whether these are all rows.
    """

    names: tuple[str, ...]
    numeric: int
    rows: Numbers
    labels: Numbers
    values: Floats
    whole: bool

    @cached_property
    def scales(self) -> tuple[Scale, ...]:
        """The columns cut by value, into narrow and into wide parts."""
        columns = range(len(self.names))
        discrete = [place >= self.numeric or is_discrete(self.values[:, place]) for place in columns]
        exact = [by_value(self.values[:, place], FEWEST, categorical=place >= self.numeric) for place in columns]
        made = [Scale(tuple(exact), np.ones(len(exact), bool))]
        for parts in SCALES[1:]:
            cuts = [exact[place] if discrete[place] else by_quantile(self.values[:, place], parts) for place in columns]
            made.append(Scale(tuple(cuts), ~np.array(discrete, bool)))
        return tuple(made)

    @cached_property
    def codes(self) -> tuple[NDArray[np.int32], ...]:
        """The cells of all values, scale by scale, each of shape (rows, columns)."""
        return tuple(scale.codes(self.values) for scale in self.scales)

    def labelled(self) -> TableRows:
        """Give the rows that have a label."""
        kept = self.labels >= 0
        return self if kept.all() else replace(self, rows=self.rows[kept], labels=self.labels[kept], values=self.values[kept])


def table_rows(study: Study) -> TableRows:
    """Give the rows of a study that has the view ``features``; made once."""
    return study.shared("table-rows", lambda: _made(study))


def names_of(study: Study) -> tuple[tuple[str, ...], int]:
    """Give the names of the columns in the order of the view, numbers first, and how many are numbers."""
    numbers = [name for name in study.roles.features if is_number(study.dataset.schema.field(name).type)]
    others = [name for name in study.roles.features if name not in numbers]
    return (*numbers, *others), len(numbers)


def is_number(kind: pa.DataType) -> bool:
    """Whether the view ``features`` takes a column for numbers."""
    types = pa.types
    known = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    return bool(known or types.is_boolean(kind) or types.is_temporal(kind))


def values_of(chunk: Chunk) -> Floats:
    """Give numbers and hashes of categories of a chunk's rows, NaN where missing, shape (rows, columns)."""
    categories = chunk["categories"].astype(np.float64)
    categories[categories == 0] = np.nan
    return np.concatenate([chunk["numbers"], categories], axis=1)


def _made(study: Study) -> TableRows:
    names, numeric = names_of(study)
    total = study.rows + study.references
    most = min(_ROWS[study.effort], study.memory // (_BYTES_PER_VALUE * max(1, len(names))))
    share = min(1.0, most / max(1, total))
    taken = study.run(_Take(share, len(names)), study.every)
    rows = np.concatenate([rows for rows, _, _ in taken])
    labels = np.concatenate([labels for _, labels, _ in taken])
    values = np.concatenate([values for _, _, values in taken])
    return TableRows(names, numeric, rows, labels, values, share >= 1.0)


_Taken = list[tuple[Numbers, Numbers, Floats]]


@dataclass(frozen=True)
class _Take:
    """Takes a share of the rows by their content: copies are taken together or not at all."""

    share: float
    columns: int

    def map(self, part: Chunk) -> _Taken:
        labels = part["label"].astype(np.int64) if "label" in part else np.full(part.rows, -1, np.int64)
        kept = np.arange(part.rows)
        if self.share < 1.0:
            kept = np.flatnonzero((content_keys(part) >> np.uint64(11)).astype(np.float64) / 2.0**53 < self.share)
        return [(kept + part.start, labels[kept], values_of(part)[kept])]

    def combine(self, left: _Taken, right: _Taken) -> _Taken:
        return left + right

    def finish(self, state: _Taken | None) -> _Taken:
        return state or [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, self.columns)))]
