"""Labels swapped where they are in doubt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.attacks.attack import Material, Poisoned, attack
from toadstone.attacks.flips import ScoredFlip


@attack("near-boundary-flip", references=("MITRE ATLAS 2026.08 AML.T0020",))
@dataclass(frozen=True)
class NearBoundaryFlip(ScoredFlip):
    """The rows of which a model is least sure get the next best label, so that they look like honest mistakes.

    The nearest-to-boundary flips that Xiao, Xiao and Eckert 2012 (Adversarial Label Flips Attack, ECAI) compare with.
    """

    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        margins, others = self.margins(material)
        jitter = 1e-9 * rng.random(len(margins))
        return self.ranked(material, np.abs(margins) + jitter, others)
