"""Pickle frames that lie about their length."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Anomaly, Fact
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place


@check(
    "frame-mismatch",
    severity=Severity.MEDIUM,
    reads=Anomaly,
    references=("CWE-436", "CWE-130", "MITRE ATLAS 2026.08 AML.T0011.000"),
)
class FrameMismatch(Check):
    """A pickle frame's declared length contradicts its content.

    ## Why it matters

    The C unpickler refuses a frame that is longer than the data before it resolves anything; the pure-Python one goes on
    and runs what it finds. A scanner that follows the wrong one of the two sees a harmless file.

    ## How it decides

    Frame ends are compared with opcode borders, with the next frame, with ``STOP`` and with the end of the data. What lies
    behind the contradiction is read all the same, as the more permissive unpickler would.

    ## What it misses

    Nothing of this kind.

    ## Remedy

    Treat the file as tampered with: no pickler writes such a frame.

    ## References

    - PEP 3154, framing
    - CPython ``Lib/pickle.py`` ``_Unframer`` and ``Modules/_pickle.c`` ``load_frame``
    """

    def examine(self, fact: Anomaly) -> Iterator[Finding]:
        """Judge one contradiction."""
        if fact.kind == "frame-mismatch":
            yield self.finding(fact.place, f"A pickle frame contradicts its content: {fact.detail}.", key="frame")

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give a frame that is too long."""
        yield Anomaly(Place("model.pkl", offset=2), "frame-mismatch", "a frame claims 400 bytes, more than there are")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give another anomaly."""
        yield Anomaly(Place("model.zip"), "duplicate-member", "a.txt")
