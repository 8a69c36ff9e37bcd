"""SARIF 2.1.0: for code scanning pages and editors."""

from __future__ import annotations

import hashlib
import json
import urllib.parse

from toadstone.core.check import discover, section, summary
from toadstone.core.finding import Finding, Json, Severity
from toadstone.core.report import Gap, Report
from toadstone.core.version import __version__
from toadstone.formats import Envelope

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.INFO: "note",
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
_SCORES = {Severity.INFO: "0.0", Severity.LOW: "3.0", Severity.MEDIUM: "5.5", Severity.HIGH: "8.0", Severity.CRITICAL: "9.5"}


def write(report: Report, envelope: Envelope) -> str:
    """Write the report as a SARIF log with one run."""
    findings = report.findings
    used = sorted({finding.check for finding in findings} | {finding.check for finding, _ in report.suppressed})
    results = [_result(finding, used) for finding in findings]
    results += [
        {**_result(finding, used), "suppressions": [{"kind": "external", "justification": reason}]}
        for finding, reason in report.suppressed
    ]
    run: dict[str, Json] = {
        "tool": {"driver": {"name": "toadstone", "semanticVersion": __version__, "rules": _rules(used)}},
        "columnKind": "unicodeCodePoints",
        "artifacts": [
            {
                "location": {"uri": _uri(subject.path)},
                "length": subject.size,
                **(
                    {"hashes": {"sha-256": subject.digests["sha256"], "blake3": subject.digests["blake3"]}}
                    if subject.digests
                    else {}
                ),
            }
            for subject in report.subjects
        ],
        "invocations": [
            {
                "executionSuccessful": report.complete,
                "exitCode": report.exit_code(envelope.gate),
                "toolExecutionNotifications": [_notification(gap) for subject in report.subjects for gap in subject.unread],
            },
        ],
        "results": list(results),
    }
    document: dict[str, Json] = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False, default=str) + "\n"


def _rules(used: list[str]) -> list[Json]:
    known = discover()
    rules: list[Json] = []
    for name in used:
        cls = known[name]
        tags: list[Json] = ["security", *cls.references]
        rules.append(
            {
                "id": name,
                "shortDescription": {"text": summary(cls)},
                "fullDescription": {"text": section(cls, "Why it matters")},
                "help": {"text": section(cls, "Remedy"), "markdown": section(cls, "Remedy")},
                "defaultConfiguration": {"level": _LEVELS[cls.severity]},
                "properties": {"tags": tags, "security-severity": _SCORES[cls.severity]},
            },
        )
    return rules


def _result(finding: Finding, used: list[str]) -> dict[str, Json]:
    location: dict[str, Json] = {"physicalLocation": _physical(finding)}
    if finding.place.member:
        location["logicalLocations"] = [{"fullyQualifiedName": f"{finding.place.path}!{finding.place.member}", "kind": "member"}]
    return {
        "ruleId": finding.check,
        "ruleIndex": used.index(finding.check),
        "level": _LEVELS[finding.severity],
        "message": {"text": finding.message},
        "locations": [location],
        "partialFingerprints": {"toadstone/v1": _fingerprint(finding)},
        "properties": {
            "severity": finding.severity.label,
            "confidence": finding.confidence.label,
            "evidence": finding.evidence,
            "indicators": [indicator.as_dict() for indicator in finding.indicators],
            "remedy": finding.remedy,
        },
    }


def _physical(finding: Finding) -> dict[str, Json]:
    form: dict[str, Json] = {"artifactLocation": {"uri": _uri(finding.place.path)}}
    if finding.place.row >= 0 and not finding.place.member:
        form["region"] = {"startLine": finding.place.row + 1}
    elif finding.place.offset >= 0 and not finding.place.member:
        form["region"] = {"byteOffset": finding.place.offset, "byteLength": 1}
    return form


def _notification(gap: Gap) -> Json:
    return {
        "level": "warning",
        "message": {"text": f"Not read: {gap.place}: {gap.reason}"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(gap.place.path)}}}],
    }


def _uri(path: str) -> str:
    scheme, mark, rest = path.rpartition("://") if path.startswith(("hf://", "https://", "http://", "s3://")) else ("", "", path)
    return scheme + mark + urllib.parse.quote(rest.encode("utf-8", "surrogateescape"), safe="/~@" if mark else "/~")


def _fingerprint(finding: Finding) -> str:
    """Identify a finding across runs: what it says of which member, not at which offset."""
    text = "\0".join((finding.check, finding.place.path, finding.place.member, finding.key or finding.message))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]
