"""Linear classifiers fitted once for every fold that is left out, all folds at once: naive Bayes and ridge regression.

Rows carry a fold number; the model of fold f has not seen the rows of fold f. Weights have the shape (folds, features,
classes): the score of a row is its features times the weights of its own fold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Linear:
    """A classifier for each fold that was left out.

    Attributes:
        weights: Shape (folds, features, classes).
        offsets: Shape (folds, classes).
    """

    weights: Floats
    offsets: Floats

    def scores(self, rows: Any, folds: Codes) -> Floats:  # noqa: ANN401  (a dense or sparse matrix)
        """Give centred scores, shape (rows, classes), each row by the model that has not seen it.

        Args:
            rows: Dense or CSR, shape (rows, features).
            folds: Fold of each row.
        """
        out = np.zeros((rows.shape[0], self.weights.shape[2]), np.float32)
        for fold in range(len(self.weights)):
            own = np.flatnonzero(folds == fold)
            if len(own):
                out[own] = rows[own] @ self.weights[fold] + self.offsets[fold]
        return np.asarray(out - out.mean(1, keepdims=True), np.float32)


def indicators(labels: Codes, classes: int) -> Floats:
    """Give one column a class: 1 for its rows, else 0; rows with label -1 are 0 throughout."""
    out = np.zeros((len(labels), classes), np.float32)
    known = np.flatnonzero(labels >= 0)
    out[known, labels[known]] = 1.0
    return out


def naive_bayes(rows: Any, labels: Codes, folds: Codes, shape: tuple[int, int], smoothing: float) -> Linear:  # noqa: ANN401
    """Fit multinomial naive Bayes (McCallum and Nigam 1998) without class priors.

    Args:
        rows: CSR of counts or weights, shape (rows, features), not negative.
        labels: Class of each row, -1: unknown.
        folds: Fold of each row.
        shape: Number of folds and of classes.
        smoothing: Added to every count.
    """
    left_out, classes = shape
    cells = indicators(np.where(labels >= 0, folds * classes + labels, -1), left_out * classes)
    sums = np.asarray(rows.T @ cells).reshape(-1, left_out, classes)
    rest = np.maximum(sums.sum(1, keepdims=True) - sums, 0.0) + smoothing
    weights = np.log(rest) - np.log(np.maximum(rest.sum(0, keepdims=True), smoothing))
    weights -= weights.mean(2, keepdims=True)
    return Linear(np.ascontiguousarray(weights.transpose(1, 0, 2), np.float32), np.zeros((left_out, classes), np.float32))


def ridge(rows: Any, labels: Codes, folds: Codes, shape: tuple[int, int], penalty: float, steps: int) -> Linear:  # noqa: ANN401
    """Fit ridge regression on class indicators by conjugate gradients (Hestenes and Stiefel 1952), all folds in one product.

    Args:
        rows: CSR or dense, shape (rows, features).
        labels: Class of each row, -1: unknown.
        folds: Fold of each row.
        shape: Number of folds and of classes.
        penalty: Of the squared weights.
        steps: Of the iteration; few steps are a regularisation of their own.
    """
    left_out, classes = shape
    known = labels >= 0
    seen = ((folds[:, None] != np.arange(left_out)) & known[:, None]).astype(np.float32)
    targets = indicators(labels, classes)
    offsets = (seen.T @ targets) / np.maximum(seen.sum(0), 1.0)[:, None]
    seen = np.repeat(seen, classes, axis=1)
    residual = np.asarray(rows.T @ ((np.tile(targets, left_out) - offsets.ravel()) * seen))
    weights = np.zeros_like(residual)
    direction = residual.copy()
    norms = np.einsum("ij,ij->j", residual, residual)
    for _ in range(steps):
        image = np.asarray(rows.T @ (np.asarray(rows @ direction) * seen)) + np.float32(penalty) * direction
        length = norms / np.maximum(np.einsum("ij,ij->j", direction, image), 1e-20)
        weights += length * direction
        residual -= length * image
        fresh = np.einsum("ij,ij->j", residual, residual)
        direction = residual + (fresh / np.maximum(norms, 1e-20)) * direction
        norms = fresh
    folded = weights.reshape(-1, left_out, classes).transpose(1, 0, 2)
    return Linear(np.ascontiguousarray(folded, np.float32), offsets.astype(np.float32))


def ridge_by_moments(
    rows: Floats,
    labels: Codes,
    folds: Codes,
    shape: tuple[int, int],
    penalties: tuple[float, ...],
    metric: Floats | None = None,
) -> list[Linear]:
    """Fit ridge regression on class indicators in closed form, each fold left out by subtraction of its second moments.

    Args:
        rows: Dense, shape (rows, features).
        labels: Class of each row, -1: unknown.
        folds: Fold of each row.
        shape: Number of folds and of classes.
        penalties: Relative to the mean second moment of a feature; one model each.
        metric: What is penalised: weights' metric weights, shape (features, features); None: the squared weights. With
            similarities to some landmarks as features and those among the landmarks as metric this is kernel regression
            (Nystrom's approximation, Williams and Seeger 2001).
    """
    left_out, classes = shape
    targets = indicators(labels, classes) - np.float32(1.0 / classes)
    squares, products = [], []
    for fold in range(left_out):
        own = (folds == fold) & (labels >= 0)
        part = rows[own]
        squares.append((part.T @ part).astype(np.float64))
        products.append((part.T @ targets[own]).astype(np.float64))
    square, product = np.sum(squares, 0), np.sum(products, 0)
    size = max(1, len(square))
    if metric is None:
        cost = np.eye(size) * max(float(np.trace(square)) / size, 1e-9)
    else:
        cost = (metric.astype(np.float64) + 1e-4 * np.eye(size)) * max(1.0, len(rows) / size)
    models = []
    for penalty in penalties:
        weights = [np.linalg.solve(square - squares[fold] + penalty * cost, product - products[fold]) for fold in range(left_out)]
        models.append(Linear(np.array(weights, np.float32), np.zeros((left_out, classes), np.float32)))
    return models
