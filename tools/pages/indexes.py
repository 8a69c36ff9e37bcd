"""The indexes of readers and checks: what a scan has to know of a module before it imports it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator

from toadstone.core.check import ALL_STAGES, Check, discover
from toadstone.core.fact import Fact
from toadstone.core.modules import names_below
from toadstone.readers.reader import Reader, registered

_HEAD = '''"""{title}

Written by `python -m tools.pages` (`make docs`); change the modules instead. See docs/decisions/0009-indexes.md.
"""
# fmt: off

from __future__ import annotations
'''


def indexes() -> dict[str, str]:
    """Give both index modules by their path below the repository."""
    return {"src/toadstone/readers/index.py": _readers(), "src/toadstone/checks/index.py": _checks()}


def _readers() -> str:
    lines = [_HEAD.format(title="Which module holds which reader, and what makes the reader a candidate.")]
    lines += ["from toadstone.readers.reader import later\n", *_modules("toadstone.readers", deep=False)]
    lines += ["READERS = (", *(f"    later({_home(reader)!r}, {', '.join(_declared(reader))})," for reader in registered()), ")"]
    return "\n".join(lines) + "\n"


def _modules(package: str, *, deep: bool) -> Iterator[str]:
    yield f"DEEP = {deep}"
    yield "MODULES = ("
    yield from (f"    {name!r}," for name in names_below(importlib.import_module(package), deep=deep))
    yield ")\n"


def _home(reader: Reader) -> str:
    """Give the innermost module that lists a reader: a package may list what its modules hold."""
    homes = [name for name, module in sys.modules.items() if name.startswith("toadstone.readers.") and _lists(module, reader)]
    return max(homes, key=lambda name: (name.count("."), name))


def _lists(module: object, reader: Reader) -> bool:
    return any(known is reader for known in vars(module).get("READERS", ()))


def _declared(reader: Reader) -> Iterator[str]:
    yield repr(reader.kind)
    for name in ("heads", "suffixes", "marks", "always", "rank"):
        if (value := getattr(reader, name)) != getattr(Reader, name):
            yield f"{name}={value!r}"
    if reader.claims is not None:
        yield "claims=True"


def _checks() -> str:
    lines = [
        _HEAD.format(title="Which module holds which check, and which facts, at which stages and in which languages, it judges.")
    ]
    lines += ["from toadstone.core.check import ALL_STAGES\n", *_modules("toadstone.checks", deep=True)]
    lines += ["CHECKS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {"]
    for name, cls in discover().items():
        if cls.__module__.startswith("toadstone.checks."):
            lines.append(f"    {name!r}: ({cls.__module__!r}, {_reads(cls)!r}, {_stages(cls)}, {cls.languages!r}),")
    return "\n".join([*lines, "}"]) + "\n"


def _reads(cls: type[Check]) -> tuple[str, ...]:
    """Name the facts that a check reads.

    Raises:
        ValueError: If one is not declared where a scan looks for it.
    """
    for kind in cls.reads:
        if kind.__module__ != Fact.__module__:
            raise ValueError(f"{cls.id}: {kind.__name__} has to be declared in {Fact.__module__}")
    return tuple(kind.__name__ for kind in cls.reads)


def _stages(cls: type[Check]) -> str:
    return "ALL_STAGES" if cls.stages == ALL_STAGES else repr(cls.stages)
