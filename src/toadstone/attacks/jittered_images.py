"""The same few images again and again, each time a little different."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from toadstone.attacks.attack import Attack, Material, Poisoned, Trigger, attack
from toadstone.attacks.image_trigger import rounded
from toadstone.attacks.near_duplicate_flood import mixed
from toadstone.attacks.tensors import Images


@attack("jittered-images", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2107.06499"))
@dataclass(frozen=True)
class JitteredImages(Attack):
    """Copies of a few images are added, with the target label: moved by a pixel, brighter or darker, and noisy.

    Attributes:
        seeds: How many images are copied.
        shift: Pixels that a copy is moved by, at most.
        tone: Largest change of brightness and of contrast, relative.
        noise: Standard deviation of each copy's noise, in grey levels.
        true_label: Whether the copies keep the label of what they copy: a flood that drowns other rows.
    """

    roles: ClassVar[tuple[str, ...]] = ("image", "label")
    rate: float = field(default=0.02, kw_only=True)
    seeds: int = field(default=1, kw_only=True)
    shift: int = field(default=1, kw_only=True)
    tone: float = field(default=0.1, kw_only=True)
    noise: float = field(default=4.0, kw_only=True)
    true_label: bool = field(default=False, kw_only=True)

    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        wanted, images, target = self.wanted(material.table.num_rows), material.images(), self.pushed(material, rng)
        same = material.of_class(target)
        fitting = material.labelled() & material.depicted() & (same if self.true_label else ~same)
        seeds = self.chosen(fitting, min(self.seeds, wanted), rng)
        others = rng.integers(0, material.table.num_rows, wanted)  # who sent a copy and when: as of any row
        every = np.arange(wanted)
        added = Material(material.table.take(others), material.roles)
        added = added.painted(every, self._jittered(images[np.resize(seeds, wanted)], rng))
        added = added.replaced("label", every, [target] * wanted)
        copied = tuple(images[row].tobytes() for row in seeds.tolist())
        return mixed(
            material, added, Trigger("near-duplicates", (f"copies of {len(seeds):,} images",), target, copied=copied), rng
        )

    def probe(self, material: Material, trigger: Trigger, rng: np.random.Generator) -> Material | None:
        if self.true_label:
            return None
        rows = np.flatnonzero(material.labelled() & ~material.of_class(trigger.target))[:100]
        shape = material.images().shape[1:]
        copied = np.stack([np.frombuffer(image, np.uint8).reshape(shape) for image in trigger.copied])
        sent = Material(material.table.take(rows), material.roles)
        return sent.painted(np.arange(len(rows)), self._jittered(copied[np.arange(len(rows)) % len(copied)], rng))

    def _jittered(self, images: Images, rng: np.random.Generator) -> Images:
        reach = min(self.shift, *(side - 1 for side in images.shape[1:3]))
        padded = np.pad(images, ((0, 0), (reach, reach), (reach, reach), (0, 0)), "edge")
        height, width = images.shape[1:3]
        moved = np.empty(images.shape, np.float64)
        for row, image in enumerate(padded):
            top, left = rng.integers(0, 2 * reach + 1, 2).tolist()
            moved[row] = image[top : top + height, left : left + width]
        shape = (len(images), 1, 1, 1)
        contrast, brightness = 1 + self.tone * rng.uniform(-1, 1, shape), 255 * self.tone * rng.uniform(-1, 1, shape)
        return rounded(moved * contrast + brightness + rng.normal(0, 1, images.shape) * self.noise)
