"""Data sets among the TARGETs of a scan: their rows are examined too, and both reports become one."""

from __future__ import annotations

import os
from collections.abc import Sequence

from toadstone.core.errors import UnreadError, UsageError
from toadstone.core.place import Place
from toadstone.core.policy import Config, Policy
from toadstone.core.record import replace
from toadstone.core.report import Gap, Report, Subject
from toadstone.engine.progress import Progress
from toadstone.tables.allowance import OutsizedError, check_claims
from toadstone.tables.dataset import Dataset
from toadstone.tables.folder import shards
from toadstone.tables.pictures import holds_images
from toadstone.tables.plan import Flags
from toadstone.tables.write import check_scores, write_scores
from toadstone.verbs.clean import subject_of
from toadstone.verbs.located import is_remote, open_data, shown
from toadstone.verbs.rows import Examined, RowOptions, examine
from toadstone.verbs.targets import is_data

_ROWS = frozenset(
    {"x", "y", "label", "labels", "target", "text", "texts", "image", "images", "embedding", "embeddings", "features"}
)
"""Names of arrays of which each entry is a row."""


def with_rows(
    report: Report,
    targets: Sequence[str],
    options: RowOptions,
    *,
    config: Config,
    policy: Policy,
    inside: bool = False,
    scores: str | None = None,
    progress: Progress | None = None,
) -> Report:
    """Examine the rows of the data sets among the targets and add what is found to the report.

    Args:
        report: Of the files.
        targets: As the user typed them.
        options: How rows are examined.
        config: Settings of the checks.
        policy: Gate and waivers.
        inside: Whether data files inside folders, and folders of images, count as well.
        scores: Where the evidence on every row goes.
        progress: Called with the name of a step, parts done and parts in all.

    Raises:
        UsageError: ``scores`` is asked for and there is not exactly one data set, or a named column does not exist.
    """
    named = _named(report, targets, inside=inside, asked=_asked(options))
    if scores is not None and len(named) != 1:
        raise UsageError(f"--scores needs exactly one data set. Got {len(named)} instead.")
    wanted = inside or scores is not None or _asked(options)
    subjects = {subject.path: subject for subject in report.subjects}
    for target in named:
        name = shown(target)
        known = subjects.get(name)
        try:
            dataset = _opened(target, options, progress, wanted=wanted)
            if known is not None and scores is None and not _asked(options) and _is_model(dataset):
                continue
            if scores is not None:
                check_scores(dataset, scores)
            examined = examine(dataset, options, config, progress)
        except (OutsizedError, UnreadError) as error:
            subjects[name] = _without_rows(known, name, error)
            continue
        except UsageError as error:
            if known is None or scores is not None or _asked(options):
                raise
            if not name.endswith(".npz"):  # arrays of a model, which are no rows
                subjects[name] = replace(known, unread=(*known.unread, Gap(Place(name), f"its rows: {error.message}")))
            continue
        subjects[name] = _joined(known, _same_version(known, dataset, subject_of(examined, policy)))
        if scores is not None:
            _write(scores, examined)
    return Report(tuple(subjects[path] for path in sorted(subjects)), report.received)


def _opened(target: str, options: RowOptions, progress: Progress | None, *, wanted: bool) -> Dataset:
    """Open a data set; one whose rows nobody asked for has an allowance (see `toadstone.tables.allowance`)."""
    dataset = open_data(target, options.access, progress, bounded=not wanted)
    if not wanted and not _is_model(dataset):
        check_claims(dataset)
    return dataset


def _named(report: Report, targets: Sequence[str], *, inside: bool, asked: bool) -> list[str]:
    """Give the data sets among the targets and, if they are wanted, inside them."""
    named = [target for target in targets if is_data(target)]
    if inside:
        named += [subject.path for subject in report.subjects if subject.path not in named and is_data(subject.path)]
    if inside or asked:
        named += [target for target in targets if target not in named and (_is_gallery(target) or is_remote(target))]
    return named


def _is_gallery(target: str) -> bool:
    """Whether a target is a folder whose rows are its images."""
    return "://" not in target and os.path.isdir(target) and holds_images(target, shards(target))  # noqa: PTH112  (as typed)


def _is_model(dataset: Dataset) -> bool:
    """Whether an archive of arrays holds weights rather than rows: none of them is called as rows are."""
    return dataset.kind == "npz" and not _ROWS.intersection(name.lower() for name in dataset.schema.names)


def _asked(options: RowOptions) -> bool:
    """Whether the user said something about rows, so that a failure is an error and no gap."""
    return bool(options.roles.columns) or options.reference is not None or options.baseline is not None


def _joined(of_file: Subject | None, of_rows: Subject) -> Subject:
    if of_file is None:
        return of_rows
    return replace(
        of_file,
        unread=tuple(sorted({*of_file.unread, *of_rows.unread})),
        findings=tuple(sorted((*of_file.findings, *of_rows.findings), key=lambda finding: finding.order)),
        suppressed=(*of_file.suppressed, *of_rows.suppressed),
        statistics=of_rows.statistics,
    )


def _without_rows(known: Subject | None, name: str, error: OutsizedError | UnreadError) -> Subject:
    """Say why the rows of a data set were not looked at, unless its file was not for the same reason."""
    if known is None:
        return Subject(name, "unknown", -1, {}, (Gap(Place(name), error.message),))
    if known.unread and any(gap.reason in error.message for gap in known.unread):
        return known
    return replace(known, unread=(*known.unread, Gap(Place(name), f"its rows: {error.message}")))


def _same_version(known: Subject | None, dataset: Dataset, of_rows: Subject) -> Subject:
    """See that the file whose rows were examined is the one that was scanned."""
    before = known.origin.get("etag", "") if known is not None else ""
    if not before or not dataset.version or before == dataset.version:
        return of_rows
    reason = "the file changed on the server between the scan of it and the examination of its rows"
    return replace(of_rows, unread=(*of_rows.unread, Gap(Place(of_rows.path), reason)))


def _write(scores: str, examined: Examined) -> None:
    decision = examined.decision
    write_scores(os.fspath(scores), decision.scores, decision.p_values, decision.flagged, Flags(decision.checks, decision.flags))
