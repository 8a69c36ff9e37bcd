"""What working out values may cost: steps, characters, and the shape of what is made."""

from __future__ import annotations

from toadstone.core.record import dataclass

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, without importing it
if TYPE_CHECKING:
    from typing import Any

LONGEST = 4 << 20
"""Characters or bytes of one worked-out string at most."""

BITS = 1 << 17
"""Bits of one worked-out integer at most."""

ITEMS = 1 << 17
"""Items of one worked-out container at most."""

_PARTS = 200_000
_DEPTH = 40


class NotWorkedOut(Exception):  # noqa: N818  (an exit, no error: the value stays unknown)
    """A value depends on what is not known here, or costs more than it may."""


@dataclass
class Effort:
    """What one source may still cost.

    Attributes:
        steps: Operations.
        room: Characters, bytes and items that may still be made.
    """

    steps: int = 400_000
    room: int = 32 << 20

    def step(self, count: int = 1) -> None:
        """Account for operations.

        Raises:
            NotWorkedOut: If none are left.
        """
        self.steps -= count
        if self.steps < 0:
            raise NotWorkedOut("steps")

    def made(self, value: Any) -> Any:  # noqa: ANN401  (values of any type are worked out)
        """Account for a value that was made, and give it.

        Raises:
            NotWorkedOut: If it is larger than any that is worth making.
        """
        kind = type(value)
        if kind is int:
            if value.bit_length() > BITS:
                raise NotWorkedOut("a large number")
        elif kind in _TEXTS:
            self.hold(len(value), LONGEST)
        elif kind in _CONTAINERS:
            self.hold(len(value), ITEMS)
        return value

    def hold(self, size: int, most: int = LONGEST) -> None:
        """Account for something of a size.

        Raises:
            NotWorkedOut: If it is larger than ``most``, or than what is left.
        """
        self.room -= size
        if size > most or self.room < 0:
            raise NotWorkedOut("size")
        self.steps -= size >> 6

    def looked_into(self, *values: object) -> None:
        """Account for a function that goes through whole containers (comparing, hashing, writing out).

        A list that holds itself twice, over and over, is small and yet takes for ever to go through.

        Raises:
            NotWorkedOut: If they are too deep or too large.
        """
        left = _PARTS
        for value in values:
            if isinstance(value, (str, bytes, bytearray)):
                self.steps -= len(value) >> 10
        stack: list[tuple[object, int]] = [(value, 0) for value in values if isinstance(value, _NESTING)]
        while stack:
            value, depth = stack.pop()
            inner: list[object] = [*value.keys(), *value.values()] if isinstance(value, dict) else list(value)  # type: ignore[call-overload]
            left -= len(inner)
            if left < 0 or depth > _DEPTH:
                raise NotWorkedOut("a deep value")
            for item in inner:
                if isinstance(item, _NESTING):
                    stack.append((item, depth + 1))
                elif isinstance(item, (str, bytes)):
                    left -= len(item) >> 4
        self.step((_PARTS - left) >> 3)


_TEXTS = (str, bytes, bytearray)
_CONTAINERS = (list, tuple, dict, set, frozenset)
_NESTING = (list, tuple, dict, set, frozenset)
