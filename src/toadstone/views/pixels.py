"""Images as pixels of a bounded size, as they are where that is small."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.stats.areas import resized
from toadstone.views.decode import DAMAGED, FINE, MISSING, SIDE, STRANGE, decoded
from toadstone.views.view import Columns, View

Values = NDArray[Any]
"""uint8 or float32."""

_FIRST_CHANNELS = (1, 3)
_LAST_CHANNELS = (1, 2, 3, 4)


class Pixels(View):
    """``pixels``: the values of all images one after the other (ragged; uint8, or float32 where they came as such).

    ``pixels.shape``: int32, shape (rows, 3): height, width, channels (1 or 3); zeros where there is no image.
    ``pixels.fault``: uint8: why there is none (`toadstone.views.decode`). Images with a side above 64 are averaged over areas
    down to 64.
    """

    name = "pixels"
    role = "image"

    def of(self, values: pa.Array) -> Columns:
        if isinstance(values.type, pa.FixedShapeTensorType):
            return _of_tensors(values)
        images, faults = [], np.zeros(len(values), np.uint8)
        for row, raw in enumerate(_raw(values)):
            image, faults[row] = decoded(raw) if not isinstance(raw, int) else (np.zeros((0, 0, 1), np.uint8), raw)
            images.append(bounded(image[None])[0] if image.size else image)
        shapes = np.array([image.shape if image.size else (0, 0, 0) for image in images], np.int32).reshape(-1, 3)
        content = np.concatenate([image.ravel() for image in images]) if images else np.zeros(0, np.uint8)
        return _columns(content, shapes, faults)


def _columns(content: Values, shapes: NDArray[np.int32], faults: NDArray[np.uint8]) -> Columns:
    offsets = np.concatenate([[0], np.cumsum(shapes.astype(np.int64).prod(1))])
    return {"pixels": content, "pixels.offsets": offsets, "pixels.shape": shapes, "pixels.fault": faults}


def _raw(values: pa.Array) -> Iterator[bytes | int | None]:
    """Give the bytes of each image, or the fault when it can have none."""
    if pa.types.is_struct(values.type):
        values = values.field("bytes") if values.type.get_field_index("bytes") >= 0 else pa.nulls(len(values))
    known = pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type) or pa.types.is_null(values.type)
    for value in values:
        raw = value.as_py()
        yield raw if known or raw is None else STRANGE


def _of_tensors(values: pa.Array) -> Columns:
    shape = tuple(values.type.shape)
    rows = len(values)
    whole = np.asarray(values.is_valid().to_numpy(zero_copy_only=False), bool)
    height, width, channels = _sides(shape)
    flat = values.storage.filter(pa.array(whole)).flatten() if not whole.all() else values.storage.flatten()
    numbers = flat.to_numpy(zero_copy_only=False)
    if not channels or numbers.dtype.kind not in "uif":
        return _columns(np.zeros(0, np.uint8), np.zeros((rows, 3), np.int32), np.full(rows, STRANGE, np.uint8))
    images = numbers.reshape(-1, *shape)
    if len(shape) == 3 and shape[2] not in _LAST_CHANNELS:
        images = images.transpose(0, 2, 3, 1)
    images = images.reshape(len(images), height, width, -1)[..., : 3 if channels == 3 else 1]
    faults = np.where(whole, FINE, MISSING).astype(np.uint8)
    kept = bounded(images if images.dtype == np.uint8 else images.astype(np.float32))
    if kept.dtype != np.uint8:
        broken = ~np.isfinite(kept.reshape(len(kept), -1)).all(1)
        faults[np.flatnonzero(whole)[broken]] = DAMAGED
        kept = kept[~broken]
    shapes = np.zeros((rows, 3), np.int32)
    shapes[faults == FINE] = kept.shape[1:]
    return _columns(np.ascontiguousarray(kept).reshape(-1), shapes, faults)


def _sides(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Give height, width and channels (1 or 3) of tensors of this shape; zeros when they are no images."""
    if len(shape) == 2:
        return shape[0], shape[1], 1
    if len(shape) == 3 and shape[2] in _LAST_CHANNELS:
        return shape[0], shape[1], 3 if shape[2] >= 3 else 1
    if len(shape) == 3 and shape[0] in _FIRST_CHANNELS:
        return shape[1], shape[2], shape[0]
    return 0, 0, 0


def bounded(images: Values, side: int = SIDE) -> Values:
    """Average images over areas until no side is above ``side``; their proportions stay.

    Args:
        images: Shape (rows, height, width, channels).
        side: At least 1.
    """
    height, width = images.shape[1:3]
    longest = max(height, width)
    if longest <= side:
        return images
    return resized(images, max(1, round(height * side / longest)), max(1, round(width * side / longest)))


__all__ = ["Pixels", "bounded", "resized"]
