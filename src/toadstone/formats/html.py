"""HTML: one self-contained page to send, to keep or to print. No scripts, nothing loaded from elsewhere.

Whatever a scanned file brings into the report is text: control characters are written as escapes, markup as entities, and
the page's own policy forbids scripts, forms, images and connections should that ever fail.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from toadstone.core.finding import Finding, Indicator, Json
from toadstone.core.report import Gap, Report, Subject
from toadstone.formats import Envelope
from toadstone.formats.groups import group_lines, statistics_lines
from toadstone.formats.markup import badge, block, counted, page_foot, page_head, text

_LISTED = 1_000
"""Findings, or unread parts, of one file that are written out."""


def write(report: Report, envelope: Envelope) -> str:
    """Write the report as one page."""
    lines = [
        *page_head(f"toadstone: {report.verdict}"),
        *_summary(report, envelope),
        *_remedies(report, envelope),
        *_files(report),
        *_examined(report),
        *_findings(report),
        *_unread(report),
        *_waived(report),
        *page_foot(),
    ]
    return "\n".join(lines) + "\n"


def _summary(report: Report, envelope: Envelope) -> Iterator[str]:
    verdicts: dict[str, int] = {}
    for subject in report.subjects:
        verdict = Report((subject,)).verdict
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
    said = ", ".join(
        f"{verdicts[name]:,} {name}" for name in ("malicious", "suspicious", "incomplete", "clean") if name in verdicts
    )
    yield f"<h1>toadstone {badge(report.verdict)}</h1>"
    yield f"<p>{counted(len(report.subjects), 'file')} looked at: {said or 'nothing to look at'}.</p>"
    levels: dict[str, int] = {}
    for finding in report.findings:
        levels[finding.severity.label] = levels.get(finding.severity.label, 0) + 1
    if levels:
        listed = " ".join(f"{badge(f'{count:,} {level}', level)}" for level, count in levels.items())
        yield f"<p>Findings: {listed}</p>"
    coverage = (
        "Everything was read." if report.complete else "Not everything could be read, so what is unread is not called clean."
    )
    code = report.exit_code(envelope.gate)
    yield f"<p>{coverage} Gate <code>{envelope.gate.label}</code>, exit code {code}.</p>"
    commits = sorted({str(subject.origin["commit"]) for subject in report.subjects if "commit" in subject.origin})
    for commit in commits:
        yield f"<p>Read at commit <code>{text(commit)}</code>.</p>"


def _remedies(report: Report, envelope: Envelope) -> Iterator[str]:
    remedies: dict[str, str] = {}
    for finding in report.findings:
        if finding.severity >= envelope.gate:
            remedies.setdefault(finding.check, finding.remedy)
    if not remedies and report.complete:
        return
    yield "<h2>What to do</h2>"
    yield "<ul>"
    for check, remedy in remedies.items():
        yield f"<li><code>{text(check)}</code>: {text(remedy.replace('``', ''))}</li>"
    if not report.complete:
        yield "<li>Treat what was not read as unsafe until somebody has looked at it, or fetch it again if it is damaged.</li>"
    yield "</ul>"


def _files(report: Report) -> Iterator[str]:
    yield "<h2>Files</h2>"
    titles = "".join(f"<th>{title}</th>" for title in ("verdict", "file", "kind", "bytes", "findings", "unread parts"))
    yield f"<table><thead><tr>{titles}</tr></thead>"
    yield "<tbody>"
    for subject in report.subjects:
        verdict = Report((subject,)).verdict
        size = f"{subject.size:,}" if subject.size >= 0 else ""
        yield (
            f"<tr><td>{badge(verdict)}</td><td><code>{text(subject.path)}</code>{_identity(subject)}</td><td>{text(subject.kind)}</td>"
            f'<td class="number">{size}</td><td class="number">{len(subject.findings):,}</td>'
            f'<td class="number">{len(subject.unread):,}</td></tr>'
        )
    yield "</tbody></table>"


def _examined(report: Report) -> Iterator[str]:
    """Write what was examined of data sets, and what could have been seen."""
    for subject in report.subjects:
        if subject.statistics:
            yield f"<h3><code>{text(subject.path)}</code></h3>"
            yield "<ul>"
            yield from (f"<li>{text(line)}</li>" for line in statistics_lines(subject, verbose=True))
            yield "</ul>"


def _identity(subject: Subject) -> str:
    """Write the digests, and what a server says of a remote file."""
    pairs = [(f"{name}", digest) for name, digest in subject.digests.items()]
    for key, value in subject.origin.items():
        if isinstance(value, dict):
            pairs += [(f"{key} {name}", str(word)) for name, word in value.items()]
        elif key != "commit":
            pairs.append((key, str(value)))
    if not pairs:
        return ""
    items = "<br>".join(f"{text(name)} <code>{text(value)}</code>" for name, value in pairs)
    return f'<details><summary>identity</summary><p class="faint">{items}</p></details>'


def _findings(report: Report) -> Iterator[str]:
    marked = sorted(
        (subject for subject in report.subjects if subject.findings),
        key=lambda subject: (subject.findings[0].order, subject.path),
    )
    if not marked:
        return
    yield "<h2>Findings</h2>"
    for subject in marked:
        yield f"<h3><code>{text(subject.path)}</code></h3>"
        for finding in subject.findings[:_LISTED]:
            yield from _finding(finding)
        if len(subject.findings) > _LISTED:
            yield f"<p>and {len(subject.findings) - _LISTED:,} more</p>"


def _finding(finding: Finding) -> Iterator[str]:
    where = str(finding.place)[len(finding.place.path) :].lstrip("! ")
    level = finding.severity.label
    yield f'<div class="finding {level}">'
    yield (
        f'<p><span class="{level}">{badge(level)}</span> <code>{text(finding.check)}</code>'
        f' <span class="faint">{text(where)} · confidence {finding.confidence.label}</span></p>'
    )
    yield f"<p>{text(finding.message)}</p>"
    shown = dict(finding.evidence)
    for key, label in (("code", ""), ("decoded", "That is:")):
        value = shown.pop(key, None)
        if isinstance(value, str) and value:
            yield (f"<p>{label}</p>" if label else "") + f"<pre>{block(value)}</pre>"
    for line in group_lines(finding):
        yield f"<p>{text(line)}</p>"
    if finding.indicators:
        yield "<p>Reaches:</p>"
        yield "<ul>"
        yield from (f"<li>{_indicator(indicator)}</li>" for indicator in finding.indicators)
        yield "</ul>"
    if shown:
        yield "<details><summary>evidence</summary>"
        yield "<table><tbody>"
        yield from (f"<tr><th>{text(key)}</th><td>{_value(value)}</td></tr>" for key, value in sorted(shown.items()))
        yield "</tbody></table></details>"
    yield f'<p class="faint">{text(finding.remedy.replace("``", ""))}</p>'
    if finding.references:
        yield f'<p class="faint">{text(", ".join(finding.references))}</p>'
    yield "</div>"


def _indicator(indicator: Indicator) -> str:
    known = "; ".join(
        ", ".join(f"{text(key)} {text(word)}" for key, word in entry if word not in (None, "")) for entry in indicator.intel
    )
    return f"{text(indicator.type)} <code>{text(indicator.value)}</code>" + (
        f' <span class="faint">({known})</span>' if known else ""
    )


def _value(value: Json) -> str:
    """Write evidence: lists as lists (a payload's stages read one after the other), the rest as it is."""
    if isinstance(value, list) and value:
        return "<ol>" + "".join(f"<li>{_value(entry)}</li>" for entry in value[:_LISTED]) + "</ol>"
    if isinstance(value, str):
        return f"<code>{block(value)}</code>"
    return f"<code>{text(json.dumps(value, sort_keys=True, default=str))}</code>"


def _unread(report: Report) -> Iterator[str]:
    if report.complete:
        return
    yield '<h2 class="unread">Not read</h2>'
    for subject in report.subjects:
        if subject.unread:
            yield f"<h3><code>{text(subject.path)}</code></h3>"
            yield "<ul>"
            yield from _gaps(subject.unread)
            yield "</ul>"


def _gaps(gaps: Iterable[Gap]) -> Iterator[str]:
    listed = list(gaps)
    for gap in listed[:_LISTED]:
        where = str(gap.place)[len(gap.place.path) :].lstrip("! ")
        yield f"<li>{f'<code>{text(where)}</code>: ' if where else ''}{text(gap.reason)}</li>"
    if len(listed) > _LISTED:
        yield f"<li>and {len(listed) - _LISTED:,} more</li>"


def _waived(report: Report) -> Iterator[str]:
    if not report.suppressed:
        return
    yield "<h2>Waived</h2>"
    yield "<ul>"
    for finding, reason in report.suppressed:
        yield f"<li><code>{text(finding.check)}</code> at <code>{text(finding.place)}</code>: {text(reason)}</li>"
    yield "</ul>"
