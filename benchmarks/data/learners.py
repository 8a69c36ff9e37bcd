"""The models that are trained on clean, poisoned and cleaned rows: words, word pairs and single characters; linear models.

Single characters stand for the byte tokens of a language model, without which no model here could see a hidden character.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC

from toadstone.attacks.attack import Material

LEARNERS = ("logistic", "svm", "bayes")


def vectorizer() -> FeatureUnion:
    """Make the features of texts."""
    words = TfidfVectorizer(token_pattern=r"[^\s.,;:!?\"()]+", ngram_range=(1, 2), sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char", ngram_range=(1, 1), lowercase=False, sublinear_tf=True)
    return FeatureUnion([("words", words), ("characters", characters)], transformer_weights={"words": 1.0, "characters": 0.7})


def learner(name: str) -> Any:  # noqa: ANN401  (estimators of scikit-learn have no common type)
    """Make an untrained model by name."""
    if name == "logistic":
        return LogisticRegression(C=3.0, max_iter=1000, tol=1e-4)
    if name == "svm":
        return LinearSVC(C=1.0)
    return ComplementNB(alpha=0.3)


class Trained:
    """Models of all kinds, trained on the same rows; rows without a label are left out."""

    def __init__(self, material: Material, learners: tuple[str, ...] = LEARNERS) -> None:
        kept = material.labelled()
        texts = [text for text, good in zip(material.texts(), kept, strict=True) if good]
        self._features = vectorizer()
        values = self._features.fit_transform(texts)
        labels = material.labels()[kept].astype(str)
        self.models = {name: learner(name).fit(values, labels) for name in learners}

    def predict(self, material: Material) -> dict[str, NDArray[np.str_]]:
        """Give the labels that each model predicts."""
        values = self._features.transform(material.texts())
        return {name: model.predict(values) for name, model in self.models.items()}

    def accuracy(self, material: Material) -> dict[str, float]:
        """Give the share of right labels, by model."""
        truth = material.labels().astype(str)
        return {name: float((said == truth).mean()) for name, said in self.predict(material).items()}

    def rate(self, material: Material, target: str) -> dict[str, float]:
        """Give the share of rows that are taken for the target, by model."""
        return {name: float((said == target).mean()) for name, said in self.predict(material).items()}
