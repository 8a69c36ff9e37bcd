"""Statements of the interpreter: bodies of pure functions, and loops over constants."""

# ruff: noqa: ANN401, SLF001  (values of any type are worked out; the table of handlers names methods of its own class)
from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from toadstone.core.value import Symbol
from toadstone.forensics.calls import Calls, bound_frame
from toadstone.forensics.decoders import FOLD_ERRORS
from toadstone.forensics.effort import Effort, NotWorkedOut
from toadstone.forensics.interpreter import NESTED, SIGNS
from toadstone.forensics.operators import compare
from toadstone.forensics.values import Frame, Function

_CALLS = 24


class _Left(NotWorkedOut):
    """A body is left: ``return``, ``break`` or ``continue``; one that nothing takes up leaves the value unknown."""

    def __init__(self, how: str, value: Any = None) -> None:
        super().__init__(how)
        self.how = how
        self.value = value


class Interpreter(Calls):
    """Works through statements and calls functions of the code itself."""

    def __init__(self, effort: Effort) -> None:
        super().__init__(effort)
        self.depth = 0
        self._generators: dict[ast.FunctionDef, bool] = {}

    def run(self, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self.depth >= _CALLS or self.level >= NESTED:
            raise NotWorkedOut("calls inside each other")
        frame = bound_frame(function, args, kwargs, self.eval)
        node = function.node
        if isinstance(node, ast.Lambda):
            return self._deeper(lambda: self.eval(node.body, frame))
        if node.decorator_list and not all(
            isinstance(item, ast.Name) and item.id == "staticmethod" for item in node.decorator_list
        ):
            raise NotWorkedOut("decorated")
        if node not in self._generators:
            self._generators[node] = _yields(node)
        yields = self._generators[node]
        made: list[Any] = []
        if yields:
            frame.names["\0yielded"] = made

        def body() -> Any:
            try:
                self.block(node.body, frame)
            except _Left as left:
                return left.value
            return None

        value = self._deeper(body)
        return made if yields else value

    def _deeper(self, body: Callable[[], Any]) -> Any:
        self.depth += 1
        try:
            return body()
        finally:
            self.depth -= 1

    def block(self, body: list[ast.stmt], frame: Frame) -> None:
        """Work through statements.

        Raises:
            NotWorkedOut: If one of them does what is not known here.
        """
        for statement in body:
            method = _STATEMENTS.get(type(statement))
            if method is None:
                raise NotWorkedOut(type(statement).__name__)
            self.effort.step()
            method(self, statement, frame)

    def assign(self, target: ast.expr, value: Any, frame: Frame) -> None:
        if isinstance(target, ast.Name):
            frame.bind(target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target.elts, self.listed(value), frame)
        elif isinstance(target, ast.Subscript):
            owner, key = self.eval(target.value, frame), self.eval(target.slice, frame)
            if not isinstance(owner, (list, dict, bytearray)) or (
                isinstance(key, slice) and not isinstance(value, (list, bytes))
            ):
                raise NotWorkedOut("an item of what is no container")
            self.effort.looked_into(key)
            self.effort.hold(len(value) if isinstance(key, slice) else 1)
            owner[key] = value
        else:
            raise NotWorkedOut("a target that is no name")

    def _unpack(self, targets: list[ast.expr], values: list[Any], frame: Frame) -> None:
        star = next((index for index, target in enumerate(targets) if isinstance(target, ast.Starred)), -1)
        if star >= 0:
            tail = len(targets) - star - 1
            middle = values[star : len(values) - tail]
            starred = targets[star]
            assert isinstance(starred, ast.Starred)
            values = [*values[:star], middle, *values[len(values) - tail :]]
            targets = [*targets[:star], starred.value, *targets[star + 1 :]]
        for target, value in zip(targets, values, strict=True):
            self.assign(target, value, frame)

    # statements

    def _assignment(self, node: ast.Assign, frame: Frame) -> None:
        value = self.eval(node.value, frame)
        for target in node.targets:
            self.assign(target, value, frame)

    def _annotated(self, node: ast.AnnAssign, frame: Frame) -> None:
        if node.value is not None:
            self.assign(node.target, self.eval(node.value, frame), frame)

    def _augmented(self, node: ast.AugAssign, frame: Frame) -> None:
        sign, added = SIGNS[type(node.op)], self.eval(node.value, frame)
        if isinstance(node.target, ast.Name):
            old = frame.get(node.target.id)
            if isinstance(old, (list, bytearray)) and sign == "+":
                old.extend(self.listed(added))
            else:
                frame.bind(node.target.id, self.operate(sign, old, added))
        elif isinstance(node.target, ast.Subscript):
            owner, key = self.eval(node.target.value, frame), self.eval(node.target.slice, frame)
            if not isinstance(owner, (list, dict, bytearray)) or isinstance(key, slice):
                raise NotWorkedOut("an item of what is no container")
            owner[key] = self.operate(sign, self.item(owner, key), added)
        else:
            raise NotWorkedOut("a target that is no name")

    def _expression(self, node: ast.Expr, frame: Frame) -> None:
        if isinstance(node.value, ast.Yield):
            made = frame.names.get("\0yielded")
            if not isinstance(made, list):
                raise NotWorkedOut("yield")
            made.append(self.eval(node.value.value, frame) if node.value.value is not None else None)
            self.effort.hold(1)
        else:
            self.eval(node.value, frame)

    def _if(self, node: ast.If, frame: Frame) -> None:
        self.block(node.body if self.eval(node.test, frame) else node.orelse, frame)

    def _match(self, node: ast.Match, frame: Frame) -> None:
        """Plain values, alternatives, names and the blank; anything else is not worked out."""
        subject = self.eval(node.subject, frame)
        for case in node.cases:
            if self._fits(case.pattern, subject, frame) and (case.guard is None or self.eval(case.guard, frame)):
                self.block(case.body, frame)
                return

    def _fits(self, pattern: ast.pattern, subject: Any, frame: Frame) -> bool:
        self.effort.step()
        if isinstance(pattern, ast.MatchValue):
            return bool(compare(self.effort, "==", subject, self.eval(pattern.value, frame)))
        if isinstance(pattern, ast.MatchSingleton):
            return subject is pattern.value
        if isinstance(pattern, ast.MatchOr):
            return any(self._fits(part, subject, frame) for part in pattern.patterns)
        if isinstance(pattern, ast.MatchAs):
            fits = pattern.pattern is None or self._fits(pattern.pattern, subject, frame)
            if fits and pattern.name is not None:
                frame.bind(pattern.name, subject)
            return fits
        raise NotWorkedOut("a pattern")

    def _for(self, node: ast.For, frame: Frame) -> None:
        for item in self.items(self.eval(node.iter, frame)):
            self.assign(node.target, item, frame)
            if self._turn(node.body, frame):
                return
        self.block(node.orelse, frame)

    def _while(self, node: ast.While, frame: Frame) -> None:
        while self.eval(node.test, frame):
            self.effort.step()
            if self._turn(node.body, frame):
                return
        self.block(node.orelse, frame)

    def _turn(self, body: list[ast.stmt], frame: Frame) -> bool:
        """Go round a loop once; tells whether it was left."""
        try:
            self.block(body, frame)
        except _Left as left:
            if left.how == "return":
                raise
            return left.how == "break"
        return False

    def _return(self, node: ast.Return, frame: Frame) -> None:
        raise _Left("return", self.eval(node.value, frame) if node.value is not None else None)

    def _break(self, _node: ast.Break, _frame: Frame) -> None:
        raise _Left("break")

    def _continue(self, _node: ast.Continue, _frame: Frame) -> None:
        raise _Left("continue")

    def _function(self, node: ast.FunctionDef, frame: Frame) -> None:
        frame.bind(node.name, Function(node, frame))

    def _import_names(self, node: ast.Import, frame: Frame) -> None:
        for alias in node.names:
            name = alias.name if alias.asname else alias.name.partition(".")[0]
            frame.bind(alias.asname or name, Symbol(name, ""))

    def _import_from(self, node: ast.ImportFrom, frame: Frame) -> None:
        if node.level or not node.module:
            raise NotWorkedOut("a relative import")
        for alias in node.names:
            frame.bind(alias.asname or alias.name, self.attribute(Symbol(node.module, ""), alias.name))

    def _try(self, node: ast.Try, frame: Frame) -> None:
        try:
            self.block(node.body, frame)
        except FOLD_ERRORS:
            if not node.handlers:
                raise
            self.block(node.handlers[0].body, frame)
        else:
            self.block(node.orelse, frame)
        self.block(node.finalbody, frame)

    def _with(self, node: ast.With, frame: Frame) -> None:
        for item in node.items:
            value = self.eval(item.context_expr, frame)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value, frame)
        self.block(node.body, frame)

    def _nothing(self, _node: ast.stmt, _frame: Frame) -> None:
        """``pass`` and its like."""


def _yields(node: ast.FunctionDef) -> bool:
    """Whether there is a ``yield`` in a function; as with `ast.walk`, in a third of the time: it is asked of every call."""
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        inner = waiting.pop()
        for name in inner._fields:
            held = getattr(inner, name, None)
            if isinstance(held, ast.AST):
                if isinstance(held, (ast.Yield, ast.YieldFrom)):
                    return True
                if held._fields:
                    waiting.append(held)
            elif isinstance(held, list):
                waiting += [item for item in held if isinstance(item, ast.AST)]
    return False


_STATEMENTS: dict[type[ast.stmt], Callable[[Interpreter, Any, Frame], None]] = {
    ast.Assign: Interpreter._assignment,
    ast.AnnAssign: Interpreter._annotated,
    ast.AugAssign: Interpreter._augmented,
    ast.Expr: Interpreter._expression,
    ast.If: Interpreter._if,
    ast.Match: Interpreter._match,
    ast.For: Interpreter._for,
    ast.While: Interpreter._while,
    ast.Return: Interpreter._return,
    ast.Break: Interpreter._break,
    ast.Continue: Interpreter._continue,
    ast.FunctionDef: Interpreter._function,
    ast.Import: Interpreter._import_names,
    ast.ImportFrom: Interpreter._import_from,
    ast.Try: Interpreter._try,
    ast.With: Interpreter._with,
    ast.Pass: Interpreter._nothing,
    ast.Assert: Interpreter._nothing,
    ast.Nonlocal: Interpreter._nothing,
}
