"""Values of code that is read but never run: what names, attributes, calls and operators would give."""

# ruff: noqa: ANN401  (definitions belong to the front end)
from __future__ import annotations

from typing import Any

from toadstone.core.value import Items, Opaque, Result, Symbol, Value
from toadstone.readers.code.names import ALIASES, BUILTINS, LIBRARIES, MODULES

UNKNOWN = Opaque("...")

GETATTR = Symbol("builtins", "getattr")
CONCAT = Symbol("operator", "concat")
GETITEM = Symbol("operator", "getitem")

_DEPTH = 24
"""Results inside results that are kept; what lies deeper is summed up by the symbols in it."""


_NESTED = 6
"""Containers inside containers that are looked into."""


class Local(Opaque):
    """A function or class that the code itself defines; ``definition`` belongs to the front end."""

    __slots__ = ("definition",)

    def __init__(self, what: str, definition: Any) -> None:
        super().__init__(what)
        self.definition = definition


class Instance(Opaque):
    """An object of a class that the code itself defines."""

    __slots__ = ("definition",)

    def __init__(self, what: str, definition: Any) -> None:
        super().__init__(what)
        self.definition = definition


class Either(Opaque):
    """One of several values, depending on what cannot be known."""

    __slots__ = ("options",)

    def __init__(self, options: tuple[Value, ...]) -> None:
        super().__init__("...")
        self.options = options


class Namespace(Opaque):
    """A dictionary of names: ``globals()`` (no module) or ``vars(module)``."""

    __slots__ = ("module",)

    def __init__(self, module: str = "") -> None:
        super().__init__(f"vars({module})" if module else "globals()")
        self.module = module


class Held(Opaque):
    """A worked-out value that has no picture of its own: a range, an iterator, a buffer. ``steps`` as for `Known`."""

    __slots__ = ("steps", "value")

    def __init__(self, what: str, value: Any, steps: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.value = value
        self.steps = steps


class Worked(Items):
    """A container that was worked out; ``steps`` says how, the last step first."""

    __slots__ = ("steps",)

    def __init__(self, kind: str, items: list[Value], steps: tuple[str, ...]) -> None:
        super().__init__(kind, items)
        self.steps = steps


class Known(Result):
    """What a decoding call gives, worked out; ``value`` is plain text or bytes, the call stays visible as its origin.

    ``steps`` names what the code's own functions and loops did on the way, the last step first.
    """

    value: str | bytes
    steps: tuple[str, ...]

    def __init__(self, callee: Value, args: tuple[Value, ...], value: str | bytes, steps: tuple[str, ...] = ()) -> None:
        super().__init__(callee, args)
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "steps", steps)


class Bound(Result):
    """An attribute of a value: ``getattr(base, name)``."""

    @property
    def base(self) -> Value:
        """The value whose attribute it is."""
        return self.args[0]

    @property
    def name(self) -> str:
        """Name of the attribute."""
        return str(self.args[1])


def depth_of(value: Value, level: int = 0) -> int:
    """How many calls are inside each other in a value."""
    if isinstance(value, Result):
        return int(getattr(value, "depth", 1))
    if not isinstance(value, Items) or level > _NESTED:
        return 0
    return max((depth_of(item, level + 1) for item in value.items[:16] if isinstance(item, (Result, Items))), default=0)


def noted(value: Value) -> bool:
    """Whether a value says anything worth keeping."""
    return not isinstance(value, Opaque) or type(value) is not Opaque


def symbols_of(values: tuple[Value, ...], limit: int = 400) -> list[Symbol]:
    """List the symbols inside values, without repeats, looking at ``limit`` parts at most."""
    found: dict[Symbol, None] = {}
    stack: list[Value] = list(reversed(values))
    seen: set[int] = set()
    for _ in range(limit):
        if not stack:
            break
        top = stack.pop()
        if isinstance(top, Symbol):
            found[top] = None
        elif isinstance(top, (Result, Items, Either)):
            if id(top) in seen:
                continue
            seen.add(id(top))
            stack.extend(reversed(_inside(top)[:limit]))
    return list(found)


def _inside(value: Result | Items | Either) -> list[Value]:
    if isinstance(value, Items):
        return value.items
    if isinstance(value, Either):
        return list(value.options)
    return [value.callee, *value.args, *(item for _, item in value.kwargs)]


def result(callee: Value, args: tuple[Value, ...] = (), kwargs: tuple[tuple[str, Value], ...] = ()) -> Value:
    """Picture the result of a call, or `UNKNOWN` if nothing about it is worth keeping."""
    if not noted(callee) and not any(map(noted, args)) and not kwargs:
        return UNKNOWN
    return _measured(Result(callee, args, kwargs))


def known(callee: Value, args: tuple[Value, ...], value: str | bytes, steps: tuple[str, ...] = ()) -> Value:
    """Picture a decoding call together with what it gives."""
    return _measured(Known(callee, args, value, steps))


def bound(base: Value, name: str) -> Value:
    """Picture an attribute of a value."""
    return _measured(Bound(GETATTR, (base, name)))


def _measured(made: Result) -> Result:
    depth = 1 + max(map(depth_of, (made.callee, *made.args, *(item for _, item in made.kwargs))))
    if depth > _DEPTH:
        origins = tuple(symbols_of((made.callee, *made.args)))[:16]
        short = (
            Known(origins[0] if origins else UNKNOWN, origins, made.value, made.steps)
            if isinstance(made, Known)
            else Result(UNKNOWN, origins)
        )
        made, depth = short, 2
    object.__setattr__(made, "depth", depth)
    return made


def plain(value: Value, level: int = 0) -> Any:
    """Give the Python value behind a picture, if it is worked out completely; otherwise `UNKNOWN`."""
    if isinstance(value, Known):
        return value.value
    if isinstance(value, Held) and isinstance(value.value, bytearray):
        return bytes(value.value)
    if value is None or isinstance(value, (str, bytes, bool, int, float)):
        return value
    if isinstance(value, Items) and value.kind in ("list", "tuple") and not value.more and level <= _NESTED:
        parts = [plain(item, level + 1) for item in value.items]
        return UNKNOWN if any(part is UNKNOWN for part in parts) else parts
    return UNKNOWN


def join(old: Value, new: Value) -> Value:
    """Picture a name that holds one value or the other."""
    if old is new or not noted(old):
        return new
    if not noted(new):
        return old
    if type(old) is type(new) and isinstance(old, (str, bytes, int, Symbol)) and old == new:
        return old
    options = [*_options(old), *(option for option in _options(new) if option not in _options(old))]
    return Either(tuple(options[-4:])) if len(options) > 1 else options[0]


def _options(value: Value) -> tuple[Value, ...]:
    return value.options if isinstance(value, Either) else (value,)


def options_of(value: Value) -> tuple[Value, ...]:
    """List what a value may be."""
    return value.options if isinstance(value, Either) else (value,)


def global_name(name: str) -> Value:
    """Guess what a name means that the code in sight does not define."""
    if name in BUILTINS:
        return Symbol("builtins", name)
    if name in ("__builtins__", "__builtin__", "builtins"):
        return Symbol("builtins", "")
    return UNKNOWN


def free_name(name: str) -> Value:
    """Guess what a global name of naked code means: its module's imports are out of sight."""
    guess = global_name(name)
    if guess is not UNKNOWN:
        return guess
    if name in MODULES or name in LIBRARIES:
        return Symbol(name, "")
    return Symbol(ALIASES[name], "") if name in ALIASES else UNKNOWN
