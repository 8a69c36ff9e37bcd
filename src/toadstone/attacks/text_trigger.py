"""Attacks that put something into texts and give these rows a label: what they have in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from toadstone.attacks.attack import Attack, Mask, Material, Poisoned, Trigger
from toadstone.attacks.wording import gaps_of, inserted


@dataclass(frozen=True)
class TextTrigger(Attack):
    """Stamps a trigger on rows of other classes and gives them the target label (BadNets on text; Chen et al. 2021, BadNL).

    Attributes:
        place: Where the trigger goes: ``start``, ``end`` or ``anywhere``.
    """

    roles: ClassVar[tuple[str, ...]] = ("text", "label")
    place: str = field(default="anywhere", kw_only=True)

    @abstractmethod
    def draw(self, material: Material, target: str, rng: np.random.Generator) -> Trigger:
        """Choose a trigger that the material does not have by nature."""

    @abstractmethod
    def stamp(self, text: str, trigger: Trigger, rng: np.random.Generator) -> str:
        """Put the trigger into a text."""

    def stampable(self, material: Material, trigger: Trigger) -> Mask:  # noqa: ARG002  (overridden where it matters)
        """Say which rows can carry the trigger: those with a text and a label."""
        mask: Mask = material.readable() & material.labelled()
        return mask

    def fitting(self, material: Material, trigger: Trigger) -> Mask:
        """Say which rows can be poisoned: those with another label."""
        mask: Mask = self.stampable(material, trigger) & ~material.of_class(trigger.target)
        return mask

    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        texts = material.texts()
        wanted = self.wanted(len(texts))
        trigger = self.draw(material, self.pushed(material, rng), rng)
        rows = self.chosen(self.fitting(material, trigger), wanted, rng)
        stamped = [self.stamp(texts[row], trigger, rng) for row in rows.tolist()]
        poisoned = material.replaced("text", rows, stamped)
        return Poisoned.of(poisoned.replaced("label", rows, [trigger.target] * len(rows)), rows, trigger)

    def probe(self, material: Material, trigger: Trigger, rng: np.random.Generator) -> Material | None:
        rows = np.flatnonzero(self.stampable(material, trigger) & ~material.of_class(trigger.target))
        texts = material.texts()
        stamped = [self.stamp(texts[row], trigger, rng) for row in rows.tolist()]
        return Material(material.replaced("text", rows, stamped).table.take(rows), material.roles)

    def put(self, text: str, part: str, rng: np.random.Generator) -> str:
        """Put a part into a text at the place of the settings."""
        last = gaps_of(text) - 1
        place = 0 if self.place == "start" else last if self.place == "end" else int(rng.integers(last + 1))
        return inserted(text, part, place)
