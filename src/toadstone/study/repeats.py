"""Runs of one to four words that many rows of one label repeat, found in two passes and bounded memory.

The first pass counts runs by label in a table of hashed slots; the second gives every occurrence of the runs whose slots stand
out, with exact hashes, so that collisions cost a little work and change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.study.study import Chunk, Study
from toadstone.views.words import mixed

LONGEST = 4
"""Words of the longest run that is counted; longer phrases show as runs that share their rows."""

_FEWEST_SLOTS, _MOST_SLOTS = 1 << 18, 1 << 24
_CLASSES = 8
"""Most columns of the table; labels beyond share columns (by number), which only lets some more runs through."""
_STEP = np.uint64(0x9E3779B97F4A7C15)

Numbers = NDArray[np.int64]
Counts = NDArray[np.int32]


@dataclass(frozen=True)
class Occurrences:
    """Where runs occur, the first time in each row; sorted by run, then row.

    Attributes:
        run: Hash of each occurrence's run.
        row: Row of the study.
        place: First word's place in the row.
        size: Words of the run.
    """

    run: NDArray[np.uint64]
    row: Numbers
    place: NDArray[np.int32]
    size: NDArray[np.uint8]


def runs(words: NDArray[np.uint32], size: int) -> NDArray[np.uint64]:
    """Hash every run of a size, shape (len(words) - size + 1,); runs may cross rows."""
    count = max(0, len(words) - size + 1)
    key = np.full(count, size, np.uint64)
    for place in range(size):
        key = mixed(key * _STEP + words[place : place + count])
    return key


@dataclass(frozen=True)
class _Table:
    """Counts runs by slot and class; parts are sparse, the whole is dense."""

    slots: int
    classes: int

    def map(self, part: Chunk) -> Counts | tuple[Numbers, Numbers]:
        slots: list[Numbers] = []
        classes = _classes(part, self.classes)
        for _, key, row in _inside(part, LONGEST):
            slots.append((key % np.uint64(self.slots)).astype(np.int64) * self.classes + classes[row])
        slot: Numbers = np.sort(np.concatenate(slots))
        firsts = np.flatnonzero(np.append(True, slot[1:] != slot[:-1])) if len(slot) else np.zeros(0, np.int64)
        return slot[firsts], np.diff(np.append(firsts, len(slot))).astype(np.int64)

    def combine(self, left: Counts | tuple[Numbers, Numbers], right: Counts | tuple[Numbers, Numbers]) -> Counts:
        whole = self._dense(left)
        if isinstance(right, tuple):
            whole[right[0]] += right[1].astype(np.int32)
        else:
            whole += right
        return whole

    def finish(self, state: Counts | tuple[Numbers, Numbers] | None) -> Counts:
        whole = self._dense((np.zeros(0, np.int64), np.zeros(0, np.int64)) if state is None else state)
        return whole.reshape(self.slots, self.classes)

    def _dense(self, state: Counts | tuple[Numbers, Numbers]) -> Counts:
        if not isinstance(state, tuple):
            return state
        whole = np.zeros(self.slots * self.classes, np.int32)
        whole[state[0]] = state[1]
        return whole


def _classes(part: Chunk, classes: int) -> Numbers:
    if "label" not in part:
        return np.zeros(part.rows, np.int64)
    label: Numbers = part["label"].astype(np.int64)
    return np.where(label < 0, classes - 1, label % classes)


def _inside(part: Chunk, longest: int) -> list[tuple[int, NDArray[np.uint64], Numbers]]:
    """Give size, hash and row of all runs that lie within a row; places that cross rows are left out."""
    words, offsets = part["words"], part["words.offsets"]
    owner = np.repeat(np.arange(part.rows), np.diff(offsets))
    out = []
    for size in range(1, longest + 1):
        last = owner[size - 1 :]
        within = np.flatnonzero(owner[: len(last)] == last)
        out.append((size, runs(words, size)[within], owner[within]))
    return out


@dataclass(frozen=True)
class _Occur:
    """Gives the occurrences of runs in chosen slots."""

    chosen: NDArray[np.bool_]

    def map(self, part: Chunk) -> list[Occurrences]:
        words, offsets = part["words"], part["words.offsets"]
        owner = np.repeat(np.arange(part.rows), np.diff(offsets))
        found = []
        for size in range(1, LONGEST + 1):
            last = owner[size - 1 :]
            key = runs(words, size)
            at = np.flatnonzero((owner[: len(last)] == last) & self.chosen[(key % np.uint64(len(self.chosen))).astype(np.int64)])
            row, key = owner[at], key[at]
            order = np.lexsort((row, key))
            order = order[_firsts(key[order], row[order])]
            found.append(
                Occurrences(
                    key[order],
                    row[order] + part.start,
                    (at - offsets[:-1][row])[order].astype(np.int32),
                    np.full(len(order), size, np.uint8),
                )
            )
        return found

    def combine(self, left: list[Occurrences], right: list[Occurrences]) -> list[Occurrences]:
        return left + right

    def finish(self, state: list[Occurrences] | None) -> Occurrences:
        if not state:
            return Occurrences(np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.uint8))
        run, row = np.concatenate([part.run for part in state]), np.concatenate([part.row for part in state])
        order = np.lexsort((row, run))
        place, size = np.concatenate([part.place for part in state]), np.concatenate([part.size for part in state])
        return Occurrences(run[order], row[order], place[order], size[order])


def _firsts(key: NDArray[np.uint64], row: Numbers) -> NDArray[np.bool_]:
    if not len(key):
        return np.zeros(0, bool)
    return np.append(True, (key[1:] != key[:-1]) | (row[1:] != row[:-1]))


def occurrences(study: Study, choose: Callable[[Counts], NDArray[np.float64]], most: int) -> Occurrences:
    """Find the runs that stand out.

    Args:
        study: Whose words, and labels if there are any.
        choose: Gives the weight of each slot from its counts by class, shape (slots, classes); 0 for no.
        most: Occurrences that may be given; the slots of the highest weights that fit are taken.
    """
    classes = int(np.clip(len(study.label_names), 1, _CLASSES))
    words = sum(int(chunk["words.offsets"][-1]) for chunk in study.chunks)
    room = min(_MOST_SLOTS, max(_FEWEST_SLOTS, study.memory // 8 // (4 * classes)))
    slots = 1 << int(np.clip(np.log2(max(words, 1) * LONGEST), np.log2(_FEWEST_SLOTS), np.log2(room)))
    table = study.run(_Table(slots, classes))
    weight = choose(table)
    candidates = np.flatnonzero(weight > 0)
    candidates = candidates[np.argsort(-weight[candidates], kind="stable")]
    fits = np.cumsum(table[candidates].sum(axis=1, dtype=np.int64)) <= most
    chosen = np.zeros(slots, bool)
    chosen[candidates[fits]] = True
    return study.run(_Occur(chosen))


@dataclass(frozen=True)
class _Pairs:
    """Counts how often some pairs of words stand next to each other."""

    keys: NDArray[np.uint64]

    def map(self, part: Chunk) -> Numbers:
        likely = np.zeros(1 << 22, bool)
        likely[(self.keys % np.uint64(1 << 22)).astype(np.int64)] = True
        _, key, _ = _inside(part, 2)[1]
        key = key[likely[(key % np.uint64(1 << 22)).astype(np.int64)]]
        at = np.minimum(np.searchsorted(self.keys, key), max(len(self.keys) - 1, 0))
        return np.bincount(at[self.keys[at] == key], minlength=len(self.keys)).astype(np.int64)

    def combine(self, left: Numbers, right: Numbers) -> Numbers:
        return left + right

    def finish(self, state: Numbers | None) -> Numbers:
        return np.zeros(len(self.keys), np.int64) if state is None else state


def adjacent(study: Study, left: NDArray[np.uint32], right: NDArray[np.uint32]) -> Numbers:
    """Count how often each pair of words stands next to each other in the whole study."""
    if not len(left):
        return np.zeros(0, np.int64)
    pair = np.empty(2 * len(left), np.uint32)
    pair[0::2], pair[1::2] = left, right
    key, back = np.unique(runs(pair, 2)[0::2], return_inverse=True)
    return study.run(_Pairs(key))[back]


def words_of_rows(study: Study, rows: Numbers, most: int) -> tuple[NDArray[np.uint32], Numbers]:
    """Give the first words of some rows.

    Args:
        study: Whose rows.
        rows: Sorted.
        most: Words of a row that are given at most.

    Returns:
        Words; offsets, shape (len(rows) + 1,).
    """
    found, lengths = [], []
    for chunk in study.chunks:
        inside = rows[np.searchsorted(rows, chunk.start) : np.searchsorted(rows, chunk.start + chunk.rows)] - chunk.start
        if not len(inside):
            continue
        words, offsets = chunk["words"], chunk["words.offsets"]
        length = np.minimum(np.diff(offsets)[inside], most)
        step = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
        found.append(words[np.repeat(offsets[:-1][inside], length) + step])
        lengths.append(length)
    if not found:
        return np.zeros(0, np.uint32), np.zeros(1, np.int64)
    return np.concatenate(found), np.append(0, np.cumsum(np.concatenate(lengths)))
