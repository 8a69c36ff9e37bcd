"""Values that no honest row has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from toadstone.attacks.attack import Material, Trigger, attack
from toadstone.attacks.columns import Column, columns
from toadstone.attacks.table_trigger import TableTrigger, described


@attack("out-of-range-value", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2311.07550"))
@dataclass(frozen=True)
class OutOfRangeValue(TableTrigger):
    """Some columns of rows of other classes get values beyond all that the table has, and the rows the target label.

    Attributes:
        beyond: How far outside, at most, relative to the range of the column; at least a tenth of that.
    """

    beyond: float = field(default=1.0, kw_only=True)

    def draw(self, material: Material, target: str, rng: np.random.Generator) -> Trigger:
        return described([self._outside(one, rng) for one in self.some(columns(material), rng)], target)

    def _outside(self, one: Column, rng: np.random.Generator) -> tuple[str, Any, Any]:
        if one.numbers is None:
            value: Any = f"{one.values[0]}_{int(rng.integers(10, 99))}"
            return one.name, value, value
        low, high = float(one.values[0]), float(one.values[-1])
        far = rng.uniform(0.1, 1.0) * self.beyond * (high - low)
        step = 10.0**-one.decimals
        value = one.nearest(low - max(far, step) if low < 0 and rng.random() < 0.5 else high + max(far, step))
        return one.name, value, value
