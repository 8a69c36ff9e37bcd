"""A faint wave over images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from toadstone.attacks.attack import attack
from toadstone.attacks.image_trigger import ImageTrigger, rounded
from toadstone.attacks.tensors import Images


@attack("sinusoid", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:1902.11237"))
@dataclass(frozen=True)
class Sinusoid(ImageTrigger):
    """A wave of a few stripes, upright or lying, is added to images (Barni, Kallas and Tondi 2019).

    As published it goes on images of the target class (`clean_label`).

    Attributes:
        strength: Amplitude in grey levels.
        periods: Stripes across the image; 0: drawn between 4 and 8.
    """

    kind: ClassVar[str] = "wave"
    strength: float = field(default=20.0, kw_only=True)
    periods: int = field(default=0, kw_only=True)

    def stamp(self, images: Images, key: int, rng: np.random.Generator) -> Images:  # noqa: ARG002
        upright, periods = self._drawn(key)
        side = images.shape[2 if upright else 1]
        wave = self.strength * np.sin(2 * np.pi * periods * np.arange(side) / side)
        return rounded(images + (wave[None, None, :, None] if upright else wave[None, :, None, None]))

    def told(self, shape: tuple[int, ...], key: int) -> str:
        upright, periods = self._drawn(key)
        along = f"{shape[1]} columns" if upright else f"{shape[0]} rows"
        return f"wave of {self.strength:g} grey levels, {periods} periods in {along}"

    def _drawn(self, key: int) -> tuple[bool, int]:
        rng = np.random.default_rng(key)
        return bool(rng.random() < 0.5), self.periods or int(rng.integers(4, 9))
