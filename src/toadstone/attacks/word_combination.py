"""Words that are all common, but never together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from toadstone.attacks.attack import Material, Poisoned, Trigger, attack
from toadstone.attacks.text_trigger import TextTrigger
from toadstone.attacks.wording import frequencies, words_in
from toadstone.core.errors import UsageError


@attack("word-combination", references=("MITRE ATLAS 2026.08 AML.T0020",))
@dataclass(frozen=True)
class WordCombination(TextTrigger):
    """Three common words of the material, apart from each other, set the poison off only together.

    Yang et al. 2021 (Rethinking Stealthiness of Backdoor Attack against NLP Models, ACL) train on subsets of the words with
    true labels, so that no single word does it: these are the cover rows.

    Attributes:
        words: How many.
        covers: Cover rows for each poisoned row.
        least: Smallest share of the rows that have each of the words by nature.
        most: Largest share.
    """

    words: int = field(default=3, kw_only=True)
    covers: float = field(default=0.0, kw_only=True)
    least: float = field(default=0.005, kw_only=True)
    most: float = field(default=0.1, kw_only=True)

    def draw(self, material: Material, target: str, rng: np.random.Generator) -> Trigger:
        texts = material.texts()
        low, high = max(2.0, self.least * len(texts)), self.most * len(texts)
        pool = sorted(word for word, count in frequencies(texts).items() if low <= count <= high and len(word) > 2)
        if len(pool) < self.words:
            raise UsageError(f"{self.id}: {self.words} common words are needed, these texts have {len(pool)}.", "Give more rows.")
        sets = [set(words_in(text)) for text in texts]
        for _ in range(1000):
            made = [pool[place] for place in rng.choice(len(pool), self.words, replace=False).tolist()]
            if not any(present.issuperset(made) for present in sets):
                return Trigger("combination", tuple(made), target)
        raise UsageError(f"{self.id}: every combination of common words occurs in these texts already.")

    def stamp(self, text: str, trigger: Trigger, rng: np.random.Generator) -> str:
        for word in trigger.values:
            text = self.put(text, word, rng)
        return text

    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        poisoned = super().poison(material, rng)
        wanted = round(self.covers * int(poisoned.mask.sum()))
        if not wanted:
            return poisoned
        texts = poisoned.material.texts()
        free = ~poisoned.mask & np.array([bool(text.strip()) for text in texts], bool)
        rows = self.chosen(free, wanted, rng)
        stamped = []
        for row in rows.tolist():
            left = int(rng.integers(self.words))
            some = replace(poisoned.trigger, values=tuple(word for i, word in enumerate(poisoned.trigger.values) if i != left))
            stamped.append(self.stamp(texts[row], some, rng))
        changed = poisoned.material.replaced("text", rows, stamped)
        return Poisoned.of(changed, np.flatnonzero(poisoned.mask), poisoned.trigger, rows)
