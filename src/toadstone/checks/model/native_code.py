"""`native-code`: programs and libraries that travel with a model."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Anomaly, Code, Fact
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place


@check(
    "native-code",
    severity=Severity.MEDIUM,
    reads=(Code, Anomaly),
    references=(
        "CWE-829",
        "CWE-506",
        "CWE-646",
        "MITRE ATLAS 2026.08 AML.T0011.000",
        "OWASP LLM 2026 LLM04",
        "OWASP ML 2023 ML06",
    ),
)
class NativeCode(Check):
    """A program, a native library or a script lies next to or inside the model.

    ## Why it matters
    Machine code cannot be judged by reading a model's format: once a loader, a custom operator or a curious user runs it, it
    can do anything. A library beside a graph with custom operators is loaded with it. A program under the name of an image or
    of weights serves only those who want it overlooked, and is what a first stage of an attack renames and starts.

    ## How it decides
    The content is recognised by its structure (ELF, PE, Mach-O, object archives, Java classes, WebAssembly), never by its
    name. `high`: the name promises data, a picture, a document or a model, or the code is for the host and inside an engine of
    TensorRT. `medium`: machine code under an honest name.
    `low`: scripts for a shell under an honest name, which projects carry openly.

    ## What it misses
    What the code does; encrypted or packed code; code for other machines in formats that are not listed above (they are
    reported as unread).

    ## Remedy
    Ask why a model needs it. Build it from reviewed source instead, or delete it; a false name alone is reason enough to
    distrust everything from the same source.

    ## References
    CWE-829, CWE-506, CWE-646; MITRE ATLAS AML.T0011.000 "Unsafe AI Artifacts".
    """

    def examine(self, fact: Code | Anomaly) -> Iterator[Finding]:
        """Judge one program."""
        if isinstance(fact, Anomaly):
            if fact.kind == "false-name":
                message = f"A program hides under a false name: {fact.detail}."
                yield self.finding(fact.place, message, severity=Severity.HIGH, kind=fact.kind)
            elif fact.kind == "embedded-program":
                message = f"A program is loaded together with the model: {fact.detail}."
                yield self.finding(fact.place, message, severity=Severity.HIGH, kind=fact.kind)
        elif fact.language == "native":
            message = f"Machine code travels with the model: {fact.summary}."
            yield self.finding(fact.place, message, key="native", name=fact.name)  # a package full of libraries is one finding
        elif fact.language == "script":
            yield self.finding(
                fact.place, f"A script travels with the model: {fact.summary}.", severity=Severity.LOW, name=fact.name
            )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """A library, a script, and a program that calls itself a picture."""
        yield Code(Place("libop.so"), "native", "libop.so", "a program or library for Linux (ELF), 16,384 bytes")
        yield Code(Place("run.sh"), "script", "run.sh", "script for /bin/sh")
        yield Anomaly(Place("logo.png"), "false-name", "a program or library for Linux (ELF) is named 'logo.png'")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Code of other languages has checks of its own."""
        yield Code(Place("model.pt", "code/model.py"), "torchscript", "model.py", "a module of TorchScript")
