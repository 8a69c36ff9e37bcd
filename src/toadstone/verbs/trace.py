"""``trace``: what went into a model; which models saw a row, a file, a source, and what was built on them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from toadstone.core.errors import ToadstoneError, UsageError, nearest
from toadstone.core.finding import Json
from toadstone.identity.index import RowIndex
from toadstone.identity.lock import NAME
from toadstone.identity.manifest import read_manifest
from toadstone.identity.proof import digests_of_rows, prove
from toadstone.identity.table import Prefixes
from toadstone.ledger.ledger import Ledger
from toadstone.ledger.lineage import read_lineage, tables_in
from toadstone.ledger.things import Lineage, Sighted, Step, Table, Thing, Traced
from toadstone.tables.dataset import Dataset
from toadstone.tables.guess import guess_roles
from toadstone.tables.open import open_dataset
from toadstone.tables.roles import Roles
from toadstone.trackers.run import Tracked
from toadstone.verbs.admission import digests_of
from toadstone.verbs.pin import STORE, Pinner, PinOptions
from toadstone.verbs.tracked import also_known, joined, notes_of, read_at

MOST_PROOFS = 100
"""Rows for which proofs are made."""


def trace(what: str, ledger: Ledger | None, *, lock: str | os.PathLike[str] = NAME, tracked: Tracked | None = None) -> Traced:
    """Say what went into a thing and what came of it.

    Args:
        what: A path, known by its content; or the name of a source, as it was pinned or recorded.
        ledger: What is recorded; None: nothing is.
        lock: Path of the lock.
        tracked: What an experiment tracker says besides (`toadstone.trackers.mlflow.read_mlflow`).

    Raises:
        UsageError: There is no such thing, here or in the ledger.
    """
    lineage = _lineage(ledger, tracked)
    digests = _known(what, lineage, Path(lock))
    notes = notes_of(tracked) if tracked is not None else []
    if os.path.lexists(what):
        read, told = read_at(what, lineage)
        digests, notes = digests | read, notes + told
    digests = also_known(digests, lineage)
    before, after = lineage.upstream(digests), lineage.downstream(digests)
    return Traced(
        what,
        models=tuple(_unique(_outputs(after, frozenset()))),
        inputs=tuple(
            _unique(Sighted(thing, step.index, step.status, origin=step.origin) for step in before for thing in step.inputs)
        ),
        steps=tuple(sorted({step.index: step for step in (*before, *after)}.values(), key=lambda step: step.index)),
        notes=tuple(notes),
    )


def _lineage(ledger: Ledger | None, tracked: Tracked | None) -> Lineage:
    lineage = read_lineage(ledger) if ledger is not None else Lineage(())
    return joined(lineage, tracked) if tracked is not None else lineage


def trace_rows(
    data: str,
    ledger: Ledger | None,
    rows: Sequence[int] | None,
    *,
    source: str = "",
    lock: str | os.PathLike[str] = NAME,
    tracked: Tracked | None = None,
) -> Traced:
    """Say which models saw rows, and what was built on them.

    Args:
        data: A data set that holds the rows now; it need not be what was trained on.
        ledger: What is recorded; None: nothing is.
        rows: Numbers of the rows; None: all of them, or those of the source.
        source: Only rows that this contributor gave (the column of sources is guessed).
        lock: Path of the lock.
        tracked: What an experiment tracker says besides.

    Raises:
        UsageError: The data cannot be read, or has no such row or contributor.
    """
    dataset = open_dataset(data)
    digests = digests_of_rows(dataset)
    count = len(digests) // 32
    chosen = list(range(count)) if rows is None else list(rows)
    if wrong := [row for row in chosen if not 0 <= row < count]:
        raise UsageError(f"{data} has no row {wrong[0]}.", f"Its rows are 0 to {count - 1}.")
    if source:
        chosen = _of_source(dataset, data, source)
    wanted = np.frombuffer(b"".join(digests[32 * row : 32 * row + 8] for row in chosen), "<u8").astype(np.uint64)
    found = _Search(_lineage(ledger, tracked), Path(lock).absolute().parent).answer(_asked(data, rows, source), wanted)
    if tracked is None or not tracked.runs:
        return found
    note = f"{tracked.tracker} records no rows: which of its runs read the data set is told without naming rows"
    return replace(found, notes=(*found.notes, *tracked.notes, note))


def _asked(data: str, rows: Sequence[int] | None, source: str) -> str:
    if source:
        return f"rows of {source} in {data}"
    if rows is None:
        return f"rows of {data}"
    return f"row {rows[0]} of {data}" if len(rows) == 1 else f"{len(rows):,} rows of {data}"


def _of_source(dataset: Dataset, data: str, source: str) -> list[int]:
    column = guess_roles(dataset, Roles()).source
    if column is None:
        raise UsageError(f"{data} has no column that says who contributed a row.", "Name rows with --row or --rows instead.")
    table = dataset.take(range(_count(dataset)), [column])
    values = [str(value) for value in table[column].to_pylist()]
    found = [row for row, value in enumerate(values) if value == source]
    if not found:
        raise UsageError(f"nothing in the column {column} of {data} is {source!r}.", nearest(source, set(values)))
    return found


def _count(dataset: Dataset) -> int:
    return len(digests_of_rows(dataset)) // 32


def _known(what: str, lineage: Lineage, lock: Path) -> frozenset[str]:
    """Give the digests of what is meant."""
    if os.path.lexists(what) or "://" in what:
        found = _by_name(what, lineage) if "://" in what else frozenset()
        if found:
            return found
        pin = Pinner(lock, PinOptions(), keep=False).pinned(what)
        return digests_of(pin)
    named = _by_name(what, lineage)
    if named:
        return named
    if ":" in what:
        return frozenset([what])
    names = {thing.name for step in lineage.steps for thing in (*step.inputs, *step.outputs)}
    raise UsageError(f"{what} is neither a file nor a name in the ledger.", nearest(what, names))


def _by_name(what: str, lineage: Lineage) -> frozenset[str]:
    found: set[str] = set()
    for step in lineage.steps:
        for thing in (*step.inputs, *step.outputs):
            if what in (thing.name, thing.uri, thing.source):
                found |= thing.digests
    return frozenset(found)


def _outputs(steps: Iterable[Step], seen: frozenset[int], rows: tuple[int, ...] = ()) -> Iterator[Sighted]:
    for step in steps:
        for thing in step.outputs:
            yield Sighted(thing, step.index, step.status, rows, tuple(sorted(seen - {step.index})), step.origin)


def _unique(found: Iterable[Sighted]) -> Iterator[Sighted]:
    """Give each thing once, as it was first sighted."""
    seen: set[tuple[str, str]] = set()
    for one in found:
        key = (one.thing.name, one.thing.digest)
        if key not in seen:
            seen.add(key)
            yield one


class _Search:
    """Looks for rows in what runs took in.

    Args:
        lineage: What the ledger tells.
        home: Folder of the lock, below which the digests of rows are kept.
    """

    def __init__(self, lineage: Lineage, home: Path) -> None:
        self._lineage = lineage
        self._home = home
        self._indexes: dict[str, RowIndex | None] = {}
        self._notes: list[str] = []
        self._proofs: list[dict[str, Json]] = []

    def answer(self, asked: str, wanted: Prefixes) -> Traced:
        """Find the runs that saw rows, and what was built on them."""
        models: list[Sighted] = []
        inputs: list[Sighted] = []
        steps: dict[int, Step] = {}
        for step in self._lineage.steps:
            rows: set[int] = set()
            for thing in step.inputs:
                here = self._rows(thing, wanted)
                if here:
                    rows |= set(here)
                    inputs.append(Sighted(thing, step.index, step.status, tuple(here)))
            if not rows:
                continue
            steps[step.index] = step
            models += _outputs([step], frozenset(), tuple(sorted(rows)))
            built = [one for thing in step.outputs for one in self._lineage.downstream(thing.digests)]
            for later in built:
                steps.setdefault(later.index, later)
                models += _outputs([later], frozenset([step.index]))
        ordered = sorted(steps.values(), key=lambda step: step.index)
        direct = sorted(models, key=lambda one: bool(one.through))
        return Traced(
            asked,
            tuple(_unique(direct)),
            tuple(_unique(inputs)),
            tuple(ordered),
            tuple(self._proofs),
            tuple(dict.fromkeys(self._notes)),
        )

    def _rows(self, thing: Thing, wanted: Prefixes) -> list[int]:
        """Give the rows of a thing that are among those that are wanted."""
        found: list[int] = []
        for table in thing.tables or self._listed(thing):
            index = self._index(thing, table)
            if index is None:
                continue
            present = np.unique(wanted[index.contains(wanted)])
            rows = sorted(row for prefix in present for row in index.find(int(prefix)))
            self._prove(thing, table, rows)
            found += rows
        return found

    def _listed(self, thing: Thing) -> tuple[Table, ...]:
        """Read the tables of a thing that had too many for its record."""
        name, digest = thing.listed
        if not name or "/" in name or os.sep in name:
            return ()
        try:
            held = (self._home / STORE / name).read_bytes()
        except OSError:
            held = b""
        if hashlib.sha256(held).hexdigest() != digest:
            self._notes.append(
                f"the list of the tables of {thing.name} is not in {STORE}; whether they held these rows cannot be said"
            )
            return ()
        return tables_in(json.loads(held))

    def _index(self, thing: Thing, table: Table) -> RowIndex | None:
        if not table.row_root:
            self._notes.append(f"the rows of {thing.name} were not hashed; whether it held these cannot be said")
            return None
        if table.content not in self._indexes:
            path = (self._home / STORE / table.content[:32]).with_suffix(".rows")
            try:
                opened = RowIndex(path)
            except ToadstoneError:
                opened = None
            if opened is not None and opened.identity.hex() != table.row_root:
                opened = None
            self._indexes[table.content] = opened
        if self._indexes[table.content] is None:
            self._notes.append(
                f"the digests of the rows of {thing.name} are not in {STORE}; whether it held these cannot be said"
            )
        return self._indexes[table.content]

    def _prove(self, thing: Thing, table: Table, rows: Sequence[int]) -> None:
        """Prove rows where the data is still there; the first few."""
        path = self._home / thing.name / table.path if table.path else self._home / thing.name
        if not rows or not path.exists() or len(self._proofs) >= MOST_PROOFS:
            return
        try:
            identity = read_manifest((self._home / STORE / table.content[:32]).with_suffix(".blocks"))
            dataset = open_dataset(path)
        except ToadstoneError:
            return
        if identity.row_root is None or identity.row_root.hex() != table.row_root:
            return
        done = {(proof["root"], proof["row"]) for proof in self._proofs}
        for row in [row for row in rows if (table.row_root, row) not in done][: MOST_PROOFS - len(self._proofs)]:
            proof = prove(dataset, identity, row)
            if proof is None or not proof.holds():
                return
            self._proofs.append({"input": thing.name, **({"path": table.path} if table.path else {}), **proof.as_dict()})
