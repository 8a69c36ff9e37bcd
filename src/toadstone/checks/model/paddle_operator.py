"""`paddle-operator`: a program of PaddlePaddle that acts outside itself."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Operator
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place
from toadstone.core.value import render
from toadstone.symbols.arguments import Look, looks_of

_PYTHON = frozenset({"py_func", "py_layer"})
_WRITES = frozenset({"save", "save_combine", "save_selected_rows", "save_value"})
_READS = frozenset({"load", "load_combine", "open_files", "create_recordio_file_reader", "read_file", "sparse_tensor_load"})
_SERVERS = frozenset({"listen_and_serv", "heter_listen_and_serv", "fl_listen_and_serv"})
_SILENT = frozenset({"run_program", "create_custom_reader", "cuda_profiler"})


@check(
    "paddle-operator",
    severity=Severity.HIGH,
    reads=Operator,
    references=("CWE-94", "CWE-73", "MITRE ATLAS 2026.08 AML.T0018.002", "OWASP LLM 2026 LLM04", "OWASP ML 2023 ML06"),
)
class PaddleOperator(Check):
    """A program of PaddlePaddle runs Python of the host, reads or writes files, or opens connections.

    ## Why it matters
    A saved program is a list of operators that the runtime carries out. `py_func` calls a Python function of the process;
    `save_combine` writes its inputs to any path; `send` gives them to another host.

    ## How it decides
    `high`: `py_func` and `py_layer`, every operator that saves, servers, and files that are read from an absolute path or an
    address. `medium`: files that are read by a relative path, and sending and receiving, which programs of distributed training
    do. Operators that the runtime does not have are judged by `custom-operator`.

    ## What it misses
    Engines of other runtimes that a program carries (TensorRT, Paddle Lite): their content is opaque.

    ## Remedy
    Do not load the program. Export the network for inference again, from reviewed source.

    ## References
    PaddlePaddle `SECURITY.md` and `paddle.static.py_func`; CWE-94, CWE-73.
    """

    allow: frozenset[str] = frozenset()
    """Operators that this project has reviewed, by name."""

    def examine(self, fact: Operator) -> Iterator[Finding]:
        """Judge one operator."""
        if fact.domain != "paddle" or fact.name in self.allow | _SILENT:
            return
        severity, deed = _judged(fact)
        yield self.finding(
            fact.place,
            f"Operator {fact.name} {deed} when the program runs.",
            severity=severity,
            key=f"{fact.name}{fact.arguments}",
            operator=fact.name,
            arguments={name: render(value, 200) for name, value in fact.arguments[:12]},
        )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give operators that run, write, read and send."""
        place = Place("inference.pdmodel", offset=40)
        yield Operator(place, "paddle", "py_func", "py_func")
        yield Operator(place, "paddle", "save_combine", "save_combine", (("file_path", "out"),))
        yield Operator(place, "paddle", "load_combine", "load_combine", (("file_path", "/etc/hostname"),))
        yield Operator(place, "paddle", "send", "send", (("endpoints", "192.0.2.7:6000"),))

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give an operator of another format, and one that only calls the program's own blocks."""
        yield Operator(Place("model.onnx"), "ai.onnx.ml", "TreeEnsembleClassifier", "tree")
        yield Operator(Place("inference.pdmodel"), "paddle", "run_program", "run_program")


def _judged(fact: Operator) -> tuple[Severity, str]:
    if fact.name in _PYTHON:
        return Severity.HIGH, "calls a Python function of the process"
    if fact.name in _WRITES:
        return Severity.HIGH, "writes a file"
    if fact.name in _SERVERS:
        return Severity.HIGH, "opens a server"
    if fact.name in _READS:
        looks = looks_of([value for _, value in fact.arguments])
        outside = Look.PATH in looks or Look.ADDRESS in looks
        return (Severity.HIGH if outside else Severity.MEDIUM), "reads a file"
    return Severity.MEDIUM, "exchanges tensors with other processes"
