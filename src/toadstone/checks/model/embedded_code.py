"""Compiled code inside data: what it is, and what it does when it runs."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Call, Code, Fact, Import, Moment
from toadstone.core.finding import Confidence, Finding, Severity
from toadstone.core.place import Place
from toadstone.core.value import Symbol, render_call
from toadstone.symbols import Effect, effects_of
from toadstone.symbols.intent import called, hostile_anyway, intent_of, origins, revealed

_RUNS_TEXT = frozenset({"builtins.exec", "builtins.eval", "builtins.compile", "builtins.execfile"})
_BY_NAME = frozenset(
    {
        "builtins.__import__",
        "importlib.import_module",
        "importlib.__import__",
        "pkgutil.resolve_name",
        "runpy.run_module",
        "runpy.run_path",
    }
)
_GRAVE = {
    Effect.RUN_COMMAND: "runs a command",
    Effect.LOAD_NATIVE: "loads native code",
    Effect.NETWORK: "uses the network",
    Effect.DESERIALISE: "deserialises data",
}


@check(
    "embedded-code",
    severity=Severity.MEDIUM,
    reads=(Code, Call, Import),
    languages=("bytecode",),
    references=(
        "CWE-506",
        "CWE-502",
        "MITRE ATLAS 2026.08 AML.T0011.000",
        "OWASP LLM 2026 LLM04",
        "OWASP ML 2023 ML06",
        "CVE-2024-3660",
    ),
)
class EmbeddedCode(Check):
    """The file carries compiled Python code.

    ## Why it matters
    Keras Lambda layers, dill and cloudpickle store functions as bytecode. Whoever loads or uses the model runs them, and
    neither the file's size nor its metadata show what they do.

    ## How it decides
    Code objects of CPython 3.6 to 3.14 are read by a bounded reader of the marshal format and disassembled, never loaded. A
    symbolic walk of the stack finds what they import and call. Code that only computes is `medium`: a person should know
    that it is there. Code that runs commands, runs text as code, loads native libraries, opens connections, deserialises or
    imports by computed names is `high`: no layer or transformation needs that. Hidden or fetched content that is executed,
    reverse shells and hostile commands are `critical`. Bytecode that no compiler writes is judged by its names as well.

    ## What it misses
    Global names whose meaning is decided elsewhere (by the module that loads the code) are followed only when they are names
    of the standard library, built-ins or customary aliases. What the called functions do in their turn is not followed.

    ## Remedy
    Ask for a model without embedded code (registered layers, safetensors). Otherwise read the payload shown and rebuild the
    function from source.

    ## References
    - CWE-506, CWE-502; CVE-2024-3660 (Keras Lambda layers)
    - MITRE ATLAS 2026.08 AML.T0011.000 (unsafe ML artifacts)
    - Python documentation: marshal, dis
    """

    def examine(self, fact: Code | Call | Import) -> Iterator[Finding]:
        if fact.language != "bytecode":
            return
        if isinstance(fact, Code):
            yield self.finding(
                fact.place,
                f"The file carries executable code: the function {fact.name!r}.",
                key="carries-code",
                function=fact.name,
                summary=fact.summary,
                score=0.3,
            )
        elif isinstance(fact, Call):
            yield from self._call(fact)
        elif fact.how == "co_names" and not fact.symbol.name and fact.symbol.module in _TELLING:
            yield self._found(
                fact, Severity.HIGH, f"refers to {fact.symbol.module} in instructions that no compiler writes", Confidence.MEDIUM
            )
        elif not fact.symbol.module:
            yield self._found(fact, Severity.HIGH, "imports a module whose name it computes")

    def _call(self, fact: Call) -> Iterator[Finding]:
        intent = intent_of(fact)
        if intent is not None and hostile_anyway(intent):
            yield self._found(fact, Severity.CRITICAL, intent.deed)
            return
        if intent is not None and intent.severity >= Severity.HIGH:  # no layer and no transformation needs any of these
            yield self._found(fact, Severity.HIGH, intent.deed)
            return
        deed = _deed(fact)
        if deed:
            yield self._found(fact, Severity.HIGH, deed)

    def _found(self, fact: Call | Import, severity: Severity, deed: str, confidence: Confidence = Confidence.HIGH) -> Finding:
        payload = render_call(fact.callee, fact.args, fact.kwargs) if isinstance(fact, Call) else f"import {fact.symbol}"
        hidden = revealed(fact) if isinstance(fact, Call) else ""
        return self.finding(
            fact.place,
            f"Code inside the file {deed}.",
            severity=severity,
            confidence=confidence,
            key=f"{deed} {fact.place}",
            code=payload,
            decoded=hidden[:2000] or None,
            how=fact.how,
            score=0.9,
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        place = Place("model.keras", "config.json")
        yield Code(place, "bytecode", "<lambda>", "CPython 3.11, 32 bytes")
        yield Call(place, Symbol("os", "system"), ("echo hello",), (), "call", "bytecode", Moment.USE)
        yield Call(place, Symbol("builtins", "eval"), (Symbol("os", "environ"),), (), "call", "bytecode", Moment.LOAD)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        place = Place("model.keras", "config.json")
        yield Call(place, Symbol("numpy", "mean"), (2,), (), "call", "bytecode", Moment.USE)
        yield Code(place, "python", "modeling.py", "remote code")
        yield Import(place, Symbol("math", ""), "IMPORT_NAME", "bytecode", Moment.USE)


_TELLING = frozenset({"os", "posix", "nt", "subprocess", "socket", "ctypes", "pty", "marshal", "shutil", "_posixsubprocess"})


def _deed(fact: Call) -> str:
    """What a call does that no layer, transformation or callback needs; empty for the rest."""
    symbol = called(fact.callee)
    if symbol is None:
        return ""
    name = str(symbol)
    if name in _RUNS_TEXT:
        return f"hands text to {symbol.name}"
    if name in _BY_NAME:
        return "imports a module by name"
    knowledge = effects_of(symbol.module, symbol.name)
    if knowledge is None or not knowledge.exact:
        return ""
    for effect, deed in _GRAVE.items():
        if effect in knowledge.effects and (
            effect is not Effect.DESERIALISE or symbol.module in ("pickle", "_pickle", "marshal", "dill", "joblib", "shelve")
        ):
            direct = any(way.effect is effect and way.parameters for way in knowledge.sensitive) or bool(origins(fact.args).texts)
            if direct:
                return f"{deed} with {symbol}"
    return ""
