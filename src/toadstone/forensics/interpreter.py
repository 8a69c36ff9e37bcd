"""A small interpreter of Python's syntax trees that knows pure functions of constants, and nothing else.

It is total: whatever it does not know, and whatever costs more than it may, raises `NotWorkedOut`. It has no way to touch
anything: names stand for what its owner hands it, and calls reach only the tables of `toadstone.forensics`.
"""

# ruff: noqa: ANN401, SLF001  (values of any type are worked out; the table of handlers names methods of its own class)
from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from toadstone.core.value import Symbol
from toadstone.forensics.decoders import FOLD_ERRORS
from toadstone.forensics.effort import Effort, NotWorkedOut
from toadstone.forensics.formatting import specified
from toadstone.forensics.functions import CONSTANTS
from toadstone.forensics.objects import Numbers
from toadstone.forensics.operators import binary, compare, unary
from toadstone.forensics.values import Attributes, Frame, Function, Lazy, Method

NESTED = 90
"""Expressions and calls inside each other that are followed."""

SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%", ast.Pow: "**", ast.LShift: "<<", ast.RShift: ">>",
    ast.BitOr: "|", ast.BitXor: "^", ast.BitAnd: "&", ast.FloorDiv: "//", ast.MatMult: "@",
    ast.USub: "-", ast.UAdd: "+", ast.Invert: "~", ast.Not: "not",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in", ast.NotIn: "not in",
    ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip
"""How operators are written, by their class in the syntax tree."""


class Steps:
    """Remembers which steps were taken on the way to a value."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def note(self, step: str) -> None:
        """Remember a step; the same one over and over counts once."""
        if step and step not in self.taken[-2:] and len(self.taken) < 32:
            self.taken.append(step)


class Expressions:
    """Evaluates expressions; calls and statements are added by the subclasses."""

    def __init__(self, effort: Effort) -> None:
        self.effort = effort
        self.steps = Steps()
        self.level = 0

    def eval(self, node: ast.expr, frame: Frame) -> Any:
        """Give the value of an expression.

        Raises:
            NotWorkedOut: If it is not known, or costs too much.
        """
        method = _EXPRESSIONS.get(type(node))
        if method is None or self.level >= NESTED:
            raise NotWorkedOut(type(node).__name__)
        self.effort.step()
        self.level += 1
        try:
            return method(self, node, frame)
        finally:
            self.level -= 1

    def call(self, callee: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Give what a call gives."""
        raise NotImplementedError

    def assign(self, target: ast.expr, value: Any, frame: Frame) -> None:
        """Bind a target."""
        raise NotImplementedError

    def items(self, value: Any) -> Iterator[Any]:
        """Go through what can be iterated over, paying for each item."""
        source: Iterable[Any] = value.items if isinstance(value, Lazy) else value
        if not isinstance(value, (Lazy, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, Numbers)):
            raise NotWorkedOut("not iterable")
        if isinstance(value, (set, frozenset)):
            source = sorted(value, key=repr)  # the order of a set is nobody's secret, but it must be the same every time
        for item in source:
            self.effort.step()
            yield item

    # leaves

    def _constant(self, node: ast.Constant, _frame: Frame) -> Any:
        return node.value

    def _name(self, node: ast.Name, frame: Frame) -> Any:
        return frame.get(node.id)

    def _attribute(self, node: ast.Attribute, frame: Frame) -> Any:
        return self.attribute(self.eval(node.value, frame), node.attr)

    def attribute(self, owner: Any, name: str) -> Any:
        """Give an attribute: of a module, or a method of a value."""
        if isinstance(owner, Symbol):
            symbol = Symbol(owner.module, f"{owner.name}.{name}" if owner.name else name)
            return CONSTANTS.get(str(symbol), symbol)
        if isinstance(owner, Attributes):
            return owner.get(name)
        if name.startswith("__") and name not in _OPERATOR_METHODS:
            raise NotWorkedOut(f"attribute {name}")
        return Method(owner, name)

    # operators

    def _binary(self, node: ast.BinOp, frame: Frame) -> Any:
        spine: list[tuple[str, ast.expr]] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            spine.append((SIGNS[type(left.op)], left.right))
            left = left.left
        value = self.eval(left, frame)
        for sign, right in reversed(spine):
            value = self.operate(sign, value, self.eval(right, frame))
        return value

    def operate(self, sign: str, left: Any, right: Any) -> Any:
        """Give what a binary operator gives."""
        if sign not in ("+", "*", "**", "<<", "%", "-", "/", "//", ">>", "&", "|", "^"):
            raise NotWorkedOut(sign)
        if isinstance(left, Numbers) or isinstance(right, Numbers):
            self.effort.hold(len(left) if isinstance(left, Numbers) else len(right))
            made = left.combined(sign, right) if isinstance(left, Numbers) else right.combined(sign, left, swapped=True)
        else:
            made = binary(self.effort, sign, left, right)
        if sign == "^":
            self.steps.note("xor")
        elif sign == "%" and isinstance(left, (str, bytes)):
            self.steps.note("format")
        return made

    def _unary(self, node: ast.UnaryOp, frame: Frame) -> Any:
        return unary(self.effort, SIGNS[type(node.op)], self.eval(node.operand, frame))

    def _bool(self, node: ast.BoolOp, frame: Frame) -> Any:
        value: Any = None
        for part in node.values:
            value = self.eval(part, frame)
            if bool(value) is isinstance(node.op, ast.Or):
                break
        return value

    def _compare(self, node: ast.Compare, frame: Frame) -> bool:
        left = self.eval(node.left, frame)
        for sign, part in zip(node.ops, node.comparators, strict=True):
            right = self.eval(part, frame)
            if not compare(self.effort, SIGNS[type(sign)], left, right):
                return False
            left = right
        return True

    def _conditional(self, node: ast.IfExp, frame: Frame) -> Any:
        return self.eval(node.body if self.eval(node.test, frame) else node.orelse, frame)

    # containers and text

    def _elements(self, nodes: list[ast.expr], frame: Frame) -> list[Any]:
        made: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                made.extend(self.items(self.eval(node.value, frame)))
            else:
                made.append(node.value if type(node) is ast.Constant else self.eval(node, frame))
        self.effort.hold(len(made))
        return made

    def _list(self, node: ast.List, frame: Frame) -> list[Any]:
        return self._elements(node.elts, frame)

    def _tuple(self, node: ast.Tuple, frame: Frame) -> tuple[Any, ...]:
        return tuple(self._elements(node.elts, frame))

    def _set(self, node: ast.Set, frame: Frame) -> set[Any]:
        made = self._elements(node.elts, frame)
        self.effort.looked_into(made)
        return set(made)

    def _dict(self, node: ast.Dict, frame: Frame) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            held = self.eval(value, frame)
            if key is None:
                made.update(held if isinstance(held, dict) else {})
            else:
                index = self.eval(key, frame)
                self.effort.looked_into(index)
                made[index] = held
        self.effort.hold(len(made))
        return made

    def _joined(self, node: ast.JoinedStr, frame: Frame) -> str:
        made = "".join([str(self.eval(part, frame)) for part in node.values])
        return str(self.effort.made(made))

    def _formatted(self, node: ast.FormattedValue, frame: Frame) -> str:
        value = self.eval(node.value, frame)
        spec = str(self.eval(node.format_spec, frame)) if node.format_spec is not None else ""
        self.effort.looked_into(value)
        if node.conversion != -1:
            value = repr(value) if node.conversion == 114 else ascii(value) if node.conversion == 97 else str(value)
        elif isinstance(value, (list, tuple, dict)):
            value = str(value)
        if spec:
            self.steps.note("format")
        return str(self.effort.made(specified(value, spec)))

    def _subscript(self, node: ast.Subscript, frame: Frame) -> Any:
        return self.item(self.eval(node.value, frame), self.eval(node.slice, frame))

    def item(self, owner: Any, key: Any) -> Any:
        """Give an item or a slice of a value."""
        if isinstance(key, slice):
            if key.step not in (None, 1):
                self.steps.note("reversed" if key.step == -1 else "stride")
            return self.effort.made(owner.item(key) if isinstance(owner, Numbers) else owner[key])
        self.effort.looked_into(key)
        if isinstance(owner, Attributes):
            return self.call(owner.get("__getitem__"), (key,), {})
        if not isinstance(owner, (str, bytes, bytearray, list, tuple, dict, range)):
            raise NotWorkedOut("no items")
        return owner[key]

    def _slice(self, node: ast.Slice, frame: Frame) -> slice:
        return slice(*(self.eval(part, frame) if part is not None else None for part in (node.lower, node.upper, node.step)))

    # functions

    def _lambda(self, node: ast.Lambda, frame: Frame) -> Function:
        return Function(node, frame)

    def _call(self, node: ast.Call, frame: Frame) -> Any:
        callee = self.eval(node.func, frame)
        args = tuple(self._elements(node.args, frame))
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.eval(keyword.value, frame)
            if keyword.arg is not None:
                kwargs[keyword.arg] = value
            else:
                kwargs.update(value)
        return self.call(callee, args, kwargs)

    def _walrus(self, node: ast.NamedExpr, frame: Frame) -> Any:
        value = self.eval(node.value, frame)
        self.assign(node.target, value, frame)
        return value

    def _comprehension(self, node: Any, frame: Frame) -> Any:
        inner = Frame(frame.outer, frame)
        if isinstance(node, ast.DictComp):
            pairs: dict[Any, Any] = {}
            for _ in self._generated(node.generators, 0, inner):
                key = self.eval(node.key, inner)
                self.effort.looked_into(key)
                pairs[key] = self.eval(node.value, inner)
            return pairs
        made: list[Any] = []
        for _ in self._generated(node.generators, 0, inner):
            made.append(self.eval(node.elt, inner))
            self.effort.hold(1)
        return set(made) if isinstance(node, ast.SetComp) else made

    def _generated(self, generators: list[ast.comprehension], index: int, frame: Frame) -> Iterator[None]:
        if index == len(generators):
            yield
            return
        generator = generators[index]
        for item in self.items(self.eval(generator.iter, frame)):
            self.assign(generator.target, item, frame)
            if all(self.eval(condition, frame) for condition in generator.ifs):
                yield from self._generated(generators, index + 1, frame)


_OPERATOR_METHODS = frozenset({"__add__", "__xor__", "__getitem__", "__mul__", "__mod__", "__getattribute__"})

_EXPRESSIONS: dict[type[ast.expr], Callable[[Expressions, Any, Frame], Any]] = {
    ast.Constant: Expressions._constant,
    ast.Name: Expressions._name,
    ast.Attribute: Expressions._attribute,
    ast.BinOp: Expressions._binary,
    ast.UnaryOp: Expressions._unary,
    ast.BoolOp: Expressions._bool,
    ast.Compare: Expressions._compare,
    ast.IfExp: Expressions._conditional,
    ast.List: Expressions._list,
    ast.Tuple: Expressions._tuple,
    ast.Set: Expressions._set,
    ast.Dict: Expressions._dict,
    ast.JoinedStr: Expressions._joined,
    ast.FormattedValue: Expressions._formatted,
    ast.Subscript: Expressions._subscript,
    ast.Slice: Expressions._slice,
    ast.Lambda: Expressions._lambda,
    ast.Call: Expressions._call,
    ast.NamedExpr: Expressions._walrus,
    ast.ListComp: Expressions._comprehension,
    ast.SetComp: Expressions._comprehension,
    ast.GeneratorExp: Expressions._comprehension,
    ast.DictComp: Expressions._comprehension,
}
"""Which method evaluates which kind of expression."""

REFUSED = (NotWorkedOut, *FOLD_ERRORS)
"""What evaluating raises when a value is not known."""
