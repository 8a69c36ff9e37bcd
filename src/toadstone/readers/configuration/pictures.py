"""Configuration values as bounded pictures, and names as symbols."""

from __future__ import annotations

import re
from typing import Any

from toadstone.core.value import KEPT_ITEMS, Excerpt, Items, Opaque, Result, Symbol, Value

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?::[A-Za-z_][\w.]*)?")
REMOTE = re.compile(r"([\w.-]+/[\w.-]+|[\w.-]+)--([\w.]+)")
"""A class in another repository of the hub: ``owner/name--module.Class``."""

_DEPTH = 12
_TEXT = 1 << 14


def picture(value: Any, depth: int = 0) -> Value:  # noqa: ANN401  (a parsed document holds anything)
    """Give the bounded picture of a parsed value."""
    if value is None or isinstance(value, (bool, int, float, Symbol, Result, Opaque)):
        return value
    if isinstance(value, str):
        return value if len(value) <= _TEXT else Excerpt("str", value[:_TEXT].encode("utf-8", "replace"), len(value), -1)
    if depth > _DEPTH:
        return Opaque()
    if isinstance(value, dict):
        pairs: list[Value] = [
            Items("tuple", [picture(key, depth + 1), picture(item, depth + 1)]) for key, item in list(value.items())[:KEPT_ITEMS]
        ]
        return Items("dict", pairs, max(len(value) - KEPT_ITEMS, 0))
    if isinstance(value, (list, tuple)):
        return Items("list", [picture(item, depth + 1) for item in value[:KEPT_ITEMS]], max(len(value) - KEPT_ITEMS, 0))
    return str(value)[:200]


def symbol(name: str) -> Symbol:
    """Read ``module.name`` or ``module:name``; a name that is computed or no Python name has an empty module."""
    name = name.strip()
    if not _DOTTED.fullmatch(name):
        return Symbol("", name[:200])
    if ":" in name:
        module, _, attribute = name.partition(":")
        return Symbol(module, attribute)
    module, _, attribute = name.rpartition(".")
    return Symbol(module or "builtins", attribute)


def is_dotted(name: object) -> bool:
    """Whether a value is a Python name with at least one dot or a colon."""
    return isinstance(name, str) and bool(_DOTTED.fullmatch(name)) and ("." in name or ":" in name)
