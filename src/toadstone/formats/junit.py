"""JUnit XML: one test case a file, for CI systems that show test reports."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from toadstone.core.report import Report, Subject
from toadstone.formats import Envelope
from toadstone.formats.terminal import printable


def write(report: Report, envelope: Envelope) -> str:
    """Write the report as JUnit XML. A finding at or above the gate is a failure, an unread part an error."""
    failures = sum(_fails(subject, envelope) for subject in report.subjects)
    errors = sum(bool(subject.unread) and not _fails(subject, envelope) for subject in report.subjects)
    suite = ET.Element(
        "testsuite",
        name="toadstone",
        tests=str(len(report.subjects)),
        failures=str(failures),
        errors=str(errors),
        time=f"{envelope.seconds:.3f}",
    )
    for subject in report.subjects:
        case = ET.SubElement(suite, "testcase", classname="toadstone.scan", name=_clean(subject.path))
        if _fails(subject, envelope):
            gated = [finding for finding in subject.findings if finding.severity >= envelope.gate]
            failure = ET.SubElement(case, "failure", type=gated[0].check, message=_clean(gated[0].message))
            failure.text = "\n".join(
                _clean(f"{finding.severity.label} {finding.check} {finding.place}: {finding.message}") for finding in gated
            )
        elif subject.unread:
            error = ET.SubElement(case, "error", type="unread", message=_clean(subject.unread[0].reason))
            error.text = "\n".join(_clean(f"{gap.place}: {gap.reason}") for gap in subject.unread[:100])
    ET.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


def _fails(subject: Subject, envelope: Envelope) -> bool:
    return any(finding.severity >= envelope.gate for finding in subject.findings)


def _clean(text: str) -> str:
    """XML 1.0 cannot hold control characters or lone surrogates, not even escaped."""
    return "".join(
        character if character == "\n" or not 0xD800 <= ord(character) <= 0xDFFF else "?" for character in printable(text)
    )
