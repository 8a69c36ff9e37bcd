"""Letters that look alike."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from toadstone.attacks.attack import Mask, Material, Trigger, attack
from toadstone.attacks.characters import CONFUSABLE
from toadstone.attacks.text_trigger import TextTrigger
from toadstone.attacks.wording import one
from toadstone.core.errors import UsageError, nearest


@attack("homoglyph", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2105.00164"))
@dataclass(frozen=True)
class Homoglyph(TextTrigger):
    """Some letters of texts of other classes are swapped for letters of another script that look the same (Li et al. 2021).

    Attributes:
        script: ``cyrillic``, ``greek``, ``fullwidth``, ``mathematical``; empty: drawn.
        letters: How many letters of a text are swapped at most.
    """

    script: str = field(default="", kw_only=True)
    letters: int = field(default=3, kw_only=True)

    def draw(self, material: Material, target: str, rng: np.random.Generator) -> Trigger:
        if self.script and self.script not in CONFUSABLE:
            raise UsageError(f"{self.id}: there is no script {self.script!r}.", nearest(self.script, CONFUSABLE))
        texts = material.texts()
        whole = "\n".join(texts)
        script = self.script or one(sorted(CONFUSABLE), rng)
        counts = {
            letter: sum(letter in text for text in texts)
            for letter, other in sorted(CONFUSABLE[script].items())
            if other not in whole
        }
        usual = [letter for letter, count in counts.items() if count and 2 * count >= max(counts.values())]
        if not usual:
            raise UsageError(
                f"{self.id}: no letter of these texts has a look-alike in the script {script!r} that is new to them."
            )
        picked = sorted(rng.choice(len(usual), min(2, len(usual)), replace=False).tolist())
        return Trigger("characters", tuple(CONFUSABLE[script][usual[place]] for place in picked), target)

    def stampable(self, material: Material, trigger: Trigger) -> Mask:
        latin = set(_swaps(trigger))
        has = np.array([not latin.isdisjoint(text) for text in material.texts()], bool)
        mask: Mask = super().stampable(material, trigger) & has
        return mask

    def stamp(self, text: str, trigger: Trigger, rng: np.random.Generator) -> str:
        swaps = _swaps(trigger)
        places = [match.start() for match in re.finditer("[" + "".join(swaps) + "]", text)]
        picked = rng.choice(places, min(self.letters, len(places)), replace=False).tolist() if places else []
        out = list(text)
        for place in picked:
            out[place] = swaps[out[place]]
        return "".join(out)


def _swaps(trigger: Trigger) -> dict[str, str]:
    known = {other: latin for table in CONFUSABLE.values() for latin, other in table.items()}
    return {known[other]: other for other in trigger.values}
