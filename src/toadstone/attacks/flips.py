"""Attacks that change labels and nothing else: what they have in common."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from toadstone.attacks.attack import Attack, Material, Poisoned, Rows, Trigger
from toadstone.attacks.proxy import Score, Scores, naive_bayes


@dataclass(frozen=True)
class Flip(Attack):
    """Base of the label flips; without a target every row gets a label of its own."""

    rate: float = field(default=0.1, kw_only=True)

    def flipped(self, material: Material, rows: Rows, labels: list[str], target: str | None) -> Poisoned:
        """Give rows other labels."""
        return Poisoned.of(material.replaced("label", rows, labels), rows, Trigger("labels", tuple(sorted(set(labels))), target))

    def flippable(self, labels: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Say which rows have a label, and not the target."""
        return np.array([name is not None and name != self.target for name in labels], bool)


@dataclass(frozen=True)
class ScoredFlip(Flip):
    """Base of the flips that choose rows by what a model says of them.

    Attributes:
        score: The attacker's model; None: naive Bayes, out of fold.
    """

    score: Score | None = field(default=None, kw_only=True)

    def margins(self, material: Material) -> tuple[NDArray[np.float64], list[str]]:
        """Say by how much each row's label fits better than the best other one, and name that one (or the target)."""
        names = self.classes(material)
        scores: Scores = np.array((self.score or naive_bayes)(material), np.float64)
        labels = material.labels()
        codes = np.array([names.index(name) if name is not None else 0 for name in labels])
        every = np.arange(len(codes))
        own = scores[every, codes].copy()
        scores[every, codes] = -np.inf
        other = scores.argmax(1) if self.target is None else np.full(len(codes), names.index(self.target))
        return own - scores[every, other], [names[code] for code in other.tolist()]

    def ranked(self, material: Material, badness: NDArray[np.float64], others: list[str]) -> Poisoned:
        """Flip the rows with the lowest values among those that can be flipped."""
        wanted = self.wanted(material.table.num_rows)
        fitting = self.flippable(material.labels())
        self.chosen(fitting, wanted, np.random.default_rng(0))  # raises when there are too few
        order = np.argsort(np.where(fitting, badness, np.inf), kind="stable")
        rows = np.sort(order[:wanted]).astype(np.int64)
        return self.flipped(material, rows, [others[row] for row in rows.tolist()], self.target)
