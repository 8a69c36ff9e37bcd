"""What is new in a data set since its previous version: rows, and runs of words that they bring."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from toadstone.study.study import Chunk, Study
from toadstone.views.words import mixed, words_of

SLOTS = 1 << 20
LONGEST = 3
"""Words of the longest run that is counted."""
NEW = "versions.new"
"""Column of the chunks: whether a row, its text and label together, is not in the baseline; bool."""

Hashes = NDArray[np.uint64]


def mark_new(study: Study, base: Study) -> int:
    """Say of every row whether the baseline lacks it, as the column `NEW`; give the number of these rows."""
    known = base.run(_Keys(_name_keys(base)))
    return study.run(_Mark(_name_keys(study), known))


def _name_keys(study: Study) -> Hashes:
    """Give a hash of each label's name, and 0 for none."""
    return np.array(
        [int.from_bytes(blake2b(name.encode("utf-8", "replace"), digest_size=8).digest()) for name in study.label_names] + [0],
        np.uint64,
    )


def _keys(part: Chunk, names: Hashes) -> Hashes:
    """Hash each row: its words in their order, and its label."""
    words, offsets = part["words"], part["words.offsets"]
    place = np.arange(len(words)) - np.repeat(offsets[:-1], np.diff(offsets))
    sums = np.append(
        np.uint64(0), np.cumsum(mixed(words.astype(np.uint64) + (place.astype(np.uint64) << np.uint64(32))), dtype=np.uint64)
    )
    keys = sums[offsets[1:]] - sums[offsets[:-1]]
    if "label" in part:
        keys = keys + names[part["label"]]
    return np.asarray(mixed(keys + np.uint64(1)), np.uint64)


@dataclass(frozen=True)
class _Keys:
    names: Hashes

    def map(self, part: Chunk) -> Hashes:
        return np.unique(_keys(part, self.names))

    def combine(self, left: Hashes, right: Hashes) -> Hashes:
        return np.union1d(left, right)

    def finish(self, state: Hashes | None) -> Hashes:
        return np.zeros(0, np.uint64) if state is None else state


@dataclass(frozen=True)
class _Mark:
    names: Hashes
    known: Hashes

    def map(self, part: Chunk) -> int:
        fresh = ~np.isin(_keys(part, self.names), self.known)
        part[NEW] = fresh
        return int(fresh.sum())

    def combine(self, left: int, right: int) -> int:
        return left + right

    def finish(self, state: int | None) -> int:
        return state or 0


def runs(words: NDArray[np.uint32], offsets: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the slot of each run of one to `LONGEST` words, and the row that it stands in; ordered by length, then place."""
    row = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    key = words.astype(np.uint64)
    slots, rows = [mixed(key)], [row]
    for length in range(1, LONGEST):
        key = mixed(key[:-1] * np.uint64(0x9E3779B97F4A7C15)) + words[length:].astype(np.uint64)
        inside = row[length:] == row[: len(row) - length]
        slots.append(mixed(key)[inside])
        rows.append(row[length:][inside])
        if not len(key):
            break
    return (np.concatenate(slots) % np.uint64(SLOTS)).astype(np.int64), np.concatenate(rows)


def _distinct(part: Chunk, *, fresh: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give slots and rows, each pair once, of all rows or of those that are new."""
    slots, rows = runs(part["words"], part["words.offsets"])
    if fresh:
        kept = part[NEW][rows]
        slots, rows = slots[kept], rows[kept]
    pairs = np.unique(rows * SLOTS + slots)
    return pairs % SLOTS, pairs // SLOTS


@dataclass(frozen=True)
class Count:
    """Counts the rows that have each run: int64, shape (SLOTS,).

    Attributes:
        fresh: Whether only new rows count.
    """

    fresh: bool

    def map(self, part: Chunk) -> NDArray[np.int64]:
        return np.bincount(_distinct(part, fresh=self.fresh)[0], minlength=SLOTS)

    def combine(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
        left += right
        return left

    def finish(self, state: NDArray[np.int64] | None) -> NDArray[np.int64]:
        return np.zeros(SLOTS, np.int64) if state is None else state


@dataclass(frozen=True)
class Members:
    """Finds the new rows that have some runs: slots and rows, two arrays of equal length, by row.

    Attributes:
        wanted: Slots, sorted.
    """

    wanted: NDArray[np.int64]

    def map(self, part: Chunk) -> NDArray[np.int64]:
        slots, rows = _distinct(part, fresh=True)
        kept = np.isin(slots, self.wanted)
        return np.stack([slots[kept], rows[kept] + part.start])

    def combine(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.concatenate([left, right], axis=1)

    def finish(self, state: NDArray[np.int64] | None) -> NDArray[np.int64]:
        return np.zeros((2, 0), np.int64) if state is None else state


def literal(slot: int, texts: list[str]) -> str:
    """Give the run of words that has a slot, as the first text that has it writes it; empty when none does."""
    for text in texts:
        known = words_of(text)
        slots, _ = runs(np.array([value for value, _ in known], np.uint32), np.array([0, len(known)]))
        at = np.flatnonzero(slots == slot)
        if len(at):
            place, length = int(at[0]), 1
            while place >= len(known) - length + 1:
                place -= len(known) - length + 1
                length += 1
            return " ".join(word for _, word in known[place : place + length])
    return ""
