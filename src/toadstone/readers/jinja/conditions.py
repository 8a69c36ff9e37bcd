"""Conditions of a template: which literals must be present in the conversation for them to hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from toadstone.intel.wording import words
from toadstone.readers.jinja.fold import strings
from toadstone.readers.jinja.names import BUILTIN_TESTS
from toadstone.readers.jinja.rewrite import operands
from toadstone.readers.jinja.values import NONE, UNKNOWN, Flow, Needle, Needles

if TYPE_CHECKING:
    from toadstone.readers.jinja.flow import Analysis

Outcome = tuple[Needles, Needles]
"""Literals that are present when a condition holds, and when it does not."""

NEITHER: Outcome = (NONE, NONE)


def _swapped(outcome: Outcome) -> Outcome:
    return outcome[1], outcome[0]


_SWAPPED = {"gt": "lt", "lt": "gt", "gteq": "lteq", "lteq": "gteq"}
_SIGNS = {"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<=", "in": "in", "notin": "not in"}
_EQUALITY = {"eq": "eq", "==": "eq", "equalto": "eq", "sameas": "eq", "ne": "ne", "!=": "ne", "in": "in"}
_SENTENCE = 3
"""Words from which a default is a sentence, which somebody would hardly choose to listen for."""
ORDINARY_NUMBER = 2
"""Counts up to this number are ordinary structure: no message, one, two; every second."""


class Conditions:
    """Judges the conditions of one template; the results hold for one pass of its analysis."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._known: dict[int, Outcome] = {}

    def when(self, node: nodes.Node | None) -> Outcome:
        """Give the literals that are present when a condition holds, and when it does not."""
        if node is None:
            return NEITHER
        if id(node) not in self._known:
            self._known[id(node)] = NEITHER
            self._known[id(node)] = self._when(node)
        return self._known[id(node)]

    def _when(self, node: nodes.Node) -> Outcome:
        if isinstance(node, nodes.Not):
            positive, negative = self.when(node.node)
            return negative, positive
        if isinstance(node, (nodes.And, nodes.Or)):
            return self._junction(node)
        if isinstance(node, nodes.Compare):
            return self._compare(node.expr, node.ops[0].op, node.ops[0].expr) if len(node.ops) == 1 else self._chained(node)
        if isinstance(node, nodes.Test):
            return self._test(node)
        if isinstance(node, nodes.Call):
            return self._call(node)
        if isinstance(node, (nodes.Name, nodes.Getattr)) and (name := self._analysis.variable_name(node)):
            return self._satisfying(name, bool)
        flow = self._analysis.flow(node)
        if flow.kind == "random":
            return frozenset({Needle("random", "random")}), NONE
        found = frozenset(Needle(probe, flow.scope) for probe in flow.probes) if flow.kind == "number" else NONE
        return flow.needles | found, NONE

    def _junction(self, node: nodes.And | nodes.Or) -> Outcome:
        parts = operands(node)
        with (
            self._analysis.speaking(roles for part in parts for roles in self.roles(part))
            if isinstance(node, nodes.And)
            else self._analysis.speaking(())
        ):
            outcomes = [self.when(part) for part in parts]
        positive = frozenset(needle for outcome in outcomes for needle in outcome[0])
        negative = frozenset(needle for outcome in outcomes for needle in outcome[1])
        if isinstance(node, nodes.And) and not all(outcome[1] for outcome in outcomes):
            negative = NONE  # any other part may be the false one
        return positive, negative

    def _chained(self, node: nodes.Compare) -> Outcome:
        found = NONE
        left = node.expr
        for operand in node.ops:
            found |= self._compare(left, operand.op, operand.expr)[0]
            left = operand.expr
        return found, NONE

    def _compare(self, left: nodes.Expr, operator: str, right: nodes.Expr) -> Outcome:
        outcome = self._membership(left, right) if operator in {"in", "notin"} else self._relation(left, operator, right)
        return _swapped(outcome) if operator in {"notin", "ne"} else outcome

    def _membership(self, left: nodes.Expr, right: nodes.Expr) -> Outcome:
        container = self._analysis.flow(right)
        sought = [value for value in self._analysis.folder.fold(left) if isinstance(value, str)]
        if container.kind in {"text", "time", "tools"}:
            return self._needles(sought, container), NONE
        member = self._analysis.flow(left)
        if member.kind in {"text", "time"}:
            choices = [text for value in self._analysis.folder.fold(right) for text in strings(value)]
            return self._needles(choices, member), NONE
        return NEITHER

    def _relation(self, left: nodes.Expr, operator: str, right: nodes.Expr) -> Outcome:
        """Judge ``==``, ``!=`` (as ``==``), ``<`` and the like."""
        for subject, other, sign in ((left, right, operator), (right, left, _SWAPPED.get(operator, operator))):
            constants = self._analysis.folder.fold(other)
            if (
                not isinstance(other, nodes.Name)
                and constants
                and (outcome := self._against(subject, sign, constants)) != NEITHER
            ):
                return outcome
            if isinstance(other, nodes.Name) and constants and self._analysis.flow(subject).kind in {"text", "time"}:
                return self._needles(self._foreign(constants, subject), self._analysis.flow(subject)), NONE
        flows = [self._analysis.flow(left), self._analysis.flow(right)]
        if all(flow.kind == "text" for flow in flows) and operator == "ne":
            return NONE, frozenset(Needle(probe, flow.scope) for flow in flows for probe in flow.probes)
        return NEITHER

    def _foreign(self, constants: list[Any], subject: nodes.Expr) -> list[str]:
        """List the texts that nobody but the conversation gives ``subject``: a default sentence of its own is no trigger."""
        own = {text for text in self._analysis.folder.text(subject) if words(text) >= _SENTENCE}
        return [value for value in constants if isinstance(value, str) and value not in own]

    def _against(self, subject: nodes.Expr, operator: str, constants: list[Any]) -> Outcome:
        constant = constants[0]
        flow = self._analysis.flow(subject)
        if isinstance(constant, bool) and operator in {"eq", "ne"}:
            outcome = self.when(subject)
            return outcome if constant else _swapped(outcome)
        if flow.kind in {"text", "time", "tools"}:
            return self._needles([value for value in constants if isinstance(value, str)], flow), NONE
        if isinstance(constant, int) and flow.kind in {"number", "random"}:
            return self._number(subject, flow, operator, constant)
        if name := self._analysis.variable_name(subject):
            return self._satisfying(name, _predicate(operator, constant))
        return NEITHER

    def _number(self, subject: nodes.Expr, flow: Flow, operator: str, constant: int) -> Outcome:
        if flow.kind == "random":
            return frozenset({Needle("random", "random")}), NONE
        if flow.probes:
            found = frozenset(Needle(probe, flow.scope) for probe in flow.probes)
            if operator in {"eq", "ne"} and constant == 1:
                return found, found  # found once, or never: `count` and the length of `split` differ
            absent = (operator in {"eq", "ne"} and constant in {-1, 0}) or (operator in {"lt", "lteq"} and constant <= 1)
            return (NONE, found) if absent else (found, NONE)
        if flow.needles:
            return flow.needles, NONE
        divisor = max(
            (
                abs(part.right.value)
                for part in subject.find_all(nodes.Mod)
                if isinstance(part.right, nodes.Const) and isinstance(part.right.value, int)
            ),
            default=0,
        )
        if max(abs(constant), divisor) <= ORDINARY_NUMBER:
            return NEITHER
        return frozenset({Needle(f"length {_SIGNS[operator]} {constant}", "length")}), NONE

    def _test(self, node: nodes.Test) -> Outcome:
        name = self._analysis.variable_name(node.node)
        if node.name in {"true", "false"}:
            outcome = self.when(node.node)
            return outcome if node.name == "true" else _swapped(outcome)
        if node.name == "defined":
            return (self._satisfying(name, lambda _value: True)[0], NONE) if name else NEITHER
        if node.name in _EQUALITY and node.args:
            return self._compare(node.node, _EQUALITY[node.name], node.args[0])
        flow = self._analysis.flow(node.node)
        known = node.name in BUILTIN_TESTS and node.name not in {"startingwith", "endingwith", "containing"}
        if node.args and flow.kind == "text" and not known:  # an engine's own tests of a text compare it with something
            return self._needles(self._analysis.folder.text(node.args[0]), flow), NONE
        return NEITHER

    def _call(self, node: nodes.Call) -> Outcome:
        if isinstance(node.node, nodes.Getattr) and node.args:
            flow = self._analysis.flow(node.node.node)
            if node.node.attr in {"startswith", "endswith", "__contains__", "__eq__"} and flow.kind in {"text", "tools", "time"}:
                sought = [text for value in self._analysis.folder.fold(node.args[0]) for text in strings(value)]
                return self._needles(sought, flow), NONE
        flow = self._analysis.flow(node)
        found = frozenset(Needle(probe, flow.scope) for probe in flow.probes) if flow.kind == "number" else NONE
        return flow.needles | found, NONE

    def _needles(self, texts: Iterable[str], flow: Flow) -> Needles:
        scope = flow.kind if flow.kind in {"time", "tools"} else flow.scope or self._analysis.scope
        return frozenset(Needle(text[:200], scope) for text in texts if text.strip())

    def _satisfying(self, name: str, holds: Callable[[Any], bool]) -> Outcome:
        """Judge a variable: what must be present so that it has a value for which ``holds`` is true, and false."""
        variable = self._analysis.variables.get(name)
        if variable is None:
            return NEITHER
        outcomes: list[Needles] = []
        entries = variable.values
        if all(needles for _, needles in entries):
            entries = [*entries, (None, NONE)]  # otherwise the name is undefined, which counts as false
        for wanted in (True, False):
            chosen = [needles for value, needles in entries if value is UNKNOWN or holds(value) is wanted]
            outcomes.append(NONE if not all(chosen) else frozenset(needle for needles in chosen for needle in needles))
        return outcomes[0], outcomes[1]

    def roles(self, node: nodes.Node) -> list[str]:
        """List the roles of which a condition demands one, when it does."""
        if isinstance(node, nodes.And):
            return [role for part in operands(node) for role in self.roles(part)]
        if isinstance(node, nodes.Or):
            found = [self.roles(part) for part in operands(node)]
            return [role for roles in found for role in roles] if all(found) else []
        if isinstance(node, nodes.Compare) and len(node.ops) == 1 and node.ops[0].op in {"eq", "in"}:
            for subject, other in ((node.expr, node.ops[0].expr), (node.ops[0].expr, node.expr)):
                if self._analysis.is_role(subject):
                    return [text for value in self._analysis.folder.fold(other) for text in strings(value)]
        return []


def _predicate(operator: str, constant: Any) -> Callable[[Any], bool]:  # noqa: ANN401
    def holds(value: Any) -> bool:  # noqa: ANN401
        if operator in {"eq", "ne"}:
            return bool(type(value) is type(constant) and value == constant)
        if isinstance(value, (int, float)) and isinstance(constant, (int, float)):
            return {"gt": value > constant, "gteq": value >= constant, "lt": value < constant, "lteq": value <= constant}.get(
                operator, False
            )
        return False

    return holds
