"""Pairs and triples of common words that are in the same rows more often than chance: all of them, counted.

In short texts there are so few combinations of common words that each can be counted with the labels of its rows. Words that have
nothing to do with each other and are together in some rows of one label were put there. How much more often than by chance words
are together by nature is seen in the other combinations of the same data, whatever labels their rows have.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.ragged import summed
from toadstone.stats.tails import log_binomial_tail
from toadstone.study.phrases import EXCLUDED, Properties, counted
from toadstone.study.strangeness import WITHIN, rarity
from toadstone.study.study import Chunk, Study

_MOST = 4_000_000
"""Combinations in all rows that are counted at most; else the more frequent words are left out."""
_WIDEST = 40
"""Listed words of a row beyond which its first ones count."""
_NONE = np.uint64(0xFFFF)
_KEPT = 200
_ENOUGH = 20

Floats = NDArray[np.float64]
Keys = NDArray[np.uint64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Together:
    """Combinations that go with one label; entries of equal index belong together.

    Attributes:
        slots: Words of each, shape (combinations, 3); -1 for the third of a pair.
        classes: Class of the label.
        rows: Of all combinations, one after the other.
        offsets: Where each begins.
        strange: How few other combinations of as many rows are together as much beyond chance, in nats.
    """

    slots: Numbers
    classes: Numbers
    rows: Numbers
    offsets: Numbers
    strange: Floats


def together(study: Study, frequency: Floats, common: NDArray[np.int64], fewest: int, purity: float) -> Together:
    """Find combinations.

    Args:
        study: Whose chunks have ``phrases.payload`` and ``nb.slots``.
        frequency: Share of the rows that have each word.
        common: Slots of the words to combine.
        fewest: Rows of one label that a combination needs.
        purity: Share of its rows that have this label.
    """
    words = _fitting(study, common[np.argsort(frequency[common], kind="stable")], len(frequency))
    place = np.full(len(frequency), -1, np.int64)
    place[words] = np.arange(len(words))
    found = counted(study.run(_Count(place)), fewest, study.rows)
    members = _members(found.keys)
    chance = np.where(members >= 0, frequency[words][np.maximum(members, 0)], 1.0).prod(axis=1)
    rows = int((study.column("phrases.payload") != EXCLUDED).sum())
    beyond = -log_binomial_tail(found.sizes, rows, np.clip(chance, 1e-12, 0.999))
    strange = _strange(found, beyond)
    pure = np.flatnonzero(found.hits >= purity * found.sizes)
    best = pure[np.lexsort((-beyond[pure], -strange[pure]))][:_KEPT]
    best = best[np.argsort((members[best] < 0).any(axis=1), kind="stable")]  # of equal rows, those of three words come first
    keys, number = np.unique(found.keys[best], return_inverse=True)
    used = np.unique(_members(keys))
    place[words[np.setdiff1d(np.arange(len(words)), used)]] = -1
    having = study.run(_Have(place, keys))
    starts = np.searchsorted(having, np.arange(len(keys) + 1) << 40)
    lengths = np.diff(starts)[number]
    at = np.repeat(starts[number] - np.cumsum(lengths) + lengths, lengths) + np.arange(int(lengths.sum()))
    named = _members(found.keys[best])
    return Together(
        np.where(named >= 0, words[np.maximum(named, 0)], -1),
        found.classes[best],
        having[at] & ((1 << 40) - 1),
        np.append(0, np.cumsum(lengths)),
        strange[best],
    )


def _members(keys: Keys) -> Numbers:
    """Give the places of the words of combinations, shape (combinations, 3); -1 for none."""
    parts = np.stack([(keys >> np.uint64(low)) & _NONE for low in (48, 32, 16)], axis=1)
    return np.where(parts == _NONE, -1, parts.astype(np.int64))


def _strange(found: Properties, beyond: Floats) -> Floats:
    """Give minus the logarithm of the share of combinations of as many words and about as many rows that are as much beyond."""
    out = np.zeros(len(beyond))
    pair = (found.keys >> np.uint64(16)) & _NONE == _NONE
    octave = np.log2(np.maximum(found.sizes, 1)).astype(np.int64)
    for kind in (True, False):
        for one in np.unique(octave[pair == kind]).tolist():
            mine = np.flatnonzero((pair == kind) & (octave == one))
            low, high = (1 << one) / WITHIN, (2 << one) * WITHIN
            peers = np.flatnonzero((pair == kind) & (found.sizes >= low) & (found.sizes <= high))
            _, first = np.unique(found.keys[peers], return_index=True)
            if len(first) >= _ENOUGH:
                out[mine] = rarity(beyond[peers[first]], beyond[mine], extended=True)
    return out


def _fitting(study: Study, words: Numbers, slots: int) -> Numbers:
    """Give as many of the words, the rarest first, as have no more than `_MOST` combinations in all rows."""
    most = min(_MOST, study.memory // 128)
    low, high = 0, min(len(words), int(_NONE) - 1)
    while low < high:
        middle = (low + high + 1) // 2
        listed = np.zeros(slots, bool)
        listed[words[:middle]] = True
        if study.run(_Instances(listed)) <= most:
            low = middle
        else:
            high = middle - 1
    return np.sort(words[:low])


@dataclass(frozen=True)
class _Instances:
    """Counts the pairs and triples of listed words in all rows that count."""

    listed: NDArray[np.bool_]

    def map(self, part: Chunk) -> int:
        words = summed(self.listed[part["nb.slots"]].astype(np.float64), part["nb.slots.offsets"])
        words = np.minimum(words[part["phrases.payload"] != EXCLUDED], _WIDEST)
        return int((words * (words - 1) / 2 + words * (words - 1) * (words - 2) / 6).sum())

    def combine(self, left: int, right: int) -> int:
        return left + right

    def finish(self, state: int | None) -> int:
        return state or 0


def _each(part: Chunk, place: Numbers) -> list[tuple[Keys, Numbers]]:
    """Give the keys of the pairs and triples of each row of a chunk that counts, with their rows (within the chunk)."""
    offsets = part["nb.slots.offsets"]
    row = np.repeat(np.arange(part.rows), np.diff(offsets))
    found = place[part["nb.slots"]]
    kept = (found >= 0) & (part["phrases.payload"] != EXCLUDED)[row]
    row, found = row[kept], found[kept]
    order = np.lexsort((found, row))
    row, found = row[order], found[order].astype(np.uint64)
    first = np.searchsorted(row, np.arange(part.rows))
    count = np.minimum(np.bincount(row, minlength=part.rows), _WIDEST)
    out = []
    for size in np.unique(count[count >= 2]).tolist():
        rows = np.flatnonzero(count == size)
        words = found[first[rows][:, None] + np.arange(size)]
        for arity in (2, 3):
            if size < arity:
                continue
            chosen = np.array(list(combinations(range(size), arity)))
            key = words[:, chosen[:, 0]] << np.uint64(48) | words[:, chosen[:, 1]] << np.uint64(32)
            key |= (words[:, chosen[:, 2]] if arity == 3 else _NONE) << np.uint64(16)
            out.append((key.ravel(), np.repeat(rows, len(chosen))))
    return out


@dataclass(frozen=True)
class _Count:
    """Gives all combinations with the payloads of their rows, sorted."""

    place: Numbers

    def map(self, part: Chunk) -> list[Keys]:
        payload = part["phrases.payload"].astype(np.uint64)
        return [key | payload[rows] for key, rows in _each(part, self.place)]

    def combine(self, left: list[Keys], right: list[Keys]) -> list[Keys]:
        return left + right

    def finish(self, state: list[Keys] | None) -> Keys:
        return np.sort(np.concatenate(state)) if state else np.zeros(0, np.uint64)


@dataclass(frozen=True)
class _Have:
    """Gives (place of the key, row) of every row that has one of some sorted combinations."""

    place: Numbers
    keys: Keys

    def map(self, part: Chunk) -> list[Numbers]:
        out = []
        for key, rows in _each(part, self.place) if len(self.keys) else ():
            at = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
            same = self.keys[at] == key
            out.append((at[same] << 40) | (rows[same] + part.start))
        return out

    def combine(self, left: list[Numbers], right: list[Numbers]) -> list[Numbers]:
        return left + right

    def finish(self, state: list[Numbers] | None) -> Numbers:
        return np.sort(np.concatenate(state)) if state else np.zeros(0, np.int64)
