"""Columns of numbers in the memory of a Ray cluster: each is an object that any machine can ask for.

On the side that asks for work, a `RayStore` knows which object holds which column of which chunk. It travels as a `Shelf`: on the
side that works, that gives the columns of the chunks that a task is about when they are looked at, and collects those that it
makes. They go back as results of the task, so that they belong to the process that asked: the end of a worker, or of its
machine, loses nothing that cannot be made again by running the task again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from toadstone.core.errors import UsageError
from toadstone.engine.store import Store

Array = NDArray[Any]
Key = tuple[int, str, int]
"""Number of a store, name of a column, number of a chunk."""
Reference = Any
"""``ray.ObjectRef``: Ray is not imported before it is asked for."""

SLOTS = 32
"""Results of a task that hold columns: one for each name, the last for all that are left."""


_OPEN = 8
"""Objects that stay open where work is asked for."""


class RayStore(Store):
    """Keeps columns in the cluster's memory, which goes to the cluster's disks when it is full.

    Args:
        ray: The library, connected.
        number: Of the store among those of one executor.
    """

    def __init__(self, ray: Any, number: int) -> None:  # noqa: ANN401  (a module)
        super().__init__(0)
        self.number = number
        self._ray = ray
        self._kept: dict[int, dict[str, Reference]] = {}
        self._open: OrderedDict[Reference, dict[Key, Array]] = OrderedDict()

    def put(self, name: str, chunk: int, values: Array) -> None:
        self.found((self.number, name, chunk), self._ray.put({(self.number, name, chunk): values}))

    def get(self, name: str, chunk: int) -> Array:
        held = self._kept.get(chunk, {}).get(name)
        if held is None:
            raise KeyError(name)
        return self._opened(held)[self.number, name, chunk]

    def _opened(self, held: Reference) -> dict[Key, Array]:
        """Give what an object holds; the latest stay open, since neighbours lie in the same ones."""
        if held in self._open:
            self._open.move_to_end(held)
            return self._open[held]
        try:
            self._open[held] = self._ray.get(held)
        except self._ray.exceptions.RayError as error:
            raise lost(error) from None
        if len(self._open) > _OPEN:
            self._open.popitem(last=False)
        return self._open[held]

    def drop(self, name: str, chunk: int) -> None:
        self._kept.get(chunk, {}).pop(name, None)

    def __contains__(self, key: tuple[str, int]) -> bool:
        name, chunk = key
        return name in self._kept.get(chunk, {})

    def close(self) -> None:
        self._kept.clear()
        self._open.clear()
        super().close()

    def found(self, key: Key, reference: Reference) -> None:
        """Say which object holds a column."""
        self._kept.setdefault(key[2], {})[key[1]] = reference

    def of(self, chunk: int) -> dict[Key, Reference]:
        """Give the objects that hold the columns of a chunk."""
        return {(self.number, name, chunk): reference for name, reference in self._kept.get(chunk, {}).items()}

    def __reduce__(self) -> tuple[type[Shelf], tuple[int]]:
        return Shelf, (self.number,)


@dataclass
class Desk:
    """The columns of one task, on the side that works.

    Attributes:
        there: Objects that hold the columns of the chunks that the task is about.
        made: Columns that it made; None: it dropped one.
        open: Objects that were looked at, for as long as the task takes.
    """

    there: Mapping[Key, Reference] = field(default_factory=dict)
    made: dict[Key, Array | None] = field(default_factory=dict)
    open: dict[Reference, dict[Key, Array]] = field(default_factory=dict)

    def packed(self) -> tuple[dict[Key, int], tuple[dict[Key, Array] | None, ...]]:
        """Give the slot of each column that was made (-1: it was dropped), and what is in the slots."""
        names = sorted({(store, name) for store, name, _ in self.made})
        slot_of = {name: min(place, SLOTS - 1) for place, name in enumerate(names)}
        places: dict[Key, int] = {}
        slots: list[dict[Key, Array] | None] = [None] * SLOTS
        for key, values in self.made.items():
            places[key] = -1 if values is None else slot_of[key[:2]]
            if values is not None:
                held = slots[places[key]] or {}
                held[key] = values
                slots[places[key]] = held
        return places, tuple(slots)


_desk = Desk()
"""Of the task that this process works on; there is one at a time."""


def sit_down(there: Mapping[Key, Reference]) -> Desk:
    """Begin a task; whatever was left of the one before is forgotten."""
    global _desk  # noqa: PLW0603  (what travelled has no other way to its task)
    _desk = Desk(there)
    return _desk


class Shelf:
    """A store on the side that works.

    Args:
        number: Of the store.
    """

    def __init__(self, number: int) -> None:
        self._number = number

    def put(self, name: str, chunk: int, values: Array) -> None:
        """Keep an array."""
        _desk.made[self._number, name, chunk] = values

    def get(self, name: str, chunk: int) -> Array:
        """Give an array.

        Raises:
            KeyError: there is none.
        """
        if (name, chunk) not in self:
            raise KeyError(name)
        made = _desk.made.get((self._number, name, chunk))
        return _fetched((self._number, name, chunk)) if made is None else made

    def drop(self, name: str, chunk: int) -> None:
        """Forget an array."""
        _desk.made[self._number, name, chunk] = None

    def __contains__(self, key: tuple[str, int]) -> bool:
        name, chunk = key
        place = (self._number, name, chunk)
        return _desk.made[place] is not None if place in _desk.made else place in _desk.there


def _fetched(key: Key) -> Array:
    import ray  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415  (an extra, slow to import)

    reference = _desk.there[key]
    if reference not in _desk.open:
        _desk.open[reference] = ray.get(reference)
    return _desk.open[reference][key]


def lost(error: Exception) -> UsageError:
    """Say what a person can do when the cluster cannot give or make what it should."""
    return UsageError(
        f"the Ray cluster lost what it was working on: {type(error).__name__}.",
        "Machines may have been short of memory or have left: look at `ray status` and at the logs there, and start again.",
    )
