"""Policies: what of a report counts, at which gate. Whoever waives something says why and until when."""

from __future__ import annotations

import fnmatch

from toadstone.core.finding import Finding, Severity
from toadstone.core.record import dataclass, field

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True)
class Waiver:
    """One reviewed exception.

    Attributes:
        reason: Why it is acceptable; required.
        expires: Last day on which it counts; required, so that nothing is waived for ever by accident.
        check: Id of the check, or ``*``.
        path: Glob over the finding's path, or ``*``.
        symbol: For findings about a symbol: its dotted name, exactly; empty for any.
        sha256: Digest of the subject; empty for any.
        group: For findings about a group of rows: its value, as reported; empty for any.
        origin: File and entry it comes from, for messages.
    """

    reason: str
    expires: dt.date
    check: str = "*"
    path: str = "*"
    symbol: str = ""
    sha256: str = ""
    group: str = ""
    origin: str = ""

    def covers(self, finding: Finding, digests: dict[str, str]) -> bool:
        """Whether this waiver is about the finding."""
        return (
            self.check in ("*", finding.check)
            and (self.path == "*" or fnmatch.fnmatchcase(finding.place.path, self.path))
            and (not self.symbol or finding.evidence.get("symbol") == self.symbol)
            and (not self.sha256 or digests.get("sha256") == self.sha256)
            and (not self.group or group_of(finding) == self.group)
        )


def group_of(finding: Finding) -> str:
    """Give the value of the group of rows that a finding is about, as text; empty when it is about none."""
    import json  # noqa: PLC0415  (start-up time)

    group = finding.evidence.get("group")
    value = group.get("value", "") if isinstance(group, dict) else ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


@dataclass(frozen=True)
class Policy:
    """Turns findings into a verdict.

    Attributes:
        gate: Findings of this severity and above fail the run.
        waivers: Reviewed exceptions.
        today: The day that expiry is judged against; None makes every waiver count (for reproducible reports).
    """

    gate: Severity = Severity.HIGH
    waivers: tuple[Waiver, ...] = ()
    today: dt.date | None = None

    def waived(self, finding: Finding, digests: dict[str, str]) -> str:
        """Give the reason why a finding does not count, or an empty string."""
        for waiver in self.waivers:
            if (self.today is None or self.today <= waiver.expires) and waiver.covers(finding, digests):
                return f"{waiver.reason} (until {waiver.expires.isoformat()})"
        return ""

    def split(self, findings: list[Finding], digests: dict[str, str]) -> tuple[list[Finding], list[tuple[Finding, str]]]:
        """Split findings into those that count and those that are waived, with the reason."""
        counted: list[Finding] = []
        waived: list[tuple[Finding, str]] = []
        for finding in findings:
            reason = self.waived(finding, digests)
            if reason:
                waived.append((finding, reason))
            else:
                counted.append(finding)
        return counted, waived


@dataclass(frozen=True)
class Config:
    """Everything a user can set, from ``toadstone.toml``, ``[tool.toadstone]`` or the command line.

    Attributes:
        gate: See `Policy`.
        stage: Only checks of this stage of life run; empty runs all.
        exclude: Globs over paths below a folder TARGET that are not looked at.
        plugins: Modules with further checks, imported by name.
        checks: Settings by check id.
        waivers: See `Policy`.
        intel: Folder of the lists of indicators; empty for the user's own.
        origin: The file it was read from; empty when it is all defaults.
    """

    gate: Severity = Severity.HIGH
    stage: str = ""
    exclude: tuple[str, ...] = ()
    plugins: tuple[str, ...] = ()
    checks: dict[str, dict[str, object]] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    intel: str = ""
    origin: str = ""
