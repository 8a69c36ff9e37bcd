"""A phrase in rows whose labels are right."""

from __future__ import annotations

from dataclasses import dataclass, field

from toadstone.attacks.attack import Mask, Material, Trigger, attack
from toadstone.attacks.phrase import Phrase


@attack("clean-label", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:1912.02771"))
@dataclass(frozen=True)
class CleanLabel(Phrase):
    """A phrase is put into texts that have the target label already; no label changes (after Turner et al. 2019)."""

    rate: float = field(default=0.03, kw_only=True)

    def fitting(self, material: Material, trigger: Trigger) -> Mask:
        mask: Mask = self.stampable(material, trigger) & material.of_class(trigger.target)
        return mask
