"""`changed-tensor`: a pickle that writes into a tensor as if it were a dictionary or a list."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Call, Fact
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place
from toadstone.core.value import Symbol, Value

_WRITES = {"SETITEMS": "items are set in", "APPENDS": "items are appended to", "ADDITEMS": "items are added to"}


@check(
    "changed-tensor",
    severity=Severity.HIGH,
    reads=Call,
    references=("CVE-2026-24747", "CWE-502", "CWE-787", "MITRE ATLAS 2026.08 AML.T0011.000"),
)
class ChangedTensor(Check):
    """Loading the file sets items of a tensor, which corrupts memory in PyTorch before 2.10.

    ## Why it matters
    `torch.load(weights_only=True)` refuses unknown code, and many rely on it alone. Before version 2.10 it applied the opcodes
    that fill dictionaries to tensors as well, and a tensor with a forged size was then written beyond its memory. PyTorch never
    writes such a pickle: a tensor is complete when it is rebuilt.

    ## How it decides
    `SETITEM`, `SETITEMS`, `APPEND` or `APPENDS` on what one of PyTorch's functions for rebuilding tensors gave.

    ## What it misses
    Storages whose stated size is not that of their bytes: `tensor-layout` reports those.

    ## Remedy
    Do not load the file; use PyTorch 2.10 or later, or safetensors.

    ## References
    CVE-2026-24747 (GHSA-63cw-57p8-fm3p).
    """

    def examine(self, fact: Call) -> Iterator[Finding]:
        """Judge one change of an object."""
        if fact.how in _WRITES and _is_tensor(fact.callee):
            yield self.finding(
                fact.place, f"While this loads, {_WRITES[fact.how]} a tensor.", key=fact.how, rebuilt=str(fact.callee)
            )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give items that are set in a rebuilt tensor."""
        yield Call(Place("model.pt", offset=4), Symbol("torch._utils", "_rebuild_tensor_v2"), (), (), "SETITEMS", "pickle")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give the dictionary that holds the tensors."""
        yield Call(Place("model.pt", offset=4), Symbol("collections", "OrderedDict"), (), (), "SETITEMS", "pickle")
        yield Call(Place("model.pt", offset=4), Symbol("torch._utils", "_rebuild_tensor_v2"), (), (), "REDUCE", "pickle")


def _is_tensor(callee: Value) -> bool:
    return (
        isinstance(callee, Symbol)
        and callee.module in {"torch._utils", "torch._tensor", "torch"}
        and callee.name.startswith(("_rebuild_", "_rebuild_from_type"))
    )
