"""Statements of Python source: one pass over the module, then over the functions, with the calls between them."""

# ruff: noqa: SLF001, ANN401  (the table of handlers names methods of its own class; syntax nodes are read duck-typed)
from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from toadstone.core.value import Items, Symbol, Value
from toadstone.readers.code.folding import SIGNS
from toadstone.readers.code.functions import Functions
from toadstone.readers.code.scopes import MODULE, Class, Scope
from toadstone.readers.code.values import UNKNOWN, Instance, Local, join, noted


class Statements(Functions):
    """Works through statements in order."""

    def module(self, tree: ast.Module) -> None:
        """Work through a module and everything defined in it."""
        first = tree.body[0] if tree.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            self.scope.names.setdefault("__doc__", first.value.value)
        self.block(tree.body)
        while self.pending:
            self.body(self.pending.popleft())

    def block(self, body: Iterable[ast.stmt]) -> None:
        """Work through statements."""
        for statement in body:
            method = _STATEMENTS.get(type(statement))
            if method is not None:
                method(self, statement)
            else:
                self._children(statement)

    def branch(self, *bodies: Iterable[ast.stmt]) -> None:
        """Work through statements that may or may not run."""
        self.branches += 1
        for body in bodies:
            self.block(body)
        self.branches -= 1

    # names

    def assign(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.scope.bind(target.id, value, self.branches > 0)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target.elts, value)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, UNKNOWN)
        elif isinstance(target, ast.Attribute):
            self._set_attribute(target, value)
        elif isinstance(target, ast.Subscript):
            self._set_item(target, value)

    def _unpack(self, targets: list[ast.expr], value: Value) -> None:
        exact = isinstance(value, Items) and len(value.items) == len(targets) and not value.more
        for index, target in enumerate(targets):
            self.assign(target, value.items[index] if exact and isinstance(value, Items) else UNKNOWN)

    def _set_attribute(self, target: ast.Attribute, value: Value) -> None:
        base = self.eval(target.value)
        if isinstance(base, (Instance, Local)) and isinstance(base.definition, Class):
            attributes = base.definition.attributes
            attributes[target.attr] = join(attributes[target.attr], value) if target.attr in attributes else value
        elif isinstance(base, Symbol):
            self.node = target
            self.on_call(Symbol("builtins", "setattr"), (base, target.attr, value), (), "assign")

    def _set_item(self, target: ast.Subscript, value: Value) -> None:
        base = self.eval(target.value)
        key = self.eval(target.slice) if not isinstance(target.slice, ast.Slice) else UNKNOWN
        if isinstance(base, Items) and base.kind == "dict" and isinstance(target.value, ast.Name):
            made = Items("dict", list(base.items), base.more)  # a copy: pictures must never contain themselves
            made.add([Items("tuple", [key, value])])
            self.scope.bind(target.value.id, made, False)
        elif isinstance(base, Symbol):
            self.node = target
            self.on_call(Symbol("operator", "setitem"), (base, key, value), (), "assign")

    def _assignment(self, node: ast.Assign) -> None:
        value = self.eval(node.value)
        for target in node.targets:
            self.assign(target, value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        if node.value is not None:
            self.assign(node.target, self.eval(node.value))

    def _augmented(self, node: ast.AugAssign) -> None:
        value = self.eval(node.value)
        if isinstance(node.target, ast.Name):
            old = self._name(node.target)
            made = self.strings.binary(SIGNS[type(node.op)], old, value) if noted(old) or noted(value) else UNKNOWN
            self.scope.bind(node.target.id, made, False)

    def _annotation(self, node: ast.expr | None) -> None:
        if (
            node is not None
            and not isinstance(node, (ast.Name, ast.Constant, ast.Attribute))
            and any(isinstance(part, ast.Call) for part in ast.walk(node))
        ):
            self.eval(node)

    def _import_names(self, node: ast.Import) -> None:
        self.node = node
        for alias in node.names:
            self.on_import(Symbol(alias.name, ""), "import")
            top = self.import_module(alias.name)
            self.scope.bind(alias.asname or alias.name.partition(".")[0], Symbol(alias.name, "") if alias.asname else top, False)

    def _import_from(self, node: ast.ImportFrom) -> None:
        self.node = node
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            self.on_import(Symbol(module, alias.name), "from")
            if alias.name == "*":
                self.stars.append(module)
            else:
                value = self.attribute(Symbol(module, ""), alias.name)
                self.scope.bind(
                    alias.asname or alias.name,
                    value,
                    self.branches > 0 and isinstance(self.scope.find(alias.asname or alias.name), Symbol),
                )

    def _outer(self, node: ast.Global | ast.Nonlocal) -> None:
        if isinstance(node, ast.Global):
            self.scope.outer.update(node.names)

    # definitions

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        owner = self._class_here()
        self._defaults(node.args)
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            self._annotation(argument.annotation)
        self._annotation(node.returns)
        local: Value = Local(node.name, self.function(node, node.name, owner))
        self.scope.bind(node.name, self._decorated(node.decorator_list, local), self.branches > 0)

    def _class_here(self) -> Class | None:
        found = self.scope.names.get("\0class")
        return found.definition if isinstance(found, Local) and isinstance(found.definition, Class) else None

    def _decorated(self, decorators: list[ast.expr], local: Value) -> Value:
        for decorator in reversed(decorators):
            value = self.eval(decorator)
            self.node = decorator
            if isinstance(value, Symbol) and not _plain_decorator(value):
                self.call(value, (local,), (), "decorator")
            elif isinstance(value, Local) and self.unit.kind == MODULE:
                self.on_local(value, (local,), ())
        return local

    def _class(self, node: ast.ClassDef) -> None:
        bases = [self.eval(base) for base in node.bases]
        for keyword in node.keywords:
            self.eval(keyword.value)
        definition = Class(node.name, bases)
        local = Local(node.name, definition)
        self.scope = Scope(self.scope, {"\0class": local}, is_class=True)
        self.block(node.body)
        names = self.scope.names
        del names["\0class"]
        definition.attributes.update(names)
        self.scope = self.scope.parent or self.scope
        self.scope.bind(node.name, local, self.branches > 0)
        self._decorated(node.decorator_list, local)

    def _if(self, node: ast.If) -> None:
        while True:
            if _is_main(node.test) and self.unit.kind == MODULE:
                self._main(node.body)
            else:
                self.eval(node.test)
                self.branch(node.body)
            if len(node.orelse) != 1 or not isinstance(node.orelse[0], ast.If):
                break
            node = node.orelse[0]
        self.branch(node.orelse)

    def _main(self, body: list[ast.stmt]) -> None:
        before, self.unit = self.unit, self.main
        self.branch(body)
        self.unit = before

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        if self.worked_loop(node):
            return
        iterated = self.eval(node.iter)
        items = self._constant_items(iterated) if _simple(node.body) else None
        if items is not None:
            for item in items:
                self.steps += len(node.body)
                self.assign(node.target, item)
                self.block(node.body)
        else:
            value: Value = UNKNOWN
            for option in iterated.items[:4] if isinstance(iterated, Items) and iterated.kind != "dict" else ():
                value = join(value, option)
            self.assign(node.target, value)
            self.branch(node.body)
        self.branch(node.orelse)

    def _while(self, node: ast.While) -> None:
        if self.worked_loop(node):
            return
        self.eval(node.test)
        self.branch(node.body, node.orelse)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            value = self.eval(item.context_expr)
            if isinstance(value, Instance):
                entered = self.member(value, "__enter__")
                if isinstance(entered, Local):
                    self.on_local(entered, (), ())
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value)
        self.block(node.body)

    def _try(self, node: Any) -> None:
        self.block(node.body)
        for handler in node.handlers:
            if handler.type is not None:
                self.eval(handler.type)
            self.branch(handler.body)
        self.branch(node.orelse)
        self.block(node.finalbody)

    def _match(self, node: ast.Match) -> None:
        self.eval(node.subject)
        for case in node.cases:
            if case.guard is not None:
                self.eval(case.guard)
            self.branch(case.body)

    def _return(self, node: ast.Return) -> None:
        if node.value is not None:
            value = self.eval(node.value)
            if self.current is not None:
                self.current.returned = join(self.current.returned, value) if self.current.returned is not UNKNOWN else value

    def _expression(self, node: ast.Expr) -> None:
        self.eval(node.value)  # a docstring too: it may hold what the code decodes

    def _nothing(self, node: ast.stmt) -> None:
        """``pass``, ``break`` and ``continue`` mean nothing here."""


def _plain_decorator(value: Symbol) -> bool:
    return value.module in ("functools", "typing", "dataclasses", "abc", "contextlib", "enum", "builtins")


def _is_main(test: ast.expr) -> bool:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_is_main(part) for part in test.values)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = (test.left, test.comparators[0])
    return any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides) and any(
        isinstance(side, ast.Constant) and side.value == "__main__" for side in sides
    )


def _simple(body: list[ast.stmt]) -> bool:
    """Whether a loop's body is small and plain enough to be worked through once for each item."""
    return len(body) <= 8 and all(
        isinstance(statement, (ast.Assign, ast.AugAssign, ast.Expr, ast.If))
        and not (isinstance(statement, ast.If) and not _simple(statement.body))
        for statement in body
    )


_STATEMENTS: dict[type[ast.stmt], Callable[[Statements, Any], None]] = {
    ast.Assign: Statements._assignment,
    ast.AnnAssign: Statements._annotated,
    ast.AugAssign: Statements._augmented,
    ast.Import: Statements._import_names,
    ast.ImportFrom: Statements._import_from,
    ast.FunctionDef: Statements._function,
    ast.AsyncFunctionDef: Statements._function,
    ast.ClassDef: Statements._class,
    ast.If: Statements._if,
    ast.For: Statements._for,
    ast.AsyncFor: Statements._for,
    ast.While: Statements._while,
    ast.With: Statements._with,
    ast.AsyncWith: Statements._with,
    ast.Try: Statements._try,
    ast.Match: Statements._match,
    ast.Return: Statements._return,
    ast.Expr: Statements._expression,
    ast.Pass: Statements._nothing,
    ast.Break: Statements._nothing,
    ast.Continue: Statements._nothing,
    ast.Global: Statements._outer,
    ast.Nonlocal: Statements._outer,
}
_STATEMENTS[ast.TryStar] = Statements._try
