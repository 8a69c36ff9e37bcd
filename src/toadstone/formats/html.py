"""HTML: one self-contained page to send, to keep or to print. No scripts, nothing loaded from elsewhere.

Whatever a scanned file brings into the report is text: control characters are written as escapes, markup as entities, and
the page's own policy forbids scripts, forms, images and connections should that ever fail.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from html import escape

from toadstone.core.finding import Finding, Indicator, Json
from toadstone.core.report import Gap, Report, Subject
from toadstone.core.version import __version__
from toadstone.formats import Envelope
from toadstone.formats.groups import group_lines, statistics_lines
from toadstone.formats.terminal import printable

_LISTED = 1_000
"""Findings, or unread parts, of one file that are written out."""

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #57606a; --line: #d0d7de; --box: #f6f8fa;
  --critical: #a40e26; --high: #cf222e; --medium: #9a6700; --low: #0969da; --info: #57606a; --good: #1a7f37; --gap: #8250df; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --faint: #8d96a0; --line: #30363d; --box: #161b22;
  --critical: #ff7b72; --high: #ff7b72; --medium: #d29922; --low: #58a6ff; --info: #8d96a0; --good: #3fb950; --gap: #bc8cff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 1.5rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; overflow-wrap: anywhere; }
p { margin: .3rem 0; } .faint { color: var(--faint); font-size: .875rem; }
.badge { border: 1px solid currentcolor; border-radius: .3rem; padding: 0 .4rem; font-size: .8rem; font-weight: 600;
  text-transform: uppercase; white-space: nowrap; }
.malicious, .critical, .high { color: var(--critical); } .suspicious, .medium { color: var(--medium); }
.low { color: var(--low); } .info { color: var(--info); }
.clean { color: var(--good); } .incomplete, .unread { color: var(--gap); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
td.number { text-align: right; white-space: nowrap; }
.finding { border: 1px solid var(--line); border-left: .3rem solid var(--line); border-radius: .3rem; padding: .6rem .9rem;
  margin: .7rem 0; break-inside: avoid; }
.finding.critical, .finding.high { border-left-color: var(--critical); } .finding.medium { border-left-color: var(--medium); }
.finding > * { color: var(--ink); } .finding .badge { color: inherit; }
code, pre { font: .85rem/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--box); border: 1px solid var(--line); border-radius: .3rem; padding: .6rem; white-space: pre-wrap; }
details { margin: .3rem 0; } summary { cursor: pointer; color: var(--faint); font-size: .875rem; }
a { color: inherit; } li { overflow-wrap: anywhere; }
@media print { body { max-width: none; padding: 0; } .finding { break-inside: avoid; } details > summary { display: none; } }
"""


def write(report: Report, envelope: Envelope) -> str:
    """Write the report as one page."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="referrer" content="no-referrer">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>toadstone: {report.verdict}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        *_summary(report, envelope),
        *_remedies(report, envelope),
        *_files(report),
        *_examined(report),
        *_findings(report),
        *_unread(report),
        *_waived(report),
        f'<p class="faint">toadstone {escape(__version__)}. Addresses and names are shown as found; none is a link.</p>',
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _text(text: object) -> str:
    """Give text that is neither markup nor control characters."""
    return escape(printable(str(text)).encode("utf-8", "backslashreplace").decode(), quote=True)


def _block(text: str) -> str:
    """Give code: as `_text`, with its line ends kept."""
    return "\n".join(_text(line) for line in text.split("\n"))


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _badge(word: str, kind: str = "") -> str:
    return f'<span class="badge {kind or word}">{escape(word)}</span>'


def _summary(report: Report, envelope: Envelope) -> Iterator[str]:
    verdicts: dict[str, int] = {}
    for subject in report.subjects:
        verdict = Report((subject,)).verdict
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
    said = ", ".join(
        f"{verdicts[name]:,} {name}" for name in ("malicious", "suspicious", "incomplete", "clean") if name in verdicts
    )
    yield f"<h1>toadstone {_badge(report.verdict)}</h1>"
    yield f"<p>{_counted(len(report.subjects), 'file')} looked at: {said or 'nothing to look at'}.</p>"
    levels: dict[str, int] = {}
    for finding in report.findings:
        levels[finding.severity.label] = levels.get(finding.severity.label, 0) + 1
    if levels:
        listed = " ".join(f"{_badge(f'{count:,} {level}', level)}" for level, count in levels.items())
        yield f"<p>Findings: {listed}</p>"
    coverage = (
        "Everything was read." if report.complete else "Not everything could be read, so what is unread is not called clean."
    )
    code = report.exit_code(envelope.gate)
    yield f"<p>{coverage} Gate <code>{envelope.gate.label}</code>, exit code {code}.</p>"
    commits = sorted({str(subject.origin["commit"]) for subject in report.subjects if "commit" in subject.origin})
    for commit in commits:
        yield f"<p>Read at commit <code>{_text(commit)}</code>.</p>"


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
        yield f"<li><code>{_text(check)}</code>: {_text(remedy.replace('``', ''))}</li>"
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
            f"<tr><td>{_badge(verdict)}</td><td><code>{_text(subject.path)}</code>{_identity(subject)}</td><td>{_text(subject.kind)}</td>"
            f'<td class="number">{size}</td><td class="number">{len(subject.findings):,}</td>'
            f'<td class="number">{len(subject.unread):,}</td></tr>'
        )
    yield "</tbody></table>"


def _examined(report: Report) -> Iterator[str]:
    """Write what was examined of data sets, and what could have been seen."""
    for subject in report.subjects:
        if subject.statistics:
            yield f"<h3><code>{_text(subject.path)}</code></h3>"
            yield "<ul>"
            yield from (f"<li>{_text(line)}</li>" for line in statistics_lines(subject, verbose=True))
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
    items = "<br>".join(f"{_text(name)} <code>{_text(value)}</code>" for name, value in pairs)
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
        yield f"<h3><code>{_text(subject.path)}</code></h3>"
        for finding in subject.findings[:_LISTED]:
            yield from _finding(finding)
        if len(subject.findings) > _LISTED:
            yield f"<p>and {len(subject.findings) - _LISTED:,} more</p>"


def _finding(finding: Finding) -> Iterator[str]:
    where = str(finding.place)[len(finding.place.path) :].lstrip("! ")
    level = finding.severity.label
    yield f'<div class="finding {level}">'
    yield (
        f'<p><span class="{level}">{_badge(level)}</span> <code>{_text(finding.check)}</code>'
        f' <span class="faint">{_text(where)} · confidence {finding.confidence.label}</span></p>'
    )
    yield f"<p>{_text(finding.message)}</p>"
    shown = dict(finding.evidence)
    for key, label in (("code", ""), ("decoded", "That is:")):
        value = shown.pop(key, None)
        if isinstance(value, str) and value:
            yield (f"<p>{label}</p>" if label else "") + f"<pre>{_block(value)}</pre>"
    for text in group_lines(finding):
        yield f"<p>{_text(text)}</p>"
    if finding.indicators:
        yield "<p>Reaches:</p>"
        yield "<ul>"
        yield from (f"<li>{_indicator(indicator)}</li>" for indicator in finding.indicators)
        yield "</ul>"
    if shown:
        yield "<details><summary>evidence</summary>"
        yield "<table><tbody>"
        yield from (f"<tr><th>{_text(key)}</th><td>{_value(value)}</td></tr>" for key, value in sorted(shown.items()))
        yield "</tbody></table></details>"
    yield f'<p class="faint">{_text(finding.remedy.replace("``", ""))}</p>'
    if finding.references:
        yield f'<p class="faint">{_text(", ".join(finding.references))}</p>'
    yield "</div>"


def _indicator(indicator: Indicator) -> str:
    known = "; ".join(
        ", ".join(f"{_text(key)} {_text(word)}" for key, word in entry if word not in (None, "")) for entry in indicator.intel
    )
    return f"{_text(indicator.type)} <code>{_text(indicator.value)}</code>" + (
        f' <span class="faint">({known})</span>' if known else ""
    )


def _value(value: Json) -> str:
    """Write evidence: lists as lists (a payload's stages read one after the other), the rest as it is."""
    if isinstance(value, list) and value:
        return "<ol>" + "".join(f"<li>{_value(entry)}</li>" for entry in value[:_LISTED]) + "</ol>"
    if isinstance(value, str):
        return f"<code>{_block(value)}</code>"
    return f"<code>{_text(json.dumps(value, sort_keys=True, default=str))}</code>"


def _unread(report: Report) -> Iterator[str]:
    if report.complete:
        return
    yield '<h2 class="unread">Not read</h2>'
    for subject in report.subjects:
        if subject.unread:
            yield f"<h3><code>{_text(subject.path)}</code></h3>"
            yield "<ul>"
            yield from _gaps(subject.unread)
            yield "</ul>"


def _gaps(gaps: Iterable[Gap]) -> Iterator[str]:
    listed = list(gaps)
    for gap in listed[:_LISTED]:
        where = str(gap.place)[len(gap.place.path) :].lstrip("! ")
        yield f"<li>{f'<code>{_text(where)}</code>: ' if where else ''}{_text(gap.reason)}</li>"
    if len(listed) > _LISTED:
        yield f"<li>and {len(listed) - _LISTED:,} more</li>"


def _waived(report: Report) -> Iterator[str]:
    if not report.suppressed:
        return
    yield "<h2>Waived</h2>"
    yield "<ul>"
    for finding, reason in report.suppressed:
        yield f"<li><code>{_text(finding.check)}</code> at <code>{_text(finding.place)}</code>: {_text(reason)}</li>"
    yield "</ul>"
