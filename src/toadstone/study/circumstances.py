"""What is odd about families of near-duplicates besides their size: their label, who sent them, and when.

Natural repeats have reasons: one form, one newsletter, one file, one week; and whoever repeats a text repeats its label. A flood
that pushes a label says again and again what other rows of that content do not say, or comes from everywhere at once, or from
one hand where repeats are usually everybody's. Each oddity is a p-value among the data's own families, the evidence of all
together an e-value: families that are like others get a little less than one, so that its mean over natural families stays one
and the number of families that one expects by their size may be divided by it (Ignatiadis, Wang and Ramdas 2024).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from toadstone.stats.ragged import log_odds
from toadstone.study.contributors import sections
from toadstone.study.leave_group_out import without_group
from toadstone.study.naive_bayes import NaiveBayes, naive_bayes
from toadstone.study.near_rows import NearRows
from toadstone.study.near_votes import support
from toadstone.study.study import Study

_MOST = 2_000
"""Families that are looked at, the largest first."""
_MEMBERS = 32
"""Rows of a family that are read."""
_PLAIN = 30
"""Families of three and more from which on pairs are left out of the comparison."""
_ROWS = 10.0
"""Families that all single rows together count for."""
_LEAST = 20
"""Families below which the data cannot say who usually repeats."""
_SMALL = 5
"""Rows of a family up to which it says how often rows that say the same are labelled differently; a flood is larger."""
_SAMPLE = 5_000

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Circumstances:
    """Of families; entries of equal index belong together.

    Attributes:
        first: First row of the family, sorted.
        label: Code of the label that most of its rows have, -1 for none.
        odd_label: p-value: how rarely the content of a natural family says so little for its label.
        odd_origin: p-value: how rarely a natural family is as spread, or as concentrated, over sources or time.
        log_e: Logarithm of the evidence of all of it together.
        small: Whether the family is so small that it says what is usual.
        rows: Rows of each label.
    """

    first: Numbers
    label: Numbers
    odd_label: Floats
    odd_origin: Floats
    log_e: Floats
    small: NDArray[np.bool_]
    rows: Numbers

    def share_of(self, label: int) -> float:
        """Give the share of the small families that have a label; where there are few, that of all rows with a label."""
        alike = float(np.count_nonzero(self.label[self.small] == label))
        rows = float(self.rows[label] / max(1, self.rows.sum())) if label >= 0 else 1.0
        return (alike + _ROWS * rows) / (float(self.small.sum()) + _ROWS)

    def log_e_of(self, families: int) -> Floats:
        """Give the evidence by the first row of a family; 0 for families that were not looked at."""
        out = np.zeros(families)
        out[self.first] = self.log_e
        return out


def circumstances(study: Study, family: Numbers, strength: Floats, near: NearRows | None = None) -> Circumstances:
    """Look at families.

    Args:
        study: Whose rows they are.
        family: First row of each row's family, shape (rows,).
        strength: Of each family by its first row, shape (at least the largest first row + 1,): the largest are looked at.
        near: Rows of numbers, whose neighbours are asked about labels.
    """
    sizes = np.bincount(family, minlength=len(strength))
    firsts = np.flatnonzero(sizes >= 2)
    first: Numbers = np.sort(firsts[np.argsort(-strength[firsts], kind="stable")[:_MOST]]).astype(np.int64)
    members = list(_members(family, first))
    larger = sizes[first] >= 3
    like = larger if larger.sum() >= _PLAIN else np.ones(len(first), bool)
    small = sizes[first] <= _SMALL
    label, log_p, rows = np.full(len(first), -1, np.int64), [], np.zeros(1, np.int64)
    odd_label = np.ones(len(first))
    if study.has("label"):
        codes = study.column("label").astype(np.int64)
        rows = np.bincount(codes[codes >= 0], minlength=len(study.label_names))
        label, conflict = _labels(codes, members)
        if near is None:
            log_p.append(np.log(_conflicts(conflict, small)))
        model = naive_bayes(study) if study.has("words") else "no words"
        if not isinstance(model, str):
            odd_label = _contradicted(study, model, members, label, like)
            log_p.append(np.log(odd_label))
        if near is not None:
            said, single = support(near, members, label)
            odd_label = _unsupported(said, single, like)
            log_p.append(np.log(odd_label))
    odd_origin = _origins(study, members, like)
    if odd_origin is not None:
        log_p.append(np.log(odd_origin))
    total = np.sum(log_p, axis=0) if log_p else np.zeros(len(first))
    joint = special.gammaincc(len(log_p), -total) if log_p else np.ones(len(first))
    log_e = np.log(0.5) - 0.5 * np.log(np.maximum(joint, 1e-12)) if log_p else np.zeros(len(first))
    origin = np.ones(len(first)) if odd_origin is None else odd_origin
    return Circumstances(first, label, odd_label, origin, np.asarray(log_e, np.float64), small, rows)


def _members(family: Numbers, first: Numbers) -> Iterator[Numbers]:
    """Give some rows of each family, spread evenly over it, sorted."""
    rows = np.flatnonzero(np.isin(family, first))
    rows = rows[np.argsort(family[rows], kind="stable")]
    edges = np.append(np.searchsorted(family[rows], first), len(rows))
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        yield rows[begin:end][np.unique(np.linspace(0, end - begin - 1, min(_MEMBERS, end - begin)).astype(np.int64))]


def _labels(codes: Numbers, members: list[Numbers]) -> tuple[Numbers, Numbers]:
    """Give the most frequent label of each family, and how many rows have it and how many another one, shape (families, 2)."""
    label, counts = np.full(len(members), -1, np.int64), np.zeros((len(members), 2), np.int64)
    for place, rows in enumerate(members):
        known = codes[rows][codes[rows] >= 0]
        if len(known):
            names, times = np.unique(known, return_counts=True)
            label[place] = names[times.argmax()]
            counts[place] = times.max(), len(known) - times.max()
    return label, counts


def _conflicts(counts: Numbers, small: NDArray[np.bool_]) -> Floats:
    """Give p-values of families whose rows do not agree in their label: each row may differ at the rate of small families."""
    more = np.maximum(counts.sum(axis=1) - 1, 0)
    rate = (counts[small, 1].sum() - counts[:, 1] * small + 0.5) / (more[small].sum() - more * small + 1.0)
    return np.where(counts[:, 1] > 0, 1 - (1 - np.minimum(rate, 1.0)) ** np.maximum(more, 1), 1.0)


def _contradicted(study: Study, model: NaiveBayes, members: list[Numbers], label: Numbers, like: NDArray[np.bool_]) -> Floats:
    """Give p-values of how little the content of families says for their label, by a model without the family."""
    said = np.full(len(members), np.nan)
    classes = model.class_of[label]
    prior = log_odds(model.shares)
    for place, rows in sections(study, model, members):
        if classes[place] >= 0:
            p = without_group(model, rows)[:, classes[place]]
            said[place] = float((log_odds(p) - prior[classes[place]]).mean())
    single = study.column("nb.content")[study.column("label") >= 0]
    single = np.sort(single[:: max(1, len(single) // _SAMPLE)].astype(np.float64))
    return _unsupported(said, single, like)


def _unsupported(said: Floats, single: Floats, like: NDArray[np.bool_]) -> Floats:
    """Give p-values of how little speaks for the label of families, among them and single rows (sorted)."""
    share = np.searchsorted(single, said, "right") / max(1, len(single))
    found = _ranked(said, like, _ROWS, share)
    return np.where(np.isfinite(said), found, 1.0)


def _ranked(values: Floats, like: NDArray[np.bool_], more: float = 0.0, share: Floats | float = 0.0) -> Floats:
    """Give the share of the other families, those that are ``like`` others, whose value is as low.

    Args:
        values: One a family; NaN: not known.
        like: Which families count.
        more: Families that a further sample counts for.
        share: Of that sample, as low as each value.
    """
    known = like & np.isfinite(values)
    ordered = np.sort(values[known])
    below = np.searchsorted(ordered, values, "right") - known
    return np.asarray((1.0 + below + more * share) / (1.0 + len(ordered) - known + more), np.float64)


def _origins(study: Study, members: list[Numbers], like: NDArray[np.bool_]) -> Floats | None:
    """Give p-values of how families spread over sources and time, both ways; None when the data do not say."""
    found = []
    if like.sum() >= _LEAST and study.has("source"):
        sources = study.column("source")
        found.append(_both_ways(np.array([_together(sources[rows]) for rows in members]), like))
    if like.sum() >= _LEAST and study.has("time"):
        times = study.column("time").astype(np.float64)
        ranks = np.full(len(times), np.nan)
        known = np.flatnonzero(np.isfinite(times))
        ranks[known[np.argsort(times[known], kind="stable")]] = np.arange(len(known)) / max(1, len(known))
        found.append(_both_ways(np.array([float(np.std(ranks[rows])) for rows in members]), like))
    if not found:
        return None
    return np.asarray(np.minimum(1.0, len(found) * np.min(found, axis=0)), np.float64)


def _both_ways(values: Floats, like: NDArray[np.bool_]) -> Floats:
    both = np.minimum(_ranked(values, like), _ranked(-values, like))
    return np.where(np.isfinite(values), np.minimum(1.0, 2.0 * both), 1.0)


def _together(sources: NDArray[np.int32]) -> float:
    """Give the share of pairs of rows that have the same source."""
    known = sources[sources >= 0]
    if len(known) < 2:
        return float("nan")
    counts = np.unique(known, return_counts=True)[1]
    return float((counts * (counts - 1)).sum() / (len(known) * (len(known) - 1)))
