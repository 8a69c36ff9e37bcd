"""Features of images that need no training: responses to a dictionary of whitened local windows, pooled over quadrants.

Coates, Lee, Ng, "An analysis of single-layer networks in unsupervised feature learning" (AISTATS 2011): with whitening and many
windows drawn at random, a linear classifier on such features comes close to trained networks on small images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Images = NDArray[np.uint8]

_WINDOW = 6
_WORDS = 160
_THRESHOLD = np.float32(0.25)
_FLAT = np.float32(10.0)
"""Variance of grey levels below which a window counts as flat."""
_RIDGE = 0.1
_BLOCK = 128
_DENSE = 20
"""Side of images up to which every window is looked at; of larger ones every second in each direction."""
_POOLS = 2
_THUMB = 6


@dataclass(frozen=True)
class Dictionary:
    """Local windows that others are compared with.

    Attributes:
        window: Side of a window in pixels.
        weights: Whitening and dictionary in one, shape (window * window * channels, words).
        offsets: Shape (words,).
    """

    window: int
    weights: Floats
    offsets: Floats

    @property
    def width(self) -> int:
        """Features of an image."""
        return _POOLS * _POOLS * len(self.offsets) + _THUMB * _THUMB

    @classmethod
    def of(cls, images: Images, random: np.random.Generator, windows: int = 30_000) -> Dictionary:
        """Learn from windows of some images.

        Args:
            images: Shape (rows, height, width, channels).
            random: Draws windows.
            windows: How many.
        """
        size = max(1, min(_WINDOW, *images.shape[1:3]))
        drawn = _normalised(_drawn(images, size, windows, random))
        mean = drawn.mean(0)
        values, axes = np.linalg.eigh(np.cov(drawn.T).reshape(drawn.shape[1], -1))
        white = ((axes / np.sqrt(np.maximum(values, 0.0) + _RIDGE)) @ axes.T).astype(np.float32)
        spread = (drawn - mean) @ white
        lengths = np.linalg.norm(spread, axis=1)
        full = np.flatnonzero(lengths >= max(float(np.median(lengths)), 1e-6))
        if not len(full):  # images of one colour
            full = np.arange(len(lengths))
        chosen = spread[random.choice(full, _WORDS, replace=len(full) < _WORDS)]
        words = chosen / np.maximum(np.linalg.norm(chosen, axis=1, keepdims=True), 1e-6)
        weights = (white @ words.T).astype(np.float32)
        return cls(size, weights, np.asarray(-mean @ weights - _THRESHOLD, np.float32))

    def features(self, images: Images) -> Floats:
        """Give the features of images, shape (rows, `width`), each of the order of 1."""
        out = np.empty((len(images), self.width), np.float32)
        for start in range(0, len(images), _BLOCK):
            part = images[start : start + _BLOCK].astype(np.float32)
            out[start : start + _BLOCK] = np.concatenate([self._pooled(part), thumbnails(part, _THUMB) / np.float32(256)], 1)
        return out

    def _pooled(self, images: Floats) -> Floats:
        step = 1 if max(images.shape[1:3]) <= _DENSE else 2
        views = np.lib.stride_tricks.sliding_window_view(images, (self.window, self.window), axis=(1, 2))[:, ::step, ::step]
        rows, down, across = views.shape[:3]
        flat = _normalised(views.reshape(rows * down * across, -1))
        responses = np.maximum(flat @ self.weights + self.offsets, np.float32(0)).reshape(rows, down, across, -1)
        upper, left = max(1, down // _POOLS), max(1, across // _POOLS)
        pools = [
            responses[:, i * upper : None if i else upper, j * left : None if j else left].mean((1, 2))
            if responses[:, i * upper : None if i else upper, j * left : None if j else left].size
            else np.zeros((rows, responses.shape[3]), np.float32)
            for i in range(_POOLS)
            for j in range(_POOLS)
        ]
        return np.asarray(np.sqrt(np.concatenate(pools, 1)), np.float32)


def _drawn(images: Images, size: int, windows: int, random: np.random.Generator) -> Floats:
    rows, height, width, _ = images.shape
    row = random.integers(0, rows, windows)
    top, left = random.integers(0, height - size + 1, windows), random.integers(0, width - size + 1, windows)
    inside = np.arange(size)
    found = images[row[:, None, None], top[:, None, None] + inside[:, None], left[:, None, None] + inside]
    # The order of `sliding_window_view`: channels first.
    return np.ascontiguousarray(found.transpose(0, 3, 1, 2)).reshape(windows, -1).astype(np.float32)


def _normalised(windows: Floats) -> Floats:
    centred = windows - windows.mean(1, keepdims=True)
    return np.asarray(centred / np.sqrt((centred * centred).mean(1, keepdims=True) + _FLAT), np.float32)


def thumbnails(images: Floats, side: int) -> Floats:
    """Give the mean brightness of areas, shape (rows, side * side).

    Args:
        images: Shape (rows, height, width, channels).
        side: Areas in each direction.
    """
    grey = images.mean(3)
    rows = np.add.reduceat(grey, np.linspace(0, grey.shape[1], side, endpoint=False).astype(int), axis=1)
    areas = np.add.reduceat(rows, np.linspace(0, grey.shape[2], side, endpoint=False).astype(int), axis=2)
    return np.asarray(
        areas.reshape(len(images), -1) * np.float32(side * side / max(1, grey.shape[1] * grey.shape[2])), np.float32
    )
