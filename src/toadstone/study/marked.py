"""Which rows of the whole study carry a mark, and how a person would find it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.study.marks import Mark, Sample
from toadstone.study.picture_spaces import SPACES
from toadstone.study.pictures import BLANK, GRID
from toadstone.study.study import Chunk, Study

Codes = NDArray[np.int64]

_CORE = 0.5
"""Share of a pattern's energy that its place holds."""
_WIDE = 0.5
"""Share of the image from which a pattern lies over all of it."""
_BLOCK = 2048


@dataclass(frozen=True)
class _Beyond:
    """Gives the rows of the mark's label beyond its threshold."""

    mark: Mark

    def map(self, part: Chunk) -> list[Codes]:
        rows = np.flatnonzero((part["label"] == self.mark.direction.label) & ~part[BLANK])
        images, found = part[GRID], []
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            scores = (SPACES[self.mark.space](images[block]) - self.mark.mean) @ self.mark.filter
            found.append(block[scores > self.mark.direction.threshold] + part.start)
        return found

    def combine(self, left: list[Codes], right: list[Codes]) -> list[Codes]:
        return left + right

    def finish(self, state: list[Codes] | None) -> Codes:
        return np.concatenate(state) if state else np.zeros(0, np.int64)


def beyond(study: Study, sample: Sample, mark: Mark) -> Codes:
    """Give the rows of the study that carry a mark, sorted; those of the sample are known already."""
    if len(sample.rows) == study.rows:
        return sample.rows[mark.direction.rows]
    return np.union1d(study.run(_Beyond(mark)), sample.rows[mark.direction.rows])


def box(shape: tuple[int, ...], mark: Mark) -> tuple[int, int, int, int]:
    """Give where a mark is: first and last row, first and last column of the pixels; all of them when it has no place."""
    height, width = shape[:2]
    if mark.space == "frequencies":
        return 0, height - 1, 0, width - 1
    step = 2 if mark.space == "grain" and min(height, width) >= 2 else 1
    high, wide = height // step, width // step
    energy = np.square(mark.filter[: high * wide].reshape(high, wide).astype(np.float64))
    order = np.argsort(-energy, axis=None)
    core = order[: 1 + int(np.searchsorted(np.cumsum(energy.ravel()[order]), _CORE * energy.sum()))]
    down, across = np.unravel_index(core, energy.shape)
    return (
        step * int(down.min()),
        step * int(down.max()) + step - 1,
        step * int(across.min()),
        step * int(across.max()) + step - 1,
    )


def described(shape: tuple[int, ...], mark: Mark) -> str:
    """Say in words what and where a mark is."""
    top, bottom, left, right = box(shape, mark)
    if mark.space == "frequencies":
        return "a pattern among their frequencies"
    what = "a pattern" if mark.space == "pixels" else "a change of their grain"
    if (bottom - top + 1) * (right - left + 1) > _WIDE * shape[0] * shape[1]:
        return f"{what} over the whole image"
    return f"{what} in rows {top} to {bottom}, columns {left} to {right}"
