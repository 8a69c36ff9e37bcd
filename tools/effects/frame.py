"""One evaluation of one function: its calls, in terms of its own inputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from tools.effects.binding import (
    CALL,
    DIRECT,
    GUARD_TESTS,
    MAX_CHAIN,
    MAX_GUARDS,
    NO_SUMMARY,
    REACH,
    Summary,
    Witness,
    bind,
    choices,
    element,
)
from tools.effects.ir import FILLED, MADE, UNKNOWN, Call, Function, Guard, Origin, Parameter, Ref, Value, join_all
from tools.effects.resolve import Entity, Program
from tools.effects.seeds import Seed, Sink


def root_of(ref: Ref) -> Ref:
    """What the attributes and instances of a reference begin with."""
    while ref[0] in {"attr", "inst"} and isinstance(ref[1], tuple):
        ref = ref[1]
    return ref


SETTERS = frozenset({"builtins.setattr", "builtins.delattr", "builtins.object.__setattr__", "builtins.object.__delattr__"})


class Known(Protocol):
    """What is known so far of the callables of a program."""

    program: Program

    def summary(self, name: str) -> Summary:
        """A function's summary."""
        ...

    def constructor(self, cls: str) -> tuple[tuple[Parameter, ...], Summary]:
        """The parameters and the summary of calling a class."""
        ...


class Frame:
    """One evaluation of one function."""

    def __init__(self, owner: Known, function: Function) -> None:
        self.owner = owner
        self.program = owner.program
        self.function = function
        self.targets: dict[int, list[Entity]] = {}
        self.results: dict[int, frozenset[str]] = {}
        self.busy: set[int] = set()

    # -- what a call reaches -----------------------------------------------------------------------------------------

    def reached(self, index: int) -> list[Entity]:
        """The entities that a call may run."""
        found = self.targets.get(index)
        if found is None:
            found = self.program.value_entities(self.function.calls[index].callee, self.function)
            found = [target for entity in found for target in self.callable(entity)]
            self.targets[index] = found
        return found

    def callable(self, entity: Entity) -> Iterator[Entity]:
        """An instance is called through its ``__call__``."""
        if entity[0] == "inst":
            yield from (found for found in self.program.attribute(entity, "__call__") if found[0] == "method")
        elif not self.stopped(entity):
            yield entity

    def stopped(self, entity: Entity) -> bool:
        """Whether nothing is derived through an entity."""
        kind, name = entity
        return kind in {"func", "method", "class"} and self.program.seeds.stops(name, self.program.owner_module.get(name, ""))

    def bound(self, entity: Entity, call: Call) -> tuple[tuple[Parameter, ...], Summary, dict[str, Value]]:
        """The parameters and summary of an entity, and what this call binds to the parameters."""
        kind, name = entity
        if kind == "class":
            params, summary = self.owner.constructor(name)
            return params, summary, bind(params, call, None)
        if kind == "seed":
            seed: Seed = self.program.seeds.symbols[name]
            summary = NO_SUMMARY if seed.local else Summary(dict.fromkeys(seed.sinks, ()))
            method = bool(seed.params) and seed.params[0].name == "self" and not call.bare
            return seed.params, summary, bind(seed.params, call, call.receiver if method else None)
        function = self.program.functions[name]
        receiver = call.receiver if kind == "method" and function.takes_self else None
        return function.params, self.owner.summary(name), bind(function.params, call, receiver)

    # -- inputs ------------------------------------------------------------------------------------------------------

    def expand(self, origins: Iterable[Origin]) -> frozenset[str]:
        """Origins as inputs of the function alone: results of calls are replaced by what flows through them."""
        found: set[str] = set()
        for origin in origins:
            if isinstance(origin, str):
                found.add(origin)
            else:
                found |= self.result(origin)
        return frozenset(found)

    def result(self, index: int) -> frozenset[str]:
        """The inputs that the result of a call carries."""
        known = self.results.get(index)
        if known is not None:
            return known
        if index in self.busy or index >= len(self.function.calls):
            return frozenset()
        self.busy.add(index)
        call = self.function.calls[index]
        found: frozenset[str] = frozenset()
        entities = self.reached(index)
        for entity in entities:
            found |= self.flow(entity, call)
        if not entities and not self.cleaned(call):
            found = self.everything(call)
        self.busy.discard(index)
        self.results[index] = found
        return found

    def cleaned(self, call: Call) -> bool:
        """Whether the callee's result says nothing of its arguments."""
        return any(ref[0] == "g" and ref[1] in self.program.seeds.clean for ref in call.callee.refs)

    def everything(self, call: Call) -> frozenset[str]:
        """The inputs of all arguments, of the receiver, and of a callee that was itself computed."""
        parts = [call.callee, call.receiver, *call.args, *call.keywords.values(), *(v for v in (call.star, call.dstar) if v)]
        return frozenset().union(*(self.expand(part.origins) for part in parts))

    def flow(self, entity: Entity, call: Call) -> frozenset[str]:
        """The inputs that reach the result through one callee."""
        kind, name = entity
        if name in self.program.seeds.clean or self.cleaned(call):
            return frozenset()
        if kind not in {"func", "method"}:
            return self.everything(call)
        _, summary, bound = self.bound(entity, call)
        found: frozenset[str] = frozenset()
        for origin in summary.returns:
            found |= self.substituted(origin, bound)
        return found

    def substituted(self, origin: Origin, bound: dict[str, Value]) -> frozenset[str]:
        """A callee's input in terms of the caller's."""
        text = str(origin)
        base, dot, attr = text.partition(".")
        if base[:1] == "*" and dot:
            return self.substituted_element(base, attr, bound)
        value = bound.get(base if dot else text)
        if value is None:
            return frozenset()
        if base == "self" and value.refs and any(ref == ("self",) or ref[0] == "super" for ref in value.refs):
            return frozenset({text})
        if base == "self" and dot and not self.made_here(value):
            return frozenset()
        return self.expand(value.origins)

    @staticmethod
    def made_here(value: Value) -> bool:
        """Whether an object comes from a call in this function: only then are its attributes made of its arguments.

        The attributes of an object that was handed in are that object's own story; following them through every method
        that uses any of them would tie everything to everything.
        """
        return any(isinstance(origin, int) for origin in value.origins)

    def substituted_element(self, star: str, key: str, bound: dict[str, Value]) -> frozenset[str]:
        """One element of a callee's ``*args`` or ``**kwargs`` in terms of the caller's."""
        value = bound.get(f"{star}.{key}")
        if value is None:
            rest = bound.get(f"{star}.*")
            value = element(rest, key) if rest is not None else None
        return self.expand(value.origins) if value is not None else frozenset()

    # -- effects -----------------------------------------------------------------------------------------------------

    def effects(self, index: int, call: Call) -> Iterator[tuple[Sink, Witness]]:
        """What one call does to the function's own inputs."""
        entities = self.reached(index)
        for entity in entities:
            if entity[0] in {"module", "extern", "super"}:
                continue
            yield from self.through(entity, call)
        if not entities or all(kind == "extern" for kind, _ in entities):
            for origin in self.called(call):
                yield Sink(CALL, (origin,), self.guards(call)), ()

    def guards(self, call: Call) -> tuple[Guard, ...]:
        """The call's conditions on inputs of the function."""
        return tuple(dict.fromkeys(call.guards))[:MAX_GUARDS]

    def called(self, call: Call) -> frozenset[str]:
        """The inputs that are themselves called."""
        origins = call.callee.origins
        if call.bare:
            if any(ref[0] == "attr" and root_of(ref)[0] == "param" for ref in call.callee.refs):
                return frozenset()
            return frozenset(origin for origin in self.expand(origins) if not origin.startswith("**"))
        own = frozenset(o for o in origins if isinstance(o, str) and o.startswith("self."))
        if ("self",) not in call.receiver.refs or not self.function.owner:
            return frozenset()
        return frozenset(o for o in own if self.stored(o[5:]))

    def stored(self, attr: str) -> bool:
        """Whether the class stores an argument under the attribute."""
        for owner in self.program.mro(self.function.owner or ""):
            cls = self.program.classes.get(owner)
            for method in cls.methods.values() if cls else ():
                value = method.writes.get(attr)
                if value and any(isinstance(origin, str) for origin in value.origins):
                    return True
        return False

    def through(self, entity: Entity, call: Call) -> Iterator[tuple[Sink, Witness]]:
        """The sinks of one callee, in terms of the caller's inputs."""
        params, summary, bound = self.bound(entity, call)
        if entity[1] in SETTERS and self.fresh(next(iter(bound.values()), None)):
            return
        name = entity[1].partition("#")[0]
        for sink, witness in list(summary.sinks.items()):
            if witness[-1:] in DIRECT:
                continue
            chain = (name, *witness)
            chain = chain if len(chain) <= MAX_CHAIN else (*chain[: MAX_CHAIN - 1], chain[-1])
            for found in self.translated(sink, params, bound, call):
                yield found, chain
            if sink.effect == CALL and len(sink.needs) == 1:
                yield from self.callbacks(sink.needs[0], bound, call, name)

    def fresh(self, value: Value | None) -> bool:
        """Whether an object was made by this function: setting its attributes patches nothing that others use."""
        if value is None:
            return False
        if MADE in value.refs:
            return True
        if FILLED not in value.refs and any(isinstance(origin, str) for origin in value.origins):
            return False
        calls = [origin for origin in value.origins if isinstance(origin, int)]
        return bool(calls) and all(self.makes(index) for index in calls)

    def makes(self, index: int) -> bool:
        """Whether a call makes a new object: it constructs or copies one."""
        if any(kind == "class" for kind, _ in self.reached(index)):
            return True
        names = {str(ref[1]).rpartition(".")[2] for ref in self.function.calls[index].callee.refs if ref[0] == "g"}
        return bool(names) and names <= {"copy", "deepcopy", "__new__"}

    def translated(self, sink: Sink, params: Iterable[Parameter], bound: dict[str, Value], call: Call) -> Iterator[Sink]:
        """One callee sink in terms of the caller."""
        guards = self.passed_guards(sink, params, bound)
        if guards is None or sink.distance >= REACH[sink.effect]:
            return
        guards = tuple(dict.fromkeys((*self.guards(call), *guards)))[:MAX_GUARDS]
        if not sink.needs:
            if call.certain and not guards:
                yield replace(sink, distance=sink.distance + 1)
            return
        yield from choices(
            replace(sink, distance=sink.distance + 1), [self.substituted(need, bound) for need in sink.needs], guards
        )

    def passed_guards(self, sink: Sink, params: Iterable[Parameter], bound: dict[str, Value]) -> tuple[Guard, ...] | None:
        """The callee's conditions seen from the caller; ``None`` when the caller's constants rule the sink out."""
        kept: list[Guard] = []
        defaults = {parameter.name: parameter.default for parameter in params}
        for guard in sink.guards:
            name = str(guard.origin)
            value = bound.get(name)
            if value is None and name not in bound:
                value = defaults.get(name)
            if value is None:
                origins = self.substituted(name, bound) if "." in name else frozenset()
                kept += [Guard(next(iter(origins)), guard.kind)] if len(origins) == 1 else []
                continue
            if value.constant:
                if not any(GUARD_TESTS[guard.kind](const) for const in value.consts):
                    return None
                continue
            origins = self.expand(value.origins)
            if len(origins) == 1 and not (value.consts - {UNKNOWN}):
                kept.append(Guard(next(iter(origins)), guard.kind))
        return tuple(kept)

    def callbacks(self, need: str, bound: dict[str, Value], call: Call, name: str) -> Iterator[tuple[Sink, Witness]]:
        """A known function given to something that calls it is called with the other arguments."""
        value = bound.get(need)
        if value is None or not value.refs:
            return
        others = join_all(other for key, other in bound.items() if key != need)
        spread = Value(frozenset(self.expand(others.origins)))
        again = Call(value, Value(), (), {}, spread, spread, call.guards, certain=False, bare=True)
        for entity in self.program.value_entities(value, self.function):
            if entity[0] not in {"func", "class", "seed"} or self.stopped(entity):
                continue
            params, summary, inner = self.bound(entity, again)
            for sink, witness in list(summary.sinks.items()):
                for found in self.translated(sink, params, inner, again):
                    yield found, (name, entity[1], *witness)[:MAX_CHAIN]

    def own_calls(self, index: int) -> frozenset[tuple[str, str]]:
        """The methods that a call runs on the function's own receiver."""
        call = self.function.calls[index]
        own = {
            str(ref[2]) for ref in call.callee.refs if ref[0] == "attr" and ref[1] in {("self",), ("super", self.function.owner)}
        }
        found: set[tuple[str, str]] = set()
        for name in own if self.function.owner else ():
            member = self.program.member(self.function.owner or "", name)
            found.add((member[1] if member else "", name))
        for kind, name in self.reached(index):
            if kind in {"method", "func"} and (own or self.gives_self(call)):
                found |= self.owner.summary(name).own_calls
        return frozenset(found)

    @staticmethod
    def gives_self(call: Call) -> bool:
        """Whether the first argument is the function's own receiver (``Base.__init__(self, …)``)."""
        return bool(call.args) and ("self",) in call.args[0].refs

    def stores(self, index: int) -> Iterator[tuple[str, frozenset[str]]]:
        """What a method called on the same object stores there."""
        call = self.function.calls[index]
        if not self.function.owner:
            return
        for entity in self.reached(index):
            if entity[0] not in {"func", "method"}:
                continue
            _, summary, bound = self.bound(entity, call)
            value = bound.get("self")
            if not summary.writes or value is None or not any(ref == ("self",) or ref[0] == "super" for ref in value.refs):
                continue
            for attr, origins in summary.writes.items():
                found = frozenset().union(*(self.substituted(origin, bound) for origin in origins))
                if found:
                    yield attr, found
