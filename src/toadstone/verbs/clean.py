"""Splits a data set into kept and quarantined rows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from toadstone.core.policy import Config, Policy
from toadstone.core.report import Report, Subject
from toadstone.engine.progress import Progress
from toadstone.study.decision import Decision
from toadstone.tables.dataset import Dataset
from toadstone.tables.plan import Flags, Quarantine
from toadstone.tables.write import check_places, split, write_scores
from toadstone.verbs.choices import Choices, applied
from toadstone.verbs.located import open_data
from toadstone.verbs.rows import Examined, RowOptions, examine


@dataclass(frozen=True)
class Cleaned:
    """What cleaning gives.

    Attributes:
        report: As of a scan of the rows.
        examined: Scores, p-values and flags of all rows.
        kept: Number of rows that were kept.
        quarantined: Number of rows that were not.
        relabelled: Number of kept rows that got another label.
    """

    report: Report
    examined: Examined
    kept: int
    quarantined: int
    relabelled: int


def clean(
    target: object,
    kept: str | os.PathLike[str],
    quarantine: str | os.PathLike[str] | None = None,
    *,
    options: RowOptions | None = None,
    relabel: bool = False,
    scores: str | os.PathLike[str] | None = None,
    config: Config | None = None,
    policy: Policy | None = None,
    choices: Sequence[Choices] = (),
    progress: Progress | None = None,
) -> Cleaned:
    """Examine the rows of a data set and write those that stand and those that do not.

    Both files have the input's own format and columns, in input order; together they are the input, row for row. What could
    not be read as a row goes where the quarantine goes. Existing files are replaced only when everything was written.

    Args:
        target: A path, an address (``s3://``, ``hf://``, ``https://``), or an object that `toadstone.tables.open.open_dataset`
            knows.
        kept: Where the kept rows go.
        quarantine: Where the others go; None: they are left out (and still counted).
        options: How rows are examined.
        relabel: Keep rows whose label is to blame, with the label that everything else in them speaks for.
        scores: Where the evidence on every row goes (Parquet).
        config: Settings of the checks.
        policy: Gate and waivers. Rows that only waived findings speak against are kept.
        choices: Of reviews; see `toadstone.verbs.choices.read_choices`.
        progress: Called with the name of a step, parts done and parts in all.

    Raises:
        UsageError: The target is no data set, a named column does not exist, a file cannot be written, or choices do not fit.
        UnreadError: A server does not give what it should; nothing was written.
    """
    config = config or Config()
    policy = policy or Policy(config.gate, config.waivers)
    waivers = (*policy.waivers, *(waiver for chosen in choices for waiver in chosen.waivers))
    policy = Policy(policy.gate, waivers, policy.today)
    options = options or RowOptions()
    dataset = target if isinstance(target, Dataset) else open_data(target, options.access, progress)
    check_places(dataset, kept, quarantine, scores)  # not after hours of work
    examined = examine(dataset, options, config, progress)
    examined = replace(examined, decision=applied(examined.decision, choices, policy, dataset))
    decision = examined.decision
    proposals = _proposals(decision) if relabel else {}
    flagged = decision.flagged.copy()
    flagged[list(proposals)] = False
    names = examined.label_names
    if scores is not None:  # before anything else can fail
        write_scores(scores, decision.scores, decision.p_values, decision.flagged, Flags(decision.checks, decision.flags))
    parts = split(
        examined.dataset,
        flagged,
        kept,
        quarantine,
        Quarantine(Flags(decision.checks, decision.flags), decision.p_values),
        relabel={row: names[code] for row, code in proposals.items()},
        label=examined.roles.label,
    )
    report = Report((subject_of(examined, policy),))
    return Cleaned(report, examined, parts.kept, parts.quarantined, len(proposals))


def _proposals(decision: Decision) -> dict[int, int]:
    return {int(row): int(decision.proposals[row]) for row in np.flatnonzero(decision.flagged & (decision.proposals >= 0))}


def subject_of(examined: Examined, policy: Policy) -> Subject:
    """Give the part of a report that is about the rows of a data set."""
    counted, waived = policy.split(list(examined.decision.findings), {})
    return Subject(
        examined.dataset.name,
        examined.dataset.kind,
        examined.dataset.size,
        {},
        examined.gaps,
        tuple(sorted(counted, key=lambda finding: finding.order)),
        tuple(waived),
        statistics=examined.statistics,
    )
