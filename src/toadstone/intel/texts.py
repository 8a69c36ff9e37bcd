"""The texts of a fact: every string in it that may hold an indicator."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from toadstone.core.fact import Branch, Call, Code, Document, Fact, Link, Lookup, Operator, Setting, Stage, Text
from toadstone.core.value import Excerpt, Value, leaves

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import Any

_LONGEST = 1 << 20
_SHORTEST = 7
"""No indicator is shorter: an IPv4 address has seven characters."""


MOST = 500
"""Strings that are taken out of one argument."""


def texts_of(fact: Fact, most: int = MOST, tally: list[int] | None = None) -> Iterator[str]:
    """Yield the strings of a fact, bytes decoded, each at most a megabyte.

    Args:
        fact: The fact.
        most: Strings that are taken out of one argument of a call; graphs of objects hold the same ones in every call.
        tally: Takes the number of values that were looked at, as its last item.
    """
    of = _KINDS.get(type(fact))
    if of is not None:
        for value in _call(fact, most, tally) if isinstance(fact, Call) else of(fact):
            text = _text(value)
            if len(text) >= _SHORTEST:
                yield text


def register(kind: type[Fact], of: Callable[[Any], Iterator[Value]]) -> None:
    """Say for a kind of fact which of its values are texts; readers' own kinds of facts join here."""
    _KINDS[kind] = of


def _text(value: Value) -> str:
    if isinstance(value, Excerpt):
        value = value.head
    if isinstance(value, str):
        return value[:_LONGEST]
    return value[:_LONGEST].decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _call(fact: Call, most: int = MOST, tally: list[int] | None = None) -> Iterator[Value]:
    """Give the arguments; two of them may be the host and the port of one endpoint, so neighbours are joined too."""
    for argument in (*fact.args, *(value for _, value in fact.kwargs)):
        found = leaves(argument, most)
        if tally is not None:
            tally[-1] += len(found)
        yield from found
        yield from _endpoints(found)
    yield from _endpoints(list(fact.args))


def _endpoints(values: list[Value]) -> Iterator[Value]:
    for host, port in itertools.pairwise(values):
        if (
            isinstance(host, str)
            and 3 < len(host) < 256
            and isinstance(port, int)
            and not isinstance(port, bool)
            and 0 < port < 65536
        ):
            yield f"('{host}', {port})"


def _setting(fact: Setting) -> Iterator[Value]:
    for value in leaves(fact.value, 500):
        yield value
        if isinstance(value, str) and len(value) < 256 and "://" not in value:  # what has a scheme needs no key to be told
            yield f"{fact.key.rpartition('.')[2]}: '{value}'"


def _operator(fact: Operator) -> Iterator[Value]:
    for _, value in fact.arguments:
        yield from leaves(value, 500)


_KINDS: dict[type[Fact], Callable[[Any], Iterator[Value]]] = {
    Branch: lambda fact: iter((fact.condition, fact.needle, fact.emits)),
    Call: _call,
    Code: lambda fact: iter((fact.summary,)),
    Document: lambda fact: iter((fact.text,)),
    Link: lambda fact: iter((fact.target,)),
    Lookup: lambda fact: iter((fact.expression,)),
    Operator: _operator,
    Setting: _setting,
    Stage: lambda fact: iter((fact.text,)),
    Text: lambda fact: iter((fact.text,)),
}
