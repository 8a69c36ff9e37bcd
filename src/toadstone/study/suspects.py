"""Groups of rows that contradict their label, with p-values from the data's own groups.

Every phrase, frame and kind of character whose rows nearly all have one label is a group. Most are natural: topics, set phrases,
strong words. A poisoned one differs in what its rows say besides: they look like rows of other labels. A group's strength is the
smaller of two numbers, each in units of -log p: how unlikely rows of its label are to say so little for it (Chernoff's bound on
the scores of that label's rows), and how much its rows say against it. Natural groups decide what is strong: the tail of
their strengths is fitted from its own body, so that a few poisoned groups cannot lift it, and no group is judged by a theory
that takes rows for independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from toadstone.stats.ragged import log_odds, summed
from toadstone.stats.tails import log_binomial_tail
from toadstone.study import phrases
from toadstone.study.combinations import Combinations, combinations
from toadstone.study.congruence import MOST, Congruence, Groups, congruence
from toadstone.study.naive_bayes import NaiveBayes, gathered, naive_bayes, without_group
from toadstone.study.phrases import Properties, Wanted
from toadstone.study.study import Chunk, Study
from toadstone.views.words import mixed

FEWEST = 5
"""Rows that a group needs, copies not counted."""
PURITY = 0.75
_LARGEST = 0.2
_COMMON = 40
_TELLING = 0.85
_FREQUENT = 64
_ALIKE = 1.2
_TILTS = np.concatenate([np.linspace(0.02, 1.0, 25), np.linspace(1.1, 5.0, 20)])
_START = 1.0
_RATE = 0.6
_PRIOR = 10
_CENSORED = 5
_MOST_NEEDED = 2_000
_WORK, _WORK_PER_ROW = 3_000_000, 100
_CLIP = 6.0

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
        strengths: In units of -log p for independent rows.
        log_p: Natural logarithm of the p-value by the data's own groups.
        head: The strongest group with mostly the same rows; -1 where there is no evidence.
        tests: Groups among which these were chosen.
        rate: By which log p falls with the strength.
    """

    model: NaiveBayes
    wanted: Wanted
    keys: NDArray[np.uint64]
    combined: tuple[tuple[int, ...], ...]
    groups: Groups
    judged: Congruence
    strengths: Floats
    log_p: Floats
    head: Numbers
    tests: int
    rate: float

    def rows_of(self, study: Study, group: int) -> Numbers:
        """Give all rows of a group, those too that are copies of others."""
        if group < len(self.keys):
            return phrases.members(study, self.wanted, self.keys[group : group + 1], copies=True)[0]
        rows = self.groups.rows_of(group)
        own = np.isin(study.column("nb.family"), study.column("nb.family")[rows])
        return np.flatnonzero(own)


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
    wanted = Wanted(2 if quick else 3, frequent[:0] if quick else frequent)
    most = max(int(study.rows * _LARGEST), 4 * FEWEST)
    chosen, tests = _screened(study, model, wanted, most, 150 if quick else 20_000)
    keys, place = np.unique(chosen.keys, return_inverse=True)
    rows, offsets = phrases.members(study, wanted, keys)
    groups = Groups(rows, offsets, np.zeros(len(keys), np.int64)).take(place)
    groups = Groups(groups.rows, groups.offsets, chosen.classes)
    first = different(study, model, groups)
    groups, names = groups.take(first), chosen.keys[first]
    mined = combinations(study, model, FEWEST) if not quick else Combinations.none()
    both = Groups.of(
        [groups.rows_of(group) for group in range(len(groups))] + [mined.groups.rows_of(one) for one in range(len(mined.groups))],
        np.concatenate([groups.classes, mined.groups.classes]),
    )
    judged = congruence(study, model, both)
    strengths = strength(study, model, both.classes, judged)
    head = heads(both, strengths.joint, model.class_of[study.column("label")])
    log_p, rate = log_p_values(strengths.joint, head, tests, np.append(np.full(len(groups), np.nan), mined.log_tried))
    return Suspects(model, wanted, names, mined.slots, both, judged, strengths.joint, log_p, head, tests, rate)


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


def _screened(study: Study, model: NaiveBayes, wanted: Wanted, most: int, limit: int) -> tuple[Properties, int]:
    """Give the properties whose rows contradict their label most at first sight, and how many there are in all."""
    payload = study.column("phrases.payload")
    payload = payload[payload != phrases.EXCLUDED]
    width = len(model.rows)
    total = np.maximum(np.bincount(payload >> 3, minlength=width), 1)
    odd = np.clip(np.bincount(payload >> 3, weights=(payload >> 1) & 1, minlength=width) / total, 0.01, 0.6)
    bare = np.clip(np.bincount(payload >> 3, weights=payload & 1, minlength=width) / total, 0.01, 0.6)
    kept: list[Properties] = []
    order: list[Floats] = []
    tests = 0
    for found in phrases.count(study, wanted, FEWEST, most):
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
    return joined.take(best), tests


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


@dataclass(frozen=True)
class Strengths:
    """How strongly groups contradict their label, in units of -log p for independent rows.

    Attributes:
        unlikely: That rows of the label say so little for it (Chernoff 1952).
        joint: The smaller of that and of what the rows say against the label; 0 for a group that is no candidate.
        candidate: Whether the group has enough rows, which are no more alike than rows picked at random.
    """

    unlikely: Floats
    joint: Floats
    candidate: NDArray[np.bool_]


def strength(study: Study, model: NaiveBayes, classes: Numbers, judged: Congruence) -> Strengths:
    """Measure groups."""
    content = np.clip(study.column("nb.content"), -_CLIP, _CLIP)
    labels = model.class_of[study.column("label")]
    unlikely = np.zeros(len(classes))
    for one in np.unique(classes):
        pick = classes == one
        own = content[labels == one][:: max(1, int((labels == one).sum()) // 5_000)]
        for tilt in _TILTS:
            bound = judged.hits[pick] * (special.logsumexp(-tilt * own) - np.log(len(own)) + tilt * judged.alone[pick])
            unlikely[pick] = np.maximum(unlikely[pick], -bound)
    candidate = (judged.hits >= FEWEST) & (judged.likeness <= _ALIKE * (1 + 1 / np.sqrt(np.maximum(judged.hits, 1))))
    against = np.maximum(-judged.alone * judged.hits, 0.0)
    return Strengths(unlikely, np.where(candidate, np.minimum(against, unlikely), 0.0), candidate)


def heads(groups: Groups, strengths: Floats, labels: Numbers) -> Numbers:
    """Give for each group with a strength beyond `_START` the strongest group that shares half of its rows; -1 for the others."""
    out = np.full(len(groups), -1, np.int64)
    owner: dict[int, list[int]] = {}
    for group in np.argsort(-strengths, kind="stable").tolist():
        if strengths[group] <= _START:
            break
        rows = groups.rows_of(group)
        rows = rows[labels[rows] == groups.classes[group]].tolist()
        votes: dict[int, int] = {}
        for row in rows:
            for head in owner.get(row, ()):
                votes[head] = votes.get(head, 0) + 1
        best = max(votes.items(), key=lambda vote: (vote[1], -vote[0]), default=(-1, 0))
        if best[1] >= 0.5 * len(rows):
            out[group] = best[0]
            continue
        out[group] = group
        for row in rows:
            owner.setdefault(row, []).append(group)
    return out


def log_p_values(joint: Floats, head: Numbers, tests: int, log_tried: Floats) -> tuple[Floats, float]:
    """Give p-values, and the rate at which they fall by an exponential tail that starts at `_START`.

    The rate is that of the other heads of the data (maximum likelihood, the largest censored, so that it survives some
    poison among them), shrunk to what groups of natural texts have.
    """
    out = np.zeros(len(head))
    distinct = np.unique(head[head >= 0])
    rate = _RATE
    for group in distinct:
        others = np.sort(joint[distinct[distinct != group]] - _START)
        seen = others[: len(others) - min(_CENSORED, len(others) // 2)]
        total = float(seen.sum()) + (len(others) - len(seen)) * float(seen[-1] if len(seen) else 0.0)
        own = (_PRIOR + len(seen)) / (_PRIOR / _RATE + total)
        members = head == group
        reached = np.where(np.isnan(log_tried), np.log(len(others) + 1.0), log_tried)[members] - np.log(tests)
        out[members] = reached - own * (joint[members] - _START)
        rate = min(rate, own)
    return np.minimum(out, 0.0), rate


def detectable(study: Study, found: Suspects, log_level: float) -> int | None:
    """Give the fewest rows, drawn from other labels and given one label and a mark, that reach a level with power 0.9.

    Args:
        study: The study.
        found: Its suspects.
        log_level: Logarithm of the corrected p-value that is needed.

    Returns:
        For the label for which the most are needed; None when some label needs more than `_MOST_NEEDED`.
    """
    model = found.model
    needed = _START + max(0.0, (np.log(len(np.unique(found.head)) + 1.0) - log_level) / found.rate)
    rows = np.linspace(0, max(study.rows - 1, 0), min(study.rows, 1_000)).astype(np.int64)
    texts = gathered(study, model, rows)
    p = without_group(model, texts)
    labels = model.class_of[study.column("label")]
    content = np.clip(study.column("nb.content"), -_CLIP, _CLIP)
    worst = 0
    for one in range(len(model.rows)):
        said = log_odds(p[(texts.classes != one) & (texts.classes >= 0), one]) - log_odds(model.shares)[one]
        own = content[labels == one]
        if len(said) < 2 or not len(own):
            return None
        count = np.arange(FEWEST, _MOST_NEEDED)
        level = said.mean() + 1.2816 * said.std() / np.sqrt(count)
        unlikely = np.max([-(special.logsumexp(-tilt * own) - np.log(len(own)) + tilt * level) for tilt in _TILTS], axis=0)
        enough = np.flatnonzero(count * np.minimum(-level, unlikely) >= needed)
        if not len(enough):
            return None
        worst = max(worst, int(count[enough[0]]))
    return worst
