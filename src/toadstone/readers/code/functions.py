"""Functions and classes of Python source: their bodies, their calls, and what calls of them give."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from toadstone.core.value import Items, Symbol, Value
from toadstone.readers.code.expressions import Expressions
from toadstone.readers.code.machine import Args, Kwargs
from toadstone.readers.code.scopes import MAIN, MODULE, Class, Function, Method, Scope, Unit
from toadstone.readers.code.values import UNKNOWN, Instance, Known, Local

INLINED = 4
"""Local calls inside each other that are followed with their arguments."""

STEPS = 200_000
"""Statements that are worked through once more by following local calls and unrolling loops."""


class Functions(Expressions):
    """Follows calls into the code itself."""

    def __init__(self) -> None:
        super().__init__()
        self.branches = 0
        self.current: Function | None = None
        self.main = Unit(MAIN)

    def block(self, body: Iterable[ast.stmt]) -> None:
        """Work through statements."""
        raise NotImplementedError

    # functions

    def body(self, function: Function, given: dict[str, Value] | None = None) -> Value:
        """Work through a function's body, with arguments when they are known; gives what it returns."""
        if given is None:
            if function.state:
                return function.returned
            function.state = 1
        before = (self.scope, self.unit, self.current, self.branches, function.returned)
        if given is None:
            self.unit = function.unit
        else:
            function.returned = UNKNOWN
        self.scope = Scope(function.scope, self._parameters(function, given or {}))
        self.current, self.branches = function, 0
        if isinstance(function.node, ast.Lambda):
            function.returned = self.eval(function.node.body)
        else:
            self.block(function.node.body)
        returned = function.returned
        self.scope, self.unit, self.current, self.branches = before[:4]
        if given is not None:
            function.returned = before[4]
        return returned

    def _parameters(self, function: Function, given: dict[str, Value]) -> dict[str, Value]:
        arguments = function.node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        names: dict[str, Value] = dict.fromkeys((argument.arg for argument in (*positional, *arguments.kwonlyargs)), UNKNOWN)
        for argument, default in zip(reversed(positional), reversed(arguments.defaults), strict=False):
            if isinstance(default, ast.Constant) and isinstance(default.value, (str, bytes)) and given:
                names[argument.arg] = default.value
            elif isinstance(default, ast.Name):
                held = function.scope.find(default.id)
                names[argument.arg] = held if isinstance(held, Symbol) else UNKNOWN
        for extra in (arguments.vararg, arguments.kwarg):
            if extra is not None:
                names[extra.arg] = UNKNOWN
        if function.owner is not None and positional and not _static(function.node):
            names[positional[0].arg] = Instance(function.owner.name, function.owner)
        return names | given

    def on_local(self, local: Local, args: Args, kwargs: Kwargs) -> Value:
        definition = local.definition
        if isinstance(definition, Class):
            return self._instantiate(definition, args, kwargs)
        receiver: Instance | None = None
        if isinstance(definition, Method):
            receiver, definition = definition.owner, definition.function
        if not isinstance(definition, Function):
            return UNKNOWN
        self.unit.callees.add(definition.unit)
        made = self.worked_call(local, args, kwargs)
        if made is not UNKNOWN:
            return made
        if self._worth_following(definition, args, kwargs):
            return self._follow(definition, receiver, args, kwargs)
        if (
            definition.state == 0
            and self.inlined < INLINED
            and self.level < 60
            and definition.scope.parent is None
            and definition.lines <= 12
        ):
            self.body(definition)
        return definition.returned

    def _worth_following(self, function: Function, args: Args, kwargs: Kwargs) -> bool:
        if self.inlined >= INLINED or self.level > 60 or self.steps > STEPS or function.state == 2 or function.lines > 120:
            return False
        if self.unit.kind in (MODULE, MAIN):
            return True
        return function.lines <= 30 and any(_telling(value) for value in (*args, *(item for _, item in kwargs)))

    def _follow(self, function: Function, receiver: Value, args: Args, kwargs: Kwargs) -> Value:
        """Work through a local function with the arguments of this call."""
        arguments = function.node.args
        names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
        values = (receiver, *args) if receiver is not None else args
        given: dict[str, Value] = dict(zip(names, values, strict=False))
        known = {*names, *(argument.arg for argument in arguments.kwonlyargs)}
        given.update((name, value) for name, value in kwargs if name in known)
        if arguments.vararg is not None and len(values) > len(names):
            given[arguments.vararg.arg] = Items("tuple", list(values[len(names) :]))
        state, node = function.state, self.node
        function.state = 2
        self.inlined += 1
        self.steps += function.lines
        returned = self.body(function, given)
        self.inlined -= 1
        function.state, self.node = state, node
        return returned

    def _instantiate(self, definition: Class, args: Args, kwargs: Kwargs) -> Value:
        made = Instance(definition.name, definition)
        for name in (
            "__new__",
            "__init__",
            "__post_init__",
            "__del__",
            "__call__" if definition.bases and self._metaclass(definition) else "",
        ):
            method = definition.find(name) if name else None
            if isinstance(method, Local) and isinstance(method.definition, Function):
                self.on_local(Local(name, Method(method.definition, made)), args if name != "__del__" else (), kwargs)
        run = definition.find("run")
        if any(
            isinstance(base, Symbol) and base.module in ("threading", "multiprocessing") for base in definition.bases
        ) and isinstance(run, Local):
            self.on_local(run, (made,), ())  # a thread that is made is a thread that will be started
        return made

    def _metaclass(self, definition: Class) -> bool:
        return any(base == Symbol("builtins", "type") for base in definition.bases)


def _static(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> bool:
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return any(isinstance(item, ast.Name) and item.id == "staticmethod" for item in decorators)


def _telling(value: Value) -> bool:
    """Whether an argument is worth following into a function that may run much later."""
    if isinstance(value, (str, bytes)):
        return len(value) >= 16
    return isinstance(value, (Known, Symbol)) and not (isinstance(value, Symbol) and value.module[:1].isupper())
