"""Ridge regression on class indicators in closed form: the base learner of certified training."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import scipy.linalg
import scipy.sparse
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data


class ClosedForm(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # (scikit-learn has no types)
    """Classifies by ridge regression on class indicators, exactly and without iteration.

    Columns are centred; the penalty is relative to their mean variance, so it needs no scaler. With fewer rows than
    columns the dual system is solved: small parts of wide data cost little (Saunders et al. 1998).

    Args:
        penalty: Relative to the mean variance of a column times the number of rows, greater than 0.

    Attributes:
        classes_: Classes, sorted.
        weights_: Shape (d, classes).
        offsets_: Shape (classes,).
    """

    def __init__(self, penalty: float = 0.1) -> None:
        self.penalty = penalty

    def fit(self, X: Any, y: Any) -> Self:  # noqa: ANN401, N803  (scikit-learn's names)
        """Fit the weights.

        Args:
            X: Numbers, dense or sparse, shape (n, d).
            y: n labels.

        Raises:
            ValueError: X, y or the penalty is not what it has to be.
        """
        if not self.penalty > 0:
            raise ValueError(f"penalty must be greater than 0. Got {self.penalty} instead.")
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64)  # noqa: N806
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        rows = np.asarray(X.toarray() if scipy.sparse.issparse(X) else X)
        centre = rows.mean(0)
        rows = rows - centre
        targets = np.eye(len(self.classes_))[codes]
        self.offsets_ = targets.mean(0)
        targets -= self.offsets_
        cost = self.penalty * max(float(np.einsum("ij,ij->", rows, rows)) / rows.shape[1], 1e-12)
        if rows.shape[0] < rows.shape[1]:
            self.weights_ = rows.T @ _solved(rows @ rows.T, targets, cost)
        else:
            self.weights_ = _solved(rows.T @ rows, rows.T @ targets, cost)
        self.offsets_ -= centre @ self.weights_
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:  # noqa: ANN401, N803
        """Give the regressed indicator of each class, shape (n, classes); of the second one, shape (n,), if there are two."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, accept_sparse="csr", dtype=np.float64)  # noqa: N806
        scores: NDArray[np.float64] = np.asarray(X @ self.weights_) + self.offsets_
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: ANN401, N803
        """Give the class of each row, shape (n,)."""
        scores = self.decision_function(X)
        codes = (scores > 0).astype(np.int64) if scores.ndim == 1 else scores.argmax(1)
        return np.asarray(self.classes_[codes])

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401  (scikit-learn's name and type)
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _solved(square: NDArray[np.float64], right: NDArray[np.float64], cost: float) -> NDArray[np.float64]:
    square[np.diag_indices_from(square)] += cost
    result: NDArray[np.float64] = scipy.linalg.solve(square, right, assume_a="pos", overwrite_a=True)
    return result
