"""Regular expressions whose time grows exponentially: a repetition of nothing but a repetition."""

from __future__ import annotations

import re

_ATOM = r"(?:\[\^?\]?(?:\\.|[^\]\\])*\]|\\.|[^\\()\[\]{}*+?|^$])"
_EXPLOSIVE = re.compile(
    rf"\((?:\?:)?{_ATOM}(?:[*+]|\{{\d+,\}})\)(?:[*+]|\{{\d+,\d*\}})"  # ([a-z]+)*
    rf"|\((?:\?:)?({_ATOM})\|\1[*+]?\)[*+]",  # (a|a)*
)
_LONGEST = 1 << 16


def explosive(pattern: str) -> str:
    """Give the part of an expression that may take exponential time; empty if there is none of the plain forms."""
    found = _EXPLOSIVE.search(pattern[:_LONGEST])
    return found[0] if found is not None else ""
