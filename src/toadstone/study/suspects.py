"""Groups of rows that contradict their label, with p-values from the data's own groups.

Every phrase, frame, sign of manner and kind of character whose rows nearly all have one label is a group. Most are natural:
topics, set phrases, strong words. A poisoned one differs in what its rows say besides: they look like rows of other labels. How
that is measured, and against what, stands in `toadstone.study.contradiction`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.ragged import log_odds, summed
from toadstone.stats.tails import log_binomial_tail
from toadstone.study import phrases
from toadstone.study.combinations import Combinations, combinations
from toadstone.study.congruence import MOST, Congruence, Groups, congruence
from toadstone.study.contradiction import CLIP, FEWEST, START, Strengths, heads, improbability, log_p_values, strengths
from toadstone.study.leave_group_out import without_group
from toadstone.study.naive_bayes import NaiveBayes, gathered, naive_bayes
from toadstone.study.phrases import Properties, Wanted
from toadstone.study.placebo import drawn, surprises
from toadstone.study.study import Chunk, Study
from toadstone.views.words import mixed

PURITY = 0.75
_LARGEST = 0.2
_COMMON = 40
_TELLING = 0.85
_FREQUENT = 64
_KIN = 0.5
"""Groups this much as strong as their head give it the rows that they have beyond its own."""
_MOST_NEEDED = 2_000
_WORK, _WORK_PER_ROW = 3_000_000, 100

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Suspects:
    """Groups, judged; entries of equal index belong together.

    Attributes:
        model: That judged them.
        wanted: Which properties were looked at.
        keys: Of the property; groups beyond these are combinations.
        combined: Words of each combination.
        groups: Their rows, and the class that they push.
        judged: What their rows say.
        measured: How strongly they contradict their label.
        strange: How strange what the rows of a head share is to the data, in nats; 0 for other groups.
        log_p: Natural logarithm of the p-value by the data's own groups.
        head: The strongest group with mostly the same rows; -1 where there is no evidence.
        tests: Groups among which these were chosen.
        rate: By which log p falls with the strength.
        usual: Properties as they come, of any label: a placebo.
    """

    model: NaiveBayes
    wanted: Wanted
    keys: NDArray[np.uint64]
    combined: tuple[tuple[int, ...], ...]
    groups: Groups
    judged: Congruence
    measured: Strengths
    strange: Floats
    log_p: Floats
    head: Numbers
    tests: int
    rate: float
    usual: NDArray[np.uint64]

    @property
    def strengths(self) -> Floats:
        """In units of -log p for independent rows."""
        return self.measured.joint

    def rows_of(self, study: Study, head: int) -> Numbers:
        """Give all rows of a head, those too that are copies of others, and rows that its kin has beyond them.

        The rows of one trigger may have several properties of which each misses some of them. What groups about as strong add
        counts where a row contradicts its label, or where a small group would miss but one.
        """
        rows = self._members(study, head)
        doubtful = study.column("nb.content") < 0
        for other in np.flatnonzero((self.head == head) & (self.strengths >= _KIN * self.strengths[head])).tolist():
            more = np.setdiff1d(self._members(study, other), rows) if other != head else rows[:0]
            few = len(more) <= 1 and len(rows) < 2 * FEWEST
            rows = np.union1d(rows, more if few else more[doubtful[more]])
        return rows

    def _members(self, study: Study, group: int) -> Numbers:
        if group < len(self.keys):
            return phrases.members(study, self.wanted, self.keys[group : group + 1], copies=True)[0]
        family = study.column("nb.family")
        return np.flatnonzero(np.isin(family, family[self.groups.rows_of(group)]))


def suspects(study: Study) -> Suspects | str:
    """Give the groups of a study that contradict their label most, or why there are none. Made once a study."""
    return study.shared("suspects", lambda: _found(study))


def _found(study: Study) -> Suspects | str:
    model = naive_bayes(study)
    if isinstance(model, str):
        return model
    prepare(study, model)
    quick = study.effort == "quick"
    frequent = np.zeros(model.slots, bool)
    if not quick:
        order = np.argsort(-model.frequency, kind="stable")[:_FREQUENT]
        frequent[order[model.frequency[order] > 0.01]] = True
    wanted = Wanted(2 if quick else 3, frequent[:0] if quick else frequent, manner=not quick)
    most = max(int(study.rows * _LARGEST), 4 * FEWEST)
    chosen, usual, tests = _screened(study, model, wanted, most, 150 if quick else 20_000)
    keys, place = np.unique(chosen.keys, return_inverse=True)
    rows, offsets = phrases.members(study, wanted, keys)
    groups = Groups(rows, offsets, np.zeros(len(keys), np.int64)).take(place)
    groups = Groups(groups.rows, groups.offsets, chosen.classes)
    first = different(study, model, groups)
    groups, names = groups.take(first), chosen.keys[first]
    mined = combinations(study, model, FEWEST, PURITY) if not quick else Combinations.none()
    both = Groups.of(
        [groups.rows_of(group) for group in range(len(groups))] + [mined.groups.rows_of(one) for one in range(len(mined.groups))],
        np.concatenate([groups.classes, mined.groups.classes]),
    )
    judged = congruence(study, model, both)
    measured = strengths(study, model, both, judged)
    head = heads(both, measured.joint, model.class_of[study.column("label")])
    strange = np.append(np.zeros(len(groups)), mined.strange)
    if not quick:
        leading = np.unique(head[head >= 0])
        leading = leading[leading < len(groups)]
        strange[leading] = surprises(study, model, wanted, usual, both.take(leading))
    log_tried = np.append(np.full(len(groups), np.nan), mined.log_tried)
    log_p, rate = log_p_values(measured.joint, head, tests, log_tried, besides=strange)
    return Suspects(model, wanted, names, mined.slots, both, judged, measured, strange, log_p, head, tests, rate, usual)


def prepare(study: Study, model: NaiveBayes) -> None:
    """Mark in each chunk what a row adds to its properties (``phrases.payload``); of copies with one label the first counts."""
    classes = model.class_of[study.column("label")]
    family = study.column("nb.family") ^ mixed(classes.astype(np.uint64) + np.uint64(1))
    counted = np.zeros(study.rows, bool)
    counted[np.unique(family, return_index=True)[1]] = True
    counted &= classes >= 0
    for chunk in study.chunks:
        chunk["phrases.counted"] = counted[chunk.start : chunk.start + chunk.rows]
    rows = np.maximum(model.counts.sum(axis=1), 1)
    telling = model.counts.max(axis=1) / rows > _TELLING
    table = model.weights(model.counts, model.totals)
    table[telling | (rows < _COMMON)] = 0.0
    study.run(_Mark(model, table))


@dataclass(frozen=True)
class _Mark:
    """Packs the payloads; the common words are those of the table."""

    model: NaiveBayes
    table: NDArray[np.float32]

    def map(self, part: Chunk) -> None:
        slots, offsets = part["nb.slots"], part["nb.slots.offsets"]
        classes = self.model.class_of[part["label"]]
        own = np.maximum(classes, 0)
        p = self.model.probabilities(summed(self.table[slots], offsets), np.diff(offsets))
        bare = self.model.content(p, own) < 0
        payload = phrases.payload_of(own, part["nb.content"] < 0, bare)
        payload[~part["phrases.counted"]] = phrases.EXCLUDED
        part["phrases.payload"] = payload

    def combine(self, left: None, right: None) -> None:  # noqa: ARG002  (nothing but columns is made)
        return None

    def finish(self, state: None) -> None:  # noqa: ARG002
        return None


def _screened(
    study: Study, model: NaiveBayes, wanted: Wanted, most: int, limit: int
) -> tuple[Properties, NDArray[np.uint64], int]:
    """Give the properties whose rows contradict their label most at first sight, some as they come, and how many there are."""
    payload = study.column("phrases.payload")
    payload = payload[payload != phrases.EXCLUDED]
    width = len(model.rows)
    total = np.maximum(np.bincount(payload >> 3, minlength=width), 1)
    odd = np.clip(np.bincount(payload >> 3, weights=(payload >> 1) & 1, minlength=width) / total, 0.01, 0.6)
    bare = np.clip(np.bincount(payload >> 3, weights=payload & 1, minlength=width) / total, 0.01, 0.6)
    kept: list[Properties] = []
    order: list[Floats] = []
    usual: list[NDArray[np.uint64]] = []
    tests = 0
    for found in phrases.count(study, wanted, FEWEST, most):
        usual.append(drawn(found, study.seed))
        pure = found.take(found.hits >= PURITY * found.sizes)
        tests += len(pure.keys)
        score = np.minimum(
            log_binomial_tail(pure.odd, pure.hits, odd[pure.classes]),
            log_binomial_tail(pure.bare, pure.hits, bare[pure.classes]),
        )
        best = varied(pure, np.argsort(score, kind="stable"), 400)[:limit]
        best = best[np.cumsum(np.minimum(pure.sizes[best], MOST) * model.length) <= _WORK + _WORK_PER_ROW * study.rows]
        kept.append(pure.take(best))
        order.append(score[best])
    joined = Properties.joined(kept)
    best = np.argsort(np.concatenate(order), kind="stable")[:limit]
    best = best[np.cumsum(np.minimum(joined.sizes[best], MOST) * model.length) <= _WORK + _WORK_PER_ROW * study.rows]
    return joined.take(best), np.concatenate(usual), tests


def varied(found: Properties, order: Numbers, most: int) -> Numbers:
    """Leave out of an order most of those that count exactly alike: the phrases of one long sentence have the same rows.

    Args:
        found: Entries.
        order: Their places, best first.
        most: Of entries alike, `most` / hits + 2 stay.
    """
    signature = np.zeros(len(order), np.uint64)
    for column in (found.classes, found.hits, found.sizes, found.odd, found.bare):
        signature = mixed(signature * np.uint64(31) + column[order].astype(np.uint64))
    grouped = np.argsort(signature, kind="stable")
    same = np.flatnonzero(np.append(True, np.diff(signature[grouped].astype(np.int64)) != 0))
    rank = np.empty(len(order), np.int64)
    rank[grouped] = np.arange(len(order)) - np.repeat(same, np.diff(np.append(same, len(order))))
    return order[rank < most // np.maximum(found.hits[order], 1) + 2]


def different(study: Study, model: NaiveBayes, groups: Groups) -> Numbers:
    """Give the first of the groups that have the same rows of their class."""
    labels = model.class_of[study.column("label")]
    owner = np.repeat(np.arange(len(groups)), np.diff(groups.offsets))
    hit = labels[groups.rows] == groups.classes[owner]
    sums = np.zeros(len(groups), np.uint64)
    np.add.at(sums, owner[hit], mixed(groups.rows[hit].astype(np.uint64) + np.uint64(1)))
    return np.sort(np.unique(sums ^ groups.classes.astype(np.uint64), return_index=True)[1])


def detectable(study: Study, found: Suspects, log_level: float) -> int | None:
    """Give the fewest rows, drawn from other labels and given one label and a mark, that reach a level with power 0.9.

    Args:
        study: The study.
        found: Its suspects.
        log_level: Logarithm of the corrected p-value that is needed.

    Returns:
        For the label for which the most are needed; None when some label needs more than `_MOST_NEEDED`.
    """
    among = np.log(len(np.unique(found.head)) + 1.0) + (np.log(2.0) if len(found.usual) else 0.0)
    needed = START + max(0.0, (among - log_level) / found.rate)
    others = found.measured.others or _others(study, found.model)
    count = np.arange(FEWEST, _MOST_NEEDED)
    worst = 0
    for own, said in zip(found.measured.own, others, strict=True):
        if len(said) < 2 or not len(own):
            return None
        level = said.mean() + 1.2816 * said.std() / np.sqrt(count)
        enough = np.flatnonzero(count * np.minimum(-level, improbability(own, level)) >= needed)
        if not len(enough):
            return None
        worst = max(worst, int(count[enough[0]]))
    return worst


def _others(study: Study, model: NaiveBayes) -> tuple[Floats, ...]:
    """Give what rows with another label say for each class, by naive Bayes alone."""
    rows = np.linspace(0, max(study.rows - 1, 0), min(study.rows, 1_000)).astype(np.int64)
    texts = gathered(study, model, rows)
    p = without_group(model, texts)
    bias = log_odds(model.shares)
    return tuple(
        np.clip(log_odds(p[(texts.classes != one) & (texts.classes >= 0), one]) - bias[one], -CLIP, CLIP)
        for one in range(len(model.rows))
    )
