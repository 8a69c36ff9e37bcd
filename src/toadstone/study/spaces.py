"""Spaces in which linear classifiers look at rows: terms of texts as sparse weights, numbers as dense ones."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from toadstone.stats.cross_fit import Linear, naive_bayes, ridge, ridge_by_moments
from toadstone.study.study import Chunk
from toadstone.views.words import mixed

BITS = 20
"""Terms are counted in 2^BITS slots."""
_BINS = 16
_KNOTS = 255
_LANDMARKS = {"quick": 120, "standard": 1000, "deep": 1000}
_ONE_HOT = 64
_GIANT = 1e37
"""Largest number that counts as larger than others: about what float32 holds."""

Codes = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Terms:
    """Slots of the terms of some rows: ragged, each slot once a row.

    Attributes:
        edges: Where rows begin in the others, one more than rows.
        slots: Below 2^BITS.
        counts: How often the term stands in the row.
    """

    edges: Codes
    slots: NDArray[np.int32]
    counts: NDArray[np.uint16]

    def take(self, rows: Codes) -> Terms:
        """Give some rows, in ascending order."""
        lengths = np.diff(self.edges)[rows]
        edges = np.concatenate([[0], np.cumsum(lengths)])
        at = np.arange(edges[-1]) + np.repeat(self.edges[:-1][rows] - edges[:-1], lengths)
        return Terms(edges, self.slots[at], self.counts[at])


class Space(Protocol):
    """What is seen of rows, fitted on a sample, and the classifiers that look at it."""

    models: list[Linear]

    def collapsed(self, scales: Floats) -> Space:
        """Give a copy whose classifiers are weighed, as few as give the same sum."""
        raise NotImplementedError

    def total(self, chunk: Chunk, folds: Codes) -> Floats:
        """Give the sum of all classifiers' centred scores of the rows of a chunk, shape (rows, classes)."""
        raise NotImplementedError


class TermSpace:
    """Rows as weighted terms (words with pairs of words, or spellings), the rarer the heavier, of length 1 each.

    Args:
        kind: ``words``, ``pairs`` (words and pairs of neighbours), ``grams`` or ``bins``.
        sample: Terms of the rows to fit to.
        most: Terms that are kept at most: the most frequent.
        knots: Of the bins of ``bins``.
    """

    def __init__(self, kind: str, sample: Terms, most: int, knots: Floats | None = None) -> None:
        self.kind = kind
        self.knots = knots
        rows = len(sample.edges) - 1
        seen = np.bincount(sample.slots, minlength=1 << BITS)
        kept = np.flatnonzero(seen >= 2)
        if len(kept) > most:
            kept = np.sort(kept[np.argsort(-seen[kept], kind="stable")[:most]])
        self.places = np.full(1 << BITS, -1, np.int32)
        self.places[kept] = np.arange(len(kept), dtype=np.int32)
        self.seen = seen[kept]
        self.rarity = (np.log((1 + rows) / (1 + seen[kept])) + 1.0).astype(np.float32)
        self.models: list[Linear] = []

    def fit(self, sample: Terms, labels: Codes, folds: Codes, shape: tuple[int, int], steps: int) -> None:
        """Fit the classifiers to a sample."""
        weights = self.matrix(sample)
        present = _present(weights)
        self.models = [
            naive_bayes(present, labels, folds, shape, 1.0),
            naive_bayes(weights, labels, folds, shape, 0.3),
            naive_bayes(weights, labels, folds, shape, 1.0),
            ridge(weights, labels, folds, shape, 2.0, steps),
        ]

    def scores(self, rows: Terms, folds: Codes) -> list[Floats]:
        """Give the centred scores of each classifier, each of shape (rows, classes)."""
        weights = self.matrix(rows)
        lengths = np.sqrt(np.maximum(np.diff(weights.indptr), 1)).astype(np.float32)[:, None]
        first = self.models[0].scores(_present(weights), folds) / lengths
        return [first] + [model.scores(weights, folds) for model in self.models[1:]]

    def collapsed(self, scales: Floats) -> Space:
        other = copy(self)
        other.models = [weighed(self.models[:1], scales[:1]), weighed(self.models[1:], scales[1:])]
        return other

    def total(self, chunk: Chunk, folds: Codes) -> Floats:
        knots = self.knots
        rows = terms(chunk, self.kind) if knots is None else binned(numbers_of(chunk), categories_of(chunk), knots)
        first, second = self.scores(rows, folds)
        return first + second

    def matrix(self, rows: Terms) -> Any:  # noqa: ANN401
        """Give the rows as a CSR matrix."""
        columns = self.places[rows.slots]
        kept = columns >= 0
        columns = columns[kept]
        edges = np.concatenate([[0], np.cumsum(kept)])[rows.edges]
        values = (1.0 + np.log(np.maximum(rows.counts[kept], 1).astype(np.float32))) * self.rarity[columns]
        owners = np.repeat(np.arange(len(edges) - 1), np.diff(edges))
        norms = np.sqrt(np.bincount(owners, values * values, minlength=len(edges) - 1))
        values /= np.maximum(norms, 1e-9)[owners]
        shape = (len(edges) - 1, len(self.rarity))
        return scipy.sparse.csr_matrix((values.astype(np.float32), columns, edges), shape=shape)


def _present(weights: Any) -> Any:  # noqa: ANN401
    ones = np.ones(len(weights.data), np.float32)
    return scipy.sparse.csr_matrix((ones, weights.indices, weights.indptr), shape=weights.shape)


def terms(chunk: Chunk, kind: str, rows: NDArray[np.bool_] | None = None) -> Terms:
    """Give the terms of a chunk's rows.

    Args:
        chunk: Has the columns of the view.
        kind: ``words``, ``pairs`` or ``grams``.
        rows: Only those, in order; None: all.
    """
    name = "grams" if kind == "grams" else "words"
    values, edges = chunk[name], chunk[f"{name}.offsets"]
    if rows is not None:
        lengths = np.diff(edges)
        values = values[np.repeat(rows, lengths)]
        edges = np.concatenate([[0], np.cumsum(lengths[rows])])
    owners = np.repeat(np.arange(len(edges) - 1, dtype=np.uint64), np.diff(edges))
    spread = mixed(values.astype(np.uint64))
    keys = (owners << np.uint64(BITS)) | (spread >> np.uint64(64 - BITS))
    if name == "grams":
        return Terms(edges, _slots(keys), np.ones(len(keys), np.uint16))
    if kind == "pairs" and len(values) > 1:
        joined = mixed(spread[:-1] * np.uint64(3) + spread[1:]) >> np.uint64(64 - BITS)
        inside = owners[1:] == owners[:-1]
        keys = np.concatenate([keys, ((owners[:-1] << np.uint64(BITS)) | joined)[inside]])
    keys.sort()
    firsts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.zeros(0, np.int64)
    counts = np.minimum(np.diff(np.append(firsts, len(keys))), 65535).astype(np.uint16)
    keys = keys[firsts]
    edges = np.searchsorted(keys, np.arange(len(edges), dtype=np.uint64) << np.uint64(BITS))
    return Terms(edges.astype(np.int64), _slots(keys), counts)


def _slots(keys: NDArray[np.uint64]) -> NDArray[np.int32]:
    return (keys & np.uint64((1 << BITS) - 1)).astype(np.int32)


def numbers_of(chunk: Chunk) -> Floats:
    """Give the numbers of a chunk's rows, NaN where missing, shape (rows, columns)."""
    if "vectors" in chunk:
        return np.asarray(chunk["vectors"], np.float32)
    return np.asarray(np.clip(chunk["numbers"], -_GIANT, _GIANT), np.float32)


def knots_of(sample: Floats) -> Floats:
    """Give the values below which equal shares of each column of a sample lie, shape (knots, columns)."""
    if not len(sample) or not sample.shape[1]:
        return np.zeros((_KNOTS, sample.shape[1]), np.float32)
    filled = np.where(np.isnan(sample).all(0), np.float32(0), sample)
    return np.asarray(np.nanquantile(filled, np.linspace(0, 1, _KNOTS + 2)[1:-1], axis=0), np.float32)


def ranks(numbers: Floats, knots: Floats) -> Floats:
    """Give the share of the sample below each number, in [0, 1], NaN where missing."""
    out = np.empty(numbers.shape, np.float32)
    for column in range(numbers.shape[1]):
        below = np.searchsorted(knots[:, column], numbers[:, column], "left")
        upto = np.searchsorted(knots[:, column], numbers[:, column], "right")
        out[:, column] = (below + upto) / np.float32(2 * len(knots))
    out[np.isnan(numbers)] = np.nan
    return out


def categories_of(chunk: Chunk) -> NDArray[np.uint32]:
    """Give the hashed categories of a chunk's rows, 0 where missing, shape (rows, columns)."""
    return chunk["categories"] if "categories" in chunk else np.zeros((chunk.rows, 0), np.uint32)


def binned(numbers: Floats, categories: NDArray[np.uint32], knots: Floats) -> Terms:
    """Give terms of a table: which sixteenth of its column each number lies in, and each category."""
    shares = ranks(numbers, knots)
    codes = np.where(np.isnan(shares), _BINS, np.minimum(np.nan_to_num(shares) * _BINS, _BINS - 1)).astype(np.uint64)
    everything: NDArray[np.uint64] = np.concatenate([codes, categories.astype(np.uint64) + np.uint64(1 << 20)], 1)
    width = everything.shape[1]
    keys = np.asarray(everything * np.uint64(0x9E3779B97F4A7C15) + np.arange(width, dtype=np.uint64), np.uint64)
    spread = mixed(keys) >> np.uint64(64 - BITS)
    slots = np.sort(spread.astype(np.int32), axis=1).ravel()
    return Terms(np.arange(len(everything) + 1, dtype=np.int64) * width, slots, np.ones(len(slots), np.uint16))


class NumberSpace:
    """Rows as numbers: as they are (or as ranks, in tables), and as likeness to landmarks: some rows of the sample.

    Missing numbers are the mean, and a column of its own says so; categories are hashed into columns of 0 and 1.

    Args:
        numbers: Of the sample, shape (rows, columns).
        categories: Of the sample, shape (rows, columns).
        knots: Of the columns of a table; None: numbers count as they are.
        random: Draws the landmarks.
        effort: ``quick``, ``standard`` or ``deep``: how many landmarks there are.
    """

    def __init__(self, numbers: Floats, categories: Any, knots: Floats | None, random: np.random.Generator, effort: str) -> None:  # noqa: ANN401
        self.knots = knots
        self.gappy = np.flatnonzero(np.isnan(numbers).any(0))
        plain = self._plain(numbers, categories)
        self.centre = plain.mean(0)
        spread = plain.std(0)
        self.scale = np.where(spread > 1e-9, spread, np.float32(np.inf)).astype(np.float32)
        if knots is None and len(spread):  # the coordinates of an embedding share one scale
            self.scale[: numbers.shape[1]] = max(float(np.sqrt((spread[: numbers.shape[1]] ** 2).mean())), 1e-9)
        dense = self._dense(numbers, categories)
        self.landmarks = dense[np.sort(random.choice(len(dense), min(_LANDMARKS[effort], len(dense)), replace=False))]
        self.width = self._width(dense, random)
        self.models: list[Linear] = []

    @staticmethod
    def _width(dense: Floats, random: np.random.Generator) -> np.float32:
        """Give half of the usual distance of two rows: the length over which rows are alike."""
        left, right = random.integers(0, len(dense), (2, 1000))
        return np.float32(max(0.5 * float(np.median(np.linalg.norm(dense[left] - dense[right], axis=1))), 1e-6))

    def _plain(self, numbers: Floats, categories: Any) -> Floats:  # noqa: ANN401
        flags = np.isnan(numbers[:, self.gappy]).astype(np.float32)
        values = numbers if self.knots is None else ranks(numbers, self.knots)
        if hasattr(self, "centre"):
            means = self.centre[: values.shape[1]]
        else:
            known = ~np.isnan(values)
            means = (np.where(known, values, 0.0).sum(0) / np.maximum(known.sum(0), 1)).astype(np.float32)
        values = np.where(np.isnan(values), means, values)
        hot = np.zeros((len(values), categories.shape[1] * _ONE_HOT), np.float32)
        for column in range(categories.shape[1]):
            hot[np.arange(len(values)), column * _ONE_HOT + (categories[:, column] % _ONE_HOT).astype(np.int64)] = 1.0
        return np.concatenate([values, flags, hot], 1).astype(np.float32)

    def _dense(self, numbers: Floats, categories: Any) -> Floats:  # noqa: ANN401
        return np.asarray((self._plain(numbers, categories) - self.centre) / self.scale, np.float32)

    def _likeness(self, dense: Floats) -> Floats:
        """Give the Gaussian kernel of rows and landmarks, shape (rows, landmarks)."""
        lengths = (dense * dense).sum(1)[:, None] + (self.landmarks * self.landmarks).sum(1)
        squares = np.maximum(lengths - np.float32(2) * (dense @ self.landmarks.T), np.float32(0))
        return np.asarray(np.exp(squares * np.float32(-0.5 / self.width**2)), np.float32)

    def fit(self, sample: tuple[Floats, Any], labels: Codes, folds: Codes, shape: tuple[int, int]) -> None:
        """Fit the classifiers to numbers and categories of a sample."""
        dense = self._dense(*sample)
        alike, metric = self._likeness(dense), self._likeness(self.landmarks)
        self.models = [
            *ridge_by_moments(dense, labels, folds, shape, (0.1,)),
            *ridge_by_moments(alike, labels, folds, shape, (0.1, 0.5, 3.0), metric),
        ]

    def scores(self, rows: tuple[Floats, Any], folds: Codes) -> list[Floats]:
        """Give the centred scores of each classifier, each of shape (rows, classes)."""
        dense = self._dense(*rows)
        alike = self._likeness(dense)
        return [self.models[0].scores(dense, folds)] + [model.scores(alike, folds) for model in self.models[1:]]

    def collapsed(self, scales: Floats) -> Space:
        other = copy(self)
        other.models = [weighed(self.models[:1], scales[:1]), weighed(self.models[1:], scales[1:])]
        return other

    def total(self, chunk: Chunk, folds: Codes) -> Floats:
        first, second = self.scores((numbers_of(chunk), categories_of(chunk)), folds)
        return first + second


def weighed(models: list[Linear], scales: Floats) -> Linear:
    """Give one classifier whose scores are the weighted sum of those of several."""
    return Linear(
        np.asarray(sum(scale * model.weights for model, scale in zip(models, scales, strict=True)), np.float32),
        np.asarray(sum(scale * model.offsets for model, scale in zip(models, scales, strict=True)), np.float32),
    )
