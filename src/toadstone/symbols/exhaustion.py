"""Calls that exhaust memory or time by their numbers alone: a huge buffer, a power of powers, an endless iterator made a list."""

from __future__ import annotations

from collections.abc import Sequence

from toadstone.core.value import Items, Result, Symbol, Value

_LARGE = 100_000_000
"""Elements, bytes or steps that no stored object asks for: what is that large is stored, not computed."""

_BY_SIZE = frozenset(
    {
        *(
            f"builtins.{name}"
            for name in ("bytearray", "bytes", "pow", "str.ljust", "str.rjust", "str.center", "str.zfill", "int.__pow__")
        ),
        *(
            f"{module}.{name}"
            for module in ("operator", "_operator")
            for name in ("pow", "mul", "imul", "lshift", "concat", "__mul__", "__pow__")
        ),
        *(f"math.{name}" for name in ("factorial", "comb", "perm")),
        *(f"builtins.{name}.__mul__" for name in ("str", "bytes", "list", "tuple")),
    },
)
_CONSUMERS = frozenset(
    {
        *(
            f"builtins.{name}"
            for name in ("list", "tuple", "set", "frozenset", "sorted", "sum", "max", "min", "dict", "bytes", "bytearray", "all")
        ),
        "collections.deque",
        "collections.Counter",
        "builtins.str.join",
        "builtins.list.extend",
    },
)
_ENDLESS = frozenset({"itertools.count", "itertools.cycle", "itertools.repeat"})


def exhausts(symbol: Symbol, args: Sequence[Value]) -> bool:
    """Whether a call would exhaust memory or time."""
    name = str(symbol)
    if name in _BY_SIZE:
        numbers = [abs(value) for value in args if isinstance(value, int) and not isinstance(value, bool)]
        return any(number >= _LARGE for number in numbers)
    return name in _CONSUMERS and any(_endless(value) for value in args)


def _endless(value: Value) -> bool:
    """Whether an iterator never ends, or only after very many steps."""
    if isinstance(value, Items):
        return any(_endless(item) for item in value.items[:8])
    if not isinstance(value, Result) or not isinstance(value.callee, Symbol):
        return False
    name = str(value.callee)
    if name == "builtins.range":
        return any(isinstance(bound, int) and abs(bound) >= _LARGE for bound in value.args)
    if name == "itertools.repeat":
        return len(value.args) < 2
    return name in _ENDLESS or (
        name.startswith(("itertools.", "builtins.map", "builtins.zip")) and any(_endless(item) for item in value.args)
    )
