"""How likely the values of a row are together, given how likely each is alone.

Rows are told from rows whose columns were shuffled, each by itself (Hastie, Tibshirani, Friedman: *The Elements of Statistical
Learning*, 14.2.4): the classifier learns nothing but what the columns have to do with each other. It is ridge regression on
random Fourier features (Rahimi and Recht 2007) of three widths, and no row is judged by a model that has seen it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from toadstone.stats.cross_fit import Linear, ridge_by_moments

FOLDS = 5
_LEVELS = 20
_CLIP = 3.0
_NARROWEST = 0.3
_RAREST = 0.15
_LABEL = 2.0
"""Weight of the label beside the columns: a row is also odd where its label does not belong to its values."""
_SHUFFLES = 2
_WIDTHS = (0.5, 1.0, 2.0)
_PENALTY = 0.01
_SPREAD = 0.1
_TRIMMED = 0.9
_ROUNDS = 3
_LEAST = 30

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Scores:
    """One column as numbers of about one size: normal scores of numbers, indicators of categories.

    Attributes:
        known: Values of a sample in order; of categories, the most frequent ones.
        numeric: Whether it holds numbers.
        centre: Of the dimensions.
        scale: By which they are divided.
    """

    known: Floats
    numeric: bool
    centre: Floats
    scale: Floats

    def of(self, values: Floats) -> Floats:
        """Give the dimensions of some values, shape (rows, dimensions)."""
        return np.asarray((_raw(values, self.known, numeric=self.numeric) - self.centre) / self.scale, np.float64)


def scores(values: Floats, *, numeric: bool, weight: float = 1.0) -> Scores:
    """Learn how to look at a column of a sample.

    Args:
        values: NaN where missing.
        numeric: Whether they are numbers, not hashes or codes of categories.
        weight: By which the dimensions count.
    """
    found, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    if numeric:
        known = np.sort(values[~np.isnan(values)])
        raw = _raw(values, known, numeric=True)
        return Scores(known, True, raw.mean(axis=0), np.maximum(raw.std(axis=0), _NARROWEST) / weight)
    known = np.sort(found[np.argsort(-counts, kind="stable")[:_LEVELS]])
    raw = _raw(values, known, numeric=False)
    spread = np.maximum(raw.std(axis=0), _RAREST) * np.sqrt(max(1, len(known)))
    return Scores(known, False, raw.mean(axis=0), spread / weight)


def _raw(values: Floats, known: Floats, *, numeric: bool) -> Floats:
    missing = np.isnan(values)
    if not numeric:
        return np.asarray(np.concatenate([values[:, None] == known, missing[:, None]], axis=1), np.float64)
    count = max(1, len(known))
    share = (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")) / (2.0 * count)
    normal = special.ndtri(np.clip(share, 0.5 / count, 1 - 0.5 / count))
    return np.stack([np.where(missing, 0.0, np.clip(normal, -_CLIP, _CLIP)), missing.astype(np.float64)], axis=1)


@dataclass(frozen=True)
class JointDensity:
    """A fitted model.

    Attributes:
        columns: How each column is looked at; the label last.
        waves: Directions of the Fourier features, shape (dimensions, features).
        phases: Shape (features,).
        model: Tells rows from shuffled ones.
        classes: Of each label with enough rows: centre and inverse covariance of its rows.
    """

    columns: tuple[Scores, ...]
    waves: Floats
    phases: Floats
    model: Linear
    classes: dict[int, tuple[Floats, Floats]]

    def oddness(self, values: Floats, labels: Numbers, folds: Numbers) -> tuple[Floats, Floats]:
        """Say how unlikely the values of rows are together, in two ways; higher is odder.

        Args:
            values: Shape (rows, columns).
            labels: Code of each row, -1 where missing.
            folds: Fold of each row.

        Returns:
            By the model that tells rows from shuffled ones; by the distance from the rows of the same label (Mahalanobis).
        """
        dense = _dense(self.columns, values, labels)
        said = self.model.scores(_features(dense, self.waves, self.phases), folds)
        far = np.zeros(len(values))
        plain = dense[:, : self.waves.shape[0] - self.columns[-1].centre.size]
        for label, (centre, inverse) in self.classes.items():
            own = np.flatnonzero(labels == label)
            apart = plain[own] - centre
            far[own] = np.log1p(np.einsum("ij,ij->i", apart @ inverse, apart))
        return np.asarray(said[:, 0] - said[:, 1], np.float64), far


def joint_density(
    values: Floats, numeric: int, labels: Numbers, folds: Numbers, features: int, random: np.random.Generator
) -> JointDensity:
    """Fit to a sample of rows.

    Args:
        values: Shape (rows, columns), columns of numbers first, NaN where missing.
        numeric: How many columns hold numbers.
        labels: Code of each row, -1 where missing.
        folds: Fold of each row, below `FOLDS`.
        features: Fourier features of each width.
        random: Shuffles, and draws the features.
    """
    looked = [scores(values[:, place], numeric=place < numeric) for place in range(values.shape[1])]
    looked.append(scores(labels.astype(np.float64), numeric=False, weight=_LABEL))
    columns = tuple(looked)
    dense = _dense(columns, values, labels)
    left, right = random.integers(0, len(dense), (2, 500))
    width = max(float(np.sqrt(np.median(((dense[left] - dense[right]) ** 2).sum(axis=1)))), 1e-6)
    waves = [random.standard_normal((dense.shape[1], features)) / (width * factor) for factor in _WIDTHS]
    phases = random.uniform(0, 2 * np.pi, features * len(_WIDTHS))
    wave = np.concatenate(waves, axis=1)
    parts = [dense]
    for _ in range(_SHUFFLES):
        orders = [random.permutation(len(values)) for _ in columns]
        shuffled = [column.of(_column(values, labels, place)[orders[place]]) for place, column in enumerate(columns)]
        parts.append(np.concatenate(shuffled, axis=1))
    rows = np.concatenate([_features(part, wave, phases) for part in parts])
    kinds = np.repeat([0, 1], [len(values), _SHUFFLES * len(values)])
    every = np.concatenate([folds, *(random.integers(0, FOLDS, len(values)) for _ in range(_SHUFFLES))])
    real = kinds == 0
    (model,) = ridge_by_moments(rows, np.where(real, 1, 0), every, (FOLDS, 2), (_PENALTY,))
    return JointDensity(columns, wave, phases, model, _by_class(dense[:, : len(wave) - columns[-1].centre.size], labels))


def _column(values: Floats, labels: Numbers, place: int) -> Floats:
    return values[:, place] if place < values.shape[1] else labels.astype(np.float64)


def _dense(columns: tuple[Scores, ...], values: Floats, labels: Numbers) -> Floats:
    return np.concatenate([column.of(_column(values, labels, place)) for place, column in enumerate(columns)], axis=1)


def _features(dense: Floats, waves: Floats, phases: Floats) -> NDArray[np.float32]:
    """Give Fourier features, the dimensions, their squares and a constant."""
    one = np.ones((len(dense), 1))
    return np.concatenate([np.cos(dense @ waves + phases), dense, dense**2, one], axis=1).astype(np.float32)


def _normal(rows: Floats) -> tuple[Floats, Floats]:
    """Fit a normal distribution: centre and inverse covariance."""
    covariance = np.atleast_2d(np.cov(rows.T)) + _SPREAD * np.eye(rows.shape[1])
    return rows.mean(axis=0), np.asarray(np.linalg.inv(covariance), np.float64)


def _by_class(dense: Floats, labels: Numbers) -> dict[int, tuple[Floats, Floats]]:
    """Fit a normal distribution to the inner rows of each label, again and again, so that outer rows do not shape it."""
    found: dict[int, tuple[Floats, Floats]] = {}
    for label in np.unique(labels[labels >= 0]).tolist():
        own = dense[labels == label]
        if len(own) < _LEAST:
            continue
        centre, inverse = _normal(own)
        for _ in range(_ROUNDS - 1):
            far = np.einsum("ij,ij->i", (own - centre) @ inverse, own - centre)
            centre, inverse = _normal(own[far <= np.quantile(far, _TRIMMED)])
        found[label] = (np.asarray(centre, np.float64), np.asarray(inverse, np.float64))
    return found
