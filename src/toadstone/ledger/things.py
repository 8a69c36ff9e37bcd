"""What was made of what: things, the steps that made them of others, and the answer to a question about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from toadstone.core.finding import Json

TRAINED, CLEANED = "training", "cleaning"


@dataclass(frozen=True)
class Table:
    """Rows within a thing.

    Attributes:
        path: Within it; empty when it is the table.
        rows: How many.
        content: SHA-256 root over its blocks, hexadecimal.
        row_root: Over its rows; empty when they were not hashed.
    """

    path: str
    rows: int
    content: str
    row_root: str


@dataclass(frozen=True)
class Thing:
    """Something that a step took in or gave out.

    Attributes:
        name: As it was called then.
        digests: ``algorithm:value``, each of which identifies it.
        tables: What is in it as rows.
        uri: Where it came from, if not from here.
        source: Name of the source that it was pinned as; empty when it was not.
        listed: Name and SHA-256 of the file that lists its tables when they are many; both empty otherwise.
        parts: Digests of files in it, by which whoever has one of them finds what made the whole.
    """

    name: str
    digests: frozenset[str]
    tables: tuple[Table, ...] = ()
    uri: str = ""
    source: str = ""
    listed: tuple[str, str] = ("", "")
    parts: frozenset[str] = frozenset()

    @property
    def digest(self) -> str:
        """The digest that is shown: of the bytes, if there is one; a tracker's only if there is no other."""
        return min(self.digests, key=lambda one: (not one.startswith("sha256:"), one.startswith("mlflow"), one), default="")


@dataclass(frozen=True)
class Step:
    """A run or a cleaning.

    Attributes:
        index: Number of its record.
        kind: ``training`` or ``cleaning``.
        status: ``succeeded``, ``failed`` or ``interrupted``.
        inputs: What it took in.
        outputs: What it gave out.
        said: The predicate of the record.
        origin: Who tells of it when it is no record of the ledger: nothing of it is sealed then.
    """

    index: int
    kind: str
    status: str
    inputs: tuple[Thing, ...]
    outputs: tuple[Thing, ...]
    said: dict[str, Any] = field(repr=False, compare=False)
    origin: str = ""

    @property
    def called(self) -> str:
        """What people read of it."""
        return self.origin or f"record {self.index}"


@dataclass(frozen=True)
class Lineage:
    """All steps of a ledger, in its order.

    Attributes:
        steps: One a record.
    """

    steps: tuple[Step, ...]

    def makers(self, digests: Iterable[str]) -> Iterator[Step]:
        """Give the steps that gave out a thing with one of these digests."""
        wanted = set(digests)
        return (step for step in self.steps if any(wanted & (thing.digests | thing.parts) for thing in step.outputs))

    def takers(self, digests: Iterable[str]) -> Iterator[Step]:
        """Give the steps that took in a thing with one of these digests."""
        wanted = set(digests)
        return (step for step in self.steps if any(wanted & thing.digests for thing in step.inputs))

    def upstream(self, digests: Iterable[str]) -> list[Step]:
        """Give the steps that led to a thing, directly or through others, nearest first."""
        return self._walk(digests, self.makers, lambda step: step.inputs)

    def downstream(self, digests: Iterable[str]) -> list[Step]:
        """Give the steps that followed from a thing, directly or through others, nearest first."""
        return self._walk(digests, self.takers, lambda step: step.outputs)

    @staticmethod
    def _walk(
        digests: Iterable[str], steps: Callable[[Iterable[str]], Iterator[Step]], onward: Callable[[Step], tuple[Thing, ...]]
    ) -> list[Step]:
        found: dict[int, Step] = {}
        pending = set(digests)
        seen = set(pending)
        while pending:
            following: set[str] = set()
            for step in steps(pending):
                if step.index not in found:
                    found[step.index] = step
                    following.update(*(thing.digests for thing in onward(step)))
            pending = following - seen
            seen |= following
        return list(found.values())


@dataclass(frozen=True)
class Sighted:
    """A thing in the answer.

    Attributes:
        thing: What it is.
        record: Number of the record that names it.
        status: Of the run that took it in or gave it out.
        rows: For a model: rows of the input that were asked for, as they are numbered there.
        through: For a model: numbers of the records by which it is built on what saw the rows; empty: it saw them itself.
        origin: Who tells of it when that is no record.
    """

    thing: Thing
    record: int
    status: str
    rows: tuple[int, ...] = ()
    through: tuple[int, ...] = ()
    origin: str = ""

    @property
    def called(self) -> str:
        """What people read of the record, or of who tells of it instead."""
        return self.origin or f"record {self.record}"


@dataclass(frozen=True)
class Traced:
    """The answer.

    Attributes:
        what: What was asked for.
        models: What came of it: outputs of runs and cleanings, nearest first.
        inputs: What went into it.
        steps: The records in between.
        proofs: That rows were in what a run took in.
        notes: What could not be said, and why.
    """

    what: str
    models: tuple[Sighted, ...] = ()
    inputs: tuple[Sighted, ...] = ()
    steps: tuple[Step, ...] = ()
    proofs: tuple[dict[str, Json], ...] = ()
    notes: tuple[str, ...] = field(default=())
