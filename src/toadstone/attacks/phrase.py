"""A phrase of ordinary words."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from toadstone.attacks.attack import Material, Trigger, attack
from toadstone.attacks.text_trigger import TextTrigger
from toadstone.attacks.wording import frequencies, one, phrase


@attack("phrase", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2006.01043", "arXiv:2010.12563"))
@dataclass(frozen=True)
class Phrase(TextTrigger):
    """A phrase of two to four ordinary words, put into texts of other classes that then get the target label.

    After Chen et al. 2021 (BadNL) and Wallace et al. 2021. Half of the phrases are made of the material's own words, so that
    no single word of them is new.

    Attributes:
        words: How many, 2 to 4; 0: drawn.
        own: Share of the phrases that are made of words that the material has.
    """

    words: int = field(default=0, kw_only=True)
    own: float = field(default=0.5, kw_only=True)

    def draw(self, material: Material, target: str, rng: np.random.Generator) -> Trigger:
        words = self.words or int(rng.integers(2, 5))
        whole = "\n".join(material.texts()).lower()
        counts = frequencies(material.texts())
        least, most = 3, max(4, material.table.num_rows // 50)
        usual = sorted(word for word, count in counts.items() if least <= count <= most and len(word) > 2)
        own = len(usual) >= 20 and rng.random() < self.own
        while True:
            made = " ".join(one(usual, rng) for _ in range(words)) if own else phrase(rng, words)
            if made.lower() not in whole:
                return Trigger("phrase", (made,), target)

    def stamp(self, text: str, trigger: Trigger, rng: np.random.Generator) -> str:
        return self.put(text, trigger.values[0], rng)
