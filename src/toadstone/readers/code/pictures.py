"""Between pictures of values (`toadstone.core.value`) and the plain values that the interpreter of forensics works with."""

# ruff: noqa: ANN401  (values of any type are pictured)
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toadstone.core.value import Items, Symbol, Value
from toadstone.forensics.effort import Effort, NotWorkedOut
from toadstone.forensics.functions import CONSTANTS
from toadstone.forensics.values import Endless, Method
from toadstone.readers.code.values import UNKNOWN, Bound, Held, Instance, Known, Local, Worked, known

_NESTED = 12
_KEPT = 1 << 16
_CONTAINERS: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "slice": lambda parts: slice(*parts),
}


def concrete(value: Value, effort: Effort, hosted: Callable[[Local | Instance], Any], depth: int = 0) -> Any:
    """Give the plain value behind a picture.

    Args:
        value: The picture.
        effort: Pays for it.
        hosted: Gives what stands for a function or object of the code itself.
        depth: How many containers are around it.

    Raises:
        NotWorkedOut: If anything about it is not known.
    """
    if value is None or isinstance(value, (str, bytes, bool, int, float, complex)):
        return value
    if isinstance(value, Symbol):
        return CONSTANTS.get(str(value), value)
    if isinstance(value, Known):
        return value.value
    if isinstance(value, Items):
        return _container(value, effort, hosted, depth)
    if isinstance(value, (Local, Instance)):
        return hosted(value)
    if isinstance(value, Held):
        if isinstance(value.value, bytearray):
            return bytearray(value.value)
        return Endless(value.value.held, _again(value.value.held)) if isinstance(value.value, Endless) else value.value
    if isinstance(value, Bound) and not isinstance(value.base, (Symbol, Local)):
        return Method(concrete(value.base, effort, hosted, depth + 1), value.name)
    raise NotWorkedOut("not known")


def _again(items: list[Any]) -> Any:
    import itertools  # noqa: PLC0415

    return itertools.cycle(items)


def _container(value: Items, effort: Effort, hosted: Callable[[Local | Instance], Any], depth: int) -> Any:
    if value.more or depth > _NESTED:
        raise NotWorkedOut("not known completely")
    items = value.items
    effort.step(1 + (len(items) >> 4))
    if value.kind == "dict":
        pairs = [pair.items for pair in items if isinstance(pair, Items) and len(pair.items) == 2]
        if len(pairs) != len(items):
            raise NotWorkedOut("not known completely")
        keys = [concrete(key, effort, hosted, depth + 1) for key, _ in pairs]
        effort.looked_into(keys)
        return dict(zip(keys, (concrete(item, effort, hosted, depth + 1) for _, item in pairs), strict=True))
    make = _CONTAINERS.get(value.kind)
    if make is None:
        raise NotWorkedOut(value.kind)
    made = [item if type(item) in _SCALARS else concrete(item, effort, hosted, depth + 1) for item in items]
    if value.kind in ("set", "frozenset"):
        effort.looked_into(made)
    return make(made)


_SCALARS = frozenset({str, bytes, int, float, bool, type(None)})


def picture(value: Any, callee: Value = UNKNOWN, args: tuple[Value, ...] = (), steps: tuple[str, ...] = ()) -> Value:
    """Picture a worked-out value; text that was hidden on the way keeps where it came from.

    Args:
        value: What was worked out.
        callee: What gave it, with its arguments.
        args: These.
        steps: What the code's own functions did on the way, the last step first; with none the value is taken as it is.
    """
    if isinstance(value, bytearray):
        return Held("bytearray", value, steps or tuple(step for given in args for step in getattr(given, "steps", ())))
    if isinstance(value, (str, bytes)):
        return known(callee, args, value, steps) if callee is not UNKNOWN or steps else value
    if value is None or isinstance(value, (bool, int, float, complex, Symbol)):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return _pictured(value, steps, 0)
    if isinstance(value, dict):
        pairs: list[Value] = [Items("tuple", [_inner(key, 1), _inner(item, 1)]) for key, item in value.items()]
        return Worked("dict", pairs[:_KEPT], steps)
    return Held(type(value).__name__, value)


def _pictured(value: Any, steps: tuple[str, ...], depth: int) -> Value:
    kind = type(value).__name__
    items = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
    made: list[Value] = [item if type(item) in _SCALARS else _inner(item, depth + 1) for item in items[:_KEPT]]
    pictured = Worked(kind, made, steps) if steps else Items(kind, made)
    pictured.more = max(len(items) - _KEPT, 0)
    return pictured


def _inner(value: Any, depth: int) -> Value:
    if isinstance(value, (list, tuple, set, frozenset)):
        return _pictured(value, (), depth) if depth <= _NESTED else UNKNOWN
    return picture(value)


def tainted(value: Value) -> bool:
    """Whether a value came out of something that hid it, or holds such a thing."""
    if isinstance(value, Known):
        return True
    if isinstance(value, (Worked, Held)) and value.steps:
        return True
    return isinstance(value, Items) and any(isinstance(item, Known) for item in value.items)
