"""What the values of a stream weigh: nobody's file decides how much memory we use.

A single byte can make a container, and a container of which 256 items are kept can hold others like it. So every now
and then everything that a stream holds (stack, memo, and what lies inside) is counted once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from toadstone.core.value import Excerpt, Items, Result, Symbol, Table, Value
from toadstone.readers.pickle.opcodes import NAMES

MOST_HELD = 88 << 20
"""Bytes of values that one stream may hold at once (estimated); a real one drops nearly all it makes."""

_PER_BYTE = 160
"""No opcode makes more bytes of values for each of its own."""

_PER_PLAIN_BYTE = 12
"""Nor does one that makes no object: a place on the stack, a number, what a text takes for each byte of its own."""

_PLAIN = frozenset(
    """
    STOP POP POP_MARK DUP NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 INT FLOAT BINFLOAT BINGET LONG_BINGET GET PROTO FRAME
    """.split()
)
_MAKERS = bytes(sorted(code for code, name in NAMES.items() if name not in _PLAIN))
"""Opcodes that make an object, make one grow or fill a memo slot; their bytes are counted wherever they stand."""

_OFTEN = 1 << 17
_OBJECT = 150
"""Bytes of a container without what it holds."""


class Scales:
    """Says when to weigh, and weighs.

    Attributes:
        full: Whether the last weighing found too much.
    """

    def __init__(self) -> None:
        self._room = MOST_HELD
        self.full = False

    def due(self, opcodes: bytes) -> bool:
        """Whether more opcodes may have filled what was left."""
        plain = len(opcodes.translate(None, _MAKERS))
        self._room -= _PER_BYTE * (len(opcodes) - plain) + _PER_PLAIN_BYTE * plain
        return self._room <= 0

    def emptied(self, base: int) -> None:
        """Take note that only ``base`` bytes are left."""
        self._room = max(MOST_HELD - base, _OFTEN * _PER_BYTE)

    def weigh(self, roots: Iterable[Iterable[Value]], base: int) -> int:
        """Estimate what is held; give the number of values that were looked at.

        Args:
            roots: The values that are held directly.
            base: Bytes of what holds them.
        """
        held, count = base, 0
        seen: set[int] = set()
        for root in chain.from_iterable(roots):
            count += 1
            held += 8
            if type(root) in _WEIGHTLESS or id(root) in seen:
                continue
            if isinstance(root, Table) and not root.flat:  # floods are made of these
                seen.add(id(root))
                held += _OBJECT
            else:
                weight, looked = _weighed(root, seen, MOST_HELD - held)
                held += weight
                count += looked
            if held >= MOST_HELD:
                break
        self.full = held >= MOST_HELD
        self.emptied(held)
        return count


def _weighed(root: Value, seen: set[int], most: int) -> tuple[int, int]:
    """Weigh a value with all that is in it and was not seen yet, up to ``most`` bytes; give bytes and values looked at."""
    held = count = 0
    waiting: list[Value] = [root]
    while waiting and held < most:
        value = waiting.pop()
        if isinstance(value, (Items, Result)):
            if id(value) not in seen:
                seen.add(id(value))
                inside = value.items if type(value) is Items else _inside(value)
                count += len(inside)
                held += _OBJECT + 8 * len(inside)
                if len(inside) != 1:
                    waiting += [item for item in inside if type(item) not in _WEIGHTLESS]
                elif type(inside[0]) not in _WEIGHTLESS:  # chains of tuples, each in the next
                    waiting.append(inside[0])
        elif isinstance(value, (str, bytes)):
            held += 50 + len(value)
        elif isinstance(value, Excerpt):
            held += 200 + len(value.head)
    return held, count


def light(value: Value) -> bool:
    """Whether a value weighs next to nothing."""
    return not isinstance(value, (Items, Result, Excerpt)) and not (isinstance(value, (str, bytes)) and len(value) > _LIGHT)


_LIGHT = 64


_WEIGHTLESS = frozenset({type(None), bool, int, float, Symbol})


def _inside(value: Items | Result) -> Sequence[Value]:
    if isinstance(value, Table):
        return value.flat
    if isinstance(value, Items):
        return value.items
    return (value.callee, *value.args, *(item for _, item in value.kwargs), *value.state)
