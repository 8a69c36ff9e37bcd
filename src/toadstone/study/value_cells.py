"""The rows of a group of values in the whole study, and the values as a person writes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.column_cells import MISSING, Cut
from toadstone.study.study import Chunk, Study
from toadstone.study.table_rows import TableRows, values_of
from toadstone.study.value_suspects import ValueGroup

_LONGEST = 60

Numbers = NDArray[np.int64]


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


def everyone(study: Study, table: TableRows, group: ValueGroup) -> Numbers:
    """Give all rows of the study with the cells of a group, in order."""
    cuts = tuple(table.scales[group.scale].cuts[column] for column in group.columns)
    return study.run(_Everyone(group.columns, group.cells, cuts))


def written(study: Study, table: TableRows, group: ValueGroup, rows: Numbers) -> dict[str, str]:
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
