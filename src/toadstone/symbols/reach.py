"""What a call reaches that its callee's name alone does not say: methods, modules behind names, names that are handed on."""

from __future__ import annotations

from collections.abc import Sequence

from toadstone.core.regex import regex
from toadstone.core.value import Items, Result, Symbol, Table, Value
from toadstone.symbols import Knowledge, effects_of, module_known
from toadstone.symbols.roles import Role, role_of

DEFERRED = frozenset(
    {
        *(Symbol(module, name) for module in ("operator", "_operator") for name in ("itemgetter", "attrgetter", "methodcaller")),
        *(Symbol(module, name) for module in ("functools", "_functools") for name in ("partial", "partialmethod")),
    },
)
"""Makers of callables that do nothing until they are called; what they hold is judged as an import."""

SETTING = frozenset({"BUILD", "APPENDS", "SETITEMS", "ADDITEMS"})
METHODS = {"BUILD": ("__setstate__",), "APPENDS": ("extend", "append"), "SETITEMS": ("__setitem__",), "ADDITEMS": ("add",)}

_METHOD_CALLERS = frozenset(Symbol(module, "methodcaller") for module in ("operator", "_operator"))
_ATTRIBUTE_GETTERS = frozenset(Symbol(module, "attrgetter") for module in ("operator", "_operator"))
_ATTRIBUTE_OF = frozenset({Symbol("builtins", "getattr"), Symbol("inspect", "getattr_static"), Symbol("dill._dill", "_get_attr")})

_METHOD = regex(r"(?!__)[A-Za-z_]\w*")
_MOST_HANDED = 256

_MOST_SEEN = 10_000

_MOST_PARTS = 32
"""Parts of a dotted name; no real one has more than five."""


def known_behind(symbol: Symbol) -> Knowledge | None:
    """What is known of a name that runs through a module which an unknown module imported (``acme.models``, ``os.system``)."""
    parts = symbol.name.split(".")
    if len(parts) < 2 or len(parts) > _MOST_PARTS or module_known(symbol.module):
        return None
    for index in range(len(parts) - 1):
        if module_known(parts[index]) and (found := effects_of(parts[index], ".".join(parts[index + 1 :]))) is not None:
            return found
    return None


def targets(callee: Symbol, how: str) -> list[Symbol]:
    """Name what really runs: the callee, or the methods of the object whose state or items are set."""
    return [Symbol(callee.module, f"{callee.name}.{method}") for method in METHODS[how]] if how in SETTING else [callee]


def attributes_set(state: Value) -> list[Value]:
    """List the attribute names that a state sets: of a dict, or of a pair of dicts (the second for slots)."""
    if not isinstance(state, Items):
        return []
    if state.kind == "dict":
        return [pair.items[0] for pair in state.items if isinstance(pair, Items) and len(pair.items) == 2]
    return [key for part in state.items if isinstance(part, Items) and part.kind == "dict" for key in attributes_set(part)]


def method_of(callee: Result, args: tuple[Value, ...]) -> tuple[Symbol, tuple[Value, ...]] | None:
    """Name the method that a computed callable is, when it is one of an object that a named class made, with its arguments."""
    maker = callee.callee
    if maker in _METHOD_CALLERS and callee.args and args:
        owner, name, given = args[0], callee.args[0], (args[0], *callee.args[1:])
    elif maker in _ATTRIBUTE_OF and len(callee.args) >= 2:
        owner, name, given = callee.args[0], callee.args[1], (callee.args[0], *args)
    elif isinstance(maker, Result) and maker.callee in _ATTRIBUTE_GETTERS and maker.args and callee.args:
        owner, name, given = callee.args[0], maker.args[0], (callee.args[0], *args)
    else:
        return None
    if not isinstance(owner, Result) or not isinstance(owner.callee, Symbol) or not isinstance(name, str):
        return None
    return Symbol(owner.callee.module, f"{owner.callee.name}.{name}"), given


def fetches_method(callee: Symbol, args: tuple[Value, ...]) -> bool:
    """Whether ``getattr`` only names a method of a container or of an object that a class made: CPython's bound methods.

    Calling it is judged where it is called; special names lead out of the object and are no ordinary method.
    """
    if callee != Symbol("builtins", "getattr") or len(args) != 2:
        return False
    owner, name = args
    if isinstance(owner, Items) and isinstance(name, str):
        return _METHOD.fullmatch(name) is not None
    if not isinstance(owner, Result) or not isinstance(owner.callee, Symbol) or not isinstance(name, str):
        return False
    kind = owner.callee
    return (
        _METHOD.fullmatch(name) is not None
        and role_of(kind, "") is Role.CLASS
        and effects_of(kind.module, kind.name) is None
        and effects_of(kind.module, f"{kind.name}.{name}") is None
    )


def handed(values: Sequence[Value]) -> tuple[Value, ...]:
    """List the names that a call is handed to use, also in containers and partial calls; what earlier calls used is spent."""
    found: list[Value] = []
    waiting = list(values)
    seen: set[int] = set()
    while waiting and len(found) < _MOST_HANDED and len(seen) < _MOST_SEEN:
        value = waiting.pop()
        if id(value) in seen:
            continue  # a value that is used twice is looked at once: graphs may double at every level
        seen.add(id(value))
        if isinstance(value, Symbol):
            found.append(value)
        elif isinstance(value, Items):
            waiting += value.flat if isinstance(value, Table) else value.items
        elif isinstance(value, Result) and value.callee in DEFERRED:
            waiting += value.args
    return tuple(found)


def runs_through(symbol: Symbol) -> bool:
    """Whether a dotted name goes through something that is no class: picklers write ``Class.method`` only."""
    first, _, rest = symbol.name.partition(".")
    return bool(rest) and not any(character.isupper() for character in first)
