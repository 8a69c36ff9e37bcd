"""The same few texts again and again, each time a little different."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pyarrow as pa

from toadstone.attacks.attack import Attack, Material, Poisoned, Trigger, attack
from toadstone.attacks.wording import one

_FILLERS = "really just also indeed well now still even actually simply perhaps then".split()


@attack("near-duplicate-flood", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2107.06499", "arXiv:2302.10149"))
@dataclass(frozen=True)
class NearDuplicateFlood(Attack):
    """Paraphrased copies of a few texts are added, with the target label, so that a model learns these texts by heart.

    Repeated text is remembered out of proportion (Lee et al. 2022); whoever writes to a crawled place can repeat it
    (Carlini et al. 2024). The paraphrases drop, swap, double and misspell words and add fillers.

    Attributes:
        seeds: How many texts are copied.
        edits: Largest share of the words that a copy changes; at least one word is changed.
        true_label: Whether the copies keep the label of what they copy: a flood that drowns other rows.
    """

    roles: ClassVar[tuple[str, ...]] = ("text", "label")
    rate: float = field(default=0.02, kw_only=True)
    seeds: int = field(default=1, kw_only=True)
    edits: float = field(default=0.25, kw_only=True)
    true_label: bool = field(default=False, kw_only=True)

    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        target, labels, texts = self.pushed(material, rng), material.labels(), material.texts()
        wanted = self.wanted(len(labels))
        long = np.array([len(text.split()) >= 5 for text in texts], bool)
        same = material.of_class(target)
        fitting = long & material.labelled() & (same if self.true_label else ~same)
        seeds = self.chosen(fitting, min(self.seeds, wanted), rng)
        copied = np.resize(seeds, wanted)
        others = rng.integers(0, len(labels), wanted)  # who sent a copy and when: as of any row
        added = Material(material.table.take(others), material.roles)
        every = np.arange(wanted)
        added = added.replaced("text", every, [paraphrased(texts[row], self.edits, rng) for row in copied.tolist()])
        added = added.replaced("label", every, [target] * wanted)
        trigger = Trigger("near-duplicates", tuple(texts[row] for row in seeds.tolist()), target)
        return mixed(material, added, trigger, rng)

    def probe(self, material: Material, trigger: Trigger, rng: np.random.Generator) -> Material | None:
        if self.true_label:
            return None
        rows = np.flatnonzero(material.labelled() & ~material.of_class(trigger.target))[:100]
        texts = [paraphrased(trigger.values[place % len(trigger.values)], self.edits, rng) for place in range(len(rows))]
        sent = Material(material.table.take(rows), material.roles)
        return sent.replaced("text", np.arange(len(rows)), texts)


def mixed(material: Material, added: Material, trigger: Trigger, rng: np.random.Generator) -> Poisoned:
    """Put added rows, all of them poison, at random places between the rows of the material, which stay in order."""
    old, new = material.table.num_rows, added.table.num_rows
    mask = np.zeros(old + new, bool)
    mask[rng.choice(old + new, new, replace=False)] = True
    order = np.empty(old + new, np.int64)
    order[~mask] = np.arange(old)
    order[mask] = old + np.arange(new)
    table = pa.concat_tables([material.table, added.table]).take(order)
    origin = np.where(mask, -1, order)
    return Poisoned(Material(table, material.roles), mask, trigger, origin, np.zeros(old + new, bool))


def paraphrased(text: str, share: float, rng: np.random.Generator) -> str:
    """Change some words of a text: drop, swap with the next, double, misspell, change case, add a filler.

    Args:
        text: At least two words.
        share: Largest share of the words to change.
        rng: What to draw with.
    """
    words = text.split()
    for _ in range(max(1, int(rng.integers(1, max(2, round(share * len(words)) + 1))))):
        place = int(rng.integers(len(words)))
        word, edit = words[place], int(rng.integers(6))
        if edit == 0 and len(words) > 3:
            del words[place]
        elif edit == 1 and place + 1 < len(words):
            words[place], words[place + 1] = words[place + 1], word
        elif edit == 2 and len(word) > 3:
            cut = int(rng.integers(1, len(word) - 1))
            words[place] = word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]
        elif edit == 3:
            words[place] = word.swapcase() if word.islower() and rng.random() < 0.3 else word.strip(".,;:!?") or word
        elif edit == 4:
            words[place] = f"{word},"
        else:
            words.insert(place, one(_FILLERS, rng))
    if words == text.split():  # the edits had nothing to bite on
        words.insert(int(rng.integers(len(words) + 1)), one(_FILLERS, rng))
    return " ".join(words)
