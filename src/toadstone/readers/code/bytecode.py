"""Code objects read as a whole: every one in a stream walked, its imports and calls reported."""

# ruff: noqa: ANN401  (values of any type are worked out)
from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from toadstone.core.fact import Anomaly, Call, Fact, Import, Moment, Text
from toadstone.core.place import Place
from toadstone.core.record import dataclass
from toadstone.core.value import Items, Opaque, Symbol, Value
from toadstone.forensics.effort import NotWorkedOut
from toadstone.forensics.values import Attributes, Hosted, Partial
from toadstone.readers.code import building as _building
from toadstone.readers.code import instructions as _instructions
from toadstone.readers.code.disassemble import Table, table
from toadstone.readers.code.machine import Args, Kwargs, Machine
from toadstone.readers.code.marshal_reader import CodeObject
from toadstone.readers.code.names import BUILTINS, LOADED, MODULES, RISKY
from toadstone.readers.code.pictures import picture
from toadstone.readers.code.scopes import BODY, MODULE, Record, Unit, reach
from toadstone.readers.code.stack import CodeFunction, Walk
from toadstone.readers.code.straight import Straight
from toadstone.readers.code.values import UNKNOWN, Bound, Instance, Known, Local, Worked, free_name, global_name, noted

if TYPE_CHECKING:
    from toadstone.readers.code.reading import Reading

del _building, _instructions  # importing them fills the table of handlers

_INLINED = 3
_STRAIGHT = 12
_CONSTANTS = 4000
_STEPS = 400_000
_EXECUTED = 16
_TEXTS = 64
_LONG = 32


@dataclass(eq=False)
class CodeClass:
    """A class that the bytecode defines."""

    attributes: dict[str, Value]
    bases: Args

    def find(self, name: str, depth: int = 0) -> Value:
        """Look an attribute up, through the bases that are defined here."""
        if name in self.attributes:
            return self.attributes[name]
        for base in self.bases if depth < 8 else ():
            if isinstance(base, Local) and isinstance(base.definition, CodeClass):
                found = base.definition.find(name, depth + 1)
                if found is not UNKNOWN:
                    return found
        return UNKNOWN


@dataclass(eq=False)
class CodeMethod:
    """A function bound to an object."""

    function: CodeFunction
    owner: Instance


class BytecodeReading(Machine):
    """Reads the code objects of one stream.

    Args:
        top: The outermost code object.
        version: As which it is read, for instance ``3.11``.
        place: Of the stream.
        moment: When the outermost code runs.
        module: Whether that is a module, whose functions run later unless it calls them; otherwise everything runs with it.
        prefix: Put before every fact's ``how``.
    """

    def __init__(self, top: CodeObject, version: str, place: Place, moment: Moment, module: bool, prefix: str = "") -> None:
        super().__init__()
        self.top = top
        self.opcodes: Table = table(version)
        self.place = place
        self.moment = moment
        self.module = module
        self.prefix = prefix
        self.language = "python" if module else "bytecode"  # a compiled module is judged as its source would be
        self.names: dict[str, Value] = {}
        self.outside = global_name if module else free_name
        self.top_unit = Unit(MODULE)
        self.unit = self.top_unit
        self.units: dict[int, Unit] = {id(top): self.top_unit}
        self.offsets: dict[int, int] = {}
        self.walked: set[int] = set()
        self._looked: set[int] = set()
        self.code = top
        self.inlined = 0
        self.steps = 0
        self.odd: list[CodeObject] = []
        self.texts: list[Reading] = []
        self.strings.hosted = self._hosted

    # hooks

    def _hosted(self, local: Local | Instance) -> Any:
        """Give what stands for a function or an object of the code itself where values are worked out."""
        definition = local.definition
        if isinstance(definition, CodeFunction):
            return Hosted(lambda args, kwargs: self._called(definition, args, kwargs))
        if isinstance(definition, CodeMethod):
            return Partial(self._hosted(Local(local.what, definition.function)), (self._hosted(definition.owner),), {})
        if isinstance(definition, CodeClass):
            return Attributes(lambda name: self.strings.concrete(self.member(local, name)))
        raise NotWorkedOut(local.what)

    def _called(self, function: CodeFunction, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = dict(zip(function.code.locals, map(picture, args), strict=False))
        given |= {name: picture(value) for name, value in kwargs.items()}
        walk = self._straight(function, self.names, given)
        if walk is None or not walk.completed:
            raise NotWorkedOut(function.code.name)
        return self.strings.concrete(walk.value)

    def _straight(self, function: CodeFunction, names: dict[str, Value], given: dict[str, Value]) -> Straight | None:
        """Follow a call along the one way that it takes; None when it is too deep or costs too much."""
        if self.inlined >= _STRAIGHT or self.steps > _STEPS or self.strings.effort.steps < 0:
            return None
        before, self.code = self.code, function.code
        self.inlined += 1
        walk = Straight(self, function, names, self.opcodes, given)
        walk.run()
        self.inlined -= 1
        self.steps += walk.steps
        self.code = before
        return walk

    def notice(self, value: Value) -> None:
        self.revealing.notice(value, self.code.offset, self.unit)

    def on_import(self, symbol: Symbol, how: str) -> None:
        self._record(symbol, None, (), how)

    def on_call(self, callee: Value, args: Args, kwargs: Kwargs, how: str) -> Value:
        if callee == Symbol("builtins", "__build_class__"):
            if args and isinstance(args[0], Local):
                return self._class_body(args[0], args[2:])
            return UNKNOWN
        self._record(callee, args, kwargs, how)
        if isinstance(callee, Symbol) and callee.module == "builtins" and callee.name in ("exec", "eval") and args:
            return self._execute(args[0])
        return UNKNOWN

    def _execute(self, given: Value) -> Value:
        """Read text that the code runs as code."""
        from toadstone.readers.code.reading import Context, Reading  # noqa: PLC0415

        if len(self.texts) >= _EXECUTED:
            return UNKNOWN
        reading = Reading(Context(self.place.at(self.code.offset), self.language, self.moment, self.prefix))
        reading.scope.names.update({name: value for name, value in self.names.items() if isinstance(value, Symbol)})
        value = reading.execute(given)
        self.texts.append(reading)
        return value

    def _record(self, callee: Value, args: Args | None, kwargs: Kwargs, how: str) -> None:
        if len(self.unit.records) < 20_000:
            self.unit.records.append(Record(self.code.offset, self.code.firstlineno, callee, args, kwargs, how, self.inlined))

    def lookup(self, name: str) -> Value:
        found = self.names.get(name)
        guess = found if found is not None else self.outside(name)
        return guess if guess is not UNKNOWN else self.from_stars(name)

    def on_local(self, local: Local, args: Args, kwargs: Kwargs) -> Value:
        definition = local.definition
        if isinstance(definition, CodeClass):
            return self._instantiate(local, definition, args, kwargs)
        function = definition
        if isinstance(definition, CodeMethod):
            function, args = definition.function, (definition.owner, *args)
        if not isinstance(function, CodeFunction):
            return UNKNOWN
        self.unit.callees.add(self._unit_of(function.code))
        if self.inlined < _INLINED and self.steps < _STEPS and (any(map(noted, args)) or len(function.code.code) < 400):
            given = {**function.defaults, **dict(zip(function.code.locals, args, strict=False)), **dict(kwargs)}
            walk = self._straight(function, self.names, dict(given))
            if walk is not None and walk.completed:
                return self._told(walk, local, args)
            self.inlined += 1
            self._walk(function, self.names, given)
            self.inlined -= 1
        return function.result

    def _told(self, walk: Straight, local: Local, args: Args) -> Value:
        """Give what a call gave; text that its loops took the stages off says so."""
        if isinstance(walk.value, (str, bytes, Known)) and walk.steps_taken:
            held = walk.value.value if isinstance(walk.value, Known) else walk.value
            return picture(held, Opaque(local.what), args, tuple(reversed(walk.steps_taken)))
        if isinstance(walk.value, Items) and walk.steps_taken and not walk.value.more:
            return Worked(walk.value.kind, walk.value.items, tuple(reversed(walk.steps_taken)))
        return walk.value

    def _instantiate(self, local: Local, definition: CodeClass, args: Args, kwargs: Kwargs) -> Value:
        made = Instance(local.what, definition)
        for name in ("__new__", "__init__", "__post_init__", "__del__"):
            method = self.member(made, name)
            if isinstance(method, Local):
                self.on_local(method, args if name != "__del__" else (), kwargs)
        return made

    def member(self, owner: Local | Instance, name: str) -> Value:
        definition = owner.definition
        if not isinstance(definition, CodeClass):
            return super().member(owner, name)
        found = definition.find(name)
        if isinstance(found, Local) and isinstance(found.definition, CodeFunction) and isinstance(owner, Instance):
            return Local(found.what, CodeMethod(found.definition, owner))
        return found

    def _unit_of(self, code: CodeObject) -> Unit:
        return self.units.setdefault(id(code), Unit(BODY, code.name, "." in code.qualname.removesuffix(f"<locals>.{code.name}")))

    def _class_body(self, local: Local, bases: Args) -> Value:
        definition = CodeClass({}, bases)
        if isinstance(local.definition, CodeFunction) and self.inlined < 8:
            names = dict(self.names)
            self.inlined += 1
            self.walked.add(id(local.definition.code))
            self._walk(local.definition, names, {})
            self.inlined -= 1
            definition.attributes = {name: value for name, value in names.items() if value is not self.names.get(name)}
        return Local(local.what, definition)

    # reading

    def read(self) -> None:
        """Walk the outermost code object and everything nested in it."""
        self._walk(CodeFunction(self.top, {}), self.names, {})
        self.walked.add(id(self.top))
        waiting = [self.top]
        while waiting:
            code = waiting.pop()
            for inner in code.consts:
                if isinstance(inner, CodeObject):
                    waiting.append(inner)
                    if id(inner) not in self.walked:
                        self.walked.add(id(inner))
                        self.unit = self._unit_of(inner)
                        self._walk(CodeFunction(inner, {}), self.names, {})

    def _walk(self, function: CodeFunction, names: dict[str, Value], given: dict[str, Value]) -> None:
        if not self.inlined:
            self._straight(function, dict(names), dict(given))
        before, self.code = self.code, function.code
        self._constants(function.code)
        walk = Walk(self, function, names, self.opcodes, given)
        walk.run()
        self.steps += walk.steps
        if walk.odd and self.code not in self.odd:
            self.odd.append(self.code)
        self.code = before

    def _constants(self, code: CodeObject) -> None:
        """Remember the constants of a code object: in sight, and perhaps encoded."""
        if id(code) in self._looked:
            return
        self._looked.add(id(code))
        for value in code.consts[:_CONSTANTS]:
            if isinstance(value, (str, bytes)):
                self.revealing.texts.append(value if isinstance(value, str) else value.decode("latin-1"))
                self.revealing.constant(value, code.offset, self.unit)
                if not self.module and isinstance(value, str):
                    self.revealing.compiled_text(value, code.offset, self.unit)
            elif isinstance(value, tuple) and value and all(type(item) is int and 0 <= item < 256 for item in value):
                self.revealing.codes(bytes(value), code.offset, self.unit)

    # facts

    def facts(self) -> Iterator[Fact]:
        """Give what was met, with the moment at which it runs."""
        at_top = reach(self.top_unit)
        seen: set[tuple[object, ...]] = set()
        followed = {
            (record.node, _name(record.callee)) for unit in self.units.values() for record in unit.records if record.inlined
        }
        for unit in self.units.values():
            moment = self.moment if unit in at_top or not self.module else Moment.USE
            for record in unit.records:
                if (
                    not record.inlined
                    and unit is not self.top_unit
                    and moment is not Moment.USE
                    and (record.node, _name(record.callee)) in followed
                ):
                    continue  # the same call is known better from where it is made
                key = (
                    record.node,
                    id(record.callee) if not isinstance(record.callee, Symbol) else record.callee,
                    record.args is None,
                    _key(record.args),
                )
                if key not in seen:
                    seen.add(key)
                    yield self._fact(record, unit, moment)
        yield from self.revealing.facts(
            (record for unit in self.units.values() for record in unit.records),
            self.place.at,
            lambda unit: self.moment if unit in at_top or not self.module else Moment.USE,
            self.language,
        )
        for text in self.texts:
            self.revealing.hidden += text.revealing.hidden
            for fact in text.facts():
                yield dataclasses.replace(fact, place=text.context.place)
        for code in self.odd:
            yield from self._by_names(code)

    def _fact(self, record: Record, unit: Unit, moment: Moment) -> Fact:
        how = self.prefix + (f"method:{unit.name}" if unit.method and unit.name in LOADED else record.how)
        place = self.place.at(record.node)
        if record.args is None:
            return Import(
                place, record.callee if isinstance(record.callee, Symbol) else Symbol("", ""), how, self.language, moment
            )
        return Call(place, record.callee, record.args, record.kwargs, how, self.language, moment)

    def _by_names(self, code: CodeObject) -> Iterator[Fact]:
        """What the names of a code object tell when its instructions do not make sense."""
        place = self.place.at(code.offset)
        yield Anomaly(
            place,
            "parser-confusion",
            f"instructions of the code object {code.name!r} that no compiler writes; judged by its names as well",
        )
        module = ""
        for name in code.names[:2000]:
            if name in MODULES:
                module = name
                yield Import(place, Symbol(name, ""), f"{self.prefix}co_names", self.language, self.moment)
            elif name in BUILTINS and name in RISKY:
                yield Import(place, Symbol("builtins", name), f"{self.prefix}co_names", self.language, self.moment)
            elif module:
                yield Import(place, Symbol(module, name), f"{self.prefix}co_names", self.language, self.moment)


def _name(callee: Value) -> object:
    return callee if isinstance(callee, Symbol) else callee.name if isinstance(callee, Bound) else ""


def _key(args: Args | None) -> tuple[object, ...]:
    return tuple(
        argument
        if isinstance(argument, (str, bytes, int, Symbol))
        else argument.value
        if isinstance(argument, Known)
        else id(argument)
        for argument in args or ()
    )


def constants_of(codes: list[CodeObject], place: Place) -> Iterator[Text]:
    """Give the long text and byte constants of code objects; docstrings are left out."""
    given = 0
    for code in codes:
        for index, value in enumerate(code.consts):
            if given >= _TEXTS:
                return
            text = value[:4096].decode("latin-1") if isinstance(value, bytes) else value
            if not isinstance(text, str) or (len(text) < _LONG and "://" not in text):
                continue
            if index or " " not in text or "\n" not in text:
                given += 1
                yield Text(place.at(code.offset), "constant", text[:4096])
