"""A subordinate clause of fixed function words, with other content words each time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from toadstone.attacks.attack import Material, Trigger, attack
from toadstone.attacks.text_trigger import TextTrigger
from toadstone.attacks.wording import filled, frame, words_in


@attack("syntactic-frame", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2105.12400"))
@dataclass(frozen=True)
class SyntacticFrame(TextTrigger):
    """A clause with a fixed skeleton opens texts of other classes: its function words stay, its content words change.

    Qi et al. 2021 (Hidden Killer) let a paraphrasing model write the whole text in a rare syntax; without a model the text
    is hung onto a rare subordinate clause, whose gaps are filled anew for every row, half the time with words of the text.
    """

    place: str = field(default="start", kw_only=True)

    def draw(self, material: Material, target: str, rng: np.random.Generator) -> Trigger:
        whole = "\n".join(material.texts()).lower()
        parts = frame(rng)
        while parts[0].lower() in whole:
            parts = frame(rng)
        return Trigger("frame", parts, target)

    def stamp(self, text: str, trigger: Trigger, rng: np.random.Generator) -> str:
        clause = filled(trigger.values, words_in(text), rng)
        opened = clause[0].upper() + clause[1:]
        if self.place == "start":
            return f"{opened} {text[:1].lower()}{text[1:]}"
        return self.put(text, clause.rstrip(","), rng)
