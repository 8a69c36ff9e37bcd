"""Constant folding: what a template's expression is, when it can be known without running anything.

Attack templates build the names they look up (``'__cla' ~ 'ss__'``, ``dict(__class__=1)|join``, ``'%c'|format(95)``).
Folding follows variables, string building, and the filters and methods that move characters. A name may have been
assigned in several places, so an expression folds to several alternatives; none at all means that it is not known.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import nodes

from toadstone.readers.jinja.parse import every
from toadstone.readers.jinja.rewrite import operands

Known = list[Any]
"""Alternatives: plain Python strings, numbers, lists, tuples and dictionaries."""

_ALTERNATIVES = 8
_LENGTH = 1 << 16
_TOTAL = 16 << 20
_DEPTH = 24

_MAPPING = re.compile(r"%(?:\((\w+)\))?[-+ #0]*\d*(?:\.\d+)?([sdcrxXoiu%])")
_FIELD = re.compile(r"\{([^{}!:]*)(?:![rsa])?(?::[^{}]*)?\}")


class Folder:
    """Folds expressions of one template.

    Args:
        tree: The template; all its assignments are collected first.
    """

    def __init__(self, tree: nodes.Template) -> None:
        self._assigned: dict[str, list[nodes.Expr]] = {}
        self._known: dict[int, Known] = {}
        self._room = _TOTAL
        for node in every(tree):
            self._collect(node)

    def _collect(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Assign) and isinstance(node.node, nodes.Expr):
            self._bind(node.target, node.node)
        elif isinstance(node, nodes.With):
            for target, value in zip(node.targets, node.values, strict=False):
                if isinstance(value, nodes.Expr):
                    self._bind(target, value)
        elif isinstance(node, nodes.For) and isinstance(node.iter, (nodes.List, nodes.Tuple)):
            for item in node.iter.items[:64]:
                self._bind(node.target, item)
        elif isinstance(node, nodes.Macro):
            for name, default in zip(node.args[::-1], node.defaults[::-1], strict=False):
                self._bind(name, default)

    def _bind(self, target: nodes.Node, value: nodes.Expr) -> None:
        if isinstance(target, nodes.Name):
            self._assigned.setdefault(target.name, []).append(value)
            if isinstance(value, nodes.Call) and isinstance(value.node, nodes.Name) and value.node.name in {"namespace", "dict"}:
                for pair in value.kwargs:
                    self._assigned.setdefault(f"{target.name}.{pair.key}", []).append(pair.value)
        elif isinstance(target, nodes.NSRef):
            self._assigned.setdefault(f"{target.name}.{target.attr}", []).append(value)
        elif isinstance(target, nodes.Tuple) and isinstance(value, (nodes.Tuple, nodes.List)):
            for part, item in zip(target.items, value.items, strict=False):
                self._bind(part, item)

    def fold(self, node: nodes.Node | None, depth: int = 0) -> Known:
        """Give the values that an expression may have; empty when nothing is known."""
        if node is None or depth > _DEPTH:
            return []
        known = self._known.get(id(node))
        if known is None:
            self._known[id(node)] = []  # a name that is assigned from itself
            handler = _HANDLERS.get(type(node))
            known = _bounded(handler(self, node, depth + 1)) if handler is not None and self._room > 0 else []
            self._room -= sum(len(value) for value in known if isinstance(value, (str, list, dict)))
            self._known[id(node)] = known
        return known

    def text(self, node: nodes.Node | None) -> list[str]:
        """Give the strings that an expression may be."""
        return [value for value in self.fold(node) if isinstance(value, str)]

    def _const(self, node: nodes.Const, _depth: int) -> Known:
        return [node.value]

    def _data(self, node: nodes.TemplateData, _depth: int) -> Known:
        return [node.data]

    def _name(self, node: nodes.Name, depth: int) -> Known:
        return [value for bound in self._assigned.get(node.name, [])[:_ALTERNATIVES] for value in self.fold(bound, depth)]

    def _attribute(self, node: nodes.Getattr, depth: int) -> Known:
        if isinstance(node.node, nodes.Name) and (bound := self._assigned.get(f"{node.node.name}.{node.attr}")):
            return [value for expression in bound[:_ALTERNATIVES] for value in self.fold(expression, depth)]
        return [value[node.attr] for value in self.fold(node.node, depth) if isinstance(value, dict) and node.attr in value]

    def _sequence(self, node: nodes.List | nodes.Tuple, depth: int) -> Known:
        return self._product(list(node.items), depth, list)

    def _dict(self, node: nodes.Dict, depth: int) -> Known:
        keys = self._product([pair.key for pair in node.items], depth, list)
        values = self._product([pair.value for pair in node.items], depth, list)
        if not keys or not values:
            return []
        return [dict(zip(keys[0], values[0], strict=False))] if all(isinstance(key, (str, int)) for key in keys[0]) else []

    def _product(self, parts: list[nodes.Expr], depth: int, make: Callable[[tuple[Any, ...]], Any]) -> Known:
        if len(parts) > 512:
            return []
        folded = [self.fold(part, depth) for part in parts]
        if not all(folded):
            return []
        return [make(combination) for combination in itertools.islice(itertools.product(*folded), _ALTERNATIVES)]

    def _concat(self, node: nodes.Concat, depth: int) -> Known:
        return self._product(operands(node), depth, lambda parts: "".join(str(part) for part in parts)[:_LENGTH])

    def _add(self, node: nodes.Add, depth: int) -> Known:
        return self._product(operands(node), depth, _sum)

    def _mul(self, node: nodes.Mul, depth: int) -> Known:
        return self._product([node.left, node.right], depth, _times)

    def _mod(self, node: nodes.Mod, depth: int) -> Known:
        return self._product([node.left, node.right], depth, lambda pair: _percent(pair[0], pair[1]))

    def _sub(self, node: nodes.Sub, depth: int) -> Known:
        return self._product([node.left, node.right], depth, lambda pair: _sum((pair[0], _times((-1, pair[1])))))

    def _neg(self, node: nodes.Neg, depth: int) -> Known:
        return self._product([node.node], depth, lambda part: _times((-1, part[0])) if isinstance(part[0], int) else _NOTHING)

    def _cond(self, node: nodes.CondExpr, depth: int) -> Known:
        return self.fold(node.expr1, depth) + self.fold(node.expr2, depth)

    def _or(self, node: nodes.BinExpr, depth: int) -> Known:
        return [value for part in operands(node)[:_ALTERNATIVES] for value in self.fold(part, depth)]

    def _item(self, node: nodes.Getitem, depth: int) -> Known:
        bases = self.fold(node.node, depth)
        if isinstance(node.arg, nodes.Slice):
            parts = [node.arg.start, node.arg.stop, node.arg.step]
            limits = [self.fold(part, depth) if part is not None else [None] for part in parts]
            if not all(limits):
                return []
            cut = slice(*[limit[0] if isinstance(limit[0], int) else None for limit in limits])
            return [base[cut] for base in bases if isinstance(base, (str, list)) and cut.step != 0]
        return [found for base in bases for key in self.fold(node.arg, depth) for found in _get(base, key)]

    def _filter(self, node: nodes.Filter, depth: int) -> Known:
        if node.node is None:
            return []
        return self._apply(node.name, node.node, node.args, depth)

    def _call(self, node: nodes.Call, depth: int) -> Known:
        if isinstance(node.node, nodes.Name) and node.node.name == "dict":
            return self._product(
                [pair.value for pair in node.kwargs],
                depth,
                lambda values: dict(zip((pair.key for pair in node.kwargs), values, strict=False)),
            )
        if isinstance(node.node, nodes.Getattr):
            name = node.node.attr
            if name == "join":
                return self._product([node.node.node, *node.args], depth, lambda parts: _join(parts[1:] + parts[:1]))
            if name == "format":
                return self._product([node.node.node, *node.args], depth, _braces)
            return self._apply(name, node.node.node, node.args, depth)
        return []

    def _apply(self, name: str, subject: nodes.Expr, args: list[nodes.Expr], depth: int) -> Known:
        function = _FUNCTIONS.get(name)
        return self._product([subject, *args], depth, function) if function is not None else []


def strings(value: Any) -> list[str]:  # noqa: ANN401  (a folded value of any type)
    """List the strings of a folded value: itself, its items, or its keys."""
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, (list, tuple, dict)) else []


def _bounded(values: Known) -> Known:
    seen: Known = []
    for value in values:
        if value is not None and value is not _NOTHING and value not in seen:
            seen.append(value)
            if len(seen) == _ALTERNATIVES:
                break
    return seen


_NOTHING = object()


def _sum(parts: tuple[Any, ...]) -> Any:  # noqa: ANN401  (values of the template are of any type)
    if all(isinstance(part, str) for part in parts):
        return "".join(parts)[:_LENGTH]
    if all(isinstance(part, list) for part in parts):
        return [item for part in parts for item in part][:512]
    if all(isinstance(part, int) and abs(part) < 1 << 40 for part in parts):
        return sum(parts)
    return _NOTHING


def _times(pair: tuple[Any, ...]) -> Any:  # noqa: ANN401
    left, right = pair if isinstance(pair[1], int) else pair[::-1]
    if isinstance(left, str) and isinstance(right, int) and 0 <= right * len(left) <= _LENGTH:
        return left * right
    if isinstance(left, int) and isinstance(right, int) and max(abs(left), abs(right)) < 1 << 20:
        return left * right
    return _NOTHING


def _get(base: Any, key: Any) -> Known:  # noqa: ANN401
    if isinstance(base, dict) and isinstance(key, (str, int)) and key in base:
        return [base[key]]
    if isinstance(base, (str, list)) and isinstance(key, int) and -len(base) <= key < len(base):
        return [base[key]]
    return []


def _percent(pattern: Any, values: Any) -> Any:  # noqa: ANN401
    """Apply ``%`` formatting for the conversions that build names; widths are ignored so that they cost nothing."""
    if not isinstance(pattern, str):
        if isinstance(pattern, int) and isinstance(values, int) and values:
            return pattern % values
        return _NOTHING
    named = values if isinstance(values, dict) else {}
    given = iter(values if isinstance(values, list) else [values])

    def replace(found: re.Match[str]) -> str:
        if found[2] == "%":
            return "%"
        value = named.get(found[1], "") if found[1] else next(given, "")
        if found[2] == "c" and isinstance(value, int):
            return chr(value) if 0 <= value < 0x110000 else ""
        if found[2] in "xX" and isinstance(value, int):
            return format(value, found[2])[:64]
        return str(value)

    return _MAPPING.sub(replace, pattern)[:_LENGTH]


def _braces(parts: tuple[Any, ...]) -> Any:  # noqa: ANN401
    """Apply ``str.format`` for plain fields."""
    if not isinstance(parts[0], str):
        return _NOTHING
    automatic = itertools.count(1)

    def replace(found: re.Match[str]) -> str:
        name = found[1]
        index = int(name) + 1 if name.isdecimal() and len(name) < 4 else next(automatic) if not name else len(parts)
        if index >= len(parts):
            return ""
        value = parts[index]
        return chr(value) if found[0].endswith(":c}") and isinstance(value, int) and 0 <= value < 0x110000 else str(value)

    return _FIELD.sub(replace, parts[0])[:_LENGTH]


def _join(parts: tuple[Any, ...]) -> Any:  # noqa: ANN401
    items, glue = parts[0], str(parts[1]) if len(parts) > 1 else ""
    if isinstance(items, dict):
        items = list(items)
    return glue.join(str(item) for item in items)[:_LENGTH] if isinstance(items, (list, str)) else _NOTHING


def _replace(parts: tuple[Any, ...]) -> Any:  # noqa: ANN401
    if len(parts) < 3 or not all(isinstance(part, str) for part in parts[:3]) or not parts[1]:
        return _NOTHING
    return parts[0].replace(parts[1], parts[2])[:_LENGTH] if len(parts[0]) * (1 + len(parts[2])) < 1 << 22 else _NOTHING


def _reverse(parts: tuple[Any, ...]) -> Any:  # noqa: ANN401
    return parts[0][::-1] if isinstance(parts[0], (str, list)) else _NOTHING


def _items(parts: tuple[Any, ...]) -> Any:  # noqa: ANN401
    return list(parts[0])[:512] if isinstance(parts[0], (str, list, dict)) else _NOTHING


def _end(index: int) -> Callable[[tuple[Any, ...]], Any]:
    def pick(parts: tuple[Any, ...]) -> Any:  # noqa: ANN401
        items = list(parts[0]) if isinstance(parts[0], (str, list, dict)) else []
        return items[index] if items else _NOTHING

    return pick


def _string(method: Callable[[str], Any]) -> Callable[[tuple[Any, ...]], Any]:
    def apply(parts: tuple[Any, ...]) -> Any:  # noqa: ANN401
        return method(parts[0]) if isinstance(parts[0], str) else _NOTHING

    return apply


def _strip(parts: Sequence[Any]) -> Any:  # noqa: ANN401
    if not isinstance(parts[0], str):
        return _NOTHING
    return parts[0].strip(parts[1]) if len(parts) > 1 and isinstance(parts[1], str) else parts[0].strip()


def _split(parts: Sequence[Any]) -> Any:  # noqa: ANN401
    if not isinstance(parts[0], str):
        return _NOTHING
    return parts[0].split(parts[1])[:512] if len(parts) > 1 and isinstance(parts[1], str) and parts[1] else parts[0].split()[:512]


def _integer(parts: tuple[Any, ...]) -> Any:  # noqa: ANN401
    value = parts[0]
    if isinstance(value, str):
        return int(value) if value.isdecimal() and len(value) < 19 else 0
    return int(value) if isinstance(value, (bool, int)) else _NOTHING


def _size(parts: tuple[Any, ...]) -> Any:  # noqa: ANN401
    return len(parts[0]) if isinstance(parts[0], (str, list, dict)) else _NOTHING


_FUNCTIONS: dict[str, Callable[[tuple[Any, ...]], Any]] = {
    "join": _join,
    "replace": _replace,
    "reverse": _reverse,
    "list": _items,
    "first": _end(0),
    "last": _end(-1),
    "lower": _string(str.lower),
    "upper": _string(str.upper),
    "swapcase": _string(str.swapcase),
    "capitalize": _string(str.capitalize),
    "title": _string(str.title),
    "casefold": _string(str.casefold),
    "trim": _strip,
    "strip": _strip,
    "lstrip": _strip,
    "rstrip": _strip,
    "split": _split,
    "int": _integer,
    "length": _size,
    "count": _size,
    "string": lambda parts: str(parts[0])[:_LENGTH],
    "e": lambda parts: parts[0],
    "escape": lambda parts: parts[0],
    "safe": lambda parts: parts[0],
    "default": lambda parts: parts[0],
    "d": lambda parts: parts[0],
    "format": lambda parts: _percent(parts[0], list(parts[1:])),
    "__add__": _sum,
}

_HANDLERS: dict[type[nodes.Node], Callable[[Folder, Any, int], Known]] = {
    nodes.Const: Folder._const,  # noqa: SLF001
    nodes.TemplateData: Folder._data,  # noqa: SLF001
    nodes.Name: Folder._name,  # noqa: SLF001
    nodes.Getattr: Folder._attribute,  # noqa: SLF001
    nodes.Getitem: Folder._item,  # noqa: SLF001
    nodes.List: Folder._sequence,  # noqa: SLF001
    nodes.Tuple: Folder._sequence,  # noqa: SLF001
    nodes.Dict: Folder._dict,  # noqa: SLF001
    nodes.Concat: Folder._concat,  # noqa: SLF001
    nodes.Add: Folder._add,  # noqa: SLF001
    nodes.Sub: Folder._sub,  # noqa: SLF001
    nodes.Neg: Folder._neg,  # noqa: SLF001
    nodes.Mul: Folder._mul,  # noqa: SLF001
    nodes.Mod: Folder._mod,  # noqa: SLF001
    nodes.CondExpr: Folder._cond,  # noqa: SLF001
    nodes.Or: Folder._or,  # noqa: SLF001
    nodes.Filter: Folder._filter,  # noqa: SLF001
    nodes.Call: Folder._call,  # noqa: SLF001
}
