"""The stages that a worked-out value went through, as a chain that a person can read."""

from __future__ import annotations

from toadstone.core.value import Items, Opaque, Result, Symbol, Value
from toadstone.forensics.decoders import DECODERS, codec_step
from toadstone.readers.code.values import CONCAT, GETATTR, Bound, Held, Known, Worked

_DEPTH = 24
_LONGEST = 12

_STEPS = {
    str(CONCAT): "concatenation",
    "operator.getitem": "slice",
    "operator.xor": "xor",
    "operator.mod": "format",
    "builtins.bytes": "byte values",
    "builtins.bytearray": "byte values",
    "builtins.reversed": "reversed",
    "builtins.int.from_bytes": "integer",
    "functools.reduce": "",
}
_METHODS = {"join": "join", "replace": "replace", "translate": "translate", "format": "format", "to_bytes": "integer"}


def chain_of(value: Value) -> tuple[str, ...]:
    """List the steps that lead to a value, the last one first, down to the constant: ``("zlib", "base64", "str constant")``."""
    chain: list[str] = []
    current: Value = value
    for _ in range(_DEPTH):
        if isinstance(current, (Known, Worked, Held)):
            chain.extend(current.steps)
        if isinstance(current, Result):
            if not (isinstance(current, Known) and current.steps):
                chain.append(_step(current))
            current = _origin(current)
        elif isinstance(current, Items):
            inner = next((item for item in current.items if isinstance(item, (Result, Worked))), None)
            if inner is None:
                break
            current = inner
        else:
            break
    chain.append(_constant(current))
    return _tidied(chain)


def _step(made: Result) -> str:
    callee = made.callee
    if isinstance(callee, Bound):
        if callee.name in ("decode", "encode"):
            return codec_step(made.args[0] if made.args and isinstance(made.args[0], str) else "utf-8")
        return _METHODS.get(callee.name, "")
    if not isinstance(callee, Symbol):
        return callee.what if isinstance(callee, Opaque) and callee.what not in ("...", "loop", "expression") else ""
    name = str(callee)
    if name in DECODERS and DECODERS[name][0] == "codec":
        return codec_step(made.args[1] if len(made.args) > 1 and isinstance(made.args[1], str) else "utf-8")
    return DECODERS[name][0] if name in DECODERS else _STEPS.get(name, "")


def _origin(made: Result) -> Value:
    """What a step was applied to: its receiver, or the first argument that has a story of its own."""
    candidates = [*made.args]
    if isinstance(made.callee, Bound):
        candidates.insert(0, made.callee.base)
    if made.callee == GETATTR:
        candidates = candidates[:1]
    telling: list[Value] = [value for value in candidates if isinstance(value, (Known, Worked, Result, Held))]
    telling += [
        value for value in candidates if isinstance(value, Items) and any(isinstance(item, Known) for item in value.items)
    ]
    texts: list[Value] = [value for value in candidates if isinstance(value, (str, bytes, Items, int))]
    return (telling or sorted(texts, key=_size, reverse=True) or [None])[0]


def _size(value: Value) -> int:
    return len(value) if isinstance(value, (str, bytes)) else len(value.items) if isinstance(value, Items) else 1


def _constant(value: Value) -> str:
    if isinstance(value, (str, bytes)):
        return f"{type(value).__name__} constant"
    if isinstance(value, Items):
        return f"{value.kind} of constants"
    return "int constant" if isinstance(value, int) else "constant"


def _tidied(chain: list[str]) -> tuple[str, ...]:
    """Leave out steps without a name and repetitions, and cut what is longer than anybody reads."""
    made: list[str] = []
    for step in chain:
        if step and (not made or made[-1] != step):
            made.append(step)
    return tuple(made) if len(made) <= _LONGEST else (*made[: _LONGEST - 2], "…", made[-1])
