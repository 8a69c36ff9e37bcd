"""What a graph does outside itself: its operators, the text that reaches them, and the moment at which they run."""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from toadstone.core.fact import Fact, Moment, Operator
from toadstone.core.record import dataclass, field
from toadstone.core.value import Opaque, Value
from toadstone.readers.reader import Source
from toadstone.readers.tensorflow.outside import CALLS, GIVEN, HANDED_ON, OUTSIDE

_NODES = 1 << 19
"""Nodes that are kept of one file; the largest published graphs have about a tenth of that."""

_TRACED = 512
"""Nodes that are visited to find the text of one input."""

_ARGUMENTS = 64
_OPERATORS = 1 << 12
_ROUNDS = 8
"""How deep text is followed through calls of functions; exported models call through three or four."""

_TRAINING = ("Apply", "ResourceApply", "SparseApply", "ResourceSparseApply", "QueueDequeue", "QueueEnqueue")

INPUT = Opaque("an input of the model")


@cache
def standard() -> frozenset[str]:
    """Names of the operators that every TensorFlow runtime has."""
    text = Path(__file__).with_name("operators.txt").read_text(encoding="utf-8")
    return frozenset(line.rstrip("*") for line in text.split())


class Node(NamedTuple):
    """What is kept of a node.

    Attributes:
        op: Its operator.
        inputs: As written: ``name``, ``name:1``, ``name:output:0``, ``^name``.
        texts: Text of its attributes, and of its tensor if it is a constant.
        calls: Functions that its attributes name.
        at: Offset in the file.
    """

    op: str
    inputs: tuple[str, ...]
    texts: tuple[tuple[str, str], ...]
    calls: tuple[str, ...]
    at: int


@dataclass
class Scope:
    """The nodes of a graph or function.

    Attributes:
        name: Of the function; empty for the graph itself.
        arguments: Names of the function's arguments, in order.
        nodes: By name.
        given: Text that callers hand over, by argument.
    """

    name: str = ""
    arguments: list[str] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)
    given: dict[str, list[Value]] = field(default_factory=dict)


def base(name: str) -> str:
    """Give the node that an input refers to."""
    return name.lstrip("^").partition(":")[0]


class Graph:
    """A graph and its functions, once they are read.

    Args:
        source: Where it is.
        domain: Of the operators that are reported: ``tensorflow``, or ``tensorflow.training`` for graphs that only trainers load.
    """

    def __init__(self, source: Source, domain: str = "tensorflow") -> None:
        self.source = source
        self.domain = domain
        self.scopes: dict[str, Scope] = {}
        self.assets: set[str] = set()
        self.initial: set[str] = set()
        self.first_functions: set[str] = set()
        self.overflow = 0
        self._kept = 0
        self._trains: bool | None = None
        self._called: set[str] = set()

    def add(self, scope: Scope, name: str, node: Node) -> None:
        """Keep a node; the operators that nobody asks about are kept only as far as their inputs matter."""
        if self._kept >= _NODES:
            self.overflow += 1
            return
        self._kept += 1
        scope.nodes[name] = node

    def facts(self) -> Iterator[Fact]:
        """Report every operator that acts outside the graph or is not part of the runtime."""
        self._hand_over()
        early = self._early()
        told: dict[tuple[str, ...], None] = {}
        for scope in self.scopes.values():
            for name, node in scope.nodes.items():
                custom = self._custom(node)
                if node.op not in OUTSIDE and not custom:
                    continue
                when = Moment.LOAD if scope.name in early or (not scope.name and name in self.initial) else Moment.USE
                arguments = tuple(self._arguments(scope, node))
                key = (node.op, when.value, *(f"{label}={value}" for label, value in arguments if isinstance(value, str)))
                if key in told or len(told) > _OPERATORS:
                    continue
                told[key] = None
                if len(told) > _OPERATORS:
                    reason = f"more than {_OPERATORS:,} different operators that act outside; the rest is not judged"
                    yield self.source.unread(reason)
                    continue
                domain = "tensorflow.custom" if custom else self._domain()
                yield Operator(self.source.place.at(node.at), domain, node.op, name[:200], arguments, when)
        if self.overflow:
            yield self.source.unread(f"the graph has {self.overflow:,} nodes more than are followed")

    def _domain(self) -> str:
        """Graphs that carry their own training say so by the operators that update weights or feed queues."""
        if self.domain == "tensorflow" and self._trains is None:
            graph = self.scopes.get("", Scope())
            self._trains = any(node.op.startswith(_TRAINING) for node in graph.nodes.values())
        return "tensorflow.training" if self._trains else self.domain

    def _custom(self, node: Node) -> bool:
        return node.op not in standard() and node.op not in self.scopes and bool(node.op)

    def _arguments(self, scope: Scope, node: Node) -> Iterator[tuple[str, Value]]:
        """Name the texts of an operator: its attributes, then what its inputs bring."""
        names = OUTSIDE.get(node.op)
        count = 0
        for label, text in node.texts:
            count += 1
            yield label, text
        data = [entry for entry in node.inputs if not entry.startswith("^")]
        for index, entry in enumerate(data[:_ARGUMENTS]):
            label = names[index] if names and index < len(names) else str(index)
            if label == "_":
                continue
            for value in self._value(scope, entry):
                count += 1
                if count <= _ARGUMENTS:
                    yield label, value

    def _value(self, scope: Scope, entry: str) -> list[Value]:
        """Find the texts that an input may have."""
        room = [_TRACED]
        self.source.budget.spend_steps(8)
        found: list[Value] = []
        for value in self._trace(scope, entry, room, 0):
            if value not in found:
                found.append(value)
        return found[:_ARGUMENTS]

    def _trace(self, scope: Scope, entry: str, room: list[int], depth: int) -> list[Value]:
        room[0] -= 1
        if room[0] < 0 or depth > 48:
            return []
        self.source.budget.spend_steps(4)
        name = base(entry)
        node = scope.nodes.get(name)
        if node is None:
            return self._argument(scope, name)
        if not scope.name and name in self.assets:
            return []
        if node.op in ("Const", "HostConst"):
            return [text for label, text in node.texts if label == "value"]
        if node.op in GIVEN:
            return [INPUT]
        if node.op not in HANDED_ON:
            return []
        parts = [self._trace(scope, inner, room, depth + 1) for inner in node.inputs[:64] if not inner.startswith("^")]
        return list(_combined(node, parts))

    def _argument(self, scope: Scope, name: str) -> list[Value]:
        if name not in scope.arguments:
            return []
        return scope.given.get(name, []) if scope.name in self._called else [INPUT]

    def _hand_over(self) -> None:
        """Bring the text of callers to the arguments of the functions that they call."""
        callers = [
            (scope, node, name)
            for scope in self.scopes.values()
            for node in scope.nodes.values()
            for name in node.calls
            if name in self.scopes
        ]
        self._called = {name for _, _, name in callers}
        for _ in range(_ROUNDS):
            changed = False
            for scope, node, name in callers[: 1 << 14]:
                changed = self._call(scope, node, self.scopes[name]) or changed
            if not changed:
                return

    def _call(self, scope: Scope, node: Node, called: Scope) -> bool:
        skipped = CALLS.get(node.op)
        data = [entry for entry in node.inputs if not entry.startswith("^")]
        if skipped is None:
            skipped = max(len(data) - len(called.arguments), 0) if node.op == called.name else 0
        changed = False
        for argument, entry in zip(called.arguments, data[skipped:], strict=False):
            known = called.given.setdefault(argument, [])
            for value in self._value(scope, entry):
                if value not in known and len(known) < _ARGUMENTS:
                    known.append(value)
                    changed = True
        return changed

    def _early(self) -> set[str]:
        """Name the functions that run while the model is loaded, and mark the nodes of the graph that do."""
        graph = self.scopes.get("", Scope())
        waiting, seen = list(self.initial), set(self.initial)
        functions = set(self.first_functions)
        while waiting:
            node = graph.nodes.get(waiting.pop())
            if node is None:
                continue
            functions.update(node.calls)
            for entry in node.inputs:
                if base(entry) not in seen:
                    seen.add(base(entry))
                    waiting.append(base(entry))
        self.initial = seen
        return self._reached(functions)

    def _reached(self, functions: Iterable[str]) -> set[str]:
        reached: set[str] = set()
        waiting = [name for name in functions if name in self.scopes]
        while waiting:
            name = waiting.pop()
            if name in reached:
                continue
            reached.add(name)
            for node in self.scopes[name].nodes.values():
                waiting += [called for called in (*node.calls, node.op) if called in self.scopes]
        return reached


def _combined(node: Node, parts: list[list[Value]]) -> Iterator[Value]:
    """What an operator makes of the texts of its inputs, as far as it can be said."""
    attributes = dict(node.texts)
    single = [part[0] for part in parts if len(part) == 1 and isinstance(part[0], str)]
    texts = [str(value) for value in single]
    if node.op == "StringJoin" and parts and len(texts) == len(parts):
        yield attributes.get("separator", "").join(texts)[:4096]
        return
    for part in parts[:1] if node.op in ("ShardedFilename", "StaticRegexReplace", "RegexReplace", "Substr") else parts:
        for value in part:
            yield _changed(node.op, attributes, value)


def _changed(op: str, attributes: dict[str, str], value: Value) -> Value:
    if not isinstance(value, str):
        return value
    if op == "DecodeBase64":
        try:
            return binascii.a2b_base64(value.replace("-", "+").replace("_", "/") + "==").decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return value
    if op == "StringLower":
        return value.lower()
    if op == "StringUpper":
        return value.upper()
    if op == "StaticRegexReplace" and (old := attributes.get("pattern", "")) and old.isalnum():
        return value.replace(old, attributes.get("rewrite", ""))[:4096]
    return value
