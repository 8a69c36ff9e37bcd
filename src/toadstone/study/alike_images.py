"""Families of images that are one image: moved a little, brighter or darker, with other noise.

How much of an image another one explains says little by itself: all ones of handwritten digits explain each other well. It is
compared with what the tenth best of some images drawn at random explains of either: two images are alike when they are several
times closer than that. How many times depends on the data: the widest level is taken at which links do not run on from image to
image through much of the data, and half of it as a second one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.alignment import bands, tangents, thumbs, unlike
from toadstone.stats.nearest import nearest
from toadstone.stats.partition import found, joined
from toadstone.study.families import Families
from toadstone.study.pictures import BLANK, GRID
from toadstone.study.study import Chunk, Study
from toadstone.views.words import mixed

LADDER = (0.4, 0.28, 0.2, 0.14, 0.1, 0.07, 0.05, 0.035)
"""Shares of the usual unlikeness of which one becomes the level at which images are neighbours."""

_BAND = "alike.band"
_THUMB = "alike.thumb"
_NEIGHBOURS, _FURTHER = 20, 12
"""Images that each is compared with: the most alike as they stand, and by features that hardly change when they are moved."""
_DIMENSIONS = 64
_LINKED = 0.08
"""Share of images with a neighbour up to which a level is taken ..."""
_CHAINED, _STRUNG = 0.02, 4
"""... or the share of images up to which families may be this many times larger than their largest core."""
_USUAL = 256
"""Images that say what is usual."""
_RANK = 10
_PAIRS = 256
"""Images of a family up to which all pairs are compared."""
_BLOCK = 512

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Alike:
    """What was found.

    Attributes:
        families: Who is a copy of whom.
        cores: Of each row at both levels, shape (rows, 2): the largest c such that c - 1 of its neighbours have as many
            neighbours themselves (an h-index, Lü et al. 2016), of its family (in large ones of its nearest 32); 1
            for rows that are alone.
    """

    families: Families
    cores: NDArray[np.int32]


def alike_images(study: Study) -> Alike:
    """Find families of copies among a study's images, those known to be good behind the others."""
    return study.shared("alike-images", lambda: _made(study))


@dataclass(frozen=True)
class _Prepare:
    """Writes `_BAND` and `_THUMB`."""

    def map(self, part: Chunk) -> int:
        grid = part[GRID]
        blocks = [grid[start : start + _BLOCK] for start in range(0, max(1, len(grid)), _BLOCK)]
        plain = np.concatenate([bands(images) for images in blocks])
        plain[part[BLANK]] = 0
        part[_BAND] = plain
        part[_THUMB] = np.concatenate([thumbs(images).astype(np.float16) for images in blocks])
        return part.rows

    def combine(self, left: int, right: int) -> int:
        return left + right

    def finish(self, state: int | None) -> int:
        return state or 0


def _made(study: Study) -> Alike:
    study.run(_Prepare(), study.every)
    total = study.rows + study.references
    plain = _gathered(study, _BAND, total, np.int8)
    small = _gathered(study, _THUMB, total, np.float16)
    content = _contents(study, plain, total)
    single = np.flatnonzero(content == np.arange(total))
    near = nearest(small[single], _NEIGHBOURS, study.random("alike.cells"))
    if study.has("vectors"):
        near = _with(near, nearest(_vectors(study, total)[single], _FURTHER, study.random("alike.further")))
    usual = _usual(study, plain, single)
    ratio = _ratios(plain, single, near, usual)
    family, cores, level = _widest(near, ratio)
    near[ratio >= level] = -1
    both = np.ones((total, 2), np.int32)
    both[single, 0], both[single, 1] = cores, _cores(near, ratio < level / 2)
    for members in _few(family):
        both[single[members]] = _all_pairs(plain, single[members], usual[members], level)
    both = both[content]
    family = single[family][np.searchsorted(single, content)]
    closest = np.zeros(total, np.uint8)
    best = np.where(near >= 0, 1 - ratio, 0).max(1) if near.shape[1] else np.zeros(len(single))
    closest[single] = np.asarray(255 * np.clip(best, 0, 1), np.uint8)
    return Alike(Families(family, content, closest[content]), both)


def _widest(near: NDArray[np.int32], ratio: Floats) -> tuple[Numbers, NDArray[np.int32], float]:
    """Choose the level; give the first of each row's family, and its core, and the level."""
    rows = len(near)
    family: Numbers = np.arange(rows)
    cores, level = np.ones(rows, np.int32), 0.0
    for level in LADDER:
        linked = (near >= 0) & (ratio < level)
        cores = _cores(near, linked)
        family = np.arange(rows)
        left, places = np.nonzero(linked)
        if len(left):
            joined(family, left, near[left, places].astype(np.int64))
            family = np.asarray(found(family, np.arange(rows)), np.int64)
        largest = np.ones(rows, np.int32)
        np.maximum.at(largest, family, cores)
        sizes = np.bincount(family, minlength=rows)
        strung = sizes[sizes > _STRUNG * largest].sum()
        if (cores > 1).mean() <= _LINKED or strung <= _CHAINED * rows:
            break
    return family, cores, level


def _vectors(study: Study, total: int) -> NDArray[Any]:
    """Give the features of local windows, which stay nearly the same when an image is moved, shape (rows, numbers)."""
    drawn = study.random("alike.projection").normal(size=(study.every[0]["vectors"].shape[1], _DIMENSIONS)).astype(np.float32)
    out = study.array((total, _DIMENSIONS), np.float16)
    for chunk in study.every:
        for start in range(0, chunk.rows, _BLOCK):
            part = np.nan_to_num(chunk["vectors"][start : start + _BLOCK])
            out[chunk.start + start : chunk.start + start + len(part)] = part @ drawn
    return out


def _with(near: NDArray[np.int32], more: NDArray[np.int32]) -> NDArray[np.int32]:
    """Add neighbours that are not among the others yet, -1 in the place of those that are."""
    known = (more[:, :, None] == near[:, None, :]).any(2)
    return np.concatenate([near, np.where(known, np.int32(-1), more)], 1)


def _few(family: Numbers) -> Iterator[Numbers]:
    """Give the members of the families that are small enough to compare all pairs."""
    sizes = np.bincount(family)
    order = np.argsort(family, kind="stable")
    edges = np.concatenate([[0], np.cumsum(sizes)])
    for first in np.flatnonzero((sizes > 2) & (sizes <= _PAIRS)).tolist():
        yield order[edges[first] : edges[first + 1]]


def _all_pairs(plain: NDArray[Any], rows: Numbers, usual: Floats, level: float) -> NDArray[np.int32]:
    """Give the cores of the rows of a family at the level and at half of it, shape (rows, 2), by all pairs."""
    values = np.asarray(plain[rows], np.int8)
    apart = unlike(tangents(values), values.reshape(len(rows), -1).astype(np.float32))
    ratio = np.maximum(apart, apart.T) / np.maximum(np.sqrt(usual[:, None] * usual), np.float32(1e-3))
    ratio[np.diag_indices(len(rows))] = np.inf
    every = np.broadcast_to(np.arange(len(rows), dtype=np.int32), ratio.shape)
    return np.stack([_cores(every, ratio < level), _cores(every, ratio < level / 2)], 1)


def _gathered(study: Study, name: str, total: int, kind: type[np.generic]) -> NDArray[Any]:
    """Give a column of all chunks as one array, shape (rows, ...)."""
    shape = study.every[0][name].shape[1:]
    out = study.array((total, *shape), kind)
    for chunk in study.every:
        out[chunk.start : chunk.start + chunk.rows] = chunk[name]
        chunk.drop(name)
    return out


def _contents(study: Study, plain: NDArray[Any], total: int) -> Numbers:
    """Give the first row with the very same pixels; rows without an image, and images of one tone, stand for themselves."""
    keys = np.zeros(total, np.uint64)
    for chunk in study.every:
        grid = chunk[GRID].reshape(chunk.rows, -1)
        places = mixed(np.arange(1, grid.shape[1] + 1, dtype=np.uint64))
        for start in range(0, chunk.rows, _BLOCK):
            part = grid[start : start + _BLOCK].astype(np.uint64)
            at = chunk.start + start
            keys[at : at + len(part)] = mixed(mixed(part * places + places).sum(1, dtype=np.uint64))
    shown = plain.reshape(total, -1).any(1)
    order = np.argsort(keys, kind="stable")
    first = np.arange(total, dtype=np.int64)
    same = keys[order][1:] == keys[order][:-1]
    begins = order[np.maximum.accumulate(np.where(np.concatenate([[True], ~same]), np.arange(total), 0))]
    first[order] = begins
    return np.where(shown, first, np.arange(total, dtype=np.int64))


def _usual(study: Study, plain: NDArray[Any], single: Numbers) -> Floats:
    """Give the unlikeness of each image to the tenth best of some drawn at random."""
    drawn = single[np.sort(study.random("alike.usual").choice(len(single), min(_USUAL, len(single)), replace=False))]
    basis = tangents(np.asarray(plain[drawn], np.int8))
    out = np.ones(len(single), np.float32)
    rank = min(_RANK, len(drawn)) - 1
    for start in range(0, len(single), _BLOCK):
        rows = single[start : start + _BLOCK]
        apart = unlike(basis, plain[rows].reshape(len(rows), -1).astype(np.float32))
        apart[drawn[:, None] == rows] = 1  # itself
        out[start : start + len(rows)] = np.partition(apart, rank, axis=0)[rank]
    return out


def _ratios(plain: NDArray[Any], single: Numbers, near: NDArray[np.int32], usual: Floats) -> Floats:
    """Give how unlike each row and its neighbours are, relative to what is usual for both, shape of the neighbours."""
    out = np.full(near.shape, np.inf, np.float32)
    for start in range(0, len(single) if near.shape[1] else 0, _BLOCK):
        block = slice(start, min(start + _BLOCK, len(single)))
        basis = tangents(np.asarray(plain[single[block]], np.int8))
        known = np.maximum(near[block], 0)
        others = plain[single[known]].reshape(*known.shape, -1).astype(np.float32)
        out[block] = unlike(basis, others) / np.maximum(np.sqrt(usual[block][:, None] * usual[known]), np.float32(1e-3))
    out[near < 0] = np.inf
    return _both_ways(out, near)


def _both_ways(ratio: Floats, near: NDArray[np.int32]) -> Floats:
    """Let each pair that found each other have the larger of its two values: a copy is one in both directions."""
    rows, count = near.shape
    if not count:
        return ratio
    keys = (np.arange(rows, dtype=np.int64)[:, None] * rows + near).ravel()
    back = (near.astype(np.int64) * rows + np.arange(rows, dtype=np.int64)[:, None]).ravel()
    order = np.argsort(keys, kind="stable")
    at = np.minimum(np.searchsorted(keys[order], back), len(keys) - 1)
    other = np.where(keys[order][at] == back, ratio.ravel()[order][at], -np.inf)
    return np.asarray(np.maximum(ratio.ravel(), other).reshape(ratio.shape), np.float32)


def _cores(near: NDArray[np.int32], alike: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Give the core of each row among its neighbours."""
    if not near.shape[1]:
        return np.ones(len(near), np.int32)
    linked = alike & (near >= 0)
    degree = linked.sum(1)
    theirs = np.where(linked, degree[np.maximum(near, 0)], 0)
    theirs = -np.sort(-theirs, axis=1)
    return np.asarray(1 + np.minimum(theirs, np.arange(1, near.shape[1] + 1)).max(1), np.int32)
