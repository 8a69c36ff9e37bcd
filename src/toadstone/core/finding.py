"""Findings: what a check says about facts."""

from __future__ import annotations

import enum

from toadstone.core.place import Place
from toadstone.core.record import dataclass, field

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import TypeAlias

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"


class Severity(enum.IntEnum):
    """How bad it is if the finding is right."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        """The lower-case name used in reports and on the command line."""
        return self.name.lower()

    @classmethod
    def parse(cls, label: str) -> Severity:
        """Read a label.

        Raises:
            ValueError: If it is no severity.
        """
        try:
            return cls[label.upper()]
        except KeyError:
            raise ValueError(f"{label!r} is no severity; use info, low, medium, high or critical") from None


class Confidence(enum.IntEnum):
    """How sure the check is."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2

    @property
    def label(self) -> str:
        """The lower-case name used in reports."""
        return self.name.lower()


@dataclass(frozen=True, order=True)
class Indicator:
    """Something that can be looked up elsewhere: an address, a domain, a digest.

    Attributes:
        type: ``ipv4``, ``ipv6``, ``domain``, ``url``, ``email``, ``sha256`` or ``path``.
        value: In its canonical form.
        intel: What is known of it: ``source``, ``label``, ``asn``, ``organisation``, ``country``.
    """

    type: str
    value: str
    intel: tuple[tuple[tuple[str, str], ...], ...] = ()

    def as_dict(self) -> dict[str, Json]:
        """Give the JSON form of CONTRACT ``toadstone.report/1``."""
        return {"type": self.type, "value": self.value, "intel": [dict(entry) for entry in self.intel]}


@dataclass(frozen=True)
class Finding:
    """One flaw at one place.

    Attributes:
        check: Id of the check.
        severity: How bad.
        confidence: How sure.
        place: Where.
        message: One sentence for a person.
        evidence: What was seen, JSON-ready; ``score`` in [0, 1] (higher is worse) orders findings of equal severity.
        remedy: What to do, one or two sentences.
        indicators: Addresses, domains, paths ... found in the evidence.
        references: Taxonomy ids with their edition.
        key: Findings of one check on one subject that share a non-empty key are one finding.
    """

    check: str
    severity: Severity
    confidence: Confidence
    place: Place
    message: str
    evidence: dict[str, Json] = field(default_factory=dict)
    remedy: str = ""
    indicators: tuple[Indicator, ...] = ()
    references: tuple[str, ...] = ()
    key: str = ""

    @property
    def score(self) -> float:
        """``evidence.score`` when it is a number, else 0."""
        score = self.evidence.get("score")
        return float(score) if isinstance(score, (int, float)) and not isinstance(score, bool) else 0.0

    @property
    def order(self) -> tuple[int, float, Place, str, str]:
        """Sort key: severity, then score, then place; worst first."""
        return (-self.severity, -self.score, self.place, self.check, self.message)

    def as_dict(self) -> dict[str, Json]:
        """Give the JSON form of CONTRACT ``toadstone.report/1``."""
        return {
            "check": self.check,
            "severity": self.severity.label,
            "confidence": self.confidence.label,
            "place": dict(self.place.as_dict()),
            "message": self.message,
            "evidence": self.evidence,
            "remedy": self.remedy,
            "indicators": [indicator.as_dict() for indicator in self.indicators],
            "references": list(self.references),
        }
