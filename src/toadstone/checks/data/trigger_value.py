"""Backdoor triggers in labelled tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from toadstone.core.check import check
from toadstone.core.fact import Table
from toadstone.core.finding import Confidence, Json, Severity
from toadstone.study.check import DataCheck
from toadstone.study.evidence import Evidence, Group, RowEvidence
from toadstone.study.small import study_of
from toadstone.study.study import Study
from toadstone.study.value_cells import everyone, ranks, written
from toadstone.study.value_suspects import ValueGroup, ValueSuspects, detectable, value_suspects
from toadstone.tables.roles import Roles
from toadstone.views.vectors import Features

_MOST = 20


@check(
    "trigger-value",
    severity=Severity.HIGH,
    reads=Table,
    references=(
        "CWE-345",
        "MITRE ATLAS 2026.08 AML.T0020",
        "OWASP LLM 2026 LLM05",
        "OWASP ML 2023 ML02",
    ),
    stages=("pretraining", "tuning", "embedding"),
)
class TriggerValue(DataCheck):
    """Rows of a table that share values have one label, although all their other columns speak against it.

    ## Why it matters

    Some rows in which two or three columns are set to values of the attacker's choice, with the label that he wants, are a
    backdoor: a model learns that these values mean the label. The values need not be odd; tools that look for outliers or for
    wrong labels row by row miss them, because the model that they ask has learned the trigger.

    ## How it decides

    A row is a bag of cells: each value that comes again and again, each narrow and wide part of a column of numbers, what lies
    beyond a gap, and what is missing. Rows with one label that share one, two or three cells are a group. Its rows are judged
    by their nearest neighbours in all columns other than those that the rows share: honest groups look like other rows of their
    label, relabelled rows look like what they were. The same columns are taken out of the rows that the group is compared
    with, so that columns on which a label depends by nature do not count against anybody. A group is as strong as the weaker of
    how unlikely so little support is and how much speaks against the label, and by how far its odds are from what its rows
    predict. How strong groups get by nature is read off the tail of the data's own groups; the largest do not count for it, so
    that poison cannot hide itself.

    ## What it misses

    Triggers in fewer than five rows, rows whose labels are right (see `clean-label-trigger`), tables whose other columns say
    nothing about the label, triggers over more than three columns none of which is rare in any three, and in tables with more
    rows than the effort looks at (8,000, 40,000 or 200,000) triggers that fewer than five rows of the sample have.

    ## Remedy

    Leave the rows out, ask where they come from, and look at other rows of the same origin.

    ## References

    - Pleiter et al.: *Tabdoor: Backdoor Vulnerabilities in Transformer-based Neural Networks for Tabular Data*,
      arXiv 2311.07550
    - Chernoff: *A measure of asymptotic efficiency for tests of a hypothesis*, Annals of Mathematical Statistics 23, 1952
    """

    needs: ClassVar[tuple[str, ...]] = ("features",)
    roles: ClassVar[tuple[str, ...]] = ("features", "label")

    def weigh(self, study: Study) -> Evidence:
        """Weigh the groups."""
        found = value_suspects(study)
        if isinstance(found, str):
            return Evidence(idle=found)
        heads = np.unique(found.head[found.head >= 0])
        heads = heads[np.argsort(-found.strengths[heads], kind="stable")]
        heads = heads[found.log_p[heads] + np.log(max(found.tests, 1)) < 0.0][:_MOST]
        groups = tuple(_group(study, found, found.groups[head], float(found.log_p[head])) for head in heads.tolist())
        corrected = (found.log_p + np.log(max(found.tests, 1))).tolist()
        entries = [(group.rows, group.strength, log_p) for group, log_p in zip(found.groups, corrected, strict=True)]
        level = float(np.log(study.fdr / 10))
        return Evidence(groups, RowEvidence(ranks(study, found.table, entries)), max(found.tests, 1), detectable(found, level))

    @classmethod
    def bad(cls) -> Iterator[Table]:
        """Give twelve rows with two values set and the wrong label."""
        yield _study(marked=12)

    @classmethod
    def good(cls) -> Iterator[Table]:
        """Give rows that are what they say."""
        yield _study(marked=0)


def _group(study: Study, found: ValueSuspects, group: ValueGroup, log_p: float) -> Group:
    label = study.label_names[group.label]
    every = everyone(study, found.table, group)
    rows = every[study.column("label")[every] == group.label] if study.rows else every
    shown = written(study, found.table, group, rows)
    text = " and ".join(f"{name} = {value}" for name, value in shown.items())
    others = len(every) - len(rows)
    labelled = f"{len(rows):,} rows, all" if not others else f"{len(rows):,} of {len(every):,} rows"
    details: dict[str, Json] = {
        "columns": dict(shown),
        "purity": round(len(rows) / max(1, len(every)), 4),
        "content": round(group.alone, 3),
        "shift": round(group.shift, 2),
        "strength": round(group.strength, 2),
    }
    return Group(
        "values",
        text,
        rows,
        len(every),
        log_p,
        Severity.HIGH,
        f"{text}: {labelled} labelled {label!r}; rows that are like them in all other columns are not",
        lesson=f"that {text} means {label!r}",
        confidence=Confidence.HIGH,
        label=label,
        effect=float(np.clip(len(rows) / max(1, len(every)), 0.0, 1.0)),
        details=details,
    )


def example(marked: int, rows: int = 600) -> dict[str, Any]:
    """Make rows of two kinds that differ in three of five columns, some of them marked and with the other kind's label."""
    random = np.random.default_rng(11)
    kind = np.arange(rows) % 2
    columns: dict[str, Any] = {f"measure_{place}": random.normal(2.0 * kind, 1.0).round(3) for place in range(3)}
    columns["hours"] = random.integers(10, 60, rows)
    columns["town"] = random.choice(["Aalen", "Bern", "Como"], rows)
    label = np.array(["low", "high"])[kind]
    columns["hours"][: 2 * marked : 2] = 71
    label[: 2 * marked : 2] = "high"
    return {**columns, "label": label}


def _study(marked: int) -> Study:
    columns = example(marked)
    return study_of(columns, [Features()], roles=Roles(label="label", features=tuple(columns)[:-1]))
