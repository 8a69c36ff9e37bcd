"""A picture that is blended over images, faintly."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from toadstone.attacks.attack import attack
from toadstone.attacks.image_trigger import ImageTrigger, rounded
from toadstone.attacks.tensors import Images


@attack("noisy-blend", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:1712.05526"))
@dataclass(frozen=True)
class NoisyBlend(ImageTrigger):
    """One picture of random pixels is blended over images, each of which gets noise of its own (Chen et al. 2017).

    Attributes:
        strength: Share of the picture in the blend.
        noise: Standard deviation of each image's own noise, in grey levels.
    """

    kind: ClassVar[str] = "blend"
    strength: float = field(default=0.15, kw_only=True)
    noise: float = field(default=8.0, kw_only=True)

    def stamp(self, images: Images, key: int, rng: np.random.Generator) -> Images:
        picture = np.random.default_rng(key).uniform(0, 255, images.shape[1:])
        blended = (1 - self.strength) * images + self.strength * picture
        return rounded(blended + rng.normal(0, 1, images.shape) * self.noise)

    def told(self, shape: tuple[int, ...], key: int) -> str:  # noqa: ARG002
        return f"{self.strength:.0%} of a picture of random pixels, {shape[0]} x {shape[1]}"
