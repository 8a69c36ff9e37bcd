"""Invisible characters in what a template tells a model."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Anomaly, Fact
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place


@check(
    "template-hidden-text",
    severity=Severity.HIGH,
    reads=Anomaly,
    references=("CWE-1007", "CWE-506", "MITRE ATLAS 2026.08 AML.T0051", "OWASP LLM 2026 LLM01"),
)
class TemplateHiddenText(Check):
    """The template holds text that a model reads and no person sees.

    ## Why it matters
    Models read tag characters, zero-width characters and reversed text as they read any other; editors and diffs show nothing.
    An instruction written in them passes every review.

    ## How it decides
    Characters without a picture in a literal that the template writes: the Unicode tag block, variation selectors of the
    supplementary plane, controls of writing direction, zero-width characters. One or two joiners, which come along
    with copied text, are `medium`. Joiners inside emoji and between letters of scripts that need them are ordinary, and
    so are a few marks of direction among letters that run from right to left, and literals that the template only removes or
    compares.

    ## What it misses
    Look-alike letters, and white text in formats that a template does not have.

    ## Remedy
    Do not use the template. Print it with its code points to see what it says.

    ## References
    Unicode Technical Standard 39 "Unicode Security Mechanisms"; Unicode Technical Report 36; CWE-1007.
    """

    def examine(self, fact: Anomaly) -> Iterator[Finding]:
        if fact.kind in {"hidden-text", "stray-character"}:
            yield self.finding(
                fact.place,
                f"There are {fact.detail}.",
                severity=Severity.HIGH if fact.kind == "hidden-text" else Severity.MEDIUM,
                key=f"{fact.place.member}:{fact.place.row}",
                detail=fact.detail,
            )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        yield Anomaly(
            Place("chat_template.jinja", row=0), "hidden-text", "invisible characters in a literal (12 tag) around 'Hello'"
        )

    @classmethod
    def good(cls) -> Iterator[Fact]:
        yield Anomaly(Place("chat_template.jinja", row=0), "malformed", "something else")
