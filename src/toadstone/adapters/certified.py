"""Certified training: predictions with a proof of how many poisoned rows they withstand, as a scikit-learn estimator."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from toadstone.adapters.closed_form import ClosedForm
from toadstone.stats.election import Elected, plurality, run_off

_CELLS = 1 << 24
"""Preferences between two classes that are counted at once."""


@dataclass(frozen=True)
class Certificates:
    """Predictions and what they withstand.

    Attributes:
        prediction: Class of each row, shape (n,).
        withstands: Number of training rows that may be inserted, deleted or relabelled, whichever, without changing the
            prediction; shape (n,).
        agreement: Share of the models that vote for the prediction in the first round, shape (n,).
    """

    prediction: NDArray[Any]
    withstands: NDArray[np.int64]
    agreement: NDArray[np.float64]

    def accuracy(self, labels: Sequence[object] | NDArray[Any], rows: int = 0) -> float:
        """Give the share of predictions that are right and stay so whatever *rows* poisoned rows are.

        Args:
            labels: True classes, shape (n,).
            rows: Poisoned training rows, at least 0.
        """
        right = self.prediction == np.asarray(labels)
        return float(np.mean(right & (self.withstands >= rows)))


class CertifiedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # (scikit-learn has no types)
    """Trains a model on each of many parts of the data and lets them elect the class.

    Rows go to parts by a hash of their content, labels not included, so whoever inserts, deletes or relabels a row
    touches one model, and copies of one row touch the same (deep partition aggregation, Levine and Feizi 2021,
    arXiv 2006.14768; run-off election, Rezaei et al. 2023, arXiv 2302.02300). The certificate holds for any content of
    the poisoned rows, and whether they are found or not. It does not hold for what is shared by all models: a scaler or
    an embedding fitted on the same data, a base model that has seen it, labels of a class that is not among ``classes``.

    Args:
        estimator: Base learner; has to be deterministic once its ``random_state`` is set, and not to depend on the order
            of rows. None: `ClosedForm`, ridge regression in closed form.
        partitions: Number of parts and of models, at least 1. More withstand more, and predict worse.
        election: ``run-off`` or ``plurality``.
        classes: The classes that labels may have; None: those of ``y``.
        seed: Of the partition and of base learners.

    Attributes:
        classes_: Classes, sorted.
        estimators_: Fitted base learners, None for parts without rows.
        sizes_: Rows of each part, shape (partitions,).
    """

    def __init__(
        self,
        estimator: Any = None,  # noqa: ANN401  (scikit-learn's estimators have no type)
        *,
        partitions: int = 100,
        election: str = "run-off",
        classes: Sequence[object] | None = None,
        seed: int = 0,
    ) -> None:
        self.estimator = estimator
        self.partitions = partitions
        self.election = election
        self.classes = classes
        self.seed = seed

    def fit(self, X: Any, y: Any) -> Self:  # noqa: ANN401, N803  (scikit-learn's names)
        """Train one model a part.

        Args:
            X: Numbers, dense or sparse, shape (n, d).
            y: n labels.

        Raises:
            ValueError: X, y or a parameter is not what it has to be.
        """
        self._checked()
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64)  # noqa: N806
        check_classification_targets(y)
        self.classes_ = np.unique(y) if self.classes is None else np.unique(np.asarray(self.classes))
        if len(strange := np.setdiff1d(y, self.classes_)):
            raise ValueError(f"y has labels that are not among classes: {strange[:3].tolist()}")
        digests = [hashlib.blake2b(row, digest_size=16, key=b"%d" % self.seed).digest() for row in _contents(X)]
        parts = np.array([int.from_bytes(digest[:8], "little") % self.partitions for digest in digests], np.int64)
        # within a part by content, then by label: the order of the training set must not matter
        order = np.lexsort((np.searchsorted(self.classes_, y), np.array(digests, "S16"), parts))
        self.sizes_ = np.bincount(parts, minlength=self.partitions)
        edges = np.concatenate([[0], np.cumsum(self.sizes_)])
        self.estimators_ = [
            self._learner(part).fit(X[order[edges[part] : edges[part + 1]]], y[order[edges[part] : edges[part + 1]]])
            if self.sizes_[part]
            else None
            for part in range(self.partitions)
        ]
        return self

    def certify(self, X: Any) -> Certificates:  # noqa: ANN401, N803
        """Predict rows, and say how many poisoned training rows each prediction withstands.

        Args:
            X: Numbers, shape (n, d).
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, accept_sparse="csr", dtype=np.float64)  # noqa: N806
        found: list[tuple[Elected, NDArray[np.float64]]] = []
        step = max(1, _CELLS // len(self.classes_) ** 2)
        for begin in range(0, X.shape[0], step):
            votes, pairs = self._votes(X[begin : begin + step])
            elected = run_off(votes, pairs) if self.election == "run-off" else plurality(votes)
            share = np.take_along_axis(votes, elected.winner[:, None], 1)[:, 0] / self.partitions
            found.append((elected, share))
        winner = np.concatenate([elected.winner for elected, _ in found])
        withstands = np.concatenate([elected.withstands for elected, _ in found])
        return Certificates(self.classes_[winner], withstands, np.concatenate([share for _, share in found]))

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: ANN401, N803
        """Give the elected class of each row, shape (n,)."""
        return self.certify(X).prediction

    def disagreement(self, X: Any, y: Any) -> NDArray[np.float64]:  # noqa: ANN401, N803
        """Give for each row the share of the models that do not vote for its label, shape (n,).

        For a row of the training set the model of its own part does not vote: nobody else has seen the row, so rows that
        are mislabelled or poisoned in few parts stand out (a view for the detection of label errors).

        Args:
            X: Numbers, shape (n, d).
            y: n labels; those that are not among ``classes_`` are contradicted by everybody.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, accept_sparse="csr", dtype=np.float64)  # noqa: N806
        labels = np.asarray(y)
        keys = [hashlib.blake2b(row, digest_size=16, key=b"%d" % self.seed).digest() for row in _contents(X)]
        own = np.array([int.from_bytes(key[:8], "little") % self.partitions for key in keys], np.int64)
        against, heard = np.zeros(X.shape[0]), np.zeros(X.shape[0])
        for part, scores in self._scores(X):
            others = own != part
            against += others & (self.classes_[scores.argmax(1)] != labels)
            heard += others
        return against / np.maximum(heard, 1)

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401  (scikit-learn's name and type)
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.poor_score = True  # a hundred parts of a small set are small
        return tags

    def _checked(self) -> None:
        if self.partitions < 1:
            raise ValueError(f"partitions must be at least 1. Got {self.partitions} instead.")
        if self.election not in ("run-off", "plurality"):
            raise ValueError(f"election must be 'run-off' or 'plurality'. Got {self.election!r} instead.")

    def _learner(self, part: int) -> Any:  # noqa: ANN401
        if self.estimator is None:
            return ClosedForm()
        learner: Any = clone(self.estimator)
        states = {name: self.seed + part for name in learner.get_params() if name.split("__")[-1] == "random_state"}
        return learner.set_params(**states)

    def _votes(self, X: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # noqa: ANN401, N803
        """Count first choices, shape (n, classes), and preferences, shape (n, classes, classes)."""
        rows, classes = X.shape[0], len(self.classes_)
        votes = np.zeros((rows, classes), np.int64)
        pairs = np.zeros((rows, classes, classes), np.int64)
        low, high = np.triu_indices(classes, 1)
        for _, scores in self._scores(X):
            votes[np.arange(rows), scores.argmax(1)] += 1
            if self.election == "run-off":
                heard = np.isfinite(scores)  # of two classes, who knows one only has nothing to say
                both = heard[:, low] & heard[:, high]
                prefers = scores[:, low] >= scores[:, high]
                pairs[:, low, high] += both & prefers
                pairs[:, high, low] += both & ~prefers
        return votes, pairs

    def _scores(self, X: Any) -> Iterator[tuple[int, NDArray[np.float64]]]:  # noqa: ANN401, N803
        """Yield what each model says of each class, shape (n, classes); a class that it has not seen comes last."""
        for part, learner in enumerate(self.estimators_):
            scores = np.full((X.shape[0], len(self.classes_)), -np.inf)
            if learner is not None:
                scores[:, np.searchsorted(self.classes_, learner.classes_)] = _spoken(learner, X)
            yield part, scores


def certify(X: Any, y: Any, estimator: Any = None, **parameters: Any) -> CertifiedClassifier:  # noqa: ANN401, N803
    """Train a classifier whose predictions come with a proof of how many poisoned rows they withstand.

    Args:
        X: Numbers, dense or sparse, shape (n, d).
        y: n labels.
        estimator: Base learner; None: ridge regression in closed form.
        **parameters: Of `CertifiedClassifier`.

    Raises:
        ValueError: X, y or a parameter is not what it has to be.
    """
    return CertifiedClassifier(estimator, **parameters).fit(X, y)


def _spoken(learner: Any, X: Any) -> NDArray[np.float64]:  # noqa: ANN401, N803
    """Give a model's scores of the classes it knows, shape (n, known classes)."""
    if len(learner.classes_) == 1:
        return np.zeros((X.shape[0], 1))
    for name in ("decision_function", "predict_proba"):
        if hasattr(learner, name):
            scores = np.asarray(getattr(learner, name)(X), np.float64)
            if scores.ndim == 1:
                return np.stack([-scores, scores], 1)
            if scores.shape[1] == len(learner.classes_):  # support vectors may vote one against one
                return scores
    votes: NDArray[np.float64] = np.asarray(learner.predict(X)[:, None] == learner.classes_, np.float64)
    return votes


def _contents(X: Any) -> Iterator[bytes]:  # noqa: ANN401, N803
    """Yield the bytes of each row, the same for equal rows however they are stored: 0.0 and -0.0 are one number."""
    dense = not scipy.sparse.issparse(X)
    for begin in range(0, X.shape[0], 1024):
        block = X[begin : begin + 1024]
        filled = np.ascontiguousarray(block if dense else block.toarray(), "<f8") + 0.0
        for row in filled:
            yield row.tobytes()
