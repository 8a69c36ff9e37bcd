"""Summaries of callables, and how a call's arguments meet a callee's parameters and conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tools.effects.ir import UNKNOWN, Call, Guard, Parameter, Value, join_all
from tools.effects.seeds import Sink

MAX_SINKS = 12
MAX_GUARDS = 3
MAX_NEEDS = 2
MAX_CHAIN = 6
REACH = {
    "run-command": 7, "run-code": 5, "load-native": 6, "deserialise": 5, "import-name": 5,
    "write-file": 4, "network": 10, "patch": 2, "read-file": 4, "kill-hang": 2, "call": 2,
}  # fmt: skip
"""How many calls away an effect is still believed: each step adds doubt that the argument arrives unchanged."""

HANDED_OUT = frozenset({("toadstone.module-getattr",)})
"""Primitives that count for the function that hands out their result."""

DIRECT = HANDED_OUT | {("toadstone.global-write",)}
"""Primitives that count for the function that uses them, and not for its callers."""
CALL, PATCH = "call", "patch"
Witness = tuple[str, ...]


@dataclass(slots=True)
class Summary:
    """What a callable does: sinks with a chain of names each, inputs in its result, inputs it stores on ``self``."""

    sinks: dict[Sink, Witness] = field(default_factory=dict)
    returns: frozenset[str] = frozenset()
    writes: dict[str, frozenset[str]] = field(default_factory=dict)
    own_calls: frozenset[tuple[str, str]] = frozenset()
    """The methods that it calls on its own receiver, directly or not, by class and name: a subclass may replace them."""

    def add(self, sink: Sink, witness: Witness) -> bool:
        """Add a sink unless a weaker condition for the same effect is known."""
        same = [known for known in self.sinks if known.effect == sink.effect]
        for known in same:
            if set(known.needs) <= set(sink.needs) and set(known.guards) <= set(sink.guards):
                return False
        if len(same) >= MAX_SINKS:
            return False
        self.sinks[sink] = witness
        return True


NO_SUMMARY = Summary()


def writable(mode: object) -> bool:
    """Whether a file mode allows writing."""
    return not isinstance(mode, str) or any(letter in mode for letter in "wax+")


def readable(mode: object) -> bool:
    """Whether a file mode allows reading."""
    return not isinstance(mode, str) or "r" in mode or "+" in mode or not mode


GUARD_TESTS: dict[str, Callable[[object], bool]] = {
    "write-mode": writable,
    "read-mode": readable,
    "truthy": bool,
    "falsy": lambda const: not const,
    "given": lambda const: const is not None,
    "none": lambda const: const is None,
}


def element(value: Value, key: str | int) -> Value:
    """One keyword or one position of a value that is spread over a call."""
    origins = {f"{o}.{key}" if isinstance(o, str) and o[:1] == "*" and "." not in o else o for o in value.origins}
    return Value(frozenset(origins), frozenset(), frozenset({UNKNOWN}))


def bind(params: Iterable[Parameter], call: Call, receiver: Value | None) -> dict[str, Value]:
    """Which value each formal parameter gets; parameters that get none are absent.

    Elements of ``*args`` and ``**kwargs`` are also bound apart, as ``*args.0`` and ``**kwargs.name``; what the call spreads
    into them stands under ``*args.*`` and ``**kwargs.*``.
    """
    bound: dict[str, Value] = {}
    given = list(call.args) if receiver is None else [receiver, *call.args]
    named = dict(call.keywords)
    spread = 0
    for parameter in params:
        if parameter.name.startswith("**"):
            bind_rest(bound, parameter.name, {str(name): value for name, value in named.items()}, call.dstar)
        elif parameter.name.startswith("*"):
            bind_rest(bound, parameter.name, {str(index): value for index, value in enumerate(given)}, call.star)
            given = []
        elif parameter.positional and given:
            bound[parameter.name] = given.pop(0)
        elif parameter.name in named:
            bound[parameter.name] = named.pop(parameter.name)
        else:
            parts = [element(call.star, spread)] if call.star and parameter.positional else []
            parts += [element(call.dstar, parameter.name)] if call.dstar else []
            spread += 1
            if parts:
                bound[parameter.name] = join_all(parts)
    return bound


def bind_rest(bound: dict[str, Value], name: str, items: Mapping[str, Value], spread: Value | None) -> None:
    """Bind a starred parameter: as a whole, and by element."""
    if not items and spread is None:
        return
    bound[name] = join_all([*items.values(), *([spread] if spread else [])])
    for key, value in items.items():
        bound[f"{name}.{key}"] = value
    if spread is not None:
        bound[f"{name}.*"] = element(spread, len(items)) if name[:2] != "**" else spread


def choices(sink: Sink, needs: list[frozenset[str]], guards: tuple[Guard, ...]) -> Iterator[Sink]:
    """One sink for each way to satisfy every need."""
    if len(needs) == 1:
        for origin in sorted(needs[0]):
            yield Sink(sink.effect, (origin,), guards, sink.distance)
    elif len(needs) > 1:
        if all(needs):
            for first in sorted(needs[0])[:3]:
                chosen = tuple(dict.fromkeys((first, *(min(other) for other in needs[1:]))))
                yield Sink(sink.effect, chosen, guards, sink.distance)
    else:
        yield Sink(sink.effect, (), guards, sink.distance)
