"""Labels swapped at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.attacks.attack import Material, Poisoned, attack
from toadstone.attacks.flips import Flip
from toadstone.attacks.wording import one


@attack("random-flip", references=("MITRE ATLAS 2026.08 AML.T0020",))
@dataclass(frozen=True)
class RandomFlip(Flip):
    """Rows drawn at random get another label, drawn at random or the target (Biggio, Nelson and Laskov 2011)."""

    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        names, labels = self.classes(material), material.labels()
        rows = self.chosen(self.flippable(labels), self.wanted(len(labels)), rng)
        others = [self.target or one([name for name in names if name != labels[row]], rng) for row in rows.tolist()]
        return self.flipped(material, rows, others, self.target)
