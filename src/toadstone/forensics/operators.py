"""Operators on constants, each total and bounded."""

# ruff: noqa: ANN401  (values of any type are worked out)
from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from toadstone.forensics.effort import BITS, ITEMS, LONGEST, Effort, NotWorkedOut
from toadstone.forensics.formatting import percent

_TEXTS = (str, bytes, bytearray)
_SEQUENCES = (str, bytes, bytearray, list, tuple)


def _size(value: Any) -> int:
    return value.bit_length() if isinstance(value, int) else 64


def _arithmetic(effort: Effort, left: Any, right: Any) -> None:
    """Account for arithmetic; only numbers and sets are taken."""
    for value in (left, right):
        if not isinstance(value, (int, float, complex, set, frozenset, dict)):
            raise TypeError(type(value))
    effort.step(1 + (_size(left) * _size(right) >> 14))


def _add(effort: Effort, left: Any, right: Any) -> Any:
    if isinstance(left, _SEQUENCES):
        effort.hold(len(left) + len(right), LONGEST if isinstance(left, _TEXTS) else ITEMS)
        return left + right
    _arithmetic(effort, left, right)
    return left + right


def _times(effort: Effort, left: Any, right: Any) -> Any:
    for text, count in ((left, right), (right, left)):
        if isinstance(text, _SEQUENCES):
            if not isinstance(count, int):
                raise TypeError(type(count))
            effort.hold(len(text) * max(count, 0), LONGEST if isinstance(text, _TEXTS) else ITEMS)
            return text * count
    _arithmetic(effort, left, right)
    if _size(left) + _size(right) > BITS:
        raise NotWorkedOut("a large number")
    return left * right


def _power(effort: Effort, left: Any, right: Any) -> Any:
    _arithmetic(effort, left, right)
    if isinstance(left, int) and isinstance(right, int) and (right < 0 or _size(left) * right > BITS):
        if right < 0 and _size(left) < 1024 and right > -1024:
            return left**right
        raise NotWorkedOut("a large number")
    return left**right


def _shifted(effort: Effort, left: Any, right: Any) -> Any:
    if not isinstance(left, int) or not isinstance(right, int) or not 0 <= right <= BITS:
        raise NotWorkedOut("a large number")
    effort.step(1 + (right >> 10))
    return left << right


def _modulo(effort: Effort, left: Any, right: Any) -> Any:
    if isinstance(left, _TEXTS):
        effort.looked_into(right)
        return percent(left, right)
    _arithmetic(effort, left, right)
    return left % right


def _plain(function: Callable[[Any, Any], Any]) -> Callable[[Effort, Any, Any], Any]:
    def apply(effort: Effort, left: Any, right: Any) -> Any:
        _arithmetic(effort, left, right)
        return function(left, right)

    return apply


OPERATORS: dict[str, Callable[[Effort, Any, Any], Any]] = {
    "+": _add,
    "*": _times,
    "**": _power,
    "<<": _shifted,
    "%": _modulo,
    "-": _plain(operator.sub),
    "/": _plain(operator.truediv),
    "//": _plain(operator.floordiv),
    ">>": _plain(operator.rshift),
    "&": _plain(operator.and_),
    "|": _plain(operator.or_),
    "^": _plain(operator.xor),
}


def binary(effort: Effort, sign: str, left: Any, right: Any) -> Any:
    """Give what an operator gives."""
    effort.step()
    return effort.made(OPERATORS[sign](effort, left, right))


def unary(effort: Effort, sign: str, value: Any) -> Any:
    """Give ``-value``, ``+value``, ``~value`` or ``not value``."""
    effort.step()
    if sign == "not":
        return not value
    if not isinstance(value, (int, float)):
        raise TypeError(type(value))
    return {"-": operator.neg, "+": operator.pos, "~": operator.invert}[sign](value)  # type: ignore[operator]


def _within(left: Any, right: Any) -> bool:
    return left in right


COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": _within,
    "not in": lambda left, right: left not in right,
    "is": operator.is_,
    "is not": operator.is_not,
}


def compare(effort: Effort, sign: str, left: Any, right: Any) -> bool:
    """Give what a comparison gives."""
    effort.step()
    if "in" in sign and not isinstance(right, (*_SEQUENCES, dict, set, frozenset, range)):
        raise TypeError(type(right))
    if not sign.startswith("is"):
        effort.looked_into(left, right)
    return bool(COMPARISONS[sign](left, right))
