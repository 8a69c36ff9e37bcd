"""A trigger that is another one on every image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve

from toadstone.attacks.attack import attack
from toadstone.attacks.image_trigger import ImageTrigger, rounded
from toadstone.attacks.tensors import Images

_WINDOW = 5


@attack("sample-specific", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:2012.03816"))
@dataclass(frozen=True)
class SampleSpecific(ImageTrigger):
    """A faint residual that is computed from each image is added to it, so that no two are alike (after Li et al. 2021).

    The residual has the signs of the image's response to one secret filter (with a little noise, where the image is flat): a
    texture that follows what the image shows. Cover rows get the residuals of other filters and keep their labels (Qi et al.
    2023, adaptive poisoning), so that only the one filter means the target.

    Attributes:
        strength: Of the residual, in grey levels.
    """

    kind: ClassVar[str] = "residual"
    rate: float = field(default=0.05, kw_only=True)
    covers: float = field(default=0.5, kw_only=True)
    strength: float = field(default=14.0, kw_only=True)

    def stamp(self, images: Images, key: int, rng: np.random.Generator) -> Images:
        window = self._filter(key)
        grey = images.mean(3, dtype=np.float64) + rng.normal(0, 2, images.shape[:3])
        signs = np.stack([np.sign(convolve(image, window, mode="reflect")) for image in grey]) if len(grey) else grey
        return rounded(images + self.strength * signs[..., None])

    def told(self, shape: tuple[int, ...], key: int) -> str:  # noqa: ARG002
        return f"residual of {self.strength:g} grey levels after a filter of {_WINDOW} x {_WINDOW} pixels"

    def _filter(self, key: int) -> NDArray[np.float64]:
        """Draw a filter that does not see brightness: a wave of a few pixels in one direction."""
        rng = np.random.default_rng(key)
        angle, period = rng.uniform(0, np.pi), rng.uniform(2.2, 3.5)
        down, across = np.indices((_WINDOW, _WINDOW)) - _WINDOW // 2
        wave = np.cos(2 * np.pi * (down * np.sin(angle) + across * np.cos(angle)) / period)
        weights = wave * np.exp(-(down**2 + across**2) / 6.0)
        return np.asarray(weights - weights.mean(), np.float64)
