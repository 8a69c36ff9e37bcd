"""What several learners say about the rows of a group when what the members share is left out.

The learners are those of `toadstone.study.second_opinion`: linear classifiers over words with pairs of words and over
spellings, fitted across folds, weighed against each other by the labels. A row's score is a sum over its terms, so a trigger is
taken out by leaving out the terms that nearly all members of its group have: in each space its own, the word, the pairs that
it makes, its spelling. No model that judges a row has seen it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.label_noise import log_softmax
from toadstone.stats.ragged import ranges
from toadstone.study.congruence import Groups
from toadstone.study.naive_bayes import NaiveBayes
from toadstone.study.second_opinion import COLUMN, second_opinion
from toadstone.study.spaces import Terms, TermSpace, terms
from toadstone.study.study import Study

MOST = 64
"""Rows of a group that are looked at."""
_SHARED = 0.75
"""Terms that more than this share of the members have belong to what made them a group."""
_BATCH = 2_000_000
"""Terms that are looked at together."""
_TINY = 1e-9

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Testimony:
    """What the learners say.

    Attributes:
        said: Mean over a group's rows with the label of what they say for it (log-odds less those of the label's share),
            shape (groups,); NaN where nothing can be said.
        own: The same of rows that have the label, for each class; empty where nothing can be said.
        others: The same of rows that have another label.
    """

    said: Floats
    own: tuple[Floats, ...]
    others: tuple[Floats, ...]


def testimony(study: Study, model: NaiveBayes, groups: Groups, least: float) -> Testimony:
    """Ask the learners about groups.

    Args:
        study: With texts and labels.
        model: Whose classes the groups have.
        groups: Of those with more than `MOST` rows with the label a sample.
        least: Lowest and, with the other sign, highest value of one row.
    """
    nobody = Testimony(np.full(len(groups), np.nan), (), ())
    opinion = second_opinion(study)
    if opinion.not_run or opinion.calibration is None:
        return nobody
    scales = (opinion.calibration.scales / opinion.spreads).astype(np.float32)
    spaces: list[TermSpace] = []
    first, used = 0, np.zeros(len(scales), bool)
    for space in opinion.spaces:
        last = first + len(space.models)
        if isinstance(space, TermSpace) and space.knots is None:
            collapsed = space.collapsed(scales[first:last])
            spaces += [collapsed] if isinstance(collapsed, TermSpace) else []
            used[first:last] = True
        first = last
    if not spaces:
        return nobody
    known = opinion.calibration.scales[used]
    logits = np.tensordot(known, opinion.scores[used], 1) + opinion.calibration.offsets
    own, others = (
        tuple(_content(logits[(opinion.labels == code) == same], model, code, least) for code in model.codes.tolist())
        for same in (True, False)
    )
    said = np.full(len(groups), np.nan)
    for places, part in _batches(study, model, groups):
        said[places] = _asked(study, model, spaces, opinion.calibration.offsets, part, least)
    return Testimony(said, own, others)


def _content(logits: Floats, model: NaiveBayes, code: int, least: float) -> Floats:
    """Give what rows say for one label; nothing for pooled labels."""
    if code < 0 or not len(logits):
        return np.zeros(0)
    logs = log_softmax(logits)
    own = logs[:, code]
    rest = np.log(np.maximum(-np.expm1(own), _TINY))
    share = float(model.shares[np.flatnonzero(model.codes == code)[0]])
    return np.asarray(np.clip(own - rest - np.log(share / (1 - share)), -least, least), np.float64)


def _batches(study: Study, model: NaiveBayes, groups: Groups) -> Iterator[tuple[Numbers, Groups]]:
    """Give the groups in portions of about `_BATCH` terms, only their rows with the label."""
    labels = model.class_of[study.column("label")]
    size = sum(float(chunk["grams.offsets"][-1]) if "grams" in chunk else 0.0 for chunk in study.chunks)
    size = 1.0 + (size + 2 * model.length * study.rows) / max(1, study.rows)
    parts: list[Numbers] = []
    places: list[int] = []
    for group in range(len(groups)):
        rows = groups.rows_of(group)
        rows = rows[labels[rows] == groups.classes[group]]
        parts.append(rows[np.unique(np.linspace(0, len(rows) - 1, min(MOST, len(rows))).astype(np.int64))])
        places.append(group)
        if sum(map(len, parts)) * size > _BATCH or group == len(groups) - 1:
            yield np.array(places), Groups.of(parts, groups.classes[places])
            parts, places = [], []


def _asked(study: Study, model: NaiveBayes, spaces: list[TermSpace], offsets: Floats, groups: Groups, least: float) -> Floats:
    """Give the mean of what the rows of groups say for the groups' classes."""
    distinct, place = np.unique(groups.rows, return_inverse=True)
    owner = np.repeat(np.arange(len(groups)), np.diff(groups.offsets))
    folds = study.column(f"{COLUMN}.fold")[distinct].astype(np.int64)[place]
    total = np.zeros((len(place), len(study.label_names)))
    silent = np.ones(len(place), bool)
    for space in spaces:
        left = _left(space, _terms(study, space.kind, distinct), place, owner)
        total += _total(space, left, folds)
        silent &= np.diff(left.edges) == 0
    total += offsets
    out = np.full(len(groups), np.nan)
    for one in np.unique(groups.classes).tolist():
        mine = groups.classes[owner] == one
        if model.codes[one] >= 0:
            said = np.where(silent[mine], 0.0, _content(total[mine], model, int(model.codes[one]), least))
            count = np.bincount(owner[mine], minlength=len(groups))
            mean = np.bincount(owner[mine], weights=said, minlength=len(groups)) / np.maximum(count, 1)
            out[count > 0] = mean[count > 0]
    return out


def _total(space: TermSpace, rows: Terms, folds: Numbers) -> Floats:
    first, second = space.scores(rows, folds)
    return np.asarray(first + second, np.float64)


def _terms(study: Study, kind: str, rows: Numbers) -> Terms:
    """Give the terms of some rows, sorted."""
    found = []
    for chunk in study.chunks:
        inside = rows[(rows >= chunk.start) & (rows < chunk.start + chunk.rows)] - chunk.start
        if len(inside):
            chosen = np.zeros(chunk.rows, bool)
            chosen[inside] = True
            found.append(terms(chunk, kind, chosen))
    lengths = np.concatenate([np.diff(part.edges) for part in found])
    edges = np.append(0, np.cumsum(lengths))
    return Terms(edges, np.concatenate([part.slots for part in found]), np.concatenate([part.counts for part in found]))


def _left(space: TermSpace, texts: Terms, place: Numbers, owner: Numbers) -> Terms:
    """Give the terms of each group's rows without those that more than `_SHARED` of them have, or that hardly stand elsewhere.

    Args:
        space: Whose terms they are.
        texts: Of distinct rows.
        place: Which of these each member of a group is.
        owner: Group of each member, sorted.
    """
    lengths = np.diff(texts.edges)[place]
    at = ranges(texts.edges[:-1][place], lengths)
    member = np.repeat(np.arange(len(place)), lengths)
    cells, inverse, having = np.unique(
        (owner[member] << 32) | texts.slots[at].astype(np.int64), return_inverse=True, return_counts=True
    )
    column = space.places[cells & 0xFFFFFFFF]
    everywhere = np.where(column >= 0, space.seen[np.maximum(column, 0)], 0) if len(space.seen) else np.zeros(len(cells))
    own = (having > _SHARED * np.bincount(owner)[cells >> 32]) | ((having > 1) & (having > _SHARED * everywhere))
    kept = ~own[inverse]
    edges = np.append(0, np.cumsum(np.bincount(member[kept], minlength=len(place))))
    return Terms(edges, texts.slots[at][kept], texts.counts[at][kept])
