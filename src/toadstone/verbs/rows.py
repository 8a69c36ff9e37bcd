"""Examines the rows of a data set: open, guess roles, read once, let every check weigh, decide once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from toadstone.core.errors import UsageError
from toadstone.core.fact import Table
from toadstone.core.finding import Json
from toadstone.core.panel import make_checks
from toadstone.core.place import Place
from toadstone.core.policy import Config
from toadstone.core.report import Gap
from toadstone.core.shield import shielded
from toadstone.engine.elsewhere import LOCAL, check_address, elsewhere
from toadstone.engine.executors import Engine, Processes, Serial
from toadstone.engine.memory import give_back
from toadstone.engine.progress import Progress, Watched
from toadstone.remotes.access import Access
from toadstone.study.check import DataCheck
from toadstone.study.decision import Decision, decide
from toadstone.study.evidence import Evidence
from toadstone.study.ingest import ingest
from toadstone.study.study import Study
from toadstone.tables.beside import Embed, embedded
from toadstone.tables.dataset import Dataset
from toadstone.tables.guess import guess_roles
from toadstone.tables.roles import Roles
from toadstone.verbs.located import open_data
from toadstone.views.discover import views

EFFORTS = ("quick", "standard", "deep")

RESIDENT = 192 << 20
"""Bytes that the interpreter and the numeric libraries take before anything is read."""
LEAST = 256 << 20
"""Smallest memory budget."""

HELD = 4
"""Part of what is left of the budget that the columns may take in memory; more goes to disk."""

_WORTH_PROCESSES = 64 << 20
"""Bytes of a data set from which starting processes pays."""


@dataclass(frozen=True)
class RowOptions:
    """How rows are examined.

    Attributes:
        roles: Columns that the user named; the others are guessed.
        effort: ``quick`` (one streaming pass), ``standard``, or ``deep`` (may train many learners).
        seed: Of every random choice.
        fdr: False-discovery rate, in (0, 1).
        memory: Bytes that may be used.
        jobs: Processes, as far as the memory has room for them; 0: as many as there are cores, when the data set is large
            enough. More than one needs a script that can be imported (``if __name__ == "__main__":``), as always in Python.
        engine: ``local``, ``ray`` (started here), ``ray://host:port`` or ``host:port`` (a Ray cluster that is there).
        reference: Rows known to be good: a path or a table.
        baseline: The previous version of the data set: a path or a table.
        access: How servers are read when any of these is an address.
        embed: Turns at most 256 texts or images into vectors, shape (n, d), such as `toadstone.activations`; they are examined as
            an ``embedding`` column would be, and not written.
    """

    roles: Roles = field(default_factory=Roles)
    effort: str = "standard"
    seed: int = 0
    fdr: float = 0.05
    memory: int = 1 << 30
    jobs: int = 1
    engine: str = LOCAL
    reference: object = None
    baseline: object = None
    access: Access | None = None
    embed: Embed | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            UsageError: a setting is out of its range.
        """
        if self.effort not in EFFORTS:
            raise UsageError(f"the effort must be one of {', '.join(EFFORTS)}. Got {self.effort!r} instead.")
        check_address(self.engine)
        if not 0 < self.fdr < 1:
            raise UsageError(f"the false-discovery rate must lie between 0 and 1. Got {self.fdr} instead.")
        if self.memory < LEAST:
            raise UsageError(
                f"the memory budget must be at least {LEAST >> 20}M. Got {self.memory:,} bytes instead.",
                f"The interpreter and the numeric libraries alone take about {RESIDENT >> 20}M.",
            )


@dataclass(frozen=True)
class Examined:
    """What an examination gives.

    Attributes:
        dataset: What was examined.
        roles: Which column was taken for what.
        rows: How many rows were read.
        label_names: Of the label codes.
        decision: What becomes of them.
        gaps: What could not be looked at, and why.
        statistics: For the report.
    """

    dataset: Dataset
    roles: Roles
    rows: int
    label_names: tuple[str, ...]
    decision: Decision
    gaps: tuple[Gap, ...]
    statistics: dict[str, Json]


def examine(target: object, options: RowOptions, config: Config | None = None, progress: Progress | None = None) -> Examined:
    """Examine the rows of a data set.

    Args:
        target: A path, an object that `toadstone.tables.open.open_dataset` knows, or what that gives.
        options: How.
        config: Settings of the checks.
        progress: Called with the name of a step, parts done and parts in all.

    Raises:
        UsageError: The target is no data set, or a named column does not exist.
        UnreadError: A server does not give what it should.
        ConfigError: A setting is wrong.
    """
    config = config or Config()
    dataset = target if isinstance(target, Dataset) else open_data(target, options.access, progress)
    roles = guess_roles(dataset, options.roles)
    if options.embed is not None:
        with tempfile.TemporaryDirectory(prefix="toadstone-") as folder:
            return _embedded(dataset, roles, options, config, progress, Path(folder))
    checks, left_out = _applicable(config, roles, options)
    wanted = views((name for check in checks for name in check.needs), options.effort)
    with ExitStack() as stack:
        engine = stack.enter_context(_engine(dataset, options))
        executor = Watched(engine, progress)
        room = options.memory - RESIDENT

        def study_of(source: Dataset, reference: Dataset | None, baseline: Study | None) -> Study:
            store = stack.enter_context(engine.store(room // HELD))
            settings = {"effort": options.effort, "seed": options.seed, "fdr": options.fdr, "memory": room}
            return ingest(source, roles, wanted, executor, store, reference=reference, baseline=baseline, **settings)  # type: ignore[arg-type]  # (names and types as above)

        give_back()
        executor.step = "reading"
        baseline = (
            study_of(_same(options.baseline, dataset, options, roles), None, None) if options.baseline is not None else None
        )
        reference = _same(options.reference, dataset, options, roles) if options.reference is not None else None
        study = study_of(dataset, reference, baseline)
        _vouches(study, options)
        gaps = _gaps(study)
        if not study.rows:
            gaps.append(Gap(study.place, "it has no rows, so nothing was examined"))
        elif not checks and not left_out:
            reason = "no column was taken for a text, a label or anything else to look at; name them (--text, --label …)"
            gaps.append(Gap(study.place, reason))
        weighed: list[tuple[DataCheck, Evidence]] = []
        for check in checks:
            executor.step = check.id
            weighed += [(check, evidence.at_rest(study.arrays)) for evidence in _evidence(check, study, gaps)]
            study.rest()
            give_back()
        if study.rows and not roles.columns:
            gaps.append(Gap(study.place, "no column was taken for a text, a label or features; name them (--text, --label …)"))
        decision = decide(study, weighed)
    return Examined(
        dataset, roles, study.rows, study.label_names, decision, tuple(sorted(set(gaps))), _statistics(study, decision, left_out)
    )


def _embedded(
    dataset: Dataset, roles: Roles, options: RowOptions, config: Config, progress: Progress | None, folder: Path
) -> Examined:
    """Examine rows together with vectors that the user's own callable makes of them."""
    column = roles.image or roles.text or roles.prompt
    if column is None or roles.embedding is not None or options.embed is None:
        what = f"the column {roles.embedding!r} is one already" if column else "no column was taken for texts or images"
        raise UsageError(f"no embedding can be made: {what}.", "Name a column (--text, --image), or leave the callable out.")
    beside: dict[str, Any] = {}
    for name in ("reference", "baseline"):
        target = getattr(options, name)
        if target is not None:
            below = folder / name
            below.mkdir()
            beside[name] = embedded(_same(target, dataset, options, roles), column, options.embed, below)
    whole = embedded(dataset, column, options.embed, folder)
    roles = replace(roles, embedding=whole.schema.names[-1])
    found = examine(whole, replace(options, roles=roles, embed=None, **beside), config, progress)
    return replace(found, dataset=dataset)


def _gaps(study: Study) -> list[Gap]:
    """Give what could not be read, the same trouble of many rows as one."""
    rows: dict[str, list[int]] = {}
    for trouble in study.troubles:
        rows.setdefault(trouble.reason, []).append(trouble.row)
    found = []
    for reason, places in rows.items():
        also = f" (and {len(places) - 1:,} more like it)" if len(places) > 1 else ""
        found.append(Gap(Place(study.place.path, "", -1, min(places)), reason + also))
    return found


def _vouches(study: Study, options: RowOptions) -> None:
    """See that the rows known to be good can vouch for anything.

    Raises:
        UsageError: There are none, or none has a label of the others.
    """
    if options.reference is None or study.reference is None:
        return
    name = study.reference.name
    if not study.references:
        raise UsageError(f"the reference {name} has no rows.", "Name rows that are known to be good, or leave --reference out.")
    if study.roles.label is None:
        return
    good = {code for chunk in study.trusted for code in np.unique(chunk["label"]).tolist() if code >= 0}
    known = {code for chunk in study.chunks for code in np.unique(chunk["label"]).tolist() if code >= 0}
    if good and known and not good & known:
        few = [", ".join(repr(study.label_names[code]) for code in sorted(codes)[:5]) for codes in (good, known)]
        raise UsageError(f"the reference {name} has none of the labels of {study.place.path}.", f"It has {few[0]}, not {few[1]}.")


def _same(target: object, dataset: Dataset, options: RowOptions, roles: Roles) -> Dataset:
    """Open a data set that has to have the columns of another.

    Raises:
        UsageError: It has not.
    """
    other = target if isinstance(target, Dataset) else open_data(target, options.access)
    missing = [name for name in roles.columns if name not in other.schema.names]
    if missing:
        advice = f"It has the columns {', '.join(other.schema.names[:20])}."
        raise UsageError(f"{other.name} lacks the column {missing[0]!r} of {dataset.name}.", advice)
    return other


def _applicable(config: Config, roles: Roles, options: RowOptions) -> tuple[list[DataCheck], list[str]]:
    """Give the checks that have the roles they need, in the order of their ids, and the ids of those the effort leaves out."""
    seats = make_checks(config.checks, config.plugins)
    checks = [seat.check for seat in seats if Table in seat.reads and (not config.stage or config.stage in seat.stages)]
    found = [check for check in checks if isinstance(check, DataCheck)]
    apply = [check for check in found if check.applies(roles, baseline=options.baseline is not None)]
    left_out = [check.id for check in apply if options.effort not in check.efforts]
    return [check for check in apply if options.effort in check.efforts], left_out


def _engine(dataset: Dataset, options: RowOptions) -> Engine:
    if options.engine != LOCAL:
        return elsewhere(options.engine, options.jobs, options.memory)
    room = options.memory - RESIDENT
    jobs = min(options.jobs or _cores(), max(1, room // (RESIDENT + room // 8)))
    worth = options.jobs > 1 or (dataset.size >= _WORTH_PROCESSES and len(dataset.fragments) > 1)
    return Processes(jobs) if jobs > 1 and worth else Serial()


def _cores() -> int:
    """Give how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _evidence(check: DataCheck, study: Study, gaps: list[Gap]) -> Sequence[Evidence]:
    """Let a check weigh; when it fails or cannot look, the report is incomplete and says why."""

    def weighed() -> Iterator[Evidence | UsageError]:
        try:
            yield check.weigh(study)
        except UsageError as error:  # such as no room on the disk: nothing that follows could be right
            yield error

    results = list(shielded(weighed(), lambda reason: Gap(study.place, f"check {check.id}: {reason}")))
    for result in results:
        if isinstance(result, UsageError):
            raise result
    gaps += [result for result in results if isinstance(result, Gap)]
    given = [result for result in results if isinstance(result, Evidence)]
    gaps += [Gap(study.place, f"check {check.id}: {evidence.not_run}") for evidence in given if evidence.not_run]
    return given


def _statistics(study: Study, decision: Decision, left_out: Sequence[str]) -> dict[str, Json]:
    return {
        "rows": study.rows,
        "references": study.references,
        "flagged": int(decision.flagged.sum()),
        "tests": sum(decision.tests.values()),
        "tests_by_check": dict(decision.tests),
        "minimum_detectable_rows": dict(decision.detectable),
        "false_discovery_rate": study.fdr,
        "promised": decision.promised,
        "did_not_look": {**decision.not_run, **dict.fromkeys(left_out, f"not part of --effort {study.effort}")},
        "columns": _named(study.roles),
        "guessed": [*sorted(study.roles.guessed)],
    }


def _named(roles: Roles) -> dict[str, Json]:
    """Give the columns that have a role, by role."""
    found: dict[str, Json] = {}
    for role in fields(roles):
        value = getattr(roles, role.name)
        if value and role.name != "guessed":
            found[role.name] = list(value) if isinstance(value, tuple) else value
    return found
