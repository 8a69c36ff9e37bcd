"""What became of pinned sources, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from toadstone.core.finding import Severity
from toadstone.core.version import __version__
from toadstone.formats.terminal import printable
from toadstone.identity.verified import SourceChange, Verified

SCHEMA = "toadstone.verify/1"
MOST_ROWS = 1_000_000
"""Rows of one change that are listed; `count` has all."""
_COLOURS = {Severity.HIGH: "1;31", Severity.MEDIUM: "33", Severity.LOW: "36", Severity.INFO: "2"}
_RANGES = 6
_SHOWN = 40


def as_json(found: Verified) -> str:
    """Write one JSON document."""
    verdict = "changed" if not found.same else "incomplete" if found.unknown else "same"
    document = {
        "schema": SCHEMA,
        "tool": {"name": "toadstone", "version": __version__},
        "verdict": verdict,
        "complete": not found.unknown,
        "sources": list(found.sources),
        "changes": [_change(change) for change in found.changes],
        "unknown": list(found.unknown),
    }
    return json.dumps(document, indent=2) + "\n"


def _change(found: SourceChange) -> dict[str, object]:
    change = found.change
    return {
        "source": found.source,
        **({"path": found.path} if found.path else {}),
        "kind": change.kind,
        "severity": found.severity.label,
        "rows": list(change.rows[:MOST_ROWS]),
        "count": len(change.rows),
        "columns": list(change.columns),
        "note": change.note,
        "meaning": found.meaning,
    }


def as_text(found: Verified, *, colour: bool = False) -> str:
    """Write for a person."""
    lines: list[str] = []
    for change in found.changes[:_SHOWN]:
        lines += _lines(change, colour=colour)
    if len(found.changes) > _SHOWN:
        lines.append(f"  … and {len(found.changes) - _SHOWN:,} more changes (--format json lists them)")
    lines += [f"  unknown   {printable(reason)}" for reason in found.unknown]
    if lines:
        lines.append("")
    lines.append(_sum(found))
    return "\n".join(lines) + "\n"


def _sum(found: Verified) -> str:
    touched = {change.source for change in found.changes if change.change.kind != "re-encoded"}
    total = len(found.sources)
    sources = f"{total:,} source{'' if total == 1 else 's'}"
    if touched:
        advice = "Look at the changes; `toadstone pin` takes what is there now for good."
        return f"changed: {len(touched):,} of {sources}. {advice}"
    if found.unknown:
        return f"incomplete: {sources}, nothing different in what could be compared."
    return f"same: {sources}, content as it was pinned."


def _lines(found: SourceChange, *, colour: bool) -> Iterator[str]:
    change = found.change
    place = f"{found.source}/{found.path}" if found.path else found.source
    label = f"{found.severity.label:<8}"
    if colour:
        label = f"\x1b[{_COLOURS[found.severity]}m{label}\x1b[0m"
    said = change.kind
    if change.rows:
        said = f"{len(change.rows):,} row{'' if len(change.rows) == 1 else 's'} {change.kind}: {spans(change.rows)}"
    columns = f" in {', '.join(map(printable, change.columns))}" if change.columns else ""
    yield f"  {label}  {printable(place)}: {said}{columns}{f' ({printable(change.note)})' if change.note else ''}"
    yield f"            {found.meaning}"


def spans(rows: Sequence[int]) -> str:
    """Write row numbers as ranges; the first few."""
    ranges: list[list[int]] = []
    for row in rows:
        if ranges and row == ranges[-1][1] + 1:
            ranges[-1][1] = row
        elif len(ranges) == _RANGES:
            return ", ".join(_range(*one) for one in ranges) + ", …"
        else:
            ranges.append([row, row])
    return ", ".join(_range(*one) for one in ranges)


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
