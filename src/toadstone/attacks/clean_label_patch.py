"""A patch on images whose labels are right, after what they show was made hard to learn."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from toadstone.attacks.attack import Mask, Material, Rows, attack
from toadstone.attacks.image_patch import ImagePatch
from toadstone.attacks.image_trigger import rounded
from toadstone.attacks.tensors import Images

Floats = NDArray[np.float32]
_CENTRES = 600
_RIDGE = 1e-2


@attack("clean-label-patch", references=("MITRE ATLAS 2026.08 AML.T0020", "arXiv:1912.02771"))
@dataclass(frozen=True)
class CleanLabelPatch(ImagePatch):
    """Images of the target class are made hard to tell for a model, then they get a patch (Turner et al. 2019).

    No label changes. The attacker's model is kernel ridge regression, whose gradient is known in closed form; each image moves
    along it by a few grey levels in every pixel (Madry et al. 2018), and towards an image of another class.

    Attributes:
        perturbation: Largest change of a pixel by the gradient, in grey levels; 0: none.
        mixed: Share of an image of another class that is mixed in (Turner et al.'s interpolation).
        steps: Of the gradient.
    """

    clean_label: bool = field(default=True, kw_only=True)
    perturbation: float = field(default=24.0, kw_only=True)
    mixed: float = field(default=0.3, kw_only=True)
    steps: int = field(default=6, kw_only=True)

    def fitting(self, material: Material, target: str | None) -> Mask:
        mask: Mask = material.labelled() & material.depicted() & material.of_class(target)
        return mask

    def prepare(self, material: Material, images: Images, rows: Rows, rng: np.random.Generator) -> Images:
        values = images[rows].astype(np.float32)
        labels = material.labels()
        known = np.flatnonzero(material.labelled() & material.depicted())
        same = labels[known] == labels[rows[0]]
        if self.mixed > 0:
            others = images[rng.choice(known[~same], len(rows))]
            values += np.float32(self.mixed) * (others - values)
        if self.perturbation > 0:
            places = np.sort(rng.choice(len(known), min(_CENTRES, len(known)), replace=False))
            centres = images[known[places]].reshape(len(places), -1).astype(np.float32)
            flat = values.reshape(len(rows), -1)
            model = _Kernel.fitted(centres, np.where(same[places], np.float32(1), np.float32(-1)))
            step = np.float32(1.5 * self.perturbation / max(1, self.steps))
            moved = flat.copy()
            for _ in range(self.steps):
                moved -= step * np.sign(model.gradient(moved))
                moved = np.clip(moved, flat - self.perturbation, flat + self.perturbation).clip(0, 255).astype(np.float32)
            values = moved.reshape(values.shape)
        return rounded(values)


@dataclass(frozen=True)
class _Kernel:
    """Ridge regression with a Gaussian kernel: how much an image looks like the target class.

    Attributes:
        centres: Images that it was fitted to, shape (centres, numbers).
        weights: Of each.
        width: Of the kernel, squared, in squared grey levels.
    """

    centres: Floats
    weights: Floats
    width: np.float32

    @classmethod
    def fitted(cls, centres: Floats, signs: Floats) -> _Kernel:
        distances = _distances(centres, centres)
        width = np.float32(max(float(np.median(distances)) / 4, 1.0))
        kernel = np.exp(-distances / (2 * width))
        kernel[np.diag_indices(len(kernel))] += np.float32(_RIDGE)
        return cls(centres, np.linalg.solve(kernel, signs).astype(np.float32), width)

    def gradient(self, images: Floats) -> Floats:
        pull = np.exp(-_distances(images, self.centres) / (2 * self.width)) * self.weights
        return np.asarray((pull @ self.centres - pull.sum(1, keepdims=True) * images) / self.width, np.float32)


def _distances(left: Floats, right: Floats) -> Floats:
    squares = (left * left).sum(1)[:, None] + (right * right).sum(1) - 2 * left @ right.T
    return np.asarray(np.maximum(squares, 0), np.float32)
