"""What a template writes, as far as it can be told without the conversation: its text, put together as rendering would.

The template is followed once, in order. What depends on the conversation leaves a gap in the text; of choices that are not
known every way is followed, one after the other; of loops over what is not known one turn. Addresses that show only in what
comes out, and nowhere in the template as it is written, are reported with the stages that led there.
"""

# ruff: noqa: ANN401, SLF001  (values of any type; the table of handlers names methods of its own class)
from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

from jinja2 import nodes

from toadstone.core.fact import Moment, Stage
from toadstone.forensics.candidates import SHORTEST, may_hold
from toadstone.forensics.content import Content, content_of
from toadstone.forensics.effort import Effort, NotWorkedOut
from toadstone.forensics.interpreter import REFUSED, Steps
from toadstone.forensics.unwrap import unwrap
from toadstone.readers.jinja.parse import every, line_of
from toadstone.readers.jinja.working import Expressions, Macro, Namespace
from toadstone.readers.reader import Source

GAP = "\0"
_STATEMENTS = 40_000
_CALLS = 16
_TURNS = 4096
_VALUES = 2000


class _Left(Exception):  # noqa: N818  (control flow)
    """``break`` or ``continue``."""


class Writer(Expressions):
    """Follows one template.

    Attributes:
        parts: What was written so far, with gaps.
        values: Texts that were worked out on the way, with their line and steps.
    """

    def __init__(self) -> None:
        super().__init__(Effort(200_000, 8 << 20))
        self.parts: list[str] = []
        self.values: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.depth = 0
        self.line = 0

    def block(self, body: list[nodes.Node]) -> None:
        """Follow statements."""
        for node in body:
            self.effort.step()
            method = _HANDLERS.get(type(node))
            if method is not None:
                method(self, node)
            else:
                self.parts.append(GAP)

    def note(self, value: Any, node: nodes.Node) -> None:
        """Remember a text that was worked out."""
        if isinstance(value, str) and len(value) >= 7 and len(self.values) < _VALUES:
            self.values.setdefault(value, (line_of(node), tuple(reversed(self.steps.taken))))

    def _output(self, node: nodes.Output) -> None:
        for child in node.nodes:
            if isinstance(child, nodes.TemplateData):
                self.parts.append(child.data)
                continue
            self.interpreter.steps = Steps()
            known, value = self.try_eval(child)
            if known and isinstance(value, (str, int, float)):
                self.note(value, child)
                self.parts.append(str(value) if isinstance(value, str) or abs(value) < 1 << 64 else GAP)
            else:
                self.parts.append(GAP)

    def _bind(self, target: nodes.Node, value: Any, known: bool) -> None:
        if isinstance(target, nodes.Name):
            if known:
                self.names[target.name] = value
            else:
                self.names.pop(target.name, None)
        elif isinstance(target, nodes.NSRef):
            owner = self.names.get(target.name)
            if isinstance(owner, dict):
                if known:
                    owner[target.attr] = value
                else:
                    owner.pop(target.attr, None)
        elif isinstance(target, nodes.Tuple):
            items = value if known and isinstance(value, (list, tuple, str)) and len(value) == len(target.items) else None
            for index, part in enumerate(target.items):
                self._bind(part, items[index] if items is not None else None, items is not None)

    def _assign(self, node: nodes.Assign) -> None:
        self.interpreter.steps = Steps()
        known, value = self.try_eval(node.node)
        if known:
            self.note(value, node)
        self._bind(node.target, value, known)

    def _assign_block(self, node: nodes.AssignBlock) -> None:
        text = self._captured(node.body)
        if node.filter is not None and GAP not in text:
            self._bind(node.target, None, known=False)
        else:
            self.note(text, node)
            self._bind(node.target, text, GAP not in text)

    def _captured(self, body: list[nodes.Node]) -> str:
        outer, self.parts = self.parts, []
        try:
            self.block(body)
            made = "".join(self.parts)
            self.effort.hold(len(made))
            return made
        finally:
            self.parts = outer

    def _if(self, node: nodes.If) -> None:
        arms = [(node.test, node.body), *((branch.test, branch.body) for branch in node.elif_)]
        for test, body in arms:
            known, value = self.try_eval(test)
            if known and not value:
                continue
            self._arm(body, certain=known)
            if known:
                return
        self._arm(node.else_, certain=True)

    def _arm(self, body: list[nodes.Node], *, certain: bool) -> None:
        if not certain:
            self.parts.append(GAP)
        try:
            self.block(body)
        except _Left:
            if certain:
                raise
        if not certain:
            self.parts.append(GAP)

    def _for(self, node: nodes.For) -> None:
        known, value = self.try_eval(node.iter)
        items = list(value) if known and isinstance(value, (list, tuple, str, dict)) and len(value) <= _TURNS else None
        before = self.names.copy()
        if items is None:
            self._bind(node.target, None, known=False)
            self.parts.append(GAP)
        for index, item in enumerate(items if items is not None else [None]):
            if items is not None:
                self._bind(node.target, item, known=True)
                self.names["loop"] = _loop(index, len(items))
            try:
                if node.test is None or self.try_eval(node.test)[1] is not False:
                    self.block(node.body)
            except _Left as left:
                if str(left) == "break":
                    break
        if items is None:
            self.parts.append(GAP)
        self.names = before  # what a loop sets is gone behind it; namespaces stay
        if items is not None and not items:
            self.block(node.else_)

    def _macro(self, node: nodes.Macro) -> None:
        self.names[node.name] = Macro(node)

    def write_macro(self, macro: Macro, args: list[Any], kwargs: dict[str, Any]) -> str:
        if self.depth >= _CALLS:
            raise NotWorkedOut("macros inside each other")
        before = self.names.copy()
        names = [parameter.name for parameter in macro.node.args]
        for name, default in zip(reversed(names), reversed(macro.node.defaults), strict=False):
            known, value = self.try_eval(default)
            if known:
                self.names[name] = value
        self.names.update(zip(names, args, strict=False))
        self.names.update(kwargs)
        self.depth += 1
        try:
            text = self._captured(macro.node.body)
        finally:
            self.depth -= 1
            self.names = before
        if GAP in text:
            raise NotWorkedOut("a macro that writes what is not known")
        return text

    def _with(self, node: nodes.With) -> None:
        before = self.names.copy()
        for target, value in zip(node.targets, node.values, strict=False):
            known, held = self.try_eval(value)
            self._bind(target, held, known)
        self.block(node.body)
        self.names = before

    def _filter_block(self, node: nodes.FilterBlock) -> None:
        text = self._captured(node.body)
        try:
            made = self._through(node.filter, text) if GAP not in text else GAP
        except REFUSED:
            made = GAP
        self.note(made, node)
        self.parts.append(made)

    def _through(self, node: nodes.Filter, text: str) -> str:
        value = self._through(node.node, text) if isinstance(node.node, nodes.Filter) else text
        made = self.apply(node.name, value, node)
        return made if isinstance(made, str) else GAP

    def _scope(self, node: Any) -> None:
        self.block(node.body)

    def _do(self, node: nodes.ExprStmt) -> None:
        known, _ = self.try_eval(node.node)
        call = node.node
        if (
            not known
            and isinstance(call, nodes.Call)
            and isinstance(call.node, nodes.Getattr)
            and isinstance(call.node.node, nodes.Name)
        ):
            self.names.pop(call.node.node.name, None)  # changed by what is not known

    def _leave(self, node: nodes.Node) -> None:
        raise _Left("break" if isinstance(node, nodes.Break) else "continue")


def _loop(index: int, size: int) -> Namespace:
    return Namespace(
        index=index + 1, index0=index, first=index == 0, last=index == size - 1, length=size, revindex=size - index,
        revindex0=size - index - 1, depth=1,
    )  # fmt: skip


_HANDLERS: dict[type[nodes.Node], Callable[[Writer, Any], None]] = {
    nodes.Output: Writer._output,
    nodes.Assign: Writer._assign,
    nodes.AssignBlock: Writer._assign_block,
    nodes.If: Writer._if,
    nodes.For: Writer._for,
    nodes.Macro: Writer._macro,
    nodes.With: Writer._with,
    nodes.FilterBlock: Writer._filter_block,
    nodes.ExprStmt: Writer._do,
    nodes.Break: Writer._leave,
    nodes.Continue: Writer._leave,
    **dict.fromkeys((nodes.Scope, nodes.Block, nodes.ScopedEvalContextModifier), Writer._scope),
}


def stages(source: Source, tree: nodes.Template, text: str) -> Iterator[Stage]:
    """Give the addresses and programs that show only in what a template makes of its constants."""
    writer = Writer()
    try:
        writer.block(tree.body)
    except (*REFUSED, _Left):
        pass  # what was written until then counts
    written = "".join(writer.parts)
    seen: set[str] = set()
    found: list[tuple[int, tuple[str, ...], Content, bool]] = []
    ordered = sorted(writer.values)
    growing = {value for value, following in itertools.pairwise(ordered) if following.startswith(value)}
    for value, (line, steps) in writer.values.items():
        if value not in growing:  # a text that is put together grows; what it grows to counts
            found += _told(value, (*steps, "str constants"), line, text)
    for segment in written.split(GAP):
        if len(segment) >= 7:
            found += _told(segment, ("written piece by piece",), 0, text)
    for node in every(tree):
        held = node.value if isinstance(node, nodes.Const) else node.data if isinstance(node, nodes.TemplateData) else None
        if isinstance(held, str):
            found += _encoded(held, line_of(node))
    for line, chain, content, exact in found:
        if content.text not in seen:
            seen.add(content.text)
            yield Stage(source.place.line(line), chain, content.kind, content.text, "", exact, "jinja", Moment.USE)


def _told(value: str, chain: tuple[str, ...], line: int, template: str) -> Iterator[tuple[int, tuple[str, ...], Content, bool]]:
    content = content_of(value)
    shown = [content.text[found.start : found.end] for found in content.addresses]
    if any(written not in template for written in shown):
        yield line, chain, content, True
    elif not content.addresses and len(value) >= SHORTEST and value not in template:
        yield from _encoded(value, line, chain)


def _encoded(
    value: str, line: int, chain: tuple[str, ...] = ("str constant",)
) -> Iterator[tuple[int, tuple[str, ...], Content, bool]]:
    for word in dict.fromkeys((value, *re.findall(r"[^\s'\"<>|]{16,}", value[:65536]))):
        if len(word) >= SHORTEST and may_hold(word) and (found := unwrap(word)) is not None:
            yield line, (*found.steps, *chain), found.content, False
