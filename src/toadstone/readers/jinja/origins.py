"""Where an expression's value comes from: the messages, a message, its text, its structure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from toadstone.readers.jinja.fold import strings
from toadstone.readers.jinja.parse import children
from toadstone.readers.jinja.rewrite import keywords, operands
from toadstone.readers.jinja.values import NOWHERE, Flow, Needle, joined

if TYPE_CHECKING:
    from toadstone.readers.jinja.flow import Analysis

ROOTS = {
    "messages": "messages",
    "conversation": "messages",
    "conversations": "messages",
    "chat_history": "messages",
    "history": "messages",
    "documents": "text",
    "prompt": "text",
    "query": "text",
    "question": "text",
    "user_input": "text",
    "user_message": "text",
    "input_text": "text",
    "tools": "tools",
}
"""Variables that renderers fill with what people (or documents, or tools) say."""

STRUCTURE = frozenset(
    [
        "role",
        "type",
        "tool_calls",
        "tool_call_id",
        "tool_call",
        "function",
        "id",
        "weight",
        "arguments",
        "parameters",
        "index",
        "recipient",
        "channel",
        "tools",
    ]
)
"""Keys of a message that are structure, not text; comparing them is a template's ordinary work."""

_SEARCHES = frozenset(
    {
        "find",
        "rfind",
        "index",
        "rindex",
        "count",
        "split",
        "rsplit",
        "partition",
        "rpartition",
        "replace",
        "removeprefix",
        "removesuffix",
    }
)
_COUNTS = frozenset({"find", "rfind", "index", "rindex", "count", "length", "wordcount"})
_MEMBERS = frozenset({"first", "last", "random", "max", "min"})


class Origins:
    """Finds the origin of expressions of one template; the results hold for one pass of its analysis."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._known: dict[int, Flow] = {}

    def of(self, node: nodes.Node | None) -> Flow:
        """Give the origin of an expression's value."""
        if node is None:
            return NOWHERE
        if id(node) not in self._known:
            self._analysis.spend()
            self._known[id(node)] = NOWHERE
            self._known[id(node)] = self._find(node)
        return self._known[id(node)]

    def _find(self, node: nodes.Node) -> Flow:
        reader = _ORIGINS.get(type(node))
        if reader is not None:
            return reader(self, node)
        if isinstance(node, nodes.BinExpr):
            return joined([self.of(part) for part in operands(node)])
        return NOWHERE

    def _attribute(self, node: nodes.Getattr) -> Flow:
        return joined([self._variable(node), self._key(self.of(node.node), node.attr)])

    def _parts(self, node: nodes.Node) -> Flow:
        return joined([self.of(child) for child in children(node)])

    def _choice(self, node: nodes.CondExpr) -> Flow:
        needles = self._analysis.conditions.when(node.test)[0]
        return joined([self.of(node.expr1), self.of(node.expr2), Flow(needles=needles) if needles else NOWHERE])

    def _truth(self, node: nodes.Node) -> Flow:
        needles = self._analysis.conditions.when(node)[0]
        inner = [self.of(part) for part in operands(node)] if isinstance(node, (nodes.And, nodes.Or)) else []
        return joined([Flow(needles=needles), *inner]) if needles or inner else NOWHERE

    def _name(self, node: nodes.Name) -> Flow:
        name = node.name
        variable = self._analysis.variables.get(name)
        root = Flow(ROOTS[name], "documents" if name == "documents" else "") if name in ROOTS else NOWHERE
        return joined([root, variable.flow]) if variable is not None else root

    def _variable(self, node: nodes.Getattr) -> Flow:
        if isinstance(node.node, nodes.Name) and node.node.name == "loop":
            return (
                Flow("number")
                if node.attr in {"index", "index0", "revindex", "revindex0", "length"}
                else self._neighbour(node.attr)
            )
        name = self._analysis.variable_name(node)
        variable = self._analysis.variables.get(name) if name else None
        return variable.flow if variable is not None else NOWHERE

    def _neighbour(self, attribute: str) -> Flow:
        return Flow("message") if attribute in {"previtem", "nextitem"} else NOWHERE

    def _key(self, base: Flow, key: str) -> Flow:
        if base.kind in {"", "field", "number", "tools", "time", "random"}:
            return base if base.kind else (Flow(needles=base.needles) if base.needles else NOWHERE)
        if key in STRUCTURE:
            return Flow("field", key, base.needles)
        return Flow("text", base.scope or self._analysis.scope, base.needles)

    def _item(self, node: nodes.Getitem) -> Flow:
        base = self.of(node.node)
        if isinstance(node.arg, nodes.Slice):
            return base
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            return self._key(base, node.arg.value)
        index = self.of(node.arg)
        if base.kind == "messages":
            return Flow("message", base.scope, base.needles)
        if base.kind == "text" and index.kind != "text":
            return Flow("part" if not base.probes else "text", base.scope, base.needles, base.probes)
        if base.kind == "message":
            return Flow("text", base.scope or self._analysis.scope, base.needles)
        return base if base.kind else (Flow(needles=index.needles) if index.needles else NOWHERE)

    def _filter(self, node: nodes.Filter) -> Flow:
        base = self.of(node.node)
        if node.name in {"selectattr", "rejectattr", "select", "reject"}:
            return self._selected(node, base)
        if node.name == "map":
            named = [value for key, value in keywords(node) if key == "attribute"]
            names = [name for argument in named for name in self._analysis.folder.text(argument)]
            return (
                self._key(Flow("message", base.scope, base.needles), names[0])
                if base.kind in {"messages", "message"} and names
                else base
            )
        if node.name == "random":
            return Flow("random")
        arguments = joined([self.of(argument) for argument in node.args]) if node.name in {"default", "d", "join"} else NOWHERE
        return joined([self._moved(node.name, base, node.args), arguments])

    def _moved(self, name: str, base: Flow, args: list[nodes.Expr]) -> Flow:
        """Give the origin after a filter or method of this name."""
        if name in _MEMBERS and base.kind == "messages":
            return Flow("message", base.scope, base.needles)
        if name in {"tojson", "string", "values"} and base.kind in {"messages", "message", "part"}:
            return Flow("text", base.scope, base.needles)
        probes = base.probes
        if base.kind in {"text", "tools"} and name in _SEARCHES and args:
            probes |= frozenset(text[:200] for text in self._analysis.folder.text(args[0]) if text.strip())
        if name in _COUNTS and base.kind in {"text", "messages", "tools", "time"}:
            return Flow("number", base.scope, base.needles, probes)
        return Flow(base.kind, base.scope, base.needles, probes) if base is not NOWHERE else base

    def _selected(self, node: nodes.Filter, base: Flow) -> Flow:
        """Judge ``messages|selectattr('content', 'equalto', 'x')`` and its kin."""
        attributed = node.name.endswith("attr")
        texts = [[text for value in self._analysis.folder.fold(argument) for text in strings(value)] for argument in node.args]
        key = texts[0][0] if attributed and texts and texts[0] else ""
        if base.kind not in {"messages", "message", "text"} or (attributed and key.split(".")[0] in STRUCTURE):
            return base
        sought = [text for found in texts[(2 if attributed else 1) :] for text in found if text.strip()]
        scope = base.scope or self._analysis.scope
        needles = frozenset(Needle(text[:200], scope) for text in sought) if node.name.startswith("select") else frozenset()
        return Flow(base.kind, base.scope, base.needles | needles, base.probes | frozenset(sought))

    def _call(self, node: nodes.Call) -> Flow:
        callee = node.node
        if isinstance(callee, nodes.Name):
            return self._function(callee.name, node)
        if not isinstance(callee, nodes.Getattr):
            return NOWHERE
        base = self.of(callee.node)
        if callee.attr == "get" and node.args:
            names = self._analysis.folder.text(node.args[0])
            return self._key(base, names[0]) if names else (Flow("text", base.scope) if base.kind == "message" else base)
        if callee.attr in {"startswith", "endswith", "__contains__"}:
            needles = self._analysis.conditions.when(node)[0]
            return Flow(needles=needles) if needles else NOWHERE
        if callee.attr in {"join", "format"}:
            return joined([base, *(self.of(argument) for argument in node.args)])
        return self._moved(callee.attr, base, node.args)

    def _function(self, name: str, node: nodes.Call) -> Flow:
        if name in {"strftime_now", "now", "today"}:
            return Flow("time")
        if name in {"range", "namespace", "dict", "raise_exception"}:
            needles = frozenset(needle for argument in node.args for needle in self.of(argument).needles)
            return Flow("number" if name == "range" else "", needles=needles) if needles else NOWHERE
        given = joined([self.of(argument) for argument in [*node.args, *(value for _, value in keywords(node))]])
        return (
            Flow("text", given.scope, given.needles, given.probes)
            if given.kind in {"text", "part", "message", "messages"}
            else given
        )


_JOINING = (nodes.Concat, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Neg, nodes.Pos, nodes.Keyword)
_ORIGINS: dict[type[nodes.Node], Callable[[Origins, Any], Flow]] = {
    nodes.Name: Origins._name,  # noqa: SLF001
    nodes.Getattr: Origins._attribute,  # noqa: SLF001
    nodes.Getitem: Origins._item,  # noqa: SLF001
    nodes.Filter: Origins._filter,  # noqa: SLF001
    nodes.Call: Origins._call,  # noqa: SLF001
    nodes.CondExpr: Origins._choice,  # noqa: SLF001
    **dict.fromkeys((nodes.Compare, nodes.Test, nodes.Not, nodes.And, nodes.Or), Origins._truth),  # noqa: SLF001
    **dict.fromkeys(_JOINING, Origins._parts),  # noqa: SLF001
}
