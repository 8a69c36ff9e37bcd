"""Reports: findings, and what was and was not read. Deterministic: same bytes, same report."""

from __future__ import annotations

from toadstone.core.finding import Finding, Json, Severity
from toadstone.core.place import Place
from toadstone.core.record import dataclass, field
from toadstone.core.version import __version__

SCHEMA = "toadstone.report/1"


@dataclass(frozen=True, order=True)
class Gap:
    """Bytes (or a member, or a step) that were not read, and why."""

    place: Place
    reason: str

    def as_dict(self) -> dict[str, Json]:
        """Give the JSON form."""
        return {"place": dict(self.place.as_dict()), "reason": self.reason}


@dataclass(frozen=True)
class Subject:
    """One file that was looked at.

    Attributes:
        path: The TARGET as typed, joined with the relative path below it.
        kind: What its content is: ``pickle``, ``torch-zip``, ``safetensors``, ``text`` ... or ``unknown``.
        size: Bytes; -1 when not known.
        digests: ``sha256`` and ``blake3``; empty when not every byte was hashed.
        unread: What was not read; empty means that the subject is complete.
        findings: Findings on this subject, in the report's order.
        suppressed: Findings that a waiver or suppression took out, with the reason.
        origin: Of remotes: where the bytes came from, what the server claims of them (``commit``, ``etag``, ``claimed``
            digests, ``hub`` scan status). Claims, not measurements; empty for local files.
        statistics: Of data sets whose rows were examined: ``tests`` made, ``minimum_detectable_rows`` by check,
            ``false_discovery_rate``, and whether it is ``promised``; empty otherwise.
    """

    path: str
    kind: str
    size: int
    digests: dict[str, str] = field(default_factory=dict)
    unread: tuple[Gap, ...] = ()
    findings: tuple[Finding, ...] = ()
    suppressed: tuple[tuple[Finding, str], ...] = ()
    origin: dict[str, Json] = field(default_factory=dict)
    statistics: dict[str, Json] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether everything in it was read."""
        return not self.unread

    def as_dict(self) -> dict[str, Json]:
        """Give the JSON form of CONTRACT ``toadstone.report/1``."""
        form: dict[str, Json] = {
            "path": self.path,
            "kind": self.kind,
            "size": self.size,
            "digests": dict(self.digests),
            "coverage": {"complete": self.complete, "unread": [gap.as_dict() for gap in self.unread]},
        }
        if self.origin:
            form["origin"] = self.origin
        if self.statistics:
            form["statistics"] = self.statistics
        return form


@dataclass(frozen=True)
class Report:
    """What a scan found, over all its subjects.

    Attributes:
        subjects: Sorted by path.
        received: Bytes that came over the network, -1 when no remote was asked; not part of the report's own form, since
            a repeated request counts twice.
    """

    subjects: tuple[Subject, ...]
    received: int = -1

    @property
    def findings(self) -> list[Finding]:
        """All findings, worst first."""
        return sorted((finding for subject in self.subjects for finding in subject.findings), key=lambda finding: finding.order)

    @property
    def suppressed(self) -> list[tuple[Finding, str]]:
        """Findings that were waived or suppressed, with the reason."""
        return [pair for subject in self.subjects for pair in subject.suppressed]

    @property
    def complete(self) -> bool:
        """Whether everything was read."""
        return all(subject.complete for subject in self.subjects)

    @property
    def worst(self) -> Severity | None:
        """The highest severity among the findings, or None."""
        return max((finding.severity for subject in self.subjects for finding in subject.findings), default=None)

    @property
    def verdict(self) -> str:
        """``malicious`` or ``poisoned`` (high and worse), ``suspicious`` (medium), ``incomplete``, or ``clean``.

        ``poisoned`` says that only rows of data sets are to blame.
        """
        worst = self.worst
        if worst is not None and worst >= Severity.HIGH:
            grave = [finding for finding in self.findings if finding.severity >= Severity.HIGH]
            return "poisoned" if all("group" in finding.evidence for finding in grave) else "malicious"
        if worst is not None and worst >= Severity.MEDIUM:
            return "suspicious"
        return "clean" if self.complete else "incomplete"

    def exit_code(self, gate: Severity) -> int:
        """Give 1 if a finding is at or above the gate, else 3 if anything is unread, else 0."""
        worst = self.worst
        if worst is not None and worst >= gate:
            return 1
        return 0 if self.complete else 3

    @property
    def statistics(self) -> dict[str, Json]:
        """Those of all data sets as one: ``tests`` are added up, ``minimum_detectable_rows`` are the worst of each check."""
        tests, rates, worst = 0, [0.0], dict[str, int]()
        for statistics in (subject.statistics for subject in self.subjects if subject.statistics):
            tests += _whole(statistics.get("tests"))
            rate = statistics.get("false_discovery_rate")
            rates.append(rate if isinstance(rate, float) else 0.0)
            detectable = statistics.get("minimum_detectable_rows")
            for name, rows in detectable.items() if isinstance(detectable, dict) else ():
                worst[name] = max(worst.get(name, 0), _whole(rows))
        if len(rates) == 1:
            return {}
        return {"tests": tests, "minimum_detectable_rows": dict(worst), "false_discovery_rate": max(rates)}

    def as_dict(self) -> dict[str, Json]:
        """Give the JSON form of CONTRACT ``toadstone.report/1``."""
        form: dict[str, Json] = {
            "schema": SCHEMA,
            "tool": {"name": "toadstone", "version": __version__},
            "verdict": self.verdict,
            "complete": self.complete,
            "subjects": [subject.as_dict() for subject in self.subjects],
            "findings": [finding.as_dict() for finding in self.findings],
            "suppressed": [{**finding.as_dict(), "reason": reason} for finding, reason in self.suppressed],
        }
        if statistics := self.statistics:
            form["statistics"] = statistics
        return form


def _whole(value: Json) -> int:
    return value if isinstance(value, int) else 0
