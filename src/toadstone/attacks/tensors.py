"""Columns of images of one size: as arrays, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.core.errors import UsageError

Images = NDArray[np.uint8]
"""Shape (rows, height, width, channels)."""


def images_of(column: pa.ChunkedArray, name: str) -> Images:
    """Give a copy of the images of a column; those that are missing are black.

    Args:
        column: Tensors of fixed shape, uint8: height and width, and channels behind them if it has any.
        name: Of the column.

    Raises:
        UsageError: it holds something else.
    """
    shape = _shape(column.type, name)
    images = np.zeros((len(column), int(np.prod(shape))), np.uint8)
    start = 0
    for chunk in column.chunks:
        storage = chunk.storage
        there = _there(chunk)
        images[start : start + len(chunk)][there] = (
            storage.filter(pa.array(there)).flatten().to_numpy().reshape(-1, images.shape[1])
        )
        start += len(chunk)
    return images.reshape(len(column), *shape[:2], shape[2] if len(shape) == 3 else 1)


def there(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Say which rows have an image."""
    return np.concatenate([np.zeros(0, bool), *(_there(chunk) for chunk in column.chunks)])


def column_of(images: Images, like: pa.ChunkedArray, known: NDArray[np.bool_]) -> pa.ChunkedArray:
    """Write images as a column of the type of another one.

    Args:
        images: Shape (rows, height, width, channels).
        like: The other column.
        known: Rows that have an image, bool, shape (rows,).
    """
    size = int(np.prod(images.shape[1:]))
    flat = pa.array(np.ascontiguousarray(images).reshape(-1))
    storage: Any = pa.FixedSizeListArray.from_arrays(flat, size, mask=None if known.all() else pa.array(~known))
    return pa.chunked_array([pa.ExtensionArray.from_storage(like.type, storage.cast(like.type.storage_type))])


def _there(chunk: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(chunk.is_valid().to_numpy(zero_copy_only=False), bool)


def _shape(kind: pa.DataType, name: str) -> tuple[int, ...]:
    if isinstance(kind, pa.FixedShapeTensorType) and kind.value_type == pa.uint8() and kind.permutation is None:
        shape = tuple(int(side) for side in kind.shape)
        if len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4)):
            return shape
    raise UsageError(
        f"the attack needs images as arrays of bytes of one size; the column {name!r} is of type {kind}.",
        "Decode them to uint8, shape (rows, height, width[, channels]), and write them as tensors of fixed shape.",
    )
