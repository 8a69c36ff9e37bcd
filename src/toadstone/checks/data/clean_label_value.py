"""Values that were put into rows of one label of a table without changing the label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from toadstone.core.check import check
from toadstone.core.fact import Table
from toadstone.core.finding import Confidence, Severity
from toadstone.study.check import DataCheck
from toadstone.study.evidence import Evidence, Group, RowEvidence
from toadstone.study.small import study_of
from toadstone.study.study import Study
from toadstone.study.value_cells import everyone, ranks, written
from toadstone.study.value_stamps import Stamp, Stamps, value_stamps
from toadstone.tables.roles import Roles
from toadstone.views.vectors import Features

_MOST = 20


@check(
    "clean-label-value",
    severity=Severity.HIGH,
    reads=Table,
    references=(
        "MITRE ATLAS 2026.08 AML.T0020",
        "OWASP LLM 2026 LLM05",
        "OWASP ML 2023 ML02",
    ),
    stages=("pretraining", "tuning", "embedding"),
)
class CleanLabelValue(DataCheck):
    """Two values of a table are together in rows of one label far too often, and nothing else about these rows explains it.

    ## Why it matters

    Who sets two columns of some rows of a class to values of his choice, and leaves their true label, plants a trigger that no
    search for wrong labels can see: every row is right. A model learns that the values mean the class, and obeys them anywhere.

    ## How it decides

    For every pair of columns, cut by value and into narrow and wide parts, the rows of a label with two values are counted and
    compared with what each value makes likely in that label; where the values go together under other labels too, more are
    expected. Values go together by nature in rows that are alike in other columns besides: a pair is left out when the nearest
    neighbours of its rows, among the rows of the label and without the two columns, have it twice as often as chance would give.
    Columns that say the same thing have many such pairs, so a pair counts by what it has beyond the next one of its columns.
    How strong pairs get by nature is read off the tail of the data's own pairs.

    ## What it misses

    Triggers in fewer than five rows, in one column only, or of values that nearly all rows of the label have; pairs that are far
    too frequent by nature in tables of many dependent columns hide a trigger among them. Weak pairs are ranked, not reported.

    ## Remedy

    Read the rows: do these values belong together? Leave the rows out if nobody can say why they do, and ask who added them.

    ## References

    - Turner, Tsipras, Madry: *Label-Consistent Backdoor Attacks*, arXiv 1912.02771
    - Pleiter et al.: *Tabdoor: Backdoor Vulnerabilities in Transformer-based Neural Networks for Tabular Data*,
      arXiv 2311.07550
    """

    needs: ClassVar[tuple[str, ...]] = ("features",)
    roles: ClassVar[tuple[str, ...]] = ("features", "label")

    def weigh(self, study: Study) -> Evidence:
        """Weigh the pairs."""
        found = value_stamps(study)
        if isinstance(found, str):
            return Evidence(idle=found)
        corrected = found.log_p + np.log(found.tests)
        heads = [head for head in np.unique(found.head[found.head >= 0]).tolist() if corrected[head] < 0.0]
        heads.sort(key=lambda head: (-found.stamps[head].strength, head))
        groups = tuple(_group(study, found, found.stamps[head], float(found.log_p[head])) for head in heads[:_MOST])
        entries = [(stamp.rows, stamp.strength, log_p) for stamp, log_p in zip(found.stamps, corrected.tolist(), strict=True)]
        return Evidence(groups, RowEvidence(ranks(study, found.table, entries)), found.tests)

    @classmethod
    def bad(cls) -> Iterator[Table]:
        """Give sixty rows of one kind in which two values were set."""
        yield _study(marked=60)

    @classmethod
    def good(cls) -> Iterator[Table]:
        """Give rows that nobody changed."""
        yield _study(marked=0)


def _group(study: Study, found: Stamps, stamp: Stamp, log_p: float) -> Group:
    label = study.label_names[stamp.label]
    every = everyone(study, found.table, stamp)
    rows = every[study.column("label")[every] == stamp.label]
    shown = written(study, found.table, stamp, rows)
    text = " and ".join(f"{name} = {value}" for name, value in shown.items())
    return Group(
        "values",
        text,
        rows,
        len(every),
        log_p,
        Severity.HIGH,
        f"{text}: {len(rows):,} of {len(every):,} rows are labelled {label!r}, where about {stamp.expected:.2g} are expected, "
        "and they have nothing else in common",
        lesson=f"that {text} means {label!r}",
        confidence=Confidence.MEDIUM,
        label=label,
        effect=float(np.clip(1.0 - stamp.expected / max(1, len(stamp.rows)), 0.0, 1.0)),
        details={
            "columns": dict(shown),
            "expected": round(stamp.expected, 2),
            "likeness": round(stamp.likeness, 2),
            "strength": round(stamp.strength, 2),
        },
    )


def _study(marked: int, rows: int = 1600) -> Study:
    """Make rows of two kinds that differ in two of four columns."""
    random = np.random.default_rng(4)
    kind = np.arange(rows) % 2
    columns: dict[str, Any] = {name: random.normal(2.0 * kind, 1.0).round(3) for name in ("height", "width")}
    columns |= {name: random.integers(0, 60, rows) for name in ("age", "visits")}
    columns["age"][1 : 2 * marked : 2] = 17
    columns["visits"][1 : 2 * marked : 2] = 23
    columns["label"] = np.array(["low", "high"])[kind]
    return study_of(columns, [Features()], roles=Roles(label="label", features=tuple(columns)[:-1]))
