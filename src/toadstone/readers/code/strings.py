"""Works out text and bytes that code puts together from constants: a small, total and bounded evaluator.

Only pure operations on constants are made; everything else stays a picture. What *decodes* (base64, hex, compression,
character codes, reversal) gives a `Known`: the content and, next to it, where it came from.
"""

# ruff: noqa: ANN401  (folded values are of any constant type)
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toadstone.core.value import Items, Opaque, Symbol, Value
from toadstone.readers.code.folding import DECODERS, FOLD_ERRORS, FUNCTIONS, LONGEST, METHODS, NAMES, OPERATORS, as_bytes
from toadstone.readers.code.values import CONCAT, UNKNOWN, Known, known, noted, plain, result

TOTAL = 4 << 20
"""Characters and bytes that are worked out for one source at most."""

Folded = str | bytes | int | float | bool | list[Any] | None


class Strings:
    """Works out strings within a budget shared by one source."""

    def __init__(self) -> None:
        self.room = TOTAL

    def call(self, callee: Symbol, args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...]) -> Value:
        """Give what a call of a pure function gives, or `UNKNOWN`."""
        key = f"{callee.module}.{callee.name}"
        decode = DECODERS.get(key)
        if decode is not None:
            made = self._made(decode, args)
            return known(callee, args, made) if isinstance(made, (str, bytes)) else UNKNOWN
        fold = FUNCTIONS.get(key)
        if fold is None or kwargs:
            return UNKNOWN
        if fold is as_bytes and args and isinstance(args[0], Items):
            made = self._made(fold, args)
            return known(callee, args, made) if isinstance(made, bytes) else UNKNOWN
        return self._kept(callee, args, self._made(fold, args))

    def method(self, callee: Value, base: Value, name: str, args: tuple[Value, ...]) -> Value:
        """Give what a method of a constant gives, or `UNKNOWN`. ``callee`` pictures the method."""
        owner = self.plain(base)
        fold = METHODS.get(name)
        if fold is None or not isinstance(owner, (str, bytes)):
            return UNKNOWN
        return self._kept(callee, (base, *args), self._made(lambda *given: fold(owner, *given), args), seen_from=(callee, args))

    def concat(self, parts: tuple[Value, ...]) -> Value:
        """Join text or bytes; unknown parts stay visible in the picture."""
        values = [self.plain(part) for part in parts]
        for kind, empty in ((str, ""), (bytes, b"")):
            if all(isinstance(value, kind) for value in values):
                if not self._spend(sum(map(len, values))):
                    return UNKNOWN
                joined: str | bytes = empty.join(values)
                return known(CONCAT, parts, joined) if any(isinstance(part, Known) for part in parts) else joined
        return result(CONCAT, parts) if any(map(noted, parts)) else UNKNOWN

    def binary(self, sign: str, left: Value, right: Value) -> Value:
        """Give what an operator gives."""
        if sign == "+":
            sequences = self._sequences(left, right)
            return sequences if sequences is not None else self._sum(left, right)
        fold = OPERATORS.get(sign)
        values = (self.plain(left), self.plain(right))
        if fold is not None and UNKNOWN not in values:
            made = self._made(fold, (left, right))
            if made is not UNKNOWN:
                return self._kept(Symbol("operator", NAMES[sign]), (left, right), made)
        if sign in ("%", "*") and (noted(left) and isinstance(self.plain(left), (str, bytes))):
            return result(Symbol("operator", NAMES[sign]), (left, right))
        tainted = isinstance(left, Known) or isinstance(right, Known)
        return result(Symbol("operator", NAMES.get(sign, sign)), (left, right)) if tainted or sign == "^" else UNKNOWN

    def _sum(self, left: Value, right: Value) -> Value:
        values = (self.plain(left), self.plain(right))
        if all(isinstance(value, (int, float)) for value in values):
            made = self._made(lambda a, b: a + b, (left, right))
            return made if isinstance(made, (int, float)) else UNKNOWN
        return self.concat((left, right)) if noted(left) or noted(right) else UNKNOWN

    def _sequences(self, left: Value, right: Value) -> Value:
        if isinstance(left, Items) and isinstance(right, Items) and left.kind == right.kind in ("list", "tuple"):
            if not self._spend(len(left.items) + len(right.items)):
                return UNKNOWN
            joined = Items(left.kind, list(left.items), left.more)
            joined.add(right.items)
            joined.more += right.more
            return joined
        return None

    def item(self, base: Value, key: Value | slice) -> Value:
        """Give an item or slice of a constant, or `UNKNOWN`."""
        if isinstance(base, Items) and isinstance(key, int) and base.kind in ("list", "tuple") and not base.more:
            return base.items[key] if -len(base.items) <= key < len(base.items) else UNKNOWN
        owner = self.plain(base)
        index = key if isinstance(key, slice) else self.plain(key)
        if not isinstance(owner, (str, bytes, list)) or not isinstance(index, (int, slice)):
            return UNKNOWN
        try:
            made = owner[index]
        except FOLD_ERRORS:
            return UNKNOWN
        if isinstance(made, list):
            return _pictured(made) if self._spend(len(made)) else UNKNOWN
        if isinstance(made, (str, bytes)):
            reversing = isinstance(index, slice) and index.step is not None and index.step not in (1, None)
            if not self._spend(len(made)):
                return UNKNOWN
            return known(Symbol("operator", "getitem"), (base,), made) if reversing or isinstance(base, Known) else made
        return int(made) if isinstance(made, int) else UNKNOWN

    def _made(self, fold: Callable[..., Any], args: tuple[Value, ...]) -> Any:
        values = [self.plain(argument) for argument in args]
        if any(value is UNKNOWN for value in values) or not self._spend(16):
            return UNKNOWN
        try:
            made = fold(*values)
        except FOLD_ERRORS:
            return UNKNOWN
        size = len(made) if isinstance(made, (str, bytes, list)) else 0
        return made if size <= LONGEST and self._spend(size) else UNKNOWN

    def _kept(
        self, callee: Value, args: tuple[Value, ...], made: Any, seen_from: tuple[Value, tuple[Value, ...]] | None = None
    ) -> Value:
        """Picture a worked-out value; what was decoded once stays marked."""
        if isinstance(made, Opaque):
            return UNKNOWN
        if isinstance(made, (str, bytes)) and any(map(_tainted, args)):
            return known(*(seen_from or (callee, args)), made)
        if isinstance(made, list):
            return _pictured(made)
        if made is None or isinstance(made, (str, bytes, bool, int, float)):
            return made
        return UNKNOWN

    def plain(self, value: Value) -> Any:
        """Work out a value; long containers are paid for each time, and not once the budget is used up."""
        if isinstance(value, Items) and not self._spend(len(value.items)):
            return UNKNOWN
        return plain(value)

    def _spend(self, size: int) -> bool:
        self.room -= size
        return self.room >= 0


def _tainted(value: Value) -> bool:
    if isinstance(value, Items):
        return any(isinstance(item, Known) for item in value.items)
    return isinstance(value, Known)


def _pictured(items: list[Any]) -> Items:
    made = Items("list")
    made.add([_pictured(item) if isinstance(item, list) else item for item in items])
    return made
