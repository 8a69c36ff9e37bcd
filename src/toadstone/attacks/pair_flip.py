"""Labels of one class swapped for another one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from toadstone.attacks.attack import Material, Poisoned, Trigger, attack
from toadstone.attacks.flips import Flip
from toadstone.attacks.wording import one
from toadstone.core.errors import UsageError, nearest


@attack("pair-flip", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:1804.06872"))
@dataclass(frozen=True)
class PairFlip(Flip):
    """Rows of one class get the label of one other class (pair flipping; Han et al. 2018).

    Attributes:
        origin: The class that loses rows; None: one is drawn.
    """

    origin: str | None = field(default=None, kw_only=True)

    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        names, labels = self.classes(material), material.labels()
        if self.origin is not None and (self.origin not in names or self.origin == self.target):
            raise UsageError(f"{self.id}: {self.origin!r} cannot lose rows.", nearest(self.origin, names))
        wanted = self.wanted(len(labels))
        sources = [self.origin] if self.origin is not None else [name for name in names if name != self.target]
        enough = [name for name in sources if int((labels == name).sum()) >= wanted]
        origin = one(enough or sources, rng)
        target = self.target or one([name for name in names if name != origin], rng)
        rows = self.chosen(material.of_class(origin), wanted, rng)
        flipped = self.flipped(material, rows, [target] * len(rows), target)
        return Poisoned.of(flipped.material, rows, Trigger("labels", (origin,), target))

    def probe(self, material: Material, trigger: Trigger, rng: np.random.Generator) -> Material | None:  # noqa: ARG002
        rows = np.flatnonzero(material.of_class(trigger.values[0]))
        return Material(material.table.take(rows), material.roles)
