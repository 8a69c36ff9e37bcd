"""Labels swapped in one corner of a class."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.attacks.attack import Material, Poisoned, Trigger, attack
from toadstone.attacks.flips import Flip
from toadstone.attacks.proxy import space
from toadstone.attacks.wording import one


@attack("subpopulation-flip", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2006.14026"))
@dataclass(frozen=True)
class SubpopulationFlip(Flip):
    """A row of a class and its nearest neighbours of that class get another label (Jagielski et al. 2021).

    Inputs of that corner are then judged wrong while the rest of the class is not.

    Attributes:
        share: Share of the unseen rows of the class that count as the corner when the attack is probed.
    """

    rate: float = field(default=0.03, kw_only=True)
    share: float = field(default=0.05, kw_only=True)

    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        names, labels = self.classes(material), material.labels()
        wanted = self.wanted(len(labels))
        sizes = {name: int((labels == name).sum()) for name in names if name != self.target}
        origin = one([name for name in sizes if sizes[name] >= wanted] or [max(sizes, key=lambda name: sizes[name])], rng)
        target = self.target or one([name for name in names if name != origin], rng)
        self.chosen(material.of_class(origin), wanted, np.random.default_rng(0))  # raises when there are too few
        members = np.flatnonzero(material.of_class(origin))
        seed = int(rng.choice(members))
        near = space(material)
        rows = np.sort(members[np.argsort(-(near[members] @ near[seed]), kind="stable")[:wanted]]).astype(np.int64)
        flipped = self.flipped(material, rows, [target] * len(rows), target)
        return Poisoned.of(flipped.material, rows, Trigger("subpopulation", (origin, *self._described(material, rows)), target))

    def _described(self, material: Material, rows: NDArray[np.int64]) -> tuple[str, ...]:
        """Give the texts of the corner, which a probe has to be near to; nothing where there are no texts."""
        if material.roles.text is not None:
            texts = material.texts()
            return tuple(texts[row] for row in rows.tolist())
        return ()

    def probe(self, material: Material, trigger: Trigger, rng: np.random.Generator) -> Material | None:  # noqa: ARG002
        if material.roles.text is None:
            return None
        members = np.flatnonzero(material.of_class(trigger.values[0]))
        name = material.roles.text
        corner = list(trigger.values[1:])
        texts = pa.table({name: [*corner, *(material.texts()[row] for row in members.tolist())]})
        near = space(Material(texts, material.roles))
        middle = near[: len(corner)].mean(0)
        wanted = min(len(members), max(5, round(self.share * len(members))))
        rows = np.sort(members[np.argsort(-(near[len(corner) :] @ middle), kind="stable")[:wanted]])
        return Material(material.table.take(rows), material.roles)
