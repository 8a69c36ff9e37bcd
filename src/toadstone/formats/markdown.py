"""Markdown: for pull requests and job summaries."""

from __future__ import annotations

import re

from toadstone.core.report import Report
from toadstone.core.version import __version__
from toadstone.formats import Envelope
from toadstone.formats.groups import group_lines, statistics_lines
from toadstone.formats.indicators import every, line
from toadstone.formats.terminal import printable

_INDICATORS = 50


def write(report: Report, envelope: Envelope) -> str:
    """Write the report as Markdown."""
    lines = [f"## toadstone: {report.verdict}", ""]
    count = len(report.subjects)
    files = f"{count:,} file{'s' if count != 1 else ''}"
    lines.append(f"{files} looked at, gate `{envelope.gate.label}`, exit code {report.exit_code(envelope.gate)}.")
    findings = report.findings
    if findings:
        lines += ["", "| severity | check | where | what |", "|---|---|---|---|"]
        lines += [
            f"| {finding.severity.label} | `{finding.check}` | {_code(str(finding.place))} | {_text(finding.message)} |"
            for finding in findings
        ]
    payloads = [
        (finding, code)
        for finding in findings
        if isinstance(code := finding.evidence.get("code"), str) and finding.severity >= envelope.gate
    ]
    for finding, code in payloads[:20]:
        lines += ["", f"{_code(str(finding.place))}", "", *_fenced(code)]
    for finding in [finding for finding in findings if "group" in finding.evidence][:20]:
        lines += ["", f"**{finding.check}**: {_text(finding.message)}", ""]
        lines += [f"- {_text(text)}" for text in group_lines(finding)]
    for subject in report.subjects:
        if subject.statistics:
            lines += ["", f"{_code(subject.path)}:", ""]
            lines += [f"- {_text(text)}" for text in statistics_lines(subject, verbose=True)]
    known = [line(indicator) for indicator in every(findings) if indicator.type != "path"]
    if known:
        lines += ["", "### Indicators", ""]
        lines += [f"- {_text(text)}" for text in known[:_INDICATORS]]
        if len(known) > _INDICATORS:
            lines.append(f"- and {len(known) - _INDICATORS:,} more")
    gaps = [gap for subject in report.subjects for gap in subject.unread]
    if gaps:
        lines += ["", "### Not read", ""]
        lines += [f"- {_code(str(gap.place))}: {_text(gap.reason)}" for gap in gaps[:100]]
        if len(gaps) > 100:
            lines.append(f"- and {len(gaps) - 100:,} more")
    lines += ["", f"<sub>toadstone {__version__}</sub>", ""]
    return "\n".join(lines)


def _fenced(code: str) -> list[str]:
    fence = "```"
    while fence in code:
        fence += "`"
    return [f"{fence}python", printable(code), fence]


def _text(text: str) -> str:
    escaped = printable(text)
    for character in "\\|<>[]*_`":
        escaped = escaped.replace(character, f"\\{character}")
    return escaped


def _code(text: str) -> str:
    clean = printable(text).replace("|", "\\|")
    ticks = "`" * (max((len(run) for run in re.findall("`+", clean)), default=0) + 1)
    return f"{ticks}{clean}{ticks}" if ticks == "`" else f"{ticks} {clean} {ticks}"
