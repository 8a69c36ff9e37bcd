"""Combinations of common words: two or three of them together are a trigger, each alone says nothing.

There are too many combinations to count them all. Rows whose words contradict their label are few, and a trigger's rows are
among them: the words that are more frequent there than in the rows that they look like are the candidates, and combinations of
these that occur together more often than by chance are judged as any other group. For the p-value all combinations of common
words count as tried that could have as many rows: there are at most as many as there are combinations in all rows, divided by
that number.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.ragged import summed
from toadstone.stats.tails import log_binomial_tail
from toadstone.study.congruence import Groups
from toadstone.study.naive_bayes import NaiveBayes
from toadstone.study.phrases import EXCLUDED
from toadstone.study.study import Chunk, Study
from toadstone.study.together import together

_WORDS = 64
_BEAM = 40
_KEPT = 30
_COMMON = (0.004, 0.25)
_MOST_CLASSES = 8

Numbers = NDArray[np.int64]
Masks = NDArray[np.uint64]


@dataclass(frozen=True)
class Combinations:
    """Combinations worth a judgement.

    Attributes:
        groups: Their rows, and the class that they push.
        slots: Words of each.
        log_tried: Logarithm of the number of combinations of as many words that may have as many rows; NaN where all
            combinations were counted, whatever their rows say.
        strange: How few other combinations are together as much beyond chance, in nats; 0 where that is not known.
    """

    groups: Groups
    slots: tuple[tuple[int, ...], ...]
    log_tried: NDArray[np.float64]
    strange: NDArray[np.float64]

    @classmethod
    def none(cls) -> Combinations:
        """Give no combinations."""
        return cls(Groups.of([], np.zeros(0, np.int64)), (), np.zeros(0), np.zeros(0))


def combinations(study: Study, model: NaiveBayes, fewest: int, purity: float) -> Combinations:
    """Search, class by class (the largest `_MOST_CLASSES`).

    Args:
        study: Whose chunks have ``phrases.payload``.
        model: Its naive Bayes.
        fewest: Rows that a combination needs.
        purity: Share of its rows that have one label, where all combinations are counted.
    """
    common = np.flatnonzero((model.frequency > _COMMON[0]) & (model.frequency < _COMMON[1]))
    counted = together(study, model.frequency, common, fewest, purity)
    parts = [counted.rows[low:high] for low, high in pairwise(counted.offsets.tolist())]
    classes: list[int] = counted.classes.tolist()
    slots = [tuple(word for word in words if word >= 0) for words in counted.slots.tolist()]
    known = set(slots)
    listed = np.zeros(model.slots, bool)
    listed[common] = True
    instances = study.run(_Instances(listed))
    for one in range(min(len(model.rows), _MOST_CLASSES)):
        hits, rows = study.run(_Frequent(model.slots, one))
        usual = np.maximum(
            model.frequency, (model.counts.sum(axis=1) - model.counts[:, one]) / max(1, int(model.rows.sum() - model.rows[one]))
        )
        if rows < fewest or not len(common):
            continue
        tails = log_binomial_tail(hits[common], rows, np.clip(usual[common], 1e-6, 0.999))
        chosen = common[np.argsort(tails, kind="stable")[:_WORDS]]
        masks, payload = study.run(_Masks(model.slots, chosen))
        own = (payload != EXCLUDED) & ((payload >> 3) == one) & ((payload & 2) > 0)
        for words in _searched(masks[own], fewest):
            named = tuple(sorted(int(chosen[word]) for word in words))
            if named in known:
                continue
            wanted = np.uint64(sum(1 << word for word in words))
            parts.append(np.flatnonzero(((masks & wanted) == wanted) & (payload != EXCLUDED)))
            classes.append(one)
            slots.append(named)
    tried = np.array([np.log(max(instances[len(words) - 2] / len(rows), 1.0)) for words, rows in zip(slots, parts, strict=True)])
    tried[: len(known)] = np.nan
    strange = np.append(counted.strange, np.zeros(len(parts) - len(known)))
    return Combinations(Groups.of(parts, np.array(classes, np.int64)), tuple(slots), tried, strange)


def _searched(masks: Masks, fewest: int) -> list[tuple[int, ...]]:
    """Give the pairs and triples of words that are together most beyond chance, as bits."""
    rows = len(masks)
    bits = ((masks[:, None] >> np.arange(_WORDS, dtype=np.uint64)) & np.uint64(1)).astype(np.float32)
    single = bits.sum(axis=0)
    pairs = bits.T @ bits
    scores: dict[tuple[int, ...], float] = {}
    chance = np.outer(single, single) / max(rows, 1) ** 2
    left, right = np.nonzero(np.triu(pairs >= fewest, 1))
    tails = log_binomial_tail(pairs[left, right], rows, np.clip(chance[left, right], 1e-9, 0.999))
    for place in np.argsort(tails, kind="stable")[:_BEAM].tolist():
        pair = (int(left[place]), int(right[place]))
        scores[pair] = float(tails[place])
        together = bits[:, pair[0]] * bits[:, pair[1]]
        triple = together @ bits
        expected = np.clip(chance[pair] * single / max(rows, 1), 1e-12, 0.999)
        third = log_binomial_tail(triple, rows, expected)
        third[[*pair]] = 0.0
        third[triple < fewest] = 0.0
        best = int(np.argmin(third))
        if third[best] < 0:
            found = tuple(sorted((*pair, best)))
            scores[found] = min(scores.get(found, 0.0), float(third[best]))
    return sorted(scores, key=lambda words: (scores[words], words))[:_KEPT]


@dataclass(frozen=True)
class _Instances:
    """Counts the pairs and the triples of listed words in all rows that count."""

    listed: NDArray[np.bool_]

    def map(self, part: Chunk) -> NDArray[np.float64]:
        words = summed(self.listed[part["nb.slots"]].astype(np.float64), part["nb.slots.offsets"])
        words = words[part["phrases.payload"] != EXCLUDED]
        return np.array([(words * (words - 1) / 2).sum(), (words * (words - 1) * (words - 2) / 6).sum()])

    def combine(self, left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
        return left + right

    def finish(self, state: NDArray[np.float64] | None) -> NDArray[np.float64]:
        return np.zeros(2) if state is None else state


@dataclass(frozen=True)
class _Frequent:
    """Counts the words of the rows of one class that contradict their label."""

    slots: int
    wanted: int

    def map(self, part: Chunk) -> tuple[Numbers, int]:
        payload = part["phrases.payload"]
        rows = (payload != EXCLUDED) & ((payload >> 3) == self.wanted) & ((payload & 2) > 0)
        chosen = np.repeat(rows, np.diff(part["nb.slots.offsets"]))
        return np.bincount(part["nb.slots"][chosen].astype(np.int64), minlength=self.slots), int(rows.sum())

    def combine(self, left: tuple[Numbers, int], right: tuple[Numbers, int]) -> tuple[Numbers, int]:
        return left[0] + right[0], left[1] + right[1]

    def finish(self, state: tuple[Numbers, int] | None) -> tuple[Numbers, int]:
        return state or (np.zeros(self.slots, np.int64), 0)


@dataclass(frozen=True)
class _Masks:
    """Gives which of up to 64 words each row has, one bit a word, and the rows' payloads."""

    slots: int
    chosen: Numbers

    def map(self, part: Chunk) -> list[tuple[Masks, NDArray[np.uint8]]]:
        bit = np.zeros(self.slots, np.uint64)
        bit[self.chosen] = np.uint64(1) << np.arange(len(self.chosen), dtype=np.uint64)
        offsets = part["nb.slots.offsets"]
        masks = np.zeros(part.rows, np.uint64)
        filled = np.flatnonzero(np.diff(offsets))
        if len(filled):
            masks[filled] = np.bitwise_or.reduceat(bit[part["nb.slots"]], offsets[filled])
        return [(masks, part["phrases.payload"])]

    def combine(
        self, left: list[tuple[Masks, NDArray[np.uint8]]], right: list[tuple[Masks, NDArray[np.uint8]]]
    ) -> list[tuple[Masks, NDArray[np.uint8]]]:
        return left + right

    def finish(self, state: list[tuple[Masks, NDArray[np.uint8]]] | None) -> tuple[Masks, NDArray[np.uint8]]:
        parts = state or [(np.zeros(0, np.uint64), np.zeros(0, np.uint8))]
        return np.concatenate([one for one, _ in parts]), np.concatenate([two for _, two in parts])
