"""What data checks say: groups of rows with a p-value each, and p-values of single rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from toadstone.core.finding import Confidence, Indicator, Json, Severity
from toadstone.engine.rows import Rows


@dataclass(frozen=True)
class Group:
    """Rows that share a property, and what speaks against them.

    Attributes:
        kind: How to recognise it: ``word``, ``phrase``, ``combination``, ``frame``, ``characters``, ``source``, ``time``,
            ``near-duplicates``, ``label``, ``column`` ...
        value: The literal trigger: the n-gram, the characters, the source.
        rows: The rows that are suspected, sorted, 0-based; a subset of the rows that have the property.
        size: Number of all rows that have the property.
        log_p: Natural logarithm of the p-value of this one test, before any correction.
        severity: How bad if it is right.
        confidence: How sure the check is that this is no natural structure.
        message: One sentence for a person.
        lesson: What a model would learn from the group.
        label: Name of the label that the group pushes, or None.
        effect: Share of the suspected rows that would not be there by nature, in [0, 1].
        details: Further evidence.
        rows_stand: Whether the rows are to be quarantined when the group is accepted; False for what is only reported.
        relabel: Label proposed for the rows, or None.
        indicators: Addresses and the like that were found in the rows.
        kept: Rows of the group that are explained by it and stay: what other checks say against each of them does not count.
    """

    kind: str
    value: Json
    rows: NDArray[np.int64]
    size: int
    log_p: float
    severity: Severity
    message: str
    lesson: str = ""
    confidence: Confidence = Confidence.HIGH
    label: str | None = None
    effect: float = 1.0
    details: dict[str, Json] = field(default_factory=dict)
    rows_stand: bool = True
    relabel: str | None = None
    indicators: tuple[Indicator, ...] = ()
    kept: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True)
class RowEvidence:
    """p-values of single rows under one check's null.

    Attributes:
        log_p: Natural logarithm of the p-value, one a row of the study, shape (rows,); 0 where the check has nothing to say.
        promised: Whether the p-values come from rows known to be good (then a false-discovery rate can be promised).
        proposals: Label code proposed for each row, -1 for none, shape (rows,), or None when the check proposes nothing.
        weight: How much of the false-discovery rate it takes, relative to other checks; 0: no row is quarantined for it alone,
            it only says in what order to look at them.
    """

    log_p: NDArray[np.float64]
    promised: bool = False
    proposals: NDArray[np.int32] | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class Evidence:
    """Everything that one check says about one study.

    Attributes:
        groups: Those worth reporting, strongest first (a check caps them; the decision corrects for ``tests``).
        rows: Evidence on single rows, or None.
        tests: How many groups were tested.
        detectable: The smallest number of rows that the check would have found here with power 0.9; None: not known.
        not_run: Why the check could not look at what is there, which makes the report incomplete; or an empty string.
        idle: Why there was nothing to look at (no group is large enough ...), which takes nothing from the report; or an empty
            string.
    """

    groups: tuple[Group, ...] = ()
    rows: RowEvidence | None = None
    tests: int = 0
    detectable: int | None = None
    not_run: str = ""
    idle: str = ""

    def at_rest(self, arrays: Rows) -> Evidence:
        """Give the same with all that is large out of memory: evidence waits until every check has spoken."""
        groups = tuple(replace(group, rows=arrays.copied(group.rows)) for group in self.groups)
        rows = self.rows
        if rows is not None:
            proposals = rows.proposals if rows.proposals is None else arrays.copied(rows.proposals)
            rows = replace(rows, log_p=arrays.copied(rows.log_p), proposals=proposals)
        return replace(self, groups=groups, rows=rows)

    @property
    def ran(self) -> bool:
        """Whether anything was looked at."""
        return not self.not_run and not self.idle
