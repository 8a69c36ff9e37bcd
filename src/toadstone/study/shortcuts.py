"""Phrases that nearly always come with one label, and that the rest of their rows explains only in part."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.tails import log_binomial_tail, log_normal_tail
from toadstone.study import phrases
from toadstone.study.congruence import Congruence, Groups, congruence
from toadstone.study.contradiction import heads
from toadstone.study.naive_bayes import NaiveBayes
from toadstone.study.study import Study
from toadstone.study.suspects import different, suspects, varied

_PURITY = 0.97
_FEWEST = 10
_LEAST = 0.005
_LARGEST = 0.2
_EVALUATED = 300
_EXCESS = 5.0
_EFFECT = 0.3

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shortcuts:
    """Phrases that a label hangs on.

    Attributes:
        model: That judged them.
        wanted: Among which properties they are.
        keys: Of the property.
        groups: Their rows, and the class that they push.
        judged: What their rows say.
        log_p: Natural logarithm of the p-value among all phrases of this kind.
        chosen: Those that stand, strongest first, one for each set of rows.
        tests: Phrases of this kind.
    """

    model: NaiveBayes
    wanted: phrases.Wanted
    keys: NDArray[np.uint64]
    groups: Groups
    judged: Congruence
    log_p: Floats
    chosen: NDArray[np.int64]
    tests: int


def shortcuts(study: Study) -> Shortcuts | str:
    """Find the phrases of a study, or say why not.

    A phrase stands when the model without its rows expects far fewer of them to have the label (`_EXCESS` standard deviations,
    and as many beyond what such phrases usually have; `_EFFECT` of the rows) and the rows, taken one by one, are like others of
    the label: if they were not, it would be a matter for `suspects`.
    """
    found = suspects(study)
    if isinstance(found, str):
        return found
    model = found.model
    wanted = replace(found.wanted, manner=False)
    fewest = max(_FEWEST, int(study.rows * _LEAST))
    parts = phrases.count(study, wanted, fewest, max(int(study.rows * _LARGEST), fewest))
    counted = phrases.Properties.joined(parts)
    pure = counted.take(counted.hits >= _PURITY * counted.sizes)
    tails = log_binomial_tail(pure.hits, pure.sizes, model.shares[pure.classes])
    order = varied(pure, np.argsort(tails, kind="stable"), 2)[:_EVALUATED]
    top = pure.take(order)
    keys, place = np.unique(top.keys, return_inverse=True)
    rows, offsets = phrases.members(study, wanted, keys)
    groups = Groups(rows, offsets, np.zeros(len(keys), np.int64)).take(place)
    groups = Groups(groups.rows, groups.offsets, top.classes)
    first = different(study, model, groups)
    groups, top = groups.take(first), top.take(first)
    judged = congruence(study, model, groups)
    log_p = _log_p(judged.excess)
    stands = (judged.excess >= _EXCESS) & (judged.effect >= _EFFECT) & (judged.alone > 0)
    strengths = np.where(stands, 1.0 + judged.excess, 0.0)
    head = heads(groups, strengths, model.class_of[study.column("label")])
    chosen = np.unique(head[head >= 0])
    chosen = chosen[np.argsort(-strengths[chosen], kind="stable")]
    return Shortcuts(model, wanted, top.keys, groups, judged, log_p, chosen, len(pure.keys))


def _log_p(excess: Floats) -> Floats:
    """Compare with the body of all: median and median absolute deviation."""
    if not len(excess):
        return excess
    centre = float(np.median(excess))
    spread = max(1.0, 1.4826 * float(np.median(np.abs(excess - centre))))
    return log_normal_tail((excess - centre) / spread)
