"""The row of a gadget table, and how rows become cases."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

from benchmarks.corpus.malicious.asm import Call, Encoder, Symbol
from benchmarks.corpus.malicious.cases import Case

Row = tuple[str, str | Call, tuple[object, ...]] | tuple[str, str | Call, tuple[object, ...], str]
"""``(effect, "module:name" or a call chain, arguments[, source])``."""

_PROTOCOLS = (4, 4, 2, 4, 5, 0, 3, 4, 1, 4)


def first_symbol(value: object) -> str:
    """The symbol of a chain that has the effect: the outermost function, or the innermost if that is itself a result."""
    while isinstance(value, Call):
        value = value.function
    return value.where if isinstance(value, Symbol) else str(value)


def reached_label(value: object, protocol: int) -> str:
    """How the oracle names ``value`` when it is called: dotted names below protocol 4 are results of ``getattr``."""
    if isinstance(value, Call):
        return reached_label(value.function, protocol) + "()"
    assert isinstance(value, Symbol)
    builtins = "__builtin__" if protocol < 3 else "builtins"
    if protocol >= 4:
        return value.where
    if "." in value.name:
        return f"{builtins}:getattr()"
    return f"{builtins}:{value.name}" if value.module == "builtins" else value.where


def _host(call: Call, choice: int) -> object:
    """The object a loader would expect, with the call somewhere inside it."""
    if choice == 0:
        return {"state_dict": {"bias": [0.5, -0.25], "hook": call}, "epoch": 3}
    if choice == 1:
        return [1, 2.5, "layer.0.weight", call]
    return call


def cases(rows: Sequence[Row], group: str) -> Iterator[Case]:
    """One pickle for each row; protocol and host object follow a hash of the symbol, so they are stable and mixed."""
    counts: dict[str, int] = {}
    for row in rows:
        effect, function, arguments = row[0], row[1], row[2]
        source = row[3] if len(row) > 3 else "own"
        outer = Call(Symbol(function), arguments) if isinstance(function, str) else Call(function, arguments)
        symbol = first_symbol(outer)
        stem = re.sub(r"[^A-Za-z0-9_.]+", ".", symbol)
        counts[stem] = counts.get(stem, 0) + 1
        suffix = f"-{counts[stem]}" if counts[stem] > 1 else ""
        seed = hashlib.sha256(f"{symbol}{suffix}".encode()).digest()
        protocol = _PROTOCOLS[seed[1] % len(_PROTOCOLS)]
        yield Case(
            path=f"{group}/{stem}{suffix}.pkl",
            content=Encoder(protocol).dumps(_host(outer, seed[2] % 5)),
            technique=f"{effect}:{symbol.partition(':')[0].partition('.')[0]}",
            source=source,
            notes={"symbol": symbol, "effect": f"call:{reached_label(outer.function, protocol)}"},
        )
