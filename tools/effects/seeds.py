"""Reads ``seeds.toml``: the primitives with their sensitive parameters."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tools.effects.ir import Guard, Parameter, Value

WRITES, READS = "write-mode", "read-mode"
SEEDS_FILE = Path(__file__).with_name("seeds.toml")


@dataclass(frozen=True, slots=True)
class Sink:
    """One way to reach an effect: all inputs of ``needs`` chosen, under ``guards``; no needs: unconditionally."""

    effect: str
    needs: tuple[str, ...]
    guards: tuple[Guard, ...] = ()
    distance: int = field(default=0, compare=False)
    """How many calls lie between the callable and the primitive."""


@dataclass(slots=True)
class Seed:
    """One primitive."""

    name: str
    params: tuple[Parameter, ...] = ()
    sinks: list[Sink] = field(default_factory=list)
    local: bool = False
    """Whether its effects stay with it, and are not followed to its callers."""


@dataclass(slots=True)
class Seeds:
    """The whole seed file."""

    symbols: dict[str, Seed] = field(default_factory=dict)
    clean: frozenset[str] = frozenset()
    barriers: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()
    modules: dict[str, tuple[str, ...]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    def stops(self, name: str, module: str) -> bool:
        """Whether nothing is to be derived for a function of a module, by a named reason.

        ``m.*`` means the module ``m`` itself, not its submodules, or everything in the class ``m``.
        """
        if name in self.barriers or module in self.patterns:
            return True
        return any(len(prefix) > len(module) and name.startswith(f"{prefix}.") for prefix in self.patterns)


def parse_parameter(text: str, group: str) -> tuple[Parameter, str]:
    """One parameter of a seed with its mark."""
    mark = text[0] if text[0] in "!&~^?" else ""
    name, _, default = text[len(mark) :].partition("=")
    value = Value(consts=frozenset({default})) if default else Value(consts=frozenset({None}))
    if mark == "!" and not name:
        raise ValueError(f"a seed of {group} has a mark without a name")
    return Parameter(name, positional=not name.startswith("**"), default=value), mark


def parse_symbol(text: str, effect: str) -> Seed:
    """One seed, written as a call."""
    name, _, inside = text.rstrip(")").partition("(")
    seed = Seed(name)
    if inside == "*":
        seed.sinks.append(Sink(effect, ()))
        return seed
    marked = [parse_parameter(part.strip(), effect) for part in inside.split(",") if part.strip()]
    star = next((index for index, (parameter, _) in enumerate(marked) if parameter.name.startswith("*")), len(marked))
    seed.params = tuple(
        replace(parameter, positional=parameter.positional and index <= star) for index, (parameter, _) in enumerate(marked)
    )
    kinds = {"~": WRITES, "^": READS, "?": "truthy"}
    guards = tuple(Guard(parameter.name, kinds[mark]) for parameter, mark in marked if mark in kinds)
    seed.sinks += [Sink(effect, (parameter.name,), guards) for parameter, mark in marked if mark == "!"]
    together = tuple(parameter.name for parameter, mark in marked if mark == "&")
    if together:
        seed.sinks.append(Sink(effect, together, guards))
    if not seed.sinks:
        raise ValueError(f"the seed {text!r} has no sensitive parameter")
    return seed


def add(seeds: Seeds, seed: Seed) -> None:
    """Add one seed; a symbol of two groups keeps the longer signature and both effects."""
    known = seeds.symbols.get(seed.name)
    if known is None:
        seeds.symbols[seed.name] = seed
        return
    names = {parameter.name for parameter in known.params}
    if len(seed.params) > len(known.params) or not names >= {p.name for p in seed.params}:
        known.params = seed.params if len(seed.params) >= len(known.params) else known.params
    known.sinks += [sink for sink in seed.sinks if sink not in known.sinks]
    known.local = known.local and seed.local


def load_seeds(path: Path = SEEDS_FILE) -> Seeds:
    """Read the seed file.

    Raises:
        ValueError: A symbol is malformed.
    """
    data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    seeds = Seeds(clean=frozenset(data["clean"]["results"]), aliases=dict(data["aliases"]))
    for group in data["group"]:
        for text in group["symbols"]:
            seed = parse_symbol(text, group["effect"])
            seed.local = bool(group.get("local", False))
            add(seeds, seed)
    for module, twins in data["twins"].items():
        for name, seed in list(seeds.symbols.items()):
            if name.startswith(f"{module}."):
                for twin in twins:
                    other = twin + name[len(module) :]
                    seeds.symbols.setdefault(other, Seed(other, seed.params, seed.sinks, seed.local))
    stops = [name for barrier in data["barrier"] for name in barrier["symbols"]]
    seeds.barriers = frozenset(name for name in stops if "*" not in name)
    seeds.patterns = frozenset(name.removesuffix(".*") for name in stops if name.endswith(".*"))
    for group in data["module"]:
        for name in group["names"]:
            seeds.modules[name] = tuple(dict.fromkeys((*seeds.modules.get(name, ()), *group["effects"])))
    return seeds
