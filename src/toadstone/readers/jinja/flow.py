"""How the conversation's text steers a template: an abstract run over its syntax tree.

Nothing is rendered. Every variable is followed through all its assignments at once (flow-insensitively), together with
the literals whose presence in the conversation decided about each assignment; after a few passes over the template the
conditions that depend on a literal are known, wherever the literal was compared. See arXiv 2602.04653.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import cast

from jinja2 import nodes

from toadstone.core.fact import Branch
from toadstone.readers.jinja.conditions import Conditions
from toadstone.readers.jinja.emission import Emission, Emissions
from toadstone.readers.jinja.fold import Folder
from toadstone.readers.jinja.origins import Origins
from toadstone.readers.jinja.parse import every, line_of
from toadstone.readers.jinja.rewrite import keywords, written
from toadstone.readers.jinja.values import NONE, NOWHERE, UNKNOWN, Flow, Needles, Variable, joined
from toadstone.readers.reader import Source

_PASSES = 3
_BRANCHES = 500
_NEEDLES = 16
_ARMS = 24
_SENTENCE = 24
"""Characters from which a literal of a macro that renders somebody's text is more than a label inside that text."""


class Analysis:
    """The abstract run over one template.

    Attributes:
        variables: What is known of every name; ``ns.x`` is the attribute of a namespace.
        macros: The template's macros.
        scope: Roles (comma-separated) whose message is being handled where the run stands.
    """

    def __init__(self, tree: nodes.Template, source: Source) -> None:
        self._tree = tree
        self._source = source
        self._spent = 0
        self._recorded: dict[tuple[int, str, str, str], Branch] = {}
        self.folder = Folder(tree)
        self.variables: dict[str, Variable] = {}
        self.macros = {node.name: node for node in every(tree) if isinstance(node, nodes.Macro)}
        self.scope = ""
        self._renew()

    def _renew(self) -> None:
        self.conditions = Conditions(self)
        self._origins = Origins(self)
        self._emissions = Emissions(self)
        self._rests: list[list[nodes.Node]] = []  # results are kept by identity, so what they belong to has to live

    def branches(self) -> list[Branch]:
        """Run the passes and give the branches that depend on the conversation's text."""
        for _ in range(_PASSES):
            self._renew()
            self._recorded.clear()
            self._block(self._tree.body, NONE)
        return list(self._recorded.values())

    def spend(self) -> None:
        """Account for one step of the analysis."""
        self._spent += 1
        if self._spent % 1024 == 0:
            self._source.budget.spend_steps(1024)

    def flow(self, node: nodes.Node | None) -> Flow:
        """Give where an expression's value comes from."""
        return self._origins.of(node)

    def variable_name(self, node: nodes.Node) -> str:
        """Give the name under which a variable or namespace attribute is known; empty if it is none."""
        if isinstance(node, nodes.Name):
            return node.name if node.name in self.variables else ""
        if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
            name = f"{node.node.name}.{node.attr}"
            return name if name in self.variables else ""
        return ""

    def is_role(self, node: nodes.Node) -> bool:
        """Whether an expression is the role of a message."""
        flow = self.flow(node)
        return flow.kind == "field" and flow.scope == "role"

    @contextmanager
    def speaking(self, roles: Iterable[str]) -> Iterator[None]:
        """Note whose message is handled inside the ``with`` block."""
        before = self.scope
        self.scope = ",".join(sorted(set(roles)))[:80] or before
        try:
            yield
        finally:
            self.scope = before

    # ---- statements

    def _block(self, body: list[nodes.Node], control: Needles) -> None:
        for index, node in enumerate(body):
            needles = self._statement(node, control)
            if needles and isinstance(node, nodes.If):  # the statement leaves the loop when they are absent
                rest = body[index + 1 :]
                self._rests.append(rest)
                self._record(node.test, needles, self._emissions.of(rest), [])
            control |= needles

    def _statement(self, node: nodes.Node, control: Needles) -> Needles:
        """Run one statement; give what must be present for the statements after it to run at all."""
        self.spend()
        if isinstance(node, nodes.If):
            return self._if(node, control)
        if isinstance(node, nodes.For):
            self._for(node, control)
        elif isinstance(node, nodes.Output):
            for child in node.nodes:
                self._expression(child)
        elif isinstance(node, nodes.ExprStmt):
            self._expression(node.node)
        elif isinstance(node, nodes.Assign):
            self._expression(node.node)
            self._bind(node.target, node.node, control)
        elif isinstance(node, _BODIES):
            self._enclosed(node, control)
        return NONE

    def _enclosed(self, node: nodes.Node, control: Needles) -> None:
        """Run a statement with a body that always runs."""
        if isinstance(node, nodes.With):
            for target, value in zip(node.targets, node.values, strict=False):
                self._bind(target, value, control)
        elif isinstance(node, nodes.CallBlock):
            self._expression(node.call)
        body = cast("list[nodes.Node]", getattr(node, "body", []))
        self._block(body, NONE if isinstance(node, nodes.Macro) else control)
        if isinstance(node, nodes.AssignBlock):
            self._assign_block(node, control)

    def _if(self, node: nodes.If, control: Needles) -> Needles:
        arms = [(node.test, node.body), *((branch.test, branch.body) for branch in node.elif_)]
        before: Needles = NONE
        known = [self._emissions.of(body) for _, body in arms[:_ARMS]]
        for index, (test, body) in enumerate(arms):
            positive, negative = self.conditions.when(test)  # first: it knows whose message the test is about
            self._expression(test)
            others = [*(other for place, other in enumerate(known) if place != index), self._emissions.of(node.else_)]
            self._record(test, positive | before, self._emissions.of(body), others)
            with self.speaking(self.conditions.roles(test)):
                self._block(body, control | positive | before)
            before |= negative
        self._record(node.test, before, self._emissions.of(node.else_), known)
        self._block(node.else_, control | before)
        jumps = any(isinstance(last, (nodes.Break, nodes.Continue)) for last in node.body[-1:])
        return self.conditions.when(node.test)[1] if jumps and not node.else_ else NONE

    def _for(self, node: nodes.For, control: Needles) -> None:
        self._expression(node.iter)
        flow = self.flow(node.iter)
        needles = flow.needles | (self.conditions.when(node.test)[0] if node.test is not None else NONE)
        self._spread(node.target, _element(flow))
        if needles:
            self._record(node.test or node.iter, needles, self._emissions.of(node.body), [self._emissions.of(node.else_)])
        with self.speaking(self.conditions.roles(node.test) if node.test is not None else ()):
            self._block(node.body, control | needles)
        self._block(node.else_, control)

    # ---- names

    def _variable(self, name: str) -> Variable:
        return self.variables.setdefault(name, Variable())

    def _bind(self, target: nodes.Node, value: nodes.Node, control: Needles) -> None:
        if isinstance(target, nodes.Tuple):
            if isinstance(value, (nodes.Tuple, nodes.List)):
                for part, item in zip(target.items, value.items, strict=False):
                    self._bind(part, item, control)
            else:
                self._spread(target, self.flow(value))
            return
        name = (
            target.name
            if isinstance(target, nodes.Name)
            else f"{target.name}.{target.attr}"
            if isinstance(target, nodes.NSRef)
            else ""
        )
        if not name:
            return
        self._assign(name, value, control)
        if isinstance(value, nodes.Call) and isinstance(value.node, nodes.Name) and value.node.name in {"namespace", "dict"}:
            for key, given in keywords(value):
                self._assign(f"{name}.{key}", given, control)

    def _assign(self, name: str, value: nodes.Node, control: Needles) -> None:
        variable = self._variable(name)
        flow = self.flow(value)
        if flow.kind in {"text", "part"} and not flow.scope and self.scope:
            flow = Flow(flow.kind, self.scope, flow.needles, flow.probes)
        positive, negative = self.conditions.when(value) if isinstance(value, _TRUTHS) else (NONE, NONE)
        if positive or negative:
            variable.assign(True, control | positive)
            variable.assign(False, control | negative)
        elif isinstance(value, nodes.Const):
            variable.assign(value.value, control)
        elif isinstance(value, nodes.CondExpr):
            when = self.conditions.when(value.test)
            for part, needles in zip((value.expr1, value.expr2), when, strict=True):
                variable.assign(part.value if isinstance(part, nodes.Const) else UNKNOWN, control | needles)
        else:
            variable.assign(UNKNOWN, control | (flow.needles if flow.kind != "text" else NONE))
        variable.flow = joined([variable.flow, flow])
        if isinstance(value, nodes.Expr):
            pieces = self._emissions.of(value).pieces
            rendered = isinstance(value, nodes.Call) and isinstance(value.node, nodes.Name) and flow.kind == "text"
            variable.hold([piece for piece in pieces if not rendered or len(piece) >= _SENTENCE])

    def _assign_block(self, node: nodes.AssignBlock, control: Needles) -> None:
        if isinstance(node.target, nodes.Name):
            variable = self._variable(node.target.name)
            emission = self._emissions.of(node.body)
            variable.assign(UNKNOWN, control)
            variable.hold(list(emission.pieces))
            if any(self.flow(child).kind == "text" for output in node.find_all(nodes.Output) for child in output.nodes):
                variable.flow = joined([variable.flow, Flow("text", self.scope)])

    def _spread(self, target: nodes.Node, flow: Flow) -> None:
        """Give a loop's or a tuple's names the origin of its elements."""
        for name in target.items if isinstance(target, nodes.Tuple) else [target]:
            if isinstance(name, nodes.Name) and flow is not NOWHERE:
                variable = self._variable(name.name)
                variable.assign(UNKNOWN, NONE)
                variable.flow = joined([variable.flow, flow])

    # ---- expressions

    def _expression(self, root: nodes.Node) -> None:
        """Look through an expression for choices that depend on the conversation, and bind macros' arguments."""
        for node in every(root):
            self.spend()
            if isinstance(node, nodes.CondExpr):
                positive, negative = self.conditions.when(node.test)
                parts = [self._emissions.of(node.expr1), self._emissions.of(node.expr2)]
                self._record(node.test, positive, parts[0], parts[1:])
                self._record(node.test, negative, parts[1], parts[:1])
            elif isinstance(node, nodes.And):
                self.conditions.when(node)
                self._record(node.left, self.conditions.when(node.left)[0], self._emissions.of(node.right), [])
            elif isinstance(node, nodes.Mul):
                self._record(node, self.flow(node).needles, self._emissions.of(node), [])
            elif isinstance(node, nodes.Getitem):
                self._table(node, node.node, node.arg)
            elif isinstance(node, nodes.Filter) and node.name == "replace":
                self._rewrite(node, node.node, node.args)
            elif isinstance(node, nodes.Call):
                self._call(node)

    def _call(self, node: nodes.Call) -> None:
        callee = node.node
        if isinstance(callee, nodes.Getattr) and callee.attr == "replace":
            self._rewrite(node, callee.node, node.args)
        elif isinstance(callee, nodes.Getattr) and callee.attr == "get" and node.args:
            self._table(node, callee.node, node.args[0])
        elif isinstance(callee, nodes.Name) and (macro := self.macros.get(callee.name)) is not None:
            for parameter, argument in zip(macro.args, node.args, strict=False):
                self._bind(parameter, argument, NONE)
            names = {parameter.name: parameter for parameter in macro.args}
            for key, value in keywords(node):
                if key in names:
                    self._bind(names[key], value, NONE)

    def _table(self, node: nodes.Expr, table: nodes.Expr, key: nodes.Expr) -> None:
        """Judge a literal table that is looked up by the conversation's text, or a list by a comparison's result."""
        flow = self.flow(key)
        if flow.kind == "text":
            for known in self.folder.fold(table):
                for needle, text in known.items() if isinstance(known, dict) else ():
                    self._add(node, str(needle), str(text), flow.scope or self.scope, "emit")
        elif flow.needles and isinstance(table, (nodes.List, nodes.Tuple)):
            self._record(node, flow.needles, self._emissions.of(table), [])

    def _rewrite(self, node: nodes.Expr, subject: nodes.Node | None, args: list[nodes.Expr]) -> None:
        flow = self.flow(subject)
        if flow.kind != "text" or len(args) < 2:
            return
        for old in self.folder.text(args[0])[:4]:
            for new in self.folder.text(args[1])[:4]:
                if new.strip() and old.strip():
                    self._add(node, old, new, flow.scope or self.scope, "rewrite")

    # ---- results

    def _record(self, test: nodes.Node, needles: Needles, emission: Emission, others: list[Emission]) -> None:
        if not needles:
            return
        text = emission.beside(others)
        drops = emission.cuts or (not emission.speaks and any(other.speaks for other in others))
        for needle in sorted(needles)[:_NEEDLES]:
            if text.strip():
                self._add(test, needle.text, text, needle.scope, "emit")
            elif drops:
                self._add(test, needle.text, "", needle.scope, "drop")

    def _add(self, node: nodes.Node, needle: str, emits: str, scope: str, effect: str) -> None:
        key = (line_of(node), needle, emits, effect)
        if len(self._recorded) < _BRANCHES:
            place = self._source.place.line(line_of(node))
            self._recorded.setdefault(key, Branch(place, written(node), needle, emits, scope, effect))


_BODIES = (
    nodes.AssignBlock,
    nodes.With,
    nodes.CallBlock,
    nodes.Macro,
    nodes.Scope,
    nodes.FilterBlock,
    nodes.Block,
    nodes.ScopedEvalContextModifier,
)
_TRUTHS = (nodes.Compare, nodes.Test, nodes.Not, nodes.And, nodes.Or, nodes.Call)


def _element(flow: Flow) -> Flow:
    """Give the origin of the elements of a value that is looped over."""
    kind = {"messages": "message", "text": "part" if not flow.probes else "text", "message": "field"}.get(flow.kind, flow.kind)
    return Flow(kind, flow.scope, NONE, flow.probes) if kind else NOWHERE
