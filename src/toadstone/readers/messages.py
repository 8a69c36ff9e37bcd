"""Protocol Buffers by their schema: one pass over a message of any size, every byte accounted for, little of it kept.

The tables that describe a format's messages are written by ``python -m tools.wire`` from the library that defines them.
Messages that hold nothing which a reader asked for are passed over as a whole; fields that the table does not know are left
unread for the walker.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from toadstone.core.fact import Fact
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.protobuf import FIXED32, FIXED64, LENGTH, VARINT, Field, WireError, fields, varint
from toadstone.readers.reader import Source

DEPTH = 64
"""Messages inside messages; protobuf itself stops at 100."""

REPEATED = 4096
"""Values that are kept of one repeated field."""

_WIRES = {
    "int": (VARINT, LENGTH),
    "fixed": (FIXED32, FIXED64, LENGTH),
    "text": (LENGTH,),
    "bytes": (LENGTH,),
}
"""How each kind may be written; numbers also packed."""

_STEPS = 8
_PACKED = 4096

Found: TypeAlias = dict[str, list[Any]]
"""The kept fields of one message by name; repeated ones in order, texts and bytes cut to the reader's limit."""

Table: TypeAlias = dict[str, dict[int, tuple[str, str]]]
"""Messages by name: field number to field name and kind (``int``, ``fixed``, ``text``, ``bytes`` or a message)."""

Walk: TypeAlias = Generator[Fact, None, Found]


class DepthError(WireError):
    """Messages are nested deeper than any real model."""


@cache
def table(path: Path) -> Table:
    """Read a table of messages that ships with a reader."""
    messages: Table = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, described = line.partition("\t")
        messages[name] = {}
        for entry in described.split():
            number, field, kind = entry.split(":")
            messages[name][int(number)] = (field, kind)
    return messages


def leading(messages: Table, kept: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Name the messages that are asked for, or from which one that is asked for can be reached."""
    wanted = set(kept)
    while True:
        more = {
            name for name, known in messages.items() if name not in wanted and any(kind in wanted for _, kind in known.values())
        }
        if not more:
            return frozenset(wanted)
        wanted |= more


class Reading:
    """One pass.

    Args:
        source: Where the message is; its coverage is claimed on the way.
        messages: The format's table.
        kept: Message names to the fields that are kept of them.
        limit: Bytes that are kept of one text.

    Attributes:
        entered: Called when a message begins whose name is in ``scopes``.
        finished: Called when a message that is asked for ends: name, kept fields, first offset; gives facts.
    """

    def __init__(self, source: Source, messages: Table, kept: Mapping[str, frozenset[str]], limit: int = 4096) -> None:
        self.source = source
        self.cursor = Cursor(source.blob)
        self.messages = messages
        self.kept = kept
        self.limit = limit
        self.leading = leading(messages, kept)
        self.scopes: frozenset[str] = frozenset()
        self.entered: Callable[[str], None] = lambda _name: None
        self.finished: Callable[[str, Found, int], Iterator[Fact]] = lambda _name, _found, _start: iter(())
        self._pending = 0
        self._reached = 0
        self._sure = 0

    def run(self, root: str, stop: int | None = None) -> Iterator[Fact]:
        """Read from the start of the source; what cannot be followed is left unclaimed and said."""
        try:
            yield from self._message(root, self.source.blob.size if stop is None else stop, 0)
        except DepthError as error:
            yield self.source.anomaly("depth-bomb", str(error), self.cursor.position)
            yield self.source.unread(str(error), self.cursor.position)
            self._reached = self._sure
        except (WireError, ShortError) as error:
            yield self.source.unread(f"the message cannot be followed: {error}", self.cursor.position)
            self._reached = self._sure  # fields of no known number may be the beginning of something else
        self.source.coverage.read(self._pending, self._reached)

    def _message(self, kind: str, stop: int, depth: int) -> Walk:
        if depth > DEPTH:
            raise DepthError(f"messages nested deeper than {DEPTH}")
        if kind in self.scopes:
            self.entered(kind)
        start = self.cursor.position
        known, kept = self.messages[kind], self.kept.get(kind, frozenset())
        found: Found = {}
        count = 0
        for field in fields(self.cursor, stop):
            count += 1
            name, what = known.get(field.number, ("", ""))
            if field.wire == LENGTH and what in self.leading:
                self._reached = field.value
                inner = yield from self._message(what, field.stop, depth + 1)
                if name in kept:
                    _keep(found, name, inner)
            else:
                self._scalar(field, "bytes" if what in self.messages else what, depth)
                if name in kept:
                    self._value(found, field, name, what)
            if name:
                self._sure = field.stop
        self.source.budget.spend_steps(_STEPS * count // 4)
        if kind in self.kept:
            yield from self.finished(kind, found, start)
        return found

    def _scalar(self, field: Field, what: str, depth: int) -> None:
        """Account for a field that is not entered.

        One that the table does not know, or not so, stays unread; a number among the fields of a message inside is nothing
        that could be read as something else.
        """
        if field.wire not in _WIRES.get(what, ()) and (field.wire != VARINT or not depth):
            self.source.coverage.read(self._pending, field.start)
            self._pending = field.stop
        self._reached = field.stop

    def _value(self, found: Found, field: Field, name: str, what: str) -> None:
        if what in ("text", "bytes") and field.wire == LENGTH:
            raw = self.source.blob.read(field.value, min(field.stop - field.value, self.limit))
            _keep(found, name, raw.decode("utf-8", "replace") if what == "text" else raw)
        elif what == "int" and field.wire == VARINT:
            _keep(found, name, field.value)
        elif what == "int" and field.wire == LENGTH:
            inner = Cursor(self.source.blob, field.value, min(field.stop, field.value + 10 * _PACKED))
            while inner.left and len(found.get(name, ())) < _PACKED:
                _keep(found, name, varint(inner))


def _keep(found: Found, name: str, value: object) -> None:
    values = found.setdefault(name, [])
    if len(values) < REPEATED:
        values.append(value)


def last(found: Found, name: str) -> Any:  # noqa: ANN401  (a text, number, bytes or message, as the table says)
    """Give a field that is not repeated: of several the last counts, as protobuf has it; None if there is none."""
    values = found.get(name)
    return values[-1] if values else None


def text_of(found: Found, name: str) -> str:
    """Give a text field; empty if it is absent or no text."""
    value = last(found, name)
    return value if isinstance(value, str) else ""
