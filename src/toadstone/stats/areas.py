"""Images of another size, by the mean over areas."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]
"""uint8 or float32."""

_BLOCK = 1 << 23


def resized(images: Values, height: int, width: int) -> Values:
    """Give images of another size, each pixel the mean over the area that it covers; the type stays."""
    rows, old_height, old_width, channels = images.shape
    if (old_height, old_width) == (height, width) or not rows:
        return images if (old_height, old_width) == (height, width) else np.zeros((0, height, width, channels), images.dtype)
    down, across = _areas(old_height, height), _areas(old_width, width)
    out = np.empty((rows, height, width, channels), images.dtype)
    step = max(1, _BLOCK // (old_height * old_width * channels))
    for start in range(0, rows, step):
        part = images[start : start + step].astype(np.float32)
        lower = np.einsum("ha,nawc->nhwc", down, part, optimize=True)
        small = np.einsum("wb,nhbc->nhwc", across, lower, optimize=True)
        out[start : start + step] = np.rint(small) if images.dtype == np.uint8 else small
    return out


@lru_cache(maxsize=64)
def _areas(old: int, new: int) -> NDArray[np.float32]:
    """Give the share of each old pixel in each new one, shape (new, old)."""
    edges = np.linspace(0, old, new + 1)
    places = np.arange(old)
    overlap = np.minimum(edges[1:, None], places + 1) - np.maximum(edges[:-1, None], places)
    weights = np.maximum(overlap, 0.0)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)
