"""Small made-up data for the examples of checks: texts on two topics, each with words of its own and words of anybody."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

TOPICS = {
    "money": "bank market share price stock profit trade budget investor credit rate loan fund tax".split(),
    "sport": "match goal team score league player coach season win stadium referee training cup final".split(),
}
"""Labels and the words that tell them."""

_OTHERS = [f"word{number}" for number in range(400)]


def other(label: str) -> str:
    """Give the other label."""
    return next(name for name in TOPICS if name != label)


def texts(rows: int, seed: int = 7, beside: Callable[[int], list[str]] = lambda _row: _OTHERS) -> tuple[list[str], list[str]]:
    """Make texts and their labels, which alternate.

    Args:
        rows: How many.
        seed: Of the choice of words.
        beside: Gives the words, besides those of the topic, that a row is made of.
    """
    rng = np.random.default_rng(seed)
    names = sorted(TOPICS)
    labels = [names[row % 2] for row in range(rows)]
    made = [
        " ".join([*rng.choice(TOPICS[label], 6).tolist(), *rng.choice(beside(row), 6).tolist()])
        for row, label in enumerate(labels)
    ]
    return made, labels
