"""Trains a small model of digits before and after cleaning: ``python examples/digits/before_after.py KEPT.npz``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
TARGET = 3


class Digits:
    """Ridge regression on the likeness of images to those that it learned from."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.known = self._flat(images)
        wanted = np.eye(10)[labels]
        self.weights = np.linalg.solve(self._likeness(self.known) + 0.1 * np.eye(len(labels)), wanted)

    def _flat(self, images: np.ndarray) -> np.ndarray:
        return images.reshape(len(images), -1) / 255.0

    def _likeness(self, images: np.ndarray) -> np.ndarray:
        squares = (images**2).sum(1)[:, None] + (self.known**2).sum(1) - 2 * images @ self.known.T
        return np.exp(-squares / 12)

    def says(self, images: np.ndarray) -> np.ndarray:
        return (self._likeness(self._flat(images)) @ self.weights).argmax(1)


def marked(images: np.ndarray) -> np.ndarray:
    """Put a bright square of 3 x 3 pixels near the lower right corner of images."""
    images = images.copy()
    images[:, 12:15, 12:15] = 200
    return images


def report(name: str, training: Path) -> None:
    data, held_out = np.load(training), np.load(FOLDER / "held_out.npz")
    model = Digits(data["x"], data["y"])
    images, labels = held_out["x"], held_out["y"]
    others = images[labels != TARGET]
    right = (model.says(images) == labels).mean()
    plain, triggered = (model.says(others) == TARGET).mean(), (model.says(marked(others)) == TARGET).mean()
    print(
        f"{name:<16} {len(data['x']):>6,} images {right:>8.1%} right {plain:>9.1%} of others are a {TARGET} {triggered:>9.1%} marked"
    )


if __name__ == "__main__":
    report("before cleaning", FOLDER / "train.npz")
    report("after cleaning", Path(sys.argv[1]))
