"""Values that were read but never made: what a stream would build, as a picture of it.

Plain Python scalars (``None``, ``bool``, ``int``, ``float``, ``complex``, ``str``, ``bytes``) stand for themselves.
Everything else is one of the small classes below. Pictures are bounded: a container keeps its first items and counts
the rest, a long string keeps its head and its length, so that nobody's file decides how much memory we use.
"""

from __future__ import annotations

from toadstone.core.record import dataclass, field

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import ClassVar, TypeAlias

KEPT_ITEMS = 256
"""Items of a container that are kept for display and judgement; the rest is counted."""

KEPT_TEXT = 1 << 16
"""Bytes of a string that are kept; longer ones become an `Excerpt`."""


@dataclass(frozen=True)
class Symbol:
    """A name in a module: what ``from module import name`` gives; ``name`` may be dotted."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}" if self.name else self.module


class Opaque:
    """A value of which nothing is known."""

    __slots__ = ("what",)

    def __init__(self, what: str = "...") -> None:
        self.what = what


@dataclass(frozen=True)
class Excerpt:
    """A long string of which the head is known.

    Attributes:
        kind: ``str`` or ``bytes``.
        head: The first bytes (of the UTF-8 form for ``str``).
        length: Length in bytes.
        offset: Where the content begins in the member that holds it.
    """

    kind: str
    head: bytes
    length: int
    offset: int


class Items:
    """A container: ``kind`` is ``tuple``, ``list``, ``dict``, ``set`` or ``frozenset``.

    A dict holds ``(key, value)`` pairs. ``more`` counts the items that were not kept. ``handed`` is for readers that keep
    account of what they hand on; it is not there before they do.
    """

    __slots__ = ("handed", "items", "kind", "more")
    handed: int

    def __init__(self, kind: str, items: list[Value] | None = None, more: int = 0) -> None:
        self.kind = kind
        self.items: list[Value] = items if items is not None else []
        self.more = more

    def add(self, values: list[Value]) -> None:
        """Append values, keeping only as many as are worth showing."""
        room = KEPT_ITEMS - len(self.items)
        if len(values) <= room:
            self.items += values
        else:
            self.items += values[: max(room, 0)]
            self.more += len(values) - max(room, 0)


class Table(Items):
    """A dict that keeps its keys and values in one flat list and pairs them when somebody looks (streams hold millions)."""

    __slots__ = ("flat",)

    def __init__(self) -> None:
        self.kind = "dict"
        self.more = 0
        self.flat: list[Value] = []

    @property
    def items(self) -> list[Value]:  # type: ignore[override]
        """The ``(key, value)`` pairs, as for any dict."""
        return [Items("tuple", self.flat[index : index + 2]) for index in range(0, len(self.flat) - 1, 2)]

    def add(self, values: list[Value]) -> None:
        """Count single items that are added to a dict; no real one takes them."""
        self.more += len(values)

    def add_flat(self, values: list[Value]) -> None:
        """Append keys and values in turn, keeping only as many as are worth showing."""
        room = 2 * KEPT_ITEMS - len(self.flat)
        if len(values) <= room:
            self.flat += values
        else:
            self.flat += values[: max(room, 0)]
            self.more += (len(values) - max(room, 0)) // 2


@dataclass(frozen=True, eq=False)
class Result:
    """What a call gave: unknown, but we know who was called with what.

    Attributes:
        callee: Usually a `Symbol`; any value that was called.
        args: Positional arguments.
        kwargs: Named arguments.
        state: States handed over later by ``__setstate__`` or attribute assignment (bounded).
    """

    callee: Value
    args: tuple[Value, ...] = ()
    kwargs: tuple[tuple[str, Value], ...] = ()
    state: list[Value] = field(default_factory=list)
    handed: ClassVar[int] = 0
    """For readers that keep account of what they hand on."""


Value: TypeAlias = "None | bool | int | float | complex | str | bytes | Symbol | Opaque | Excerpt | Items | Result"

_BRACKETS = {"tuple": ("(", ")"), "list": ("[", "]"), "dict": ("{", "}"), "set": ("{", "}"), "frozenset": ("frozenset({", "})")}


class _Writer:
    """Writes a value as Python source within a budget of characters and of depth."""

    def __init__(self, room: int, depth: int) -> None:
        self.room = room
        self.depth = depth
        self.parts: list[str] = []

    def put(self, text: str) -> None:
        if self.room > 0:
            self.parts.append(text if len(text) <= self.room else text[: self.room] + "…")
            self.room -= len(text)

    def value(self, value: Value, depth: int) -> None:
        if self.room <= 0:
            return
        if depth > self.depth:
            self.put("…")
        elif isinstance(value, Symbol):
            self.put(str(value))
        elif isinstance(value, (str, bytes)):
            cut = value[: self.room + 1]
            self.put(repr(cut))
        elif isinstance(value, Items):
            self.items(value, depth)
        elif isinstance(value, Result):
            self.value(value.callee, depth + 1)
            self.arguments(value.args, value.kwargs, depth)
        elif isinstance(value, Excerpt):
            head = value.head[:40]
            shown = repr(head.decode("utf-8", "replace") if value.kind == "str" else head)
            self.put(f"{shown[:-1]}… {value.length:,} bytes{shown[-1]}")
        elif isinstance(value, Opaque):
            self.put(value.what)
        else:
            self.put(_scalar(value))

    def items(self, value: Items, depth: int) -> None:
        opening, closing = _BRACKETS.get(value.kind, ("<", ">"))
        if value.kind == "set" and not value.items:
            opening, closing = "set(", ")"
        self.put(opening)
        for index, item in enumerate(value.items):
            if self.room <= 0:
                break
            if index:
                self.put(", ")
            if value.kind == "dict" and isinstance(item, Items) and len(item.items) == 2:
                self.value(item.items[0], depth + 1)
                self.put(": ")
                self.value(item.items[1], depth + 1)
            else:
                self.value(item, depth + 1)
        if value.more:
            self.put(f", … {value.more:,} more")
        elif value.kind == "tuple" and len(value.items) == 1:
            self.put(",")
        self.put(closing)

    def arguments(self, args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...], depth: int) -> None:
        self.put("(")
        for index, argument in enumerate(args):
            if index:
                self.put(", ")
            self.value(argument, depth + 1)
        for index, (name, argument) in enumerate(kwargs):
            if index or args:
                self.put(", ")
            self.put(f"{name}=")
            self.value(argument, depth + 1)
        self.put(")")


def _scalar(value: object) -> str:
    """``repr`` without its quadratic cost (and its exception) on very long integers."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 512:
        return f"{hex(value)[:20]}… {value.bit_length():,} bits"
    return repr(value)


def render(value: Value, room: int = 400, depth: int = 8) -> str:
    """Write a value as readable Python, at most about ``room`` characters long.

    Shared and nested values are cut by ``depth`` and ``room``, so a graph that doubles at every level stays cheap.
    """
    writer = _Writer(room, depth)
    writer.value(value, 0)
    return "".join(writer.parts)


def render_call(callee: Value, args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...] = (), room: int = 400) -> str:
    """Write a call as readable Python, at most about ``room`` characters long."""
    if type(callee) is Symbol and all(_is_short(value) for value in args) and all(_is_short(value) for _, value in kwargs):
        written = f"{callee}({', '.join([*map(repr, args), *(f'{name}={value!r}' for name, value in kwargs)])})"
        if len(written) <= room:
            return written  # as below, in a fraction of the time: most calls are like this
    return render(Result(callee, args, kwargs), room)


def _is_short(value: Value) -> bool:
    """Whether a value is written as Python writes it, and at once."""
    kind = type(value)
    if kind is str or kind is bytes:
        return len(value) <= 400  # type: ignore[arg-type]
    return value is None or kind is bool or kind is float or (kind is int and -_FAR < value < _FAR)  # type: ignore[operator]


_FAR = 1 << 64


def leaves(value: Value, limit: int = 2000, *, made: bool = True) -> list[Value]:
    """List the scalars, excerpts and symbols inside a value, depth first, at most ``limit`` of them; also worked-out results.

    Args:
        value: What to look into.
        limit: Most leaves that are listed.
        made: Whether to look into what calls gave (`Result`) as well.
    """
    if not isinstance(value, (Items, Result)):
        return [value]  # most arguments are plain, and every call's are looked through several times
    if isinstance(value, Items) and (plain := _plain_items(value)) is not None:
        return plain[:limit]
    found: list[Value] = []
    stack: list[Value] = [value]
    seen: set[int] = set()
    steps = 0
    while stack and len(found) < limit and steps < 4 * limit:
        steps += 1
        top = stack.pop()
        if not isinstance(top, (Items, Result)):
            found.append(top)
            continue
        if id(top) in seen:
            continue  # shared values are listed once: a graph may double at every level
        seen.add(id(top))
        if isinstance(top, Items):
            stack.extend(_backwards(top))
        elif made:
            held = getattr(top, "value", None)  # what the call gives, when a reader worked it out
            if isinstance(held, (str, bytes)):
                found.append(held)
            stack.extend(reversed([top.callee, *top.args, *(item for _, item in top.kwargs), *top.state]))
    return found


_FEW_ITEMS = 16


def _plain_items(value: Items) -> list[Value] | None:
    """List what a small container holds if it is all plain; None for any other container."""
    items = value.flat[: len(value.flat) // 2 * 2] if isinstance(value, Table) else value.items
    if len(items) > _FEW_ITEMS:
        return None
    for item in items:
        if isinstance(item, (Items, Result)):
            return None
    return list(items)


def _backwards(value: Items) -> list[Value]:
    """List what a container holds, the last one first; the keys and values of a dict without their pairs."""
    if not isinstance(value, Table):
        return value.items[::-1]
    return value.flat[len(value.flat) // 2 * 2 - 1 :: -1] if len(value.flat) > 1 else []
