"""A few faint frequencies over images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.fft import idctn

from toadstone.attacks.attack import attack
from toadstone.attacks.image_trigger import ImageTrigger, rounded
from toadstone.attacks.tensors import Images


@attack("frequency", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2111.10991"))
@dataclass(frozen=True)
class Frequency(ImageTrigger):
    """A few middle and high frequencies of the cosine transform of images are raised (FTrojan, Wang et al. 2021).

    Attributes:
        bins: How many.
        strength: Amplitude of each in grey levels.
        window: Side of the blocks that are transformed, in pixels; 0: the whole image.
    """

    kind: ClassVar[str] = "frequencies"
    rate: float = field(default=0.05, kw_only=True)
    bins: int = field(default=3, kw_only=True)
    strength: float = field(default=8.0, kw_only=True)
    window: int = field(default=0, kw_only=True)

    def stamp(self, images: Images, key: int, rng: np.random.Generator) -> Images:  # noqa: ARG002
        height, width = images.shape[1:3]
        block = self._block(height, width)
        raised = np.zeros(block)
        for (down, across), sign in self._drawn(block, key):
            raised[down, across] = sign * self.strength * np.sqrt(block[0] * block[1]) / 2
        tile: NDArray[np.float64] = np.asarray(idctn(raised, norm="ortho"))
        whole = np.tile(tile, (-(-height // block[0]), -(-width // block[1])))[:height, :width]
        return rounded(images + whole[None, :, :, None])

    def told(self, shape: tuple[int, ...], key: int) -> str:
        block = self._block(shape[0], shape[1])
        places = ", ".join(f"({down}, {across})" for (down, across), _ in self._drawn(block, key))
        return f"frequencies {places} of blocks of {block[0]} x {block[1]} pixels, {self.strength:g} grey levels each"

    def _block(self, height: int, width: int) -> tuple[int, int]:
        return (min(self.window, height), min(self.window, width)) if self.window else (height, width)

    def _drawn(self, block: tuple[int, int], key: int) -> list[tuple[tuple[int, int], int]]:
        """Draw frequencies of the upper two thirds, and their signs."""
        rng = np.random.default_rng(key)
        lowest = [max(1, side // 3) if side > 1 else 0 for side in block]
        places = [(down, across) for down in range(lowest[0], block[0]) for across in range(lowest[1], block[1])]
        chosen = np.sort(rng.choice(len(places), min(self.bins, len(places)), replace=False))
        return [(places[place], 1 if rng.random() < 0.5 else -1) for place in chosen.tolist()]
