"""What the values of a stream weigh: nobody's file decides how much memory we use.

A single byte can make a container, and a container of which 256 items are kept can hold others like it. So every now
and then everything that a stream holds (stack, memo, and what lies inside) is counted once.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from toadstone.core.value import Excerpt, Items, Result, Table, Value

MOST_HELD = 88 << 20
"""Bytes of values that one stream may hold at once (estimated); a real one drops nearly all it makes."""

_PER_BYTE = 160
"""No opcode makes more bytes of values for each of its own."""

_OFTEN = 1 << 17


class Scales:
    """Says when to weigh, and weighs.

    Attributes:
        full: Whether the last weighing found too much.
    """

    def __init__(self) -> None:
        self._room = MOST_HELD
        self.full = False

    def due(self, size: int) -> bool:
        """Whether ``size`` more bytes of opcodes may have filled what was left."""
        self._room -= _PER_BYTE * size
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
            waiting = [root]
            while waiting and held < MOST_HELD:
                value = waiting.pop()
                count += 1
                held += 8
                if isinstance(value, (Items, Result)):
                    if id(value) not in seen:
                        seen.add(id(value))
                        waiting.extend(_inside(value))
                        held += 150
                elif isinstance(value, (str, bytes)):
                    held += 50 + len(value)
                elif isinstance(value, Excerpt):
                    held += 200 + len(value.head)
            if held >= MOST_HELD:
                break
        self.full = held >= MOST_HELD
        self.emptied(held)
        return count


def light(value: Value) -> bool:
    """Whether a value weighs next to nothing."""
    return not isinstance(value, (Items, Result, Excerpt)) and not (isinstance(value, (str, bytes)) and len(value) > _LIGHT)


_LIGHT = 64


def _inside(value: Items | Result) -> Iterable[Value]:
    if isinstance(value, Table):
        return value.flat
    if isinstance(value, Items):
        return value.items
    return (value.callee, *value.args, *(item for _, item in value.kwargs), *value.state)
