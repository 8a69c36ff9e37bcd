"""The linker: which program entities a reference may stand for.

An entity is a pair ``(kind, name)``: ``func`` and ``method`` (bound to the receiver), ``class``, ``inst`` (an instance of a
class), ``module``, ``seed``, ``super`` (of a class) and ``extern`` (a name outside the walked sources).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tools.effects.ir import Class, Function, Module, Ref, Value
from tools.effects.seeds import Seeds

Entity = tuple[str, str]
MAX_DEPTH = 10
MAX_ENTITIES = 6


def ordered(refs: frozenset[Ref]) -> list[Ref]:
    """References in an order that does not depend on hashes: what is cut off must be the same in every run."""
    return sorted(refs, key=repr) if len(refs) > 1 else list(refs)


class Program:
    """Every module lowered so far, with its names resolved across modules."""

    def __init__(self, seeds: Seeds) -> None:
        self.seeds = seeds
        self.modules: dict[str, Module] = {}
        self.functions: dict[str, Function] = {}
        self.classes: dict[str, Class] = {}
        self.owner_module: dict[str, str] = {}
        self._names: dict[str, tuple[Entity, ...]] = {}
        self._mro: dict[str, tuple[str, ...]] = {}
        self._refs: dict[tuple[str, Ref], tuple[Entity, ...]] = {}
        self._busy: set[object] = set()

    def add(self, module: Module) -> None:
        """Add a lowered module."""
        self.modules[module.name] = module
        for function in module.functions.values():
            self.functions[function.name] = function
            self.owner_module[function.name] = module.name
        for cls in module.classes.values():
            self.classes[cls.name] = cls
            self.owner_module[cls.name] = module.name
            for method in cls.methods.values():
                self.functions[method.name] = method
                self.owner_module[method.name] = module.name
        if module.body:
            self.functions[module.body.name] = module.body
            self.owner_module[module.body.name] = module.name

    def forget_links(self) -> None:
        """Drop memoised answers, after modules were added."""
        self._names.clear()
        self._mro.clear()
        self._refs.clear()

    # -- names -------------------------------------------------------------------------------------------------------

    def lookup(self, dotted: str) -> tuple[Entity, ...]:
        """What an absolute dotted name stands for."""
        known = self._names.get(dotted)
        if known is not None:
            return known
        if dotted in self._busy or len(self._busy) > 60:
            return ()
        self._busy.add(dotted)
        try:
            result = tuple(dict.fromkeys(self._lookup(dotted)))[:MAX_ENTITIES]
        finally:
            self._busy.discard(dotted)
        self._names[dotted] = result
        return result

    def _lookup(self, dotted: str) -> Iterator[Entity]:
        if dotted in self.seeds.symbols and dotted not in self.classes:
            yield "seed", dotted
        elif dotted in self.functions:
            yield from self._functions(dotted)
        elif dotted in self.classes:
            yield "class", dotted
        elif dotted in self.modules and not self._shadowed(dotted):
            yield "module", dotted
        else:
            yield from self._through(dotted)

    def _shadowed(self, dotted: str) -> bool:
        """Whether a package binds a function or class over its submodule of the same name."""
        parent, _, name = dotted.rpartition(".")
        module = self.modules.get(parent)
        if module is None:
            return False
        value = module.names.get(name)
        if value is None:  # from .name import *, with a name of the same name in it
            return dotted in module.stars and name in self.modules[dotted].names
        return bool(value.refs and ("g", dotted) not in value.refs)

    def _functions(self, dotted: str) -> Iterator[Entity]:
        yield "func", dotted
        number = 2
        while f"{dotted}#{number}" in self.functions:
            yield "func", f"{dotted}#{number}"
            number += 1

    def _through(self, dotted: str) -> Iterator[Entity]:
        """Follow a name one step: through its class, or through the module that binds its first part."""
        prefix, _, last = dotted.rpartition(".")
        if not prefix:
            yield "extern", dotted
            return
        module = self.modules.get(prefix)
        if module is not None:
            found = list(self._member(module, last))
            yield from found or [("extern", dotted)]
            return
        owners = self.lookup(prefix)
        found = [entity for owner in owners for entity in self.attribute(owner, last)]
        yield from found or [("extern", dotted)]

    def _member(self, module: Module, name: str) -> Iterator[Entity]:
        value = module.names.get(name)
        if value is not None:
            for ref in ordered(value.refs):
                if ref != ("g", f"{module.name}.{name}"):
                    yield from self.entities(ref, None)
            if value.refs:
                return
        for star in module.stars:
            if star in self.modules and (name in self.modules[star].names or self.modules[star].stars):
                yield from (entity for entity in self.lookup(f"{star}.{name}") if entity[0] != "extern")

    # -- classes -----------------------------------------------------------------------------------------------------

    def mro(self, name: str) -> tuple[str, ...]:
        """The class and its bases, walked or not, depth first."""
        known = self._mro.get(name)
        if known is not None:
            return known
        self._mro[name] = (name,)
        cls = self.classes.get(name)
        order = [name]
        for base in cls.bases if cls else []:
            for kind, target in self.lookup(str(base[1])):
                order += self.mro(target) if kind == "class" else [target]
        result = tuple(dict.fromkeys(order))[:40]
        self._mro[name] = result
        return result

    def member(self, cls: str, name: str, *, after: str | None = None) -> tuple[str, str] | None:
        """Where a class member is found: ``("func" | "seed" | "value", owner class)``."""
        order = self.mro(cls)
        for owner in order[1:] if after else order:
            found = self.classes.get(owner)
            if f"{owner}.{name}" in self.seeds.symbols:
                return "seed", owner
            if found is None:
                continue
            if name in found.methods:
                return "func", owner
            if name in found.attributes or f"{owner}.{name}" in self.classes:
                return "value", owner
        return None

    def attribute(self, entity: Entity, name: str) -> Iterator[Entity]:
        """What ``entity.name`` may be."""
        kind, target = entity
        if kind in {"module", "extern"}:
            yield from self.lookup(f"{target}.{name}")
        elif kind in {"class", "inst", "super"}:
            yield from self._class_attribute(kind, target, name)
        elif kind == "seed" and f"{target}.{name}" in self.seeds.symbols:
            yield "seed", f"{target}.{name}"

    def _class_attribute(self, kind: str, cls: str, name: str) -> Iterator[Entity]:
        found = self.member(cls, name, after=cls if kind == "super" else None)
        if found is None:
            if kind == "inst":
                yield from self._instance_attribute(cls, name)
            return
        how, owner = found
        if how == "seed":
            yield "seed", f"{owner}.{name}"
        elif how == "func":
            yield ("func" if kind == "class" else "method"), f"{owner}.{name}"
        else:
            yield from self._class_value(owner, name)

    def _class_value(self, owner: str, name: str) -> Iterator[Entity]:
        if f"{owner}.{name}" in self.classes:
            yield "class", f"{owner}.{name}"
            return
        module = self.owner_module.get(owner, "")
        for ref in ordered(self.classes[owner].attributes[name].refs):
            if ref[0] == "g" and str(ref[1]).startswith(f"{module}.") and "." not in str(ref[1])[len(module) + 1 :]:
                local = f"{owner}.{str(ref[1])[len(module) + 1 :]}"
                if local in self.functions:
                    yield "func", local
                    continue
            yield from self.entities(ref, None)

    def _instance_attribute(self, cls: str, name: str) -> Iterator[Entity]:
        """What methods of the class store under ``self.name``."""
        for owner in self.mro(cls):
            found = self.classes.get(owner)
            for method in found.methods.values() if found else ():
                value = method.writes.get(name)
                for ref in ordered(value.refs) if value else ():
                    yield from self.entities(ref, method)

    # -- references --------------------------------------------------------------------------------------------------

    def entities(self, ref: Ref, function: Function | None) -> tuple[Entity, ...]:
        """What a reference inside a function may stand for."""
        if ref[0] == "g":
            return self.lookup(str(ref[1]))
        key = (function.name if function else "", ref)
        known = self._refs.get(key)
        if known is not None:
            return known
        if key in self._busy or len(self._busy) > 40:
            return ()
        self._busy.add(key)
        try:
            result = tuple(dict.fromkeys(self._entities(ref, function)))[:MAX_ENTITIES]
        finally:
            self._busy.discard(key)
        self._refs[key] = result
        return result

    def _entities(self, ref: Ref, function: Function | None) -> Iterator[Entity]:
        kind = ref[0]
        if kind == "self" and function and function.owner:
            yield "inst", function.owner
        elif kind == "super":
            yield "super", str(ref[1])
        elif kind == "inst":
            yield from self._instances(self.entities(ref[1], function))  # type: ignore[arg-type]
        elif kind == "attr":
            for entity in self.entities(ref[1], function):  # type: ignore[arg-type]
                yield from self.attribute(entity, str(ref[2]))
        elif kind == "ret" and function and int(ref[1]) < len(function.calls):  # type: ignore[call-overload]
            yield from self._results(function.calls[int(ref[1])].callee, function)  # type: ignore[call-overload]

    def _results(self, callee: Value, function: Function) -> Iterator[Entity]:
        for entity in self.value_entities(callee, function):
            kind, name = entity
            if kind in {"func", "method"}:
                called = self.functions[name]
                for ref in ordered(called.returns.refs):
                    yield from self.entities(ref, called)
            else:
                yield from self._instances([entity])

    @staticmethod
    def _instances(entities: Iterable[Entity]) -> Iterator[Entity]:
        for kind, name in entities:
            if kind == "class":
                yield "inst", name
            elif kind in {"extern", "seed"}:
                yield "extern", name

    def value_entities(self, value: Value, function: Function | None) -> list[Entity]:
        """What any reference of a value may stand for."""
        found: dict[Entity, None] = {}
        for ref in ordered(value.refs):
            for entity in self.entities(ref, function):
                found[entity] = None
        return list(found)[:MAX_ENTITIES]
