"""What a linear learner would say of some rows had it never seen them: exact, without training again.

For ridge regression the predictions of a group that was left out follow from the hat matrix (the group version of the formula
for one row, Cook and Weisberg 1982): residuals without the group are ``(I - H)^-1`` times those with it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Codes = NDArray[np.int64]


class LeaveOut:
    """Ridge regression of labels on features, with predictions as if rows had been left out.

    Args:
        features: Shape (rows, width); centred here.
        labels: Codes from 0 on, shape (rows,).
        classes: How many there are.
        penalty: As a share of the features' mean variance, summed over rows.
    """

    def __init__(self, features: Floats, labels: Codes, classes: int, penalty: float = 1e-3) -> None:
        self.features = np.asarray(features - features.mean(0), np.float32)
        self.labels = labels
        truth = np.zeros((len(labels), classes), np.float32)
        truth[np.arange(len(labels)), labels] = 1.0
        self._truth = truth - truth.mean(0)
        moments = (self.features.T @ self.features).astype(np.float64)
        moments[np.diag_indices_from(moments)] += max(penalty * float(np.trace(moments)) / max(1, len(moments)), 1e-9)
        self._inverse = np.linalg.inv(moments).astype(np.float32)
        self._fitted = self.features @ (self._inverse @ (self.features.T @ self._truth))
        self._half = self.features @ self._inverse

    def alone(self) -> NDArray[np.float32]:
        """Give each row's scores without the row itself, shape (rows, classes)."""
        leverage = np.minimum((self._half * self.features).sum(1), 0.999)[:, None]
        return np.asarray(self._truth - (self._truth - self._fitted) / (1 - leverage), np.float32)

    def without(self, rows: Codes) -> NDArray[np.float32]:
        """Give the rows' scores without any of them, shape (rows, classes)."""
        hat = (self._half[rows] @ self.features[rows].T).astype(np.float64)
        rest = np.eye(len(rows)) - hat
        rest[np.diag_indices_from(rest)] += 1e-6
        return np.asarray(self._truth[rows] - np.linalg.solve(rest, self._truth[rows] - self._fitted[rows]), np.float32)


def likeness(features: Floats, landmarks: Codes, directions: int = 60) -> Floats:
    """Give the likeness (Gaussian kernel) of rows to some of them along the main directions, shape (rows, landmarks).

    Args:
        features: Shape (rows, width).
        landmarks: Rows that others are compared with.
        directions: Of largest variance, at most.
    """
    centred = features - features.mean(0)
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64) / max(1, len(centred)))
    places = centred @ axes[:, ::-1][:, :directions].astype(np.float32)
    known = places[landmarks]
    squares = (places * places).sum(1)[:, None] + (known * known).sum(1) - np.float32(2) * (places @ known.T)
    width = np.float32(max(0.25 * float(np.median(squares[:, : min(50, len(landmarks))])), 1e-6))
    return np.asarray(np.exp(np.maximum(squares, 0) * (np.float32(-0.5) / width)), np.float32)
