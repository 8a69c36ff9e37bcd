"""Output formats: a report as text, one module a format, loaded only when it is used."""

from __future__ import annotations

import importlib

from toadstone.core.finding import Severity
from toadstone.core.record import dataclass
from toadstone.core.report import Report

FORMATS = ("terminal", "json", "sarif", "junit", "markdown", "html", "stix")


@dataclass(frozen=True)
class Envelope:
    """What is not part of the report: when, how long, for whom.

    Attributes:
        gate: Findings of this severity and above fail the run.
        seconds: How long the scan took.
        colour: Whether the text may have colours.
        verbose: Whether to list what is below the gate as well.
        date: Day that a STIX bundle bears, YYYY-MM-DD; empty leaves out everything that needs a time.
    """

    gate: Severity = Severity.HIGH
    seconds: float = 0.0
    colour: bool = False
    verbose: bool = False
    date: str = ""


def write(report: Report, name: str, envelope: Envelope) -> str:
    """Write a report in a format of `FORMATS`; the text ends with a newline."""
    module = importlib.import_module(f"toadstone.formats.{name}")
    text: str = module.write(report, envelope)
    return text
