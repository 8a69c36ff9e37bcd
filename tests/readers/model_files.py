"""Small real models, made with the libraries themselves, and how tests judge a file with all checks."""

from pathlib import Path

from format_files import Look, look

from toadstone.core.finding import Finding, Severity
from toadstone.core.panel import make_checks

MODELS = Path(__file__).parents[1] / "data" / "models"


def model(name: str) -> bytes:
    return (MODELS / name).read_bytes()


def seen(name: str) -> Look:
    beside = {path.name: path.read_bytes() for path in MODELS.iterdir()}
    return look(model(name), name, beside)


def judged(found: Look, least: Severity = Severity.MEDIUM) -> dict[str, Severity]:
    """The checks that fire at a severity or above, each with its highest."""
    findings: list[Finding] = [
        finding
        for check in make_checks({})
        for fact in found.facts
        if isinstance(fact, check.reads) and check.wants(fact)
        for finding in check.examine(fact)
    ]
    highest: dict[str, Severity] = {}
    for finding in findings:
        if finding.severity >= least:
            highest[finding.check] = max(finding.severity, highest.get(finding.check, finding.severity))
    return highest
