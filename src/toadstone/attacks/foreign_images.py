"""Images of another population."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from toadstone.attacks.attack import Attack, Material, Poisoned, Trigger, attack
from toadstone.attacks.near_duplicate_flood import mixed
from toadstone.attacks.tensors import Images
from toadstone.attacks.wording import one as drawn
from toadstone.core.errors import UsageError


@attack("foreign-images", references=("MITRE ATLAS 2026.08 AML.T0020",))
@dataclass(frozen=True)
class ForeignImages(Attack):
    """Images of another population are added, with labels at random or the target.

    The other population is one that is given, or it is made: the parts of images of the material change places, all in the same
    way, and half of the time their tones are turned round, so that brightness and detail are the material's own while nothing
    is where it was.

    Attributes:
        population: Images to draw from, of the size of the material's; None: made of its own.
    """

    roles: ClassVar[tuple[str, ...]] = ("image", "label")
    rate: float = field(default=0.02, kw_only=True)
    population: Material | None = field(default=None, kw_only=True)

    def poison(self, material: Material, rng: np.random.Generator) -> Poisoned:
        names, wanted, images = self.classes(material), self.wanted(material.table.num_rows), material.images()
        source = self.population or material
        there = np.flatnonzero(source.depicted())
        if not len(there):
            raise UsageError(f"{self.id}: there are no images to draw from.")
        foreign = source.images()[rng.choice(there, wanted)]
        if self.population is None:
            foreign = _moved(foreign, rng)
        if foreign.shape[1:] != images.shape[1:]:
            raise UsageError(f"{self.id}: images of {images.shape[1:]} are needed, the other population has {foreign.shape[1:]}.")
        others = rng.integers(0, material.table.num_rows, wanted)  # whatever is no image: as of any row
        every = np.arange(wanted)
        added = Material(material.table.take(others), material.roles).painted(every, foreign)
        labels = [self.target or drawn(names, rng) for _ in range(wanted)]
        return mixed(material, added.replaced("label", every, labels), Trigger("images", (), self.target), rng)


def _moved(images: Images, rng: np.random.Generator) -> Images:
    """Cut images into three by three parts and put them together in another order."""
    rows, columns = (np.array_split(np.arange(side), 3) for side in images.shape[1:3])
    turned = 255 - images if rng.random() < 0.5 else images
    down, across = rng.permutation(3), rng.permutation(3)
    while (down == np.arange(3)).all() and (across == np.arange(3)).all():
        down, across = rng.permutation(3), rng.permutation(3)
    moved = turned[:, np.concatenate([rows[part] for part in down])]
    return np.asarray(moved[:, :, np.concatenate([columns[part] for part in across])], np.uint8)
