"""Doubt about labels: how doubtful each row's label is, and how often right labels would look as doubtful."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.stats.label_noise import Calibration
from toadstone.stats.null import Tail, anchored, histogram
from toadstone.study.second_opinion import COLUMN, Opinion
from toadstone.study.study import Chunk, Study

SCORE = "label-doubt"
"""Column of the chunks: logarithm of the odds that the label is wrong, float64; NaN where it is missing."""

_BLOCK = 1 << 19
_ENOUGH = 50

Real = NDArray[np.float64]


def doubts(study: Study, calibration: Calibration, null: str = COLUMN) -> Tail:
    """Write `SCORE` of all chunks; give its distribution over right labels.

    Args:
        study: With the opinion.
        calibration: By which the opinion was written.
        null: Column of what the opinion would be if labels were right.
    """
    if study.trusted:
        study.run(_Doubt(calibration.noise, null), study.trusted)
    return study.run(_Doubt(calibration.noise, null), study.chunks)


def log_p_values(study: Study, tail: Tail) -> tuple[Real, bool]:
    """Give the logarithm of each row's p-value, 0 where the label is missing, and whether rows known to be good stand for it.

    With enough known-good rows of a label its rows are compared with those, else with all known-good rows.
    """
    out = study.array(study.rows, np.float64)
    good = np.concatenate([chunk[SCORE] for chunk in study.trusted]) if study.trusted else np.zeros(0)
    kinds = np.concatenate([chunk["label"] for chunk in study.trusted]) if study.trusted else np.zeros(0, np.int32)
    kinds, good = kinds[np.isfinite(good)], good[np.isfinite(good)]
    peers = {label: good[kinds == label] for label in np.unique(kinds).tolist()}
    promised = len(good) >= _ENOUGH
    for chunk in study.chunks:
        scores, labels = chunk[SCORE], chunk["label"]
        found = out[chunk.start : chunk.start + chunk.rows]
        judged = np.isfinite(scores)
        found[judged] = anchored(scores[judged], good, tail) if promised else tail.log_p(scores[judged])
        for label, own in peers.items() if promised else ():
            if len(own) >= 20.0 / study.fdr:
                found[judged & (labels == label)] = anchored(scores[judged & (labels == label)], own, tail)
        np.minimum(found, 0.0, out=found)
    study.rest()
    return out, promised


def detectable(study: Study, opinion: Opinion, calibration: Calibration, tail: Tail) -> int | None:
    """Give the smallest number of random flips of which some would be flagged here in nine of ten cases; None: no number would.

    Among k flips those below the limit of Benjamini and Hochberg for j rows are about Poisson.
    """
    rows, classes = len(opinion.labels), len(calibration.noise)
    other = (opinion.labels + 1 + np.arange(rows) % max(1, classes - 1)) % classes
    logs = calibration.log_probabilities(opinion.scores)
    log_p = np.sort(tail.log_p(odds(logs, calibration.noise)[np.arange(rows), other]))
    found = np.arange(1, max(2, study.rows // 2))
    shares = np.searchsorted(log_p, np.log(study.fdr * found / study.rows), "right") / rows
    needed = ((1.28 + np.sqrt(1.64 + 4.0 * found)) / 2.0) ** 2
    counts = np.maximum(np.ceil(needed[shares > 0] / shares[shares > 0]), found[shares > 0])
    smallest = int(counts.min()) if len(counts) else study.rows
    return smallest if smallest < study.rows // 2 else None


def odds(logs: Real, noise: Real) -> Real:
    """Give the logarithm of the odds that each label would be wrong, shape (rows, classes).

    Args:
        logs: Logarithm of the probability that each class is the right one, shape (rows, classes).
        noise: As of `toadstone.stats.label_noise.Calibration`.
    """
    chances = np.exp(logs)
    kept = np.diag(noise)
    wrong = np.maximum(chances @ (noise - np.diag(kept)), 1e-18)
    return np.log(wrong) - np.log(kept) - logs


@dataclass(frozen=True)
class _Doubt:
    """Writes how doubtful each label is, and sums how doubtful right ones would be."""

    noise: Real
    null: str

    def map(self, part: Chunk) -> Real:
        opinion, null, labels = part[COLUMN], part[self.null], part["label"]
        scores = np.full(part.rows, np.nan)
        weights = np.zeros(1)
        step = max(1, _BLOCK // opinion.shape[1])
        for start in range(0, part.rows, step):
            logs = opinion[start : start + step].astype(np.float64)
            own = labels[start : start + step]
            known = np.flatnonzero(own >= 0)
            every = odds(logs[known], self.noise)
            scores[start + known] = every[np.arange(len(known)), own[known]]
            weights = weights + histogram(every, np.exp(null[start : start + step][known].astype(np.float64)))
        part[SCORE] = scores
        return weights

    def combine(self, left: Real, right: Real) -> Real:
        return left + right

    def finish(self, state: Real | None) -> Tail:
        assert state is not None
        return Tail.of(state)
