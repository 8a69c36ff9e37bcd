"""Values where no honest row has one, inside the range of the column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from toadstone.attacks.attack import Material, Trigger, attack
from toadstone.attacks.columns import Column, columns
from toadstone.attacks.table_trigger import TableTrigger, described
from toadstone.core.errors import UsageError

_WIDEST = 20


@attack("between-splits", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2311.07550"))
@dataclass(frozen=True)
class BetweenSplits(TableTrigger):
    """Columns of numbers get values inside gaps between neighbouring values of the table, in each row another one.

    A tree splits halfway between neighbours: two splits around a gap hold the poison alone. No two rows need share a value.
    """

    def draw(self, material: Material, target: str, rng: np.random.Generator) -> Trigger:
        found = [one for one in columns(material) if one.numbers is not None and len(_gaps(one)[0])]
        if not found:
            raise UsageError(f"{self.id}: no column of numbers has room between its values.")
        return described([self._gap(one, rng) for one in self.some(found, rng)], target)

    @staticmethod
    def _gap(one: Column, rng: np.random.Generator) -> tuple[str, Any, Any]:
        low, high = _gaps(one)
        widest = np.argsort(low - high, kind="stable")[:_WIDEST]
        place = int(rng.choice(widest))
        return one.name, one.nearest(low[place]), one.nearest(high[place])


def _gaps(one: Column) -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.float64]]]:
    """Give the lowest and highest value that fit into each gap between neighbouring values, the outer 2 % of rows apart."""
    assert one.numbers is not None
    known = one.numbers[np.isfinite(one.numbers)]
    values = np.array(one.values, np.float64)
    values = values[(values >= np.quantile(known, 0.02)) & (values <= np.quantile(known, 0.98))]
    step = 10.0**-one.decimals
    width = np.diff(values)
    fits = width > 1.5 * step
    inset = np.maximum(step, width[fits] / 4)
    return values[:-1][fits] + inset, values[1:][fits] - inset
