"""Look-ups that matter: special names, computed names, files of the template loader, unknown filters and calls."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from toadstone.core.fact import Fact, Lookup
from toadstone.readers.jinja.fold import Folder
from toadstone.readers.jinja.names import (
    BUILTIN_FILTERS,
    BUILTIN_TESTS,
    CONTEXT,
    DUNDER,
    EXECUTION,
    INTROSPECTION,
    KNOWN_CALLS,
    SUSPECT_PIECE,
)
from toadstone.readers.jinja.parse import every, line_of
from toadstone.readers.jinja.rewrite import keywords, written
from toadstone.readers.reader import Source

_BUILDERS = (nodes.Concat, nodes.Add, nodes.Mul, nodes.Mod, nodes.Filter, nodes.Call)
_ATTRIBUTE_FILTERS = frozenset({"map", "selectattr", "rejectattr", "sort", "groupby", "sum", "unique", "min", "max"})


def lookups(source: Source, tree: nodes.Template) -> Iterator[Fact]:
    """Yield the look-ups of a template that a check should know of, in document order, each once a line."""
    found = _Finder(tree)
    seen: set[tuple[int, str, str]] = set()
    for node in every(tree):
        for kind, name, shown in found.of(node):
            key = (line_of(node), kind, name)
            if key not in seen:
                seen.add(key)
                yield Lookup(source.place.line(line_of(node)), written(shown), name, kind)


Seen = tuple[str, str, nodes.Node]
"""Kind, name, and the expression to show."""


class _Finder:
    def __init__(self, tree: nodes.Template) -> None:
        self._folder = Folder(tree)
        self._macros = {node.name for node in every(tree) if isinstance(node, nodes.Macro)}

    def of(self, node: nodes.Node) -> Iterator[Seen]:
        """Yield what one node (without its children) looks up."""
        if isinstance(node, nodes.Getattr):
            if notable(node.attr):
                yield "attribute", node.attr, node
        elif isinstance(node, nodes.Getitem):
            yield from self._item(node)
        elif isinstance(node, nodes.Filter):
            yield from self._filter(node)
        elif isinstance(node, nodes.Test) and node.name not in BUILTIN_TESTS:
            yield "test", node.name, node
        elif isinstance(node, nodes.Call):
            yield from self._call(node)
        elif isinstance(node, nodes.Name) and node.ctx == "load" and (node.name in CONTEXT or DUNDER.fullmatch(node.name)):
            yield "global", node.name, node
        elif isinstance(node, (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
            names = [
                name for value in self._folder.fold(node.template) for name in (value if isinstance(value, list) else [value])
            ]
            for name in names or [""]:
                yield "include", str(name), node.template
        else:
            yield from self._constant(node)

    def _item(self, node: nodes.Getitem) -> Iterator[Seen]:
        if isinstance(node.arg, nodes.Const):
            if isinstance(node.arg.value, str) and notable(node.arg.value):
                yield "item", node.arg.value, node
            return
        if isinstance(node.arg, nodes.Slice):
            return
        names = self._folder.text(node.arg)
        yield from (("item", name, node) for name in names if notable(name))
        if not names and isinstance(node.arg, _BUILDERS) and self._suspect(node.arg):
            yield "item", "", node

    def _suspect(self, expression: nodes.Expr) -> bool:
        """Whether a computed name that is not known is built from pieces of a special name."""
        pieces = [
            text for part in every(expression) if isinstance(part, (nodes.Const, nodes.Name)) for text in self._folder.text(part)
        ]
        return any(SUSPECT_PIECE.search(piece) for piece in pieces)

    def _filter(self, node: nodes.Filter) -> Iterator[Seen]:
        if node.name == "attr":
            names = self._folder.text(node.args[0]) if node.args else []
            for name in names or [""]:
                yield "attribute", name, node
        elif node.name in _ATTRIBUTE_FILTERS:
            yield from self._by_attribute(node)
        elif node.name not in BUILTIN_FILTERS:
            yield "filter", node.name, node
        if node.name == "format":
            yield from self._format(node, node.node)

    def _by_attribute(self, node: nodes.Filter) -> Iterator[Seen]:
        given = [value for name, value in keywords(node) if name == "attribute"]
        given += node.args
        for argument in given:
            for name in self._folder.text(argument):
                yield from (("attribute", part, node) for part in name.split(".") if notable(part))

    def _format(self, node: nodes.Expr, pattern: nodes.Node | None) -> Iterator[Seen]:
        for text in self._folder.text(pattern):
            yield from (("attribute", name, node) for name in DUNDER.findall(text))

    def _call(self, node: nodes.Call) -> Iterator[Seen]:
        callee = node.node
        if isinstance(callee, nodes.Getattr):
            if callee.attr in {"format", "format_map"}:
                yield from self._format(node, callee.node)
            if callee.attr not in KNOWN_CALLS or callee.attr in EXECUTION:
                yield "call", callee.attr, node
        elif isinstance(callee, nodes.Name):
            if callee.name not in KNOWN_CALLS and callee.name not in self._macros:
                yield "call", callee.name, node
        elif isinstance(callee, nodes.Getitem):
            names = self._folder.text(callee.arg)
            yield "call", names[0] if names else "", node
        else:
            yield "call", "", node

    def _constant(self, node: nodes.Node) -> Iterator[Seen]:
        """Yield special names that wait in constants, and those that concatenation makes."""
        if isinstance(node, nodes.Const):
            texts = [node.value] if isinstance(node.value, str) else []
        elif isinstance(node, (nodes.Concat, nodes.Add)):
            texts = self._folder.text(node)
        else:
            return
        for text in texts:
            if len(text) < 256:
                yield from (("constant", name, node) for name in DUNDER.findall(text))


def notable(name: str) -> bool:
    """Whether a name leads away from data: private, special, or an attribute of frames and code."""
    return name.startswith("_") or bool(INTROSPECTION.fullmatch(name) or DUNDER.search(name))
