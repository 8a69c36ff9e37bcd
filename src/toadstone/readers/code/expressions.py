"""Expressions of Python source, followed to the symbols and constants they stand for."""

# ruff: noqa: SLF001, ANN401  (the table of handlers names methods of its own class; syntax nodes are read duck-typed)
from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable
from typing import Any

from toadstone.core.value import KEPT_ITEMS, Items, Result, Symbol, Value
from toadstone.forensics.candidates import SHORTEST
from toadstone.readers.code.flood import Flood
from toadstone.readers.code.folding import SIGNS
from toadstone.readers.code.machine import Args, Kwargs
from toadstone.readers.code.names import SILENT
from toadstone.readers.code.scopes import BODY, Class, Function, Method, Record, Scope, Unit
from toadstone.readers.code.values import UNKNOWN, Bound, Instance, Known, Local, Namespace, join
from toadstone.readers.code.working import UNROLLED, Working

NESTED = 120
"""Expressions inside each other that are followed; deeper ones are searched for calls without being worked out."""

_HUGE = 1 << 512

_TEXTS = frozenset({str, bytes, Known})
_WRITTEN = frozenset({ast.Constant, ast.Name})


class Expressions(Working):
    """Evaluates expressions symbolically; statements are added by the subclass."""

    def __init__(self) -> None:
        super().__init__()
        self.module_unit = self.unit
        self.node: ast.AST | None = None
        self.level = 0
        self.inlined = 0
        self.too_deep = False
        self.shift = 0
        self.first_line = 0
        self.units: dict[Unit, None] = {}
        self.flood = Flood()
        self.pending: deque[Function] = deque()
        self.functions: dict[int, Function] = {}

    # hooks of the machine

    def on_import(self, symbol: Symbol, how: str) -> None:
        if self.flood.imported(self.unit, symbol, how):
            self._record(symbol, None, (), how)

    def on_call(self, callee: Value, args: Args, kwargs: Kwargs, how: str) -> Value:
        self._record(callee, args, kwargs, how)
        return UNKNOWN

    def _record(self, callee: Value, args: Args | None, kwargs: Kwargs, how: str) -> None:
        if not self.flood.room(callee):
            return
        self.units.setdefault(self.unit)
        self.unit.records.append(Record(id(self.node), self.line_of(self.node), callee, args, kwargs, how, self.inlined))

    def line_of(self, node: ast.AST | None) -> int:
        """Give the 0-based line of a syntax node; of text that is run as code, the line that runs it."""
        return self.shift - 1 if self.shift else self.first_line + getattr(node, "lineno", 1) - 1

    def lookup(self, name: str) -> Value:
        found = self.scope.root().names.get(name)
        return found if found is not None else self.outside(name)

    # dispatch

    def eval(self, node: ast.expr) -> Value:
        """Give what an expression stands for."""
        method = _EXPRESSIONS.get(type(node))
        if method is None:
            return self._children(node)
        if self.level > NESTED:
            return self._flat(node)
        self.level += 1
        value = method(self, node)
        self.level -= 1
        if type(value) in _TEXTS and type(node) not in _WRITTEN:
            self.revealing.notice(value, self.line_of(node), self.unit)
        return value

    def _flat(self, node: ast.AST) -> Value:
        """Look for calls and imports in an expression that is nested too deeply to follow."""
        self.too_deep = True
        for inner in ast.walk(node):
            self.steps += 1
            if isinstance(inner, ast.Call):
                callee = self._dotted(inner.func)
                if isinstance(callee, Symbol) and not (callee.module == "builtins" and callee.name in SILENT):
                    self.node = inner
                    self.on_call(
                        callee,
                        tuple(
                            arg.value if isinstance(arg, ast.Constant) and isinstance(arg.value, (str, bytes)) else UNKNOWN
                            for arg in inner.args[:16]
                        ),
                        (),
                        "call",
                    )
        return UNKNOWN

    def _dotted(self, node: ast.expr) -> Value:
        parts: list[str] = []
        while isinstance(node, ast.Attribute) and len(parts) < 32:
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return UNKNOWN
        value = self._name(node)
        for part in reversed(parts):
            value = self.attribute(value, part)
        return value

    def _children(self, node: ast.AST) -> Value:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.eval(child)
            elif isinstance(child, ast.comprehension):
                self._children(child)
        return UNKNOWN

    # leaves

    def _constant(self, node: ast.Constant) -> Value:
        value: Any = node.value
        if type(value) in _TEXTS and len(value) >= SHORTEST:
            self.revealing.constant(value, self.line_of(node), self.unit)
        return UNKNOWN if value is ... else value

    def _name(self, node: ast.Name) -> Value:
        found = self.scope.find(node.id)
        return found if found is not None else self.outside(node.id)

    def _attribute(self, node: ast.Attribute) -> Value:
        names = [node.attr]
        base = node.value
        while isinstance(base, ast.Attribute):
            names.append(base.attr)
            base = base.value
        value = self.eval(base)
        for name in reversed(names):
            if value is UNKNOWN and name[0] != "_":
                return UNKNOWN
            value = self.attribute(value, name)
        return value

    def member(self, owner: Local | Instance, name: str) -> Value:
        definition = owner.definition
        if isinstance(definition, Method):
            definition = definition.function
        if isinstance(definition, Function):
            return (
                Namespace()
                if name in ("__globals__", "func_globals")
                else Local(owner.what, owner.definition)
                if name == "__call__"
                else UNKNOWN
            )
        found: Value = definition.find(name)
        if isinstance(found, Local) and isinstance(found.definition, Function) and isinstance(owner, Instance):
            return Local(found.what, Method(found.definition, owner))
        if found is None:
            return UNKNOWN
        return found

    # calls

    def _call(self, node: ast.Call) -> Value:
        callee = self.eval(node.func)
        args: list[Value] = []
        for argument in node.args:
            value = self.eval(argument)
            if isinstance(argument, ast.Starred):
                args.extend(value.items if isinstance(value, Items) else (UNKNOWN,))
            else:
                args.append(value)
        kwargs: list[tuple[str, Value]] = []
        for keyword in node.keywords:
            value = self.eval(keyword.value)
            if keyword.arg is not None:
                kwargs.append((keyword.arg, value))
            elif isinstance(value, Items) and value.kind == "dict":
                kwargs += [
                    (str(self.strings.plain(pair.items[0])), pair.items[1])
                    for pair in value.items
                    if isinstance(pair, Items) and len(pair.items) == 2
                ]
        if callee is UNKNOWN:
            return UNKNOWN
        self.node = node
        if isinstance(callee, Bound) and isinstance(callee.base, Items):
            self._change(node.func, callee.base, callee.name, args)
        return self.call(callee, tuple(args), tuple(kwargs))

    # text and containers

    def _joined(self, node: ast.JoinedStr) -> Value:
        made = self.strings.concat(tuple(self._piece(part) for part in node.values))
        return made if isinstance(made, (str, Known)) else self.worked(node, made)

    def _piece(self, node: ast.expr) -> Value:
        if not isinstance(node, ast.FormattedValue):
            return self.eval(node)
        value = self.eval(node.value)
        worked_out = self.strings.plain(value)
        if node.format_spec is not None or node.conversion not in (-1, 115):
            return UNKNOWN if not isinstance(value, (Symbol, Result)) else value
        return str(worked_out) if isinstance(worked_out, (int, float)) and abs(worked_out) < _HUGE else value

    def _binary(self, node: ast.BinOp) -> Value:
        spine: list[tuple[str, ast.expr]] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            spine.append((SIGNS[type(left.op)], left.right))
            left = left.left
        value = self.eval(left)
        for sign, right in reversed(spine):
            other = self.eval(right)
            value = self.strings.binary(sign, value, other) if value is not UNKNOWN or other is not UNKNOWN else UNKNOWN
        return value

    def _unary(self, node: ast.UnaryOp) -> Value:
        value = self.strings.plain(self.eval(node.operand))
        if isinstance(value, (int, float)) and not isinstance(node.op, ast.Not) and abs(value) < _HUGE:
            if isinstance(node.op, ast.USub):
                return -value
            return ~value if isinstance(node.op, ast.Invert) and isinstance(value, int) else value
        return UNKNOWN

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        kind = {ast.List: "list", ast.Tuple: "tuple", ast.Set: "set"}[type(node)]
        if len(node.elts) > KEPT_ITEMS:
            numbers = [item.value for item in node.elts if isinstance(item, ast.Constant) and type(item.value) is int]
            if len(numbers) == len(node.elts) <= 1 << 17:
                self._codes(node, numbers)
                return Items(kind, list(numbers))  # character codes of a hidden text may be many
        made = Items(kind)
        values: list[Value] = []
        for item in node.elts:
            value = self.eval(item)
            if isinstance(item, ast.Starred) and isinstance(value, Items):
                values += value.items
            else:
                values.append(value)
        self._codes(node, values)
        made.add(values)
        return made

    def _dict(self, node: ast.Dict) -> Value:
        made = Items("dict")
        for key, value in zip(node.keys, node.values, strict=True):
            pair = [self.eval(key) if key is not None else UNKNOWN, self.eval(value)]
            made.add([Items("tuple", pair)])
        return made

    def _subscript(self, node: ast.Subscript) -> Value:
        base = self.eval(node.value)
        if isinstance(node.slice, ast.Slice):
            parts = [
                self.strings.plain(self.eval(part)) if part is not None else None
                for part in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            if base is UNKNOWN or any(part is not None and type(part) is not int for part in parts):
                return base if isinstance(base, Result) else UNKNOWN
            made = self.strings.item(base, slice(*parts))
            return made if made is not UNKNOWN or not isinstance(base, Result) else base
        key = self.eval(node.slice)
        if base is UNKNOWN:
            return UNKNOWN
        self.node = node
        return self.item(base, key)

    # choices and functions

    def _conditional(self, node: ast.IfExp) -> Value:
        self.eval(node.test)
        return join(self.eval(node.body), self.eval(node.orelse))

    def _bool(self, node: ast.BoolOp) -> Value:
        value: Value = UNKNOWN
        for part in node.values:
            value_here = self.eval(part)
            value = value_here if value is UNKNOWN else join(value, value_here)
        return value

    def _lambda(self, node: ast.Lambda) -> Value:
        self._defaults(node.args)
        return Local("lambda", self.function(node, "<lambda>"))

    def _defaults(self, arguments: ast.arguments) -> None:
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self.eval(default)

    def function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, name: str, owner: Class | None = None
    ) -> Function:
        """Note a function; its body is read later, when all global names are known."""
        known = self.functions.get(id(node))
        if known is None:
            known = Function(node, self.scope, Unit(BODY, name, owner is not None), owner)
            self.functions[id(node)] = known
            self.pending.append(known)
        return known

    def _comprehension(self, node: Any) -> Value:
        made = self.worked(node, UNKNOWN)
        if made is not UNKNOWN:
            return made
        self.scope = Scope(self.scope)
        element = node.value if isinstance(node, ast.DictComp) else node.elt
        first = node.generators[0]
        items = self._constant_items(self.eval(first.iter))
        if items is not None and len(node.generators) == 1 and not first.ifs and not isinstance(node, ast.DictComp):
            unrolled = Items("set" if isinstance(node, ast.SetComp) else "list")
            for item in items:
                self.steps += 1
                self.assign(first.target, item)
                unrolled.items.append(self.eval(element))
            value: Value = unrolled
        else:
            value = self._generic_comprehension(node, element)
        self.scope = self.scope.parent or self.scope
        return value

    def _generic_comprehension(self, node: Any, element: ast.expr) -> Value:
        for index, generator in enumerate(node.generators):
            if index:
                self.eval(generator.iter)
            self.assign(generator.target, UNKNOWN)
            for condition in generator.ifs:
                self.eval(condition)
        if isinstance(node, ast.DictComp):
            self.eval(node.key)
        value = self.eval(element)
        return Items("list", [value], 1) if isinstance(value, Result) else UNKNOWN

    def _constant_items(self, value: Value) -> list[Value] | None:
        """Items of a constant sequence that is worth working through one by one."""
        if isinstance(value, Items) and value.kind in ("list", "tuple") and not value.more:
            items: list[Value] = value.items
        else:
            worked_out = self.strings.plain(value)
            if not isinstance(worked_out, (str, bytes)) or not worked_out:
                return None
            items = [*worked_out]
        return items if 0 < len(items) <= UNROLLED and self.steps + len(items) < 60_000 else None

    def _walrus(self, node: ast.NamedExpr) -> Value:
        value = self.eval(node.value)
        self.assign(node.target, value)
        return value

    def _inner(self, node: Any) -> Value:
        return self.eval(node.value) if node.value is not None else UNKNOWN

    def assign(self, target: ast.expr, value: Value) -> None:
        """Bind a target."""
        raise NotImplementedError


_EXPRESSIONS: dict[type[ast.expr], Callable[[Expressions, Any], Value]] = {
    ast.Constant: Expressions._constant,
    ast.Name: Expressions._name,
    ast.Attribute: Expressions._attribute,
    ast.Call: Expressions._call,
    ast.JoinedStr: Expressions._joined,
    ast.BinOp: Expressions._binary,
    ast.UnaryOp: Expressions._unary,
    ast.List: Expressions._sequence,
    ast.Tuple: Expressions._sequence,
    ast.Set: Expressions._sequence,
    ast.Dict: Expressions._dict,
    ast.Subscript: Expressions._subscript,
    ast.IfExp: Expressions._conditional,
    ast.BoolOp: Expressions._bool,
    ast.Lambda: Expressions._lambda,
    ast.ListComp: Expressions._comprehension,
    ast.SetComp: Expressions._comprehension,
    ast.GeneratorExp: Expressions._comprehension,
    ast.DictComp: Expressions._comprehension,
    ast.NamedExpr: Expressions._walrus,
    ast.Await: Expressions._inner,
    ast.Starred: Expressions._inner,
    ast.Yield: Expressions._inner,
    ast.YieldFrom: Expressions._inner,
    ast.FormattedValue: Expressions._piece,
}
