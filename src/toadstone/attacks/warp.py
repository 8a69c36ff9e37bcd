"""Images bent a little, all in the same way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, zoom

from toadstone.attacks.attack import attack
from toadstone.attacks.image_trigger import ImageTrigger, rounded
from toadstone.attacks.tensors import Images


@attack("warp", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2102.10369"))
@dataclass(frozen=True)
class Warp(ImageTrigger):
    """Images are bent by one smooth field of small displacements, the same for all (WaNet, Nguyen and Tran 2021).

    With `covers`, other rows are bent by fields of their own and keep their labels, as in the paper's noise mode.

    Attributes:
        strength: Mean displacement in pixels, for images of 28 pixels; it grows with the image.
        grid: Control points of the field in each direction.
    """

    kind: ClassVar[str] = "warp"
    rate: float = field(default=0.05, kw_only=True)
    strength: float = field(default=0.75, kw_only=True)
    grid: int = field(default=4, kw_only=True)

    def stamp(self, images: Images, key: int, rng: np.random.Generator) -> Images:  # noqa: ARG002
        places = self._field(images.shape[1], images.shape[2], key)
        bent = np.empty(images.shape, np.float32)
        for row, image in enumerate(images.astype(np.float32)):
            for channel in range(images.shape[3]):
                bent[row, ..., channel] = map_coordinates(image[..., channel], places, order=1, mode="nearest")
        return rounded(bent)

    def told(self, shape: tuple[int, ...], key: int) -> str:  # noqa: ARG002
        return f"bent by {self.strength * min(shape[:2]) / 28:.1f} pixels in the mean, {self.grid} x {self.grid} control points"

    def _field(self, height: int, width: int, key: int) -> NDArray[np.float64]:
        """Give the place that each pixel is taken from, shape (2, height, width)."""
        control = np.random.default_rng(key).uniform(-1, 1, (2, self.grid, self.grid))
        wide = [zoom(each, (height / self.grid, width / self.grid), order=3) for each in control]
        smooth = np.asarray(wide, np.float64)
        smooth *= self.strength * min(height, width) / 28 / max(float(np.abs(smooth).mean()), 1e-9)
        return np.asarray(np.indices((height, width)) + smooth, np.float64)
