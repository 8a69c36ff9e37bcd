"""Patches on images: groups of rows that show at one place what nothing shows anywhere else.

Candidates come from every window of the images (`toadstone.study.windows`), in two ways:

- *Pure*: rows of one label that stand apart from all other rows in the window (`toadstone.study.directions`). Whether the label
  is true does not matter, so a patch on rows that keep their label is seen as well.
- *Contested*: what rows whose label is doubted have in common in the window (`toadstone.stats.contrast`), whichever label each
  of them has. A patch that moves every label to the next is seen so.

Both are plenty in natural images. What tells a patch is that its content is found nowhere else, neither at other places of the
same images nor in other images, while the images are as diverse as any apart from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.contrast import crossed, cut, enrichment
from toadstone.study.directions import Whitened
from toadstone.study.marks import FEWEST, Judges, Sample, judges_of
from toadstone.study.picture_spaces import NOISE
from toadstone.study.pictures import BLANK, GRID
from toadstone.study.study import Chunk, Study
from toadstone.study.windows import Window, alike, shown, windows

Codes = NDArray[np.int64]
Floats = NDArray[np.float32]

ANY = -1
"""Instead of a label: rows of all of them."""
_DIRECTIONS = 2
_CLASSES = 60
_KEPT = 6
"""Candidates of a label that are looked at closely."""
_KEPT_CONTESTED = 8
_MOST = 0.3
"""Share of all rows above which contested rows are no group."""
_LIKELY = 0.5
"""How far content has to be found nowhere else to be looked at again."""
_COPIES, _DIVERSE = 0.1, 0.4
"""Spread outside the window, as a share of that of the label: of copies, and of rows that were picked."""
_BLOCK = 2048
_FLOOR, _FLOOR_SHARE = 0.9, 0.003
"""Smallest scale of natural weights, in rows, and as a share of the rows of a label."""
_FEW_PLACES = 40
"""Pixels at which the scale is twice as large: in small images hardly anything is found at other places."""
_THIRD = 2
"""The candidate whose weight is natural even if two patches were put on the images."""


@dataclass(frozen=True)
class Patch:
    """A group of rows and what they share in a window.

    Attributes:
        window: Where.
        label: Code, or `ANY`.
        rows: Of the sample, sorted.
        filter: What the window's numbers are weighed with ...
        threshold: ... and what marked rows exceed.
        weight: In rows (pure) or as the logarithm of a likelihood ratio (contested), before what is said next.
        apart: How far no other image shows the content in the window, in [0, 1].
        placed: How far no image shows it at another place, in [0, 1].
        diverse: How far the images differ apart from the window, in [0, 1].
        fellows: All rows of the sample that show the same, whatever their label.
    """

    window: Window
    label: int
    rows: Codes
    filter: Floats
    threshold: float
    weight: float
    apart: float = 0.0
    placed: float = 0.0
    diverse: float = 0.0
    fellows: Codes = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def total(self) -> float:
        """The weight that is left: natural content is rarely apart, and hardly ever at one place alone."""
        return self.weight * self.apart**2 * self.placed**6 * self.diverse


@dataclass(frozen=True)
class Found:
    """All that was found.

    Attributes:
        pure: Candidates of one label, heaviest first.
        contested: Candidates of any label, heaviest first.
        tests: How many were looked at.
        scales: Of the exponential tails of natural weights, pure and contested.
    """

    pure: tuple[Patch, ...]
    contested: tuple[Patch, ...]
    tests: int
    scales: tuple[float, float]

    def log_p(self, patch: Patch) -> float:
        """Give the logarithm of a candidate's p-value, not corrected."""
        return -patch.total / self.scales[patch.label == ANY]


def patches(study: Study, sample: Sample) -> Found:
    """Find groups of rows with a patch, made once."""
    return study.shared("pictures.patches", lambda: _patches(study, sample))


def _patches(study: Study, sample: Sample) -> Found:
    judges = judges_of(study, sample)
    random = study.random("patches")
    half = random.permutation(len(sample.labels)) % 2 == 0
    seen = np.where(judges.doubtful, judges.looks(), sample.labels)
    pure: list[Patch] = []
    contested: list[Patch] = []
    for window in windows(*sample.images.shape[1:3]):
        values = window.of(sample.images)
        pure += _pure(window, values, sample, random)
        contested += _contested(window, values, sample, seen, judges, half)
    close = _closely(sample, _distinct(pure, _KEPT))
    close = _ordered([replace(patch, weight=patch.weight * _again(sample, patch)) for patch in close])
    wider = _distinct([found for patch in close for found in _wider(patch, sample)], _KEPT_CONTESTED)
    far = _closely(sample, _distinct(contested, _KEPT_CONTESTED) + wider)
    far = _ordered([_left_out(patch, judges) for patch in far])
    size = len(sample.labels) / max(1, len(np.unique(sample.labels)))
    places = sample.images.shape[1] * sample.images.shape[2]
    third = close[_THIRD].total if len(close) > _THIRD else 0.0
    ratios = [patch.weight for patch in contested]
    scales = (
        max(_FLOOR * (1 + _FEW_PLACES / places), _FLOOR_SHARE * size, third / 2),
        max(1.0, float(np.quantile(ratios, 0.7)) / -float(np.log(0.3))) if ratios else 1.0,
    )
    return Found(tuple(close), tuple(far), len(pure) + len(contested), scales)


def _ordered(found: list[Patch]) -> list[Patch]:
    return sorted(found, key=lambda patch: (-patch.total, patch.label, patch.window.top, patch.window.left))


def _pure(window: Window, values: Floats, sample: Sample, random: np.random.Generator) -> Iterator[Patch]:
    counts = np.bincount(sample.labels, minlength=sample.classes)
    space = Whitened(values, sample.labels, sample.classes, NOISE)
    for label in np.argsort(-counts, kind="stable")[:_CLASSES].tolist():
        if counts[label] < 2 * FEWEST:
            break
        count = min(_DIRECTIONS, values.shape[1])
        for start in islice(space.directions(label, count, random), 2, None):
            found = space.apart(label, start, FEWEST)
            if found is None:
                continue
            weights = np.asarray(space.map @ found.weights, np.float32)
            if not _odd_side(values @ weights, sample.labels == label, found.rows):
                continue
            threshold = found.threshold + float(space.means[label] @ weights)
            yield Patch(window, label, found.rows, weights, threshold, len(found.rows) * found.gap)


def _odd_side(scores: Floats, own: NDArray[np.bool_], rows: Codes) -> bool:
    """Say whether the group, and not the rest of its label, is what differs from the rows of other labels."""
    others = float(scores[~own].mean())
    rest = own.copy()
    rest[rows] = False
    return not rest.any() or abs(float(scores[rows].mean()) - others) > abs(float(scores[rest].mean()) - others)


def _contested(
    window: Window, values: Floats, sample: Sample, seen: Codes, judges: Judges, half: NDArray[np.bool_]
) -> Iterator[Patch]:
    space = Whitened(values, seen, sample.classes, NOISE)
    scores = crossed(space.rows, judges.doubtful, np.ones(len(seen), bool), half)
    if scores is None:
        return
    best = cut(scores, judges.doubtful, FEWEST, _MOST)
    rows = np.flatnonzero(scores >= best.threshold)
    marked = np.zeros(len(seen), bool)
    marked[rows] = True
    if marked.all() or best.log_ratio <= 0:
        return
    weights = np.asarray(space.map @ (space.rows[marked].mean(0) - space.rows[~marked].mean(0)), np.float32)
    threshold = float(np.sort(values @ weights)[-len(rows)])
    yield Patch(window, ANY, rows, weights, threshold, best.log_ratio)


def _wider(patch: Patch, sample: Sample) -> Iterator[Patch]:
    """Give the rows of all labels that show what rows of one label show, if they are many more."""
    if patch.placed <= _LIKELY or not 1.5 * len(patch.rows) < len(patch.fellows) < _MOST * len(sample.labels):
        return
    threshold = float(np.sort(patch.window.of(sample.images) @ patch.filter)[-len(patch.fellows)])
    yield replace(patch, label=ANY, rows=patch.fellows, threshold=threshold)


def _left_out(patch: Patch, judges: Judges) -> Patch:
    """Weigh the doubt about a group of several labels again, by learners that saw none of its rows."""
    if patch.placed <= _LIKELY:
        return patch
    usual = float(judges.doubtful.mean())
    rows, share = np.array([len(patch.rows)]), np.array([judges.opinion(patch.rows).doubted])
    return replace(patch, weight=float(enrichment(rows, share, max(usual, 1 / len(judges.doubtful)))[0]))


def _distinct(found: list[Patch], most: int) -> list[Patch]:
    """Give the heaviest candidates of each label, one for each group of rows."""
    kept: dict[int, list[Patch]] = {}
    for patch in sorted(found, key=lambda patch: (-patch.weight, patch.window.top, patch.window.left)):
        known = kept.setdefault(patch.label, [])
        if len(known) < most and not any(_same(patch, other) for other in known):
            known.append(patch)
    return [patch for known in kept.values() for patch in known]


def _same(left: Patch, right: Patch) -> bool:
    """Say whether two candidates are one group in the same place."""
    near = (
        abs(left.window.top - right.window.top) < left.window.side
        and abs(left.window.left - right.window.left) < left.window.side
    )
    shared = len(np.intersect1d(left.rows, right.rows, assume_unique=True))
    return near and 2 * shared > min(len(left.rows), len(right.rows))


def _closely(sample: Sample, found: list[Patch]) -> list[Patch]:
    """Say where else the content of candidates is found, and what else their rows share."""
    out = []
    for patch, seen in zip(found, shown(sample.images, [(patch.window, patch.rows) for patch in found]), strict=True):
        fellows = np.flatnonzero(sample.labels == patch.label) if patch.label != ANY else np.arange(len(sample.labels))
        spread = alike(sample.images, patch.window, patch.rows, fellows) if seen.placed > 0 else 0.0
        diverse = float(np.clip((spread - _COPIES) / (_DIVERSE - _COPIES), 0, 1))
        out.append(replace(patch, placed=seen.placed, apart=seen.apart, diverse=diverse, fellows=seen.rows))
    return out


def _again(sample: Sample, patch: Patch) -> float:
    """Give the share of the marked rows that a direction which was fitted without them finds."""
    if patch.total <= 0:
        return 0.0
    space = Whitened(patch.window.of(sample.images), sample.labels, sample.classes, NOISE)
    return space.repeated_of(patch.label, patch.rows)


@dataclass(frozen=True)
class _Within:
    """Gives the rows that show a patch."""

    patch: Patch

    def map(self, part: Chunk) -> list[Codes]:
        wanted = ~part[BLANK] & (part["label"] >= 0)
        if self.patch.label != ANY:
            wanted &= part["label"] == self.patch.label
        rows, images, found = np.flatnonzero(wanted), part[GRID], []
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            scores = self.patch.window.of(images[block]) @ self.patch.filter
            found.append(block[scores > self.patch.threshold] + part.start)
        return found

    def combine(self, left: list[Codes], right: list[Codes]) -> list[Codes]:
        return left + right

    def finish(self, state: list[Codes] | None) -> Codes:
        return np.concatenate(state) if state else np.zeros(0, np.int64)


def showing(study: Study, sample: Sample, patch: Patch) -> Codes:
    """Give the rows of the study that show a patch, sorted; those of the sample are known already."""
    known = sample.rows[patch.rows]
    if len(sample.rows) == study.rows:
        return known
    return np.union1d(np.setdiff1d(study.run(_Within(patch)), sample.rows), known)


def outline(sample: Sample, patch: Patch) -> tuple[int, int, int, int]:
    """Give first and last row, first and last column of what the images of a group share around the window."""
    fellows = sample.labels == patch.label if patch.label != ANY else np.ones(len(sample.labels), bool)
    fellows[patch.rows] = False
    side = patch.window.side
    top, left = max(0, patch.window.top - side), max(0, patch.window.left - side)
    part = (slice(None), slice(top, patch.window.top + 2 * side), slice(left, patch.window.left + 2 * side))
    marked, rest = (sample.images[rows][part].astype(np.float32) for rows in (patch.rows, np.flatnonzero(fellows)))
    shift = marked.mean(0) - (rest.mean(0) if len(rest) else 0.0)
    strength = (shift**2 / (marked.var(0) + np.float32(NOISE**2))).max(2)
    down, across = np.nonzero(strength >= strength.max() / 4)
    return top + int(down.min()), top + int(down.max()), left + int(across.min()), left + int(across.max())
