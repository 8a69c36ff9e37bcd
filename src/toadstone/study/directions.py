"""Directions along which some rows of one label stand apart from all other rows.

The rows of every label are taken relative to the label's mean and whitened by the spread of all rows. A mark that was put on some
rows of a label adds variance to this label alone, however small it is beside the content: the directions of largest variance
within the label show it (common spatial patterns, Koles 1991; SPECTRE, Hayase et al. 2021). Rows beyond what other labels reach
are taken as marked, and the direction is fitted again to them (Fisher's discriminant) until they stay the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Codes = NDArray[np.int64]

BEYOND = 0.99
"""Share of the rows of other labels that a marked row has to exceed."""
_STEPS = 8
_SHRUNK = 0.02
"""Added to the spread of the other labels, as a share of that of all."""
_ROUNDS = 5
_MOST = 0.75
"""Share of a label above which its rows are no group within it."""


@dataclass(frozen=True)
class Direction:
    """A direction and the rows of a label that stand apart along it.

    Attributes:
        label: Code.
        weights: In the whitened space, of length 1.
        rows: Of the sample, sorted.
        scores: Of all rows of the sample.
        threshold: What marked rows exceed.
    """

    label: int
    weights: Floats
    rows: Codes
    scores: Floats
    threshold: float

    @property
    def gap(self) -> float:
        """How far the marked rows stand from the threshold: the ratio of their nearest to their farthest tenth, in [0, 1].

        Rows that were cut off a continuum lie closest to the cut (about 0.05); a mode of its own lies away from it.
        """
        near, far = np.quantile(self.scores[self.rows], (0.1, 0.9)) - self.threshold
        return max(0.0, float(near / far)) if far > 0 else 0.0


class Whitened:
    """Rows relative to the mean of their label, in units of the spread of all rows.

    Args:
        values: Shape (rows, numbers).
        labels: Codes from 0 on.
        classes: How many there are.
        noise: Spread that counts as none, in units of the values.
    """

    def __init__(self, values: Floats, labels: Codes, classes: int, noise: float) -> None:
        counts = np.maximum(np.bincount(labels, minlength=classes), 1)
        self.labels = labels
        self.means = np.stack([values[labels == label].sum(0) / counts[label] for label in range(classes)]).astype(np.float32)
        centred = values - self.means[labels]
        spread = (centred.T @ centred).astype(np.float64) / len(labels)
        variances, axes = np.linalg.eigh(spread)
        ridge = noise**2 + 1e-3 * float(variances.mean())
        self.map = (axes / np.sqrt(np.maximum(variances, 0.0) + ridge)).astype(np.float32)
        self.rows = np.asarray(centred @ self.map, np.float32)
        self.shifts = np.asarray((self.means - values.mean(0)) @ self.map, np.float32)

    def directions(self, label: int, count: int, random: np.random.Generator) -> Iterator[Floats]:
        """Give directions to begin with: to the label's mean, and those of largest variance within it, each both ways."""
        shift = self.shifts[label] / max(float(np.linalg.norm(self.shifts[label])), 1e-9)
        yield np.asarray(shift, np.float32)
        yield np.asarray(-shift, np.float32)
        inside = self.rows[self.labels == label]
        spread = inside.T @ inside / np.float32(max(1, len(inside)))
        # The label's own rows are part of the spread of all, which hides how large its variance is beside that of the others.
        rest = np.float32(1 + _SHRUNK) * np.eye(len(spread), dtype=np.float32)
        rest -= np.float32(len(inside) / len(self.rows)) * spread
        spread = np.linalg.solve(rest, spread)
        spread = (spread + spread.T) / 2
        basis = np.linalg.qr(random.normal(size=(spread.shape[0], count + 3)).astype(np.float32))[0]
        for _ in range(_STEPS):
            basis = np.linalg.qr(spread @ basis)[0]
        _, turn = np.linalg.eigh(basis.T @ spread @ basis)
        for column in (basis @ turn[:, ::-1])[:, :count].T:
            yield np.asarray(column, np.float32)
            yield np.asarray(-column, np.float32)

    def apart(self, label: int, start: Floats, fewest: int) -> Direction | None:
        """Fit a direction to the rows of a label that stand apart along it; None when there are too few or it is most of them."""
        own = np.flatnonzero(self.labels == label)
        others = self.labels != label
        weights, known = start, np.zeros(0, np.int64)
        scores, threshold, rows = self.rows @ weights, 0.0, known
        for _ in range(_ROUNDS):
            scores = self.rows @ weights
            threshold = float(np.quantile(scores[others], BEYOND))
            beyond = scores[own] > threshold
            rows = own[beyond]
            if len(rows) < fewest or len(rows) > _MOST * len(own):
                return None
            if np.array_equal(rows, known):
                break
            known = rows
            difference = self.rows[rows].mean(0) - self.rows[own[~beyond]].mean(0)
            weights = np.asarray(difference / max(float(np.linalg.norm(difference)), 1e-9), np.float32)
        return Direction(label, weights, rows, np.asarray(scores, np.float32), threshold)

    def third(self, direction: Direction, rows: Codes, looks: Codes) -> NDArray[np.bool_]:
        """Say which rows still stand apart when they are compared with the label that they look like.

        What makes a row unlike its label and like another one is content, not a mark: it vanishes when the row is taken
        relative to the mean of the other label.

        Args:
            direction: Along which.
            rows: Some of its rows.
            looks: Codes of the labels that they look like.
        """
        moved = (self.shifts[direction.label] - self.shifts[looks]) @ direction.weights
        return np.asarray(direction.scores[rows] + moved > direction.threshold, np.bool_)

    def repeated(self, direction: Direction) -> float:
        """Give the share of the marked rows that stand apart along a direction which was fitted without them, in [0, 1].

        Among hundreds of numbers a few rows always have something in common; it says nothing about the next row.
        """
        return self.repeated_of(direction.label, direction.rows)

    def repeated_of(self, label: int, rows: Codes) -> float:
        """Say the same of any rows of a label."""
        own = np.flatnonzero(self.labels == label)
        marked = np.zeros(len(self.labels), bool)
        marked[rows] = True
        half = np.zeros(len(self.labels), bool)
        half[rows[::2]] = half[own[~marked[own]][::2]] = True
        hits = 0
        for side in (half, ~half):
            fit = own[side[own]]
            difference = self.rows[fit[marked[fit]]].mean(0) - self.rows[fit[~marked[fit]]].mean(0)
            scores = self.rows @ difference
            threshold = np.quantile(scores[self.labels != label], BEYOND)
            hits += int((scores[marked & ~side] > threshold).sum())
        return hits / len(rows)
