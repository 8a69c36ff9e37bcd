"""Programs of ``torch.export`` in JSON: what loading evaluates, and what running calls.

``torch.export.load`` resolves the target of every node by attributes of ``torch``, ``operator`` or ``math``, which reach further
than the operators below ``torch.ops``; it hands symbolic expressions to ``sympy.sympify``, which evaluates them as Python; guards
are compiled as Python. Source: ``torch/_export/serde/serialize.py`` of PyTorch 2.13.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from toadstone.core.blob import BytesBlob
from toadstone.core.fact import Call, Fact, Import, Moment, Operator
from toadstone.core.value import Symbol, Value
from toadstone.readers.configuration.pictures import symbol
from toadstone.readers.reader import Source

if TYPE_CHECKING:
    import ast

_OPERATOR = re.compile(r"torch\.ops\.([A-Za-z_]\w*)\.([A-Za-z_]\w*)(?:\.[A-Za-z_]\w*)?")
_PLAIN = re.compile(r"(?:_operator|math)\.[A-Za-z_]\w*|torch\._?sym_\w+|torch\._C\._\w+")
_BUILTINS = r"\b(?:eval|exec|open|getattr|compile|globals|chr)\s*\("
_PYTHON = re.compile(rf"__|\blambda\b|\bimport\b|{_BUILTINS}|[\w)\]]\s*\.\s*[A-Za-z_]")
"""What no arithmetic needs: attributes, builtins."""

_FUNCTIONS = frozenset({
    "floor", "ceiling", "sqrt", "cbrt", "exp", "log", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh",
    "tanh", "sign", "gcd", "lcm", "abs", "min", "max", "round", "pow", "int", "float", "true", "false",
})  # fmt: skip
_NAMING = frozenset({"Symbol", "Dummy", "Integer", "Float", "Rational"})
"""Constructors of sympy that take a text and do not evaluate it."""

_LONGEST = 1 << 14
_DEEPEST = 200

_NODES = 1 << 22
_TOLD = 1 << 12


def is_program(document: dict[str, Any]) -> bool:
    """Whether a document is an exported program."""
    return isinstance(document.get("graph_module"), dict) and "schema_version" in document


def exported(source: Source, document: dict[str, Any]) -> Iterator[Fact]:
    """Yield what a program calls and what loading it evaluates."""
    told: set[str] = set()
    stack: list[Any] = [document]
    for _ in range(_NODES):
        if not stack:
            break
        node = stack.pop()
        if isinstance(node, dict):
            yield from _node(source, node, told)
            stack.extend(value for value in node.values() if isinstance(value, (dict, list)))
        elif isinstance(node, list):
            stack.extend(value for value in node if isinstance(value, (dict, list)))
    guards = document.get("guards_code")
    lines = [line for line in guards if isinstance(line, str)] if isinstance(guards, list) else []
    if lines:
        yield source.member("guards_code", BytesBlob("\n".join(lines).encode("utf-8", "replace")), "python")


def is_python(expression: str) -> bool:
    """Whether an expression is more than the arithmetic of symbols that ``sympy.srepr`` and ``str`` write."""
    if len(expression) > _LONGEST or expression.count("(") > _DEEPEST or expression.count("[") > 0:
        return bool(_PYTHON.search(expression)) or "[" in expression
    import ast  # noqa: PLC0415  (only for exported programs)

    try:
        tree = ast.parse(expression, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return bool(_PYTHON.search(expression))
    named: set[int] = set()
    return any(_acts(node, named) for node in ast.walk(tree))  # parents come before their children


def _acts(node: ast.AST, named: set[int]) -> bool:
    """Whether one node of an expression is no arithmetic; remembers the texts that only name a symbol."""
    import ast  # noqa: PLC0415

    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in _NAMING:
            named.update(id(item) for item in node.args)
        return not (name[:1].isupper() and name != "S") and name not in _FUNCTIONS
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (str, bytes)) and id(node) not in named
    if isinstance(node, ast.Name):
        return "__" in node.id
    plain = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Tuple, ast.keyword)
    return not isinstance(node, (*plain, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context))


def _node(source: Source, node: dict[str, Any], told: set[str]) -> Iterator[Fact]:
    target, expression = node.get("target"), node.get("expr_str")
    if len(told) > _TOLD:
        return
    if len(told) == _TOLD:
        told.add("")
        yield source.unread(f"more than {_TOLD:,} different functions and expressions; the rest is not judged")
        return
    if isinstance(target, str) and isinstance(node.get("inputs"), list) and target not in told:
        told.add(target)
        yield from _target(source, target[:400], node["inputs"])
    if isinstance(expression, str) and expression not in told and is_python(expression):
        told.add(expression)
        evaluated = Symbol("builtins", "eval")
        yield Import(source.place, evaluated, "expr_str", "config")
        yield Call(source.place, evaluated, (expression[:4096],), (), "expr_str", "config")


def _target(source: Source, target: str, inputs: list[Any]) -> Iterator[Fact]:
    texts: list[tuple[str, Value]] = []
    for entry in inputs[:64]:
        given = entry.get("arg") if isinstance(entry, dict) else None
        for value in given.values() if isinstance(given, dict) else ():
            found = value if isinstance(value, list) else [value]
            texts += [(str(entry.get("name", ""))[:100], text[:2048]) for text in found[:64] if isinstance(text, str)]
    if match := _OPERATOR.fullmatch(target):
        yield Operator(source.place, f"torchscript:ops.{match[1]}", match[2], target.removeprefix("torch."), tuple(texts[:64]))
    elif target.startswith("#"):
        yield Operator(source.place, "torch.extension", target[1:], target, tuple(texts[:64]))
    elif target.startswith(("torch", "_operator", "math")) and not _PLAIN.fullmatch(target):
        callee = symbol(target)
        yield Import(source.place, callee, "target", "config")
        yield Call(source.place, callee, tuple(text for _, text in texts[:64]), (), "target", "config", Moment.USE)
