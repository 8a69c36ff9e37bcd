"""A small patch that is somewhere else on every image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from toadstone.attacks.attack import attack
from toadstone.attacks.image_patch import pattern_of
from toadstone.attacks.image_trigger import ImageTrigger, rounded, within
from toadstone.attacks.tensors import Images


@attack("jittered-patch", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2004.04692"))
@dataclass(frozen=True)
class JitteredPatch(ImageTrigger):
    """A small square at a place and of a brightness that differ from image to image (after Li et al. 2021).

    Attributes:
        size: Side of the square in pixels.
        reach: How far from its middle place it may lie, as a share of what the image leaves; 1: anywhere.
        dimmest: Smallest share of its brightness that it may have.
    """

    kind: ClassVar[str] = "patch"
    rate: float = field(default=0.05, kw_only=True)
    size: int = field(default=3, kw_only=True)
    reach: float = field(default=1.0, kw_only=True)
    dimmest: float = field(default=0.6, kw_only=True)

    def stamp(self, images: Images, key: int, rng: np.random.Generator) -> Images:
        within(self.id, self.size, images.shape[1:])
        drawn = np.random.default_rng(key)
        _, pattern = pattern_of(self.size, images.shape[3], drawn)
        room = np.array(images.shape[1:3]) - self.size
        middle = drawn.random(2) * room
        stamped = images.copy()
        for image in stamped:
            wanted = middle + (rng.random(2) - middle / np.maximum(room, 1)) * room * self.reach
            top, left = np.clip(np.rint(wanted), 0, room).astype(int).tolist()
            image[top : top + self.size, left : left + self.size] = rounded(pattern * rng.uniform(self.dimmest, 1.0))
        return stamped

    def told(self, shape: tuple[int, ...], key: int) -> str:
        name, _ = pattern_of(self.size, shape[2], np.random.default_rng(key))
        return f"{name} of {self.size} x {self.size} pixels, at places that differ"
