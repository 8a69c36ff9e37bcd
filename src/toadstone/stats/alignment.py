"""How unlike two images are that may be one: what is left of one when it is explained by the other, moved and toned a little.

The images that one image becomes by small shifts lie, to first order, in the plane of its derivatives (tangent distance: Simard,
LeCun, Denker, "Efficient pattern recognition using a new transformation distance", NIPS 1992); brightness and contrast add a
constant and the image itself. What of another image lies outside of that plane is noise, or other content. Before, what is
wider than a fifth of the image is taken away (all gradients of light are alike), and what is finer than a pixel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from toadstone.stats.areas import resized

Images = NDArray[np.uint8]
Floats = NDArray[np.float32]

SIDE = 16
"""Larger images are brought to this side."""
_NATIVE = 20
"""Side up to which images stay as they are."""
_FINE, _WIDE = 1.2, 5.0
"""Standard deviations of the two Gaussians, in pixels of images of 28."""
_FLOOR = np.float32(2.0)
"""Variance, in squared grey levels, below which an image shows nothing to compare."""
_THUMB = 8
_MOST = 127.0


def bands(images: Images) -> NDArray[np.int8]:
    """Give images without what is too wide or too fine, shape (rows, height, width), in grey levels.

    Args:
        images: Shape (rows, height, width, channels).
    """
    grey = images.mean(3, dtype=np.float32)
    longest = max(grey.shape[1:])
    unit = longest / 28
    fine = _blurred(grey, _FINE * unit if longest > _NATIVE else 0.5)
    band = fine - _blurred(grey, _WIDE * max(unit, 0.5))
    if longest > _NATIVE:
        height, width = (max(1, round(side * SIDE / longest)) for side in grey.shape[1:])
        band = resized(band[..., None], height, width)[..., 0]
    return np.asarray(np.clip(np.rint(band), -_MOST, _MOST), np.int8)


def _blurred(images: Floats, width: float) -> Floats:
    rows = gaussian_filter1d(images, width, axis=1, mode="nearest")
    return np.asarray(gaussian_filter1d(rows, width, axis=2, mode="nearest"), np.float32)


def thumbs(images: Images) -> Floats:
    """Give small blurred images of equal brightness and contrast, shape (rows, numbers): alike images have near ones."""
    grey = images.mean(3, dtype=np.float32)
    small = _blurred(grey, max(grey.shape[1:]) / 16)
    sides = [min(_THUMB, side) for side in grey.shape[1:]]
    flat = resized(small[..., None], sides[0], sides[1]).reshape(len(images), -1)
    flat = flat - flat.mean(1, keepdims=True)
    return np.asarray(flat / (flat.std(1, keepdims=True) + np.float32(6)), np.float32)


def tangents(bands: NDArray[np.int8]) -> Floats:
    """Give an orthonormal basis of what each image becomes by tone and small shifts, shape (rows, 4, numbers).

    The first vector is the constant. A direction that adds nothing (an image of one tone) is zero.
    """
    values = bands.astype(np.float32)
    down = np.gradient(values, axis=1) if values.shape[1] > 1 else np.zeros_like(values)
    across = np.gradient(values, axis=2) if values.shape[2] > 1 else np.zeros_like(values)
    plane = np.stack([np.ones_like(values), values, down, across], 1).reshape(len(values), 4, -1)
    basis = np.zeros_like(plane)
    for place in range(plane.shape[1]):
        left = plane[:, place]
        before = np.linalg.norm(left, axis=1, keepdims=True)
        for _ in range(2):  # twice is enough (Giraud, Langou, Rozloznik 2005)
            left = left - np.einsum("nk,nkp->np", np.einsum("nkp,np->nk", basis[:, :place], left), basis[:, :place])
        length = np.linalg.norm(left, axis=1, keepdims=True)
        basis[:, place] = np.where(length > np.float32(1e-3) * before + np.float32(1e-6), left / np.maximum(length, 1e-9), 0)
    return basis


def unlike(basis: Floats, others: Floats) -> Floats:
    """Give the share of each image that the plane of another one does not explain, in [0, 1].

    Images that show next to nothing have less than nothing to explain: they count as unlike all others.

    Args:
        basis: Of some images, shape (rows, 4, numbers).
        others: Bands of those to be explained, shape (rows, others of each, numbers), or (others, numbers) for all rows alike.
    """
    parts = others @ basis.swapaxes(1, 2)
    whole = (others * others).sum(-1)
    left = np.maximum(whole - (parts * parts).sum(-1), np.float32(0))
    shown = whole - parts[..., 0] ** 2
    share = left / np.maximum(shown, np.float32(1e-9))
    return np.asarray(np.where(shown >= _FLOOR * others.shape[-1], np.minimum(share, 1), 1), np.float32)
