"""How each tool says what it found. Every rule was checked on a bad, a good, a broken and a foreign file.

Two silences are kept apart: ``skipped`` is a success status although the tool says that it did not read (all of) the
file; ``error`` is a status that means "failed" or "incomplete". Neither is a detection.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from benchmarks.measure import Run

DETECTED, CLEAN, SKIPPED, ERROR, TIMEOUT, MEMORY = OUTCOMES = ("detected", "clean", "skipped", "error", "timeout", "memory")
Judge = Callable[[Run], str]


def judged(run: Run, judge: Judge) -> str:
    """Return the outcome of *run*: time and memory first, then what the tool says."""
    if run.status is None:
        return TIMEOUT
    outcome = judge(run)
    if outcome == ERROR and ("MemoryError" in run.errors or "MemoryError" in run.output or "memory allocation" in run.errors):
        return MEMORY
    return outcome


def picklescan(run: Run) -> str:
    """0 clean, 1 found, 2 error. It exits 0 with a warning when a file does not parse as a pickle."""
    if run.status == 1 and "Infected files:" in run.output:
        return DETECTED
    if run.status != 0:
        return ERROR
    unread = "could not parse" in run.output + run.errors or "Scanned files: 0" in run.output
    return SKIPPED if unread else CLEAN


def modelscan(run: Run) -> str:
    """0 clean, 1 found, 2 failed, 3 nothing scanned; errors while parsing also end with 3."""
    if run.status == 1:
        return DETECTED
    if "--- Errors ---" in run.output or run.status not in {0, 3}:
        return ERROR
    return SKIPPED if run.status == 3 or "Scanning" not in run.output else CLEAN


def fickling(run: Run) -> str:
    """0 clean, 1 unsafe (its verdict on a broken pickle too), 2 cannot parse. A traceback also ends with 1."""
    if run.status == 1 and "Traceback" not in run.errors:
        return DETECTED
    return CLEAN if run.status == 0 else ERROR


def modelaudit(run: Run) -> str:
    """0 clean, 1 any issue of warning or above, 2 error."""
    if run.status == 1 and "Traceback" not in run.errors:
        return DETECTED
    return _modelaudit_silence(run)


def modelaudit_critical(run: Run) -> str:
    """As a gate on critical issues only would judge its JSON."""
    document = _document(run.output)
    if any(issue.get("severity") == "critical" for issue in document.get("issues", [])):
        return DETECTED
    return _modelaudit_silence(run)


def _modelaudit_silence(run: Run) -> str:
    document = _document(run.output)
    if run.status not in {0, 1} or not document or document.get("has_errors"):
        return ERROR
    incomplete = any(issue.get("details", {}).get("analysis_incomplete") for issue in document.get("issues", []))
    return SKIPPED if incomplete or not document.get("scanner_names") else CLEAN


def hayward(run: Run) -> str:
    """0 or 1 by its default gate (high); files that it could not fully read are listed and exit 0."""
    return _hayward(run, ("high", "critical"))


def hayward_medium(run: Run) -> str:
    """As ``--fail-on medium`` judges."""
    return _hayward(run, ("medium", "high", "critical"))


def _hayward(run: Run, gate: tuple[str, ...]) -> str:
    document = _document(run.output)
    if run.status not in {0, 1} or not document:
        return ERROR
    if any(document["counts"].get(severity) for severity in gate):
        return DETECTED
    return SKIPPED if document["coverage_gaps"] else CLEAN


def aisbom(run: Run) -> str:
    """0 clean, 1 error, 2 critical risk; an empty bill of materials means that nothing was looked at."""
    if run.status == 2 and "CRITICAL risks detected" in run.output:
        return DETECTED
    if run.status != 0:
        return ERROR
    return CLEAN if _document(run.files.get("sbom.json", "")).get("components") else SKIPPED


def toadstone(run: Run) -> str:
    """0 clean and complete, 1 found, 2 usage, 3 incomplete; anything but 0 and 1 counts as an error here."""
    if run.status == 1 and _document(run.output):
        return DETECTED
    return CLEAN if run.status == 0 else ERROR


def toadstone_high(run: Run) -> str:
    """By the findings in its JSON: high or critical."""
    return _toadstone(run, ("high", "critical"))


def toadstone_medium(run: Run) -> str:
    """By the findings in its JSON: medium or above."""
    return _toadstone(run, ("medium", "high", "critical"))


def _toadstone(run: Run, gate: tuple[str, ...]) -> str:
    document = _document(run.output)
    if any(finding["severity"] in gate for finding in document.get("findings", [])):
        return DETECTED
    return CLEAN if document.get("complete") and run.status in {0, 1} else ERROR


def _document(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
