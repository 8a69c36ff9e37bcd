"""The unpickler's memo, without the weight of what nobody reads back."""

from __future__ import annotations

from toadstone.core.value import Opaque, Value

MOST_READ = 400_000
"""Distinct memo slots whose values are kept for reading them back; no real stream comes near."""


class _Slots(dict[int, Value]):
    """Slots whose value was not kept are unknown."""

    def __missing__(self, slot: int) -> Value:
        return MISSING


class Memo:
    """Slots by number, as both CPython unpicklers number them.

    ``MEMOIZE`` writes to slot *number of slots in use*, not *highest slot + 1*. ``PUT`` may use any slot and may
    overwrite. Only slots in ``wanted`` keep their value: pickles memoise every string and container, and read back few.

    Args:
        wanted: Slots that are read back anywhere in the stream, or None to keep all.
    """

    def __init__(self, wanted: set[int] | None) -> None:
        self.wanted = wanted
        self.values: dict[int, Value] = _Slots()
        self.run = 0
        """Slots 0 to run - 1 are in use; real pickles never need more than this number."""
        self.others: set[int] = set()
        """Slots in use beyond."""

    def __len__(self) -> int:
        return self.run + len(self.others)

    def put(self, slot: int, value: Value) -> None:
        """Write a slot."""
        if slot == self.run:
            self.run += 1
            while self.others and self.run in self.others:
                self.others.discard(self.run)
                self.run += 1
        elif slot > self.run:
            self.others.add(slot)
        if self.wanted is None or slot in self.wanted:
            self.values[slot] = value

    @property
    def weight(self) -> int:
        """Bytes of the memo itself, without its values (estimated)."""
        return 100 * len(self.values) + 70 * len(self.others)

    def memoize(self, value: Value) -> None:
        """Write the slot that ``MEMOIZE`` uses."""
        self.put(len(self), value)

    def __contains__(self, slot: int) -> bool:
        return 0 <= slot < self.run or slot in self.others

    def get(self, slot: int) -> Value:
        """Read a slot; unknown when it was never written."""
        return self.values[slot]


MISSING = Opaque("memo")
