"""Features of images that no data were used for: random convolutions."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

_BATCH = 256


class RandomConvolutions(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # (scikit-learn has no types)
    """Convolves images with random filters, keeps what is positive and averages it over a grid.

    Nothing is learnt, so a certificate of models on these features holds as it does on pixels (random features: Rahimi and
    Recht 2007; random filters: Coates and Ng 2011).

    Args:
        shape: Height, width and channels of an image; rows are flattened images in this order.
        filters: Number of filters.
        size: Pixels of a filter's side, at least 1 and at most those of the image.
        grid: Cells of the grid along each side.
        seed: Of the filters.

    Attributes:
        filters_: Shape (size * size * channels, filters), each with mean 0 and length 1.
    """

    def __init__(self, shape: tuple[int, int, int], *, filters: int = 64, size: int = 5, grid: int = 4, seed: int = 0) -> None:
        self.shape = shape
        self.filters = filters
        self.size = size
        self.grid = grid
        self.seed = seed

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ANN401, ARG002, N803  (scikit-learn's names)
        """Draw the filters; the images are looked at for their shape only.

        Raises:
            ValueError: Rows have another length than the shape says, or a parameter is out of its range.
        """
        X = validate_data(self, X, dtype=np.float64)  # noqa: N806
        height, width, channels = self.shape
        if X.shape[1] != height * width * channels:
            raise ValueError(f"rows must have {height} * {width} * {channels} numbers. Got {X.shape[1]} instead.")
        if not 1 <= self.size <= min(height, width) - self.grid + 1:
            raise ValueError(f"size must be at least 1 and leave {self.grid} positions to the grid. Got {self.size} instead.")
        random = np.random.default_rng(self.seed)
        drawn = random.standard_normal((self.size * self.size * channels, self.filters))
        drawn -= drawn.mean(0) if len(drawn) > 1 else 0.0
        self.filters_ = (drawn / np.linalg.norm(drawn, axis=0)).astype(np.float32)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:  # noqa: ANN401, N803
        """Give the features, shape (n, filters * grid * grid); each image is brought to mean 0 and variance 1 first."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)  # noqa: N806
        out = np.empty((len(X), self.filters * self.grid**2), np.float32)
        for begin in range(0, len(X), _BATCH):
            out[begin : begin + _BATCH] = self._batch(X[begin : begin + _BATCH])
        return out

    def _batch(self, rows: NDArray[np.float64]) -> NDArray[np.float32]:
        images = ((rows - rows.mean(1, keepdims=True)) / (rows.std(1, keepdims=True) + 1e-6)).astype(np.float32)
        images = images.reshape(-1, *self.shape)
        windows = sliding_window_view(images, (self.size, self.size), axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)
        count, high, wide = windows.shape[:3]
        seen = np.maximum(windows.reshape(count, high, wide, -1) @ self.filters_, 0.0)
        for axis, length in ((1, high), (2, wide)):
            edges = np.arange(self.grid) * length // self.grid
            sizes = np.diff(np.append(edges, length))
            seen = np.add.reduceat(seen, edges, axis) / np.expand_dims(sizes, tuple(place for place in range(4) if place != axis))
        result: NDArray[np.float32] = seen.reshape(count, -1)
        return result
