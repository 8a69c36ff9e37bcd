"""Works out text and bytes that code puts together from constants, by the pure functions of `toadstone.forensics`.

Only pure operations on constants are made; everything else stays a picture. What *decodes* (base64, hex, compression,
character codes, reversal) gives a `Known`: the content and, next to it, where it came from.
"""

# ruff: noqa: ANN401  (folded values are of any constant type)
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toadstone.core.value import Items, Symbol, Value
from toadstone.forensics.decoders import DECODERS
from toadstone.forensics.effort import Effort, NotWorkedOut
from toadstone.forensics.interpreter import REFUSED, Steps
from toadstone.forensics.statements import Interpreter
from toadstone.forensics.values import Endless
from toadstone.readers.code.folding import KEPT_CALLS, NAMES
from toadstone.readers.code.names import CHANGING
from toadstone.readers.code.pictures import concrete, picture, tainted
from toadstone.readers.code.values import CONCAT, UNKNOWN, Instance, Known, Local, known, noted, plain, result

Kwargs = tuple[tuple[str, Value], ...]


def _no_function(local: Local | Instance) -> Any:
    raise NotWorkedOut(local.what)


class Strings:
    """Works out strings within a budget shared by one source.

    Attributes:
        interpreter: Works out calls, loops and functions of the code itself.
        hosted: Gives what stands for a function or object of the code itself; set by the front end.
    """

    def __init__(self) -> None:
        self.effort = Effort()
        self.interpreter = Interpreter(self.effort)
        self.hosted: Callable[[Local | Instance], Any] = _no_function

    def concrete(self, value: Value) -> Any:
        """Give the plain value behind a picture.

        Raises:
            NotWorkedOut: If it is not known.
        """
        return concrete(value, self.effort, self.hosted)

    def worked_out(self, work: Callable[[], Any]) -> tuple[Any, tuple[str, ...]] | None:
        """Do some work of the interpreter; give what it gives with its steps, the last one first, or None."""
        around = self.interpreter.steps
        steps = self.interpreter.steps = Steps()
        try:
            made = work()
            if not isinstance(made, Endless):
                made = self.interpreter.solid(made)
        except REFUSED:
            return None
        finally:
            self.interpreter.steps = around
            for step in steps.taken:
                around.note(step)
        return made, tuple(reversed(steps.taken))

    def call(self, callee: Symbol, args: tuple[Value, ...], kwargs: Kwargs) -> Value:
        """Give what a call of a pure function gives, or `UNKNOWN`."""
        key = f"{callee.module}.{callee.name}"
        if key in KEPT_CALLS:
            return UNKNOWN

        def work() -> Any:
            given = tuple(map(self.concrete, args))
            return self.interpreter.symbol(key, given, {name: self.concrete(value) for name, value in kwargs})

        done = self.worked_out(work)
        if done is None:
            return UNKNOWN
        made, steps = done
        if key in DECODERS:
            return picture(made, callee, args) if isinstance(made, (str, bytes)) else picture(made, steps=steps)
        of_numbers = key in _BYTES and args and isinstance(args[0], Items)
        if steps or of_numbers or any(map(tainted, args)):
            return picture(made, callee, args, steps)
        return picture(made)

    def method(self, callee: Value, base: Value, name: str, args: tuple[Value, ...], kwargs: Kwargs = ()) -> Value:
        """Give what a method of a constant gives, or `UNKNOWN`. ``callee`` pictures the method."""
        if isinstance(base, Symbol) or (isinstance(base, Items) and name in CHANGING):
            return UNKNOWN

        def work() -> Any:
            owner = self.concrete(base)
            given = {key: self.concrete(value) for key, value in kwargs}
            return self.interpreter.method(owner, name, tuple(map(self.concrete, args)), given)

        done = self.worked_out(work)
        if done is None:
            return UNKNOWN
        made, steps = done
        hiding = tuple(step for step in steps if step not in _MILD)
        if hiding or any(map(tainted, (base, *args))):
            return picture(made, callee, args, hiding)
        return picture(made)

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
        done = self.worked_out(lambda: self.interpreter.operate(sign, self.concrete(left), self.concrete(right)))
        if done is not None:
            callee = Symbol("operator", NAMES[sign])
            return picture(done[0], callee, (left, right)) if tainted(left) or tainted(right) else picture(done[0])
        if sign in ("%", "*") and (noted(left) and isinstance(self.plain(left), (str, bytes))):
            return result(Symbol("operator", NAMES[sign]), (left, right))
        hidden = isinstance(left, Known) or isinstance(right, Known)
        return result(Symbol("operator", NAMES.get(sign, sign)), (left, right)) if hidden or sign == "^" else UNKNOWN

    def _sum(self, left: Value, right: Value) -> Value:
        values = (self.plain(left), self.plain(right))
        if all(isinstance(value, (int, float)) for value in values):
            done = self.worked_out(lambda: self.interpreter.operate("+", *values))
            return UNKNOWN if done is None else picture(done[0])
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
        if isinstance(base, Symbol):
            return UNKNOWN

        def work() -> Any:
            return self.interpreter.item(self.concrete(base), key if isinstance(key, slice) else self.concrete(key))

        done = self.worked_out(work)
        if done is None:
            return UNKNOWN
        made, steps = done
        if steps or tainted(base):
            return picture(made, Symbol("operator", "getitem"), (base,), steps)
        return picture(made)

    def plain(self, value: Value) -> Any:
        """Work out a value; long containers are paid for each time, and not once the budget is used up."""
        if isinstance(value, Items) and not self._spend(len(value.items)):
            return UNKNOWN
        return plain(value)

    def _spend(self, size: int) -> bool:
        self.effort.room -= size
        return self.effort.room >= 0


_BYTES = frozenset({"builtins.bytes", "builtins.bytearray"})
_MILD = frozenset({"join", "replace", "format", "translate"})
"""Steps of methods that honest code takes all the time: by themselves they hide nothing."""
