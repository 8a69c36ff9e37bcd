"""Expressions of a template worked out on what is known where they stand: one way, in order, by pure functions.

`toadstone.readers.jinja.fold` asks what an expression may be, whatever way leads to it. Here the template is followed as it
would be rendered, so that loops, namespaces and macros that put a text together piece by piece give that text.
"""

# ruff: noqa: ANN401, SLF001  (values of any type; the table of handlers names methods of its own class)
from __future__ import annotations

import urllib.parse
from collections.abc import Callable
from typing import Any

from jinja2 import nodes

from toadstone.forensics import methods
from toadstone.forensics.effort import Effort, NotWorkedOut
from toadstone.forensics.interpreter import NESTED, REFUSED, Steps
from toadstone.forensics.operators import binary, compare, unary
from toadstone.forensics.statements import Interpreter
from toadstone.readers.jinja.rewrite import keywords, operands

_SIGNS: dict[type[nodes.Node], str] = {
    nodes.Add: "+", nodes.Sub: "-", nodes.Mul: "*", nodes.Div: "/", nodes.FloorDiv: "//", nodes.Mod: "%", nodes.Pow: "**",
}  # fmt: skip
_COMPARE = {"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<=", "in": "in", "notin": "not in"}
_DECODING = {
    "b64decode": "base64.b64decode", "base64_decode": "base64.b64decode", "b64_decode": "base64.b64decode",
    "from_base64": "base64.b64decode", "base64decode": "base64.b64decode", "b32decode": "base64.b32decode",
    "hexdecode": "binascii.unhexlify", "unhexlify": "binascii.unhexlify", "from_hex": "binascii.unhexlify",
    "unquote": "urllib.parse.unquote", "urldecode": "urllib.parse.unquote", "url_decode": "urllib.parse.unquote",
    "unescape": "html.unescape", "chr": "builtins.chr", "ord": "builtins.ord", "abs": "builtins.abs", "int": "builtins.int",
    "float": "builtins.float", "string": "builtins.str", "sum": "builtins.sum", "list": "builtins.list",
    "length": "builtins.len", "count": "builtins.len", "min": "builtins.min", "max": "builtins.max", "round": "builtins.round",
}  # fmt: skip
"""Filters that stand for a pure function; those that decode are no part of Jinja but of many tools around it."""

_TEXT = frozenset("lower upper capitalize title swapcase casefold strip lstrip rstrip split center".split())
_ALIKE = frozenset({"e", "escape", "safe", "forceescape", "default", "d", "trim", "indent", "striptags", "wordwrap"})


class Namespace(dict[str, Any]):
    """``namespace(...)``: a dictionary whose entries are attributes."""


class Macro:
    """A macro, to be written out where it is called."""

    def __init__(self, node: nodes.Macro) -> None:
        self.node = node


class Expressions:
    """Works out expressions; names that hold nothing known raise `NotWorkedOut`."""

    def __init__(self, effort: Effort) -> None:
        self.effort = effort
        self.interpreter = Interpreter(effort)
        self.names: dict[str, Any] = {}
        self.level = 0

    def eval(self, node: nodes.Node | None) -> Any:
        """Give the value of an expression.

        Raises:
            NotWorkedOut: If it is not known.
        """
        method = _EXPRESSIONS.get(type(node)) if node is not None else None
        if method is None or self.level > NESTED:
            raise NotWorkedOut(type(node).__name__)
        self.effort.step()
        self.level += 1
        try:
            return self.effort.made(method(self, node))
        finally:
            self.level -= 1

    def try_eval(self, node: nodes.Node | None) -> tuple[bool, Any]:
        """Give whether an expression is known, and its value."""
        try:
            return True, self.eval(node)
        except REFUSED:
            return False, None

    def write_macro(self, macro: Macro, args: list[Any], kwargs: dict[str, Any]) -> str:
        """Give what a macro writes."""
        raise NotImplementedError

    @property
    def steps(self) -> Steps:
        """The steps that were taken."""
        return self.interpreter.steps

    def _const(self, node: nodes.Const) -> Any:
        return node.value

    def _data(self, node: nodes.TemplateData) -> Any:
        return node.data

    def _name(self, node: nodes.Name) -> Any:
        if node.name not in self.names:
            raise NotWorkedOut(node.name)
        return self.names[node.name]

    def _attribute(self, node: nodes.Getattr) -> Any:
        owner = self.eval(node.node)
        if isinstance(owner, dict) and node.attr in owner:
            return owner[node.attr]
        raise NotWorkedOut(node.attr)

    def _item(self, node: nodes.Getitem) -> Any:
        owner = self.eval(node.node)
        if isinstance(node.arg, nodes.Slice):
            parts = [self.eval(part) if part is not None else None for part in (node.arg.start, node.arg.stop, node.arg.step)]
            return self.interpreter.item(owner, slice(*parts))
        return self.interpreter.item(owner, self.eval(node.arg))

    def _sequence(self, node: nodes.List | nodes.Tuple) -> Any:
        return [self.eval(item) for item in node.items]

    def _dict(self, node: nodes.Dict) -> Any:
        made = {}
        for pair in node.items:
            key = self.eval(pair.key)
            self.effort.looked_into(key)
            made[key] = self.eval(pair.value)
        return made

    def _concat(self, node: nodes.Concat) -> str:
        self.steps.note("concatenation")
        return "".join([self._text(self.eval(part)) for part in operands(node)])

    def _text(self, value: Any) -> str:
        return value if isinstance(value, str) else str(self.interpreter.symbol("builtins.str", (value,), {}))

    def _operator(self, node: nodes.BinExpr) -> Any:
        sign = _SIGNS[type(node)]
        parts = (
            [self.eval(part) for part in operands(node)]
            if isinstance(node, nodes.Add)
            else [self.eval(node.left), self.eval(node.right)]
        )
        value = parts[0]
        for part in parts[1:]:
            given = tuple(part) if sign == "%" and isinstance(value, str) and isinstance(part, list) else part
            value = binary(self.effort, sign, value, given)
        if isinstance(value, str):
            self.steps.note("format" if sign == "%" else "concatenation")
        return value

    def _unary(self, node: nodes.UnaryExpr) -> Any:
        return unary(self.effort, {"Neg": "-", "Pos": "+", "Not": "not"}[type(node).__name__], self.eval(node.node))

    def _logic(self, node: nodes.BinExpr) -> Any:
        left = self.eval(node.left)
        return self.eval(node.right) if bool(left) is isinstance(node, nodes.And) else left

    def _compare(self, node: nodes.Compare) -> bool:
        left = self.eval(node.expr)
        for operand in node.ops:
            right = self.eval(operand.expr)
            if not compare(self.effort, _COMPARE[operand.op], left, right):
                return False
            left = right
        return True

    def _conditional(self, node: nodes.CondExpr) -> Any:
        return self.eval(node.expr1 if self.eval(node.test) else node.expr2)

    def _test(self, node: nodes.Test) -> bool:
        known, value = self.try_eval(node.node)
        if node.name in ("defined", "undefined") and known:
            return node.name == "defined"
        if not known or node.name not in _TESTS:
            raise NotWorkedOut(node.name)
        return bool(_TESTS[node.name](value))

    # filters, methods, functions

    def _filter(self, node: nodes.Filter) -> Any:
        if node.node is None:
            raise NotWorkedOut("a filter block")
        return self.apply(node.name, self.eval(node.node), node)

    def apply(self, name: str, value: Any, node: nodes.Filter | nodes.Call) -> Any:
        """Give what a filter makes of a value."""
        if name in _ALIKE:
            return value.strip() if name == "trim" and isinstance(value, str) and not node.args else value
        args = [self.eval(argument) for argument in node.args]
        kwargs = {name: self.eval(value) for name, value in keywords(node)}
        special = _FILTERS.get(name)
        if special is not None:
            return special(self, value, *args, **kwargs)
        if name in _DECODING:
            made = self.interpreter.solid(self.interpreter.symbol(_DECODING[name], (value, *args), kwargs))
            return made.decode("utf-8") if isinstance(made, bytes) else made
        if name in _TEXT:
            return methods.method(self.effort, self._text(value), name, tuple(args), kwargs)
        raise NotWorkedOut(name)

    def _call(self, node: nodes.Call) -> Any:
        if isinstance(node.node, nodes.Getattr):
            known, owner = self.try_eval(node.node.node)
            if not known:
                raise NotWorkedOut("an object")
            args = tuple(self.eval(argument) for argument in node.args)
            kwargs = {name: self.eval(value) for name, value in keywords(node)}
            return self.interpreter.solid(self.interpreter.method(owner, node.node.attr, args, kwargs))
        if isinstance(node.node, nodes.Name):
            args = tuple(self.eval(argument) for argument in node.args)
            kwargs = {name: self.eval(value) for name, value in keywords(node)}
            return self._function(node.node.name, args, kwargs)
        raise NotWorkedOut("a call")

    def _function(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        held = self.names.get(name)
        if isinstance(held, Macro):
            return self.write_macro(held, list(args), kwargs)
        if name in ("namespace", "dict") and held is None:
            base = dict(args[0]) if args and isinstance(args[0], dict) else {}
            return Namespace({**base, **kwargs})
        if name == "range" and held is None:
            return list(self.interpreter.items(self.interpreter.symbol("builtins.range", args, {})))
        if name in _DECODING and held is None:
            return self.interpreter.solid(self.interpreter.symbol(_DECODING[name], args, kwargs))
        raise NotWorkedOut(name)

    def _joined(self, value: Any, glue: Any = "", attribute: Any = None) -> str:
        self.steps.note("join")
        items = [item if attribute is None else self.interpreter.item(item, attribute) for item in self.interpreter.items(value)]
        return str(methods.method(self.effort, self._text(glue), "join", ([self._text(item) for item in items],), {}))

    def _replaced(self, value: Any, old: Any, new: Any, *count: Any) -> Any:
        self.steps.note("replace")
        return methods.method(self.effort, self._text(value), "replace", (self._text(old), self._text(new), *count), {})

    def _reversed(self, value: Any) -> Any:
        self.steps.note("reversed")
        return value[::-1] if isinstance(value, (str, list)) else list(self.interpreter.items(value))[::-1]

    def _formatted(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        self.steps.note("format")
        return binary(self.effort, "%", self._text(value), kwargs or tuple(args))

    def _mapped(self, value: Any, name: Any = None, *args: Any, attribute: Any = None) -> list[Any]:
        items = list(self.interpreter.items(value))
        if attribute is not None:
            return [self.interpreter.item(item, attribute) for item in items]
        given = [nodes.Const(argument) for argument in args]
        return [self.apply(str(name), item, nodes.Filter(None, str(name), given, [], None, None)) for item in items]

    def _sorted(self, value: Any, reverse: Any = False, *_rest: Any, **_named: Any) -> list[Any]:
        return list(self.interpreter.symbol("builtins.sorted", (value,), {"reverse": reverse}))

    def _batched(self, value: Any, size: Any, fill: Any = None) -> list[Any]:
        items = list(self.interpreter.items(value))
        del fill
        if not isinstance(size, int) or size < 1:
            raise NotWorkedOut("size")
        return [items[start : start + size] for start in range(0, len(items), size)]


_FILTERS: dict[str, Callable[..., Any]] = {
    "join": Expressions._joined,
    "replace": Expressions._replaced,
    "reverse": Expressions._reversed,
    "format": Expressions._formatted,
    "map": Expressions._mapped,
    "sort": Expressions._sorted,
    "batch": Expressions._batched,
    "first": lambda _work, value: next(iter(value)),
    "last": lambda _work, value: list(value)[-1],
    "items": lambda _work, value: [list(pair) for pair in value.items()],
    "unique": lambda _work, value: list(dict.fromkeys(value)),
    "urlencode": lambda _work, value: urllib.parse.quote(str(value)),
    "rot13": lambda work, value: work.interpreter.symbol("codecs.decode", (value, "rot13"), {}),
}
_TESTS: dict[str, Callable[[Any], Any]] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, (int, float)),
    "integer": lambda value: isinstance(value, int),
    "none": lambda value: value is None,
    "true": lambda value: value is True,
    "false": lambda value: value is False,
    "mapping": lambda value: isinstance(value, dict),
    "sequence": lambda value: isinstance(value, (list, str, dict)),
    "iterable": lambda value: isinstance(value, (list, str, dict)),
    "odd": lambda value: value % 2,
    "even": lambda value: not value % 2,
}
_EXPRESSIONS: dict[type[nodes.Node], Callable[[Expressions, Any], Any]] = {
    nodes.Const: Expressions._const,
    nodes.TemplateData: Expressions._data,
    nodes.Name: Expressions._name,
    nodes.Getattr: Expressions._attribute,
    nodes.Getitem: Expressions._item,
    nodes.List: Expressions._sequence,
    nodes.Tuple: Expressions._sequence,
    nodes.Dict: Expressions._dict,
    nodes.Concat: Expressions._concat,
    **dict.fromkeys(_SIGNS, Expressions._operator),
    **dict.fromkeys((nodes.Neg, nodes.Pos, nodes.Not), Expressions._unary),
    nodes.And: Expressions._logic,
    nodes.Or: Expressions._logic,
    nodes.Compare: Expressions._compare,
    nodes.CondExpr: Expressions._conditional,
    nodes.Test: Expressions._test,
    nodes.Filter: Expressions._filter,
    nodes.Call: Expressions._call,
}
