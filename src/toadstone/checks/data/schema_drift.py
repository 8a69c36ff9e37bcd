"""Columns that are not what they were in the previous version."""

from __future__ import annotations

from collections.abc import Iterator
from math import asin, log, sqrt

import numpy as np
import pyarrow as pa

from toadstone.core.check import check
from toadstone.core.fact import Table
from toadstone.core.finding import Json, Severity
from toadstone.stats.proportions import log_difference, newcombe
from toadstone.study.check import DataCheck
from toadstone.study.evidence import Evidence, Group
from toadstone.study.profile import Column, apart, profile
from toadstone.study.small import study_of
from toadstone.study.study import Study

_CERTAIN = log(1e-12)
"""What is read off two schemas is there: a nominal p-value."""
_MOST = 20


@check(
    "schema-drift",
    severity=Severity.MEDIUM,
    reads=Table,
    references=("CWE-345", "CWE-354", "MITRE ATLAS 2026.08 AML.T0059", "OWASP LLM 2026 LLM05"),
    stages=("pretraining", "tuning", "embedding"),
)
class SchemaDrift(DataCheck):
    """Columns, labels or their spread are not what they were in the previous version.

    ## Why it matters

    A model that is trained again on data of another shape learns something else without any error. A label that nobody
    introduced, a column that turned to text, a label's rate that jumped: each is a mistake in a pipeline, or somebody's work.

    ## How it decides

    With `--baseline`, both versions are read column by column. Columns that were added, removed or have another type, and labels
    that appeared or vanished, are reported as they are. Rates of missing values, rates of labels and of other categories are
    compared by a test of two shares and reported with Newcombe's interval when they are significant after correction and their
    distance (Cohen's h) is at least `distance`; spreads of numbers and of lengths of texts by the largest difference of their
    cumulative shares (at least `gap`). `medium` is what concerns labels or removes or retypes a column, `low` is the rest. No row
    is quarantined.

    ## What it misses

    Changes that keep every column's spread, changes within nested and binary columns, and everything without a baseline.

    ## Remedy

    Find the commit, the run or the person behind the change. Pin data sets, so that changes are seen when they happen.

    ## References

    - Cohen: *Statistical Power Analysis for the Behavioral Sciences*, 2nd edition, 1988 (the distance h of two shares)
    - Massart: *The tight constant in the Dvoretzky-Kiefer-Wolfowitz inequality*, Annals of Probability 18, 1990
    - Breck et al.: *Data Validation for Machine Learning*, MLSys 2019
    """

    distance: float = 0.2
    """Least distance of two shares (Cohen's h) that is reported; 0.2 is small, 0.8 large."""
    gap: float = 0.15
    """Least difference of cumulative shares of numbers or lengths that is reported."""

    compares = True

    def weigh(self, study: Study) -> Evidence:
        """Compare the versions."""
        base = study.baseline
        if base is None:
            return Evidence(not_run="there is no previous version (--baseline)")
        groups = list(_columns(study.dataset.schema, base.dataset.schema))
        new, old = profile(study), profile(base)
        tests = len(set(new) | set(old))
        retyped = {str(group.value) for group in groups}
        for name in sorted(set(new) & set(old) - retyped):
            found, count = self._column(name, new[name], old[name], label=name == study.roles.label)
            groups += found
            tests += count
        groups.sort(key=lambda group: (-group.severity, group.log_p, str(group.value)))
        return Evidence(tuple(groups[:_MOST]), tests=tests)

    def _column(self, name: str, new: Column, old: Column, *, label: bool) -> tuple[list[Group], int]:
        if not new.rows or not old.rows:
            return [], 0
        groups = self._share(
            name, "is missing", new.missing, new.rows, old.missing, old.rows, Severity.MEDIUM if label else Severity.LOW
        )
        tests = 1
        if not new.many and not old.many and new.values and old.values:
            severity = Severity.MEDIUM if label else Severity.LOW
            if label:
                groups += list(_labels(name, new, old))
            there, before = sum(new.values.values()), sum(old.values.values())
            shared = set(new.values) & set(old.values) if label else set(new.values) | set(old.values)
            options = []
            for value in sorted(shared):
                tests += 1
                options += self._share(
                    name, f"is {value!r}", new.values.get(value, 0), there, old.values.get(value, 0), before, severity, value
                )
            options.sort(key=lambda group: (group.log_p, str(group.value)))
            groups += options[: 10 if label else 2]
        elif new.bins and old.bins and new.numeric == old.numeric:
            tests += 1
            groups += self._spread(name, new, old)
        return groups, tests

    def _share(
        self, name: str, told: str, hits: int, of: int, before: int, rows: int, severity: Severity, value: str | None = None
    ) -> list[Group]:
        p, q = hits / max(1, of), before / max(1, rows)
        distance = abs(2 * asin(sqrt(p)) - 2 * asin(sqrt(q)))
        if distance < self.distance or not of or not rows:
            return []
        low, high = newcombe(hits, of, before, rows)
        details: dict[str, Json] = {"difference": [round(low, 4), round(high, 4)], "distance": round(distance, 3), "rows": hits}
        return [
            _group(
                {name: value} if value is not None else name,
                f"{name} {told} in {p:.1%} of {of:,} rows, in {q:.1%} of {rows:,} before.",
                severity,
                log_difference(hits, of, before, rows),
                min(1.0, distance),
                details,
            )
        ]

    def _spread(self, name: str, new: Column, old: Column) -> list[Group]:
        gap, log_p = apart(new.bins, old.bins)
        if gap < self.gap:
            return []
        what = "numbers" if new.numeric else "lengths of texts"
        told = f"The {what} in {name} lie from {new.low:g} to {new.high:g}, before from {old.low:g} to {old.high:g};"
        details: dict[str, Json] = {"gap": round(gap, 4), "rows": new.rows}
        return [_group(name, f"{told} {gap:.0%} of the rows are elsewhere.", Severity.LOW, log_p, gap, details)]

    @classmethod
    def bad(cls) -> Iterator[Study]:
        """Give a column that became text, a label that appeared, a rate of missing values that jumped."""
        before = {"label": ["a", "b"] * 100, "age": list(range(200)), "note": ["x"] * 200}
        for change in ({"age": ["old"] * 200}, {"label": ["a", "c"] * 100}, {"note": [None, "x"] * 100}, {"label": ["a"] * 200}):
            yield study_of(pa.table(before | change), baseline=study_of(pa.table(before)))

    @classmethod
    def good(cls) -> Iterator[Study]:
        """Give two samples of the same."""
        rng = np.random.default_rng(3)
        tables = [
            pa.table({"label": rng.choice(["a", "b"], size).tolist(), "age": rng.normal(40, 9, size)}) for size in (500, 300)
        ]
        yield study_of(tables[0], baseline=study_of(tables[1]))


def _columns(new: pa.Schema, old: pa.Schema) -> Iterator[Group]:
    """Compare names and types."""
    for name in sorted(set(new.names) | set(old.names)):
        if name not in old.names:
            told, severity = f"The column {name!r} is new.", Severity.LOW
        elif name not in new.names:
            told, severity = f"The column {name!r} is gone.", Severity.MEDIUM
        elif _family(new.field(name).type) != _family(old.field(name).type):
            told = f"The column {name!r} holds {new.field(name).type}, before {old.field(name).type}."
            severity = Severity.MEDIUM
        else:
            continue
        yield _group(name, told, severity, _CERTAIN, 1.0, {})


def _family(kind: pa.DataType) -> str:
    """Name what a type holds, whatever its width: files of the same data differ in that."""
    if pa.types.is_dictionary(kind):
        return _family(kind.value_type)
    for name, is_it in (
        ("text", lambda kind: pa.types.is_string(kind) or pa.types.is_large_string(kind)),
        ("binary", lambda kind: pa.types.is_binary(kind) or pa.types.is_large_binary(kind)),
        ("integer", pa.types.is_integer),
        ("number", lambda kind: pa.types.is_floating(kind) or pa.types.is_decimal(kind)),
        ("time", pa.types.is_temporal),
        ("list", lambda kind: pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)),
        ("struct", pa.types.is_struct),
    ):
        if is_it(kind):
            return name
    return str(kind)


def _labels(name: str, new: Column, old: Column) -> Iterator[Group]:
    """Report labels that appeared or vanished; a rare one may be missing by chance."""
    there, before = sum(new.values.values()), sum(old.values.values())
    for value in sorted(set(new.values) ^ set(old.values)):
        count, earlier = new.values.get(value, 0), old.values.get(value, 0)
        told = f"The label {value!r} is new, in {count:,} rows." if count else f"The label {value!r} of {earlier:,} rows is gone."
        chance = log_difference(count, there, earlier, before) if not count else _CERTAIN
        details: dict[str, Json] = {"rows": count}
        yield _group({name: value}, told, Severity.MEDIUM, chance, 1.0, details)


def _group(value: Json, told: str, severity: Severity, log_p: float, effect: float, details: dict[str, Json]) -> Group:
    rows = np.zeros(0, np.int64)
    return Group("column", value, rows, 0, log_p, severity, told, effect=effect, details=details, rows_stand=False)
