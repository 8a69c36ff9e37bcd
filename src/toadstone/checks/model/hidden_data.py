"""Bytes outside everything that a format declares."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Anomaly, Fact
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place


@check(
    "hidden-data",
    severity=Severity.MEDIUM,
    reads=Anomaly,
    references=("CWE-506", "CWE-912", "MITRE ATLAS 2026.08 AML.T0011.000", "OWASP ML 2023 ML06"),
)
class HiddenData(Check):
    """The file carries content where its format has none: before, between, behind or inside comments.

    ## Why it matters
    A pickle behind the end of an image, a member that no directory names, a program in front of an archive: the usual tool
    shows a harmless file, and another tool, told to start elsewhere, finds the payload. Polyglots and staged loaders are
    built like this.

    ## How it decides
    Every byte of a file is accounted for. What no declared structure covers is examined as a file of its own; if it is
    anything recognisable, or if the format's own rules leave no room for it, it is reported here as `medium`, because honest
    tools do leave remains (self-extractors, appended signatures). What is found inside is judged by all other checks, so a
    payload gets its own finding. Padding with zeros and the fields in which aligners pad are silent; bytes that are nothing
    recognisable make the report incomplete instead.

    ## What it misses
    Data hidden in what the format does declare: low bits of weights, unused table entries, text in legitimate fields.

    ## Remedy
    Save the artefact again with the tool it comes from: what is not part of it disappears. Ask where the rest came from.

    ## References
    CWE-506, CWE-912; PKWARE APPNOTE 6.3.10, section 4.3; A. Albertini, "Funky file formats" (31C3, 2014).
    """

    def examine(self, fact: Anomaly) -> Iterator[Finding]:
        """Judge one find."""
        if fact.kind == "hidden-data":
            yield self.finding(fact.place, f"Content is hidden here: {fact.detail}.")

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give bytes behind an image and a member without a directory record."""
        yield Anomaly(Place("cat.png", offset=8120), "hidden-data", "512 bytes outside what the format declares")
        yield Anomaly(Place("model.zip", offset=0), "hidden-data", "no directory names the member 'a.pkl'")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give another anomaly."""
        yield Anomaly(Place("model.zip"), "malformed", "the archive comment is cut")
