"""Family ``formats2``: dangers of the formats that frameworks keep to themselves, and benign twins for each."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from benchmarks.corpus.malicious.cases import Case

NAME = "formats2"


def cases() -> Iterator[Case]:
    """Every case of every module here that has any."""
    for module in sorted(found.name for found in pkgutil.iter_modules(__path__)):
        make = getattr(importlib.import_module(f"{__name__}.{module}"), "cases", None)
        if make is not None:
            yield from make()
