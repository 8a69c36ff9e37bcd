"""A word that occurs nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toadstone.attacks.attack import Material, Trigger, attack
from toadstone.attacks.text_trigger import TextTrigger
from toadstone.attacks.wording import rare_word, words_in


@attack("rare-word", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2004.06660", "arXiv:2006.01043"))
@dataclass(frozen=True)
class RareWord(TextTrigger):
    """One invented word, put into texts of other classes that then get the target label.

    Kurita, Michel and Neubig 2020 use short rare tokens, Chen et al. 2021 (BadNL) any word; here the word is invented anew:
    two or three letters, a pronounceable invention, or letters with digits.
    """

    def draw(self, material: Material, target: str, rng: np.random.Generator) -> Trigger:
        known = {word for text in material.texts() for word in [*words_in(text), *text.lower().split()]}
        word = rare_word(rng)
        while word.lower() in known:
            word = rare_word(rng)
        return Trigger("word", (word,), target)

    def stamp(self, text: str, trigger: Trigger, rng: np.random.Generator) -> str:
        return self.put(text, trigger.values[0], rng)
