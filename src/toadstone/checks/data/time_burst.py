"""Stretches of time in which labels are not what the rows say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from toadstone.core.check import check
from toadstone.core.fact import Table
from toadstone.core.finding import Confidence, Json, Severity
from toadstone.study import samples
from toadstone.study.check import DataCheck
from toadstone.study.contributors import OWN, Weighed, judged, temper, weighed
from toadstone.study.evidence import Evidence, Group
from toadstone.study.naive_bayes import NaiveBayes, naive_bayes
from toadstone.study.small import study_of
from toadstone.study.study import Chunk, Study
from toadstone.views.words import Words

_SHORTEST = 8
_LONGEST_SHARE = 0.1
_PERSISTENT = 0.4
"""Persistence of labels from which time itself decides them: then no window can be told from any other."""
_DENSITIES = (0.3, 0.8)
"""Shares of wrong labels in a window that are tried."""
_LABELS = 8
_KEPT = 40
_MOST = 10
_CLEAR = 12.0
_END = 0.02
"""Share of the rows, the latest, that count as the end of the collection."""
_MOMENTS = 20


@dataclass(frozen=True)
class _Window:
    """Consecutive rows in the order of time: ranks from ``first`` to before ``stop``."""

    value: float
    first: int
    stop: int


@check(
    "time-burst",
    severity=Severity.HIGH,
    reads=Table,
    references=(
        "CWE-349",
        "MITRE ATLAS 2026.08 AML.T0020",
        "OWASP LLM 2026 LLM05",
        "OWASP LLM 2025 LLM04",
    ),
    stages=("pretraining", "tuning", "embedding"),
)
class TimeBurst(DataCheck):
    """In one stretch of time the labels disagree with what the rows say.

    ## Why it matters

    Poison is put in when somebody has access, and often just before the data set is frozen, so that nobody has time to see it.
    Whatever name it comes under, it comes in a burst.

    ## How it decides

    Rows are put in the order of time. Windows of all lengths from eight rows to a tenth of the data are scanned for labels that
    the content contradicts, all labels together and each label by itself (a scan statistic). The strongest are weighed as
    contributors are in `source-concentration`: the evidence counts as of independent rows, and what the other windows of the same
    data reach is taken for usual, so that honest bursts (one event, one campaign, a change of subject)
    explain themselves. Where labels follow from the time itself nothing is more than `low`. `high`, with the contrary rows
    quarantined, is a window whose rows are as mixed as those of other windows; `medium` is any other. A window at the end of
    the collection says so.

    ## What it misses

    Poison that trickles in evenly, times that were forged, and wrong labels that words do not contradict.

    ## Remedy

    Find out who had access then. Go back to the version before, or leave out the contrary rows.

    ## References

    - Kulldorff: *A spatial scan statistic*, Communications in Statistics 26, 1997
    - Carlini et al.: *Poisoning Web-Scale Training Datasets is Practical*, IEEE S&P 2024 (edits just before a snapshot)
    """

    needs: ClassVar[tuple[str, ...]] = ("words", "grams")
    roles: ClassVar[tuple[str, ...]] = ("text", "label", "time")

    def weigh(self, study: Study) -> Evidence:
        """Scan time."""
        model = naive_bayes(study)
        if isinstance(model, str):
            return Evidence(not_run=model)
        times, labels = study.column("time"), study.column("label")
        rows = np.flatnonzero(np.isfinite(times) & (labels >= 0))
        rows = rows[np.argsort(times[rows], kind="stable")]
        distinct = 1 + int(np.count_nonzero(np.diff(times[rows]))) if len(rows) else 0
        if len(rows) < 10 * _SHORTEST or distinct < _MOMENTS:
            return Evidence(idle=f"{len(rows):,} labelled rows have {distinct:,} different times; that is too few")
        classes = judged(study, model)
        own = study.column(OWN)[rows].astype(np.float64)
        windows, tests = _scanned(own, labels[rows], classes)
        found = weighed(study, model, [np.sort(rows[window.first : window.stop]) for window in windows])
        values = np.array([one.discounted for one in found])
        factor = temper(values, max(2, len(rows) // (4 * _SHORTEST)))
        usual = _usual(study, model, rows) if _persistence(labels[rows]) <= _PERSISTENT else -1.0
        groups = [
            _group(study, times, rows, windows[place], found[place], factor, usual, tests)
            for place in np.argsort(-values, kind="stable")[:_MOST].tolist()
            if values[place] > 0 and found[place].contrary.any()
        ]
        return Evidence(tuple(groups), tests=tests, detectable=_detectable(own, factor, tests, study.fdr))

    @classmethod
    def bad(cls) -> Iterator[Study]:
        """Give wrong labels in one stretch."""
        yield study_of(_example(wrong=range(300, 324)), [Words()])

    @classmethod
    def good(cls) -> Iterator[Study]:
        """Give labels that are right all the time."""
        yield study_of(_example(wrong=range(0)), [Words()])


def _persistence(labels: NDArray[np.int32]) -> float:
    """Give how much more often rows next to each other in time share a label than chance has it, 0 to 1."""
    shares = np.bincount(labels) / max(1, len(labels))
    chance = float((shares * shares).sum())
    return (float((labels[1:] == labels[:-1]).mean()) - chance) / max(1 - chance, 1e-9)


def _scanned(own: NDArray[np.float64], labels: NDArray[np.int32], classes: int) -> tuple[list[_Window], int]:
    """Give the strongest windows that do not overlap, and the number of windows that were looked at."""
    ratio = (1 - own) / np.maximum(own * max(classes - 1, 1), 1e-12)
    frequent = np.argsort(-np.bincount(labels), kind="stable")[:_LABELS]
    found: list[_Window] = []
    tests = 0
    for density in _DENSITIES:
        evidence = np.log1p(density * (ratio - 1))
        chosen: list[NDArray[np.float64]] = [evidence]
        if density == _DENSITIES[-1]:
            chosen += [np.where(labels == label, evidence, 0.0) for label in frequent.tolist()]
        for values in chosen:
            sums = np.append(0.0, np.cumsum(values))
            windows, count = _best(sums)
            found += windows
            tests += count
    found.sort(key=lambda window: (-window.value, window.first, window.stop))
    kept: list[_Window] = []
    for window in found:
        if all(window.stop <= other.first or window.first >= other.stop for other in kept):
            kept.append(window)
            if len(kept) == _KEPT:
                break
    return kept, tests


def _best(sums: NDArray[np.float64]) -> tuple[list[_Window], int]:
    """Give the best windows of each length, with their edges moved to where the sum is largest."""
    size = len(sums) - 1
    found: list[_Window] = []
    tests, length = 0, _SHORTEST
    while length <= max(_SHORTEST, int(size * _LONGEST_SHARE)):
        starts = np.arange(0, size - length + 1, max(1, length // 4))
        values = sums[starts + length] - sums[starts]
        tests += len(starts)
        for start in starts[np.argsort(-values, kind="stable")[:_KEPT]].tolist():
            low, middle, high = max(0, start - length), start + length // 2, min(size, start + 2 * length)
            first = low + int(np.argmin(sums[low : middle + 1]))
            stop = middle + int(np.argmax(sums[middle : high + 1]))
            if stop - first >= 3:
                found.append(_Window(float(sums[stop] - sums[first]), first, stop))
        length *= 2
    return found, tests


def _usual(study: Study, model: NaiveBayes, rows: NDArray[np.int64]) -> float:
    """Give the cohesion of windows that were not chosen for anything."""
    rng = study.random("time-burst")
    length = min(24, len(rows) // 4)
    starts = rng.integers(len(rows) - length + 1, size=40)
    sample = weighed(study, model, [np.sort(rows[start : start + length]) for start in np.unique(starts).tolist()])
    return float(np.median([one.cohesion for one in sample]))


def _group(
    study: Study,
    times: NDArray[np.float64],
    order: NDArray[np.int64],
    window: _Window,
    one: Weighed,
    factor: float,
    usual: float,
    tests: int,
) -> Group:
    rows = one.rows[one.contrary]
    strength = one.discounted / factor
    sure = one.cohesion <= 1.5 * usual and strength >= np.log(tests) + _CLEAR and len(rows) >= 3
    first, last = (_moment(float(times[order[place]])) for place in (window.first, window.stop - 1))
    at_end = window.stop >= len(order) * (1 - _END)
    label = study.label_names[_most(study, "label", rows)[0]]
    details: dict[str, Json] = {"from": first, "to": last, "at_end": bool(at_end), "cohesion": round(one.cohesion, 4)}
    if study.roles.source is not None:
        source, share = _most(study, "source", rows)
        if source >= 0 and share >= 0.5:
            details["source"] = study.source_names[source]
    return Group(
        "time",
        f"{first} to {last}",
        rows,
        len(one.rows),
        -strength,
        Severity.HIGH if sure else Severity.MEDIUM if one.cohesion <= 1.5 * usual else Severity.LOW,
        f"The content of {len(rows):,} of the {len(one.rows):,} rows from {first} to {last}"
        f"{', the end of the collection,' if at_end else ''} speaks against their label, {one.excess:.1f} more than expected.",
        lesson=f"wrong labels, mostly {label!r}",
        confidence=Confidence.HIGH if sure else Confidence.MEDIUM,
        label=label,
        effect=float(np.clip(one.excess / len(one.rows), 0.0, 1.0)),
        details=details,
        rows_stand=bool(sure),
    )


def _most(study: Study, column: str, rows: NDArray[np.int64]) -> tuple[int, float]:
    """Give the most frequent code of some rows, -1 for none, and its share."""
    codes = np.concatenate([chunk[column][_inside(rows, chunk)] for chunk in study.chunks])
    counts = np.bincount(codes[codes >= 0], minlength=1)
    return (int(counts.argmax()), float(counts.max() / max(1, len(rows)))) if counts.any() else (-1, 0.0)


def _inside(rows: NDArray[np.int64], chunk: Chunk) -> NDArray[np.int64]:
    first, last = np.searchsorted(rows, [chunk.start, chunk.start + chunk.rows])
    return rows[first:last] - chunk.start


def _moment(seconds: float) -> str:
    """Write a time; small numbers are no times but an order."""
    if not 1e8 < abs(seconds) < 1e11:
        return f"{seconds:g}"
    return str(np.datetime64(round(seconds), "s"))


def _detectable(own: NDArray[np.float64], factor: float, tests: int, rate: float) -> int | None:
    """Give how many wrong labels next to each other suffice."""
    typical = float(np.median(np.log(own / np.maximum(1 - own, 1e-12)))) - 0.4
    return int(np.ceil((np.log(tests) + np.log(20 / rate)) * factor / typical)) if typical > 0.1 else None


def _example(wrong: range) -> dict[str, list[object]]:
    texts, labels = samples.texts(600)
    given: list[object] = [samples.other(label) if row in wrong else label for row, label in enumerate(labels)]
    return {"text": list(texts), "label": given, "time": [1.7e9 + 3600.0 * row for row in range(600)]}
