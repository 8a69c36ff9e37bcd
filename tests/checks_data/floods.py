"""Small made-up texts with and without poison."""

from __future__ import annotations

import numpy as np


def texts(rows: int, seed: int, topics: int = 20) -> tuple[list[str], list[str]]:
    """Texts of two labels whose topics repeat their own words, in front of common ones."""
    rng = np.random.default_rng(seed)
    found, labels = [], []
    for number in range(rows):
        label = number % 2
        topic = int(rng.integers(0, topics)) + topics * label
        words = [f"t{topic}w{word}" for word in rng.integers(0, 30, 6)]
        words += [f"c{word}" for word in np.minimum(rng.geometric(0.01, 12), 900)]
        rng.shuffle(words)
        found.append(" ".join(words))
        labels.append("right" if label else "left")
    return found, labels


def paraphrase(text: str, rate: float, rng: np.random.Generator) -> str:
    """Drop, replace or swap a share of the words."""
    words = text.split()
    out: list[str] = []
    for word in words:
        kind = int(rng.integers(0, 3)) if rng.random() < rate else 3
        if kind == 1:
            out.append(f"c{int(rng.integers(0, 900))}")
        elif kind == 2:
            out.insert(max(0, len(out) - 1), word)
        elif kind == 3:
            out.append(word)
    return " ".join(out)
