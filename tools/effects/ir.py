"""The intermediate form between the syntax tree and the summaries.

A *reference* says where a value comes from in the program, an *origin* says which attacker-chosen input it carries:

* references: ``("g", "os.system")`` a global name, ``("self",)`` the receiver, ``("param", name)`` what was handed in,
  ``("super", class)``,
  ``("inst", ref)`` an instance of what ``ref`` names, ``("attr", ref, name)``, ``("ret", index)`` the result of a call;
* origins: ``"cmd"`` a parameter, ``"*args"``, ``"**kwargs"``, ``"self"``, ``"self.x"`` (an attribute of the receiver), and an
  ``int``: the result of the call with that index.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Ref = tuple[object, ...]
Origin = str | int
Const = object

UNKNOWN: Const = ...
MADE: Ref = ("made",)
"""Marks a class that the function itself defines."""
FILLED: Ref = ("filled",)
"""Marks an object that no input was at first: what it carries was stored in it later."""
MAX_CONSTS = 6
MAX_REFS = 8

TRUE, FALSE, GIVEN, NONE = "truthy", "falsy", "given", "none"


@dataclass(frozen=True, slots=True)
class Value:
    """What one expression may be: inputs it carries, program entities it may refer to, constants it may equal."""

    origins: frozenset[Origin] = frozenset()
    refs: frozenset[Ref] = frozenset()
    consts: frozenset[Const] = frozenset()

    def join(self, other: Value) -> Value:
        """The union of both possibilities."""
        if other is self or not (other.origins or other.refs or other.consts):
            return self
        if not (self.origins or self.refs or self.consts):
            return other
        consts = self.consts | other.consts
        refs = self.refs | other.refs
        return Value(
            self.origins | other.origins,
            refs if len(refs) <= MAX_REFS else frozenset(sorted(refs, key=repr)[:MAX_REFS]),
            consts if len(consts) <= MAX_CONSTS else frozenset({UNKNOWN}),
        )

    @property
    def constant(self) -> bool:
        """Whether only known constants are possible."""
        return not self.origins and bool(self.consts) and UNKNOWN not in self.consts


NOTHING = Value()
OPAQUE = Value(consts=frozenset({UNKNOWN}))


def join_all(values: Iterable[Value]) -> Value:
    """The union of all possibilities."""
    result = NOTHING
    for value in values:
        result = result.join(value)
    return result


def opaque(value: Value) -> Value:
    """The same inputs, but neither a known entity nor a known constant."""
    if not value.origins:
        return OPAQUE
    return Value(value.origins, frozenset(), frozenset({UNKNOWN}))


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition on one input under which a statement is reached."""

    origin: Origin
    kind: str


@dataclass(slots=True)
class Call:
    """One call: what is called, with what, and whether it is always reached."""

    callee: Value
    receiver: Value
    args: tuple[Value, ...]
    keywords: dict[str, Value]
    star: Value | None
    dstar: Value | None
    guards: tuple[Guard, ...]
    certain: bool
    bare: bool
    """Whether the callee is a plain expression, not ``receiver.name``."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One formal parameter; ``name`` carries its stars."""

    name: str
    positional: bool
    default: Value | None


@dataclass(slots=True)
class Function:
    """One function or method, lowered."""

    name: str
    params: tuple[Parameter, ...]
    kind: str = "function"
    owner: str | None = None
    calls: list[Call] = field(default_factory=list)
    returns: Value = NOTHING
    writes: dict[str, Value] = field(default_factory=dict)

    @property
    def takes_self(self) -> bool:
        """Whether the first parameter is the instance."""
        return self.kind == "method"


@dataclass(slots=True)
class Class:
    """One class: its bases as references, its methods and attributes by name."""

    name: str
    bases: list[Ref]
    methods: dict[str, Function] = field(default_factory=dict)
    attributes: dict[str, Value] = field(default_factory=dict)
    fields: list[Parameter] | None = None
    """The generated constructor's parameters, for data classes and named tuples."""


@dataclass(slots=True)
class Module:
    """One module: what its global names refer to."""

    name: str
    package: bool
    names: dict[str, Value] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, Class] = field(default_factory=dict)
    body: Function | None = None
    exported: frozenset[str] = frozenset()
