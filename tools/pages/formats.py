"""What is read: every kind that a reader knows, with how it is recognised."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType

from toadstone.core.modules import names_below
from toadstone.readers.reader import Reader
from tools.pages.markdown import GENERATED, page, plain, table

_INTRODUCTION = """
Content decides what a file is; its name only adds candidates. Each format is read by a parser of our own that accounts for every
byte: *read*, *inert* (payload that nothing interprets, such as a tensor inside its declared bounds) or *unread*. Whatever is
unread makes the report incomplete. Containers are entered to any depth within the budget, and bytes that no format claims are
looked at again as if they were files of their own.
"""

_TITLED = 4
"""Kinds that a heading names."""

_KINDS_OF_OUR_OWN = (
    ("empty", "a file of no bytes"),
    ("link", "a symbolic link that leaves the folder that is scanned"),
    ("unknown", "nothing recognised it: unread"),
)


def modules() -> Iterator[tuple[ModuleType, tuple[Reader, ...]]]:
    """Yield every reader module with its readers, by name."""
    for name in names_below(importlib.import_module("toadstone.readers"), deep=False):
        module = importlib.import_module(name)
        if known := getattr(module, "READERS", ()):
            yield module, known


def _recognised(reader: Reader) -> str:
    ways = []
    if reader.heads:
        ways.append("first bytes")
    if reader.always or reader.marks:
        ways.append("content, whatever the name")
    elif reader.claims is not None and reader.suffixes:
        ways.append("content, under " + ", ".join(f"`{suffix}`" for suffix in reader.suffixes))
    return "; ".join(ways) or "asked for by the format around it"


def _summary(documented: object) -> str:
    return " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split())


def formats() -> str:
    """Write the page."""
    blocks: list[str] = [
        GENERATED,
        "# Formats",
        _INTRODUCTION,
    ]
    for module, known in modules():
        first, _, rest = (inspect.getdoc(module) or "").partition("\n\n")
        rows = [(f"`{reader.kind}`", _recognised(reader), _summary(reader.read)) for reader in known]
        title = ", ".join(reader.kind for reader in known[:_TITLED]) + (" …" if len(known) > _TITLED else "")
        blocks += [f"## {title}", plain(first), plain(rest.split("\n\n")[0])]
        blocks.append("\n".join(table(("kind", "recognised by", "what is read"), rows)))
    others = [(f"`{kind}`", text) for kind, text in _KINDS_OF_OUR_OWN]
    blocks += ["## Kinds in reports that are no format", "\n".join(table(("kind", "meaning"), others))]
    return page(*blocks)
