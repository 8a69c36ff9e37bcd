"""Files whose structure is broken, or reads in two ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from toadstone.core.check import Check, check
from toadstone.core.fact import Anomaly, Fact
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place


@check(
    "malformed-structure",
    severity=Severity.MEDIUM,
    reads=Anomaly,
    references=("CWE-436", "CWE-20", "CWE-451", "MITRE ATLAS 2026.08 AML.T0011.000", "OWASP ML 2023 ML06"),
)
class MalformedStructure(Check):
    """The file's structure is broken or ambiguous at a place where a loader may already have acted.

    ## Why it matters
    A loader acts while it reads. A pickle that breaks after its payload has already run it; a scanner that stops at the
    defect sees nothing (the "nullifAI" models on a public hub worked like this). Where two implementations of a format read
    the same bytes differently (a key given twice, a file that is two formats at once), the one that scans and the one that
    loads may be different ones. Names with invisible or reversed characters deceive the person who looks.

    ## How it decides
    `medium`: a defect is often no more than a broken download, and a doubled key in a file that people edit may be an
    oversight, but a person should look before the file is used. `high`: an entry given twice in what only programs write (the
    header of a tensor file, a serialised object, two different values of ``auto_map`` in a JSON configuration): they write
    from a table, which holds each key once. `low`: a key given twice with the same value, which confuses nobody. What could
    be read up to the defect, and every reading of what is ambiguous, is judged by all other checks. Contradictions inside
    archives, which careless writers do not produce, are reported as ``archive-mismatch``.

    ## What it misses
    Defects that every implementation tolerates in the same way, and ambiguities of formats that are not read.

    ## Remedy
    Get the file again and compare digests. If it is still broken, do not load it: ask its author for one that is not.

    ## References
    CWE-436, CWE-20, CWE-451; ReversingLabs, "Malicious ML models discovered on Hugging Face platform" (2025, nullifAI).
    """

    KINDS: ClassVar[dict[str, tuple[Severity, str]]] = {
        "malformed": (Severity.MEDIUM, "The structure is broken"),
        "parser-confusion": (Severity.MEDIUM, "Two implementations read this differently"),
        "repeated-key": (Severity.LOW, "A key is given twice"),
        "name-trick": (Severity.MEDIUM, "A name deceives"),
        "array-confusion": (Severity.HIGH, "An array hides what stands behind it"),
        "ambiguous-record": (Severity.HIGH, "An entry is given twice"),
    }

    def examine(self, fact: Anomaly) -> Iterator[Finding]:
        """Judge one defect."""
        if fact.kind in self.KINDS:
            severity, what = self.KINDS[fact.kind]
            yield self.finding(fact.place, f"{what}: {fact.detail}.", severity=severity, key=fact.kind, kind=fact.kind)

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give one of each kind."""
        yield Anomaly(Place("model.pkl", offset=40), "malformed", "0x07 is no opcode; what came before has already run by then")
        yield Anomaly(Place("model.joblib", offset=90), "array-confusion", "an array is described as joblib never does")
        yield Anomaly(Place("config.json"), "parser-confusion", "the key 'auto_map' occurs twice in one mapping")
        yield Anomaly(Place("model.gguf", offset=24), "ambiguous-record", "the key 'tokenizer.chat_template' is given twice")
        yield Anomaly(Place("model.zip"), "name-trick", "'a\\u202etxt.pkl' contains control or invisible characters")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give an anomaly that another check judges."""
        yield Anomaly(Place("model.zip"), "duplicate-member", "'a' is there twice with different content")
