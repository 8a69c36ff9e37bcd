"""Bodies of code, the names they bind, and what was met in them."""

from __future__ import annotations

import ast

from toadstone.core.record import dataclass, field
from toadstone.core.value import Value
from toadstone.readers.code.names import LOADED
from toadstone.readers.code.values import UNKNOWN, Instance, Local, join

MODULE, MAIN, BODY = "module", "main", "body"


@dataclass(eq=False)
class Record:
    """One import (``args`` is None) or call, before it is known when it runs.

    Attributes:
        node: Identity of the syntax node.
        line: 0-based line.
        inlined: How many local calls were followed to come here; deeper ones know their arguments better.
    """

    node: int
    line: int
    callee: Value
    args: tuple[Value, ...] | None
    kwargs: tuple[tuple[str, Value], ...]
    how: str
    inlined: int


@dataclass(eq=False)
class Unit:
    """Code that runs together: the module, its ``__main__`` part, the body of one function."""

    kind: str
    name: str = ""
    method: bool = False
    records: list[Record] = field(default_factory=list)
    callees: set[Unit] = field(default_factory=set)

    @property
    def label(self) -> str:
        """How facts of this unit say where they are; empty for plain ones."""
        if self.kind == MAIN:
            return "main"
        return f"method:{self.name}" if self.method and self.name in LOADED else ""


@dataclass(eq=False)
class Scope:
    """Names and their values."""

    parent: Scope | None = None
    names: dict[str, Value] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)
    is_class: bool = False

    def find(self, name: str) -> Value | None:
        """Look a name up here and outwards; class bodies are not seen from inside functions."""
        scope: Scope | None = self
        first = True
        while scope is not None:
            if (first or not scope.is_class) and name in scope.names:
                return scope.names[name]
            first = False
            scope = scope.parent
        return None

    def root(self) -> Scope:
        """The module's scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def bind(self, name: str, value: Value, branching: bool) -> None:
        """Bind a name; in a branch, what it held before stays possible."""
        target = self
        if name in self.outer:
            target = self.root()
            branching = True
        old = target.names.get(name)
        target.names[name] = join(old, value) if branching and old is not None else value


@dataclass(eq=False)
class Function:
    """A function or lambda of the code itself."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    unit: Unit
    owner: Class | None = None
    returned: Value = UNKNOWN
    state: int = 0

    @property
    def lines(self) -> int:
        """How long its body is."""
        return (self.node.end_lineno or self.node.lineno) - self.node.lineno + 1


@dataclass(eq=False)
class Class:
    """A class of the code itself."""

    name: str
    bases: list[Value]
    attributes: dict[str, Value] = field(default_factory=dict)

    def find(self, name: str, depth: int = 0) -> Value:
        """Look an attribute up in the class and in those of its bases that are defined here; None if it has none."""
        if name in self.attributes:
            return self.attributes[name]
        if depth < 8:
            for base in self.bases:
                if isinstance(base, Local) and isinstance(base.definition, Class):
                    found = base.definition.find(name, depth + 1)
                    if found is not None:
                        return found
        return None


@dataclass(eq=False)
class Method:
    """A function bound to an object."""

    function: Function
    owner: Instance


def reach(start: Unit) -> set[Unit]:
    """All units that run when ``start`` does."""
    found = {start}
    queue = [start]
    while queue:
        for unit in queue.pop().callees:
            if unit not in found:
                found.add(unit)
                queue.append(unit)
    return found
