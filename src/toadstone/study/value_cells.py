"""The rows of a group of values in the whole study, and the values as a person writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.column_cells import MISSING, Cut
from toadstone.stats.null import ranked
from toadstone.study.study import Chunk, Study
from toadstone.study.table_rows import TableRows, values_of

_LONGEST = 60
_FAINT, _RARE = 0.4, -1.5
"""What the rank of rows counts for in groups that are expected by nature, and from where on it counts in full."""
_MORE = -2.9
"""Logarithm of what evidence on a group that does not stand may add to the rank of its rows (0.055: more would flag them)."""

Numbers = NDArray[np.int64]


class InCells(Protocol):
    """Rows that lie in the cells of some columns at one scale."""

    @property
    def columns(self) -> tuple[int, ...]: ...
    @property
    def scale(self) -> int: ...
    @property
    def cells(self) -> tuple[int, ...]: ...


@dataclass(frozen=True)
class _Everyone:
    """Finds the rows that lie in some cells."""

    columns: tuple[int, ...]
    cells: tuple[int, ...]
    cuts: tuple[Cut, ...]

    def map(self, part: Chunk) -> list[Numbers]:
        values = values_of(part)
        inside = np.ones(part.rows, bool)
        for column, cell, cut in zip(self.columns, self.cells, self.cuts, strict=True):
            inside &= cut.codes(values[:, column]) == cell
        return [np.flatnonzero(inside) + part.start]

    def combine(self, left: list[Numbers], right: list[Numbers]) -> list[Numbers]:
        return left + right

    def finish(self, state: list[Numbers] | None) -> Numbers:
        return np.concatenate(state) if state else np.zeros(0, np.int64)


def everyone(study: Study, table: TableRows, group: InCells) -> Numbers:
    """Give all rows of the study with the cells of a group, in order."""
    cuts = tuple(table.scales[group.scale].cuts[column] for column in group.columns)
    return study.run(_Everyone(group.columns, group.cells, cuts))


def written(study: Study, table: TableRows, group: InCells, rows: Numbers) -> dict[str, str]:
    """Give what the columns of a group hold in its rows, by name: a value, or the smallest and the largest."""
    names = [table.names[column] for column in group.columns]
    if not len(rows):
        return dict.fromkeys(names, "")
    values = study.values(rows.tolist(), names)
    shown = {}
    for name, cell in zip(names, group.cells, strict=True):
        known = [value for value in values.column(name).to_pylist() if value is not None]
        if cell == MISSING or not known:
            shown[name] = "missing"
        elif len(set(known)) == 1:
            shown[name] = str(known[0])[:_LONGEST]
        else:
            shown[name] = f"{min(known)} to {max(known)}"[:_LONGEST]
    return shown


def ranks(study: Study, table: TableRows, groups: Sequence[tuple[Numbers, float, float]]) -> NDArray[np.float64]:
    """Give evidence on the rows of groups: their rank by strength, and a little more, never so much that it flags by itself.

    By rank alone they would stand beside rows that are merely the oddest of many; and groups that one expects by nature would
    stand before single rows that another check has more to say against.

    Args:
        study: The study.
        table: Of its rows.
        groups: Of each: places of its rows in the table, strength, logarithm of the corrected p-value.

    Returns:
        Log p-values, shape (rows of the study,); 0 for rows in no group.
    """
    strength, more = np.zeros(study.rows), np.zeros(study.rows)
    for places, strong, log_p in groups:
        rows = table.rows[places]
        rows = rows[rows < study.rows]
        strength[rows] = np.maximum(strength[rows], strong)
        more[rows] = np.minimum(more[rows], max(log_p, _MORE))
    counts = _FAINT + (1.0 - _FAINT) * np.clip(more / _RARE, 0.0, 1.0)
    return np.where(strength > 0, ranked(strength) * counts + np.minimum(more, 0.0), 0.0)
