"""Calls that would exhaust memory or time while a file is loaded."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.check import Check, check
from toadstone.core.fact import Call, Fact
from toadstone.core.finding import Finding, Severity
from toadstone.core.place import Place
from toadstone.core.regex import regex
from toadstone.core.value import Excerpt, Items, Result, Symbol, Value, render_call
from toadstone.symbols.judgement import runs_while_loading

_MUCH = 1 << 30
"""Bytes, items or bits from which on one call is meant to hurt."""

_MODULES = frozenset({"builtins", "operator", "_operator"})
_POWERS = frozenset({"pow", "__pow__", "int.__pow__", "ipow", "__ipow__"})
_SHIFTS = frozenset({"lshift", "__lshift__", "int.__lshift__", "ilshift", "__ilshift__"})
_PRODUCTS = frozenset({"mul", "__mul__", "imul", "__imul__", "str.__mul__", "bytes.__mul__", "list.__mul__", "tuple.__mul__"})
_BUFFERS = frozenset({"bytes", "bytearray"})
_COLLECTORS = frozenset(
    {"list", "tuple", "set", "frozenset", "sorted", "sum", "min", "max", "any", "all", "bytes", "bytearray", "dict.fromkeys"}
)
_FORMATS = frozenset({"str.format", "format", "str.format_map", "mod", "__mod__", "str.__mod__", "str.zfill", "str.center"})
_PADDED = frozenset({"str.zfill", "str.center", "str.ljust", "str.rjust", "bytes.zfill", "bytes.ljust", "bytes.rjust"})
_WIDTH = regex(r"\d{9,}")
_ENDLESS = frozenset({"itertools.count", "itertools.cycle"})


@check(
    "resource-call",
    severity=Severity.HIGH,
    reads=Call,
    references=("CWE-400", "CWE-502", "CWE-789", "MITRE ATLAS 2026.08 AML.T0029", "OWASP ML 2023 ML06"),
)
class ResourceCall(Check):
    """Loading the file makes one harmless-looking call that exhausts memory or time.

    ## Why it matters
    ``list(range(10**12))``, ``"A" * 10**12``, ``pow(10, 10**9)`` or a format width of ten billion need a few bytes in a file
    and take the machine that loads it down: the process is killed, or never comes back. No name on any deny list is used.

    ## How it decides
    By the numbers in the call: a repetition, power, shift, buffer, padding or format width whose result would have 2^30
    bytes, items or bits or more, and containers or sums that are made from a range of that length or from an endless
    iterator; or by a value inside which others are used twice again and again, so that who walks through it (``repr``,
    ``hash``, a comparison) meets 2^30 of them. No artefact of a library holds such a call: pickles hold values, not the
    ways to compute them.

    ## What it misses
    Cost that comes from many small calls, from functions of unknown packages, or from numbers that are computed while
    loading.

    ## Remedy
    Do not load the file: no honest writer puts such a call into a model.

    ## References
    CWE-400; CWE-789; https://docs.python.org/3/library/pickle.html (warning at the top).
    """

    def examine(self, fact: Call) -> Iterator[Finding]:
        """Judge one call by its numbers."""
        if not runs_while_loading(fact) or not isinstance(fact.callee, Symbol):
            return
        if fact.callee.module in _MODULES and (
            size := _needed(fact.callee.name, fact.args) or _walked(fact.callee.name, fact.args)
        ):
            yield self.finding(
                fact.place,
                f"Loading this calls {fact.callee}, which would exhaust memory or time ({size}).",
                key=str(fact.callee),
                symbol=str(fact.callee),
                code=render_call(fact.callee, fact.args, fact.kwargs, room=600),
            )

    @classmethod
    def bad(cls) -> Iterator[Fact]:
        """Give one of each way."""
        place = Place("model.pkl", offset=10)
        for name, args in (
            ("operator.mul", ("A" * 1000, 10**12)),
            ("operator.pow", (10, 10**9)),
            ("operator.lshift", (1, 1 << 40)),
            ("builtins.bytearray", (1 << 40,)),
            ("builtins.list", (Result(Symbol("builtins", "range"), (10**12,)),)),
            ("builtins.str.format", ("{:>10000000000}", "x")),
            ("builtins.str.zfill", ("x", 10**10)),
        ):
            module, _, attribute = name.partition(".")
            yield Call(place, Symbol(module, attribute), args, (), "REDUCE", "pickle")

        doubled = Items("tuple", ["lol"])
        for _ in range(60):
            doubled = Items("tuple", [doubled, doubled])
        yield Call(place, Symbol("builtins", "repr"), (doubled,), (), "REDUCE", "pickle")

    @classmethod
    def good(cls) -> Iterator[Fact]:
        """Give ordinary numbers, and a range that is only kept."""
        place = Place("model.pkl", offset=10)
        yield Call(place, Symbol("builtins", "range"), (10**12,), (), "REDUCE", "pickle")
        yield Call(place, Symbol("builtins", "repr"), (Items("list", ["a", Items("tuple", [1, 2])]),), (), "REDUCE", "pickle")
        yield Call(place, Symbol("builtins", "bytearray"), (b"abc",), (), "REDUCE", "pickle")
        yield Call(place, Symbol("builtins", "list"), (Result(Symbol("builtins", "range"), (100,)),), (), "REDUCE", "pickle")
        yield Call(place, Symbol("operator", "mul"), (10**12, 10**12), (), "REDUCE", "pickle")


_SHALLOW = frozenset({"list", "tuple", "len", "iter", "id", "type", "bool", "isinstance", "getattr", "range", "object"})
_LOOKED_INTO = 2_000
"""Values inside an argument that are counted; a graph that doubles needs few."""


def _needed(name: str, args: tuple[Value, ...]) -> str:
    """Say what a call of a built-in needs; empty when that is not much."""
    numbers = [value for value in args if isinstance(value, int) and not isinstance(value, bool)]
    first, last = args[0] if args else None, numbers[-1] if numbers else 0
    if name in _POWERS and len(args) == 2 and len(numbers) == 2:
        return _told(max(abs(numbers[0]).bit_length() - 1, 0) * numbers[1], "bits")
    if name in _SHIFTS and len(numbers) == 2:
        return _told(last if first else 0, "bits")
    if name in _PRODUCTS and len(numbers) == 1:
        return _told(last * max(_length(value) for value in args), "bytes")
    if name in _PADDED or (name in _BUFFERS and len(args) == 1):
        return _told(last, "bytes")
    if name in _FORMATS:
        widths = [found for value in args if isinstance(value, str) for found in _WIDTH.findall(value[:4096])]
        return _told(max((int(width[:20]) for width in widths), default=0), "characters")
    return _told(max(map(_items, args), default=0), "items") if name in _COLLECTORS else ""


def _walked(name: str, args: tuple[Value, ...]) -> str:
    """Say how many values a call meets that walks through its arguments; shared ones are met as often as they are used."""
    return "" if name in _SHALLOW else _told(max(map(_unfolded, args), default=0), "values inside each other")


def _unfolded(value: Value) -> int:
    """Count the values inside a value as a tree; as far as it is looked into, and cycles once."""
    sizes: dict[int, int] = {}
    held: list[Value] = []
    stack: list[tuple[Value, list[Value] | None]] = [(value, None)]
    while stack and len(held) < _LOOKED_INTO:
        top, inside = stack.pop()
        if not isinstance(top, Items) or (inside is None and id(top) in sizes):
            continue
        if inside is None:
            sizes[id(top)] = 1
            held.append(top)
            inside = list(top.items)
            held.extend(item for item in inside if isinstance(item, Items))
            stack.append((top, inside))
            stack.extend((item, None) for item in inside)
        else:
            sizes[id(top)] = min(1 + sum(sizes.get(id(item), 1) for item in inside), 1 << 63)
    return sizes.get(id(value), 1)


def _told(count: int, what: str) -> str:
    return f"{min(count, 1 << 63):,} {what} or more" if count >= _MUCH else ""


def _length(value: Value) -> int:
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, Items):
        return 8 * (len(value.items) + value.more)
    return value.length if isinstance(value, Excerpt) else 0


def _items(value: Value) -> int:
    """Give the number of items of a range, a repetition or an endless iterator; 0 for anything else."""
    if not isinstance(value, Result) or not isinstance(value.callee, Symbol):
        return 0
    name = str(value.callee)
    numbers = [number for number in value.args if isinstance(number, int)]
    if name in ("builtins.range", "builtins.xrange") and numbers:
        start, stop, step = (0, numbers[0], 1) if len(numbers) == 1 else (*numbers, 1)[:3]
        span = range(start, stop, step or 1)
        return (span.stop - span.start) // span.step
    if name == "itertools.repeat":
        return numbers[-1] if len(value.args) > 1 and numbers else _MUCH
    return _MUCH if name in _ENDLESS else 0
