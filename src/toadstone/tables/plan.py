"""Which row goes where when a data set is split, and what is written beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.core.errors import UsageError

EXTRA = ("toadstone_row", "toadstone_checks", "toadstone_p_value")
"""Columns that the quarantine has in addition."""
BROKEN = "toadstone_broken"
"""Key under which the quarantine of JSON Lines holds a line that is none, verbatim (bytes that are no UTF-8 as surrogates)."""


@dataclass(frozen=True)
class Flags:
    """Which checks flag which rows, without a list for every row.

    Attributes:
        checks: Ids.
        rows: Those that each of them flags, sorted.
    """

    checks: tuple[str, ...] = ()
    rows: tuple[NDArray[np.int64], ...] = ()

    def of(self, rows: NDArray[np.int64]) -> pa.ListArray:
        """Give the ids of the checks that flag some rows, as a list column."""
        hits = np.zeros((len(rows), len(self.checks)), bool)
        for place, own in enumerate(self.rows):
            if len(own):
                hits[:, place] = own[np.minimum(np.searchsorted(own, rows), len(own) - 1)] == rows
        offsets = np.append(0, np.cumsum(hits.sum(axis=1)))
        ids = pa.array(self.checks, pa.string()).take(pa.array(np.nonzero(hits)[1]))
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), ids)


@dataclass(frozen=True)
class Quarantine:
    """Why rows are quarantined.

    Attributes:
        checks: Which of them flag the rows of the data set.
        p_values: Of each row, shape (rows,).
    """

    checks: Flags
    p_values: NDArray[np.float64]


@dataclass
class Plan:
    """What becomes of each row.

    Attributes:
        flagged: Whether a row is quarantined, shape (rows,).
        reasons: Why.
        relabel: New label by row, of rows that are kept.
        label: Name of the label column.
        row: How many rows have been handled.
        quarantined: How many of them went to the quarantine.
    """

    flagged: NDArray[np.bool_]
    reasons: Quarantine
    relabel: Mapping[int, str] = field(default_factory=dict)
    label: str | None = None
    row: int = 0
    quarantined: int = 0

    def next(self, rows: int) -> tuple[int, NDArray[np.bool_]]:
        """Take the next rows: the number of the first, and which are quarantined.

        Raises:
            UsageError: There are more rows than were examined.
        """
        start, self.row = self.row, self.row + rows
        if self.row > len(self.flagged):
            raise UsageError("the data set has more rows than were examined", "It changed meanwhile; start again.")
        mask = self.flagged[start : self.row]
        self.quarantined += int(mask.sum())
        return start, mask

    def finish(self) -> None:
        """See that every row was handled.

        Raises:
            UsageError: There are fewer rows than were examined.
        """
        if self.row != len(self.flagged):
            raise UsageError("the data set has fewer rows than were examined", "It changed meanwhile; start again.")

    def relabelled(self, start: int, rows: int) -> dict[int, str]:
        """Give the new labels among some rows, by their place in these."""
        if not self.relabel or self.label is None:
            return {}
        span = range(start, start + rows)
        if len(self.relabel) < rows:
            return {row - start: name for row, name in self.relabel.items() if row in span}
        return {row - start: self.relabel[row] for row in span if row in self.relabel}

    def beside(self, row: int) -> tuple[int, list[str], float]:
        """Give what is written beside one row: number, checks, p-value."""
        checks = self.reasons.checks.of(np.array([row]))[0].as_py()
        return row, [str(check) for check in checks], float(self.reasons.p_values[row])

    def extra_columns(self, rows: NDArray[np.int64]) -> list[pa.Array]:
        """Give what is written beside some rows, as columns."""
        return [pa.array(rows, pa.int64()), self.reasons.checks.of(rows), pa.array(self.reasons.p_values[rows], pa.float64())]

    def extra_json(self, row: int, names: Sequence[str]) -> str:
        """Give what is written beside one row, as the inside of a JSON object."""
        number, checks, p_value = self.beside(row)
        values: list[Any] = [number, checks, p_value if np.isfinite(p_value) else None]
        return json.dumps(dict(zip(names, values, strict=True)))[1:-1]

    def extra_fields(self, row: int, delimiter: str) -> str:
        """Give what is written before one row of a table of text."""
        number, checks, p_value = self.beside(row)
        listed = ("," if delimiter == ";" else ";").join(checks)
        fields = [str(number), f'"{listed}"' if delimiter in listed else listed, repr(p_value)]
        return "".join(one + delimiter for one in fields)


def extra_names(names: Sequence[str]) -> list[str]:
    """Give the names of the columns that the quarantine has in addition, other than those that are there."""
    taken, out = set(names), []
    for name in EXTRA:
        fresh, number = name, 1
        while fresh in taken:
            fresh, number = f"{name}_{number}", number + 1
        out.append(fresh)
    return out
