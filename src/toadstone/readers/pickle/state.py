"""What an unpickler remembers: stack, marks, memo, and what became of a stream."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable

from toadstone.core.fact import Anomaly, Fact, Unread
from toadstone.core.place import Place
from toadstone.core.record import dataclass, field
from toadstone.core.value import Opaque, Result, Symbol, Value
from toadstone.readers.flood import KEPT
from toadstone.readers.pickle.decoding import Decoding
from toadstone.readers.pickle.handing import Handing
from toadstone.readers.pickle.memo import Memo
from toadstone.readers.pickle.tape import Tape
from toadstone.readers.pickle.weight import MOST_HELD, Scales, light

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import TypeAlias

Detour: TypeAlias = Callable[[Result, int], "Generator[Fact, None, int]"]
"""Called when a built object is known to be followed by bytes that are no opcodes; gives the offset to go on at."""

UNKNOWN = Opaque("unknown")
MOST_MARKS = 1_000_000
_FAR = 1 << 24
"""Memo slots from here on cost the C unpickler 256 MiB and more: it keeps an array of twice as many pointers, filled with
nulls (``_Unpickler_MemoPut`` in ``_pickle.c``). A pickler counts up, so a slot is never larger than its place in the file."""
_MOST_SLOTS = 100_000

COST_OF_CALL = 40
"""Steps that a call or an import costs: the facts are judged by several checks."""

COST_OF_STREAM = 150
"""Steps that any stream costs, however short."""

HEADS = frozenset({0x80, 0x67, 0x38, 0x65, 0x48, 0x78, 0x1F})
"""First bytes of strings that may hold another pickle: raw, base64 (``g``, ``e``, ``H``), hex (``8``), zlib, gzip."""


@dataclass
class Stream:
    """What became of one stream.

    Attributes:
        end: Offset behind the last opcode that was followed.
        value: What the stream would give; unknown if it is broken.
        broken: Why it ended before ``STOP``; empty if it did not.
        acted: Whether anything was imported or called.
        persistent: Persistent ids, in order.
    """

    end: int
    value: Value = None
    broken: str = ""
    acted: bool = False
    persistent: list[Value] = field(default_factory=list)


class Broken(Exception):  # noqa: N818  (an exit from the loop, no error)
    """The stream cannot be followed any further."""


class State:
    """The state of one stream while it is followed.

    Args:
        tape: The bytes.
        place: Of the blob; facts get the offset of their opcode.
        wanted: Memo slots that are read back (see `Memo`).
        detours: By the last part of the callee's name, for objects that are followed by raw bytes.
        spend: Accounts for steps against the budget.
    """

    def __init__(
        self,
        tape: Tape,
        place: Place,
        wanted: set[int] | None,
        detours: dict[str, Detour],
        spend: Callable[[int], None],
    ) -> None:
        self.tape = tape
        self.place = place
        self.memo = Memo(wanted)
        self.detours = detours
        self.spend = spend
        self.stack: list[Value] = []
        self.marks: list[int] = []
        self.fence = 0
        self.protocol = 0
        self.frame_end = -1
        self.imported: set[Symbol] = set()
        self.names: dict[tuple[bytes, bytes], Symbol] = {}
        """Names in text opcodes that were decoded before."""
        self.strings: list[tuple[int, int, bool]] = []
        self.full_of_strings: Callable[[], Iterable[Fact]] = lambda: ()
        """Looks into the strings that were found, when there are many."""
        self.crowded: Callable[[], bool] = lambda: False
        """Whether so much was found fault with that only names are still judged."""
        self.facts: list[Fact] = []
        self.cuts: list[tuple[int, int]] = []
        """Spans that the C unpickler may not see (see `_straddles`)."""
        self.irregular = False
        self.work = COST_OF_STREAM
        """Steps made and not yet accounted for."""
        self.notes = 0
        self.scales = Scales()
        self.told: dict[object, int] = {}
        """How often each call was reported."""
        self.handing = Handing(tape.size)
        self.lost = False
        """Whether it was said that calls are not handed all of their values."""
        self.grown = 0
        """Characters of text that were made by joining and decoding."""
        self.decoding = Decoding(tape)
        self.worked_at = -1
        """Offset of the last call whose result is known: what it was given is looked at where the result goes."""
        self.stream = Stream(0)

    def account(self) -> None:
        """Account for the work on a window of opcodes, and see that what they made does not fill the memory.

        Raises:
            Broken: If the stream holds more than any real one.
            BudgetError: If no budget is left.
        """
        self.spend(self.tape.filled // 2 + self.work)
        self.work = 0
        if self.scales.due(self.tape.buffer):
            self.work = self.scales.weigh((self.stack, self.memo.values.values()), self.memo.weight + 40 * len(self.marks))
            if self.scales.full:
                self.forget()

    def forget(self) -> None:
        """Drop the values that weigh most, and go on: names and short text are enough to see what is called.

        Raises:
            Broken: If even what is left is too much.
        """
        if len(self.memo.values) > _MOST_SLOTS:
            self.memo.values.clear()  # slots in use without a value are unknown
        if self.memo.weight + 8 * len(self.stack) + 40 * len(self.marks) > MOST_HELD:
            raise Broken("it holds more values at once than any real stream")
        self.facts.append(Unread(self.place, "a stream holds more values at once than are kept; some arguments are not known"))
        self.stack[:] = [value if light(value) else UNKNOWN for value in self.stack]
        for slot, value in self.memo.values.items():
            if not light(value):
                self.memo.values[slot] = UNKNOWN
        self.stream.persistent.clear()
        self.scales.emptied(self.memo.weight + 80 * len(self.stack))

    def note(self, kind: str, detail: str, offset: int) -> None:
        """Report an anomaly; one that comes again and again is told a few times."""
        self.notes += 1
        if self.notes <= KEPT:
            self.facts.append(Anomaly(self.place.at(offset), kind, detail))

    def underflow(self, offset: int) -> Value:
        """A real unpickler stops here. What follows is read all the same: damage must not hide anything."""
        if not self.irregular:
            self.irregular = True
            self.note("malformed", "an opcode needs more than is on the stack; unpicklers stop here", offset)
        return UNKNOWN

    def no_slot(self, slot: int, offset: int) -> Value:
        if not self.irregular:
            self.irregular = True
            self.note("malformed", f"memo slot {slot} was never written; unpicklers stop here", offset)
        return UNKNOWN

    def pop(self, offset: int) -> Value:
        return self.stack.pop() if len(self.stack) > self.fence else self.underflow(offset)

    def to_mark(self, offset: int) -> list[Value]:
        if not self.marks:
            self.underflow(offset)
            values = self.stack[:]
            self.stack.clear()
            return values
        values = self.stack[self.fence :]
        del self.stack[self.fence :]
        self.fence = self.marks.pop()
        return values

    def get(self, slot: int, offset: int) -> None:
        self.stack.append(self.memo.get(slot) if slot in self.memo else self.no_slot(slot, offset))

    def put(self, slot: int, offset: int) -> None:
        if slot < 0:
            raise Broken("a negative memo slot")
        if slot >= _FAR and slot > offset:
            size = f"{16 * slot:,} bytes"
            self.note("resource-claim", f"memo slot {slot:,} makes the unpickler reserve {size} at once", offset)
        self.memo.put(slot, self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset))

    def op_memoize(self, _argument: int, offset: int) -> None:
        self.memo.memoize(self.stack[-1] if len(self.stack) > self.fence else self.underflow(offset))

    def op_mark(self, _argument: int, _offset: int) -> None:
        if len(self.marks) >= MOST_MARKS:
            raise Broken(f"more than {MOST_MARKS:,} marks")
        self.marks.append(self.fence)
        self.fence = len(self.stack)


@dataclass(frozen=True)
class Raw(Fact):
    """Not a fact: tells the loop that raw bytes follow."""

    detour: Detour
    result: Result
