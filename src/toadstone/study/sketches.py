"""Vectors as picks of signed random projections (Charikar 2002), and how far each is from all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.study.study import Chunk, Study
from toadstone.views.words import mixed

PICKS = 64
_NEIGHBOUR = 0.12
"""Similarity that the nearest neighbours of a sample get: what is much nearer than that is a near-duplicate."""
_FEWEST_BITS, _MOST_BITS = 4, 24
_ANCHORS = 1024
_PROBES = 256
_BLOCK = 8192
_ROUNDED = 1e-5
"""Share of their lengths below which two vectors' squared distance is rounding."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Frame:
    """How vectors are looked at: standardised by a sample of them.

    Attributes:
        mean: Of each dimension.
        scale: One over its standard deviation; 0 for constant ones.
        anchors: Standardised sample, shape (anchors, dimensions).
        rows: Row of each anchor.
        bits: Signs that make one pick.
    """

    mean: Floats
    scale: Floats
    anchors: Floats
    rows: NDArray[np.int64]
    bits: int

    def standard(self, vectors: NDArray[np.floating]) -> Floats:
        """Centre and scale; what is not a number counts as the mean."""
        values = (vectors.astype(np.float32) - self.mean) * self.scale
        finite: Floats = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)
        return finite


def frame(study: Study) -> Frame:
    """Learn how to look at the study's vectors from a sample of them."""
    return study.shared("vectors.frame", lambda: _frame(study))


def _frame(study: Study) -> Frame:
    random = study.random("vectors")
    widths = np.bincount(np.concatenate([np.full(chunk.rows, chunk["vectors"].shape[1]) for chunk in study.chunks]))
    width = int(widths.argmax())
    rows = np.sort(random.choice(study.rows, min(study.rows, _ANCHORS), replace=False))
    parts = []
    for chunk in study.chunks:
        inside = rows[np.searchsorted(rows, chunk.start) : np.searchsorted(rows, chunk.start + chunk.rows)]
        if len(inside):
            parts.append(vectors_of(chunk, width)[inside - chunk.start])
    sample = np.concatenate(parts).astype(np.float64)
    sample[~np.isfinite(sample)] = np.nan
    known = np.isfinite(sample)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, sample, 0.0).sum(axis=0) / count
    spread = np.sqrt(np.where(known, (sample - mean) ** 2, 0.0).sum(axis=0) / count)
    scale = np.where(spread > 0, 1 / np.where(spread > 0, spread, 1), 0.0)
    anchors = np.nan_to_num((sample - mean) * scale).astype(np.float32)
    return Frame(mean.astype(np.float32), scale.astype(np.float32), anchors, rows, _bits(anchors))


def vectors_of(chunk: Chunk, width: int) -> NDArray[np.floating]:
    """Give the vectors of a chunk; those of another width than most are not numbers."""
    vectors: NDArray[np.floating] = chunk["vectors"]
    return vectors if vectors.shape[1] == width else np.full((chunk.rows, width), np.nan, np.float32)


def _bits(anchors: Floats) -> int:
    """Choose how many signs make a pick, so that nearest neighbours in the sample rarely agree in one."""
    norm = np.linalg.norm(anchors, axis=1)
    unit = anchors[norm > 0] / norm[norm > 0, None]
    if len(unit) < 3:
        return 8
    probes = unit[:: max(1, len(unit) // _PROBES)]
    cosine = probes @ unit.T
    cosine[cosine > 1 - 1e-6] = -1.0  # itself, and copies
    angle = float(np.median(np.arccos(np.clip(cosine.max(axis=1), -1, 1))))
    return int(np.clip(np.rint(np.log(_NEIGHBOUR) / np.log(max(1 - angle / np.pi, 1e-3))), _FEWEST_BITS, _MOST_BITS))


@dataclass(frozen=True)
class _Sketch:
    """Writes ``vectors.picks``, ``vectors.content`` and ``vectors.distance`` of every row into the store."""

    frame: Frame
    projections: Floats

    def map(self, part: Chunk) -> int:
        vectors = vectors_of(part, len(self.frame.mean))
        picks = np.empty((part.rows, PICKS), np.uint32)
        distance = np.empty(part.rows, np.float32)
        content = np.empty(part.rows, np.uint64)
        squares = (self.frame.anchors**2).sum(axis=1)
        powers = np.uint32(1) << np.arange(self.frame.bits, dtype=np.uint32)
        for begin in range(0, part.rows, _BLOCK):
            block = slice(begin, min(begin + _BLOCK, part.rows))
            values = self.frame.standard(vectors[block])
            signs = (values @ self.projections > 0).reshape(len(values), PICKS, self.frame.bits)
            picks[block] = signs.astype(np.uint32) @ powers
            sizes = squares + (values**2).sum(axis=1)[:, None]
            apart = sizes - 2 * (values @ self.frame.anchors.T)
            apart[apart < _ROUNDED * sizes] = 0  # what rounding leaves of equal vectors differs from run to run
            own = np.searchsorted(self.frame.rows, np.arange(block.start, block.stop) + part.start)
            at = np.minimum(own, len(self.frame.rows) - 1)
            itself = np.flatnonzero(self.frame.rows[at] == np.arange(block.start, block.stop) + part.start)
            apart[itself, at[itself]] = np.inf
            distance[block] = np.sqrt(np.maximum(apart.min(axis=1), 0))
            content[block] = _contents(vectors[block])
        part["vectors.picks"] = picks
        part["vectors.content"] = content
        part["vectors.distance"] = distance
        return part.rows

    def combine(self, left: int, right: int) -> int:
        return left + right

    def finish(self, state: int | None) -> int:
        return state or 0


def _contents(vectors: NDArray[np.floating]) -> NDArray[np.uint64]:
    """Hash the numbers of each row; 0 for rows without any but zeros and what is not a number."""
    bits = np.ascontiguousarray(vectors, np.float32).view(np.uint32).astype(np.uint64)
    place = np.arange(vectors.shape[1], dtype=np.uint64) << np.uint64(32)
    hashes = np.maximum(mixed(mixed(bits + place).sum(axis=1, dtype=np.uint64)), 1)
    hashes[~np.any(np.isfinite(vectors) & (vectors != 0), axis=1)] = 0
    return hashes


def sketched(study: Study) -> int:
    """Write picks, content and distances of the study's vectors; give the number of picks a row."""

    def make() -> int:
        seen = frame(study)
        shape = (len(seen.mean), PICKS * seen.bits)
        study.run(_Sketch(seen, study.random("projections").standard_normal(shape, np.float32)), study.every)
        return PICKS

    return study.shared("vectors.sketched", make)


def distances(study: Study) -> Floats:
    """Give the distance of each row's vector to the nearest of a sample of the others."""
    sketched(study)
    return study.column("vectors.distance")
