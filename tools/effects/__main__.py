"""Command line: ``python -m tools.effects --stdlib DIR … --site-packages DIR --output DIR``."""

from __future__ import annotations

import argparse
import gc
import sys
import sysconfig
import time
from collections.abc import Iterable
from pathlib import Path

from tools.effects.emit import Tables, alias_lines, effect_lines, write
from tools.effects.ir import Module
from tools.effects.resolve import Program
from tools.effects.seeds import Seeds, load_seeds
from tools.effects.settle import functions_of, settle
from tools.effects.sources import lower_tree, walked_packages
from tools.effects.summaries import Propagation

FIRST = (
    "yaml",
    "numpy",
    "joblib",
    "scipy",
    "pandas",
    "sklearn",
    "requests",
    "urllib3",
    "fsspec",
    "huggingface_hub",
    "safetensors",
    "torch",
)
"""Packages that others build on come first: what comes later sees their summaries."""


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.effects", description=__doc__)
    parser.add_argument(
        "--stdlib", action="append", type=Path, help="a standard library folder; the last one is what packages are linked to"
    )
    parser.add_argument("--site-packages", type=Path, help="a folder of installed or unpacked packages")
    parser.add_argument("--only", action="append", default=[], help="only these top-level names of the folder")
    parser.add_argument("--output", type=Path, default=Path("src/toadstone/symbols/data"))
    return parser.parse_args(argv)


def seed_split(seeds: Seeds, program: Program) -> dict[str, str]:
    """The module of each seed: the longest walked module, else all but a class and a name."""
    split = {}
    for name in seeds.symbols:
        module = name.rpartition(".")[0]
        while module and module not in program.modules and module not in seeds.modules:
            module = module.rpartition(".")[0]
        parts = name.split(".")
        while not module or (len(parts) > 2 and parts[-2][:1].isupper() and module == ".".join(parts[:-1])):
            module = ".".join(parts[:-2]) if len(parts) > 2 and parts[-2][:1].isupper() else ".".join(parts[:-1])
            break
        split[name] = module
    return split


def analyse(program: Program, propagation: Propagation, tables: Tables, modules: list[Module], label: str) -> None:
    """Add modules, propagate through them, keep their tables, and drop what only propagation needed."""
    started = time.monotonic()
    for module in modules:
        program.add(module)
    program.forget_links()
    names = [module.name for module in modules]
    propagation.run([function.name for module in modules for function in functions_of(module)])
    tables.add_program(program, propagation, names)
    tables.add_links(program, names)
    settle(program, modules)
    gc.freeze()  # what stays is never garbage: do not walk it again
    print(f"{label}: {len(modules)} modules, {time.monotonic() - started:.0f} s", file=sys.stderr)


def walk_stdlib(roots: Iterable[Path], seeds: Seeds, tables: Tables, failures: list[str]) -> tuple[Program, Propagation]:
    """Analyse each version apart; the last one stays for the packages."""
    program = Program(seeds)
    propagation = Propagation(program)
    for root in roots:
        program = Program(seeds)
        propagation = Propagation(program)
        analyse(program, propagation, tables, lower_tree(root, stdlib=True, failures=failures), str(root))
    return program, propagation


def run(argv: list[str] | None = None) -> int:
    """Derive and write every table; returns the exit code."""
    arguments = parse_arguments(argv)
    seeds = load_seeds()
    tables = Tables(seeds.modules)
    failures: list[str] = []
    roots = arguments.stdlib or [Path(sysconfig.get_paths()["stdlib"])]
    walked = [("stdlib", "CPython", root.name.removeprefix("python")) for root in roots]
    program, propagation = walk_stdlib(roots, seeds, tables, failures)
    if arguments.site_packages:
        tables.packages = True
        inner = [module for module in seeds.modules if "." in module]
        packages = walked_packages(arguments.site_packages, seeds.modules)
        order = [name for name in FIRST if name in packages] + sorted(set(packages) - set(FIRST))
        for name in order:
            if arguments.only and name not in arguments.only:
                continue
            modules = lower_tree(arguments.site_packages, stdlib=False, failures=failures, only=frozenset({name}), judged=inner)
            if modules:
                walked.append((name, *packages[name]))
                analyse(program, propagation, tables, modules, name)
    tables.packages = False
    tables.modules |= set(seeds.modules)
    tables.add_seeds(seeds.symbols.values(), seed_split(seeds, program))
    write_tables(arguments.output, tables, seeds, walked)
    for failure in failures:
        print(f"not walked: {failure}", file=sys.stderr)
    return 0


def write_tables(output: Path, tables: Tables, seeds: Seeds, walked: list[tuple[str, str, str]]) -> None:
    """Write the shards, the list of what was walked, and the modules judged whole."""
    for name, target in seeds.aliases.items():
        tables.aliases.setdefault((name.rpartition(".")[0], name.rpartition(".")[2]), set()).add(f"{target}:")
    tables.settle()
    tables.unfold()
    names = {name for name, _, _ in walked}
    shard = {name: name for name in names if name != "stdlib"}
    size = 0
    for name in sorted(names):
        size += write(output / "effects" / f"{name}.tsv", effect_lines(tables, shard, name))
        size += write(output / "aliases" / f"{name}.tsv", alias_lines(tables, shard, name))
    size += write(output / "walked.tsv", ("\t".join(row) for row in sorted(walked)))
    size += write(output / "modules.tsv", (f"{name}\t{','.join(effects)}" for name, effects in sorted(seeds.modules.items())))
    print(f"{len(tables.effects)} symbols, {len(tables.modules)} modules, {size} bytes", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(run())
