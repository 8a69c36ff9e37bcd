"""Images of a study, all in one size, and their features as vectors.

Views see one batch and cannot know the size of the other images. Here all are known: the images take the size that most of them
have (averaged over areas down to `SIDE`), numbers that are no bytes are brought to 0 .. 255, and every image is described by the
features of `toadstone.stats.local_features`, which all checks of vectors read when the data set has no embedding of its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.local_features import Dictionary
from toadstone.study.study import Chunk, Study
from toadstone.tables.dataset import Trouble
from toadstone.views.decode import FAULTS, MISSING
from toadstone.views.pixels import resized

GRID = "grid"
"""Column of the chunks: uint8, shape (rows, height, width, channels)."""
BLANK = "blank"
"""Column of the chunks: whether a row has no image that could be read."""

SIDE = 32
NATIVE = 40
"""Side up to which images stay as they are."""

_SAMPLE = 2000
_SURVEY = 4096
_BYTES = 255.0


@dataclass
class _Census:
    """What the images of some chunks are like.

    Attributes:
        shapes: How many images there are of each height, width and number of channels.
        floats: Whether any came as other numbers than bytes.
        low: 0.1 % of the numbers of each chunk lie below.
        high: 0.1 % lie above.
        bounds: Smallest and largest of all.
        faults: The first row with each fault, and how many.
    """

    shapes: Counter[tuple[int, int, int]] = field(default_factory=Counter)
    floats: bool = False
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    bounds: tuple[float, float] = (np.inf, -np.inf)
    faults: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class _Count:
    """Takes the census."""

    def map(self, part: Chunk) -> _Census:
        shapes, counts = np.unique(part["pixels.shape"], axis=0, return_counts=True)
        known = Counter({(int(h), int(w), int(c)): int(n) for (h, w, c), n in zip(shapes, counts, strict=True) if h})
        values = part["pixels"]
        census = _Census(known, values.dtype != np.uint8)
        if census.floats and len(values):
            some = values[:: max(1, len(values) // (1 << 16))]
            census.low, census.high = [float(np.quantile(some, 0.001))], [float(np.quantile(some, 0.999))]
            census.bounds = float(values.min()), float(values.max())
        faults = part["pixels.fault"]
        census.faults = [(int(fault), part.start + int(row)) for row, fault in enumerate(faults) if fault > MISSING]
        return census

    def combine(self, left: _Census, right: _Census) -> _Census:
        left.shapes.update(right.shapes)
        left.floats |= right.floats
        left.low += right.low
        left.high += right.high
        left.bounds = min(left.bounds[0], right.bounds[0]), max(left.bounds[1], right.bounds[1])
        left.faults += right.faults
        return left

    def finish(self, state: _Census | None) -> _Census:
        return state or _Census()


@dataclass(frozen=True)
class _Draw:
    """Writes `GRID` and `BLANK`.

    Attributes:
        shape: Height, width, channels.
        shift: What is taken from numbers that are no bytes ...
        scale: ... and what they are multiplied by.
    """

    shape: tuple[int, int, int]
    shift: float
    scale: float

    def map(self, part: Chunk) -> int:
        shapes, offsets, values = part["pixels.shape"], part["pixels.offsets"], part["pixels"]
        if values.dtype != np.uint8:
            values = np.clip((values - self.shift) * self.scale, 0, _BYTES).astype(np.uint8)
        grid = np.zeros((part.rows, *self.shape), np.uint8)
        sizes, kinds = np.unique(shapes, axis=0, return_inverse=True)
        for kind, (height, width, channels) in enumerate(sizes.tolist()):
            if not height:
                continue
            rows = np.flatnonzero(kinds.ravel() == kind)
            if len(rows) == part.rows:
                images = values.reshape(part.rows, height, width, channels)
            else:
                images = np.stack([values[offsets[row] : offsets[row + 1]] for row in rows.tolist()])
                images = images.reshape(len(rows), height, width, channels)
            small = resized(images, self.shape[0], self.shape[1])
            grid[rows] = _channels(small, self.shape[2])
        part[GRID], part[BLANK] = grid, shapes[:, 0] == 0
        for name in ("pixels", "pixels.offsets", "pixels.shape", "pixels.fault"):
            part.drop(name)
        return part.rows

    def combine(self, left: int, right: int) -> int:
        return left + right

    def finish(self, state: int | None) -> int:
        return state or 0


@dataclass(frozen=True)
class _Describe:
    """Writes ``vectors``: features of the images, not numbers where there is none."""

    dictionary: Dictionary

    def map(self, part: Chunk) -> int:
        features = self.dictionary.features(part[GRID])
        features[part[BLANK]] = np.nan
        part["vectors"] = features
        return part.rows

    def combine(self, left: int, right: int) -> int:
        return left + right

    def finish(self, state: int | None) -> int:
        return state or 0


def depicted(study: Study) -> tuple[Trouble, ...]:
    """Write the columns of images, if the study has any; give what could not be read."""
    if not study.has("pixels"):
        return ()
    census = study.run(_Count(), study.every)
    troubles = tuple(Trouble(0, FAULTS[fault], row) for fault, row in census.faults if row < study.rows)
    shape = _common(census)
    study.run(_Draw(shape, *_range(census)), study.every)
    if shape[0] and not study.has("vectors"):
        sample = sampled(study, study.random("dictionary").permutation(study.rows)[:_SAMPLE])
        if len(sample):
            study.run(_Describe(Dictionary.of(sample, study.random("windows"))), study.every)
    return troubles


def sampled(study: Study, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Give the images of some rows that have one, in ascending order of the rows."""
    rows = np.sort(rows)
    parts = []
    for chunk in study.chunks:
        inside = rows[np.searchsorted(rows, chunk.start) : np.searchsorted(rows, chunk.start + chunk.rows)] - chunk.start
        if len(inside):
            parts.append(chunk[GRID][inside[~chunk[BLANK][inside]]])
    return np.concatenate(parts) if parts else np.zeros((0, 0, 0, 1), np.uint8)


def _common(census: _Census) -> tuple[int, int, int]:
    """Give the size that most images have, within `NATIVE`; three channels when any image has colours."""
    sizes: Counter[tuple[int, int]] = Counter()
    for (height, width, _), count in census.shapes.items():
        sizes[height, width] += count
    if not sizes:
        return 0, 0, 1
    (height, width), most = min(sizes.items(), key=lambda entry: (-entry[1], entry[0]))
    if 2 * most < sum(sizes.values()):
        height = width = SIDE
    longest = max(height, width)
    if longest > NATIVE:
        height, width = (max(1, round(side * SIDE / longest)) for side in (height, width))
    return height, width, max(channels for _, _, channels in census.shapes)


def _range(census: _Census) -> tuple[float, float]:
    """Give shift and scale that bring numbers to 0 .. 255: from bytes, from [0, 1], or from where all but 0.2 % of them lie."""
    low, high = census.bounds
    if not census.floats or (low >= 0 and 1.0 < high <= _BYTES):
        return 0.0, 1.0
    if low >= 0 and high <= 1.0:
        return 0.0, _BYTES
    bottom, top = float(np.median(census.low)), float(np.median(census.high))
    return bottom, _BYTES / max(top - bottom, 1e-9)


def _channels(images: NDArray[np.uint8], wanted: int) -> NDArray[np.uint8]:
    if images.shape[3] == wanted:
        return images
    if wanted == 1:
        return np.asarray(np.rint(images.mean(3, keepdims=True)), np.uint8)
    return np.repeat(images[..., :1], wanted, axis=3)
