"""Text built by ``%``, ``str.format`` and format specifications, bounded: no width is larger than any real one."""

# ruff: noqa: ANN401  (values of any type are worked out)
from __future__ import annotations

import re
from typing import Any

from toadstone.forensics.effort import LONGEST, NotWorkedOut

_WIDEST = 4096
_FIELDS = 100_000
_NUMBERS = re.compile(r"\d+")
_PERCENT = re.compile(r"%(?:\(\w*\))?[-+ #0]*(\d*)(?:\.(\d*))?[hlL]?([a-zA-Z%])")
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}!:]*)(![rsa])?(?::([^{}]*))?\}")
_NAME = re.compile(r"\w*(?:\[\w+\])?\Z")


def specified(value: Any, spec: Any) -> str:
    """Give ``format(value, spec)``.

    Raises:
        NotWorkedOut: If the value is no plain one or the specification asks for a large width.
    """
    if not isinstance(spec, str) or len(spec) > 40 or any(int(number) > _WIDEST for number in _NUMBERS.findall(spec)):
        raise NotWorkedOut("a wide field")
    if not isinstance(value, (str, int, float, bytes, type(None))):
        raise NotWorkedOut("no plain value")
    return format(value, spec)


def percent(text: Any, given: Any) -> Any:
    """Give ``text % given`` for text or bytes."""
    if isinstance(text, (bytes, bytearray)):
        made = percent(bytes(text).decode("latin-1"), _as_text(given))
        return str(made).encode("latin-1")
    total, longest = 0, longest_in(given)
    for count, found in enumerate(_PERCENT.finditer(text)):
        width = int(found[1] or 0) + int(found[2] or 0)
        total += width
        if width > _WIDEST or count > _FIELDS or total + count * longest > LONGEST:
            raise NotWorkedOut("a wide field")
    if "*" in text and re.search(r"%[^a-zA-Z%]*\*", text):
        raise NotWorkedOut("a width that is an argument")
    return text % (given if isinstance(given, (tuple, dict)) else (given,))


def longest_in(given: Any) -> int:
    """Give the length of the longest text among what is filled in."""
    values = given.values() if isinstance(given, dict) else given if isinstance(given, (tuple, list)) else (given,)
    return max((len(value) for value in values if isinstance(value, (str, bytes, bytearray, list, tuple, dict))), default=1)


def _as_text(given: Any) -> Any:
    if isinstance(given, tuple):
        return tuple(map(_as_text, given))
    return bytes(given).decode("latin-1") if isinstance(given, (bytes, bytearray)) else given


def braces(text: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Give ``text.format(*args, **kwargs)`` for fields that take no attributes.

    Raises:
        NotWorkedOut: If a field looks at attributes, or is nested in another.
    """
    parts: list[str] = []
    end = automatic = size = 0
    for count, found in enumerate(_BRACES.finditer(text)):
        between = text[end : found.start()]
        if "{" in between or "}" in between or count > _FIELDS:
            raise NotWorkedOut("nested fields")
        parts.append(between)
        end = found.end()
        if found[0] in ("{{", "}}"):
            parts.append(found[0][0])
            continue
        name = found[1]
        if not _NAME.match(name):
            raise NotWorkedOut("a field with attributes")
        base, _, key = name.partition("[")
        if not base:
            base = str(automatic)
            automatic += 1
        value = args[int(base)] if base.isdecimal() else kwargs[base]
        if key:
            value = value[int(key[:-1]) if key[:-1].isdecimal() else key[:-1]]
        parts.append(specified(_converted(value, found[2]), found[3] or ""))
        size += len(parts[-1])
        if size > LONGEST:
            raise NotWorkedOut("size")
    rest = text[end:]
    if "{" in rest or "}" in rest:
        raise NotWorkedOut("nested fields")
    return "".join([*parts, rest])


def _converted(value: Any, conversion: str | None) -> Any:
    if isinstance(value, (list, tuple, dict)) and not conversion:
        return str(value)
    if conversion is None:
        return value
    return repr(value) if conversion == "!r" else ascii(value) if conversion == "!a" else str(value)
