"""What the callables of the standard library and of the common packages can do, derived from their sources.

The tables under ``data/`` are written by ``python -m tools.effects`` (see ``docs/effects.md``); this package only looks
symbols up. Nothing is read before the first question, and then only the table of the package that is asked about.
"""

from __future__ import annotations

from functools import lru_cache

from toadstone.symbols.knowledge import Effect, Knowledge, Parameter, Sensitive

__all__ = ["Effect", "Knowledge", "Parameter", "Sensitive", "effects_of", "module_known"]


@lru_cache(maxsize=4096)
def effects_of(module: str, qualname: str) -> Knowledge | None:
    """What calling ``module.qualname`` can do; ``None`` when nothing is known against it.

    Both names are taken as a pickle gives them: dotted qualified names run through module aliases, submodules, classes
    and their bases, and names of Python 2 are mapped as ``fix_imports`` does. Any text is accepted.
    """
    from toadstone.symbols.lookup import find  # noqa: PLC0415  nothing is loaded before the first question

    return find(module, qualname)


@lru_cache(maxsize=4096)
def module_known(module: str) -> bool:
    """Whether the module's sources were walked, so that a symbol without an entry has no derived effect."""
    from toadstone.symbols.lookup import walked  # noqa: PLC0415

    return walked(module)
