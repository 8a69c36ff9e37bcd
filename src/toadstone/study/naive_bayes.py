"""Naive Bayes over hashed words: predictions of every row by a model that has not seen it, and additive counts.

The model is fitted on which words a row has, not how often. Rows fall into five folds by their content, so that copies share
one and no row is predicted by a model that has seen its copy. Probabilities are calibrated: redundant words make naive Bayes
overconfident, the more the longer the text, so log-odds are divided by a temperature of their length, and labels that are
wrong by nature set a floor.

`naive_bayes` gives the fitted model, once a study, and leaves columns in every chunk (rows known to be good included):

``nb.family``      uint64, equal for rows with the same set of words
``nb.fold``        uint8
``nb.slots``       uint32, the row's distinct words as slots, ragged (``nb.slots.offsets``)
``nb.prediction``  int32, code of the label predicted out of fold, -1 when it is one of the pooled rare ones
``nb.margin``      float32, calibrated log-odds of the row's own label, out of fold; 0 without a label
``nb.content``     float32, ``nb.margin`` less the log-odds of the label's share: what the words say for the label
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.ragged import log_odds, picked, ranges, summed
from toadstone.study.study import Chunk, Study
from toadstone.views.words import mixed

FOLDS = 5
_SLOTS, _CELLS = 1 << 18, 1 << 21
_MOST_CLASSES, _MOST_LABELS = 32, 100_000
_FEWEST = 5  # rows that a class needs
_SAMPLE = 20_000
_PRIOR = 0.5
_TEMPERATURES = np.geomspace(0.7, 24.0, 16)
_FLOORS = np.array([0.002, 0.01, 0.03, 0.06, 0.1, 0.16, 0.25])
_LENGTHS = 12

Floats = NDArray[np.float32]
_Counted = NDArray[np.int32] | tuple[NDArray[np.int64], NDArray[np.int32]]
"""Counts of all cells, or places and counts of those that are not 0."""
_Sample = tuple[Floats, NDArray[np.int64], NDArray[np.int64]]
"""Log-odds, lengths and classes of some rows."""


@dataclass(frozen=True)
class Rows:
    """Words of some rows.

    Attributes:
        slots: Distinct words, shape (total,).
        offsets: Where each row begins, shape (rows + 1,).
        classes: Class of each row's label, -1 for none.
    """

    slots: NDArray[np.int64]
    offsets: NDArray[np.int64]
    classes: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Distinct words of each row."""
        return np.diff(self.offsets)


@dataclass
class NaiveBayes:
    """A fitted model.

    Attributes:
        names: Of the classes; the last one pools the rare labels when `pooled`.
        codes: Label code of each class, -1 for the pool.
        class_of: Class of each label code; the last entry, for the code -1, is -1.
        slots: How many different words it can tell apart.
        counts: Rows of each class that have a word, int32, shape (slots, classes).
        rows: Rows of each class.
        temperatures: By the binary logarithm of the number of distinct words.
        floor: Share of labels that content does not decide.
        accuracy: Share of rows whose label was predicted out of fold.
        pooled: Whether rare labels are pooled.
    """

    names: tuple[str, ...]
    codes: NDArray[np.int32]
    class_of: NDArray[np.int64]
    slots: int
    counts: NDArray[np.int32]
    rows: NDArray[np.int64]
    temperatures: NDArray[np.float64] = field(default_factory=lambda: np.ones(_LENGTHS))
    floor: float = 0.01
    accuracy: float = 0.0
    pooled: bool = False

    @cached_property
    def vocabulary(self) -> int:
        """How many different words there are, at least 1."""
        return max(1, int((self.counts.sum(axis=1) > 0).sum()))

    @cached_property
    def totals(self) -> NDArray[np.float64]:
        """Words of all rows of each class."""
        return np.asarray(self.counts.sum(axis=0, dtype=np.float64), np.float64)

    @cached_property
    def frequency(self) -> NDArray[np.float64]:
        """Share of the rows that have each word."""
        return np.asarray(self.counts.sum(axis=1) / max(1.0, float(self.rows.sum())), np.float64)

    @property
    def length(self) -> float:
        """Distinct words of a row, on average."""
        return float(self.totals.sum()) / max(1.0, float(self.rows.sum()))

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of each class."""
        return np.asarray((self.rows + 0.5) / float((self.rows + 0.5).sum()), np.float64)

    def weights(self, counts: NDArray[np.int32] | NDArray[np.float64], totals: NDArray[np.float64]) -> Floats:
        """Give what each word adds to the log-odds of each class; a word that nobody has says nothing.

        Args:
            counts: Shape (words, classes).
            totals: Words of all rows of each class.
        """
        seen = counts.sum(axis=1) > 0
        table = np.log(counts + _PRIOR) - np.log(totals + _PRIOR * self.vocabulary)
        table -= table.mean(axis=1, keepdims=True)
        table[~seen] = 0.0
        return np.asarray(table, np.float32)

    def probabilities(self, logits: NDArray[np.floating], lengths: NDArray[np.int64]) -> NDArray[np.float64]:
        """Calibrate.

        Args:
            logits: Shape (rows, classes).
            lengths: Distinct words of each row.

        Returns:
            Probabilities, shape (rows, classes).
        """
        return _calibrated(logits, self.temperatures[_length_bins(lengths)], self.floor, np.log(self.shares))

    def content(self, probabilities: NDArray[np.float64], classes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give the log-odds of one class a row, less those of the class's share: what the words alone say for it."""
        return log_odds(picked(probabilities, classes)) - log_odds(self.shares)[classes]


def naive_bayes(study: Study) -> NaiveBayes | str:
    """Give the model of a study, or the reason why there is none. Needs the view ``words`` and labels."""
    return study.shared("naive-bayes", lambda: _fitted(study))


def gathered(study: Study, model: NaiveBayes, rows: NDArray[np.int64]) -> Rows:
    """Give the words of some rows, in the order asked for (any order, repeats allowed).

    Args:
        study: After `naive_bayes`.
        model: Its model.
        rows: Row numbers of `study.every`.
    """
    lengths = np.zeros(len(rows), np.int64)
    classes = np.full(len(rows), -1, np.int64)
    order = np.argsort(rows, kind="stable")
    places: list[NDArray[np.int64]] = []
    parts: list[NDArray[np.int64]] = []
    for chunk in study.every:
        low, high = np.searchsorted(rows[order], [chunk.start, chunk.start + chunk.rows])
        if low == high:
            continue
        place = order[low:high]
        inside = rows[place] - chunk.start
        offsets = chunk["nb.slots.offsets"]
        lengths[place] = offsets[inside + 1] - offsets[inside]
        classes[place] = model.class_of[chunk["label"][inside]]
        parts.append(chunk["nb.slots"][ranges(offsets[inside], lengths[place])].astype(np.int64))
        places.append(place)
    starts = np.append(0, np.cumsum(lengths))
    slots = np.empty(int(starts[-1]), np.int64)
    for place, part in zip(places, parts, strict=True):
        slots[ranges(starts[place], lengths[place])] = part
    return Rows(slots, starts, classes)


def _length_bins(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.minimum(np.log2(np.maximum(lengths, 1)).astype(np.int64), _LENGTHS - 1)


def _calibrated(
    logits: NDArray[np.floating], temperature: NDArray[np.float64], floor: float, prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    scaled = logits / temperature[:, None] + prior
    scaled -= scaled.max(axis=1, keepdims=True)
    np.exp(scaled, out=scaled)
    scaled /= scaled.sum(axis=1, keepdims=True)
    mixed_in: NDArray[np.float64] = scaled * (1 - floor) + floor * np.exp(prior)
    return mixed_in


@dataclass(frozen=True)
class _Labels:
    """Counts label codes."""

    size: int

    def map(self, part: Chunk) -> NDArray[np.int64]:
        codes = part["label"]
        return np.bincount(codes[codes >= 0], minlength=self.size)

    def combine(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
        return left + right

    def finish(self, state: NDArray[np.int64] | None) -> NDArray[np.int64]:
        return np.zeros(self.size, np.int64) if state is None else state


@dataclass(frozen=True)
class _Count:
    """Keeps each row's distinct words as slots, and counts them by fold and class: int32, shape (folds, slots, classes).

    What one chunk has is sparse; the whole is dense.
    """

    class_of: NDArray[np.int64]
    slots: int
    classes: int
    seed: int

    def map(self, part: Chunk) -> _Counted:
        words, offsets = part["words"], part["words.offsets"]
        rows = np.repeat(np.arange(part.rows), np.diff(offsets))
        distinct = np.unique((rows.astype(np.uint64) << np.uint64(32)) | words)
        owners = (distinct >> np.uint64(32)).astype(np.int64)
        values = distinct & np.uint64(0xFFFFFFFF)
        starts = np.searchsorted(owners, np.arange(part.rows + 1))
        sums = np.append(np.uint64(0), np.cumsum(mixed(values + np.uint64(1)), dtype=np.uint64))
        family = mixed(sums[starts[1:]] - sums[starts[:-1]] + np.uint64(self.seed))
        fold = (family % np.uint64(FOLDS)).astype(np.uint8)
        slots = (values % np.uint64(self.slots)).astype(np.int64)
        part["nb.family"] = family
        part["nb.fold"] = fold
        part["nb.slots"] = slots.astype(np.uint32)
        part["nb.slots.offsets"] = starts
        classes = self.class_of[part["label"]]
        labelled = classes[owners] >= 0
        cells = (fold[owners].astype(np.int64) * self.slots + slots) * self.classes + classes[owners]
        cells, counts = np.unique(cells[labelled], return_counts=True)
        return cells, counts.astype(np.int32)

    def combine(self, left: _Counted, right: _Counted) -> _Counted:
        whole = self._dense(left)
        if isinstance(right, tuple):
            whole[right[0]] += right[1]
        else:
            whole += right
        return whole

    def finish(self, state: _Counted | None) -> NDArray[np.int32]:
        nothing = np.zeros(0, np.int64), np.zeros(0, np.int32)
        return self._dense(nothing if state is None else state).reshape(FOLDS, self.slots, self.classes)

    def _dense(self, state: _Counted) -> NDArray[np.int32]:
        if not isinstance(state, tuple):
            return state
        whole = np.zeros(FOLDS * self.slots * self.classes, np.int32)
        whole[state[0]] = state[1]
        return whole


@dataclass(frozen=True)
class _Score:
    """Keeps the out-of-fold log-odds; gives those of a sample of rows, with their lengths and classes, to calibrate with."""

    class_of: NDArray[np.int64]
    tables: Floats
    share: float

    def map(self, part: Chunk) -> _Sample:
        slots, offsets = part["nb.slots"], part["nb.slots.offsets"]
        fold = np.repeat(part["nb.fold"].astype(np.int64), np.diff(offsets))
        logits = summed(self.tables[fold, slots], offsets).astype(np.float32)
        part["nb.logits"] = logits
        classes = self.class_of[part["label"]]
        limit = np.uint64(int(self.share * (1 << 32)))
        kept = np.flatnonzero((classes >= 0) & ((part["nb.family"] >> np.uint64(32)) <= limit))
        return logits[kept], np.diff(offsets)[kept], classes[kept]

    def combine(
        self,
        left: _Sample,
        right: _Sample,
    ) -> _Sample:
        return np.concatenate([left[0], right[0]]), np.concatenate([left[1], right[1]]), np.concatenate([left[2], right[2]])

    def finish(self, state: _Sample | None) -> _Sample:
        return state or (np.zeros((0, self.tables.shape[2]), np.float32), np.zeros(0, np.int64), np.zeros(0, np.int64))


@dataclass(frozen=True)
class _Judge:
    """Turns log-odds into predictions and calibrated margins; counts rows that were predicted, and right."""

    model: NaiveBayes

    def map(self, part: Chunk) -> tuple[int, int]:
        model = self.model
        p = model.probabilities(part["nb.logits"], np.diff(part["nb.slots.offsets"]))
        part.drop("nb.logits")
        classes = model.class_of[part["label"]]
        labelled = classes >= 0
        own = np.where(labelled, classes, 0)
        best = p.argmax(axis=1)
        part["nb.prediction"] = model.codes[best]
        part["nb.margin"] = np.where(labelled, log_odds(picked(p, own)), 0.0).astype(np.float32)
        part["nb.content"] = np.where(labelled, model.content(p, own), 0.0).astype(np.float32)
        return int(labelled.sum()), int((best == classes).sum())

    def combine(self, left: tuple[int, int], right: tuple[int, int]) -> tuple[int, int]:
        return left[0] + right[0], left[1] + right[1]

    def finish(self, state: tuple[int, int] | None) -> tuple[int, int]:
        return state or (0, 0)


def _fitted(study: Study) -> NaiveBayes | str:
    if not study.has("words") or not study.has("label"):
        return "there are no labelled texts"
    names = study.label_names
    if len(names) > _MOST_LABELS:
        return f"there are {len(names):,} different labels; this looks like no classification"
    by_label = study.run(_Labels(len(names)), study.every)
    ranked = sorted(np.flatnonzero(by_label >= _FEWEST).tolist(), key=lambda code: (-int(by_label[code]), names[code]))
    if len(ranked) < 2:
        return f"fewer than two labels have {_FEWEST} rows"
    chosen = ranked if len(ranked) <= _MOST_CLASSES else ranked[: _MOST_CLASSES - 1]
    pooled = bool(by_label.sum() - by_label[chosen].sum() >= _FEWEST)
    class_of = np.full(len(names) + 1, len(chosen) if pooled else -1, np.int64)
    class_of[chosen] = np.arange(len(chosen))
    class_of[-1] = -1
    width = len(chosen) + pooled
    slots = _SLOTS
    while slots * width > _CELLS or slots * width * FOLDS * 12 > max(study.memory // 4, 1 << 22):
        slots //= 2
    counts = study.run(_Count(class_of, slots, width, study.seed), study.every)
    whole = counts.sum(axis=0, dtype=np.int32)
    rows = np.append(by_label[chosen], [by_label.sum() - by_label[chosen].sum()] * pooled)
    codes = np.array([*chosen, *[-1] * pooled], np.int32)
    labels = (*(names[code] for code in chosen), *["(other)"] * pooled)
    model = NaiveBayes(labels, codes, class_of, slots, whole, rows, pooled=pooled)
    tables = np.empty(counts.shape, np.float32)
    for fold in range(FOLDS):
        rest = whole - counts[fold]
        tables[fold] = model.weights(rest, rest.sum(axis=0, dtype=np.float64))
    del counts
    share = min(1.0, _SAMPLE / max(1, study.rows + study.references))
    _calibrate(model, *study.run(_Score(class_of, tables, share), study.every))
    labelled, right = study.run(_Judge(model), study.every)
    model.accuracy = right / max(1, labelled)
    return model


def _calibrate(model: NaiveBayes, logits: Floats, lengths: NDArray[np.int64], classes: NDArray[np.int64]) -> None:
    """Choose the floor and, for each length, the temperature with the highest out-of-fold likelihood."""
    prior = np.log(model.shares)
    bins = _length_bins(lengths)
    loss = np.zeros((len(_FLOORS), len(_TEMPERATURES), _LENGTHS))
    for t, temperature in enumerate(_TEMPERATURES):
        bare = picked(_calibrated(logits, np.full(len(logits), temperature), 0.0, prior), classes)
        for f, floor in enumerate(_FLOORS):
            losses = -np.log(bare * (1 - floor) + floor * model.shares[classes])
            loss[f, t] = np.bincount(bins, weights=losses, minlength=_LENGTHS)
    near = np.exp(-0.5 * np.subtract.outer(np.arange(_LENGTHS), np.arange(_LENGTHS)) ** 2)
    loss = loss @ near + 1e-3 * loss.sum(axis=2, keepdims=True)
    best = int(loss.min(axis=1).sum(axis=1).argmin())
    model.floor = float(_FLOORS[best])
    model.temperatures = _TEMPERATURES[loss[best].argmin(axis=0)]
