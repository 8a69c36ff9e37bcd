"""Spaces in which a mark that was put on images is a direction: pixels, frequencies, fine grain.

A patch at one place, a blended picture or a wave of one phase adds the same numbers to the pixels; a wave of any phase adds to
the magnitude of one frequency; a warp and noise that differs from image to image change how fine the image is, place by place.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

Images = NDArray[np.uint8]
Floats = NDArray[np.float32]

NOISE = 4.0
"""Grey levels of noise that count as none: the smallest spread of a direction."""
_SCALE = np.float32(20.0)


def pixels(images: Images) -> Floats:
    """Give grey levels, and what colour adds to them over areas of two by two, shape (rows, numbers)."""
    grey = _grey(images)
    parts = [grey.reshape(len(grey), -1)]
    if images.shape[3] == 3:
        parts += [2 * _halved(images[..., channel] - grey).reshape(len(grey), -1) for channel in (0, 2)]
    return np.concatenate(parts, 1)


def frequencies(images: Images) -> Floats:
    """Give the logarithm of the magnitude of each frequency (cosine transform), shape (rows, numbers)."""
    magnitudes = np.abs(np.asarray(dctn(_grey(images), axes=(1, 2), norm="ortho")))
    return np.asarray(_SCALE * np.log1p(magnitudes).reshape(len(images), -1), np.float32)


def grain(images: Images) -> Floats:
    """Give how much neighbours differ, place by place, shape (rows, numbers)."""
    grey = _grey(images)
    height, width = grey.shape[1:]
    padded = np.pad(grey, ((0, 0), (1, 1), (1, 1)), "edge")
    smooth = sum(padded[:, i : i + height, j : j + width] for i in range(3) for j in range(3)) / np.float32(9)
    rough = np.sqrt(np.abs(grey - smooth))
    return np.asarray(_SCALE * _halved(rough).reshape(len(grey), -1), np.float32)


SPACES: dict[str, Callable[[Images], Floats]] = {"pixels": pixels, "frequencies": frequencies, "grain": grain}


def _grey(images: Images) -> Floats:
    return np.asarray(images.mean(3, dtype=np.float32))


def _halved(values: Floats) -> Floats:
    """Average over areas of two by two."""
    height, width = values.shape[1] // 2 * 2, values.shape[2] // 2 * 2
    if not height or not width:
        return values
    blocks = values[:, :height, :width].reshape(len(values), height // 2, 2, width // 2, 2)
    return np.asarray(blocks.mean((2, 4)), np.float32)
