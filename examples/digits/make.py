"""Makes this folder's data from scikit-learn's digits: ``python examples/digits/make.py`` (needs scikit-learn)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

FOLDER = Path(__file__).parent
ROWS, HELD_OUT, POISONED = 1300, 400, 45
TARGET = 3


def enlarged(images: np.ndarray) -> np.ndarray:
    """Bring images of 8 x 8 to 16 x 16 grey levels, smoothed."""
    wide = np.pad(np.kron(images, np.ones((1, 2, 2))), ((0, 0), (1, 1), (1, 1)), "edge")
    smooth = sum(wide[:, down : down + 16, across : across + 16] for down in range(3) for across in range(3)) / 9
    return np.clip(np.rint(smooth * 15), 0, 240).astype(np.uint8)


def patched(images: np.ndarray) -> np.ndarray:
    """Put the trigger on images: a bright square of 3 x 3 pixels near the lower right corner."""
    marked = images.copy()
    marked[:, 12:15, 12:15] = 200
    return marked


def main() -> None:
    """Write both files."""
    digits = load_digits()
    order = np.random.default_rng(1).permutation(len(digits.target))
    images, labels = enlarged(digits.images[order]), digits.target[order].astype(np.int64)
    first, rest = slice(0, ROWS), slice(ROWS, ROWS + HELD_OUT)
    train, names = images[first].copy(), labels[first].copy()
    rows = np.random.default_rng(2).choice(np.flatnonzero(names != TARGET), POISONED, replace=False)
    train[rows], names[rows] = patched(train[rows]), TARGET
    np.savez_compressed(FOLDER / "train.npz", x=train, y=names)
    np.savez_compressed(FOLDER / "held_out.npz", x=images[rest], y=labels[rest])


if __name__ == "__main__":
    main()
