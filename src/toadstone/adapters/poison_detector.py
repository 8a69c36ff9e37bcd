"""The examination of rows as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from toadstone.core.policy import Policy
from toadstone.core.report import Report
from toadstone.stats.novelty import Novelty
from toadstone.tables.roles import Roles
from toadstone.verbs.clean import subject_of
from toadstone.verbs.rows import RowOptions, examine
from toadstone.views.words import Words, mixed

_DIMENSIONS = 64


class PoisonDetector(BaseEstimator):  # type: ignore[misc]  # (scikit-learn has no types)
    """Finds poisoned, mislabelled, flooded and outlying rows of texts or vectors.

    `fit` examines the rows as a whole, with their labels when they are given: poison shows in groups of rows. `score_samples`
    and `predict` give that evidence back for the rows that were fitted; rows that were not are judged by their distance from
    those that were, which sees outliers only. As everywhere in scikit-learn, lower scores are worse.

    It is no ``OutlierMixin``: those have to find outliers in whatever they are given, and a detector of poison has to be able
    to say that there is none.

    Args:
        fdr: False-discovery rate, in (0, 1).
        effort: ``quick``, ``standard`` or ``deep``.
        seed: Of every random choice.
        memory: Bytes that may be used.

    Attributes:
        scores_: Evidence on each fitted row, shape (n,); higher is worse.
        p_values_: Corrected p-values, shape (n,).
        flagged_: Rows to be quarantined, bool, shape (n,).
        report_: The report, as of `toadstone.scan`.
        offset_: ``decision_function`` is ``score_samples`` less this.
    """

    def __init__(self, *, fdr: float = 0.05, effort: str = "standard", seed: int = 0, memory: int = 1 << 30) -> None:
        self.fdr = fdr
        self.effort = effort
        self.seed = seed
        self.memory = memory

    def fit(self, X: Any, y: Any = None, *, source: Sequence[object] | None = None) -> Self:  # noqa: ANN401, N803  (scikit-learn's names)
        """Examine rows.

        Args:
            X: Numbers, shape (n, d), or n texts.
            y: n labels.
            source: Who contributed each row.

        Raises:
            ValueError: X or y is not what it has to be.
            UsageError: A parameter is out of its range.
        """
        content = self._content(X, reset=True)
        columns: dict[str, Any] = dict(content)
        if y is not None:
            columns["label"] = _labels(y, len(next(iter(content.values()))))
        if source is not None:
            columns["source"] = pa.array([str(value) for value in source])
        given: dict[str, Any] = {name: name for name in columns}
        roles = Roles(**given)
        options = RowOptions(roles, self.effort, self.seed, self.fdr, self.memory, jobs=1)
        examined = examine(pa.table(columns), options)
        decision = examined.decision
        self.scores_ = decision.scores
        self.p_values_ = decision.p_values
        self.flagged_ = decision.flagged
        self.report_ = Report((subject_of(examined, Policy()),))
        vectors = _vectors(content)
        self._novelty = Novelty.of(vectors, np.random.default_rng(self.seed))
        self._known = {key: row for row, key in reversed(list(enumerate(_keys(content))))}
        self._margin = float(max(self.scores_[~self.flagged_].max(initial=0.0), -np.log(1.0 / (len(vectors) + 1)))) + 1.0
        self._fitted = np.where(self.flagged_, self._margin + self.scores_, self.scores_)
        for row, key in enumerate(_keys(content)):  # rows that are the same count as the worst of them
            first = self._known[key]
            self._fitted[first] = max(self._fitted[first], self._fitted[row])
        self.offset_ = -self._margin
        return self

    def score_samples(self, X: Any) -> NDArray[np.float64]:  # noqa: ANN401, N803
        """Give the evidence on rows, shape (n,); lower is worse."""
        check_is_fitted(self)
        content = self._content(X, reset=False)
        vectors = _vectors(content)
        scores = -self._novelty.log_p(vectors)
        for row, key in enumerate(_keys(content)):
            if key in self._known:
                scores[row] = self._fitted[self._known[key]]
        result: NDArray[np.float64] = -scores
        return result

    def decision_function(self, X: Any) -> NDArray[np.float64]:  # noqa: ANN401, N803
        """Give `score_samples` less ``offset_``: negative for rows to be quarantined, shape (n,)."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> NDArray[np.int64]:  # noqa: ANN401, N803
        """Give -1 for rows to be quarantined and 1 for the others, shape (n,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def fit_predict(self, X: Any, y: Any = None, **parameters: Any) -> NDArray[np.int64]:  # noqa: ANN401, N803
        """Examine rows; give -1 for those to be quarantined and 1 for the others, shape (n,)."""
        return self.fit(X, y, **parameters).predict(X)

    def _content(self, X: Any, *, reset: bool) -> dict[str, pa.Array]:  # noqa: ANN401, N803
        """Give the column that the rows are."""
        if _is_text(X):
            if not len(X):
                raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
            return {"text": pa.array([str(text) for text in X], pa.large_string())}
        checked: Any = validate_data(self, X, reset=reset, dtype=np.float64)
        flat = pa.array(checked.astype(np.float32).ravel())
        return {"embedding": pa.FixedSizeListArray.from_arrays(flat, checked.shape[1])}


def _is_text(X: Any) -> bool:  # noqa: ANN401, N803
    if getattr(X, "ndim", 1) != 1 or not hasattr(X, "__len__") or not hasattr(X, "__getitem__"):
        return False
    return len(X) > 0 and all(isinstance(value, str) for value in X)


def _labels(y: Any, rows: int) -> pa.Array:  # noqa: ANN401
    labels = column_or_1d(y)
    if len(labels) != rows:
        raise ValueError(f"y must hold one label a row: {rows}. Got {len(labels)} instead.")
    return pa.array([None if value is None else str(value) for value in labels])


def _vectors(content: dict[str, pa.Array]) -> NDArray[np.floating]:
    """Give the rows as vectors, shape (n, d): texts as a signed sum of their hashed words (Weinberger et al. 2009)."""
    if "embedding" in content:
        array = content["embedding"]
        return np.asarray(array.values).reshape(len(array), -1)
    seen = Words().of(content["text"])
    rows = np.repeat(np.arange(len(content["text"])), np.diff(seen["words.offsets"]))
    codes = mixed(seen["words"].astype(np.uint64))
    signs = np.where(codes >> np.uint64(63), 1.0, -1.0)
    cells = rows * _DIMENSIONS + (codes % np.uint64(_DIMENSIONS)).astype(np.int64)
    sums = np.bincount(cells, signs, len(content["text"]) * _DIMENSIONS).reshape(-1, _DIMENSIONS)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    result: NDArray[np.floating] = sums / np.where(lengths > 0, lengths, 1.0)
    return result


def _keys(content: dict[str, pa.Array]) -> list[object]:
    """Give what tells rows apart."""
    if "text" in content:
        return list(content["text"].to_pylist())
    return [row.tobytes() for row in np.ascontiguousarray(_vectors(content), np.float32)]
