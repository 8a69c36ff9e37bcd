"""Rows of a table whose values do not belong together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

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
_ALIKE = 0.25
"""Share of made-up rows that are no odder from which a row counts as made up."""
_FEW = 0.03
"""Share of rows like made-up ones from which on that means less."""
_FAINT = 0.4
"""What the rank of a row counts for that is not like a made-up one at all."""
_MORE = 1.0
"""What a row that is like made-up ones has beyond its rank, before rows that are merely the oddest by another measure."""


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

    Two models learn what the columns, the label among them, have to do with each other: one tells rows from rows whose columns
    were shuffled each by itself, the other counts, for every pair of columns, how often their values go together. A row that a
    model has not seen and takes for shuffled is odd; so is a row with values that hardly ever go together, in all pairs of
    columns or in one, and a row far from the rows of its label (Mahalanobis distance of normal scores, fitted to the inner nine
    tenths of them). All count by rank, and by as much as they tell shuffled rows from those of this table.

    With rows known to be good (`--reference`) a row's p-value is the share of them that are as odd, and rows are flagged at the
    promised false-discovery rate. Without them nobody can tell odd rows that belong to a population from odd rows that do not:
    rows are ranked, in the scores, those first that are as odd as a good part of shuffled rows, and none is flagged.

    ## What it misses

    Rows that are foreign in no two columns; tables whose columns have nothing to do with each other; a foreign population that is
    a tenth of a label and more, which shapes what counts as usual.

    ## Remedy

    Give rows known to be good, look at the rows with the highest scores, and ask where they come from.

    ## References

    - Hastie, Tibshirani, Friedman: *The Elements of Statistical Learning*, 14.2.4 (unsupervised as supervised learning), 2009
    - Church, Hanks: *Word association norms, mutual information, and lexicography*, Computational Linguistics 16, 1990
    - Wolpert: *Stacked generalization*, Neural Networks 5, 1992
    - Rahimi, Recht: *Random Features for Large-Scale Kernel Machines*, NIPS 2007
    - Bates et al.: *Testing for outliers with conformal p-values*, Annals of Statistics 51, 2023
    """

    guesses: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("features",)
    roles: ClassVar[tuple[str, ...]] = ("features",)

    def weigh(self, study: Study) -> Evidence:
        """Weigh rows one by one."""
        odd = oddness(study)
        if isinstance(odd, str):
            return Evidence(idle=odd)
        own, good = odd.odd[: study.rows], odd.odd[study.rows :]
        promised = len(good) >= _ENOUGH
        log_p = conformal(own, good) if promised else _order(own, odd.made_up[: study.rows])
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


def _order(odd: NDArray[np.float64], made_up: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the rank of rows by oddness, which counts for the more the more a row looks as if it were made up.

    The oddest rows of a table are few, whatever they are; that of made-up rows a good part is no odder tells whether they are
    odd in a way that natural rows hardly ever are. Where many rows are, made-up rows are nothing special here.
    """
    many = float((made_up >= _ALIKE).mean())
    alike = np.clip(made_up / _ALIKE, 0.0, 1.0) * min(1.0, _FEW / max(many, _FEW))
    return np.asarray(ranked(odd) * (_FAINT + (1.0 - _FAINT) * alike) - _MORE * alike**2, np.float64)


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
