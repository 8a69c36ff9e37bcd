"""Properties that rows share: every phrase of one to three words, every sentence frame, every sign of manner.

A property is a 48-bit hash. Properties are counted exactly, by sorting them together with one byte of their row (its class and
whether its words contradict its label); in as many passes over the data as the memory asks for, each with the properties of one
range of hashes. A frame is how a text begins when each run of words other than the most frequent ones of this very data set is
one slot, so that "when she left, the lights went out" and "when traders sold, the market fell" share a beginning: no word list
of any language is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from toadstone.engine.spill import Spill
from toadstone.study.study import Chunk, Study
from toadstone.views.words import mixed

FRAME, CHARACTERS, MANNER, FIRST, LAST, AFFIX = 4, 5, 6, 7, 8, 9
"""Kinds of properties; phrases are of kind 1 to 3, after their number of words."""
EXCLUDED = 255
"""Payload of rows that do not count: without a label, or copies of a row that counts."""
_CLASS = 3
_KEY = np.uint64(0xFFFFFFFFFFFF0000)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_LOOK = 24
"""Words at the beginning of a text that frames are made of."""
_SLOTS = (2, 6)
FLAGS = (*(1 << bit for bit in range(16)), 0b11 | 1 << 13, 0b111 << 6, 0b11 << 9, 0b11 << 11, 0x7FF7)
"""Of the view ``unicode``: each alone, then some together."""
_BYTES_PER_PROPERTY = 40
_BYTES_ON_DISK = 8
_DISK = 32
"""Times the memory that lies on disk meanwhile."""

Keys = NDArray[np.uint64]
Numbers = NDArray[np.int64]
Part = TypeVar("Part")


def payload_of(classes: Numbers, odd: NDArray[np.bool_], bare: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Pack what a row adds to its properties.

    Args:
        classes: 0 to 30.
        odd: Whether the row's words contradict its label.
        bare: Whether its common words alone do.
    """
    packed: NDArray[np.uint8] = ((classes << _CLASS) | (odd.astype(np.int64) << 1) | bare).astype(np.uint8)
    return packed


@dataclass(frozen=True)
class Properties:
    """Properties by class: one entry for each class whose rows have the property.

    Attributes:
        keys: Of the property, sorted.
        classes: The class.
        hits: Rows of the class that have it.
        sizes: Rows of any class that have it.
        odd: Those of `hits` that contradict their label.
        bare: Those of `hits` that do so by their common words alone.
    """

    keys: Keys
    classes: Numbers
    hits: Numbers
    sizes: Numbers
    odd: Numbers
    bare: Numbers

    def take(self, places: NDArray[np.int64] | NDArray[np.bool_]) -> Properties:
        """Give some of the entries."""
        keys, classes, hits, sizes, odd, bare = self.columns
        return Properties(keys[places], classes[places], hits[places], sizes[places], odd[places], bare[places])

    @classmethod
    def joined(cls, parts: list[Properties]) -> Properties:
        """Join entries."""
        keys, *numbers = zip(*(part.columns for part in parts), strict=True)
        return cls(np.concatenate(keys), *(np.concatenate(column) for column in numbers))

    @property
    def columns(self) -> tuple[Keys, Numbers, Numbers, Numbers, Numbers, Numbers]:
        """All columns."""
        return self.keys, self.classes, self.hits, self.sizes, self.odd, self.bare


@dataclass(frozen=True)
class Wanted:
    """Which properties are looked for.

    Attributes:
        longest: Words of the longest phrases.
        frequent: Whether frames keep the words of a slot (the hash modulo the number of slots); empty: no frames.
        manner: Whether signs of manner, first and last words, and what words begin and end with are properties.
    """

    longest: int
    frequent: NDArray[np.bool_]
    manner: bool = False

    def of(self, chunk: Chunk) -> tuple[Keys, Numbers]:
        """Give the keys of a chunk's properties, sorted, each once a row, with their rows (within the chunk)."""
        words, offsets = chunk["words"], chunk["words.offsets"]
        owners = np.repeat(np.arange(chunk.rows, dtype=np.uint64), np.diff(offsets))
        parts: list[Keys] = []
        for size in range(1, self.longest + 1):
            last = owners[size - 1 :]
            inside = owners[: len(last)] == last
            parts.append((word_keys(words, size) | last)[inside])
        if len(self.frequent):
            parts += [key | row.astype(np.uint64) for key, row in _frames(words, offsets, self.frequent)]
        if "unicode" in chunk:
            flags = chunk["unicode"]
            for bit, some in enumerate(FLAGS):
                found = np.flatnonzero(flags & np.uint16(some))
                parts.append(found.astype(np.uint64) | _seeded(CHARACTERS, bit))
        if self.manner:
            parts += _manner(chunk)
        packed = np.sort(np.concatenate(parts))
        packed = packed[np.append(True, packed[1:] != packed[:-1])[: len(packed)]]
        return packed & _KEY, (packed & ~_KEY).astype(np.int64)


def word_keys(words: NDArray[np.uint32], size: int) -> Keys:
    """Give the keys of all runs of `size` words, shape (len(words) - size + 1,); runs may cross rows."""
    count = max(0, len(words) - size + 1)
    key = np.full(count, size, np.uint64)
    for place in range(size):
        key = mixed(key * _STEP + words[place : place + count])
    return key & _KEY


def keys_of(kind: int, values: NDArray[np.uint32]) -> Keys:
    """Give the keys of properties of a kind that have a 32-bit value each."""
    return mixed(values.astype(np.uint64) + np.uint64(kind << 40)) & _KEY


def _seeded(kind: int, number: int) -> np.uint64:
    return np.uint64(keys_of(kind, np.array([number], np.uint32))[0])


def _manner(chunk: Chunk) -> list[Keys]:
    """Give the keys, with their rows, of how texts are written, begin and end."""
    words, offsets = chunk["words"], chunk["words.offsets"]
    filled = np.flatnonzero(np.diff(offsets))
    parts = [
        keys_of(kind, words[place]) | filled.astype(np.uint64)
        for kind, place in ((FIRST, offsets[filled]), (LAST, offsets[filled + 1] - 1))
    ]
    if "manner" in chunk:
        rows = np.repeat(np.arange(chunk.rows, dtype=np.uint64), np.diff(chunk["manner.offsets"]))
        parts.append(keys_of(MANNER, chunk["manner"]) | rows)
    if "grams" in chunk:
        parts.append(_affixes(chunk))
    return parts


def _affixes(chunk: Chunk) -> Keys:
    """Give the keys, with their rows, of what words begin and end with: spellings with a blank at one end."""
    grams = chunk["grams"]
    blank = np.uint32(ord(" "))
    begins, ends = (grams & np.uint32(0xFF)) == blank, (grams >> np.uint32(24)) == blank
    found = np.flatnonzero(begins != ends)
    rows = np.repeat(np.arange(chunk.rows, dtype=np.uint64), np.diff(chunk["grams.offsets"]))
    return keys_of(AFFIX, grams[found]) | rows[found]


def key_of_flag(bit: int) -> int:
    """Give the key of the rows with one flag of the view ``unicode``."""
    return int(_seeded(CHARACTERS, bit))


def frame_keys(words: NDArray[np.uint32], frequent: NDArray[np.bool_]) -> list[int]:
    """Give the keys of one text's frames, by their number of slots from `_SLOTS[0]` on; -1 where there is none."""
    if not len(frequent):
        return []
    return [int(key[0]) if len(key) else -1 for key, _ in _frames(words, np.array([0, len(words)]), frequent)]


def _frames(words: NDArray[np.uint32], offsets: Numbers, frequent: NDArray[np.bool_]) -> list[tuple[Keys, Numbers]]:
    rows = len(offsets) - 1
    lengths = np.minimum(np.diff(offsets), _LOOK)
    place = np.arange(_LOOK)
    filled = place < lengths[:, None]
    token = np.zeros((rows, _LOOK), np.uint64)
    token[filled] = words[(offsets[:-1, None] + place)[filled]]
    kept = frequent[token % np.uint64(len(frequent))] & filled
    token[~kept] = 1
    token[~filled] = 0
    element = filled.copy()
    element[:, 1:] &= kept[:, 1:] | kept[:, :-1]
    index = np.cumsum(element, axis=1)
    low, high = _SLOTS
    elements = np.zeros((rows, high + 1), np.uint64)
    row, column = np.nonzero(element & (index <= high))
    elements[row, index[row, column]] = token[row, column]
    named = np.zeros(rows, np.int64)
    key = np.full(rows, FRAME, np.uint64)
    out = []
    for size in range(1, high + 1):
        key = mixed(key * _STEP + elements[:, size])
        named += elements[:, size] > 1
        found = np.flatnonzero((elements[:, size] > 0) & (named >= 2))
        if size >= low:
            out.append((key[found] & _KEY, found))
    return out


class _Parts:
    """Collects the parts of all chunks."""

    def combine(self, left: list[Part], right: list[Part]) -> list[Part]:
        return left + right


@dataclass(frozen=True)
class _Pack:
    """Gives the packed properties of some ranges of hashes, with the range of each; hands them to whoever sorts.

    What is handed over stays in the process that combines: it is never part of a state.
    """

    wanted: Wanted
    first: int
    stop: int
    ranges: int
    spill: Spill | None = None

    def map(self, part: Chunk) -> list[tuple[Keys, Numbers]]:
        keys, rows = self.wanted.of(part)
        payload = part["phrases.payload"][rows]
        range_of = ((keys >> np.uint64(40)) % np.uint64(self.ranges)).astype(np.int64) - self.first
        chosen = (payload != EXCLUDED) & (range_of >= 0) & (range_of < self.stop - self.first)
        return [(keys[chosen] | payload[chosen], range_of[chosen])]

    def combine(self, left: list[tuple[Keys, Numbers]], right: list[tuple[Keys, Numbers]]) -> list[tuple[Keys, Numbers]]:
        self._hand_over(left + right)
        return []

    def finish(self, state: list[tuple[Keys, Numbers]] | None) -> None:
        self._hand_over(state or [])

    def _hand_over(self, found: list[tuple[Keys, Numbers]]) -> None:
        for keys, range_of in found:
            assert self.spill is not None
            self.spill.add(keys, range_of)

    def __reduce__(self) -> tuple[type[_Pack], tuple[Wanted, int, int, int]]:
        """Travel to another process, which maps."""
        return _Pack, (self.wanted, self.first, self.stop, self.ranges)


def counted(packed: Keys, fewest: int, most: int) -> Properties:
    """Count sorted packed properties.

    Args:
        packed: Keys with payload, sorted.
        fewest: Rows of one class that an entry needs.
        most: Rows of all classes that it may have.
    """
    if not len(packed):
        nothing = np.zeros(0, np.int64)
        return Properties(np.zeros(0, np.uint64), nothing, nothing, nothing, nothing, nothing)
    change = np.bitwise_xor(packed[1:], packed[:-1])
    firsts = np.append(0, 1 + np.flatnonzero(change > ~_KEY))
    sizes = np.diff(np.append(firsts, len(packed)))
    entries = np.append(0, 1 + np.flatnonzero(change >= np.uint64(1 << _CLASS)))
    del change
    hits = np.diff(np.append(entries, len(packed)))
    whole = sizes[np.searchsorted(firsts, entries, "right") - 1]
    chosen = np.flatnonzero((hits >= fewest) & (whole <= most))
    start, stop = entries[chosen], entries[chosen] + hits[chosen]
    odd, bare = (_between(packed, np.uint64(bit), start, stop) for bit in (1, 0))
    classes = ((packed[start] & np.uint64(0xFF)) >> np.uint64(_CLASS)).astype(np.int64)
    return Properties(packed[start] & _KEY, classes, hits[chosen], whole[chosen], odd, bare)


def _between(packed: Keys, bit: np.uint64, start: Numbers, stop: Numbers) -> Numbers:
    """Count the keys with a bit between places."""
    sums = np.zeros(len(packed) + 1, np.int32)
    np.cumsum((packed >> bit).astype(np.uint8) & np.uint8(1), out=sums[1:])
    return (sums[stop] - sums[start]).astype(np.int64)


def count(study: Study, wanted: Wanted, fewest: int, most: int) -> list[Properties]:
    """Count all properties, one range of hashes after the other.

    Args:
        study: Whose chunks have ``phrases.payload``.
        wanted: Which properties.
        fewest: Rows of one class that an entry needs.
        most: Rows of all classes that it may have.
    """
    words = sum(int(chunk["words.offsets"][-1]) for chunk in study.chunks)
    properties = words * (wanted.longest + 3)
    ranges = 1 + properties * _BYTES_PER_PROPERTY // max(study.memory // 2, 1)
    passes = 1 + properties * _BYTES_ON_DISK // (study.memory * _DISK)
    found = []
    for first, stop in pairwise(np.linspace(0, ranges, passes + 1).astype(np.int64).tolist()):
        with Spill(study.arrays.folder, stop - first, study.memory // 2 if ranges == 1 else study.memory // 16) as spill:
            study.run(_Pack(wanted, first, stop, ranges, spill))
            for number in range(stop - first):
                packed = spill.part(number)
                if ranges == 1:
                    spill.close()  # before the sort: these are the largest arrays of all
                packed.sort()
                found.append(counted(packed, fewest, most))
                del packed
    return found


@dataclass(frozen=True)
class _Find(_Parts):
    """Gives (place of the key, row) of every row that has one of some sorted keys."""

    wanted: Wanted
    keys: Keys
    copies: bool

    def map(self, part: Chunk) -> list[Numbers]:
        keys, rows = self.wanted.of(part)
        bits = np.uint64(44)
        likely = np.zeros(1 << 20, bool)
        likely[self.keys >> bits] = True
        hit = likely[keys >> bits]
        if not self.copies:
            hit &= part["phrases.payload"][rows] != EXCLUDED
        keys, rows = keys[hit], rows[hit]
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        same = self.keys[place] == keys
        return [(place[same] << 40) | (rows[same] + part.start)]

    def finish(self, state: list[Numbers] | None) -> Numbers:
        return np.sort(np.concatenate(state)) if state else np.zeros(0, np.int64)


def members(study: Study, wanted: Wanted, keys: Keys, *, copies: bool = False) -> tuple[Numbers, Numbers]:
    """Give the rows that have each of some properties.

    Args:
        study: Whose chunks have ``phrases.payload``.
        wanted: As given to `count`.
        keys: Sorted, each once.
        copies: Whether rows that do not count are wanted too.

    Returns:
        rows, grouped by property and sorted within; offsets, shape (len(keys) + 1,).
    """
    pairs = study.run(_Find(wanted, keys, copies))
    return pairs & ((1 << 40) - 1), np.searchsorted(pairs, np.arange(len(keys) + 1) << 40)
