"""The terminal: one screen for the common case. What it is, where, the payload as code, what to do next."""

from __future__ import annotations

import textwrap

from toadstone.core.finding import Finding, Severity
from toadstone.core.report import Report, Subject
from toadstone.core.version import __version__
from toadstone.formats import Envelope
from toadstone.formats.groups import group_lines, statistics_lines
from toadstone.formats.indicators import lines as indicator_lines

_COLOURS = {"critical": "1;97;41", "high": "1;31", "medium": "33", "low": "36", "info": "2"}
_VERDICTS = {"malicious": "1;97;41", "poisoned": "1;97;41", "suspicious": "33", "incomplete": "35", "clean": "32"}
_WIDTH = 118
_SUBJECTS = 12
_FINDINGS = 4
_GAPS = 3
_INDICATORS = 4


class _Page:
    """Lines with or without colours. Control characters of scanned content never reach the terminal."""

    def __init__(self, *, colour: bool) -> None:
        self.lines: list[str] = []
        self._colour = colour

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and code else text

    def add(self, text: str = "") -> None:
        self.lines.append(text)

    def block(self, label: str, label_code: str, text: str, tail: str = "", *, code: str = "", most: int = 3) -> None:
        """Write a text in the column behind the labels, wrapped, at most ``most`` lines, and a faint tail behind it."""
        wrapped = textwrap.wrap(printable(text), _WIDTH - 12, break_on_hyphens=False) or [""]
        if len(wrapped) > most:
            wrapped = [*wrapped[: most - 1], wrapped[most - 1][: _WIDTH - 16] + " …"]
        for number, line in enumerate(wrapped):
            head = self.paint(f"{label:<8}", label_code) if number == 0 and label else " " * 8
            self.add(f"  {head}  {self.paint(line, code)}")
        if tail:
            last = f"{self.lines[-1]}  {self.paint(f'({printable(tail)})', '2')}"
            if len(wrapped[-1]) + len(tail) < _WIDTH - 12:
                self.lines[-1] = last
            else:
                self.add(f"{' ' * 12}{self.paint(f'({printable(tail)[:_WIDTH]})', '2')}")


def printable(text: str) -> str:
    """Replace what could steer a terminal (control, bidirectional and invisible characters) by its escape."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def write(report: Report, envelope: Envelope) -> str:
    """Write the report for a person."""
    page = _Page(colour=envelope.colour)
    ranked = sorted(report.subjects, key=_rank)
    shown = [subject for subject in ranked if envelope.verbose or _verdict(subject) != "clean" or len(ranked) == 1]
    for subject in shown if envelope.verbose else shown[:_SUBJECTS]:
        _subject(page, subject, envelope)
    hidden = len(shown) - _SUBJECTS
    if hidden > 0 and not envelope.verbose:
        page.add(f"… and {_counted(hidden, 'more file')} with findings or unread parts (--verbose lists them)")
        page.add()
    _closing(page, report, envelope)
    return "\n".join(page.lines) + "\n"


def _verdict(subject: Subject) -> str:
    return Report((subject,)).verdict


def _rank(subject: Subject) -> tuple[int, int, str]:
    worst = max((finding.severity for finding in subject.findings), default=Severity.INFO)
    return (-worst, 0 if subject.findings else 1 if subject.unread else 2, subject.path)


def _subject(page: _Page, subject: Subject, envelope: Envelope) -> None:
    verdict = _verdict(subject)
    size = f", {_bytes(subject.size)}" if subject.size >= 0 else ""
    badge = page.paint(f" {verdict.upper()} ", _VERDICTS[verdict])
    page.add(f"{badge} {page.paint(printable(subject.path), '1')}  ({subject.kind}{size})")
    gated = tuple(finding for finding in subject.findings if finding.severity >= envelope.gate)
    listed = subject.findings if envelope.verbose or not gated else gated
    most = len(listed) if envelope.verbose else _FINDINGS if gated else 1
    told: set[str] = set()
    for finding in listed[:most]:
        _finding(page, finding, told)
    rest = len(subject.findings) - len(listed[:most])
    if rest > 0:
        more = _counted(rest, "more finding")
        page.add(f"  {page.paint(f'+ {more} (--verbose lists them)', '2')}")
    for line in statistics_lines(subject, verbose=envelope.verbose):
        page.block("rows", "2", line)
    for gap in subject.unread if envelope.verbose else subject.unread[:_GAPS]:
        inside = f"{gap.place.member}: " if gap.place.member else ""
        page.block("unread", "35", inside + gap.reason)
    if len(subject.unread) > _GAPS and not envelope.verbose:
        more = _counted(len(subject.unread) - _GAPS, "more unread part")
        page.add(f"  {page.paint(f'+ {more}', '2')}")
    for label, text in _origin(subject) if envelope.verbose else ():
        page.add(f"  {page.paint(f'{label:<8}', '2')}  {printable(text)}")
    for finding, reason in subject.suppressed if envelope.verbose else ():
        page.add(f"  {page.paint('waived  ', '2')}  {finding.check}: {printable(reason)}")
    page.add()


def _origin(subject: Subject) -> list[tuple[str, str]]:
    """Tell what the server says of a remote file, next to what was measured."""
    lines: list[tuple[str, str]] = []
    claimed, hub = subject.origin.get("claimed"), subject.origin.get("hub")
    for algorithm, digest in claimed.items() if isinstance(claimed, dict) else ():
        lines.append(
            ("claimed", f"{algorithm} {digest}" + ("" if subject.digests else " (not compared: not every byte was read)"))
        )
    if isinstance(hub, dict) and hub:
        lines.append(("hub says", ", ".join(f"{name} {word}" for name, word in hub.items()).removeprefix("status ")))
    return lines


def _where(finding: Finding) -> str:
    """Give the place inside its file; the first of its rows says nothing of a group."""
    where = str(finding.place)[len(finding.place.path) :]
    if "group" in finding.evidence:
        return ""
    for mark, word in ((":", "line "), (" @", "offset "), ("!", "")):
        if where.startswith(mark):
            return word + where.removeprefix(mark)
    return where


def _finding(page: _Page, finding: Finding, told: set[str]) -> None:
    """Write a finding: what is wrong, where it stands, the payload as code (once), how it comes to its effect."""
    label = finding.severity.label
    page.block(f"{label:<8}", _COLOURS[label], f"{finding.check}: {finding.message}", _where(finding))
    stages = finding.evidence.get("stages")
    if isinstance(stages, list) and stages:
        page.block("", "", " ← ".join(str(stage) for stage in stages), code="35", most=2)
    for key, prefix in (("code", ""), ("decoded", "that is ")):
        code = finding.evidence.get(key)
        if isinstance(code, str) and code and code not in told:
            told.add(code)
            page.block("", "", prefix + code, code="1;36", most=6)
    for text in group_lines(finding):
        page.block("", "", text, code="36", most=2)
    witness = finding.evidence.get("witness")
    if isinstance(witness, str) and " -> " in witness:
        page.block("", "", f"by {witness}", code="2", most=2)
    told_of = [text for text in indicator_lines(finding) if text not in told]
    for text in told_of[:_INDICATORS]:
        told.add(text)
        page.block("", "", f"reaches {text}", code="33", most=2)
    if len(told_of) > _INDICATORS:
        page.block("", "", _counted(len(told_of) - _INDICATORS, "more indicator"), code="2")


def _closing(page: _Page, report: Report, envelope: Envelope) -> None:
    counts = dict.fromkeys(_VERDICTS, 0)
    for subject in report.subjects:
        counts[_verdict(subject)] += 1
    total = sum(max(subject.size, 0) for subject in report.subjects)
    parts = [page.paint(f"{count:,} {verdict}", _VERDICTS[verdict]) for verdict, count in counts.items() if count]
    speed = f" in {envelope.seconds:.1f} s" if envelope.seconds else ""
    fetched = f", {_bytes(report.received)} fetched" if report.received >= 0 else ""
    counted = f"{_counted(len(report.subjects), 'file')}, {_bytes(total)}{fetched}{speed}"
    page.add(f"{counted}: " + (" · ".join(parts) or "nothing to look at"))
    for line in _remote(report):
        page.add(line)
    code = report.exit_code(envelope.gate)
    if code == 1:
        _remedies(page, report, envelope)
    elif code == 3:
        page.add(f"Not everything could be read, so nothing here is called clean. (toadstone {__version__}, exit code 3)")
    if report.suppressed:
        page.add(f"{_counted(len(report.suppressed), 'waived finding')} (--verbose lists them).")


def _remote(report: Report) -> list[str]:
    """Tell which commit was read, and what the hub itself says of its files."""
    commits = {str(subject.origin["commit"]) for subject in report.subjects if "commit" in subject.origin}
    words: dict[str, int] = {}
    for subject in report.subjects:
        hub = subject.origin.get("hub")
        if isinstance(hub, dict):
            words[str(hub.get("status", "silent"))] = words.get(str(hub.get("status", "silent")), 0) + 1
    lines = [f"commit {commit}" for commit in sorted(commits)]
    if words:
        lines.append("the hub's own scan: " + " · ".join(f"{count:,} {printable(word)}" for word, count in sorted(words.items())))
    return lines


def _remedies(page: _Page, report: Report, envelope: Envelope) -> None:
    """Say once for each check what to do about it."""
    remedies: dict[str, str] = {}
    for finding in report.findings:
        if finding.severity >= envelope.gate:
            remedies.setdefault(finding.check, finding.remedy)
    page.add()
    for check, remedy in list(remedies.items())[:4]:
        page.block("do", "1", f"{check}: {remedy}".replace("``", "`"))
    page.add(f"`toadstone explain {next(iter(remedies))}` tells more. (toadstone {__version__}, exit code 1)")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _bytes(size: int) -> str:
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:,.0f} {unit}" if unit == "B" else f"{amount:,.1f} {unit}"
        amount /= 1000
    return f"{size} B"
