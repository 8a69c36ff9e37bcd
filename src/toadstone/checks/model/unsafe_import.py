"""Imports and calls of symbols whose effects are known to be dangerous."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Call, Fact, Import, Moment
from toadstone.core.finding import Finding, Indicator, Severity
from toadstone.core.place import Place
from toadstone.core.value import Symbol, render_call
from toadstone.symbols.arguments import addresses
from toadstone.symbols.judgement import judge_call, judge_import, runs_while_loading


@check(
    "unsafe-import",
    severity=Severity.CRITICAL,
    reads=(Import, Call),
    references=(
        "CWE-502",
        "MITRE ATLAS 2026.08 AML.T0011.000",
        "OWASP LLM 2026 LLM04",
        "OWASP ML 2023 ML06",
        "NIST AI 100-2e2025 NISTAML.051",
    ),
)
class UnsafeImport(Check):
    """Loading the file imports or calls something that can run commands, run code, or otherwise harm.

    ## Why it matters

    A pickle is a program: its opcodes import any name and call it with any arguments, before the loader returns. The
    same holds for YAML tags, ``_target_`` entries and every other format whose loader resolves names. One call of
    ``os.system`` is all that an attacker needs.

    ## How it decides

    By effect, not by name. The effects of the callables of the standard library and of the common packages are derived
    from their sources: which parameters flow into running a command, running code, loading native code, deserialising,
    importing by name, writing files, the network, patching other code (see docs/effects.md). A call counts when the
    arguments that decide about the effect are given. Running commands or code is critical, the other effects are high;
    resolving such a name without calling it is one step less. Uses that real models of the big libraries contain are
    known with the shape of their arguments and stay silent.

    ## What it misses

    Code that is in neither the walked sources nor the artefact: that is the business of `unreviewed-call`. Effects that
    pass through C code which has no entry among the seeds.

    ## Remedy

    Do not load the file. Ask its source for a format without code (safetensors, GGUF, ONNX), or for the payload's reason.

    ## References

    - https://docs.python.org/3/library/pickle.html (warning at the top)
    - GHSA-vvpj-8cmc-gx39, GHSA-g38g-8gr9-h9xp: gadgets that name lists missed
    """

    def examine(self, fact: Import | Call) -> Iterator[Finding]:
        """Judge what is resolved or called while loading."""
        if not runs_while_loading(fact):
            return
        if isinstance(fact, Import):
            judged, code = judge_import(fact), ""
        elif fact.how.endswith(" on import"):
            return  # patched-import judges these
        else:
            judged = judge_call(fact)
            code = render_call(fact.callee, fact.args, fact.kwargs, room=600) if judged is not None else ""
        if judged is None or not judged.effects:
            return
        yield self.finding(
            fact.place,
            f"Loading this {judged.why}.",
            severity=judged.severity,
            confidence=judged.confidence,
            key=judged.symbol,
            indicators=tuple(Indicator(kind, value) for kind, value in addresses(judged.examples)),
            details=judged.evidence(fact.how, code),
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give commands by several spellings, and a name that is only resolved."""
        place = Place("model.pkl", offset=10)
        for symbol in (
            Symbol("os", "system"),
            Symbol("posix", "system"),
            Symbol("linecache", "os.system"),
            Symbol("builtins", "eval"),
        ):
            yield Call(place, symbol, ("echo toadstone",), (), "REDUCE", "pickle")
        yield Import(place, Symbol("subprocess", "Popen"), "GLOBAL", "pickle")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give what every array pickle contains, and ordinary Python."""
        place = Place("model.pkl", offset=10)
        yield Import(place, Symbol("numpy", "dtype"), "GLOBAL", "pickle")
        yield Import(place, Symbol("collections", "OrderedDict"), "GLOBAL", "pickle")
        yield Call(place, Symbol("os", "system"), ("make",), (), "call", "python", Moment.USE)
