"""Propagation: what each function does with its inputs, to a fixpoint over the call graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from tools.effects.binding import HANDED_OUT, MAX_CHAIN, NO_SUMMARY, PATCH, Summary, choices
from tools.effects.frame import Frame
from tools.effects.ir import Function, Guard, Origin, Parameter
from tools.effects.resolve import Program
from tools.effects.seeds import Sink

NO_INPUTS: frozenset[str] = frozenset()


class Propagation:
    """Computes the summaries of a program, package by package."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.summaries: dict[str, Summary] = {}
        self.users: dict[str, set[str]] = {}
        self.current = ""

    def run(self, names: list[str]) -> None:
        """Evaluate functions until no summary changes."""
        queue = deque(names)
        waiting = set(names)
        rounds = 0
        while queue and rounds < 60 * len(names) + 1000:
            rounds += 1
            name = queue.popleft()
            waiting.discard(name)
            if self.evaluate(self.program.functions[name]):
                for user in sorted(self.users.get(name, ())):
                    if user not in waiting:
                        waiting.add(user)
                        queue.append(user)

    def summary(self, name: str) -> Summary:
        """A function's summary so far; asking makes the current function depend on it."""
        self.users.setdefault(name, set()).add(self.current)
        return self.summaries.get(name, NO_SUMMARY)

    def evaluate(self, function: Function) -> bool:
        """Update one summary; returns whether it changed."""
        if self.program.seeds.stops(function.name, self.program.owner_module.get(function.name, "")):
            return False
        self.current = function.name
        summary = self.summaries.setdefault(function.name, Summary())
        frame = Frame(self, function)
        changed = False
        for index, call in enumerate(function.calls):
            for sink, witness in frame.effects(index, call):
                if witness[-1:] not in HANDED_OUT or index in function.returns.origins:
                    changed |= summary.add(sink, witness)
            for attr, origins in frame.stores(index):
                changed |= self.widen(summary, attr, origins)
            own = summary.own_calls | frame.own_calls(index)
            if own != summary.own_calls:
                summary.own_calls, changed = own, True
        for attr, value in function.writes.items():
            changed |= self.widen(summary, attr, frame.expand(value.origins))
        returns = summary.returns | frame.expand(function.returns.origins)
        returns = returns.union(*(summary.writes.get(origin.removeprefix("self."), NO_INPUTS) for origin in returns))
        if returns != summary.returns:
            summary.returns, changed = returns, True
        return changed

    @staticmethod
    def widen(summary: Summary, attr: str, origins: frozenset[str]) -> bool:
        """Add inputs to what a method stores under an attribute."""
        known = summary.writes.get(attr, frozenset())
        if origins <= known:
            return False
        summary.writes[attr] = known | origins
        return True

    # -- constructors ------------------------------------------------------------------------------------------------

    def constructor(self, cls: str) -> tuple[tuple[Parameter, ...], Summary]:
        """The parameters and the summary of calling a class."""
        result = Summary()
        params: tuple[Parameter, ...] = ()
        if cls in self.program.seeds.symbols:
            return self.primitive(cls)
        for name in ("__init__", "__new__"):
            found = self.program.member(cls, name)
            if found is None or found[0] != "func":
                continue
            function = self.program.functions[f"{found[1]}.{name}"]
            own = function.params[1:] if function.takes_self else function.params
            params = params or own
            self.constructed(cls, own, self.summary(function.name), result)
        fields = next(
            (
                self.program.classes[base].fields
                for base in self.program.mro(cls)
                if base in self.program.classes and self.program.classes[base].fields
            ),
            None,
        )
        if fields and not params:
            params = tuple(fields)
            self.after_fields(cls, params, result)
        if not params:
            seeded = next((base for base in self.program.mro(cls) if base in self.program.seeds.symbols), None)
            if seeded:
                seed = self.program.seeds.symbols[seeded]
                for sink in seed.sinks if not seed.local else ():
                    result.add(sink, (seeded,))
                params = seed.params
        result.returns = frozenset(parameter.name for parameter in params)
        return params, result

    def primitive(self, cls: str) -> tuple[tuple[Parameter, ...], Summary]:
        """A class that the seeds describe."""
        seed = self.program.seeds.symbols[cls]
        result = Summary(dict.fromkeys(() if seed.local else seed.sinks, ()))
        result.returns = frozenset(parameter.name for parameter in seed.params)
        return seed.params, result

    def after_fields(self, cls: str, params: tuple[Parameter, ...], result: Summary) -> None:
        """A data class hands its fields to ``__post_init__``."""
        found = self.program.member(cls, "__post_init__")
        if found is None or found[0] != "func":
            return
        inner = self.summary(f"{found[1]}.__post_init__")
        stored = {parameter.name: frozenset({parameter.name}) for parameter in params}
        for sink, witness in inner.sinks.items():
            for replaced in self.replaced(sink, {}, stored):
                result.add(replaced, witness)

    def constructed(self, cls: str, own: tuple[Parameter, ...], inner: Summary, result: Summary) -> None:
        """Rewrite sinks on attributes of ``self`` to the constructor arguments stored there."""
        names = {parameter.name for parameter in own}
        stored = {attr: frozenset(o for o in origins if o.partition(".")[0] in names) for attr, origins in inner.writes.items()}
        plain = {name: frozenset({name}) for name in names}
        for sink, witness in inner.sinks.items():
            for replaced in self.replaced(sink, plain, stored):
                result.add(replaced, witness)
        for resolved, name in sorted(inner.own_calls):
            self.overridden(cls, resolved, name, stored, result)

    def overridden(self, cls: str, resolved: str, name: str, stored: dict[str, frozenset[str]], result: Summary) -> None:
        """A constructor calls a method that the subclass replaced: its effects on stored attributes count."""
        found = self.program.member(cls, name)
        if found is None or found[0] != "func" or found[1] == resolved:
            return
        method = f"{found[1]}.{name}"
        for sink, witness in self.summary(method).sinks.items():
            if all(str(need).startswith("self.") for need in sink.needs):
                for replaced in self.replaced(sink, {}, stored):
                    result.add(replaced, (method, *witness)[:MAX_CHAIN])

    def replaced(self, sink: Sink, plain: dict[str, frozenset[str]], stored: dict[str, frozenset[str]]) -> Iterator[Sink]:
        """A sink with every need expressed by constructor arguments, one for each choice.

        A constructor that sets attributes of the object it makes patches nothing that others use.
        """
        if sink.effect == PATCH and "self" in sink.needs:
            return

        def of(origin: Origin) -> frozenset[str]:
            text = str(origin)
            if text.partition(".")[0] in plain:
                return frozenset({text})
            if text.startswith("self."):
                return stored.get(text[5:], frozenset())
            return frozenset().union(*stored.values()) if text == "self" and stored else frozenset()

        guards = tuple(Guard(next(iter(of(guard.origin))), guard.kind) for guard in sink.guards if len(of(guard.origin)) == 1)
        yield from choices(sink, [of(need) for need in sink.needs], guards)
