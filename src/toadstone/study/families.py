"""Families of near-duplicates: rows that share most of their telling words, chained together.

Every text gets picks of a weighted min-wise hash over its words: a word that few rows have weighs more, so that two rows agree
where their content agrees, in whatever order, and not where their grammar does. Rows that agree in a band of two picks are
compared by all their picks and joined when they agree in enough. Nothing is kept in memory but a few bytes a row: the picks
lie in the store, bands are sorted one after the other, in parts if the rows are many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.minhash import agreement, signatures
from toadstone.stats.partition import RowNumbers, found, joined
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
_ROWS = 1 << 18
"""Rows that are looked at together."""
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


@dataclass(frozen=True)
class Families:
    """Who is a copy of whom. Rows known to be good follow the others.

    Attributes:
        family: The first row of each row's family of near-duplicates (itself, when it has none), shape (rows,).
        content: The first row with the very same words, shape (rows,).
        closest: Similarity to the closest other text that is not the very same, in 255ths, shape (rows,).
    """

    family: RowNumbers
    content: RowNumbers
    closest: NDArray[np.uint8]


def families(study: Study) -> Families:
    """Find the families of near-duplicates among a study's texts (it needs the view ``words``)."""
    return study.shared("families", lambda: _families(study))


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
        _banded(part, TEXTS, picks, np.diff(offsets) < FEWEST)
        sums = np.concatenate([np.zeros(1), np.cumsum(weights, dtype=np.float64)])
        part["bits"] = ((sums[offsets[1:]] - sums[offsets[:-1]]) / 8).astype(np.float32)
        return part.rows

    def combine(self, left: int, right: int) -> int:
        return left + right

    def finish(self, state: int | None) -> int:
        return state or 0


def _banded(part: Chunk, kind: Picked, picks: NDArray[np.uint32], apart: NDArray[np.bool_]) -> None:
    """Write the key of each row in each band: a band is looked at in several passes, all picks together are 16 times as much."""
    for band in range(0, picks.shape[1] - kind.band + 1, kind.band):
        keys = picks[:, band].astype(np.uint64)
        for place in range(band + 1, band + kind.band):
            keys = mixed((keys << np.uint64(32)) ^ (keys >> np.uint64(32)) ^ picks[:, place])
        keys = np.maximum(keys, 1)
        keys[apart] = _ABSENT
        part[f"{kind.picks}.{band}"] = keys


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
    total = study.rows + study.references
    own = np.arange(total, dtype=_numbers(total))
    content = first_copies(study, kind)
    family = study.array(total, own.dtype)
    family[:] = content
    tight = study.array(total if kind != TEXTS else 0, own.dtype)  # dense vectors only
    tight[:] = content[: len(tight)]
    closest = study.array(total, np.uint8)
    lone = content == own
    del own
    for band in range(0, permutations - kind.band + 1, kind.band):
        for same, firsts in _buckets(study, kind, total, band, lone):
            _compared(study, kind, same, firsts, permutations, (family, tight), closest)
        study.rest()
    for start in range(0, total, _ROWS):
        span = slice(start, start + _ROWS)
        family[span] = found(family, family[span])
        np.maximum(closest[span], closest[content[span]], out=closest[span])
        study.rest()
    if kind != TEXTS:  # dense vectors are all chained; in so large a family only what is tight says anything
        vast = np.flatnonzero(np.bincount(family, minlength=total)[family] > _VAST)
        family[vast] = found(tight, vast)
    study.rest()
    return Families(family, content, closest)


def first_copies(study: Study, kind: Picked) -> RowNumbers:
    """Give the first row with the very same content for each row, shape (rows,)."""
    total = study.rows + study.references
    content = study.array(total, _numbers(total))
    content[:] = np.arange(total, dtype=content.dtype)
    for same, firsts in _buckets(study, kind, total, None):
        content[same] = np.repeat(same[firsts], np.diff(np.append(firsts, len(same))))
    return content


def _numbers(total: int) -> np.dtype[np.signedinteger]:
    """Give the type of the numbers of rows."""
    return np.dtype(np.int32 if total < 1 << 31 else np.int64)


def _buckets(
    study: Study, kind: Picked, total: int, band: int | None, allowed: NDArray[np.bool_] | None = None
) -> Iterator[tuple[RowNumbers, NDArray[np.int64]]]:
    """Give rows with equal keys next to each other, by key and row, and where each bucket of two and more begins."""
    parts = 1 + total * 48 // max(study.memory // 8, 1 << 20)
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
            rows.append((found + chunk.start).astype(_numbers(total)))
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
    keys: NDArray[np.uint64] = chunk[kind.content if band is None else f"{kind.picks}.{band}"]
    return keys


def _compared(
    study: Study,
    kind: Picked,
    rows: RowNumbers,
    firsts: NDArray[np.int64],
    permutations: int,
    roots: tuple[RowNumbers, RowNumbers],
    closest: NDArray[np.uint8],
) -> None:
    """Compare each row of a bucket with the one before, the second before and the first; join those that are similar.

    Picks are fetched for many rows at once: each time all of them pass by.
    """
    total = study.rows + study.references
    sizes = np.diff(np.append(firsts, len(rows)))
    first_of = np.repeat(firsts, sizes)
    size_of = np.repeat(sizes, sizes)
    held = max(1 << 12, study.memory // 8 // (permutations * 4))
    step = max(1 << 12, study.memory // 32 // (permutations * 4))
    for begin in range(0, len(rows), held):
        stop = min(begin + held, len(rows))
        near_by = max(begin - 2, 0)
        needed = np.arange(near_by, stop)
        if first_of[begin] < near_by:
            needed = np.append(first_of[begin], needed)
        picks, bits = _fetched(study, kind, rows[needed])
        for start in range(begin, stop, step):
            place = np.arange(start, min(start + step, stop))
            since = place - first_of[place]
            for back, more in ((1, since > 0), (2, since > 1), (since, since > 2)):
                right = place[more]
                left = (place - back)[more]
                a, b = np.searchsorted(needed, left), np.searchsorted(needed, right)
                information = bits[a] + bits[b] if kind.bits else None
                alike, near = similarity(picks[a], picks[b], information, size_of[right], total)
                _linked((rows[left[near]], rows[right[near]]), alike[near], roots, closest)
        study.rest()


def _linked(
    pairs: tuple[RowNumbers, RowNumbers],
    alike: NDArray[np.float32],
    roots: tuple[RowNumbers, RowNumbers],
    closest: NDArray[np.uint8],
) -> None:
    """Join near-duplicates, and note how similar they are."""
    left, right = pairs
    strength = (alike * 255).astype(np.uint8)
    np.maximum.at(closest, left, strength)
    np.maximum.at(closest, right, strength)
    joined(roots[0], left, right)
    if len(roots[1]):
        tight = alike >= _TIGHT
        joined(roots[1], left[tight], right[tight])


def _fetched(study: Study, kind: Picked, rows: RowNumbers) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    """Give the picks and the bits of some rows."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    picks = np.empty((0, 0), np.uint32)
    bits = np.zeros(len(rows) if kind.bits else 0, np.float32)
    for chunk in study.every:
        low, high = np.searchsorted(ordered, [chunk.start, chunk.start + chunk.rows])
        if low == high:
            continue
        inside = ordered[low:high] - chunk.start
        some = chunk[kind.picks]
        if not len(picks):
            picks = np.empty((len(rows), some.shape[1]), np.uint32)
        picks[order[low:high]] = some[inside]
        if kind.bits:
            bits[order[low:high]] = chunk[kind.bits][inside]
    return picks, bits


def similarity(
    left: NDArray[np.uint32],
    right: NDArray[np.uint32],
    bits: NDArray[np.float32] | None,
    together: NDArray[np.int64],
    total: int,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Estimate the weighted Jaccard similarity of pairs of rows, and say which pairs are near-duplicates.

    Args:
        left: Picks, one row a pair.
        right: Picks.
        bits: Information in both rows of each pair, or None when similarity says it all.
        together: How many rows were found to agree where the pair agrees. Among N rows, m agree in I bits by chance about
            N^m 2^-I(m-1) times: the more agree, the fewer bits each pair needs.
        total: N.
    """
    alike = agreement(left, right).astype(np.float32) / np.float32(left.shape[1])
    if bits is None:
        return alike, alike >= _SIMILAR
    needed = np.log2(max(total, 2)) * together / (together - 1) + _CHANCE
    return alike, (alike >= _SIMILAR) & (alike / (1 + alike) * bits >= needed)
