"""Whether what the rows of a group say agrees with the label that they have.

The words that nearly all members share (the trigger, if it is one) are taken out first. What is left is judged twice by naive
Bayes with exact counts: without the row itself (`alone`: the other members may speak for it, as those of a natural topic do) and
without the whole group (`apart`). Rows that belong together by nature look like other rows of their label; rows of other labels
that were given a mark and a new label look like what they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.ragged import log_odds, ranges, summed
from toadstone.study.naive_bayes import NaiveBayes, Rows, gathered
from toadstone.study.study import Study

MOST = 128
"""Rows of a group that are looked at."""
_SHARED = 0.75
"""Words that more than this share of the members have belong to what made them a group; so do words of several members of which
this share stands in them: a sign of manner may make new words of old ones."""
_BATCH = 1_500_000
_BYTES_PER_WORD = 512
"""Of a batch, for two labels."""

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Groups:
    """Rows that share something.

    Attributes:
        rows: Of all groups, one after the other.
        offsets: Where each group begins, shape (groups + 1,).
        classes: The class that each group is suspected of pushing.
    """

    rows: Numbers
    offsets: Numbers
    classes: Numbers

    def __len__(self) -> int:
        return len(self.classes)

    def rows_of(self, group: int) -> Numbers:
        """Give the rows of one group."""
        return self.rows[self.offsets[group] : self.offsets[group + 1]]

    def take(self, places: Numbers) -> Groups:
        """Give some of the groups."""
        lengths = np.diff(self.offsets)[places]
        rows = self.rows[ranges(self.offsets[:-1][places], lengths)]
        return Groups(rows, np.append(0, np.cumsum(lengths)), self.classes[places])

    @classmethod
    def of(cls, parts: list[Numbers], classes: Numbers) -> Groups:
        """Join the rows of groups."""
        lengths = np.array([len(part) for part in parts], np.int64)
        rows = np.concatenate(parts) if parts else np.zeros(0, np.int64)
        return cls(rows, np.append(0, np.cumsum(lengths)), np.asarray(classes, np.int64))


@dataclass(frozen=True)
class Congruence:
    """What was found, one entry a group.

    Attributes:
        sizes: Rows looked at.
        hits: Those of them with the label.
        alone: Mean over `hits` of what a row's words say for the label (log-odds less the label's share), without the row.
        apart: The same without the group.
        spread: Standard deviation of `alone` over `hits`.
        expected: Rows of the group that would have the label by their words, without the group.
        noise: Variance of that number.
        likeness: Words that two rows with the label share beyond what they shared by chance, weighted by their rarity.
        left: Words of a row that are left, on average.
    """

    sizes: Floats
    hits: Floats
    alone: Floats
    apart: Floats
    spread: Floats
    expected: Floats
    noise: Floats
    likeness: Floats
    left: Floats

    @property
    def purity(self) -> Floats:
        """Share of the group that has the label."""
        return self.hits / np.maximum(self.sizes, 1)

    @property
    def effect(self) -> Floats:
        """Share of the group whose label its words do not explain."""
        return (self.hits - self.expected) / np.maximum(self.sizes, 1)

    @property
    def excess(self) -> Floats:
        """Standard deviations by which the rows with the label outnumber what their words predict."""
        return (self.hits - self.expected) / np.sqrt(self.noise + 0.25)


def congruence(study: Study, model: NaiveBayes, groups: Groups) -> Congruence:
    """Judge groups; of those with more than `MOST` rows a sample, spread evenly."""
    columns = list(_batches(model, groups, study))
    whole = np.concatenate(columns, axis=1) if columns else np.zeros((len(fields(Congruence)), 0))
    return Congruence(*whole)


def _batches(model: NaiveBayes, groups: Groups, study: Study) -> Iterator[Floats]:
    mean = max(1.0, float(model.counts.sum()) / max(1, int(model.rows.sum())))
    sampled = [_thinned(groups.rows_of(group)) for group in range(len(groups))]
    most = min(_BATCH, study.memory // (_BYTES_PER_WORD * max(1, len(model.rows) // 2)))
    first, load = 0, 0.0
    for group, rows in enumerate(sampled):
        load += len(rows) * mean
        if load >= most or group == len(sampled) - 1:
            yield _judged(study, model, Groups.of(sampled[first : group + 1], groups.classes[first : group + 1]))
            first, load = group + 1, 0.0


def _thinned(rows: Numbers) -> Numbers:
    if len(rows) <= MOST:
        return rows
    chosen: Numbers = rows[np.linspace(0, len(rows) - 1, MOST).astype(np.int64)]
    return chosen


def _judged(study: Study, model: NaiveBayes, groups: Groups) -> Floats:
    """Give the columns of `Congruence` for some groups."""
    count = len(groups)
    distinct, place = np.unique(groups.rows, return_inverse=True)
    texts = gathered(study, model, distinct)
    lengths = texts.lengths[place]
    slots = texts.slots[ranges(texts.offsets[:-1][place], lengths)]
    owner = np.repeat(np.arange(count), np.diff(groups.offsets))
    wanted = groups.classes[owner]
    hit = texts.classes[place] == wanted
    hits = np.bincount(owner[hit], minlength=count).astype(np.float64)
    word_row = np.repeat(np.arange(len(place)), lengths)
    cell = owner[word_row] * model.slots + slots
    cells, inverse = np.unique(cell, return_inverse=True)
    having = np.bincount(inverse[hit[word_row]], minlength=len(cells)).astype(np.float64)
    everywhere = model.counts.sum(axis=1)[cells % model.slots]
    own = (having > _SHARED * hits[cells // model.slots]) | ((having > 1) & (having > _SHARED * everywhere))
    kept = ~own[inverse]
    offsets = np.append(0, np.cumsum(np.bincount(word_row[kept], minlength=len(place))))
    rest = Rows(slots[kept], offsets, texts.classes[place])
    alone = _said(model, rest, rest.classes, np.ones(len(rest.slots)), wanted)
    inside = np.where(hit[word_row], having[inverse], 0.0)[kept]
    every = _probabilities(model, rest, wanted, inside)
    apart_p = every[np.arange(len(wanted)), wanted]
    apart = log_odds(apart_p) - log_odds(model.shares)[wanted]
    looks = np.zeros((count, every.shape[1]))
    np.add.at(looks, owner[hit], every[hit])

    def mean(values: Floats) -> Floats:
        return np.bincount(owner[hit], weights=values[hit], minlength=count) / np.maximum(hits, 1)

    average = mean(alone)
    return np.asarray(
        np.stack(
            [
                np.diff(groups.offsets).astype(np.float64),
                hits,
                average,
                mean(apart),
                np.sqrt(np.maximum(mean(alone**2) - average**2, 0.0)),
                np.bincount(owner, weights=apart_p, minlength=count),
                np.bincount(owner, weights=apart_p * (1 - apart_p), minlength=count),
                _likeness(model, cells, np.where(own, 0.0, having), hits, mean(rest.lengths.astype(np.float64)), looks),
                mean(rest.lengths.astype(np.float64)),
            ]
        ),
        np.float64,
    )


def _probabilities(model: NaiveBayes, rows: Rows, less: Numbers, by: Floats) -> Floats:
    """Give the probabilities of all classes when the counts of one class a row are less by some rows."""
    counts = model.counts[rows.slots].astype(np.float64)
    word_row = np.repeat(np.arange(len(less)), rows.lengths)
    column = less[word_row]
    known = column >= 0
    counts[np.flatnonzero(known), column[known]] -= by[known]
    np.maximum(counts, 0.0, out=counts)
    logits = summed(model.weights(counts, model.totals), rows.offsets)
    return model.probabilities(logits, rows.lengths)


def _said(model: NaiveBayes, rows: Rows, less: Numbers, by: Floats, wanted: Numbers) -> Floats:
    p = _probabilities(model, rows, less, by)[np.arange(len(wanted)), wanted]
    said: Floats = log_odds(p) - log_odds(model.shares)[wanted]
    return said


def _likeness(model: NaiveBayes, cells: Numbers, having: Floats, hits: Floats, left: Floats, looks: Floats) -> Floats:
    """Give the rarity of the words that two rows share, in units of what rows that look like them share by chance.

    Args:
        model: Whose words they are.
        cells: Group and word of each word of a group.
        having: Rows with the label that have it.
        hits: Rows of each group with the label.
        left: Words of such a row, on average.
        looks: How many of these rows look like each class, shape (groups, classes).
    """
    rarity = -np.log(np.maximum(model.frequency, 1e-12))
    rows = np.maximum(model.rows, 1)
    usual = model.counts / rows
    mixture = looks / np.maximum(looks.sum(axis=1, keepdims=True), 1e-9)
    chance = np.einsum("gk,kl,gl->g", mixture, usual.T @ (rarity[:, None] * usual), mixture)
    length = mixture @ (model.totals / rows)
    pairs = having * (having - 1)
    shared = np.bincount(cells // model.slots, weights=pairs * rarity[cells % model.slots], minlength=len(hits))
    by_chance = np.maximum(hits * (hits - 1), 1) * np.maximum(chance * (left / np.maximum(length, 1e-9)) ** 2, 1e-9)
    return np.asarray((shared + 1e-9) / by_chance, np.float64)
