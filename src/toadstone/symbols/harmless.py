"""Symbols that are harmless in the way they are called: what the big libraries really emit, with argument shapes.

The table ``harmless.tsv`` beside this module is written
by ``python -m tools.harmless`` from real models made by the real libraries
(see ``docs/judgement.md``). A line is a symbol, how it is used, and one shape of its arguments. Nothing is harmless by
its module alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from toadstone.core.value import Excerpt, Items, Opaque, Result, Symbol, Value
from toadstone.symbols.arguments import Look, looks_of

_REFUSED = frozenset({Look.COMMAND, Look.CODE, Look.ADDRESS, Look.PATH, Look.ENCODED})


@lru_cache(maxsize=1)
def _table() -> dict[tuple[str, str], frozenset[str]]:
    """Shapes by (symbol, how)."""
    found: dict[tuple[str, str], set[str]] = {}
    with open(__file__.rpartition(".")[0] + ".tsv", encoding="utf-8") as stream:
        text = stream.read()
    for line in text.splitlines():
        if line and not line.startswith("#"):
            symbol, how, shape = line.split("\t")[:3]
            found.setdefault((symbol, how), set()).add(shape)
    return {key: frozenset(shapes) for key, shapes in found.items()}


def shape_of(value: Value) -> str:
    """Give the shape of one argument: its type, and for symbols and made objects who they are."""
    if isinstance(value, Symbol):
        return f"={value}"
    if isinstance(value, Result):
        return f"{value.callee}()" if isinstance(value.callee, Symbol) else "?()"
    if isinstance(value, Items):
        return value.kind
    if isinstance(value, Excerpt):
        return value.kind
    if isinstance(value, Opaque):
        return "?"
    return type(value).__name__ if value is not None else "None"


def shape(args: Sequence[Value], kwargs: Sequence[tuple[str, Value]] = ()) -> str:
    """Give the shape of a call: ``str,bool,bool``; named arguments as ``name:int``."""
    return ",".join(
        [
            *(shape_of(value) for value in args),
            *(f"{name}:{shape_of(value)}" for name, value in sorted(kwargs, key=lambda pair: pair[0])),
        ]
    )


def is_harmless(symbol: Symbol, how: str, args: Sequence[Value], kwargs: Sequence[tuple[str, Value]] = ()) -> bool:
    """Whether this use of a symbol is one that real models contain, with arguments that carry no payload.

    A shape may end in ``*`` (any arguments follow) or ``**`` (any arguments follow and may look like anything). It has
    ``text`` for a string that is content (it may look like anything) and ``any`` for any value.
    """
    shapes = _table().get((str(symbol), how))
    if shapes is None:
        return False
    mine = shape(args, kwargs).split(",") if args or kwargs else []
    for known in shapes:
        free = _matches(known.split(",") if known else [], mine)
        if free is None:
            continue
        checked = [value for index, value in enumerate([*args, *(value for _, value in kwargs)]) if index not in free]
        if not _REFUSED & looks_of(checked).keys():
            return True
    return False


def _matches(known: list[str], mine: list[str]) -> frozenset[int] | None:
    """Match shapes; give the positions that may look like anything, or None when they do not match."""
    free: set[int] = set()
    for index, wanted in enumerate(known):
        if wanted == "**":
            return frozenset([*free, *range(index, len(mine))])
        if wanted == "*":
            return frozenset(free)
        if index >= len(mine):
            return None
        if wanted in ("any", "text"):
            free.add(index)
            if wanted == "text" and mine[index] not in ("str", "bytes"):
                return None
        elif (
            wanted != mine[index]
            and not (wanted == "=" and mine[index].startswith("="))
            and not (wanted == "()" and mine[index].endswith("()"))
        ):
            return None
    return frozenset(free) if len(mine) == len(known) else None
