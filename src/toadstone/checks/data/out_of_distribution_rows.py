"""Rows of a table whose values do not belong together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from toadstone.core.check import check
from toadstone.core.fact import Table
from toadstone.core.finding import Severity
from toadstone.stats.null import conformal, ranked
from toadstone.study.check import DataCheck
from toadstone.study.evidence import Evidence, RowEvidence
from toadstone.study.oddness import oddness
from toadstone.study.small import study_of
from toadstone.study.study import Study
from toadstone.tables.roles import Roles
from toadstone.views.vectors import Features

_ENOUGH = 50


@check(
    "out-of-distribution-rows",
    severity=Severity.MEDIUM,
    reads=Table,
    references=(
        "MITRE ATLAS 2026.08 AML.T0020",
        "OWASP ML 2023 ML02",
        "NIST AI 100-2e2025 NISTAML.013",
    ),
    stages=("pretraining", "tuning", "embedding"),
)
class OutOfDistributionRows(DataCheck):
    """Rows whose values, each of them ordinary, do not occur together in rows like these.

    ## Why it matters

    Rows of another population, made-up rows and rows whose columns were mixed up pass every check of ranges and of shares
    column by column. A model learns from them what holds nowhere.

    ## How it decides

    A model learns to tell rows from rows whose columns, the label among them, were shuffled each by itself; all that it can learn
    is what the columns have to do with each other. A row that it has not seen and takes for shuffled is odd. So is a row far from
    the rows of its label (Mahalanobis distance of normal scores, fitted to the inner nine tenths of them). Both count by rank.

    With rows known to be good (`--reference`) a row's p-value is the share of them that are as odd, and rows are flagged at the
    promised false-discovery rate. Without them nobody can tell odd rows that belong to a population from odd rows that do not:
    rows are ranked, in the scores, and none is flagged.

    ## What it misses

    Rows that are foreign in no two columns; tables whose columns have nothing to do with each other; a foreign population that is
    a tenth of a label and more, which shapes what counts as usual.

    ## Remedy

    Give rows known to be good, look at the rows with the highest scores, and ask where they come from.

    ## References

    - Hastie, Tibshirani, Friedman: *The Elements of Statistical Learning*, 14.2.4 (unsupervised as supervised learning), 2009
    - Rahimi, Recht: *Random Features for Large-Scale Kernel Machines*, NIPS 2007
    - Bates et al.: *Testing for outliers with conformal p-values*, Annals of Statistics 51, 2023
    """

    needs: ClassVar[tuple[str, ...]] = ("features",)
    roles: ClassVar[tuple[str, ...]] = ("features",)

    def weigh(self, study: Study) -> Evidence:
        """Weigh rows one by one."""
        odd = oddness(study)
        if isinstance(odd, str):
            return Evidence(idle=odd)
        own, good = odd[: study.rows], odd[study.rows :]
        promised = len(good) >= _ENOUGH
        log_p = conformal(own, good) if promised else ranked(own)
        return Evidence(
            (), RowEvidence(log_p, promised, weight=float(promised)), 1, _detectable(study, len(good)) if promised else None
        )

    @classmethod
    def bad(cls) -> Iterator[Table]:
        """Give rows of which some have the values of others, with rows known to be good."""
        yield _study(mixed=60)

    @classmethod
    def good(cls) -> Iterator[Table]:
        """Give rows that are all of one population, with others of it."""
        yield _study(mixed=0)


def _detectable(study: Study, good: int) -> int:
    """Give the fewest rows, odder than all known-good ones, that Benjamini and Hochberg would flag."""
    return int(np.ceil(study.rows / (study.fdr * (1 + good))))


def _study(mixed: int, rows: int = 500) -> Study:
    """Make rows of four columns that follow from each other, in some of them one row's values mixed with others'."""
    random = np.random.default_rng(3)

    def drawn(count: int) -> dict[str, Any]:
        base = random.normal(0, 1, count)
        kind = random.integers(0, 2, count)
        columns: dict[str, Any] = {"a": base, "b": 2.0 * base * (1 - 2 * kind), "c": base**2, "d": base + 4.0 * kind}
        columns = {name: values + random.normal(0, 0.1, count) for name, values in columns.items()}
        return {**columns, "label": np.array(["left", "right"])[kind]}

    table, good = drawn(rows), drawn(2 * rows)
    for name in ("a", "b", "c", "d"):
        table[name][:mixed] = random.permutation(table[name][:mixed])
    roles = Roles(label="label", features=("a", "b", "c", "d"))
    return study_of(table, [Features()], reference=good, roles=roles)
