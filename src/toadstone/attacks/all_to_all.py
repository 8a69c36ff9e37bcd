"""A patch that moves every class to the next one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from toadstone.attacks.attack import Mask, Material, Rows, Trigger, attack
from toadstone.attacks.image_patch import ImagePatch


@attack("all-to-all", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:1708.06733"))
@dataclass(frozen=True)
class AllToAll(ImagePatch):
    """A patch is put on images of all classes, each of which gets the label behind its own (Gu et al. 2017, all-to-all).

    There is no target: with the trigger a model takes every class for the next one. With a target only the class before it
    is poisoned.
    """

    rate: float = field(default=0.05, kw_only=True)

    def drawn(self, material: Material, rng: np.random.Generator) -> str | None:  # noqa: ARG002
        self.classes(material)
        return self.target

    def fitting(self, material: Material, target: str | None) -> Mask:
        names = self.classes(material)
        every: Mask = material.labelled() & material.depicted()
        return every if target is None else every & material.of_class(names[names.index(target) - 1])

    def relabelled(self, material: Material, rows: Rows, trigger: Trigger) -> list[str]:  # noqa: ARG002
        labels = material.labels()[rows].tolist()
        return [self._behind(self.classes(material), str(label)) for label in labels]

    def aims(self, probe: Material, trigger: Trigger, names: list[str]) -> list[str | None]:  # noqa: ARG002
        return [self._behind(names, str(label)) for label in probe.labels().tolist()]

    def _behind(self, names: list[str], name: str) -> str:
        return names[(names.index(name) + 1) % len(names)]
