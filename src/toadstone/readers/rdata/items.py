"""Serialized objects of R, item by item: a picture of what may run, and nothing of what is only data."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from toadstone.core.budget import Budget
from toadstone.readers.rdata.inputs import Binary, RError, Text

SYMBOL, LIST, CLOSURE, ENVIRONMENT, PROMISE, CALL = 1, 2, 3, 4, 5, 6
STRING, STRINGS, VECTOR, EXPRESSIONS, BYTECODE, POINTER, WEAK, RAW, S4 = 9, 16, 19, 20, 21, 22, 23, 24, 25
_BUILTIN = (7, 8)
_DOTS = 17
_PAIRS = frozenset({LIST, CLOSURE, PROMISE, CALL, _DOTS})
_WIDTHS = {10: 4, 13: 4, 14: 8, 15: 16}
_CONSTANTS = {0: "NULL", 254: "NULL", 253: ".GlobalEnv", 252: "", 251: "", 250: "base", 242: "emptyenv()", 241: "baseenv()"}
UNBOUND = 252
_REFERENCE, _PERSISTENT, _PACKAGE, _NAMESPACE, _ALTERNATIVE = 255, 247, 248, 249, 238
_BC_DEFINED, _BC_REFERRED, _BC_CALL, _BC_LIST = 244, 243, 240, 239

KEPT = 512
"""Items of one vector or call that are kept."""

_TEXT = 4096
_NOTED = 8192
"""Promises, and active bindings, of one object that are judged."""
_STRINGS_KEPT = 8
DEPTH = 20_000
_STEP = 8
"""Items that cost one step: compressed objects of a few hundred kilobytes hold millions of them."""

ACTIVE = 1 << 15
"""In the levels of a cell: what it holds is called when somebody looks at it."""


class Item:
    """One object.

    Attributes:
        kind: Its type, as R numbers them; `UNBOUND` for a value that is not there.
        offset: Where it begins.
        value: Name, text, or constant; for `CALL` and lists the cells ``(tag, item)``; for the others what is told below.
        is_active: Whether the cell that holds it is an active binding.
    """

    __slots__ = ("is_active", "kind", "offset", "value")

    def __init__(self, kind: int, offset: int, value: Any = None) -> None:  # noqa: ANN401
        self.kind, self.offset, self.value = kind, offset, value
        self.is_active = False


Reading = Generator[Any, Item, Item]
"""Asks for the items inside by yielding their readings; `Items.read` drives it, so that depth costs no stack."""


class Items:
    """Reads the objects of one stream.

    Args:
        stream: Behind the versions.
        budget: What reading may cost.

    Attributes:
        promises: Promises that are no variable of an environment and no argument of a function.
        delayed: Those that are.
        closures: Functions.
        actives: Functions of active bindings.
        names: Namespaces and packages that reading asks R to load.
        raws: Where runs of bytes are.
    """

    def __init__(self, stream: Binary | Text, budget: Budget) -> None:
        self._in = stream
        self._budget = budget
        self._met = 0
        self._least = 4 if isinstance(stream, Binary) else 1
        self._known: list[Item] = []
        self.overflow = False
        """Whether there were more promises or active bindings than are kept."""
        self.promises: list[Item] = []
        self.delayed: list[Item] = []
        self.closures: list[Item] = []
        self.actives: list[Item] = []
        self.names: list[str] = []
        self.raws: list[tuple[int, int]] = []

    def read(self) -> Item:
        """Read one object with all that is in it.

        Raises:
            RError: If the bytes are none.
            ShortError: If they end inside it.
            BudgetError: If reading costs too much.
        """
        stack: list[Reading] = [self._item(False)]
        given: Any = None  # starts the first one
        while True:
            try:
                stack.append(stack[-1].send(given))
                given = None
            except StopIteration as done:
                stack.pop()
                given = done.value
                if not stack:
                    return done.value  # type: ignore[no-any-return]
            if len(stack) > DEPTH:
                raise RError(f"objects inside each other, more than {DEPTH:,} levels", "depth-bomb")

    def _length(self) -> int:
        size = self._in.integer()
        if size == -1:
            high, low = self._in.integer(), self._in.integer()
            size = (high << 32) + (low & 0xFFFF_FFFF)
        if size < 0 or size >= 1 << 48:
            raise RError(f"a vector of {size:,} items", "resource-claim")
        return size

    def _item(self, bound: bool, flags: int | None = None) -> Reading:
        """Read an item; ``bound`` says that it is the frame of an environment, or the table of its frames."""
        offset = self._in.cursor.position
        if flags is None:
            flags = self._in.integer()
        simple = self._simple(flags, offset)
        if simple is not None:
            return simple
        kind = flags & 0xFF
        if kind in _PAIRS:
            return (yield self._pairs(flags, bound, offset))
        if kind in (_PERSISTENT, _PACKAGE, _NAMESPACE):
            return (yield self._named(kind, offset))
        if kind == ENVIRONMENT:
            return (yield self._environment(offset))
        if kind == SYMBOL:
            found = yield self._item(False)
            return self._remembered(Item(SYMBOL, offset, found.value if isinstance(found.value, str) else ""))
        return (yield self._plain(kind, flags, offset, bound))

    def _simple(self, flags: int, offset: int) -> Item | None:
        """Read an item that holds no other, if it is one: most are, and no generator is made for them."""
        self._met += 1
        if not self._met % _STEP:
            self._budget.spend_steps(1)
        kind = flags & 0xFF
        if kind == _REFERENCE:
            return self._referred(flags >> 8 or self._in.integer(), offset)
        if kind in _CONSTANTS:
            return Item(kind, offset, _CONSTANTS[kind])
        if flags & 0x200:
            return None
        if kind == STRING:
            return Item(STRING, offset, self._string(_TEXT))
        if kind in _WIDTHS:
            self._in.numbers(self._length(), _WIDTHS[kind])
            return Item(kind, offset)
        return None

    def _inside(self) -> Reading | Item:
        """Give the next item, or what reads it."""
        offset = self._in.cursor.position
        flags = self._in.integer()
        return self._simple(flags, offset) or self._item(False, flags)

    def _remembered(self, item: Item) -> Item:
        self._known.append(item)
        return item

    def _referred(self, index: int, offset: int) -> Item:
        if not 0 < index <= len(self._known):
            raise RError(f"a reference to object {index:,} of {len(self._known):,}", "index-bounds")
        found = self._known[index - 1]
        return Item(found.kind, offset, found.value) if found.kind == SYMBOL else Item(_REFERENCE, offset, found)

    def _named(self, kind: int, offset: int) -> Reading:
        self._in.integer()
        names = []
        for _ in range(self._counted(self._length(), 4)):
            found = yield self._item(False)
            names.append(found.value if isinstance(found.value, str) else "")
        if kind != _PERSISTENT and len(self.names) < KEPT:
            self.names.append((names or [""])[0])
        return self._remembered(Item(kind, offset, " ".join(names[:2])))

    def _counted(self, count: int, least: int) -> int:
        """Check that so many items can be there."""
        if count * least > self._in.cursor.left * (4 if isinstance(self._in, Text) else 1):
            self._in.cursor.skip(self._in.cursor.left + 1)  # raises: the file is cut short
        return count

    def _environment(self, offset: int) -> Reading:
        self._in.integer()
        item = self._remembered(Item(ENVIRONMENT, offset))
        yield self._item(False)
        yield self._item(True)
        yield self._item(True)
        yield self._item(False)
        return item

    def _pairs(self, flags: int, bound: bool, offset: int) -> Reading:
        """Read a list cell by cell: the rest of a list is no deeper than its beginning."""
        kind = flags & 0xFF
        first = Item(kind, offset, [])
        while True:
            if flags & 0x200:
                yield self._item(False)
            tag: Any = self._inside() if flags & 0x400 else None
            if isinstance(tag, Generator):
                tag = yield tag
            is_frame = bound and kind == LIST
            head: Any = self._inside()
            if isinstance(head, Generator):
                head = yield head
            head.is_active = bool(is_frame and (flags >> 12) & ACTIVE)
            if len(first.value) < KEPT:
                first.value.append((tag, head))
            self._note(head, is_frame or kind == _DOTS)
            flags = self._in.integer()
            if flags & 0xFF not in (LIST, CALL) or kind in (CLOSURE, PROMISE):
                break
            if flags & 0xFF == CALL and kind != CALL:
                break
        rest = yield self._item(False, flags)
        if rest.kind not in (0, 254):
            first.value.append((None, rest))
        if kind == CLOSURE and len(self.closures) < 4096:
            self.closures.append(first)
        return first

    def _note(self, item: Item, is_variable: bool) -> None:
        """Remember what may run: what variables hold runs by its name only, everything else when it is looked at."""
        if item.kind == PROMISE:
            met = self.delayed if is_variable else self.promises
            if len(met) < _NOTED:
                met.append(item)
            else:
                self.overflow = True
        elif item.is_active and item.kind == CLOSURE:
            if len(self.actives) < _NOTED:
                self.actives.append(item)
            else:
                self.overflow = True

    def _plain(self, kind: int, flags: int, offset: int, bound: bool) -> Reading:
        item = Item(kind, offset)
        if kind == STRING:
            item.value = self._string(_TEXT)
        elif kind in _WIDTHS:
            self._in.numbers(self._length(), _WIDTHS[kind])
        elif kind == RAW:
            self.raws.append(self._in.raw(self._length()))
        elif kind in _BUILTIN:
            item.value = self._string(_TEXT)
        elif kind in (STRINGS, VECTOR, EXPRESSIONS, BYTECODE):
            item = yield self._compound(kind, offset, bound)
        elif kind in (POINTER, WEAK):
            yield self._pointer(item)
        elif kind == _ALTERNATIVE:
            info, state, _ = (yield self._item(False)), (yield self._item(False)), (yield self._item(False))
            self._alternative(info)
            item.value = [(None, state)]
            return item
        elif kind != S4:
            raise RError(f"type {kind} is not known")
        if flags & 0x200:
            yield self._item(False)
        return item

    def _pointer(self, item: Item) -> Reading:
        """Read what a pointer protects and its tag; a weak reference comes back empty."""
        self._remembered(item)
        for _ in range(2 if item.kind == POINTER else 0):
            self._note((yield self._item(False)), False)
        return item

    def _compound(self, kind: int, offset: int, bound: bool) -> Reading:
        if kind == STRINGS:
            return (yield self._strings(offset))
        if kind == BYTECODE:
            return (yield self._bytecode(offset))
        item = yield self._vector(offset, bound and kind == VECTOR)
        item.kind = kind
        return item

    def _string(self, limit: int) -> str | None:
        size = self._in.integer()
        if size < -1:
            raise RError(f"a string of {size:,} bytes", "resource-claim")
        return self._in.text(size, limit).decode("utf-8", "replace") if size >= 0 else None

    def _vector(self, offset: int, bound: bool) -> Reading:
        item = Item(VECTOR, offset, [])
        for _ in range(self._counted(self._length(), self._least)):
            found: Any = self._item(True) if bound else self._inside()
            if isinstance(found, Generator):
                found = yield found
            self._note(found, False)
            if found.value and found.kind != STRING and len(item.value) < KEPT:  # what is only data is not kept
                item.value.append((None, found))
        return item

    def _strings(self, offset: int) -> Reading:
        """Read the strings of a vector; there may be millions, so that the loop does the work itself."""
        kept: list[Any] = []
        stream, budget = self._in, self._budget
        for index in range(self._counted(self._length(), self._least)):
            if not index % _STEP:
                budget.spend_steps(1)
            at = stream.cursor.position
            flags = stream.integer()
            if flags & 0x2FF != STRING:
                found = yield self._item(False, flags)
            else:
                found = Item(STRING, at, self._string(_TEXT if index < _STRINGS_KEPT else 0))
            if len(kept) < _STRINGS_KEPT:
                kept.append((None, found))
        return Item(STRINGS, offset, kept)

    def _alternative(self, info: Item) -> None:
        """Note the package that R loads to make an object of one of its classes."""
        cells = info.value if isinstance(info.value, list) else []
        names = [cell[1].value for cell in cells if isinstance(cell[1].value, str)]
        if len(names) > 1 and len(self.names) < KEPT:
            self.names.append(names[1])

    # ---- bytecode

    def _bytecode(self, offset: int) -> Reading:
        repeats = self._in.integer()
        self._counted(max(repeats, 0), 1)
        shared: dict[int, Item] = {}
        return (yield self._code(offset, shared))

    def _code(self, offset: int, shared: dict[int, Item]) -> Reading:
        """Read instructions, which are numbers, and the constants, which hold the source of the function."""
        yield self._item(False)
        item = Item(BYTECODE, offset, [])
        for _ in range(self._counted(max(self._in.integer(), 0), self._least)):
            kind = self._in.integer()
            at = self._in.cursor.position
            if kind == BYTECODE:
                found = yield self._code(at, shared)
            elif kind in (CALL, LIST, _BC_DEFINED, _BC_REFERRED, _BC_CALL, _BC_LIST):
                found = yield self._language(kind, shared)
            else:
                found = yield self._item(False)
            if len(item.value) < KEPT:
                item.value.append((None, found))
        return item

    def _language(self, kind: int, shared: dict[int, Item]) -> Reading:
        self._met += 1
        if not self._met % _STEP:
            self._budget.spend_steps(1)
        offset = self._in.cursor.position
        if kind == _BC_REFERRED:
            return shared.get(self._in.integer(), Item(254, offset))
        place = self._in.integer() if kind == _BC_DEFINED else -1
        kind = self._in.integer() if kind == _BC_DEFINED else kind
        if kind not in (CALL, LIST, _BC_CALL, _BC_LIST):
            return (yield self._item(False))
        item = Item(CALL if kind in (CALL, _BC_CALL) else LIST, offset, [])
        if place >= 0:
            shared[place] = item
        if kind in (_BC_CALL, _BC_LIST):
            yield self._item(False)
        tag = yield self._item(False)
        head = yield self._language(self._in.integer(), shared)
        item.value.append((tag, head))
        rest = yield self._language(self._in.integer(), shared)
        item.value += rest.value[: KEPT - 1] if rest.kind in (LIST, CALL) and isinstance(rest.value, list) else []
        return item
