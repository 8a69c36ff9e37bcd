"""Family ``formats3``: what serving, hubs, editors and loaders act on; written after the checks, to see what they miss."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from benchmarks.corpus.malicious.cases import Case

NAME = "formats3"


def cases() -> Iterator[Case]:
    """Every case of every module here that has any."""
    for module in sorted(found.name for found in pkgutil.iter_modules(__path__)):
        make = getattr(importlib.import_module(f"{__name__}.{module}"), "cases", None)
        if make is not None:
            yield from make()
