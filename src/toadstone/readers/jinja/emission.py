"""What a part of a template writes: its literal text, and whether the conversation's text goes through it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jinja2 import nodes

from toadstone.core.record import dataclass
from toadstone.readers.jinja.rewrite import keywords, operands

if TYPE_CHECKING:
    from toadstone.readers.jinja.flow import Analysis

_PIECES = 64
_LENGTH = 4096
_SILENT_CALLS = frozenset(
    {"raise_exception", "range", "strftime_now", "startswith", "endswith", "find", "rfind", "count", "index"}
)
_SUBJECT_CALLS = frozenset({"split", "rsplit", "strip", "lstrip", "rstrip", "get", "pop"})
_TEXT_FILTERS = frozenset({"default", "d", "join", "format"})


@dataclass(frozen=True)
class Emission:
    """What a part of a template writes.

    Attributes:
        pieces: Literal texts, bounded.
        speaks: Whether text of the conversation is written.
        cuts: Whether messages or their text are replaced by less.
    """

    pieces: tuple[str, ...] = ()
    speaks: bool = False
    cuts: bool = False

    def beside(self, others: list[Emission]) -> str:
        """Join the pieces that the other parts do not write as well."""
        common = {piece for other in others for piece in other.pieces}
        return "\n".join(piece for piece in self.pieces if piece not in common)[:_LENGTH]


NOTHING = Emission()


class Emissions:
    """Collects what parts of one template write; the results hold for one pass of its analysis."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._known: dict[int, Emission] = {}

    def of(self, part: list[nodes.Node] | nodes.Node | None) -> Emission:
        """Give what a body or an expression writes."""
        if part is None:
            return NOTHING
        if id(part) not in self._known:
            self._analysis.spend()
            self._known[id(part)] = NOTHING
            self._known[id(part)] = self._body(part) if isinstance(part, list) else self._expression(part)
        return self._known[id(part)]

    def _body(self, body: list[nodes.Node]) -> Emission:
        return _merged(self._statement(node) for node in body)

    def _statement(self, node: nodes.Node) -> Emission:
        if isinstance(node, nodes.Output):
            return _merged(self.of(child) for child in node.nodes)
        if isinstance(node, nodes.Assign):
            written = self.of(node.node)
            return Emission(written.pieces, speaks=False, cuts=self._cuts(node))
        if isinstance(node, nodes.ExprStmt):
            return self.of(node.node)
        if isinstance(node, nodes.If):
            return _merged([self.of(node.body), *(self.of(branch.body) for branch in node.elif_), self.of(node.else_)])
        if isinstance(node, nodes.For):
            return _merged([self.of(node.body), self.of(node.else_)])
        if isinstance(
            node, (nodes.Scope, nodes.With, nodes.FilterBlock, nodes.Block, nodes.CallBlock, nodes.ScopedEvalContextModifier)
        ):
            return self.of(node.body)
        if isinstance(node, nodes.AssignBlock):
            return Emission(self.of(node.body).pieces)
        return NOTHING

    def _cuts(self, node: nodes.Assign) -> bool:
        """Whether an assignment takes messages away or empties their text."""
        if not isinstance(node.target, nodes.Name) or (variable := self._analysis.variables.get(node.target.name)) is None:
            return False
        if isinstance(node.node, nodes.Getitem) and isinstance(node.node.arg, nodes.Slice):
            return self._analysis.flow(node.node).kind == "messages"
        empties = isinstance(node.node, (nodes.Const, nodes.List)) and self._analysis.folder.fold(node.node)[:1] in ([""], [[]])
        return empties and variable.flow.kind in {"text", "messages"}

    def _expression(self, node: nodes.Node) -> Emission:
        return Emission(tuple(dict.fromkeys(self._texts(node)))[:_PIECES], self._analysis.flow(node).kind == "text")

    def _texts(self, node: nodes.Node) -> Iterable[str]:
        """List the literal texts that an expression may give."""
        if isinstance(node, (nodes.Const, nodes.TemplateData)):
            text = node.data if isinstance(node, nodes.TemplateData) else node.value
            return [text] if isinstance(text, str) and text.strip() else []
        if isinstance(node, (nodes.Name, nodes.Getattr)):
            return self._words(node)
        if isinstance(node, nodes.Filter):
            return self._filtered(node)
        if isinstance(node, nodes.Call):
            return self._called(node)
        folded = self._analysis.folder.text(node) if isinstance(node, _BUILT) else []
        return folded or self._all(_parts(node))

    def _all(self, parts: Iterable[nodes.Node | None]) -> list[str]:
        found: list[str] = []
        for part in parts:
            if part is not None and len(found) < _PIECES:
                found += self.of(part).pieces if isinstance(part, nodes.Expr) else []
        return found

    def _words(self, node: nodes.Name | nodes.Getattr) -> list[str]:
        name = self._analysis.variable_name(node)
        variable = self._analysis.variables.get(name) if name else None
        return variable.words if variable is not None else []

    def _filtered(self, node: nodes.Filter) -> list[str]:
        folded = self._analysis.folder.text(node)
        if folded:
            return [text for text in folded if text.strip()]
        arguments = node.args if node.name in _TEXT_FILTERS else node.args[1:2] if node.name == "replace" else []
        return self._all([node.node, *arguments])

    def _called(self, node: nodes.Call) -> list[str]:
        callee = node.node
        name = callee.name if isinstance(callee, nodes.Name) else callee.attr if isinstance(callee, nodes.Getattr) else ""
        if name in _SILENT_CALLS:
            return []
        if name in _SUBJECT_CALLS:
            return self._all([callee.node]) if isinstance(callee, nodes.Getattr) else []
        if isinstance(callee, nodes.Name) and (macro := self._analysis.macros.get(name)) is not None:
            return [*self.of(macro.body).pieces, *self._all([*node.args, *(value for _, value in keywords(node))])]
        arguments = node.args[1:2] if name == "replace" else [*node.args, *(value for _, value in keywords(node))]
        return self._all([callee.node, *arguments] if isinstance(callee, nodes.Getattr) else arguments)


_BUILT = (nodes.Concat, nodes.Add, nodes.Or, nodes.And, nodes.Getitem, nodes.Mod, nodes.Mul)


def _parts(node: nodes.Node) -> list[nodes.Node | None]:
    """List the parts of an expression whose text may become its text."""
    if isinstance(node, (nodes.Concat, nodes.Add, nodes.Or, nodes.And, nodes.Mod, nodes.Mul)):
        return list(operands(node))
    if isinstance(node, nodes.CondExpr):
        return [node.expr1, node.expr2]
    if isinstance(node, (nodes.List, nodes.Tuple)):
        return list(node.items)
    if isinstance(node, nodes.Dict):
        return [pair.value for pair in node.items]
    return [node.node] if isinstance(node, nodes.Getitem) else []


def _merged(parts: Iterable[Emission]) -> Emission:
    pieces: dict[str, None] = {}
    speaks = cuts = False
    for part in parts:
        speaks |= part.speaks
        cuts |= part.cuts
        for piece in part.pieces:
            if len(pieces) < _PIECES:
                pieces[piece] = None
    return Emission(tuple(pieces), speaks, cuts)
