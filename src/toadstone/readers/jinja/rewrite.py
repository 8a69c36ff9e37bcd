"""Write a syntax tree's expression back as source, for people to read; cut where it gets long."""

from __future__ import annotations

from typing import cast

from jinja2 import nodes

_BINARY = {
    nodes.Add: "+",
    nodes.Sub: "-",
    nodes.Mul: "*",
    nodes.Div: "/",
    nodes.FloorDiv: "//",
    nodes.Mod: "%",
    nodes.Pow: "**",
    nodes.Concat: "~",
    nodes.And: "and",
    nodes.Or: "or",
}
_COMPARE = {"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<=", "in": "in", "notin": "not in"}


class _Writer:
    def __init__(self, room: int) -> None:
        self.room = room
        self.parts: list[str] = []

    def put(self, *parts: str | nodes.Node | None) -> None:
        for part in parts:
            if self.room <= 0 or part is None:
                return
            if isinstance(part, str):
                self.parts.append(part[: self.room])
                self.room -= len(part)
            else:
                self.node(part)

    def node(self, node: nodes.Node) -> None:
        kind = type(node)
        if kind in _BINARY:
            assert isinstance(node, (nodes.BinExpr, nodes.Concat))
            chain = operands(node)
            for index, part in enumerate(chain):
                self.put(f" {_BINARY[kind]} " if index else "", part)
        elif (writer := getattr(self, f"_{kind.__name__.lower()}", None)) is not None:
            writer(node)
        else:
            self.put("…")

    def _items(self, items: list[nodes.Expr], opening: str, closing: str) -> None:
        self.put(opening)
        for index, item in enumerate(items):
            if self.room <= 0:
                break
            self.put(", " if index else "", item)
        self.put(closing)

    def _const(self, node: nodes.Const) -> None:
        value = node.value
        self.put(
            repr(value[: max(self.room, 0) + 1])
            if isinstance(value, str)
            else str(value)[:40]
            if not isinstance(value, int)
            else _number(value)
        )

    def _templatedata(self, node: nodes.TemplateData) -> None:
        self.put(repr(node.data[: max(self.room, 0) + 1]))

    def _name(self, node: nodes.Name) -> None:
        self.put(node.name)

    def _nsref(self, node: nodes.NSRef) -> None:
        self.put(node.name, ".", node.attr)

    def _getattr(self, node: nodes.Getattr) -> None:
        self.put(node.node, ".", node.attr)

    def _getitem(self, node: nodes.Getitem) -> None:
        self.put(node.node, "[", node.arg, "]")

    def _slice(self, node: nodes.Slice) -> None:
        self.put(node.start or "", ":", node.stop or "")
        if node.step is not None:
            self.put(":", node.step)

    def _compare(self, node: nodes.Compare) -> None:
        self.put(node.expr)
        for operand in node.ops:
            self.put(f" {_COMPARE.get(operand.op, operand.op)} ", operand.expr)

    def _not(self, node: nodes.Not) -> None:
        self.put("not (", node.node, ")")

    def _neg(self, node: nodes.Neg) -> None:
        self.put("-", node.node)

    def _condexpr(self, node: nodes.CondExpr) -> None:
        self.put(node.expr1, " if ", node.test)
        if node.expr2 is not None:
            self.put(" else ", node.expr2)

    def _tuple(self, node: nodes.Tuple) -> None:
        self._items(node.items, "(", ")")

    def _list(self, node: nodes.List) -> None:
        self._items(node.items, "[", "]")

    def _dict(self, node: nodes.Dict) -> None:
        self.put("{")
        for index, pair in enumerate(node.items):
            if self.room <= 0:
                break
            self.put(", " if index else "", pair.key, ": ", pair.value)
        self.put("}")

    def _arguments(self, node: nodes.Call | nodes.Filter | nodes.Test, force: bool) -> None:
        if not force and not node.args and not node.kwargs:
            return
        self.put("(")
        for index, argument in enumerate(node.args):
            self.put(", " if index else "", argument)
        for index, (name, value) in enumerate(keywords(node)):
            self.put(", " if index or node.args else "", name, "=", value)
        self.put(")")

    def _call(self, node: nodes.Call) -> None:
        self.put(node.node)
        self._arguments(node, force=True)

    def _filter(self, node: nodes.Filter) -> None:
        self.put(node.node or "", "|", node.name)
        self._arguments(node, force=False)

    def _test(self, node: nodes.Test) -> None:
        self.put(node.node, " is ", node.name)
        self._arguments(node, force=False)


def _number(value: int) -> str:
    return str(value) if value.bit_length() <= 128 else f"{hex(value)[:20]}…"


def keywords(node: nodes.Call | nodes.Filter | nodes.Test) -> list[tuple[str, nodes.Expr]]:
    """List the named arguments of a call, filter or test."""
    given = cast("list[nodes.Keyword]", node.kwargs)  # the parser makes keywords for all three
    return [(pair.key, pair.value) for pair in given]


def operands(node: nodes.BinExpr | nodes.Concat) -> list[nodes.Expr]:
    """List the operands of a chain of one operator, in order, without recursion."""
    if isinstance(node, nodes.Concat):
        return list(node.nodes)
    found: list[nodes.Expr] = []
    stack: list[nodes.Expr] = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, nodes.BinExpr) and type(top) is type(node):
            stack += [top.right, top.left]
        else:
            found.append(top)
    return found


def written(node: nodes.Node, room: int = 160) -> str:
    """Write a node as source on one line, at most about ``room`` characters."""
    writer = _Writer(room)
    writer.put(node)
    return " ".join("".join(writer.parts).split())
