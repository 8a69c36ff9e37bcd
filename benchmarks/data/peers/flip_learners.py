"""Five learners, each tuned on the labels as they are; a row is bad when its label is unlikely out of fold."""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

warnings.filterwarnings("ignore")

Tried = tuple[str, list[Any], str]
"""Name of a learner, its settings, and what it says."""


def _sparse() -> Iterator[Tried]:
    yield "logistic", [LogisticRegression(C=c, max_iter=300, tol=1e-3) for c in (0.5, 3, 20)], "predict_proba"
    machines = [CalibratedClassifierCV(LinearSVC(C=c), ensemble=False, cv=3) for c in (0.05, 0.3, 2)]
    yield "calibrated SVM", machines, "predict_proba"
    yield "complement naive Bayes", [ComplementNB(alpha=a) for a in (0.1, 0.5, 2)], "predict_proba"
    yield "ridge", [RidgeClassifier(alpha=a) for a in (0.3, 1, 5)], "decision_function"


def _dense() -> Iterator[Tried]:
    forests = [RandomForestClassifier(200, min_samples_leaf=leaf, random_state=0) for leaf in (1, 5)]
    yield "random forest on SVD", forests, "predict_proba"


def _confidence(said: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
    """Say how much better than the best other label each row's own label fits."""
    if said.ndim == 1:
        said = np.stack([-said, said], 1)
    every = np.arange(len(labels))
    own = said[every, labels].copy()
    rest = said.copy()
    rest[every, labels] = -np.inf
    return own - rest.max(1), (said.argmax(1) == labels).mean()


def main(source: str, target: str) -> None:
    """Judge every row by every learner with its best setting."""
    table = pq.read_table(source)
    texts = [text or "" for text in table["text"].to_pylist()]
    labels = np.unique([str(name) for name in table["label"].to_pylist()], return_inverse=True)[1]
    begun = time.process_time()
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit_transform(texts)
    dense = TruncatedSVD(64, random_state=0).fit_transform(words)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    detectors = {}
    for features, learners in ((words, _sparse()), (dense, _dense())):
        for name, settings, method in learners:
            tried = [_confidence(cross_val_predict(one, features, labels, cv=folds, method=method), labels) for one in settings]
            scores = -max(tried, key=lambda each: each[1])[0]
            detectors[f"tuned {name}"] = {"scores": scores.tolist(), "flags": None}
    Path(target).write_text(json.dumps({"detectors": detectors, "cpu": time.process_time() - begun}))


if __name__ == "__main__":
    main(*sys.argv[1:])
