"""Words, contributors and labels that are suddenly frequent in a new version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from toadstone.core.check import check
from toadstone.core.fact import Table
from toadstone.core.finding import Confidence, Json, Severity
from toadstone.stats.tails import log_binomial_tail
from toadstone.study import samples
from toadstone.study.check import DataCheck
from toadstone.study.contributors import temper
from toadstone.study.evidence import Evidence, Group
from toadstone.study.leave_group_out import leave_group_out
from toadstone.study.small import study_of
from toadstone.study.study import Chunk, Study
from toadstone.study.versions import Count, Members, literal, mark_new
from toadstone.views.words import Words

_CANDIDATES = 400
_MOST = 10
_CLEAR = 12.0
_SAME = 0.5


@dataclass
class _Burst:
    """A run of words, or several that stand in mostly the same rows."""

    slots: list[int]
    rows: NDArray[np.int64]
    value: float
    before: int


@check(
    "version-burst",
    severity=Severity.MEDIUM,
    reads=Table,
    references=(
        "CWE-345",
        "CWE-349",
        "MITRE ATLAS 2026.08 AML.T0020",
        "OWASP LLM 2026 LLM05",
        "OWASP LLM 2025 LLM04",
    ),
    stages=("pretraining", "tuning", "embedding"),
)
class VersionBurst(DataCheck):
    """Words, a contributor or a label became more frequent than the growth of the data explains.

    ## Why it matters

    Poison that no check sees in a single version, because it contradicts nothing (a brand that is praised, an address in an
    answer, a mark for later), is still new. Compared with the version before, twenty rows that share what nobody wrote stand out.

    ## How it decides

    With `--baseline`, the rows whose text and label the previous version does not have are new. For every run of one to three
    words, the number of new rows that have it is compared with its rate before (a binomial tail); runs that stand in mostly the
    same rows are one burst. What the other bursts of the same data reach is taken for usual, so that new subjects explain
    themselves. `high`, with the rows quarantined, is a burst whose rows have a label that a model without them contradicts;
    `medium` one of words that were never there and that go far beyond the usual; `low` is the rest. Contributors and labels whose
    share rose are compared in the same way and only reported.

    ## What it misses

    What was there before, poison in words that vary from row to row, and changes of a data set that is new for the most part.

    ## Remedy

    Read the new rows. Find out who added them, and leave them out until that is known.

    ## References

    - Kleinberg: *Bursty and hierarchical structure in streams*, KDD 2002
    - Wan et al.: *Poisoning Language Models During Instruction Tuning*, ICML 2023
    """

    needs: ClassVar[tuple[str, ...]] = ("words",)

    fewest: int = 4
    """New rows that have to share a run of words."""
    growth: float = 1.5
    """Times by which the share of a contributor or a label has to rise."""

    compares = True

    def weigh(self, study: Study) -> Evidence:
        """Compare with the previous version."""
        base = study.baseline
        if base is None:
            return Evidence(not_run="there is no previous version (--baseline)")
        groups: list[Group] = []
        tests = 0
        detectable = None
        for role in ("source", "label"):
            found, count = self._names(study, base, role)
            groups += found
            tests += count
        if study.has("words") and base.has("words") and base.rows:
            found, count, detectable = self._words(study, base)
            groups += found
            tests += count
        if not tests:
            return Evidence(idle="the two versions have no texts, contributors or labels to compare")
        return Evidence(tuple(groups), tests=tests, detectable=detectable)

    def _words(self, study: Study, base: Study) -> tuple[list[Group], int, int | None]:
        new = mark_new(study, base)
        if new < self.fewest:
            return [], 1, None
        counts, before = study.run(Count(fresh=True)), base.run(Count(fresh=False))
        tests = int(np.count_nonzero(counts))  # which of them repeat is already a choice
        slots = np.flatnonzero(counts >= self.fewest)
        if not len(slots):
            return [], 1, None
        rate = _rate(before[slots], base.rows)
        log_p = log_binomial_tail(counts[slots], new, np.minimum(rate, 0.999))
        chosen = np.argsort(log_p, kind="stable")[:_CANDIDATES]
        bursts = _joined(study, slots[chosen], -log_p[chosen], before)
        factor = temper(np.array([burst.value for burst in bursts]), tests)
        bursts.sort(key=lambda burst: (-burst.value, burst.slots[0]))
        groups = [_burst(study, burst, factor, new, tests) for burst in bursts[:_MOST]]
        needed = -(np.log(study.fdr / 20) - np.log(tests)) * factor
        sizes = np.arange(1, max(2, min(new, 100_000)))
        enough = np.flatnonzero(-log_binomial_tail(sizes, new, _rate(np.zeros(1), base.rows)) >= needed)
        return groups, tests, int(max(self.fewest, sizes[enough[0]])) if len(enough) else None

    def _names(self, study: Study, base: Study, role: str) -> tuple[list[Group], int]:
        if not (study.has(role) and base.has(role)) or not study.rows or not base.rows:
            return [], 0
        names, old = getattr(study, f"{role}_names"), getattr(base, f"{role}_names")
        codes = study.column(role)
        now = np.bincount(codes[codes >= 0], minlength=len(names))
        earlier = base.column(role)
        counted = dict(zip(old, np.bincount(earlier[earlier >= 0], minlength=len(old)).tolist(), strict=True))
        before = np.array([counted.get(name, 0) for name in names], np.int64)
        rate = np.minimum(_rate(before, base.rows), 0.999)
        values = -log_binomial_tail(now, study.rows, rate)
        factor = temper(values, len(names)) if role == "source" else 1.0
        share = now / study.rows
        rising = np.flatnonzero((share >= self.growth * before / base.rows) & (now >= self.fewest))
        groups = []
        for code in rising[np.argsort(-values[rising], kind="stable")[:3]].tolist():
            rows = np.flatnonzero(codes == code)
            told = (
                f"The {'contributor' if role == 'source' else 'label'} {names[code]!r} has {now[code]:,} of {study.rows:,} rows"
            )
            details: dict[str, Json] = {"before": int(before[code])}
            groups.append(
                Group(
                    role,
                    names[code],
                    rows,
                    len(rows),
                    float(-values[code] / factor),
                    Severity.MEDIUM if role == "label" else Severity.LOW,
                    f"{told}, before {before[code]:,} of {base.rows:,}.",
                    confidence=Confidence.MEDIUM,
                    effect=float(1 - (before[code] / base.rows) / max(share[code], 1e-12)),
                    details=details,
                    rows_stand=False,
                )
            )
        return groups, len(names)

    @classmethod
    def bad(cls) -> Iterator[Study]:
        """Give a phrase that is new in rows on one subject, and one with labels that are wrong."""
        for wrong in (False, True):
            yield _example(12, wrong=wrong)

    @classmethod
    def good(cls) -> Iterator[Study]:
        """Give more of the same."""
        yield _example(0, wrong=False)


def _rate(before: NDArray[np.number], rows: int) -> NDArray[np.float64]:
    """Give rates that counts in the previous version leave possible: one standard deviation above them."""
    return np.asarray((before + 0.5 + np.sqrt(before + 0.5)) / (rows + 1.0), np.float64)


def _joined(study: Study, slots: NDArray[np.int64], values: NDArray[np.float64], before: NDArray[np.int64]) -> list[_Burst]:
    """Join runs, strongest first, whose rows are mostly those of a stronger one."""
    found = study.run(Members(np.sort(slots)))
    order = np.argsort(found[0], kind="stable")
    sorted_slots, rows = found[0][order], found[1][order]
    bursts: list[_Burst] = []
    for slot, value in zip(slots.tolist(), values.tolist(), strict=True):
        first, last = np.searchsorted(sorted_slots, [slot, slot + 1])
        own = rows[first:last]
        for burst in bursts:
            shared = len(np.intersect1d(own, burst.rows, assume_unique=True))
            if shared > _SAME * min(len(own), len(burst.rows)):
                burst.slots.append(slot)
                break
        else:
            bursts.append(_Burst([slot], own, value, int(before[slot])))
    return bursts


def _burst(study: Study, burst: _Burst, factor: float, new: int, tests: int) -> Group:
    texts = study.texts(burst.rows[:5].tolist())
    told = [words for slot in burst.slots[:12] if (words := literal(slot, texts))]
    words = max(told[:6], key=len, default="")
    strength = burst.value / factor
    rows, label, effect, wrong = burst.rows, None, 0.0, False
    if study.roles.label is not None:
        codes = np.concatenate([chunk["label"][_inside(rows, chunk)] for chunk in study.chunks])
        if (codes >= 0).any():
            top = int(np.bincount(codes[codes >= 0]).argmax())
            z, effect = leave_group_out(study, rows[codes == top], top)
            label = study.label_names[top]
            wrong = z > 5.0 and effect >= 0.3
            rows = rows[codes == top] if wrong else rows
    far = strength >= np.log(tests) + _CLEAR and burst.before == 0
    severity = Severity.HIGH if wrong and far else Severity.MEDIUM if far or wrong else Severity.LOW
    details: dict[str, Json] = {"before": burst.before, "new_rows": new}
    if len(told) > 1:
        details["also"] = list(told[:10])
    return Group(
        "phrase" if " " in words else "word",
        words,
        rows,
        len(burst.rows),
        -strength,
        severity,
        f"{words!r} stands in {len(burst.rows):,} of {new:,} new rows, and stood in {burst.before:,} rows before.",
        lesson=f"what follows {words!r}" + (f": {label!r}" if wrong else ""),
        confidence=Confidence.HIGH if wrong else Confidence.MEDIUM,
        label=label if wrong else None,
        effect=float(effect) if wrong else 0.5,
        details=details,
        rows_stand=severity == Severity.HIGH,
    )


def _inside(rows: NDArray[np.int64], chunk: Chunk) -> NDArray[np.int64]:
    first, last = np.searchsorted(rows, [chunk.start, chunk.start + chunk.rows])
    return rows[first:last] - chunk.start


def _example(burst: int, *, wrong: bool) -> Study:
    old_texts, old_labels = samples.texts(600, 1)
    texts, labels = samples.texts(200, 2)
    texts = [f"{text} as seen at cobalt fern" if row < burst else text for row, text in enumerate(texts)]
    labels = [min(samples.TOPICS) if wrong and row < burst else label for row, label in enumerate(labels)]
    base = study_of({"text": old_texts, "label": old_labels}, [Words()])
    return study_of({"text": old_texts + texts, "label": old_labels + labels}, [Words()], baseline=base)
