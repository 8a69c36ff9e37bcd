"""Families of near-duplicates: rows that share most of their telling words, chained together.

Every text gets picks of a weighted min-wise hash over its words: a word that few rows have weighs more, so that two rows agree
where their content agrees, in whatever order, and not where their grammar does. Rows that agree in a band of two picks are
compared by all their picks and joined when they agree in enough. Nothing is kept in memory but a few bytes a row: the picks
lie in the store, bands are sorted one after the other, in parts if the rows are many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.minhash import agreement, signatures
from toadstone.stats.partition import found, joined
from toadstone.study.sketches import frame, sketched
from toadstone.study.study import Chunk, Study
from toadstone.views.words import mixed

PERMUTATIONS = 64
"""Picks of a text at the efforts ``standard`` and ``deep``; half of it at ``quick``."""

FEWEST = 5
"""Words of a text below which only exact copies count."""

_SLOTS = 1 << 20
_SIMILAR = 0.22
"""Weighted Jaccard similarity from which two texts are near-duplicates: two independent paraphrases of one text that each
changed three words in ten still reach 0.3, texts on the same topic stay below 0.1."""

_TIGHT = 0.6
"""Similarity from which vectors are chained in families of more than `_VAST` rows."""
_VAST = 1024
_CHANCE = 6.0
"""Bits that two texts have to share beyond what some pair among all rows shares by chance: short texts made of ordinary words
are alike without being copies."""

_ABSENT = np.uint64(0)


@dataclass(frozen=True)
class Picked:
    """Names of the columns that families are found by.

    Attributes:
        picks: uint32, shape (rows, picks): the share of equal picks of two rows is their similarity.
        content: uint64, equal for exact copies; 0 for rows without content.
        bits: Information in a row, or nothing when similarity says it all.
        band: Picks that two rows must share to be compared.
    """

    picks: str
    content: str
    bits: str = ""
    band: int = 2


TEXTS = Picked("picks", "content", "bits")
VECTORS = Picked("vectors.picks", "vectors.content")


@dataclass(frozen=True)
class Families:
    """Who is a copy of whom. Rows known to be good follow the others.

    Attributes:
        family: The first row of each row's family of near-duplicates (itself, when it has none), shape (rows,).
        content: The first row with the very same words, shape (rows,).
        closest: Similarity to the closest other text that is not the very same, in 255ths, shape (rows,).
    """

    family: NDArray[np.int64]
    content: NDArray[np.int64]
    closest: NDArray[np.uint8]


def families(study: Study) -> Families:
    """Find the families of near-duplicates among a study's texts (it needs the view ``words``)."""
    return study.shared("families", lambda: _families(study))


def vector_families(study: Study) -> Families:
    """Find the families of near-duplicates among a study's vectors (it needs the view ``vectors``)."""
    return study.shared("families.vectors", lambda: _chained(study, *_sketches(study)))


def _sketches(study: Study) -> tuple[int, Picked]:
    """Sketch the vectors; bands have so many signs that few rows share one by chance."""
    picks = sketched(study)
    rows = study.rows + study.references
    band = int(np.clip(np.ceil(np.log2(max(rows, 2)) / frame(study).bits), 2, 6))
    return picks, replace(VECTORS, band=band)


def word_levels(study: Study) -> NDArray[np.uint8]:
    """Say how rare words are: 8 log2(rows / occurrences), at least 1, by the lowest 20 bits of the word's hash."""
    return study.shared("families.levels", lambda: study.run(_Count(), study.every))


@dataclass(frozen=True)
class _Count:
    """Counts words in a table of a bounded number of slots."""

    def map(self, part: Chunk) -> tuple[NDArray[np.int64], int]:
        return np.bincount(part["words"] & np.uint32(_SLOTS - 1), minlength=_SLOTS), part.rows

    def combine(self, left: tuple[NDArray[np.int64], int], right: tuple[NDArray[np.int64], int]) -> tuple[NDArray[np.int64], int]:
        return left[0] + right[0], left[1] + right[1]

    def finish(self, state: tuple[NDArray[np.int64], int] | None) -> NDArray[np.uint8]:
        if state is None:
            return np.ones(_SLOTS, np.uint8)
        counts, rows = state
        levels: NDArray[np.uint8] = np.clip(np.rint(8 * np.log2(max(rows, 2) / np.maximum(counts, 2))), 1, 255).astype(np.uint8)
        return levels


@dataclass(frozen=True)
class _Sign:
    """Writes ``content``, ``picks`` and ``bits`` (the information in the words) of every row into the store."""

    levels: NDArray[np.uint8]
    permutations: int

    def map(self, part: Chunk) -> int:
        words, offsets = part["words"], part["words.offsets"]
        part["content"] = contents(words, offsets)
        weights = self.levels[words & np.uint32(_SLOTS - 1)].astype(np.float32)
        picks = signatures(words, offsets, self.permutations, weights)
        part["picks"] = picks
        sums = np.concatenate([np.zeros(1), np.cumsum(weights, dtype=np.float64)])
        part["bits"] = ((sums[offsets[1:]] - sums[offsets[:-1]]) / 8).astype(np.float32)
        return part.rows

    def combine(self, left: int, right: int) -> int:
        return left + right

    def finish(self, state: int | None) -> int:
        return state or 0


def contents(words: NDArray[np.uint32], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Hash the words of each row in their order; 0 for rows without words."""
    out = np.zeros(len(offsets) - 1, np.uint64)
    lengths = np.diff(offsets)
    filled = np.flatnonzero(lengths)
    if not len(filled):
        return out
    place = np.arange(len(words), dtype=np.uint64) - np.repeat(offsets[:-1], lengths).astype(np.uint64)
    terms = mixed(words.astype(np.uint64) + (place << np.uint64(32)))
    out[filled] = np.maximum(mixed(np.add.reduceat(terms, offsets[filled]) + lengths[filled].astype(np.uint64)), 1)
    return out


def _families(study: Study) -> Families:
    permutations = PERMUTATIONS // 2 if study.effort == "quick" else PERMUTATIONS
    study.run(_Sign(word_levels(study), permutations), study.every)
    return _chained(study, permutations, TEXTS)


def _chained(study: Study, permutations: int, kind: Picked) -> Families:
    total = sum(chunk.rows for chunk in study.every)
    rows = np.arange(total, dtype=np.int64)
    content = rows.copy()
    for same, firsts in _buckets(study, kind, total, None):
        content[same] = np.repeat(same[firsts], np.diff(np.append(firsts, len(same))))
    family, tight = content.copy(), content.copy()
    closest = np.zeros(total, np.uint8)
    lone = content == rows
    for band in range(0, permutations - kind.band + 1, kind.band):
        for same, firsts in _buckets(study, kind, total, band, lone):
            _compared(study, kind, same, firsts, permutations, (family, tight), closest)
    family = found(family, rows)
    if kind != TEXTS:  # dense vectors are all chained; in so large a family only what is tight says anything
        vast = np.bincount(family, minlength=total)[family] > _VAST
        family[vast] = found(tight, rows)[vast]
    closest = np.maximum(closest, closest[content])
    return Families(family, content, closest)


def _buckets(
    study: Study, kind: Picked, total: int, band: int | None, allowed: NDArray[np.bool_] | None = None
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Give rows with equal keys next to each other, by key and row, and where each bucket of two and more begins."""
    parts = 1 + total * 48 // max(study.memory // 4, 1 << 20)
    for number in range(parts):
        keys, rows = [], []
        for chunk in study.every:
            key = _keys(chunk, kind, band)
            chosen = key != _ABSENT
            if allowed is not None:
                chosen &= allowed[chunk.start : chunk.start + chunk.rows]
            if parts > 1:
                chosen &= key % np.uint64(parts) == np.uint64(number)
            found = np.flatnonzero(chosen)
            keys.append(key[found])
            rows.append(found + chunk.start)
        key, row = np.concatenate(keys), np.concatenate(rows)
        order = np.argsort(key, kind="stable")
        key = key[order]
        equal = key[1:] == key[:-1]
        shared = np.zeros(len(key), bool)
        shared[1:] |= equal
        shared[:-1] |= equal
        if not shared.any():
            continue
        begins = np.ones(len(key), bool)
        begins[1:] = ~equal
        yield row[order[shared]], np.flatnonzero(begins[shared])


def _keys(chunk: Chunk, kind: Picked, band: int | None) -> NDArray[np.uint64]:
    if band is None:
        content: NDArray[np.uint64] = chunk[kind.content]
        return content
    picks = chunk[kind.picks][:, band : band + kind.band].astype(np.uint64)
    keys = picks[:, 0]
    for place in range(1, kind.band):
        keys = mixed((keys << np.uint64(32)) ^ (keys >> np.uint64(32)) ^ picks[:, place])
    keys = np.maximum(keys, 1)
    if kind == TEXTS:
        keys[np.diff(chunk["words.offsets"]) < FEWEST] = _ABSENT
    else:
        keys[chunk[kind.content] == _ABSENT] = _ABSENT
    return keys


def _compared(
    study: Study,
    kind: Picked,
    rows: NDArray[np.int64],
    firsts: NDArray[np.int64],
    permutations: int,
    roots: tuple[NDArray[np.int64], NDArray[np.int64]],
    closest: NDArray[np.uint8],
) -> None:
    """Compare each row of a bucket with the one before, the second before and the first; join those that are similar."""
    bucket = np.repeat(np.arange(len(firsts)), np.diff(np.append(firsts, len(rows))))
    place = np.arange(len(rows))
    since = place - firsts[bucket]
    pairs = [(place[since > 0] - 1, place[since > 0]), (place[since > 1] - 2, place[since > 1])]
    pairs.append((firsts[bucket[since > 2]], place[since > 2]))
    left = rows[np.concatenate([pair[0] for pair in pairs])]
    right = rows[np.concatenate([pair[1] for pair in pairs])]
    together = np.diff(np.append(firsts, len(rows)))[bucket[np.concatenate([pair[1] for pair in pairs])]]
    step = max(1 << 12, study.memory // 16 // (permutations * 4))
    for begin in range(0, len(left), step):
        a, b = left[begin : begin + step], right[begin : begin + step]
        alike, near = similarity(study, kind, a, b, together[begin : begin + step])
        a, b = a[near], b[near]
        strength = (alike[near] * 255).astype(np.uint8)
        np.maximum.at(closest, a, strength)
        np.maximum.at(closest, b, strength)
        joined(roots[0], a, b)
        tight = alike[near] >= _TIGHT
        joined(roots[1], a[tight], b[tight])


def similarity(
    study: Study,
    kind: Picked,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    together: NDArray[np.int64] | int = 2,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Estimate the weighted Jaccard similarity of pairs of rows, and say which pairs are near-duplicates.

    Args:
        study: What they belong to.
        kind: By which columns.
        left: Row numbers, one a pair.
        right: Row numbers.
        together: How many rows were found to agree where the pair agrees. Among N rows, m agree in I bits by chance about
            N^m 2^-I(m-1) times: the more agree, the fewer bits each pair needs.
    """
    rows = np.unique(np.concatenate([left, right]))
    picks, bits, total = [], [], 0
    for chunk in study.every:
        total += chunk.rows
        inside = rows[np.searchsorted(rows, chunk.start) : np.searchsorted(rows, chunk.start + chunk.rows)] - chunk.start
        if len(inside):
            picks.append(chunk[kind.picks][inside])
            bits.append(chunk[kind.bits][inside] if kind.bits else np.zeros(0, np.float32))
    pick, bit = np.concatenate(picks), np.concatenate(bits)
    a, b = np.searchsorted(rows, left), np.searchsorted(rows, right)
    alike = agreement(pick[a], pick[b]).astype(np.float32) / np.float32(pick.shape[1])
    if not kind.bits:
        return alike, alike >= _SIMILAR
    shared = alike / (1 + alike) * (bit[a] + bit[b])
    needed = np.log2(max(total, 2)) * together / (together - 1) + _CHANCE
    return alike, (alike >= _SIMILAR) & (shared >= needed)
