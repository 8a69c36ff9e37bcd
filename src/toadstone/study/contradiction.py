"""How strongly groups contradict their label, which of them are one, and how often natural groups do as much.

A group's strength is the smaller of two numbers, each in units of -log p: how unlikely rows of its label are to say so little for
it (Chernoff's bound on the scores of that label's rows), and how much its rows say against it. Natural groups decide what is
strong: the tail of their strengths is fitted from its own body, so that a few poisoned groups cannot lift it, and no group is
judged by a theory that takes rows for independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from toadstone.study.congruence import Congruence, Groups
from toadstone.study.naive_bayes import NaiveBayes
from toadstone.study.study import Study
from toadstone.study.testimony import testimony

FEWEST = 5
"""Rows that a group needs, copies not counted."""
CLIP = 6.0
"""The most that one row says for or against a label."""
START = 1.0
"""Strength at which the tail begins."""
RATE = 0.55
_ALIKE, _SPREAD = 1.15, 8.0
"""Rows picked at random are up to `_ALIKE` (1 + `_SPREAD` / rows) times as alike as chance."""
_TILTS = np.concatenate([np.linspace(0.02, 1.0, 25), np.linspace(1.1, 5.0, 20)])
_PRIOR = 10
_CENSORED = 5
_IMPURE = 1.0
"""What a row of the group with another label takes from its strength: who plants a mark labels all that have it."""
_ASKED = 400
"""Groups about which all learners are asked: those that naive Bayes finds strongest."""
_WORTH = 0.3

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Strengths:
    """How strongly groups contradict their label, in units of -log p for independent rows.

    Attributes:
        joint: The strength; 0 for a group that is no candidate: too few rows, or rows more alike than rows picked at random.
        said: What a row with the label says for it, on average, by those who decided.
        own: What rows with the label say for it, for each class.
        others: What rows with another label say for it, for each class; empty where only naive Bayes was asked.
    """

    joint: Floats
    said: Floats
    own: tuple[Floats, ...]
    others: tuple[Floats, ...]


def strengths(study: Study, model: NaiveBayes, groups: Groups, judged: Congruence) -> Strengths:
    """Measure groups: by naive Bayes, and the strongest once more by all learners (unless the effort is ``quick``)."""
    content = np.clip(study.column("nb.content"), -CLIP, CLIP).astype(np.float64)
    labels = model.class_of[study.column("label")]
    own = tuple(_thinned(content[labels == one]) for one in range(len(model.rows)))
    alike = _ALIKE * (1 + _SPREAD / np.maximum(judged.hits, 1))
    candidate = (judged.hits >= FEWEST) & (judged.likeness <= alike)
    impure = _IMPURE * (judged.sizes - judged.hits)
    joint = np.where(candidate, _joint(judged.hits, judged.alone, groups.classes, own) - impure, 0.0)
    joint = np.maximum(joint, 0.0)
    if study.effort == "quick":
        return Strengths(joint, judged.alone, own, ())
    best = np.argsort(-joint, kind="stable")[:_ASKED]
    best = best[joint[best] > _WORTH]
    asked = testimony(study, model, groups.take(best), CLIP)
    known = ~np.isnan(asked.said)
    if not known.any():
        return Strengths(joint, judged.alone, own, ())
    own = tuple(theirs if len(theirs) else ours for theirs, ours in zip(asked.own, own, strict=True))
    said = judged.alone.copy()
    said[best[known]] = asked.said[known]
    final = np.zeros(len(joint))
    final[best] = np.maximum(_joint(judged.hits[best], said[best], groups.classes[best], own) - impure[best], 0.0)
    return Strengths(final, said, own, asked.others)


def _thinned(values: Floats) -> Floats:
    return values[:: max(1, len(values) // 5_000)]


def _joint(hits: Floats, said: Floats, classes: Numbers, own: tuple[Floats, ...]) -> Floats:
    unlikely = np.zeros(len(classes))
    for one in np.unique(classes):
        pick = classes == one
        unlikely[pick] = hits[pick] * improbability(own[one], said[pick])
    return np.asarray(np.minimum(unlikely, np.maximum(-said * hits, 0.0)), np.float64)


def improbability(own: Floats, level: Floats) -> Floats:
    """Give Chernoff's bound (1952) a row, in units of -log p, on a mean at or below each level among draws from values."""
    out = np.zeros(len(level))
    if not len(own):
        return out
    for tilt in _TILTS:
        np.maximum(out, np.log(len(own)) - special.logsumexp(-tilt * own) - tilt * level, out=out)
    return out


def heads(groups: Groups, strengths: Floats, labels: Numbers) -> Numbers:
    """Give for each group with a strength beyond `START` the strongest group that shares half of its rows; -1 for the others."""
    out = np.full(len(groups), -1, np.int64)
    owner: dict[int, list[int]] = {}
    for group in np.argsort(-strengths, kind="stable").tolist():
        if strengths[group] <= START:
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


def log_p_values(
    joint: Floats, head: Numbers, tests: int, log_tried: Floats, usual: float = RATE, besides: Floats | None = None
) -> tuple[Floats, float]:
    """Give p-values, and the rate at which they fall by an exponential tail that starts at `START`.

    The rate is that of the other heads of the data (maximum likelihood, the largest censored, so that it survives some
    poison among them), shrunk to what groups have that are natural (``usual``; by default those of texts). Where there is
    evidence of another kind (``besides``: minus log p of each head, by which labels play no part), both count together (Fisher
    1932) if that says more than the strength alone; the choice between the two costs a factor of two.
    """
    out = np.zeros(len(head))
    distinct = np.unique(head[head >= 0])
    rate = usual
    for group in distinct:
        others = np.sort(joint[distinct[distinct != group]] - START)
        seen = others[: len(others) - min(_CENSORED, len(others) // 2)]
        total = float(seen.sum()) + (len(others) - len(seen)) * float(seen[-1] if len(seen) else 0.0)
        own = (_PRIOR + len(seen)) / (_PRIOR / usual + total)
        members = head == group
        reached = np.where(np.isnan(log_tried), np.log(len(others) + 1.0), log_tried)[members] - np.log(tests)
        alone = own * (joint[members] - START)
        if besides is not None:
            together = alone + besides[group]
            alone = np.maximum(alone, together - np.log1p(together)) - np.log(2.0)
        out[members] = reached - alone
        rate = min(rate, own)
    return np.minimum(out, 0.0), rate
