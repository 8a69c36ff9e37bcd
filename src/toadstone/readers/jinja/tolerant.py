"""What a template that does not parse still shows: renderers differ, and one of them may accept it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from toadstone.core.fact import Fact, Lookup, Text
from toadstone.readers.jinja.names import DUNDER, EXECUTION, INTROSPECTION
from toadstone.readers.reader import Source

_OPENING = re.compile(r"\{\{|\{%")
_NAME = re.compile(r"[A-Za-z_]\w{0,60}")
_QUOTED = re.compile(r"'([^'\\\n]{0,2000})'|\"([^\"\\\n]{0,2000})\"")
_EXECUTED = re.compile(rf"\.\s*({'|'.join(map(re.escape, sorted(EXECUTION)))})\s*\(")
_LIMIT = 2000
"""Facts that are salvaged; a broken template is reported as unread anyway."""


def salvage(source: Source, text: str) -> Iterator[Fact]:
    """Yield special names and quoted strings inside the expressions of a broken template.

    Args:
        source: Where the template is.
        text: The template.
    """
    line = counted = 0
    told: dict[str, list[str]] = {}
    for start, stop in islice(_expressions(text), _LIMIT):
        inside = text[start:stop]
        line += text.count("\n", counted, start)
        counted = start
        names = told.get(inside)
        if names is None:
            names = told[inside] = _special(inside)
        for name in names:
            yield Lookup(source.place.line(line), " ".join(inside.split())[:160], name, "attribute")
        for single, double in _QUOTED.findall(inside):
            if len(single or double) >= 12:
                yield Text(source.place.line(line), "template-literal", single or double)


def _special(inside: str) -> list[str]:
    """List the names in an expression that lead out of the sandbox."""
    found = {name for name in set(_NAME.findall(_unescaped(inside))) if "_" in name or name == "mro"}  # as all of these have
    found = {name for name in found if DUNDER.search(name) or INTROSPECTION.fullmatch(name)}
    return sorted(found.union(_EXECUTED.findall(inside)))


def _expressions(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans between an opening and the next closing delimiter, or the end of the text."""
    position = 0
    while opening := _OPENING.search(text, position):
        start = opening.end()
        closing = text.find("}}" if opening[0] == "{{" else "%}", start)
        stop = closing if closing >= 0 else len(text)
        yield start, stop
        position = stop


def _unescaped(text: str) -> str:
    r"""Resolve ``\xNN`` and ``\uNNNN`` and join adjacent string pieces."""
    if "\\" in text:
        text = re.sub(r"\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1] or found[2], 16)), text)
    return re.sub(r"['\"]\s*[~+]\s*['\"]", "", text) if "~" in text or "+" in text else text
