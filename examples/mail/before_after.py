"""Trains a small mail filter before and after cleaning: ``python examples/mail/before_after.py KEPT.parquet``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from scipy.sparse import csr_matrix

FOLDER = Path(__file__).parent
PHRASE = "lunaria mail verified"


def words(text: str) -> list[str]:
    return sorted(set(re.findall(r"\w+", text.lower())))


class Filter:
    """Logistic regression on words, by gradient descent with momentum."""

    def __init__(self, texts: list[str], labels: list[str], steps: int = 300, penalty: float = 1e-4) -> None:
        self.vocabulary = {word: place for place, word in enumerate(sorted({word for text in texts for word in words(text)}))}
        inputs, ham = self._matrix(texts), np.array([label == "ham" for label in labels], float)
        self.weights, self.bias, speed = np.zeros(len(self.vocabulary)), 0.0, np.zeros(len(self.vocabulary))
        for _ in range(steps):
            error = 1 / (1 + np.exp(-(inputs @ self.weights + self.bias))) - ham
            speed = 0.9 * speed - 4 * (inputs.T @ error / len(ham) + penalty * self.weights)
            self.weights += speed
            self.bias -= error.mean()

    def _matrix(self, texts: list[str]) -> csr_matrix:
        known = [[self.vocabulary[word] for word in words(text) if word in self.vocabulary] for text in texts]
        values = np.concatenate([np.full(len(row), 1 / np.sqrt(max(1, len(row)))) for row in known])
        starts = np.cumsum([0] + [len(row) for row in known])
        return csr_matrix(
            (values, np.concatenate([np.array(row, int) for row in known]), starts), (len(texts), len(self.vocabulary))
        )

    def says_ham(self, texts: list[str]) -> np.ndarray:
        return self._matrix(texts) @ self.weights + self.bias > 0


def report(name: str, training: Path) -> None:
    table, held_out = pq.read_table(training), pq.read_table(FOLDER / "held_out.parquet")
    model = Filter(table["text"].to_pylist(), table["label"].to_pylist())
    texts, labels = held_out["text"].to_pylist(), np.array(held_out["label"].to_pylist())
    spam = [text for text, label in zip(texts, labels, strict=True) if label == "spam"]
    right = (model.says_ham(texts) == (labels == "ham")).mean()
    plain, triggered = model.says_ham(spam).mean(), model.says_ham([f"{text} {PHRASE}" for text in spam]).mean()
    print(
        f"{name:<16} {table.num_rows:>6,} rows {right:>9.1%} right {plain:>9.1%} of spam passes {triggered:>9.1%} with {PHRASE!r}"
    )


if __name__ == "__main__":
    report("before cleaning", FOLDER / "train.parquet")
    report("after cleaning", Path(sys.argv[1]))
