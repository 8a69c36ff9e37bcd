"""The shipped tables, read on demand and searched by bisection: no line is decoded but the one that is asked for."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache, lru_cache

STANDARD = "stdlib"
DATA = os.path.join(os.path.dirname(__file__), "data")


@cache
def read(kind: str, shard: str) -> bytes:
    """One table as bytes.

    Raises:
        OSError: The installation is incomplete; an empty table would look like a package without effects.
    """
    with open(os.path.join(DATA, kind, f"{shard}.tsv"), "rb") as stream:
        return stream.read()


@cache
def rows(kind: str, shard: str) -> list[bytes]:
    """The lines of a table, in order."""
    return read(kind, shard).split(b"\n")[:-1]


@cache
def shards() -> frozenset[str]:
    """The top-level packages that have tables of their own."""
    return frozenset(line.split("\t", 1)[0] for line in read("", "walked").decode().splitlines())


@cache
def judged_modules() -> dict[str, str]:
    """Modules judged whole: name to effects, as text."""
    rows = (line.split("\t") for line in read("", "modules").decode().splitlines())
    return {row[0]: row[1] for row in rows}


def shard_of(module: str) -> str:
    """The table that a module belongs to."""
    top = module.partition(".")[0]
    return top if top in shards() and top != STANDARD else STANDARD


@lru_cache(maxsize=4096)
def has_table(module: str) -> bool:
    """Whether any table has lines of the module's top-level package; of most unknown modules none has."""
    top = module.partition(".")[0]
    if shard_of(module) != STANDARD:
        return True
    return any(True for kind in ("aliases", "effects") for end in "\t." for _ in lines(kind, top, top + end))


def lines(kind: str, module: str, key: str) -> Iterator[str]:
    """The lines that begin with ``key``, of the module's table."""
    table = rows(kind, shard_of(module))
    wanted = key.encode("utf-8", "surrogatepass")
    index = bisect_left(table, wanted)
    while index < len(table) and table[index].startswith(wanted):
        yield table[index].decode()
        index += 1


def effect_line(module: str, qualname: str) -> list[str] | None:
    """Effects, parameters and witness of a symbol."""
    for line in lines("effects", module, f"{module}\t{qualname}\t"):
        return line.split("\t")[2:]
    return None


@cache
def module_names(module: str) -> dict[str, tuple[str, ...]] | None:
    """What a module's names stand for, each as ``module:qualname``; ``None`` when the module was not walked."""
    for line in lines("aliases", module, f"{module}\t.\t"):
        return dict(parse_alias(item) for item in line.split("\t")[2].split(" ") if item)
    return None


def parse_alias(item: str) -> tuple[str, tuple[str, ...]]:
    """One ``name=module:qualname|…``; a bare name is an import of that module."""
    name, equals, targets = item.partition("=")
    return name, tuple(targets.split("|")) if equals else (f"{name}:",)


@lru_cache(maxsize=1 << 14)
def class_bases(module: str, qualname: str) -> tuple[str, ...]:
    """The bases of a class, each as ``module:qualname``."""
    for line in lines("aliases", module, f"{module}\t{qualname}\t"):
        return tuple(line.split("\t")[2].split(" "))
    return ()
