"""Columns of a table as attacks see them: numbers with their resolution, or categories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.attacks.attack import Material, Rows
from toadstone.core.errors import UsageError
from toadstone.engine.arrow import compute as pc

_DECIMALS = 7


@dataclass(frozen=True)
class Column:
    """One column of features.

    Attributes:
        name: As in the table.
        numbers: Its values, NaN where missing; None for categories.
        values: Its distinct values in ascending order, without those that are missing.
        counts: Rows of each of them.
        decimals: Digits behind the point that its numbers have, at most 7.
        limits: Smallest and largest number that its type holds.
    """

    name: str
    numbers: NDArray[np.float64] | None
    values: tuple[Any, ...]
    counts: NDArray[np.int64]
    decimals: int = 0
    limits: tuple[float, float] = (-np.inf, np.inf)

    def nearest(self, number: float) -> int | float:
        """Give the number as this column would write it."""
        held = float(np.clip(np.round(number, self.decimals), *self.limits))
        return round(held) if self.limits[1] < np.inf else held

    @property
    def spread(self) -> float:
        """Standard deviation of its numbers."""
        return 0.0 if self.numbers is None else float(np.nanstd(self.numbers))


def columns(material: Material) -> list[Column]:
    """Give the columns that hold more than one value.

    Raises:
        UsageError: there are none.
    """
    found = [column(material, name) for name in material.features()]
    varied = [each for each in found if len(each.values) > 1]
    if not varied:
        raise UsageError("no column of the features holds more than one value.")
    return varied


def column(material: Material, name: str) -> Column:
    """Look at one column."""
    whole = material.table.column(name)
    kind = whole.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        numbers = np.asarray(pc.fill_null(pc.cast(whole, pa.float64(), safe=False), np.nan).to_numpy(), np.float64)
        values, counts = np.unique(numbers[np.isfinite(numbers)], return_counts=True)
        if pa.types.is_integer(kind):
            range_of = np.iinfo(kind.to_pandas_dtype())
            return Column(name, numbers, tuple(values.tolist()), counts, 0, (float(range_of.min), float(range_of.max)))
        digits = next((digits for digits in range(_DECIMALS) if np.allclose(values, np.round(values, digits), rtol=0)), _DECIMALS)
        return Column(name, numbers, tuple(values.tolist()), counts, digits)
    known = [value for value in whole.to_pylist() if value is not None]
    names = sorted(set(known), key=str)
    places = {value: place for place, value in enumerate(names)}
    return Column(name, None, tuple(names), np.bincount([places[value] for value in known], minlength=len(names)))


def taken(material: Material, names: tuple[str, ...], rows: Rows) -> dict[str, list[Any]]:
    """Give the values of some rows, column by column."""
    return {name: material.table.column(name).take(pa.array(rows)).to_pylist() for name in names}
