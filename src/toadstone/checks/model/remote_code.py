"""Python files that a model's configuration tells its loader to import."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Call, Code, Fact, Moment
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place
from toadstone.core.regex import regex
from toadstone.core.value import Result, Symbol, Value, render, render_call
from toadstone.symbols import Effect, effects_of
from toadstone.symbols.intent import called, concrete, hostile_anyway, intent_of, origins, revealed

_PREFIX = "remote-code:"
_READS = regex(r"open|read|load|source|get_data|Path|resource|request|template|format|namedtuple|dedent|compile")
_RUNNERS = frozenset({"builtins.exec", "builtins.eval"})


@check(
    "remote-code",
    severity=Severity.MEDIUM,
    reads=(Code, Call),
    languages=("python", "bytecode"),
    references=("CWE-829", "CWE-94", "MITRE ATLAS 2026.08 AML.T0010.003", "OWASP LLM 2026 LLM04", "OWASP ML 2023 ML06"),
)
class RemoteCode(Check):
    """Loading the model imports a Python file that travels with it.

    ## Why it matters
    A configuration entry such as `auto_map` makes the loader import a module from the model's own repository once
    `trust_remote_code=True` is given, as the instructions of many models ask. From then on the repository's owner, or
    whoever takes it over, runs code with the rights of the process: on import, when the model's class is made, and at every
    forward pass.

    ## How it decides
    `auto_map`, `auto_mapping`, `custom_pipelines` and the module types of `modules.json` are followed to the files
    they name; the modules inside a torch.package archive are run by its importer in the same way. Each named file is
    reported as `medium`, because a person has to decide to trust it. Everything in it will be called by the loader,
    so *every* function counts, not only the top level: running commands, decoding content and running it, opening
    connections, loading native libraries from text that the file chooses, reading credentials or writing start-up files
    make it `high`, and so does running, at import, text that only the file's own arithmetic gives (`critical` when the code
    is hostile whatever it is for). Ordinary model code, which computes with tensors, stays `medium`.

    ## What it misses
    Modules that the named file imports relatively are read as files of their own but count as remote code only if a
    configuration names them. A repository on another host (`owner/name--module.Class`) is not fetched. See `suspicious-code`
    for the limits of the reading of Python.

    ## Remedy
    Use the architecture that the library itself ships, if there is one. Otherwise read the file, pin the revision, and record the
    review; do not load the model with `trust_remote_code=True` before.

    ## References
    - CWE-829 (inclusion of functionality from an untrusted control sphere), CWE-94
    - MITRE ATLAS 2026.08 AML.T0010.003 (ML supply chain compromise: model)
    - transformers documentation, "Custom models"; sentence-transformers, "Creating custom models"
    """

    def examine(self, fact: Code | Call) -> Iterator[Finding]:
        if isinstance(fact, Code):
            if fact.summary.startswith("remote code, "):
                entry = fact.summary.removeprefix("remote code, ")
                asked = " with trust_remote_code" if entry.startswith("named by") else ""
                yield self.finding(
                    fact.place,
                    f"Loading this model{asked} runs {fact.name} ({entry}).",
                    key="file",
                    file=fact.name,
                    entry=entry,
                    score=0.4,
                )
            return
        if not fact.how.startswith(_PREFIX):
            return
        severity, deed = _judged(fact)
        if severity is not None:
            yield self.finding(
                fact.place,
                f"Loading this model runs code that {deed}.",
                severity=severity,
                key=f"{deed} {fact.place}",
                code=render_call(fact.callee, fact.args, fact.kwargs),
                decoded=revealed(fact)[:2000] or None,
                how=fact.how.removeprefix(_PREFIX),
                score=0.9,
            )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        place = Place("modeling_tiny.py")
        yield Code(place, "python", "modeling_tiny.py", "remote code, named by auto_map in config.json")
        yield Call(place, Symbol("os", "system"), ("touch /tmp/x",), (), f"{_PREFIX}method:__init__", "python", Moment.USE)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        place = Place("modeling_tiny.py")
        yield Call(
            place, Symbol("torch", "load"), ("pytorch_model.bin",), (), f"{_PREFIX}method:from_pretrained", "python", Moment.USE
        )
        yield Call(place, Symbol("os", "system"), ("touch /tmp/x",), (), "call", "python", Moment.USE)
        yield Code(place, "bytecode", "f", "CPython 3.11")


def _is_put_together(value: Value) -> bool:
    """Whether what is run is neither a text in sight nor what a function gives that reads one."""
    if not isinstance(value, Result):
        return concrete(value) is None and not isinstance(value, Symbol)
    return not _READS.search(render(value, 2000))


def _judged(fact: Call) -> tuple[Severity | None, str]:
    """What a call inside remote code makes of the file."""
    intent = intent_of(fact)
    if intent is not None:
        severity = Severity.CRITICAL if hostile_anyway(intent) else intent.severity
        if severity >= Severity.HIGH:
            return severity, intent.deed
    symbol = called(fact.callee)
    knowledge = effects_of(symbol.module, symbol.name) if symbol is not None else None
    if str(symbol) in _RUNNERS and fact.when is not Moment.USE and fact.args and _is_put_together(fact.args[0]):
        return Severity.HIGH, f"runs, as it is imported, code that it puts together itself, with {symbol}"
    if symbol is None or knowledge is None or not knowledge.exact:
        return None, ""
    if (
        Effect.RUN_COMMAND in knowledge.effects
        and intent is not None
        and any(way.effect is Effect.RUN_COMMAND for way in knowledge.sensitive)
    ):
        return Severity.HIGH, f"runs a command with {symbol}"  # a model has no reason to, however innocent the command
    if (
        Effect.LOAD_NATIVE in knowledge.effects
        and symbol.module in ("ctypes", "_ctypes", "cffi")
        and origins(fact.args[:1]).texts
    ):
        return Severity.HIGH, f"loads native code with {symbol}"
    return None, ""
