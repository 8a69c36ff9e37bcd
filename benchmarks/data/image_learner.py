"""A model of images that needs no GPU: whitened windows as convolutions, rectified, pooled; kernel ridge regression on top.

After Coates, Lee, Ng, "An analysis of single-layer networks in unsupervised feature learning" (AISTATS 2011). It
shares nothing with the product.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toadstone.attacks.attack import Material

Floats = NDArray[np.float32]

_WINDOW = 5
_WORDS = 120
_POOLS = 4
_BLOCK = 100


class Convolutions:
    """Learns from labelled images.

    Args:
        given: To learn from.
        names: All labels.
        degree: Of the kernel: 1 is a linear model; from 2 on what is seen in two places counts together.
    """

    def __init__(self, given: Material, names: list[str], degree: int = 3) -> None:
        rng = np.random.default_rng(1)
        self.names, self.degree = names, degree
        images = given.images()
        self.window = min(_WINDOW, *images.shape[1:3])
        views = _views(images[rng.choice(len(images), min(len(images), 300), replace=False)].astype(np.float32), self.window)
        some = views.reshape(-1, views.shape[-1])[rng.choice(int(np.prod(views.shape[:-1])), 20_000)]
        values, axes = np.linalg.eigh(np.cov(some.T))
        white = axes / np.sqrt(np.maximum(values, 0) + 20)
        self.mean = some.mean(0)
        seen = (some - self.mean) @ white
        seen = seen[np.argsort(-np.linalg.norm(seen, axis=1), kind="stable")[: len(seen) // 2]]
        words = seen[rng.choice(len(seen), _WORDS)]
        self.map = (white @ (words / np.linalg.norm(words, axis=1, keepdims=True)).T).astype(np.float32)
        features = self.features(given)
        self.centre, self.spread = features.mean(0), features.std(0) + np.float32(1e-3)
        self.known = (features - self.centre) / self.spread
        wanted = np.eye(len(names))[[names.index(str(name)) for name in given.labels()]]
        self.weights = np.linalg.solve(self._kernel(self.known) + 0.01 * np.eye(len(self.known)), wanted - wanted.mean(0))
        self.prior = wanted.mean(0)

    def features(self, given: Material) -> Floats:
        """Give what the pooled convolutions see, shape (rows, features)."""
        images = given.images()
        return np.concatenate(
            [self._pooled(images[start : start + _BLOCK].astype(np.float32)) for start in range(0, len(images), _BLOCK)]
        )

    def __call__(self, given: Material) -> NDArray[np.str_]:
        """Give the label of each row."""
        return np.array(self.names)[self.scores(given).argmax(1)]

    def scores(self, given: Material) -> NDArray[np.float64]:
        """Say how well each label fits each row, shape (rows, labels)."""
        return np.asarray(self._kernel((self.features(given) - self.centre) / self.spread) @ self.weights + self.prior)

    def accuracy(self, given: Material) -> float:
        """Give the share of rows whose label is right."""
        return float((self(given) == given.labels()).mean())

    def _kernel(self, features: Floats) -> NDArray[np.float64]:
        return np.asarray((1 + features @ self.known.T / features.shape[1]) ** self.degree, np.float64)

    def _pooled(self, images: Floats) -> Floats:
        views = _views(images, self.window)
        seen = (views - self.mean).astype(np.float32) @ self.map
        seen = np.maximum(np.concatenate([seen, -seen], -1) - np.float32(0.5), np.float32(0))
        rows = np.linspace(0, seen.shape[1], min(_POOLS, seen.shape[1]), endpoint=False).astype(int)
        columns = np.linspace(0, seen.shape[2], min(_POOLS, seen.shape[2]), endpoint=False).astype(int)
        sums = np.add.reduceat(np.add.reduceat(seen, rows, axis=1), columns, axis=2)
        scale = np.float32(len(rows) * len(columns) / (seen.shape[1] * seen.shape[2]))
        return np.asarray(np.sqrt(sums * scale).reshape(len(images), -1), np.float32)


def _views(images: Floats, window: int) -> Floats:
    """Give all windows, shape (rows, height, width, numbers)."""
    views = np.lib.stride_tricks.sliding_window_view(images, (window, window), axis=(1, 2))
    return views.reshape(*views.shape[:3], -1)


def rate(model: Convolutions, probe: Material, wanted: list[str | None]) -> float:
    """Give the share of the rows that go where the attacker wants them."""
    return float((model(probe) == np.array(wanted)).mean()) if probe.table.num_rows else 0.0
