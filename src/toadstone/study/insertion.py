"""Whether a phrase was put into its rows or grew there.

Rows that say a phrase by nature say other things in common too, and the words around the phrase belong to it. A phrase that
was inserted stands in rows drawn at random: what is left of them is as diverse as any rows of the label; and where it is cut
out, the words before and behind it close like the neighbours they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.insertion_odds import Signs
from toadstone.study.families import word_levels
from toadstone.study.phrase_groups import Phrase
from toadstone.study.repeats import adjacent, words_of_rows
from toadstone.study.study import Study

_ROWS = 96
"""Rows of a phrase that are looked at."""
_WORDS = 192
"""Words of a row that are looked at."""
_CLASS = 1200
"""Rows of a label that say how diverse its rows are."""
_DRAWS = 24
_SIZES = (6, 12, 24, 48, 96)

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class _Sample:
    """Words of some rows."""

    rows: Numbers
    words: NDArray[np.uint32]
    offsets: Numbers
    levels: NDArray[np.uint8]

    def of(self, rows: Numbers) -> tuple[NDArray[np.uint32], Numbers]:
        """Give the words of some of the rows, and which row (by its place) each belongs to."""
        at = np.searchsorted(self.rows, rows)
        length = self.offsets[at + 1] - self.offsets[at]
        step = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
        return self.words[np.repeat(self.offsets[at], length) + step], np.repeat(np.arange(len(rows)), length)


def signs(study: Study, found: Sequence[Phrase]) -> Signs:
    """Look at the rows of phrases."""
    label = study.column("label").astype(np.int64)
    chosen = [_spaced(len(phrase.hits), _ROWS) for phrase in found]
    codes = sorted({phrase.label for phrase in found})
    drawn = {code: _drawn(study, np.flatnonzero(label == code), code) for code in codes}
    rows = np.unique(np.concatenate([*(phrase.hits[at] for phrase, at in zip(found, chosen, strict=True)), *drawn.values()]))
    words, offsets = words_of_rows(study, rows, _WORDS)
    sample = _Sample(rows, words, offsets, word_levels(study))
    usual = _usual(study, sample, drawn)
    normal = {code: _normal(sample, drawn[code], study, code) for code in codes}
    size = len(found)
    coherence, spread = np.zeros(size), np.ones(size)
    lefts, rights, owners = [], [], []
    for number, (phrase, at) in enumerate(zip(found, chosen, strict=True)):
        hits, low, high = phrase.hits[at], phrase.starts[at], phrase.ends[at]
        word, owner = sample.of(hits)
        first = np.searchsorted(owner, np.arange(len(hits)))
        place = np.arange(len(word)) - first[owner]
        inside = (place >= low[owner]) & (place < high[owner])
        mean, deviation = normal[phrase.label]
        alike = _alike(word[~inside], owner[~inside], len(hits), sample.levels)
        coherence[number] = np.log(max(alike, 1e-9) / mean)
        spread[number] = np.interp(np.log(len(hits)), np.log(_SIZES), deviation)
        both = np.flatnonzero((low > 0) & (first + high < np.append(first[1:], len(word))))
        lefts.append(word[(first + low - 1)[both]])
        rights.append(word[(first + high)[both]])
        owners.append(np.full(len(both), number))
    owner = np.concatenate(owners)
    seen = adjacent(study, np.concatenate(lefts), np.concatenate(rights)) > 0
    return Signs(
        coherence,
        spread,
        np.bincount(owner[seen], minlength=size).astype(np.float64),
        np.bincount(owner, minlength=size).astype(np.float64),
        np.array([usual[phrase.label] for phrase in found]),
        np.array([len(at) for at in chosen], np.float64),
    )


def _spaced(count: int, most: int) -> Numbers:
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _drawn(study: Study, rows: Numbers, code: int) -> Numbers:
    if len(rows) <= _CLASS:
        return rows
    return np.sort(study.random(f"insertion {code}").choice(rows, _CLASS, replace=False))


def _usual(study: Study, sample: _Sample, drawn: dict[int, Numbers]) -> dict[int, float]:
    """Give the share of neighbours in each label's rows that are neighbours elsewhere too."""
    out = {}
    for code, rows in drawn.items():
        word, owner = sample.of(rows[:400])
        within = np.flatnonzero(owner[1:] == owner[:-1])
        within = within[_spaced(len(within), 4000)] if len(within) else within
        count = adjacent(study, word[within], word[within + 1])
        out[code] = float(np.clip(np.mean(count > 1), 0.02, 0.98)) if len(count) else 0.5
    return out


def _normal(sample: _Sample, rows: Numbers, study: Study, code: int) -> tuple[float, Floats]:
    """Give how alike rows of a label are, and how much that varies (in logs) among draws of each size in `_SIZES`."""
    word, owner = sample.of(rows)
    mean = max(_alike(word, owner, len(rows), sample.levels), 1e-9)
    random = study.random(f"draws {code}")
    deviation: list[float] = []
    for size in _SIZES:
        if size > len(rows) // 2:
            deviation.append(deviation[-1] if deviation else 1.0)
            continue
        logs = []
        for _ in range(_DRAWS):
            some, belongs = sample.of(np.sort(random.choice(rows, size, replace=False)))
            logs.append(np.log(max(_alike(some, belongs, size, sample.levels), mean * 0.05) / mean))
        deviation.append(float(np.std(logs)) + 0.02)
    return mean, np.array(deviation)


def _alike(words: NDArray[np.uint32], owner: Numbers, rows: int, levels: NDArray[np.uint8]) -> float:
    """Give the mean cosine of pairs of rows over the words that they share, rare words weighing more."""
    if rows < 2 or not len(words):
        return 0.0
    both = np.sort((words.astype(np.uint64) << np.uint64(32)) | owner.astype(np.uint64))
    distinct = both[np.append(True, both[1:] != both[:-1])]
    word, belongs = (distinct >> np.uint64(32)).astype(np.uint32), (distinct & np.uint64(0xFFFFFFFF)).astype(np.int64)
    weight = levels[word & np.uint32(len(levels) - 1)].astype(np.float64)
    norm = np.bincount(belongs, weights=weight, minlength=rows)
    value = np.sqrt(weight / np.maximum(norm[belongs], 1e-9))
    first = np.flatnonzero(np.append(True, word[1:] != word[:-1]))
    total, squares = np.add.reduceat(value, first), np.add.reduceat(value * value, first)
    return float((total * total - squares).sum() / (rows * (rows - 1)))
