"""What is said of groups of rows, and of what an examination of rows could have seen, in every format for people."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.finding import Finding, Json
from toadstone.core.report import Subject

_LENGTH = 160
_EXAMPLES = 2


def group_lines(finding: Finding) -> Iterator[str]:
    """Tell of a group: how many rows, how sure, what a model would learn, two examples."""
    evidence = finding.evidence
    if "group" not in evidence:
        return
    p = evidence.get("p_value")
    sure = f", corrected p {p:.1e}" if isinstance(p, float) else ""
    rows = evidence.get("rows")
    yield f"{_count(rows)} {'row' if rows == 1 else 'rows'}{sure}"
    lesson = evidence.get("lesson")
    if isinstance(lesson, str):
        yield f"a model would learn {lesson}"
    examples = evidence.get("examples")
    for text in examples[:_EXAMPLES] if isinstance(examples, list) else ():
        yield "» " + shortened(" ".join(str(text).split()), _value(evidence.get("group")))


def _value(group: Json) -> str:
    value = group.get("value") if isinstance(group, dict) else None
    return value if isinstance(value, str) else ""


def shortened(text: str, around: str = "", length: int = _LENGTH) -> str:
    """Cut a text to what fits a line or two, if possible so that it shows a certain part."""
    if len(text) <= length:
        return text
    found = text.lower().find(around.lower()) if around else 0
    start = max(0, min(found - length // 3, len(text) - length))
    return ("… " if start else "") + text[start : start + length] + (" …" if start + length < len(text) else "")


def statistics_lines(subject: Subject, *, verbose: bool) -> Iterator[str]:
    """Tell what was examined and what could have been seen."""
    statistics = subject.statistics
    if not statistics:
        return
    columns = statistics.get("columns")
    guessed = statistics.get("guessed")
    named = ", ".join(_column(role, column, guessed) for role, column in columns.items()) if isinstance(columns, dict) else ""
    rows = statistics.get("rows")
    yield f"{_count(rows)} examined" + (f" ({named})" if named else "")
    detectable = statistics.get("minimum_detectable_rows")
    if isinstance(detectable, dict) and detectable:
        listed = [f"{check} {_count(rows)}" for check, rows in detectable.items()]
        yield f"fewest rows of poison that would have shown: {', '.join(listed)}"
    rate = statistics.get("false_discovery_rate")
    kind = "promised by the reference" if statistics.get("promised") else "estimated"
    tests = statistics.get("tests")
    yield f"{_count(tests)} {'group' if tests == 1 else 'groups'} tested, false-discovery rate {rate} ({kind})"
    yield from _not_looked(subject, statistics.get("did_not_look"), verbose=verbose)


def _not_looked(subject: Subject, reasons: Json, *, verbose: bool) -> Iterator[str]:
    """Tell which checks the effort left out and, when everything is wanted, which had nothing to look at."""
    unread = " ".join(gap.reason for gap in subject.unread)
    for check, reason in sorted(reasons.items()) if isinstance(reasons, dict) else ():
        if f"check {check}: " not in unread and (verbose or "--effort" in str(reason)):
            yield f"{check} did not look: {reason}"


def _column(role: str, column: Json, guessed: Json) -> str:
    shown = ", ".join(map(str, column)) if isinstance(column, list) else str(column)
    return f"{role}: {shortened(shown)}" + (" (guessed)" if isinstance(guessed, list) and role in guessed else "")


def _count(value: Json) -> str:
    return f"{value:,}" if isinstance(value, int) else "?"
