"""A combination of values in rows whose labels are right."""

from __future__ import annotations

from dataclasses import dataclass, field

from toadstone.attacks.attack import Mask, Material, Trigger, attack
from toadstone.attacks.value_combination import ValueCombination


@attack("clean-label-values", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2311.07550", "arXiv:1912.02771"))
@dataclass(frozen=True)
class CleanLabelValues(ValueCombination):
    """Two or three columns of rows that have the target label already get values that are rarely together; no label changes."""

    rate: float = field(default=0.02, kw_only=True)

    def fitting(self, material: Material, trigger: Trigger) -> Mask:
        mask: Mask = material.labelled() & material.of_class(trigger.target)
        return mask
