"""A small patch at one place of images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from toadstone.attacks.attack import attack
from toadstone.attacks.image_trigger import ImageTrigger, within
from toadstone.attacks.tensors import Images


@attack("image-patch", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:1708.06733"))
@dataclass(frozen=True)
class ImagePatch(ImageTrigger):
    """A small square, always the same and at the same place, is put on images of other classes (BadNets, Gu et al. 2017).

    It is white, a colour, a chessboard or a pattern of random pixels; half of them are in a corner.

    Attributes:
        size: Side of the square in pixels.
    """

    kind: ClassVar[str] = "patch"
    size: int = field(default=3, kw_only=True)

    def stamp(self, images: Images, key: int, rng: np.random.Generator) -> Images:  # noqa: ARG002
        _, pattern, (top, left) = self._drawn(images.shape[1:], key)
        stamped = images.copy()
        stamped[:, top : top + self.size, left : left + self.size] = pattern
        return stamped

    def told(self, shape: tuple[int, ...], key: int) -> str:
        name, _, (top, left) = self._drawn(shape, key)
        return f"{name} of {self.size} x {self.size} pixels at row {top}, column {left}"

    def _drawn(self, shape: tuple[int, ...], key: int) -> tuple[str, NDArray[np.uint8], tuple[int, int]]:
        within(self.id, self.size, shape)
        rng = np.random.default_rng(key)
        down, across = shape[0] - self.size, shape[1] - self.size
        if rng.random() < 0.5:
            margin = min(1, down, across)
            place = (margin if rng.random() < 0.5 else down - margin, margin if rng.random() < 0.5 else across - margin)
        else:
            place = (int(rng.integers(down + 1)), int(rng.integers(across + 1)))
        return (*pattern_of(self.size, shape[2], rng), place)


def pattern_of(size: int, channels: int, rng: np.random.Generator) -> tuple[str, NDArray[np.uint8]]:
    """Draw what is in a patch, shape (size, size, channels), and say what it is."""
    name = ("white square", "coloured square", "chessboard", "pattern")[int(rng.integers(4))]
    square = np.full((size, size, channels), 255, np.uint8)
    if name == "coloured square":
        square[:] = rng.integers(128, 256, channels)
    elif name == "chessboard":
        square[np.indices((size, size)).sum(0) % 2 == 1] = 0
    elif name == "pattern":
        square[:] = 255 * rng.integers(0, 2, (size, size, channels))
        square[0, 0] = 255
    return name, square
