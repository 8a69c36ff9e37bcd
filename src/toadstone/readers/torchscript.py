"""TorchScript source in the ``code/`` folder of an archive: a subset of Python that PyTorch's JIT compiles.

It is read as a syntax tree: the operators that it calls, and work without end that its constants demand. Source of the
grammar: ``torch/csrc/jit/serialization/python_print.cpp`` and PyTorch's TorchScript language reference.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from toadstone.core.fact import Fact, Operator
from toadstone.core.value import Value
from toadstone.readers.reader import Reader, Source

if TYPE_CHECKING:
    import ast

_LONGEST = 16 << 20
_BASES = frozenset({"torch", "ops", "annotate", "uninitialized"})
_MAKERS = frozenset({
    "zeros", "ones", "empty", "full", "rand", "randn", "randint", "eye", "arange", "linspace", "logspace", "repeat", "tile",
    "new_zeros", "new_ones", "new_empty", "new_full", "repeat_interleave", "randperm", "tril_indices", "triu_indices",
})  # fmt: skip
"""Operators that make a tensor as large as their arguments say."""

_TEXTS = 64
"""Text arguments that are kept of all calls of one operator."""

_ELEMENTS = 1 << 40
"""Elements of one tensor that no machine holds."""

_ROUNDS = 10**12
"""Rounds of nested loops with constant bounds that take hours whatever they do."""


def read_code(source: Source) -> Iterator[Fact]:
    """Read one source file; yields an `Operator` for each function that it calls and an `Anomaly` for endless work."""
    import ast  # noqa: PLC0415  (only needed for this format)

    if source.blob.size > _LONGEST:
        yield source.unread(f"TorchScript source of more than {_LONGEST:,} bytes")
        return
    source.budget.spend_steps(source.blob.size // 4)
    text = source.blob.read(0, source.blob.size)
    if max((text.count(mark) for mark in (b"(", b"[")), default=0) > source.blob.size // 2 and source.blob.size > 1000:
        yield source.unread("TorchScript source that is nothing but brackets")
        return
    try:
        tree = ast.parse(text.decode("utf-8"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        yield source.unread("TorchScript source that does not parse")
        return
    source.coverage.read(0, source.blob.size)
    lines: dict[str, int] = {}
    texts: dict[str, list[tuple[str, Value]]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name := _dotted(node.func)):
            lines.setdefault(name, node.lineno - 1)
            kept = texts.setdefault(name, [])
            kept.extend(_texts(node)[: _TEXTS - len(kept)])
            yield from _allocation(source, node, name)
    for name, line in lines.items():
        domain, _, operator = name.rpartition(".")
        yield Operator(source.place.line(line), f"torchscript:{domain}", operator, name, tuple(texts[name]))
    yield from _loops(source, tree)


def _texts(node: ast.Call) -> list[tuple[str, Value]]:
    """List the text constants among the arguments of a call."""
    given = [(str(number), value) for number, value in enumerate(node.args)]
    given += [(keyword.arg or "", keyword.value) for keyword in node.keywords]
    found = [(name, getattr(value, "value", None)) for name, value in given]
    return [(name, value[:4096]) for name, value in found if isinstance(value, str)]


def _dotted(node: object) -> str:
    parts: list[str] = []
    while (attribute := getattr(node, "attr", None)) is not None:
        parts.append(attribute)
        node = getattr(node, "value", None)
    base = getattr(node, "id", None)
    return ".".join([base, *reversed(parts)]) if isinstance(base, str) and base in _BASES else ""


def _allocation(source: Source, node: ast.Call, name: str) -> Iterator[Fact]:
    if name.rpartition(".")[2] not in _MAKERS:
        return
    elements = math.prod(max((_extent(argument) for argument in node.args[:3]), default=[1], key=math.prod))
    if elements >= _ELEMENTS:
        detail = f"{name} makes a tensor of {elements:.3g} elements when the model runs"
        yield source.anomaly("resource-claim", f"line {node.lineno}: {detail}")


def _extent(node: ast.expr) -> list[float]:
    """Give the sizes in a constant argument: a list of them, or one number."""
    import ast  # noqa: PLC0415

    items = node.elts[:64] if isinstance(node, (ast.List, ast.Tuple)) else [node]
    sizes = [
        float(item.value)
        for item in items
        if isinstance(item, ast.Constant) and type(item.value) is int and abs(item.value) < 1 << 64
    ]
    return sizes if len(sizes) == len(items) and all(size > 0 for size in sizes) else [1.0]


def _loops(source: Source, tree: ast.Module) -> Iterator[Fact]:
    """Find loops that never end, and nested loops over constant ranges that practically do not. Without recursion."""
    import ast  # noqa: PLC0415

    stack: list[tuple[ast.AST, float]] = [(tree, 1.0)]
    while stack:
        node, rounds = stack.pop()
        if isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and node.test.value and not _ends(node):
            yield source.anomaly("resource-claim", f"line {node.lineno}: a loop that never ends runs with the model")
        elif isinstance(node, ast.For):
            within = rounds * _constant_range(node.iter)
            if within >= _ROUNDS > rounds:
                yield source.anomaly("resource-claim", f"line {node.lineno}: loops with constant bounds run {within:.3g} rounds")
            rounds = within
        stack.extend((child, rounds) for child in ast.iter_child_nodes(node))


def _ends(loop: ast.While) -> bool:
    import ast  # noqa: PLC0415

    return any(isinstance(node, (ast.Break, ast.Return, ast.Raise)) or _raises(node) for node in ast.walk(loop))


def _raises(node: ast.AST) -> bool:
    """The serialised form of ``raise``: ``ops.prim.RaiseException(...)``."""
    return getattr(node, "attr", "") == "RaiseException"


def _constant_range(node: ast.expr) -> float:
    import ast  # noqa: PLC0415

    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range" and len(node.args) == 1:
        return max(_extent(node.args[0])[0], 1.0)
    return 1.0


READERS = (Reader("torchscript-code", read_code),)
