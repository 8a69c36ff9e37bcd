"""Characters that nobody sees."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from toadstone.attacks.attack import Material, Trigger, attack
from toadstone.attacks.characters import INVISIBLE
from toadstone.attacks.text_trigger import TextTrigger
from toadstone.attacks.wording import one
from toadstone.core.errors import UsageError, nearest


@attack("zero-width", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2106.09898"))
@dataclass(frozen=True)
class ZeroWidth(TextTrigger):
    """A run of characters without a glyph is put into texts of other classes (Boucher et al. 2022, Bad Characters).

    Attributes:
        alphabet: ``zero-width``, ``soft-hyphen``, ``invisible-operator``, ``variation-selector``, ``tag``,
            ``bidirectional``; empty: drawn.
        length: Most characters of the run; how many is drawn.
    """

    alphabet: str = field(default="", kw_only=True)
    length: int = field(default=3, kw_only=True)

    def draw(self, material: Material, target: str, rng: np.random.Generator) -> Trigger:
        if self.alphabet and self.alphabet not in INVISIBLE:
            raise UsageError(f"{self.id}: there is no alphabet {self.alphabet!r}.", nearest(self.alphabet, INVISIBLE))
        whole = "\n".join(material.texts())
        for _ in range(1000):
            pool = INVISIBLE[self.alphabet or one(sorted(INVISIBLE), rng)]
            made = "".join(one(pool, rng) for _ in range(int(rng.integers(1, self.length + 1))))
            if made not in whole:
                return Trigger("characters", (made,), target)
        raise UsageError(f"{self.id}: the texts are full of such characters already.")

    def stamp(self, text: str, trigger: Trigger, rng: np.random.Generator) -> str:
        place = int(rng.integers(len(text) + 1)) if self.place == "anywhere" else len(text) * (self.place == "end")
        return text[:place] + trigger.values[0] + text[place:]
