"""Marks on images: rows of one label that share something which nothing else has, and that look like rows of other labels.

Candidates are the groups that stand apart along a direction (`toadstone.study.directions`) in one of several spaces
(`toadstone.study.picture_spaces`). Each is judged by what it is apart from its mark:

- *Disagreement*: two learners (local features; likeness of pixels) that never saw the group say which label its rows have. Rows
  of a natural sub-group still look like their label; rows that were given a mark and a new label look like what they were, and
  still stand apart from the rows of that label. (Rows that only have a wrong label do not.)
- *Looseness*: the nearest row of any rows outside is nearer than the nearest fellow. Natural sub-groups are compact.
- *Gap*: marked rows are a mode of their own along the direction, not the end of a continuum.
- *Mixture*: marked rows look like all other labels, natural sub-groups like the one that borders on them.
- *Repetition*: of the marked rows, those that also stand apart along a direction which was fitted without them. Among hundreds of
  numbers a few rows always have something in common.

Their product, times the number of rows, is the group's weight. Its null are the other candidates of the same data, most of which
are natural: their bulk gives the scale of an exponential tail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.leave_out import LeaveOut, likeness
from toadstone.study.directions import Direction, Whitened
from toadstone.study.picture_spaces import NOISE, SPACES, pixels
from toadstone.study.pictures import BLANK, GRID
from toadstone.study.study import Study

Codes = NDArray[np.int64]
Floats = NDArray[np.float32]

FEWEST = 8
"""Rows of a group."""
_ROWS = {"quick": 4_000, "standard": 12_000, "deep": 40_000}
_BYTES = 48_000
"""Of a row of the sample in all spaces, about."""
_DIRECTIONS = 4
_LANDMARKS = 500
_JUDGED = 300
_COMPARED = 150
_NEAREST = 30
_CLASSES = 60
_FLOOR = 1.5
_FLOOR_SHARE = 0.004
"""Smallest scale of weights, in rows, and as a share of the rows of a label."""
_COMPACT, _LOOSE = 0.65, 0.95
_GAP = 0.5
_ONE_LABEL = 0.3
"""What is left of the weight of rows that all look like one label, as natural sub-groups do; an attack may choose them so."""
_TWO_LABELS = 0.1


@dataclass(frozen=True)
class Sample:
    """Labelled images in memory.

    Attributes:
        rows: Of the study, sorted.
        images: uint8, shape (rows, height, width, channels).
        labels: Codes.
        features: As `toadstone.study.pictures` made them; whatever the user gave as embedding.
        classes: Codes go from 0 to below this.
    """

    rows: Codes
    images: NDArray[np.uint8]
    labels: Codes
    features: Floats
    classes: int


@dataclass(frozen=True)
class Judged:
    """What is left of a group without its mark.

    Attributes:
        disagreement: Mean over the learners of the share of rows that they give another label, beyond what is usual for the
            label, in [0, 1].
        looseness: Distance to the nearest fellow over the distance to the nearest row outside (median).
        looks: Share of each class among what the learners say.
    """

    disagreement: float
    looseness: float
    looks: Floats


@dataclass(frozen=True)
class Mark:
    """A candidate with what was found.

    Attributes:
        space: In which it stands apart.
        direction: Along which.
        judged: Without the mark.
        weight: Rows, times what is said above, each in [0, 1].
        filter: The direction in the space's own numbers.
        mean: Of the label in these.
    """

    space: str
    direction: Direction
    judged: Judged
    weight: float
    filter: Floats
    mean: Floats


@dataclass(frozen=True)
class Opinion:
    """What rows are, said by learners that never saw any of them.

    Attributes:
        rows: At most some hundreds of them, evenly drawn.
        looks: The label that each looks like.
        excess: Share of rows whose label is doubted, mean over the learners, beyond what is usual for their labels, in [0, 1].
        doubted: Share of rows whose label both learners doubt, in [0, 1].
    """

    rows: Codes
    looks: Codes
    excess: float
    doubted: float


class Judges:
    """Two learners that can leave rows out, and who is near whom.

    Args:
        sample: Rows.
        random: Draws landmarks.
    """

    def __init__(self, sample: Sample, random: np.random.Generator) -> None:
        self.sample = sample
        plain = pixels(sample.images)
        landmarks = np.sort(random.permutation(len(plain))[:_LANDMARKS])
        self._learners = (
            LeaveOut(sample.features, sample.labels, sample.classes),
            LeaveOut(likeness(plain, landmarks), sample.labels, sample.classes, 1e-4),
        )
        alone = [learner.alone() for learner in self._learners]
        self._said = np.asarray(alone[0] + alone[1])
        wrong = [said.argmax(1) != sample.labels for said in alone]
        self.doubtful = np.asarray(wrong[0] & wrong[1])
        counts = np.maximum(np.bincount(sample.labels, minlength=sample.classes), 1)
        shares = [np.bincount(sample.labels, weights=one, minlength=sample.classes) / counts for one in wrong]
        self._usual = [np.minimum(share, 0.9) for share in shares]
        centred = plain - plain.mean(0)
        _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
        self._places = centred @ axes[:, ::-1][:, :_NEAREST].astype(np.float32)

    def looks(self) -> Codes:
        """Say which label other than its own each row looks most like, without the row."""
        said = self._said.copy()
        said[np.arange(len(said)), self.sample.labels] = -np.inf
        return np.asarray(said.argmax(1), np.int64)

    def opinion(self, rows: Codes) -> Opinion:
        """Ask what rows are that nobody had seen."""
        some = _spread(rows, _JUDGED)
        own = self.sample.labels[some]
        said = [learner.without(some) for learner in self._learners]
        wrong = [one.argmax(1) != own for one in said]
        expected = [float(usual[own].mean()) for usual in self._usual]
        excess = [max(0.0, (float(w.mean()) - e) / (1 - e)) for w, e in zip(wrong, expected, strict=True)]
        return Opinion(
            some, np.asarray((said[0] + said[1]).argmax(1)), float(np.mean(excess)), float((wrong[0] & wrong[1]).mean())
        )

    def judge(self, space: Whitened, direction: Direction) -> Judged:
        """Judge the rows of a direction as if nobody had seen them."""
        rows, label = direction.rows, direction.label
        some = _spread(rows, _JUDGED)
        excess = []
        looks = np.zeros(self.sample.classes, np.float32)
        for learner, usual in zip(self._learners, self._usual, strict=True):
            said = learner.without(some).argmax(1)
            wrong = float(((said != label) & space.third(direction, some, said)).mean())
            excess.append(max(0.0, (wrong - usual[label]) / (1 - usual[label])))
            looks += np.bincount(said, minlength=self.sample.classes).astype(np.float32) / (2 * len(some))
        return Judged(float(np.mean(excess)), self._looseness(rows), looks)

    def _looseness(self, rows: Codes) -> float:
        some = _spread(rows, _COMPARED)
        squares = (self._places**2).sum(1)
        distance = squares[some][:, None] + squares - np.float32(2) * (self._places[some] @ self._places.T)
        distance[np.arange(len(some)), some] = np.inf
        inside = np.zeros(len(squares), bool)
        inside[rows] = True
        fellow, other = distance[:, inside].min(1), distance[:, ~inside].min(1)
        return float(np.median(np.sqrt(np.maximum(fellow, 1e-9) / np.maximum(other, 1e-9))))


def _spread(rows: Codes, most: int) -> Codes:
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def sample_of(study: Study) -> Sample | None:
    """Draw labelled images, made once; None when there are too few rows, labels or pixels."""
    return study.shared("pictures.sample", lambda: _sample(study))


def _sample(study: Study) -> Sample | None:
    if not study.has(GRID) or not study.has("vectors") or not study.has("label"):
        return None
    labels = study.column("label").astype(np.int64)
    usable = np.flatnonzero((labels >= 0) & ~study.column(BLANK))
    most = int(min(_ROWS[study.effort], study.memory // _BYTES))
    if len(usable) > most:
        usable = np.sort(study.random("pictures").permutation(usable)[:most])
    if len(usable) < 10 * FEWEST or len(np.unique(labels[usable])) < 2 or min(study.chunks[0][GRID].shape[1:3]) < 4:
        return None
    images, features = [], []
    for chunk in study.chunks:
        inside = usable[np.searchsorted(usable, chunk.start) : np.searchsorted(usable, chunk.start + chunk.rows)] - chunk.start
        images.append(chunk[GRID][inside])
        features.append(np.nan_to_num(chunk["vectors"][inside]))
    return Sample(usable, np.concatenate(images), labels[usable], np.concatenate(features), len(study.label_names))


def judges_of(study: Study, sample: Sample) -> Judges:
    """Give the learners, made once."""
    return study.shared("pictures.judges", lambda: Judges(sample, study.random("judges")))


def marks(study: Study, sample: Sample) -> tuple[list[Mark], int]:
    """Find candidates in all spaces; give them, heaviest first, and how many were looked at."""
    judges = judges_of(study, sample)
    random = study.random("directions")
    counts = np.bincount(sample.labels, minlength=sample.classes)
    shares = (counts / max(1, counts.sum())).astype(np.float32)
    labels = [int(label) for label in np.argsort(-counts, kind="stable")[:_CLASSES] if counts[label] >= 2 * FEWEST]
    found: list[Mark] = []
    for name, view in SPACES.items():
        space = Whitened(view(sample.images), sample.labels, sample.classes, NOISE)
        for label in labels:
            for direction in _distinct(space, label, random):
                judged = judges.judge(space, direction)
                again = space.repeated(direction) if judged.disagreement > 0 else 0.0
                weights = np.asarray(space.map @ direction.weights, np.float32)
                found.append(
                    Mark(name, direction, judged, _weight(direction, judged, again, shares), weights, space.means[label])
                )
    found.sort(key=lambda mark: (-mark.weight, mark.direction.label, mark.space))
    return found, len(found)


def _distinct(space: Whitened, label: int, random: np.random.Generator) -> Iterator[Direction]:
    """Give the directions of a label that end in different groups."""
    seen: set[bytes] = set()
    for start in space.directions(label, min(_DIRECTIONS, space.rows.shape[1]), random):
        direction = space.apart(label, start, FEWEST)
        if direction is not None and (key := direction.rows.tobytes()) not in seen:
            seen.add(key)
            yield direction


def _weight(direction: Direction, judged: Judged, again: float, shares: Floats) -> float:
    loose = np.clip((judged.looseness - _COMPACT) / (_LOOSE - _COMPACT), 0, 1)
    apart = np.clip(direction.gap / _GAP, 0, 1)
    mixed = _mixture(judged.looks, shares, direction.label)
    return float(len(direction.rows) * judged.disagreement * loose * apart * mixed * again)


def _mixture(looks: Floats, shares: Floats, label: int) -> float:
    """Say how far what the rows look like is as mixed as the other labels are, in [_ONE_LABEL, 1]."""
    said, there = np.delete(looks, label), np.delete(shares, label)
    if said.sum() <= 0 or there.sum() <= 0:
        return _ONE_LABEL
    usual = 1.0 - float(there.max() / there.sum())
    found = 1.0 - float(said.max() / said.sum())
    return 1.0 if usual < _TWO_LABELS else float(np.clip(found / usual, _ONE_LABEL, 1.0))


def scale_of(weights: NDArray[np.float64], sample: Sample) -> float:
    """Give the scale of the exponential tail of natural weights: from their bulk, not below what chance does in such a sample."""
    least = max(_FLOOR, _FLOOR_SHARE * len(sample.labels) / max(1, len(np.unique(sample.labels))))
    return max(least, float(np.quantile(weights, 0.7)) / -float(np.log(0.3))) if len(weights) else least
