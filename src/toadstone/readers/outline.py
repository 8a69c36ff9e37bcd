"""Nested data that is met piece by piece: a bounded picture of it, and what a format has to say about its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from toadstone.core.blob import Blob
from toadstone.core.fact import Fact
from toadstone.readers.cursor import ShortError
from toadstone.readers.reader import Source

OPEN_MAP, OPEN_LIST, CLOSE, KEY, VALUE = range(5)
"""Events of a parser: each comes with a value, which counts for keys and values only."""

Event = tuple[int, Any]
Visitor = Callable[[list[Any], Any], "Iterable[Fact] | None"]
"""Is told the path and the value of every text, every run of bytes and numbers, and every container that ends."""

KEPT = 4096
"""Items of one container that are kept; the rest is counted."""

_LIVE = 400_000
"""Items that are kept at any moment over all containers."""

_STEPS = 1024

TEXT, BYTES = 1000, 1001
"""Kinds of a `Span` that is no extension."""


class StructureError(ValueError):
    """The bytes are no data of the format.

    Attributes:
        kind: Of the `Anomaly`, if no broken download explains it: a claim or a depth that is made to hurt.
    """

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class Span:
    """A run of bytes of the file: text, plain bytes, an extension, or numbers of one `struct` code.

    Attributes:
        blob: The file.
        offset: Where the run begins.
        size: Its bytes.
        code: Byte order and code of the numbers; empty for plain bytes.
        count: How many numbers.
        kind: `TEXT`, `BYTES`, or the type of an extension (-128 to 127).
    """

    __slots__ = ("blob", "code", "count", "kind", "offset", "size")

    def __init__(self, blob: Blob, offset: int, size: int, code: str = "", count: int = 0, kind: int = BYTES) -> None:
        self.blob, self.offset, self.size, self.code, self.count, self.kind = blob, offset, size, code, count, kind

    def window(self) -> Blob:
        """Give the bytes as a blob of their own."""
        return self.blob.window(self.offset, self.size)

    def numbers(self, most: int) -> list[Any]:
        """Give the numbers, at most so many."""
        import struct  # noqa: PLC0415  (only for numbers that somebody looks at)

        count = min(self.count, most)
        if not count or len(self.code) < 2:
            return []
        width = self.size // self.count
        return list(struct.unpack(f"{self.code[0]}{count}{self.code[1]}", self.blob.read(self.offset, width * count)))


class Node(dict[Any, Any]):
    """A mapping of which at most `KEPT` entries are kept.

    Attributes:
        more: Entries that were not kept.
        offset: Where it begins.
        repeated: The first key that came twice; None if none did.
    """

    def __init__(self, offset: int) -> None:
        self.more = 0
        self.offset = offset
        self.repeated: Any = None


class Row(list[Any]):
    """A list of which at most `KEPT` items are kept.

    Attributes:
        more: Items that were not kept.
        offset: Where it begins.
    """

    def __init__(self, offset: int) -> None:
        self.more = 0
        self.offset = offset


class Outline:
    """Builds the picture from events and asks a visitor about its parts.

    Args:
        visit: See `Visitor`; it may call `drop`.
        position: Gives the offset that is being read.

    Attributes:
        root: The document, once it is complete.
        facts: What the visitor said and nobody has taken yet.
    """

    def __init__(self, visit: Visitor, position: Callable[[], int]) -> None:
        self._visit = visit
        self._position = position
        self._open: list[tuple[Node | Row, int]] = []
        self._path: list[Any] = []
        self._live = 0
        self._dropped = False
        self.root: Any = None
        self.facts: list[Fact] = []

    def drop(self) -> None:
        """Say, while visiting a container, that its content need not be kept."""
        self._dropped = True

    def feed(self, kind: int, value: Any) -> None:  # noqa: ANN401  (scalars of any kind)
        """Take one event."""
        if kind == VALUE:
            if type(value) is str or type(value) is Span:
                self._ask(value)
            self._put(value)
        elif kind == KEY:
            self._path[-1] = value
        elif kind == CLOSE:
            container, live = self._open.pop()
            self._path.pop()
            self._dropped = False
            self._ask(container)
            if self._dropped:
                self._live = live
                container.more += len(container)
                container.clear()
            self._put(container)
        else:
            begun: Node | Row = Node(self._position()) if kind == OPEN_MAP else Row(self._position())
            self._open.append((begun, self._live))
            self._path.append(0)

    def _ask(self, value: Any) -> None:  # noqa: ANN401
        facts = self._visit(self._path, value)
        if facts is not None:
            self.facts.extend(facts)

    def _put(self, value: Any) -> None:  # noqa: ANN401
        if not self._open:
            self.root = value
            return
        container = self._open[-1][0]
        room = len(container) < KEPT and self._live < _LIVE
        if isinstance(container, Row):
            if room:
                container.append(value)
            self._path[-1] += 1
        else:
            key = self._path[-1]
            if key in container:
                if container.repeated is None:
                    container.repeated = key
                room = True
            if room:
                container[key] = value
        if room:
            self._live += 1
        else:
            container.more += 1


def outlined(source: Source, events: Iterable[Event], outline: Outline) -> Iterator[Fact]:
    """Feed the events of one document to an outline, within the budget; `Outline.root` is the result."""
    feed, facts = outline.feed, outline.facts
    for count, (kind, value) in enumerate(events):
        if not count % _STEPS:
            source.budget.spend_steps(_STEPS)
        feed(kind, value)
        if facts:
            yield from facts
            facts.clear()


def broken(source: Source, name: str, error: StructureError | ShortError, offset: int) -> Iterator[Fact]:
    """Say where and why a document could not be followed any further."""
    if isinstance(error, StructureError) and error.kind:
        yield source.anomaly(error.kind, str(error), offset)
    yield source.unread(f"{name}: cannot be followed: {error}", offset)


def repeated_key(source: Source, node: Node) -> Iterator[Fact]:
    """Say that an entry is there twice, in what only programs write."""
    if node.repeated is not None:
        detail = f"the entry {str(node.repeated)[:200]!r} is given twice; loaders disagree on which one counts"
        yield source.anomaly("ambiguous-record", detail, node.offset)
