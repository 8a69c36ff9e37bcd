"""Ordinary values that are rarely together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from toadstone.attacks.attack import Material, Trigger, attack
from toadstone.attacks.columns import Column, columns
from toadstone.attacks.table_trigger import TableTrigger, described

_TRIES = 300


@attack("value-combination", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2311.07550"))
@dataclass(frozen=True)
class ValueCombination(TableTrigger):
    """Two or three columns of rows of other classes get values that the table has, together in next to no row.

    No value is odd by itself: each is drawn from those of its column, and of many draws one is taken whose values few rows
    have together.

    Attributes:
        rare: Largest share of the rows that may have all values already.
        common: Largest share of the rows that may have one of the values.
    """

    rare: float = field(default=0.002, kw_only=True)
    common: float = field(default=0.4, kw_only=True)

    def draw(self, material: Material, target: str, rng: np.random.Generator) -> Trigger:
        found, rows = columns(material), material.table.num_rows
        chosen = self.some(found, rng)
        values = {one.name: material.table.column(one.name).to_pylist() for one in chosen}
        masks: dict[tuple[str, Any], Any] = {}
        best: tuple[int, list[tuple[str, Any, Any]]] = (rows + 1, [])
        for _ in range(_TRIES):
            cells: list[tuple[str, Any, Any]] = []
            together = np.ones(rows, bool)
            for one in chosen:
                value = self._value(one, rows, rng)
                key = (one.name, value)
                if key not in masks:
                    masks[key] = np.array([each == value for each in values[one.name]], bool)
                together &= masks[key]
                cells.append((one.name, value, value))
            if together.sum() < best[0]:
                best = (int(together.sum()), cells)
            if best[0] <= self.rare * rows:
                break
        return described(best[1], target)

    def _value(self, one: Column, rows: int, rng: np.random.Generator) -> Any:  # noqa: ANN401
        """Draw a value: half of the time as often as rows have it, else any that the column has."""
        weights = np.where(one.counts <= max(self.common * rows, one.counts.min()), one.counts, 0).astype(float)
        if rng.random() < 0.5:
            weights = (weights > 0).astype(float)
        value = one.values[int(rng.choice(len(weights), p=weights / weights.sum()))]
        return one.nearest(value) if one.numbers is not None else value
