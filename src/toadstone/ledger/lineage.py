"""What was made of what, as the ledger tells it: training runs and cleanings as steps, joined by the digests they name.

A step takes things in and gives things out. Things are the same when a digest is the same, whatever they are called: a path
that was renamed, a table that was written anew (its content has a digest of its own) still join.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from toadstone.core.finding import Json
from toadstone.ledger.ledger import Entry, Ledger
from toadstone.ledger.predicates import QUARANTINE, TRAINING

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
    """

    name: str
    digests: frozenset[str]
    tables: tuple[Table, ...] = ()
    uri: str = ""
    source: str = ""

    @property
    def digest(self) -> str:
        """The digest that is shown: of the bytes, if there is one."""
        return min(self.digests, key=lambda digest: (not digest.startswith("sha256:"), digest), default="")


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
    """

    index: int
    kind: str
    status: str
    inputs: tuple[Thing, ...]
    outputs: tuple[Thing, ...]
    said: dict[str, Any] = field(repr=False, compare=False)


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
        return (step for step in self.steps if any(wanted & thing.digests for thing in step.outputs))

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


def read_lineage(ledger: Ledger) -> Lineage:
    """Read the steps of a ledger.

    Raises:
        LedgerError: It cannot be read.
    """
    return Lineage(tuple(step for entry in ledger.entries() if (step := step_of(entry)) is not None))


def step_of(entry: Entry) -> Step | None:
    """Give the step that a record tells of; None when it tells of none."""
    said = entry.statement.get("predicate")
    if not isinstance(said, dict):
        return None
    subjects = _things(entry.statement.get("subject"))
    if entry.predicate_type == TRAINING:
        status = str(said.get("status", ""))
        inputs = _things(said.get("inputs"))
        made = () if said.get("madeNothing") or (status != "succeeded" and subjects == inputs) else subjects
        return Step(entry.index, TRAINED, status, inputs, made, said)
    if entry.predicate_type == QUARANTINE:
        return Step(entry.index, CLEANED, "succeeded", _things([said.get("source")]), subjects, said)
    return None


def _things(found: Json | list[Json]) -> tuple[Thing, ...]:
    listed = found if isinstance(found, list) else []
    return tuple(thing for one in listed if isinstance(one, dict) and (thing := _thing(one)) is not None)


def _thing(resource: dict[str, Any]) -> Thing | None:
    digest = resource.get("digest")
    if not isinstance(digest, dict) or not digest:
        return None
    notes = resource.get("annotations")
    notes = notes if isinstance(notes, dict) else {}
    tables = notes.get("tables")
    return Thing(
        str(resource.get("name", "")),
        frozenset(f"{algorithm}:{value}" for algorithm, value in digest.items()),
        tuple(_table(table) for table in (tables if isinstance(tables, list) else []) if isinstance(table, dict)),
        str(resource.get("uri", "")),
        str(notes.get("source", "")),
    )


def _table(table: dict[str, Any]) -> Table:
    rows = table.get("rows")
    texts = (str(table.get(key, "")) for key in ("path", "content", "rowRoot"))
    path, content, row_root = texts
    return Table(path, rows if isinstance(rows, int) else 0, content, row_root)
