"""Groups of people, places or origins that a data set treats differently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.core.check import check
from toadstone.core.fact import Table
from toadstone.core.finding import Confidence, Json, Severity
from toadstone.stats.proportions import log_difference, newcombe, wilson
from toadstone.study.check import DataCheck
from toadstone.study.evidence import Evidence, Group
from toadstone.study.ingest import names_of
from toadstone.study.small import study_of
from toadstone.study.study import Study
from toadstone.tables.dataset import Fragment, Trouble

_MOST_VALUES = 10_000
_SAMPLE = 20
_MOST = 10
_MOST_UNASKED = 3
_MISSING = "(missing)"


@dataclass
class _Table:
    """Rows of each value of a column by label.

    Attributes:
        counts: By value, then by label.
        samples: First rows of each value.
        rows: How many there were.
        full: Whether there are more values than are counted.
    """

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    samples: dict[str, list[int]] = field(default_factory=dict)
    rows: int = 0
    full: bool = False

    def size(self, value: str) -> int:
        """Rows that have a value."""
        return sum(self.counts.get(value, {}).values())

    def labels(self) -> dict[str, int]:
        """Rows of each label."""
        totals: dict[str, int] = {}
        for by_label in self.counts.values():
            for label, count in by_label.items():
                totals[label] = totals.get(label, 0) + count
        return totals


@dataclass(frozen=True)
class _Cross:
    """Counts pairs of a column's value and the label."""

    column: str
    label: str | None

    @property
    def columns(self) -> list[str]:
        """What is read of the data set."""
        return [self.column] if self.label in (None, self.column) else [self.column, str(self.label)]

    def map(self, part: Fragment) -> _Table:
        table = _Table()
        for batch in part.batches(self.columns):
            if isinstance(batch, Trouble):
                continue
            values, codes = _encoded(batch.column(self.column))
            labels, marks = _encoded(batch.column(self.label)) if self.label is not None else ([""], np.zeros_like(codes))
            pairs, firsts, counts = np.unique(codes * len(labels) + marks, return_index=True, return_counts=True)
            for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
                by_label = table.counts.setdefault(values[pair // len(labels)], {})
                name = labels[pair % len(labels)]
                by_label[name] = by_label.get(name, 0) + count
            for pair, first in zip(pairs.tolist(), firsts.tolist(), strict=True):
                value = values[pair // len(labels)]
                if len(table.samples.setdefault(value, [])) < _SAMPLE:
                    more = np.flatnonzero(codes[first:] == pair // len(labels))[:_SAMPLE] + first + table.rows
                    table.samples[value] = sorted({*table.samples[value], *more.tolist()})[:_SAMPLE]
            table.rows += batch.num_rows
            if len(table.counts) > _MOST_VALUES:
                return _Table(rows=table.rows, full=True)
        return table

    def combine(self, left: _Table, right: _Table) -> _Table:
        if left.full or right.full:
            return _Table(rows=left.rows + right.rows, full=True)
        for value, by_label in right.counts.items():
            known = left.counts.setdefault(value, {})
            for label, count in by_label.items():
                known[label] = known.get(label, 0) + count
            held = left.samples.setdefault(value, [])
            held += [left.rows + row for row in right.samples[value][: _SAMPLE - len(held)]]
        left.rows += right.rows
        left.full = len(left.counts) > _MOST_VALUES
        return left

    def finish(self, state: _Table | None) -> _Table:
        return state or _Table()


@check(
    "group-bias",
    severity=Severity.MEDIUM,
    reads=Table,
    references=("CWE-1039", "MITRE ATLAS 2026.08 AML.T0059", "OWASP LLM 2026 LLM05"),
    stages=("pretraining", "tuning", "embedding"),
)
class GroupBias(DataCheck):
    """Some groups of rows are represented or labelled differently from the others.

    ## Why it matters

    A model repeats what its data say about a group. Whether that is the world, the way the data were collected, or somebody's
    hand cannot be read off the rows; that it changed since the last version can.

    ## How it decides

    For every value of the columns that `groups` names (by default, the contributor), each label's share is compared with that
    among the other rows, and, with `--baseline`, with that of the same value in the previous version; so is the value's share of
    all rows. Reported are differences whose interval (Newcombe's, from Wilson's for each share) leaves out zero after correction
    for all comparisons and that are at least `difference` wide: `medium` against the previous version, `low` within the data,
    `info` for columns that nobody asked for. No row is ever quarantined for it.

    ## What it misses

    Groups that no column names, combinations of columns, and differences in what the texts say of a group. Of columns with more
    than ten thousand values nothing is said.

    ## Remedy

    Find out why. Collect more rows of a group that is missing; weigh or resample if the difference is not the world's.

    ## References

    - Wilson: *Probable Inference, the Law of Succession, and Statistical Inference*, JASA 22, 1927
    - Newcombe: *Interval estimation for the difference between independent proportions*, Statistics in Medicine 17, 1998
    - NIST SP 1270, *Towards a Standard for Identifying and Managing Bias in Artificial Intelligence*, 2022
    """

    groups: tuple[str, ...] = ()
    """Columns whose values are compared; none: the column of the contributor."""
    difference: float = 0.1
    """Least difference of two shares that is reported."""
    fewest: int = 30
    """Rows of a group from which it is compared."""

    def weigh(self, study: Study) -> Evidence:
        """Compare the groups."""
        asked = bool(self.groups)
        columns = list(self.groups) or [name for name in (study.roles.source,) if name is not None]
        unknown = [name for name in columns if name not in study.dataset.schema.names]
        if unknown:
            return Evidence(not_run=f"there is no column {unknown[0]!r}")
        if not columns:
            return Evidence(idle="no column is named in `groups`, and there is no contributor")
        found: list[Group] = []
        tests = 0
        for column in columns:
            table = study.reread(_Cross(column, study.roles.label))
            if table.full:
                continue
            base = study.baseline
            before = base.reread(_Cross(column, study.roles.label)) if base is not None and _has(base, column, study) else None
            groups, count = self._compared(column, table, before, asked=asked)
            found += groups
            tests += count
        if not tests:
            return Evidence(idle=f"no value of {', '.join(columns)} has {self.fewest} rows and others to compare with")
        found.sort(key=lambda group: (-group.severity, group.log_p, str(group.value)))
        unasked = [group for group in found if group.severity == Severity.INFO][:_MOST_UNASKED]
        found = [group for group in found if group.severity > Severity.INFO][:_MOST] + unasked
        return Evidence(tuple(found), tests=tests)

    def _compared(self, column: str, table: _Table, before: _Table | None, *, asked: bool) -> tuple[list[Group], int]:
        within = Severity.LOW if asked else Severity.INFO
        groups, tests = [], 0
        totals = table.labels()
        for value in sorted(set(table.counts) | set(before.counts if before else ())):
            size, by_label = table.size(value), table.counts.get(value, {})
            rest = table.rows - size
            rows = np.array(table.samples.get(value, []), np.int64)
            options: list[tuple[float, Severity, str, str | None, tuple[float, float]]] = []
            if before is not None and before.rows and max(size, before.size(value)) >= self.fewest:
                tests += 1
                options += self._of(size, table.rows, before.size(value), before.rows, Severity.MEDIUM, "of all rows", None)
            if size >= self.fewest and len(totals) > 1:
                for label, total in sorted(totals.items()):
                    hits = by_label.get(label, 0)
                    if rest >= self.fewest:
                        tests += 1
                        options += self._of(hits, size, total - hits, rest, within, "among the others", label)
                    if before is not None and before.size(value) >= self.fewest:
                        tests += 1
                        old = before.counts[value].get(label, 0)
                        options += self._of(hits, size, old, before.size(value), Severity.MEDIUM, "in the baseline", label)
            if options:
                options.sort(key=lambda option: (-option[1], option[0], str(option[3])))
                groups.append(_group(column, value, rows, size, options[0]))
        return groups, tests

    def _of(
        self, hits: int, trials: int, others: int, of: int, severity: Severity, where: str, label: str | None
    ) -> list[tuple[float, Severity, str, str | None, tuple[float, float]]]:
        """Compare two shares; give what is to be said when they differ."""
        if not trials or not of:
            return []
        p, q = hits / trials, others / of
        log_p = log_difference(hits, trials, others, of)
        interval = newcombe(hits, trials, others, of)
        if label is None:
            relative = abs(p - q) / max(p, q, 1e-12) >= 0.5 and abs(p - q) >= self.difference / 10
            if not relative and abs(p - q) < self.difference:
                return []
            told = f"makes up {p:.1%} of the rows, {q:.1%} in the baseline"
        else:
            if abs(p - q) < self.difference or interval[0] <= 0.0 <= interval[1]:
                return []
            low, high = wilson(hits, trials)
            told = f"has the label {label!r} in {p:.1%} of {trials:,} rows ({low:.1%} to {high:.1%}), {q:.1%} {where}"
        return [(log_p, severity, told, label, interval)]

    @classmethod
    def bad(cls) -> Iterator[Study]:
        """Give a contributor whose rows are labelled differently, asked for and not; one that became rare."""
        yield _example(0.2, None)
        yield _example(0.5, 0.5, 20)

    @classmethod
    def good(cls) -> Iterator[Study]:
        """Give contributors with the same rates of labels."""
        yield _example(0.5, 0.5)


def _example(rate: float, before: float | None, rare: int = 100) -> Study:
    """Make contributors of which one has its own rate of a label, and its own number of rows."""
    baseline = None if before is None else _example(before, None)
    labels, sources = [], []
    for place in range(4):
        size = rare if place == 0 else 100
        share = rate if place == 0 else 0.5
        labels += ["yes" if row < share * size else "no" for row in range(size)]
        sources += [f"office {place}"] * size
    return study_of({"label": labels, "source": sources}, baseline=baseline)


def _encoded(column: pa.Array) -> tuple[list[str], NDArray[np.int64]]:
    """Give the values of a column and the code of each row."""
    encoded = names_of(column).dictionary_encode()
    values = [str(value) for value in encoded.dictionary.to_pylist()] + [_MISSING]
    codes = np.asarray(encoded.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False), np.int64)
    return values, codes


def _has(base: Study, column: str, study: Study) -> bool:
    names = base.dataset.schema.names
    return column in names and (study.roles.label is None or study.roles.label in names)


def _group(
    column: str,
    value: str,
    rows: NDArray[np.int64],
    size: int,
    option: tuple[float, Severity, str, str | None, tuple[float, float]],
) -> Group:
    log_p, severity, told, label, interval = option
    details: dict[str, Json] = {"rows": size, "difference": [round(interval[0], 4), round(interval[1], 4)]}
    return Group(
        "column",
        {column: value},
        rows,
        size,
        log_p,
        severity,
        f"{column} {value!r} {told}.",
        lesson=f"that {column} {value!r} goes with {label!r}" if label is not None else f"how often there is {column} {value!r}",
        confidence=Confidence.MEDIUM,
        label=label,
        effect=float(min(1.0, max(abs(interval[0]), abs(interval[1])))),
        details=details,
        rows_stand=False,
    )
