"""What a template costs whoever renders it: sizes of texts, numbers and lists, and rounds of loops, as powers of two.

A sandbox keeps a template away from Python's internals, but not from ``'A' * 10**10`` or ``9**9**9``; Jinja limits only
``range`` (100,000 items), and only in its sandbox. Sizes are computed on the syntax tree from constants; whatever depends on
the conversation counts as one, so that only what is costly for every request is reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from jinja2 import nodes

from toadstone.core.fact import Fact
from toadstone.readers.jinja.parse import children, every, line_of
from toadstone.readers.jinja.rewrite import keywords, operands, written
from toadstone.readers.reader import Source

LENGTH = 24.0
"""Log2 of the characters or items of one value that no chat template needs (16 million)."""

BITS = 20.0
"""Log2 of the bits of one number that no chat template needs."""

ROUNDS = 22.0
"""Log2 of the rounds of nested loops that no chat template needs (4 million)."""

_DEPTH = 130
_CALL = 2.0**-20
"""Log2 of next to nothing: a text of one character is a text all the same, and calls of a macro add up."""

_REPORTED = 8
_ASSIGNED = 8
_MOST = 1e18
_LARGE = 59.0
_PADDING = frozenset({"center", "ljust", "rjust", "zfill", "indent", "wordwrap", "expandtabs", "slice", "batch"})
"""Filters and methods whose first argument is a width or count."""

_COSTLY = (nodes.Mul, nodes.Pow, nodes.Call, nodes.Filter)
_WIDTH = 9
"""Digits of a width in a format string that make a text of 100 MB."""


class Costs:
    """Estimates one template.

    Args:
        tree: Its syntax tree.
    """

    def __init__(self, tree: nodes.Template) -> None:
        self._tree = tree
        self._assigned: dict[str, list[nodes.Expr]] = {}
        self._macros: dict[str, nodes.Macro] = {}
        self._lengths: dict[int, float] = {}
        self._numbers: dict[int, float] = {}
        self._bodies: dict[str, float] = {}
        for node in every(tree):
            if isinstance(node, nodes.Macro):
                self._macros.setdefault(node.name, node)
            elif isinstance(node, nodes.Assign) and isinstance(node.node, nodes.Expr) and (name := _target(node.target)):
                self._bind(name, node.node)

    def _bind(self, name: str, value: nodes.Expr) -> None:
        """Note an assignment; one that builds on itself is looked at as a loop's."""
        if isinstance(value, nodes.Call) and isinstance(value.node, nodes.Name) and value.node.name == "namespace":
            for key, given in keywords(value):
                self._assigned.setdefault(f"{name}.{key}", []).append(given)
        elif len(self._assigned.setdefault(name, [])) < _ASSIGNED and not _mentions(value, name):
            self._assigned[name].append(value)

    def findings(self) -> Iterator[tuple[nodes.Node, str]]:
        """Yield each costly node with what it costs."""
        inner: set[int] = set()
        for node in every(self._tree):
            if isinstance(node, (nodes.Mul, nodes.Pow)):
                inner |= {id(part) for part in (node.left, node.right) if type(part) is type(node)}  # judged as one chain
            if isinstance(node, _COSTLY) and id(node) not in inner and (what := self._value(node)):
                yield node, what
            elif isinstance(node, nodes.Macro) and self._endless(node):
                yield node, f"the macro {node.name} calls itself without a condition"
            elif isinstance(node, nodes.Macro) and _branching(node):
                yield node, f"the macro {node.name} calls itself twice, with nothing but its own parameters and constants"
        for node in self._tree.body:
            rounds = self._rounds(node, 0)
            if rounds > ROUNDS:
                yield node, f"loops with constant bounds run 2^{min(rounds, _MOST):.0f} rounds"
        yield from self._growing()

    def _value(self, node: nodes.Expr) -> str:
        length = self.length(node)
        if length > LENGTH:
            return f"a value of 2^{min(length, _MOST):.0f} characters or items is made"
        if isinstance(node, (nodes.Mul, nodes.Pow)) and self.number(node) > 2.0**BITS:
            return "a number of more than a million bits is computed"
        return ""

    # ---- numbers: log2 of the absolute value; 0 when nothing is known

    def number(self, node: nodes.Node | None, depth: int = 0) -> float:
        """Estimate the log2 of a number."""
        if node is None or depth > _DEPTH:
            return 0.0
        key = id(node)
        if key not in self._numbers:
            self._numbers[key] = 0.0  # a name that is assigned from itself
            handler = _NUMBERS.get(type(node))
            self._numbers[key] = min(handler(self, node, depth + 1), _MOST) if handler is not None else 0.0
        return self._numbers[key]

    def _constant(self, node: nodes.Const, _depth: int) -> float:
        value = node.value
        if isinstance(value, str):
            value = int(value) if value.strip().isdecimal() and len(value) < 300 else 0
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not value or value != value:  # noqa: PLR0124  (NaN)
            return 0.0
        return _MOST if value in (math.inf, -math.inf) else math.log2(abs(value))

    def _power(self, node: nodes.Pow, depth: int) -> float:
        """Take a chain from the right, as Python does; Jinja itself takes it from the left, other engines do not."""
        chain = [self.number(part, depth) for part in operands(node)[:_DEPTH]]
        result = chain.pop()
        while chain:
            base = chain.pop()
            result = 0.0 if not base else _MOST if result > _LARGE else base * 2.0**result
        return result

    def _product(self, node: nodes.Mul, depth: int) -> float:
        parts = operands(node)
        if any(self._is_text(part, depth) for part in parts):
            return 0.0  # a text or list, repeated
        return sum(self.number(part, depth) for part in parts)

    def _is_text(self, node: nodes.Node, depth: int) -> bool:
        if isinstance(node, nodes.Const):
            return isinstance(node.value, str)
        return _is_sequence(node) or self.length(node, depth) > self.number(node, depth)

    def _sum(self, node: nodes.BinExpr, depth: int) -> float:
        return max(self.number(node.left, depth), self.number(node.right, depth))

    def _quotient(self, node: nodes.BinExpr, depth: int) -> float:
        return max(self.number(node.left, depth) - self.number(node.right, depth), 0.0)

    def _shared(self, node: nodes.Node, depth: int, measure: Callable[[nodes.Node, int], float]) -> float:
        """Measure what a name or a filter passes on: the largest of what was assigned to it."""
        name = _target(node)
        bound = self._assigned.get(name, []) if name else [node.node] if isinstance(node, nodes.Filter) and node.node else []
        return max((measure(value, depth) for value in bound), default=0.0)

    def _number_of(self, node: nodes.Node, depth: int) -> float:
        if isinstance(node, nodes.Filter) and node.name in {"length", "count"} and node.node is not None:
            return self.length(node.node, depth)
        return self._shared(node, depth, self.number)

    # ---- lengths: log2 of characters or items; 0 when nothing is known

    def length(self, node: nodes.Node | None, depth: int = 0) -> float:
        """Estimate the log2 of a length."""
        if node is None or depth > _DEPTH:
            return 0.0
        key = id(node)
        if key not in self._lengths:
            self._lengths[key] = 0.0
            self._lengths[key] = min(self._measured(node, depth + 1), _MOST)
        return self._lengths[key]

    def _measured(self, node: nodes.Node, depth: int) -> float:
        if isinstance(node, (nodes.Const, nodes.TemplateData)):
            value = node.value if isinstance(node, nodes.Const) else node.data
            return _log(len(value)) if isinstance(value, str) else 0.0
        if isinstance(node, (nodes.List, nodes.Tuple)):
            return max([_log(len(node.items)), *(self.length(item, depth) for item in node.items[:64])])
        if isinstance(node, nodes.Mul):
            return self._repeated(node, depth)
        if isinstance(node, (nodes.Add, nodes.Concat, nodes.CondExpr, nodes.Or, nodes.And)):
            parts = operands(node) if isinstance(node, (nodes.BinExpr, nodes.Concat)) else [node.expr1, node.expr2]
            return max((self.length(part, depth) for part in parts), default=0.0)
        if isinstance(node, nodes.Call):
            return self._called(node, depth)
        if isinstance(node, nodes.Filter):
            return self._filtered(node, depth)
        return self._shared(node, depth, self.length)

    def _repeated(self, node: nodes.Mul, depth: int) -> float:
        """A text or list times numbers; numbers alone have no length."""
        texts: list[nodes.Expr] = []
        numbers: list[nodes.Expr] = []
        for part in operands(node):
            (texts if self._is_text(part, depth) else numbers).append(part)
        return self.length(texts[0], depth) + sum(self.number(part, depth) for part in numbers) if texts else 0.0

    def _called(self, node: nodes.Call, depth: int) -> float:
        callee = node.node
        if isinstance(callee, nodes.Name) and callee.name == "range" and node.args:
            return self.number(node.args[1] if len(node.args) > 1 else node.args[0], depth)
        if isinstance(callee, nodes.Name) and callee.name == "lipsum":
            given = [*node.args, *(value for _, value in keywords(node))]
            return max((self.number(value, depth) for value in given), default=0.0) + 8
        if isinstance(callee, nodes.Getattr):
            if callee.attr == "format" and isinstance(callee.node, nodes.Const) and _wide(callee.node.value):
                return LENGTH + 1
            return self._padded(callee.attr, callee.node, node.args, depth)
        return 0.0

    def _filtered(self, node: nodes.Filter, depth: int) -> float:
        if node.name == "format" and isinstance(node.node, nodes.Const) and _wide(node.node.value):
            return LENGTH + 1
        given = [*node.args, *(value for key, value in keywords(node) if key in {"width", "linecount", "slices"})]
        return self._padded(node.name, node.node, given, depth)

    def _padded(self, name: str, subject: nodes.Node | None, args: list[nodes.Expr], depth: int) -> float:
        size = self.length(subject, depth)
        if name in _PADDING and args:
            return max(size, self.number(args[0], depth))
        if name == "replace" and len(args) > 1:
            return size + self.length(args[1], depth)
        if name == "join" and args:
            return size + self.length(args[0], depth)
        return size

    # ---- rounds: log2 of how often the innermost statement runs

    def _rounds(self, node: nodes.Node, depth: int) -> float:
        if depth > _DEPTH:
            return 0.0
        if isinstance(node, nodes.Macro):
            return 0.0  # counted where it is called
        inside = 0.0
        for child in children(node):
            inside = _either(inside, self._rounds(child, depth + 1))
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in self._macros:
            inside = _either(inside, max(self._body(node.node.name, depth + 1), _CALL))
        return min(inside + self.length(node.iter), _MOST) if isinstance(node, nodes.For) else inside

    def _body(self, name: str, depth: int) -> float:
        """Rounds of a macro's body, once for each macro; a macro that calls itself counts once."""
        if name not in self._bodies:
            self._bodies[name] = 0.0
            total = 0.0
            for child in self._macros[name].body:
                total = _either(total, self._rounds(child, depth))
            self._bodies[name] = total
        return self._bodies[name]

    def _endless(self, macro: nodes.Macro) -> bool:
        """Whether a macro calls itself outside of every condition and loop."""
        stack: list[nodes.Node] = list(macro.body)
        while stack:
            node = stack.pop()
            if isinstance(node, (nodes.If, nodes.For, nodes.CondExpr, nodes.And, nodes.Or, nodes.Macro)):
                continue
            if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == macro.name:
                return True
            stack.extend(children(node))
        return False

    def _growing(self) -> Iterator[tuple[nodes.Node, str]]:
        """Find variables that a loop makes out of themselves twice, or out of themselves times a number above one."""
        stack: list[tuple[nodes.Node, bool]] = [(self._tree, False)]
        while stack:
            node, looped = stack.pop()
            name = _target(node.target) if looped and isinstance(node, nodes.Assign) else ""
            if name and isinstance(node, nodes.Assign):
                times = _count(node.node, name, 0)
                if times > 1 or (times == 1 and isinstance(node.node, nodes.Mul) and self._grows(node.node, name)):
                    yield node, f"{name} grows exponentially from round to round"
            looped = looped or isinstance(node, nodes.For)
            stack.extend((child, looped) for child in children(node))

    def _grows(self, product: nodes.Mul, name: str) -> bool:
        """Whether a text or list is multiplied by itself's length, or repeated in every round."""
        other = product.right if _count(product.left, name, 0) else product.left
        sequence = any(_is_sequence(value) or self.length(value) > 0 for value in self._assigned.get(name, []))
        return sequence and self.number(other) >= 1


def _branching(macro: nodes.Macro) -> bool:
    """Whether a macro calls itself several times without going down into any data: its calls double at every level."""
    own = {parameter.name for parameter in macro.args}
    calls = [
        node
        for node in every(macro)
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == macro.name and node.args
    ]
    return sum(all(_arithmetic(argument, own) for argument in call.args) for call in calls) > 1


def _arithmetic(node: nodes.Expr, own: set[str]) -> bool:
    """Whether an argument is computed from parameters and numbers alone, and not merely passed on."""
    parts = list(every(node))
    if not any(isinstance(part, (nodes.Add, nodes.Sub, nodes.Mul, nodes.FloorDiv)) for part in parts):
        return isinstance(node, nodes.Const)
    known = (nodes.Add, nodes.Sub, nodes.Mul, nodes.FloorDiv)
    return all(
        isinstance(part, known)
        or (isinstance(part, nodes.Const) and isinstance(part.value, int))
        or (isinstance(part, nodes.Name) and part.name in own)
        for part in parts
    )


def _either(one: float, other: float) -> float:
    """Log2 of the sum of two counts."""
    high, low = max(one, other), min(one, other)
    return high if not low or high - low > _LARGE else high + math.log2(1 + 2.0 ** (low - high))


def _log(value: float) -> float:
    return math.log2(value) if value > 1 else _CALL if value else 0.0


def _is_sequence(node: nodes.Node) -> bool:
    return isinstance(node, (nodes.List, nodes.Tuple, nodes.Concat)) or (
        isinstance(node, nodes.Const) and isinstance(node.value, str)
    )


def _target(node: nodes.Node) -> str:
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.NSRef):
        return f"{node.name}.{node.attr}"
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return f"{node.node.name}.{node.attr}"
    return ""


def _mentions(node: nodes.Node, name: str) -> bool:
    return any(_target(part) == name for part in every(node))


def _count(node: nodes.Node, name: str, depth: int) -> int:
    """Count how often a value that grows is made of itself: additions add up, alternatives do not."""
    if depth > _DEPTH:
        return 0
    if _target(node) == name:
        return 1
    if isinstance(node, nodes.CondExpr):
        return max((_count(part, name, depth + 1) for part in (node.expr1, node.expr2) if part is not None), default=0)
    if isinstance(node, (nodes.Add, nodes.Mul, nodes.Concat, nodes.Pow)):
        return sum(_count(part, name, depth + 1) for part in children(node))
    if (
        isinstance(node, nodes.Filter)
        and node.node is not None
        and node.name in {"string", "list", "safe", "trim", "upper", "lower"}
    ):
        return _count(node.node, name, depth + 1)
    return 0


def _wide(pattern: object) -> bool:
    """Whether a format string asks for a width of hundreds of megabytes."""
    if not isinstance(pattern, str):
        return False
    digits = 0
    for character in pattern:
        digits = digits + 1 if character.isdigit() else 0
        if digits >= _WIDTH:
            return "%" in pattern or "{" in pattern
    return False


_NUMBERS: dict[type[nodes.Node], Callable[[Costs, nodes.Node, int], float]] = {
    nodes.Const: Costs._constant,  # type: ignore[dict-item]  # noqa: SLF001
    nodes.Pow: Costs._power,  # type: ignore[dict-item]  # noqa: SLF001
    nodes.Mul: Costs._product,  # type: ignore[dict-item]  # noqa: SLF001
    nodes.Add: Costs._sum,  # type: ignore[dict-item]  # noqa: SLF001
    nodes.Sub: Costs._sum,  # type: ignore[dict-item]  # noqa: SLF001
    nodes.Div: Costs._quotient,  # type: ignore[dict-item]  # noqa: SLF001
    nodes.FloorDiv: Costs._quotient,  # type: ignore[dict-item]  # noqa: SLF001
    nodes.Neg: lambda costs, node, depth: costs.number(node.node, depth),  # type: ignore[attr-defined]
    nodes.Name: Costs._number_of,  # noqa: SLF001
    nodes.Getattr: Costs._number_of,  # noqa: SLF001
    nodes.Filter: Costs._number_of,  # noqa: SLF001
}


def costs(source: Source, tree: nodes.Template) -> Iterator[Fact]:
    """Yield an `Anomaly` for each of the first places where a template is costly whatever the conversation is."""
    seen: set[int] = set()
    for node, what in Costs(tree).findings():
        line = line_of(node)
        if line not in seen and len(seen) < _REPORTED:
            seen.add(line)
            shown = f" in `{written(node)}`" if isinstance(node, nodes.Expr) else ""
            yield source.anomaly("template-resource", f"line {line + 1}: {what}{shown}")
