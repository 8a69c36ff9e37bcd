"""Files that the hub's own scanners warn of."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Opinion
from toadstone.core.finding import Confidence, Finding, Severity
from toadstone.core.place import Place

_SCANNERS = {
    "avScan": "antivirus",
    "pickleImportScan": "pickle imports",
    "jFrogScan": "JFrog",
    "protectAiScan": "Protect AI",
    "virusTotalScan": "VirusTotal",
}


@check(
    "hub-warning",
    severity=Severity.MEDIUM,
    reads=Opinion,
    references=("MITRE ATLAS 2026.08 AML.T0011.000", "CWE-506"),
)
class HubWarning(Check):
    """The hub that serves a file marks it as unsafe or suspicious itself.

    ## Why it matters

    Hubs run several scanners over what is uploaded. A warning of theirs is a second opinion that is independent of this one,
    and may rest on what cannot be seen in the file: the uploader's other files, reports of users.

    ## How it decides

    The listing of the Hugging Face hub carries `securityFileStatus` for each file. `unsafe` and `suspicious` are reported as
    `medium`, `caution` as `low`. The hub's word alone never passes the default gate, and its `safe` never lowers a finding.

    ## What it misses

    Files that the hub has not scanned yet, and everything that its scanners miss.

    ## Remedy

    Read what the hub says on the file's page, and the findings here; use the file only when both are explained.

    ## References

    - Hugging Face hub documentation, malware scanning and third-party scanners
    """

    def examine(self, fact: Opinion) -> Iterator[Finding]:
        """Judge one opinion."""
        worries = {name: word for name, word in fact.scanners.items() if word in ("unsafe", "suspicious") and name != "status"}
        if fact.status not in ("unsafe", "suspicious", "caution"):
            return
        by = ", ".join(f"{_SCANNERS.get(name, name)}: {word}" for name, word in sorted(worries.items()))
        message = f"{fact.server[:1].upper()}{fact.server[1:]} itself marks this file as {fact.status}" + (
            f" ({by})." if by else "."
        )
        severity = Severity.LOW if fact.status == "caution" else None
        yield self.finding(
            fact.place,
            message,
            severity=severity,
            confidence=Confidence.MEDIUM,
            status=fact.status,
            scanners=dict(worries) or None,
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give files that a hub warns of."""
        place = Place("hf://owner/name/model.pkl")
        yield Opinion(place, "the hub", "unsafe", {"status": "unsafe", "avScan": "safe", "pickleImportScan": "unsafe"})
        yield Opinion(place, "the hub", "suspicious", {"status": "suspicious"})
        yield Opinion(place, "the hub", "caution", {"status": "caution"})

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give files that a hub finds safe, or has not looked at."""
        yield Opinion(Place("hf://owner/name/model.pkl"), "the hub", "safe", {"status": "safe", "avScan": "safe"})
        yield Opinion(Place("hf://owner/name/model.pkl"), "the hub", "queued", {"status": "queued"})
