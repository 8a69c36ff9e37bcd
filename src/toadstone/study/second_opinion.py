"""What classifiers say about each row that have not seen it: several learners across folds, weighed by the labels themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.label_noise import Calibration, calibrate, directed, log_softmax, symmetric, without_noise
from toadstone.stats.split_likelihood import Halves
from toadstone.study.spaces import NumberSpace, Space, Terms, TermSpace, binned, categories_of, knots_of, numbers_of, terms
from toadstone.study.study import Chunk, Study
from toadstone.views.words import mixed

FOLDS = 5
COLUMN = "second-opinion"
"""Column of the chunks: logarithm of the probability that each class is the right one, float32, shape (rows, classes)."""
NULL = "second-opinion.null"
"""Column of the chunks, where it differs from `COLUMN`: the same, of the hypothesis that labels are as right as cannot be
disproved."""

_LEAST = 40
_MOST_CLASSES = 500
_ROWS = {"quick": 20_000, "standard": 40_000, "deep": 200_000}
_STEPS = {"quick": 5, "standard": 8, "deep": 16}
_STEPS_TIMES_CLASSES = 480
_CALIBRATION_ROWS = 20_000
_DIRECTED_CLASSES = 30
_SPLITS = 4
_PROOF_ROWS = 4_000
_WORTHWHILE = 6.0
"""Twice a log-likelihood ratio below which no half could prove anything."""
_BLOCK = 1 << 21

Codes = NDArray[np.int64]


@dataclass
class Opinion:
    """What the classifiers learned.

    Attributes:
        calibration: With one rate of wrong labels.
        noisy: Logarithm of the e-value of that rate against none (`toadstone.stats.split_likelihood`).
        proof: Logarithm of the e-value of wrong labels in more than one class.
        halves: Scores and labels, or some of them, split in half.
        directed: With a rate for each pair of labels; None with more classes than rows can tell.
        fit: Log-likelihood of ``directed``.
        scores: Of the rows that it was fitted to, standardised, shape (classifiers, rows, classes).
        labels: Of the same rows.
        spaces: What they look at.
        spreads: Standard deviation of each classifier's scores.
        not_run: Why there is no opinion.
    """

    calibration: Calibration | None = None
    noisy: float = -np.inf
    proof: float = -np.inf
    halves: Halves | None = None
    directed: Calibration | None = None
    fit: float = 0.0
    scores: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 0)))
    labels: Codes = field(default_factory=lambda: np.zeros(0, np.int64))
    spaces: list[Space] = field(default_factory=list)
    spreads: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    not_run: str = ""


def second_opinion(study: Study) -> Opinion:
    """Give the opinion on a study, made once."""
    return study.shared("second-opinion", lambda: _made(study))


def write(study: Study, opinion: Opinion, calibration: Calibration, name: str = COLUMN) -> None:
    """Write a column of all chunks, those of rows known to be good included: the opinion under a calibration."""
    scales = (calibration.scales / opinion.spreads).astype(np.float32)
    spaces, first = [], 0
    for space in opinion.spaces:
        spaces.append(space.collapsed(scales[first : first + len(space.models)]))
        first += len(space.models)
    study.run(_Score(tuple(spaces), calibration.offsets, name), study.every)


def _made(study: Study) -> Opinion:
    kinds = _kinds(study)
    reason = _obstacle(study, kinds)
    if reason:
        return Opinion(not_run=reason)
    sample = study.run(_Sample(tuple(kinds), _share(study, kinds)), study.every)
    classes = len(study.label_names)
    chosen = np.flatnonzero(sample.labels >= 0)
    chosen = chosen[:: max(1, -(-len(chosen) // min(_CALIBRATION_ROWS, 2_000_000 // classes)))]
    spaces, scores = _fitted(study, kinds, sample, chosen)
    spreads = np.maximum(scores.std((1, 2)), 1e-12)
    scores /= spreads[:, None, None]
    labels = sample.labels[chosen]
    calibration = calibrate(scores, labels)
    finer, fit = directed(calibration, scores, labels) if classes <= _DIRECTED_CLASSES else (None, 0.0)
    thin = np.arange(0, len(chosen), -(-len(chosen) // _PROOF_ROWS))
    first = (sample.bits[chosen[thin]] >> np.arange(_SPLITS, dtype=np.uint8)[:, None]) & 1 == 1
    halves = Halves(scores[:, thin], labels[thin], first)
    noisy, proof = _proofs(calibration, halves, scores, labels)
    return Opinion(calibration, noisy, proof, halves, finer, fit, scores, labels, spaces, spreads)


def _proofs(calibration: Calibration, halves: Halves, scores: NDArray[np.float64], labels: Codes) -> tuple[float, float]:
    """Give logarithms of the e-values of wrong labels, and of wrong labels in more than one class.

    A class may have a part that looks like another class by nature: a newsletter is no spam. Wrong labels in general are a
    fact when no such part of a single class explains them. Asked are the two classes whose rows seem to be labelled otherwise
    most often.
    """
    if calibration.evidence < _WORTHWHILE:
        return -np.inf, -np.inf
    right = np.exp(calibration.log_probabilities(scores)) * calibration.noise[:, labels].T
    right /= right.sum(1, keepdims=True)
    right[np.arange(len(labels)), labels] = 0.0
    alternatives = halves.fits(calibrate)
    every = symmetric(len(calibration.noise), 1.0)
    parts = [np.where(np.arange(len(every))[:, None] == one, every, 0.0) for one in np.argsort(-right.sum(0), kind="stable")[:2]]
    noisy = halves.log_e(alternatives, without_noise)
    return noisy, min(noisy, *(halves.log_e(alternatives, partial(calibrate, wrong=part)) for part in parts))


def _fitted(study: Study, kinds: list[str], sample: _Taken, chosen: Codes) -> tuple[list[Space], NDArray[np.float64]]:
    """Fit all classifiers; give the spaces and the scores of some rows of the sample."""
    shape = (FOLDS, len(study.label_names))
    most = int(np.clip((study.memory >> 7) // (shape[0] * shape[1]), 1024, 1 << 17))
    steps = max(2, min(_STEPS[study.effort], _STEPS_TIMES_CLASSES // shape[1]))
    folds = sample.folds[chosen]
    spaces: list[Space] = []
    scores: list[Any] = []

    def add(kind: str, rows: Terms, knots: Any = None) -> None:  # noqa: ANN401
        space = TermSpace(kind, rows, most, knots)
        space.fit(rows, sample.labels, sample.folds, shape, steps)
        scores.extend(space.scores(rows.take(chosen), folds))
        spaces.append(space)

    for kind in kinds:
        if kind != "numbers":
            add(kind, sample.terms[kind])
    if "numbers" in kinds:
        numbers, categories = sample.numbers, sample.categories
        knots = None if study.has("vectors") else knots_of(numbers)
        space = NumberSpace(numbers, categories, knots, study.random("landmarks"), study.effort)
        space.fit((numbers, categories), sample.labels, sample.folds, shape)
        scores += space.scores((numbers[chosen], categories[chosen]), folds)
        spaces.append(space)
        if knots is not None:
            add("bins", binned(numbers, categories, knots), knots)
    return spaces, np.stack(scores).astype(np.float64)


def _kinds(study: Study) -> list[str]:
    kinds = []
    if study.has("words"):
        kinds.append("words" if study.effort == "quick" else "pairs")
    if study.has("grams") and study.effort != "quick":
        kinds.append("grams")
    if study.has("vectors") or study.has("numbers"):
        kinds.append("numbers")
    return kinds


def _obstacle(study: Study, kinds: list[str]) -> str:
    """Say why labels cannot be judged, or an empty string."""
    if not kinds:
        return "there is no text, no embedding and no feature that a label could be compared with"
    classes = len(study.label_names)
    if classes > _MOST_CLASSES:
        return f"the label has {classes:,} values: more than {_MOST_CLASSES} are a number or a key, not classes"
    counts = np.zeros(classes + 1, np.int64)
    for chunk in study.chunks:
        counts += np.bincount(chunk["label"] + 1, minlength=classes + 1)
    labelled = int(counts[1:].sum())
    if labelled < max(_LEAST, 4 * classes):
        return f"{labelled:,} labelled rows of {classes:,} classes are too few to learn what a label means"
    if (counts[1:] >= FOLDS).sum() < 2:
        return "there is only one class with enough rows"
    return ""


def _share(study: Study, kinds: list[str]) -> float:
    """Give the share of rows to fit to, such that terms fit into a part of the memory."""
    rows = study.rows + study.references
    size = 0.0
    for kind in kinds:
        if kind == "numbers":
            size += sum(float(numbers_of(chunk).shape[1]) for chunk in study.every[:1]) + 1000
        else:
            name = "grams" if kind == "grams" else "words"
            some = study.every[:8]
            size += sum(int(chunk[f"{name}.offsets"][-1]) for chunk in some) / max(1, sum(chunk.rows for chunk in some))
            size *= 2 if kind == "pairs" else 1
    most = min(_ROWS[study.effort], study.memory / 96 / max(1.0, size))
    return min(1.0, most / max(1, rows))


def content_keys(chunk: Chunk) -> NDArray[np.uint64]:
    """Give a 64-bit key of each row's content: equal contents, equal keys; the order of words does not count."""
    keys = np.zeros(chunk.rows, np.uint64)
    if "words" in chunk:
        edges = chunk["words.offsets"]
        sums = np.concatenate([[np.uint64(0)], np.cumsum(mixed(chunk["words"].astype(np.uint64)), dtype=np.uint64)])
        keys += sums[edges[1:]] - sums[edges[:-1]]
    for name in ("vectors", "numbers", "categories"):
        if name in chunk:
            values = np.ascontiguousarray(chunk[name])
            bits = values.view(np.uint64 if values.itemsize == 8 else np.uint32).astype(np.uint64)
            if bits.shape[1]:
                places = mixed(np.arange(1, bits.shape[1] + 1, dtype=np.uint64))
                keys += mixed(bits + places).sum(1, dtype=np.uint64)
    return mixed(keys)


@dataclass
class _Taken:
    """A sample of rows."""

    labels: Codes
    folds: Codes
    bits: NDArray[np.uint8]
    terms: dict[str, Terms]
    numbers: NDArray[np.float32]
    categories: NDArray[np.uint32]


@dataclass(frozen=True)
class _Sample:
    """Puts rows into folds by their content and takes a share of them, by their content too."""

    kinds: tuple[str, ...]
    share: float

    def map(self, part: Chunk) -> list[_Taken]:
        keys = content_keys(part)
        folds = (keys % np.uint64(FOLDS)).astype(np.int8)
        part[f"{COLUMN}.fold"] = folds
        taken = (keys >> np.uint64(11)).astype(np.float64) / 2.0**53 < self.share
        numbers = numbers_of(part)[taken] if "numbers" in self.kinds else np.zeros((int(taken.sum()), 0), np.float32)
        categories = categories_of(part)[taken]
        found = {kind: terms(part, kind, taken) for kind in self.kinds if kind != "numbers"}
        bits = (keys[taken] >> np.uint64(3)).astype(np.uint8)
        labels = part["label"][taken].astype(np.int64)
        return [_Taken(labels, folds[taken].astype(np.int64), bits, found, numbers, categories)]

    def combine(self, left: list[_Taken], right: list[_Taken]) -> list[_Taken]:
        return left + right

    def finish(self, state: list[_Taken] | None) -> _Taken:
        parts = state or []
        return _Taken(
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.folds for part in parts]),
            np.concatenate([part.bits for part in parts]),
            {kind: _stacked([part.terms[kind] for part in parts]) for kind in parts[0].terms},
            np.concatenate([part.numbers for part in parts]),
            np.concatenate([part.categories for part in parts]),
        )


def _stacked(parts: list[Terms]) -> Terms:
    lengths = np.concatenate([np.diff(part.edges) for part in parts])
    return Terms(
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([part.slots for part in parts]),
        np.concatenate([part.counts for part in parts]),
    )


@dataclass(frozen=True)
class _Score:
    """Writes the opinion on every row."""

    spaces: tuple[Space, ...]
    offsets: NDArray[np.float64]
    name: str

    def map(self, part: Chunk) -> int:
        folds = part[f"{COLUMN}.fold"].astype(np.int64)
        total = np.sum([space.total(part, folds) for space in self.spaces], 0)
        step = max(1, _BLOCK // total.shape[1])
        for start in range(0, part.rows, step):
            total[start : start + step] = log_softmax(total[start : start + step] + self.offsets)
        part[self.name] = total
        return part.rows

    def combine(self, left: int, right: int) -> int:
        return left + right

    def finish(self, state: int | None) -> int:
        return state or 0
