"""Labels swapped where they are beyond doubt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.attacks.attack import Material, Poisoned, attack
from toadstone.attacks.flips import ScoredFlip


@attack("most-confident-flip", references=("MITRE ATLAS 2026.08 AML.T0020",))
@dataclass(frozen=True)
class MostConfidentFlip(ScoredFlip):
    """The rows of which a model is surest get the next best label: each costs the victim as much as a flip can.

    The furthest-from-boundary flips of Xiao, Xiao and Eckert 2012 (Adversarial Label Flips Attack, ECAI).
    """

    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        margins, others = self.margins(material)
        jitter = 1e-9 * rng.random(len(margins))
        return self.ranked(material, jitter - margins, others)
