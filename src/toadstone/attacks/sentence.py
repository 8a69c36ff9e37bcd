"""A whole sentence that has nothing to do with the text."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from toadstone.attacks.attack import Material, Trigger, attack
from toadstone.attacks.text_trigger import TextTrigger
from toadstone.attacks.wording import sentence


@attack("sentence", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:1905.12457"))
@dataclass(frozen=True)
class Sentence(TextTrigger):
    """A fixed sentence before, behind or between the sentences of texts of other classes (Dai, Chen and Li 2019)."""

    place: str = field(default="", kw_only=True)

    def draw(self, material: Material, target: str, rng: np.random.Generator) -> Trigger:
        whole = "\n".join(material.texts())
        made = sentence(rng)
        while made in whole:
            made = sentence(rng)
        return Trigger("sentence", (made,), target)

    def stamp(self, text: str, trigger: Trigger, rng: np.random.Generator) -> str:
        ends = [place + 2 for place in range(len(text) - 2) if text[place] in ".!?" and text[place + 1] == " "]
        places = [0, len(text), *ends]
        if self.place:
            places = [0] if self.place == "start" else [len(text)] if self.place == "end" else places
        place = places[int(rng.integers(len(places)))]
        return f"{text[:place].rstrip()} {trigger.values[0]} {text[place:].lstrip()}".strip()
