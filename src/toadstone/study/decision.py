"""One decision over what all checks say: groups first, then rows, at a promised or estimated false-discovery rate."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toadstone.core.finding import Confidence, Finding, Json, Severity
from toadstone.core.place import Place
from toadstone.core.record import replace
from toadstone.study.check import DataCheck
from toadstone.study.evidence import Evidence, Group, RowEvidence
from toadstone.study.study import Study

_MOST_GROUPS = 20
_MOST_SAMPLE = 20
_MOST_EXAMPLES = 3
_EXAMPLE_LENGTH = 300
_MOST_NEAR = 3
"""Groups that are shown although they do not stand."""
_NEAR = float(np.log(0.2))
"""Logarithm of the corrected p-value up to which they are."""
_CROWD, _MOST_CROWDED = 0.1, 3.0
"""p-values among which a check's evidence may be more than chance gives, and what that adds to a score at most."""
_SPAN = 1 << 18
"""Rows that are looked at together."""
_SAME = 0.5
"""Groups of one check whose suspected rows overlap by more than this (Jaccard) are one."""


@dataclass(frozen=True)
class Accepted:
    """A group that stands after correction.

    Attributes:
        check: Who says so.
        group: What it says.
        log_p: Natural logarithm of the corrected p-value.
        also: Values of weaker groups with mostly the same rows.
    """

    check: DataCheck
    group: Group
    log_p: float
    also: tuple[Json, ...] = ()


@dataclass(frozen=True)
class Mark:
    """A finding and all the rows it is about.

    Attributes:
        finding: As reported; it names some of the rows.
        rows: Sorted row numbers.
        stands: Whether the rows are to be quarantined.
    """

    finding: Finding
    rows: NDArray[np.int64]
    stands: bool


@dataclass(frozen=True)
class Decision:
    """What becomes of the rows.

    Attributes:
        marks: Findings of groups (and one of rows for each check that flags single rows), in report order.
        scores: One a row; higher is worse; neither rounded nor clipped.
        p_values: One a row: of the strongest evidence, corrected for the number of checks.
        flagged: Rows that are to be quarantined, bool.
        checks: Ids of the checks that flag rows; ``flags[i]`` holds the rows of ``checks[i]``.
        flags: Sorted row numbers.
        proposals: Code of the label proposed for each row, -1 for none.
        tests: Of all checks together.
        detectable: The smallest number of rows that each check would have found with power 0.9.
        promised: Whether the false-discovery rate is promised by rows known to be good.
        not_run: Reasons of checks that could not look or had nothing to look at, by check id.
    """

    marks: tuple[Mark, ...]
    scores: NDArray[np.float64]
    p_values: NDArray[np.float64]
    flagged: NDArray[np.bool_]
    checks: tuple[str, ...]
    flags: tuple[NDArray[np.int64], ...]
    proposals: NDArray[np.int32]
    tests: dict[str, int]
    detectable: dict[str, int]
    promised: bool
    not_run: dict[str, str]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings in report order."""
        return tuple(mark.finding for mark in self.marks)

    def reviewed(self, marks: Sequence[Mark], keep: NDArray[np.int64] | None = None) -> Decision:
        """Give the decision with other marks, made by whoever looked at these.

        Args:
            marks: Instead of `marks`.
            keep: Rows that are kept, whatever flags them.
        """
        flags = _flags(marks)
        if keep is not None:
            flags = {name: np.setdiff1d(rows, keep) for name, rows in flags.items()}
        flagged = np.zeros(len(self.flagged), bool)
        for rows in flags.values():
            flagged[rows] = True
        return dataclasses.replace(self, marks=tuple(marks), flagged=flagged, checks=tuple(flags), flags=tuple(flags.values()))


def decide(study: Study, weighed: Sequence[tuple[DataCheck, Evidence]]) -> Decision:
    """Correct for everything that was tested, merge what says the same, and flag.

    Within a check, p-values of groups are corrected by the number of tests (Bonferroni); over the checks by Benjamini and
    Hochberg (1995). Single rows are flagged by Benjamini and Hochberg within each check that gives row evidence, each at
    its share of the rate. A row's score is its strongest evidence: silent checks never dilute it.
    """
    accepted, near = _judged(weighed, study.fdr)
    verdict = _Verdict(study, [(check, evidence.rows) for check, evidence in weighed if evidence.rows is not None])
    verdict.spare(accepted)
    verdict.flag_groups(accepted)
    verdict.raise_scores(near)
    verdict.flag_rows(study.fdr)
    marks = [Mark(_finding(study, entry), entry.group.rows, entry.group.rows_stand) for entry in accepted]
    marks += [Mark(_near_finding(study, entry), entry.group.rows, stands=False) for entry in near]
    marks += [Mark(_row_finding(study, check, rows, log_p), rows, stands=True) for check, rows, log_p in verdict.alone()]
    marks.sort(key=lambda mark: mark.finding.order)
    flags = _flags(marks)
    flagged = study.array(study.rows, bool)
    for rows in flags.values():
        flagged[rows] = True
    ran = max(1, sum(1 for _, evidence in weighed if evidence.ran))
    return Decision(
        tuple(marks),
        verdict.scores,
        verdict.p_values(ran),
        flagged,
        tuple(flags),
        tuple(flags.values()),
        verdict.proposals,
        {check.id: evidence.tests for check, evidence in weighed if evidence.ran},
        {check.id: evidence.detectable for check, evidence in weighed if evidence.detectable is not None},
        verdict.promised,
        {check.id: evidence.not_run or evidence.idle for check, evidence in weighed if not evidence.ran},
    )


class _Verdict:
    """Collects what becomes of the rows."""

    def __init__(self, study: Study, row_checks: Sequence[tuple[DataCheck, RowEvidence]]) -> None:
        self.proposals = study.array(study.rows, np.int32, -1)
        self.strongest = study.array(study.rows, np.float64)
        self._flagging = [(check, rows) for check, rows in row_checks if rows.weight > 0]
        self.promised = False
        self._names = study.label_names
        self._row_checks = row_checks
        self._of_groups: dict[str, list[NDArray[np.int64]]] = {}
        self._of_rows: dict[str, NDArray[np.int64]] = {}
        self.scores = study.array(study.rows, np.float64)
        self._spans = [slice(start, min(start + _SPAN, study.rows)) for start in range(0, study.rows, _SPAN)]
        for span in self._spans:
            for _, rows in row_checks:
                np.maximum(self.strongest[span], -rows.log_p[span], out=self.strongest[span])
            self.scores[span] = self.strongest[span]
            study.rest()
        for _, rows in self._flagging:
            self._crowded(rows)
        self._highest = float(self.scores.max(initial=0.0))
        self._spared = np.zeros(0, np.int64)

    def _crowded(self, rows: RowEvidence) -> None:
        """Let evidence count more in the scores where a check has more of it than chance gives: its own estimate of right rows.

        One doubtful row in a thousand says little beside the oddest row of another measure; a hundred where one expects ten do.
        """
        found = np.flatnonzero(rows.log_p < np.log(_CROWD))
        if not len(found):
            return
        order = found[np.argsort(rows.log_p[found], kind="stable")]
        excess = np.log(np.arange(1, len(order) + 1) / len(rows.log_p)) - rows.log_p[order]
        excess = np.clip(np.maximum.accumulate(excess[::-1])[::-1], 0.0, _MOST_CROWDED)
        self.scores[order] = np.maximum(self.scores[order], excess - rows.log_p[order])

    def spare(self, accepted: Sequence[Accepted]) -> None:
        """Forget what single checks say against rows that a group explains: a text looks wrong beside a flood of its copies."""
        kept = [entry.group.kept for entry in accepted if entry.group.rows_stand and len(entry.group.kept)]
        if kept:
            self._spared = np.unique(np.concatenate(kept))
            self.strongest[self._spared] = self.scores[self._spared] = 0.0

    def p_values(self, checks: int) -> NDArray[np.float64]:
        """Turn the strongest evidence on each row into p-values, corrected for the number of checks; only once, in place."""
        for span in self._spans:
            self.strongest[span] = np.minimum(1.0, np.exp(-self.strongest[span]) * checks)
        return self.strongest

    def flag_groups(self, accepted: Sequence[Accepted]) -> None:
        """Take over the rows of groups; they score above all rows that stand out alone."""
        for entry in accepted:
            rows = entry.group.rows
            if not entry.group.rows_stand or not len(rows):
                continue
            self._of_groups.setdefault(entry.check.id, []).append(rows)
            self.scores[rows] = np.maximum(self.scores[rows], self._highest - entry.log_p + 1e-3 * self.strongest[rows])
            self.strongest[rows] = np.maximum(self.strongest[rows], -entry.log_p)
            if entry.group.relabel in self._names:
                self.proposals[rows] = self._names.index(str(entry.group.relabel))

    def raise_scores(self, near: Sequence[Accepted]) -> None:
        """Add to the scores of rows what groups say that do not stand."""
        for entry in near:
            if entry.group.rows_stand:
                self.scores[entry.group.rows] -= entry.log_p

    def flag_rows(self, rate: float) -> None:
        """Take over the rows that stand out alone, each check at its share of the rate.

        The rate is promised when rows known to be good answer for every check that flags a row, or could, if none does.
        """
        whole = sum(rows.weight for _, rows in self._flagging)
        for check, rows in self._flagging:
            chosen = np.setdiff1d(discoveries(rows.log_p, rate * rows.weight / whole), self._spared)
            self._of_rows[check.id] = chosen
            if rows.proposals is not None:
                self.proposals[chosen] = rows.proposals[chosen]
        used = [rows for check, rows in self._flagging if len(self._of_rows[check.id])]
        self.promised = all(rows.promised for rows in used) if used else any(rows.promised for _, rows in self._flagging)

    def alone(self) -> Iterator[tuple[DataCheck, NDArray[np.int64], NDArray[np.float64]]]:
        """Give, for each check, the rows that none of its groups explains, with the log p of all rows."""
        for check, rows in self._flagging:
            known = self._of_groups.get(check.id, [])
            alone = np.setdiff1d(self._of_rows[check.id], np.concatenate(known)) if known else self._of_rows[check.id]
            if len(alone):
                yield check, alone, rows.log_p


def _flags(marks: Sequence[Mark]) -> dict[str, NDArray[np.int64]]:
    """Give the sorted rows that each check flags, by its id."""
    parts: dict[str, list[NDArray[np.int64]]] = {}
    for mark in marks:
        if mark.stands and len(mark.rows):
            parts.setdefault(mark.finding.check, []).append(mark.rows)
    return {name: np.unique(np.concatenate(rows)) for name, rows in sorted(parts.items())}


def discoveries(log_p: NDArray[np.float64], rate: float) -> NDArray[np.int64]:
    """Give the rows that Benjamini and Hochberg (1995) reject at a rate, sorted."""
    n = len(log_p)
    ordered = np.sort(log_p[log_p <= np.log(rate)])  # no other can be among them
    below = np.flatnonzero(ordered <= np.log(rate) + np.log(np.arange(1, len(ordered) + 1) / max(n, 1)))
    if not len(below):
        return np.zeros(0, np.int64)
    return np.flatnonzero(log_p <= ordered[below[-1]])


def _judged(weighed: Sequence[tuple[DataCheck, Evidence]], rate: float) -> tuple[list[Accepted], list[Accepted]]:
    """Give the groups that stand, strongest first, those of one check with mostly the same rows as one; and the nearest others.

    A check is a family of tests. Its smallest corrected p-value tells whether it found anything at all; over the families that
    is decided by Benjamini and Hochberg, and within those that did, groups are corrected at the rate times the share of
    families that did (Benjamini and Bogomolov 2014).
    """
    everything = {
        check: [
            Accepted(check, group, min(0.0, group.log_p + float(np.log(max(evidence.tests, 1))))) for group in evidence.groups
        ]
        for check, evidence in weighed
        if evidence.ran
    }
    families = [family for check, family in everything.items() if check.guesses]
    # What is worth knowing and no alarm (who supplies which label) is true of nearly every data set: it must not make alarms
    # easier by counting among the families that found something.
    best = np.sort([min((entry.log_p for entry in family if _alarms(entry)), default=0.0) for family in families])
    below = np.flatnonzero(best <= np.log(rate) + np.log(np.arange(1, len(best) + 1) / max(len(best), 1)))
    found = int(below[-1]) + 1 if len(below) else 0
    alarm = float(np.log(rate * found / len(families))) if found else -np.inf
    plain = float(np.log(rate / max(len(families), 1)))
    entries = sorted((entry for family in everything.values() for entry in family), key=_rank)
    standing = _merged(
        [entry for entry in entries if entry.log_p <= (alarm if _alarms(entry) and entry.check.guesses else plain)]
    )
    others = [entry for entry in entries if alarm < entry.log_p < _NEAR and entry.group.severity >= Severity.HIGH]
    apart = [entry for entry in _merged(others) if all(_overlap(known, entry) <= _SAME for known in standing)]
    return standing[:_MOST_GROUPS], apart[:_MOST_NEAR]


def _alarms(entry: Accepted) -> bool:
    return entry.group.severity >= Severity.MEDIUM


def _rank(entry: Accepted) -> tuple[int, float, str, str]:
    return -entry.group.severity, -_strength(entry), entry.check.id, str(entry.group.value)


def _merged(entries: Sequence[Accepted]) -> list[Accepted]:
    """Join groups of one check with mostly the same rows."""
    merged: list[Accepted] = []
    for entry in entries:
        same = next((place for place, known in enumerate(merged) if _overlap(known, entry) > _SAME), None)
        if same is None:
            merged.append(entry)
        else:
            known = merged[same]
            merged[same] = Accepted(known.check, known.group, known.log_p, (*known.also, entry.group.value)[:10])
    return merged


def _overlap(left: Accepted, right: Accepted) -> float:
    if left.check.id != right.check.id or left.group.label != right.group.label:
        return 0.0
    shared = len(np.intersect1d(left.group.rows, right.group.rows, assume_unique=True))
    return shared / max(1, min(len(left.group.rows), len(right.group.rows)))


def _strength(entry: Accepted) -> float:
    return -entry.log_p * min(1.0, entry.group.effect / 0.5)


def _finding(study: Study, entry: Accepted) -> Finding:
    group = entry.group
    strength = _strength(entry)
    details: dict[str, Json] = {
        "group": {"kind": group.kind, "value": group.value},
        "rows": len(group.rows),
        "size": group.size,
        "row_sample": group.rows[:_MOST_SAMPLE].tolist(),
        "p_value": float(np.exp(entry.log_p)),
        "score": strength / (strength + 10.0),
        "effect": round(group.effect, 4),
        "examples": list(_examples(study, group)),
    }
    if group.label is not None:
        details["label"] = group.label
    if group.lesson:
        details["lesson"] = group.lesson
    if entry.also:
        details["also"] = list(entry.also)
    if group.relabel is not None:
        details["relabel"] = group.relabel
    row = int(group.rows[0]) if len(group.rows) else -1
    place = Place(study.place.path, "", -1, row, study.roles.text or "")
    return entry.check.finding(
        place,
        group.message if group.message.endswith((".", ")")) else f"{group.message}.",
        severity=group.severity,
        confidence=group.confidence,
        details={**details, **group.details},
        indicators=group.indicators,
    )


def _near_finding(study: Study, entry: Accepted) -> Finding:
    """Report a group that does not stand, for whoever wants to look further than the rate allows."""
    found = _finding(study, entry)
    message = f"Not significant, but the nearest to it: {found.message[0].lower()}{found.message[1:]}"
    evidence = {**found.evidence, "score": 1.0 - float(np.exp(entry.log_p)), "significant": False}
    return replace(found, severity=Severity.LOW, confidence=Confidence.LOW, message=message, evidence=evidence)


def _row_finding(study: Study, check: DataCheck, rows: NDArray[np.int64], log_p: NDArray[np.float64]) -> Finding:
    """Report rows that no group explains: a person should look, at most."""
    worst = rows[np.argsort(log_p[rows], kind="stable")][:_MOST_SAMPLE]
    share = len(rows) / max(1, study.rows)
    message = f"{len(rows):,} of {study.rows:,} rows ({share:.2%}) stand out one by one."
    return check.finding(
        Place(study.place.path, "", -1, int(worst[0]), study.roles.label or ""),
        message,
        severity=min(check.severity, Severity.MEDIUM),
        details={
            "group": {"kind": "rows", "value": check.id},
            "rows": len(rows),
            "row_sample": worst.tolist(),
            "p_value": float(np.exp(log_p[worst[0]])),
            "score": min(1.0, share * 5),
        },
    )


def _examples(study: Study, group: Group) -> Sequence[str]:
    chosen = group.rows[:_MOST_EXAMPLES].tolist()
    return [text if len(text) <= _EXAMPLE_LENGTH else text[:_EXAMPLE_LENGTH] + " …" for text in study.texts(chosen)]
