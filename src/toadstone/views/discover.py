"""Finds the views."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator

import toadstone.views
from toadstone.core.modules import names_below
from toadstone.views.view import View


def views(needed: Iterable[str], effort: str = "standard") -> list[View]:
    """Make the views with these names that an effort asks for, each once, in the order of their names.

    Raises:
        KeyError: there is no such view (a check asks for one that nobody wrote).
    """
    for name in names_below(toadstone.views):
        importlib.import_module(name)
    known = {kind.name: kind for kind in _below(View) if hasattr(kind, "name")}
    return [known[name]() for name in sorted(set(needed)) if effort in known[name].efforts]


def _below(kind: type) -> Iterator[type[View]]:
    below: type[View]
    for below in kind.__subclasses__():
        yield below
        yield from _below(below)
