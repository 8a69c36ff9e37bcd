"""Where source code is only arithmetic on constants, it is worked out: comprehensions, loops, calls of its own functions."""

# ruff: noqa: ANN401  (values of any type are worked out)
from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from toadstone.core.value import Items, Opaque, Value
from toadstone.forensics.candidates import SHORTEST
from toadstone.forensics.effort import NotWorkedOut
from toadstone.forensics.values import Attributes, Frame, Partial
from toadstone.forensics.values import Function as PureFunction
from toadstone.readers.code.machine import Args, Kwargs, Machine
from toadstone.readers.code.names import CHANGING
from toadstone.readers.code.pictures import picture, tainted
from toadstone.readers.code.scopes import MODULE, Class, Function, Method, Scope, Unit
from toadstone.readers.code.values import UNKNOWN, Instance, Local, global_name

_ORIGINS = 8
_COPYING = 100_000
"""Steps after which changed containers are no longer pictured item by item."""

UNROLLED = 4096
"""Items of a constant sequence over which a comprehension or loop is worked out."""

_LONGEST_BODY = 60
_LOOP = Opaque("loop")
_EXPRESSION = Opaque("expression")


class Working(Machine):
    """Hands pure parts of the code to the interpreter of `toadstone.forensics`."""

    def __init__(self) -> None:
        super().__init__()
        self.scope = Scope()
        self.unit = Unit(MODULE)
        self.steps = 0
        self.strings.hosted = self._hosted
        self._used: list[Value] = []

    def outside(self, name: str) -> Value:
        """Give what a name means that the code in sight does not bind."""
        guess = global_name(name)
        return guess if guess is not UNKNOWN else self.from_stars(name)

    def _names(self, scope: Scope) -> Callable[[str], Any]:
        def outer(name: str) -> Any:
            found = scope.find(name)
            value = found if found is not None else self.outside(name)
            held = self.strings.concrete(value)
            if tainted(value) or isinstance(value, (str, bytes)):
                self._used.append(value)
            return held

        return outer

    def _hosted(self, local: Local | Instance) -> Any:
        definition = local.definition
        if isinstance(definition, Function) and not isinstance(definition.node, ast.AsyncFunctionDef):
            body = definition.node.body
            if isinstance(body, list) and (not body or definition.lines > _LONGEST_BODY):
                raise NotWorkedOut("a body that is gone or long")
            return PureFunction(definition.node, Frame(self._names(definition.scope)))
        if isinstance(definition, Method):
            return Partial(self._hosted(Local(local.what, definition.function)), (self._hosted(definition.owner),), {})
        if isinstance(definition, Class):
            return Attributes(lambda name: self.strings.concrete(self.member(local, name)))
        raise NotWorkedOut(local.what)

    def _pictured(self, done: tuple[Any, tuple[str, ...]] | None, callee: Value, args: Args) -> Value:
        """Picture what was worked out, with what it was made of."""
        used, self._used = self._used, []
        if done is None:
            return UNKNOWN
        made, steps = done
        origins = (*args, *used[:_ORIGINS])
        if steps or any(map(tainted, origins)):
            return picture(made, callee, origins, steps)
        return picture(made)

    def worked(self, node: ast.expr, otherwise: Value) -> Value:
        """Work an expression out where it stands; gives ``otherwise`` when that cannot be done."""
        frame = Frame(self._names(self.scope))
        made = self._pictured(self.strings.worked_out(lambda: self.strings.interpreter.eval(node, frame)), _EXPRESSION, ())
        return otherwise if made is UNKNOWN else made

    def worked_call(self, local: Local, args: Args, kwargs: Kwargs) -> Value:
        """Work out a call of a function of the code itself; `UNKNOWN` when it does more than to compute."""

        def work() -> Any:
            function = self._hosted(local)
            given = tuple(map(self.strings.concrete, args))
            named = {name: self.strings.concrete(value) for name, value in kwargs}
            return self.strings.interpreter.call(function, given, named)

        return self._pictured(self.strings.worked_out(work), Opaque(local.what), args)

    def worked_loop(self, node: ast.stmt) -> bool:
        """Work a loop out and bind what it leaves behind; says whether that could be done."""
        frame = Frame(self._names(self.scope))

        def work() -> Any:
            self.strings.interpreter.block([node], frame)

        done = self.strings.worked_out(work)
        used, self._used = self._used, []
        if done is None:
            return False
        steps = done[1]
        for name, value in frame.names.items():
            if name in frame.assigned or isinstance(value, (list, dict, set, bytearray)):
                made = picture(value, _LOOP, tuple(used[:_ORIGINS]), steps) if steps else picture(value)
                self.scope.bind(name, made, False)
                self.revealing.notice(made, self.line_of(node), self.unit)
        return True

    def line_of(self, node: ast.AST | None) -> int:
        """Give the 0-based line of a syntax node."""
        raise NotImplementedError

    # containers

    def _change(self, method: ast.expr, base: Items, name: str, args: list[Value]) -> None:
        """A container that a name holds is changed in place: the name gets a new picture."""
        if name not in CHANGING or not isinstance(method, ast.Attribute) or not isinstance(method.value, ast.Name):
            return
        self.steps += len(base.items) >> 5
        made = Items(base.kind, list(base.items) if self.steps < _COPYING else [], base.more + (self.steps >= _COPYING))
        first = args[0] if args else UNKNOWN
        if name == "append" and base.kind == "list" and (len(made.items) < UNROLLED and not made.more):
            made.items.append(first)
        elif name == "extend" and base.kind == "list" and isinstance(first, Items):
            made.add(first.items)
            made.more += first.more
        elif name == "reverse" and not made.more:
            made.items.reverse()
        else:
            made.more += 1
        self.scope.bind(method.value.id, made, False)

    def _codes(self, node: ast.AST, values: Sequence[Value]) -> None:
        """Numbers in a row may be the characters of a text."""
        if (
            len(values) >= SHORTEST
            and type(values[0]) is int
            and all(type(value) is int and 0 <= value < 256 for value in values)
        ):
            self.revealing.codes(bytes(values), self.line_of(node), self.unit)  # type: ignore[arg-type]
