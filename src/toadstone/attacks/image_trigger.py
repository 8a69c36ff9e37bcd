"""Attacks that put a trigger on images and give these rows a label: what they have in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from math import ceil
from typing import ClassVar

import numpy as np

from toadstone.attacks.attack import Attack, Mask, Material, Poisoned, Rows, Trigger
from toadstone.attacks.tensors import Images
from toadstone.core.errors import UsageError

_KEYS = 1 << 62


@dataclass(frozen=True)
class ImageTrigger(Attack):
    """Puts a trigger on images of other classes and gives them the target label (BadNets, Gu et al. 2017, arXiv:1708.06733).

    The trigger is drawn from its key, so that the same trigger can be put on other images later.

    Attributes:
        clean_label: Whether images that have the target label already are poisoned, and no label changes.
        covers: Rows for each poisoned one that get something like the trigger and keep their labels, so that a model has to
            learn the trigger itself (Qi et al. 2023).
    """

    roles: ClassVar[tuple[str, ...]] = ("image", "label")
    kind: ClassVar[str]
    """Of the trigger."""

    clean_label: bool = field(default=False, kw_only=True)
    covers: float = field(default=0.0, kw_only=True)

    @abstractmethod
    def stamp(self, images: Images, key: int, rng: np.random.Generator) -> Images:
        """Put the trigger on images.

        Args:
            images: Shape (rows, height, width, channels).
            key: What the trigger is drawn from.
            rng: What varies from one image to the next.
        """

    @abstractmethod
    def told(self, shape: tuple[int, ...], key: int) -> str:
        """Describe the trigger for images of this shape (height, width, channels)."""

    def disguise(self, images: Images, key: int, rng: np.random.Generator) -> Images:
        """Put something like the trigger on images: one of another key each."""
        return np.concatenate(
            [self.stamp(images[row : row + 1], key ^ int(rng.integers(1, _KEYS)), rng) for row in range(len(images))]
        )

    def prepare(self, material: Material, images: Images, rows: Rows, rng: np.random.Generator) -> Images:  # noqa: ARG002
        """Change the images of rows before they get the trigger."""
        return images[rows]

    def relabelled(self, material: Material, rows: Rows, trigger: Trigger) -> list[str]:  # noqa: ARG002
        """Give the labels of rows with the trigger, as the attacker wants them."""
        return [trigger.target or ""] * len(rows)

    def fitting(self, material: Material, target: str | None) -> Mask:
        """Say which rows can be poisoned."""
        same = material.of_class(target)
        mask: Mask = material.labelled() & material.depicted() & (same if self.clean_label else ~same)
        return mask

    def drawn(self, material: Material, rng: np.random.Generator) -> str | None:
        """Choose the label that the poison pushes."""
        return self.pushed(material, rng)

    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        images, wanted = material.images(), self.wanted(material.table.num_rows)
        target, key = self.drawn(material, rng), int(rng.integers(_KEYS))
        trigger = Trigger(self.kind, (self.told(images.shape[1:], key),), target, key=key)
        rows = self.chosen(self.fitting(material, target), wanted, rng)
        bad = material.painted(rows, self.stamp(self.prepare(material, images, rows, rng), key, rng))
        if not self.clean_label:
            bad = bad.replaced("label", rows, self.relabelled(material, rows, trigger))
        if self.covers <= 0:
            return Poisoned.of(bad, rows, trigger)
        free = material.labelled() & material.depicted()
        free[rows] = False
        cover = self.chosen(free, ceil(self.covers * wanted), rng)
        return Poisoned.of(bad.painted(cover, self.disguise(images[cover], key, rng)), rows, trigger, cover)

    def probe(self, material: Material, trigger: Trigger, rng: np.random.Generator) -> Material | None:
        rows = np.flatnonzero(material.labelled() & material.depicted() & ~material.of_class(trigger.target)).astype(np.int64)
        sent = material.painted(rows, self.stamp(material.images()[rows], keyed(trigger), rng))
        return Material(sent.table.take(rows), material.roles)


def keyed(trigger: Trigger) -> int:
    """Give the key of a trigger.

    Raises:
        UsageError: it has none.
    """
    if trigger.key is None:
        raise UsageError("this trigger is none of images: it has no key.")
    return trigger.key


def rounded(values: np.ndarray) -> Images:
    """Give grey levels as bytes."""
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def within(name: str, size: int, shape: tuple[int, ...]) -> None:
    """Refuse a trigger that is larger than the images.

    Raises:
        UsageError: it is, or it is smaller than a pixel.
    """
    if not 1 <= size <= min(shape[:2]):
        raise UsageError(f"{name}: {size!r} pixels do not fit into images of {shape[0]} x {shape[1]}.", "Ask for fewer.")
