"""Look-ups that matter: special names, computed names, files of the template loader, unknown filters and calls."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from toadstone.core.fact import Fact, Lookup
from toadstone.intel.wording import words
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
_VALUES = (nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Call, nodes.Filter)
_PROSE = 2
"""Words beside a special name from which a constant talks about it; a constant that is to be one is that name alone."""
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
        self._inert = {id(part) for node in every(tree) for part in _only_named(node)}

    def of(self, node: nodes.Node) -> Iterator[Seen]:
        """Yield what one node (without its children) looks up."""
        if isinstance(node, nodes.Getattr):
            if notable(node.attr):
                yield "class" if self._asks_type(node) else "attribute", node.attr, node
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
        if not names and (_nothing_to_index(node.node) or (isinstance(node.arg, _BUILDERS) and self._suspect(node.arg))):
            yield "item", "", node

    def _asks_type(self, node: nodes.Getattr) -> bool:
        """Whether this is ``value.__class__`` for its name or for a test, from which nothing is reached."""
        return node.attr == "__class__" and isinstance(node.node, _VALUES) and id(node) in self._inert

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
            if not isinstance(callee.arg, nodes.Const):
                yield from (("attribute", name, node) for name in names if name in EXECUTION)
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
            if len(text) < 256 and words(DUNDER.sub(" ", text)) < _PROSE:
                yield from (("constant", name, node) for name in DUNDER.findall(text))


def _only_named(node: nodes.Node) -> list[nodes.Node]:
    """List the parts of a node that are only named, tested or printed there."""
    if isinstance(node, nodes.Getattr) and node.attr in {"__name__", "__qualname__"}:
        return [node.node]
    if isinstance(node, nodes.Test) and not node.args:
        return [node.node]
    if isinstance(node, nodes.Compare):
        return [node.expr, *(operand.expr for operand in node.ops)]
    return list(node.nodes) if isinstance(node, nodes.Output) else []


def _nothing_to_index(node: nodes.Node) -> bool:
    """Whether a value has no items of its own, so that brackets can only mean an attribute of it."""
    if isinstance(node, nodes.Const):
        return not isinstance(node.value, str) or not node.value
    return isinstance(node, (nodes.Tuple, nodes.List, nodes.Dict)) and not node.items


def notable(name: str) -> bool:
    """Whether a name leads away from data: private, special, or an attribute of frames and code."""
    return name.startswith("_") or bool(INTROSPECTION.fullmatch(name) or DUNDER.search(name))
