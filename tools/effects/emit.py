"""Writes the summaries as text tables that the product searches by bisection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tools.effects.binding import Summary, Witness
from tools.effects.ir import Class, Function, Parameter
from tools.effects.resolve import Entity, Program
from tools.effects.seeds import Seed, Sink
from tools.effects.summaries import Propagation

EFFECTS = (
    "run-command", "run-code", "load-native", "deserialise", "import-name",
    "write-file", "network", "patch", "read-file", "kill-hang", "call",
)  # fmt: skip
"""Strongest first: the witness of a symbol is that of its strongest effect."""

IMPLIED = {
    "toadstone.module-setattr": "module attribute assignment",
    "toadstone.module-getattr": "module attribute by name",
    "toadstone.global-write": "global variable assignment",
    "toadstone.loader-run": "module loader",
}
"""Readable names of what only syntax implies."""

WEAK = {"patch", "import-name", "read-file", "kill-hang", "call"}

MINOR = {"call", "patch", "kill-hang"}
"""Effects for which no alias and no base class is kept: too common, too little."""

INSTANCE = "~"
"""Marks an alias of an instance: its attributes are those of the class, but it is not the class."""

MAX_PARAMETERS = 8
MAX_WITNESS = 4


@dataclass(slots=True)
class Entry:
    """One symbol's line."""

    effects: dict[str, dict[str, None]] = field(default_factory=dict)
    witness: dict[str, Witness] = field(default_factory=dict)

    def merge(self, other: Entry) -> None:
        """Add what another version of the sources says."""
        for effect, parameters in other.effects.items():
            self.effects.setdefault(effect, {}).update(parameters)
            self.witness[effect] = other.witness[effect]

    def keep_telling(self) -> None:
        """Drop weak effects that hang on the state of the receiver alone: they are true of most objects."""
        for effect in WEAK & set(self.effects):
            if all(text.startswith("0:self") for text in self.effects[effect]):
                del self.effects[effect]

    def line(self, module: str, qualname: str) -> str:
        """The tab-separated text."""
        order = sorted(self.effects, key=EFFECTS.index)
        parameters = ";".join(",".join(self.shortened(effect)) for effect in order)
        witness = self.witness[order[0]]
        chain = witness if len(witness) <= MAX_WITNESS else (*witness[: MAX_WITNESS - 2], "…", witness[-1])
        return "\t".join((module, qualname, ",".join(order), parameters, " -> ".join(IMPLIED.get(name, name) for name in chain)))

    def shortened(self, effect: str) -> list[str]:
        """The parameters of one effect; an unconditional one needs none."""
        parameters = self.effects[effect]
        return ["*"] if "*" in parameters else sorted(parameters)[:MAX_PARAMETERS]


def described(origin: str, params: tuple[Parameter, ...]) -> str:
    """One input as ``position:name``; a position alone for elements of ``*args``, a name alone for keywords."""
    base, dot, attr = origin.partition(".")
    index = next((i for i, parameter in enumerate(params) if parameter.name == base), None)
    if base.startswith("**"):
        return f":{attr}" if dot else f":{base}"
    if base.startswith("*"):
        start = index or 0
        return f"{start + int(attr)}:" if dot and attr.isdigit() else f"{start}+:{base}"
    if index is None:
        return f":{origin}"
    return f"{index}:{origin}" if params[index].positional else f":{origin}"


def telling(sinks: Iterable[tuple[Sink, Witness]], *, function: bool) -> Iterator[tuple[Sink, Witness]]:
    """The sinks of a package's symbol; a call of an argument only where a plain function does just that.

    To have an argument called, a file must name the callable, and that is judged by itself.
    """
    return (found for found in sinks if found[0].effect != "call" or (function and found[0].distance == 0))


def entry(sinks: Iterable[tuple[Sink, Witness]], params: tuple[Parameter, ...]) -> Entry:
    """The line of one symbol."""
    result = Entry()
    for sink, witness in sinks:
        text = "&".join(described(need, params) for need in sink.needs) or "*"
        result.effects.setdefault(sink.effect, {})[text] = None
        known = result.witness.get(sink.effect)
        if known is None or len(witness) < len(known):
            result.witness[sink.effect] = witness
    return result


class Tables:
    """Everything that is written: effects, aliases and modules."""

    def __init__(self, judged: Iterable[str] = ()) -> None:
        self.judged = frozenset(judged)
        self.effects: dict[tuple[str, str], Entry] = {}
        self.aliases: dict[tuple[str, str], set[str]] = {}
        self.modules: set[str] = set()
        self.reachable: set[tuple[str, str]] = set()
        self.packages = False
        """Whether what is added belongs to a package, not to the standard library."""

    def add_entry(self, module: str, qualname: str, new: Entry) -> None:
        """Add or merge one symbol; for packages, only what matters beyond the callables that it is handed."""
        if self.packages:
            new.keep_telling()
        if new.effects:
            self.effects.setdefault((module, qualname), Entry()).merge(new)

    def add_seeds(self, symbols: Iterable[Seed], split: dict[str, str]) -> None:
        """The primitives themselves; ``split`` gives the module of each."""
        for seed in symbols:
            module = split[seed.name]
            qualname = seed.name[len(module) + 1 :]
            if not module.startswith("toadstone"):
                self.add_entry(module, qualname, entry(((sink, (seed.name,)) for sink in seed.sinks), seed.params))
                self.modules.add(module)

    def add_program(self, program: Program, propagation: Propagation, names: Iterable[str]) -> None:
        """The summaries of some modules."""
        for name in names:
            module = program.modules[name]
            self.modules.add(name)
            for function in module.functions.values():
                self.add_function(propagation, name, function)
            for cls in module.classes.values():
                if not program.seeds.stops(cls.name, name):
                    params, summary = propagation.constructor(cls.name)
                    self.add_entry(name, cls.name[len(name) + 1 :], entry(self.chosen(summary, function=False), params))
                for method in cls.methods.values():
                    self.add_function(propagation, name, method)
                self.add_attributes(program, propagation, name, cls)

    def add_attributes(self, program: Program, propagation: Propagation, module: str, cls: Class) -> None:
        """Class attributes that are functions under another name (``loads = pickle.loads``)."""
        for attribute, value in cls.attributes.items():
            qualname = f"{cls.name[len(module) + 1 :]}.{attribute}"
            for kind, target in program.value_entities(value, None):
                if kind == "seed":
                    seed = program.seeds.symbols[target]
                    self.add_entry(module, qualname, entry(((sink, (target,)) for sink in seed.sinks), seed.params))
                elif kind == "func" and (summary := propagation.summaries.get(target)):
                    found = entry(self.chosen(summary, function=False), program.functions[target].params)
                    self.add_entry(module, qualname, found)

    def chosen(self, summary: Summary, *, function: bool) -> Iterable[tuple[Sink, Witness]]:
        """The sinks that are written."""
        return telling(summary.sinks.items(), function=function) if self.packages else summary.sinks.items()

    def add_function(self, propagation: Propagation, module: str, function: Function) -> None:
        """One function, under its name without the number of its variant."""
        summary = propagation.summaries.get(function.name)
        if summary:
            qualname = function.name[len(module) + 1 :].partition("#")[0]
            sinks = self.chosen(summary, function=function.owner is None)
            self.add_entry(module, qualname, entry(sinks, function.params))

    @cached_property
    def telling(self) -> set[tuple[str, str]]:
        """Symbols with an effect besides calling an argument."""
        return {symbol for symbol, found in self.effects.items() if set(found.effects) - {"call"}}

    @cached_property
    def faces(self) -> set[str]:
        """Packages: modules that have modules of their own."""
        return {name.rpartition(".")[0] for name in self.modules if "." in name}

    @cached_property
    def leading(self) -> set[str]:
        """Modules with effects of their own or of a submodule."""
        found = {module for module, _ in self.effects} | set(self.judged)
        return found | {module.partition(".")[0] for module in found}

    def settle(self) -> None:
        """Find every name from which a symbol with an effect can be reached, through classes and aliases."""
        known = self.reachable
        for module, qualname in [symbol for symbol, found in self.effects.items() if set(found.effects) - MINOR]:
            parts = qualname.split(".")
            known.update((module, ".".join(parts[:count])) for count in range(1, len(parts) + 1))
        users: dict[tuple[str, str], set[tuple[str, str]]] = {}
        for (module, name), targets in self.aliases.items():
            for target in targets:
                there, _, qualname = target.lstrip(INSTANCE).partition(":")
                users.setdefault((there, qualname), set()).add((module, name.lstrip("<")))
        queue = list(known)
        while queue:
            for user in users.get(queue.pop(), ()):
                if user not in known:
                    known.add(user)
                    queue.append(user)

    def unfold(self) -> None:
        """Give a top-level package the names that its star imports bring: they are the names that people use."""
        exposed: dict[str, set[str]] = {}
        own = {(module, qualname.partition(".")[0]) for module, qualname in self.effects}
        own |= {(module, name[1:]) for module, name in self.aliases if name.startswith("<")}
        for module, qualname in self.reachable & own:
            if "." not in qualname and not qualname.startswith("_"):
                exposed.setdefault(module, set()).add(qualname)
        for top in [module for module, name in self.aliases if name == "*" and "." not in module]:
            seen, queue = {top}, [top]
            while queue:
                for target in sorted(self.aliases.get((queue.pop(), "*"), ())):
                    star = target.partition(":")[0]
                    if star not in seen:
                        seen.add(star)
                        queue.append(star)
            for star in sorted(seen - {top}):
                for name in exposed.get(star, ()):
                    self.aliases.setdefault((top, name), {f"{star}:{name}"})

    def add_links(self, program: Program, names: Iterable[str]) -> None:
        """What a module's names stand for elsewhere, and the bases of its classes."""
        for name in names:
            module = program.modules[name]
            for alias in module.names:
                self.link(name, alias, program, program.lookup(f"{name}.{alias}"))
            for star in module.stars:
                self.aliases.setdefault((name, "*"), set()).add(f"{star}:")
            for cls in module.classes.values():
                bases = [entity for base in cls.bases for entity in program.lookup(str(base[1]))]
                self.link(name, f"<{cls.name[len(name) + 1 :]}", program, bases)

    def link(self, module: str, name: str, program: Program, entities: Iterable[Entity]) -> None:
        """Remember what one name of a module stands for."""
        for entity in entities:
            there = split_name(program, entity)
            if there is not None and there != (module, name):
                mark = INSTANCE if entity[0] == "inst" else ""
                self.aliases.setdefault((module, name), set()).add(f"{mark}{there[0]}:{there[1]}")


def split_name(program: Program, entity: tuple[str, str]) -> tuple[str, str] | None:
    """An entity as module and qualified name."""
    kind, name = entity
    name = name.partition("#")[0]
    if kind == "module" or name in program.modules:
        return name, ""
    owner = program.owner_module.get(entity[1])
    if owner:
        return owner, name[len(owner) + 1 :]
    if kind in {"seed", "extern"}:
        known = name
        while known and known not in program.modules:
            known = known.rpartition(".")[0]
        module = known or (name if "." not in name else name.rpartition(".")[0])
        return module, name[len(module) + 1 :]
    return None


def effect_lines(tables: Tables, shard: dict[str, str], which: str) -> Iterator[str]:
    """The sorted lines of one shard's effects."""
    for (module, qualname), found in sorted(tables.effects.items(), key=lambda item: "\t".join(item[0]).encode()):
        if shard.get(module.partition(".")[0], "stdlib") == which:
            yield found.line(module, qualname)


def alias_lines(tables: Tables, shard: dict[str, str], which: str) -> Iterator[str]:
    """The sorted lines of one shard's names: one line a module, then one for each class with known bases."""
    grouped: dict[str, list[str]] = {module: [] for module in tables.modules}
    rows: list[tuple[str, str, str]] = []
    for (module, name), targets in tables.aliases.items():
        keep = inherits if name.startswith("<") else matters
        useful = sorted(shortened(module, target) for target in targets if name == "*" or keep(tables, module, target))
        if not useful:
            continue
        if name.startswith("<"):
            rows.append((module, name[1:], " ".join(useful)))
        else:
            text = f"{name}={'|'.join(useful)}"
            grouped.setdefault(module, []).append(name if text == f"{name}={name}:" else text)
    rows += [(module, ".", " ".join(sorted(names))) for module, names in grouped.items()]
    for module, name, text in sorted(rows, key=lambda row: f"{row[0]}\t{row[1]}\t".encode()):
        if shard.get(module.partition(".")[0], "stdlib") == which:
            yield f"{module}\t{name}\t{text}"


def shortened(module: str, target: str) -> str:
    """A target in the same module goes without the module's name."""
    mark, there = (INSTANCE, target[1:]) if target.startswith(INSTANCE) else ("", target)
    return mark + there.removeprefix(module) if there.startswith(f"{module}:") else target


def inherits(tables: Tables, _user: str, target: str) -> bool:
    """Whether a base class has, or leads to, a member with more than a minor effect."""
    module, _, qualname = target.partition(":")
    return (module, qualname) in tables.reachable


def matters(tables: Tables, user: str, target: str) -> bool:
    """Whether an alias is worth a place: following it reaches a symbol with more than a minor effect.

    Inside a package, only its public faces (``__init__`` modules) repeat whole classes; elsewhere an alias of a
    neighbour counts when the neighbour itself has the effect, and modules of the same package have names of their own.
    """
    module, _, qualname = target.lstrip(INSTANCE).partition(":")
    near = module.partition(".")[0] == user.partition(".")[0]
    if not qualname:
        return not near and any(parent in tables.leading for parent in (module, module.partition(".")[0]))
    if near and user not in tables.faces:
        return (module, qualname) in tables.telling
    return (module, qualname) in tables.reachable


def write(path: Path, lines: Iterable[str]) -> int:
    """Write lines; returns how many bytes."""
    text = "".join(f"{line}\n" for line in lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return len(text.encode())
