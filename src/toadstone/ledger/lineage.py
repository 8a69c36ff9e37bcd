"""What was made of what, as the ledger tells it: training runs and cleanings as steps, joined by the digests they name.

A step takes things in and gives things out. Things are the same when a digest is the same, whatever they are called: a path
that was renamed, a table that was written anew (its content has a digest of its own) still join.
"""

from __future__ import annotations

from typing import Any

from toadstone.core.finding import Json
from toadstone.ledger.ledger import Entry, Ledger
from toadstone.ledger.predicates import QUARANTINE, TRAINING
from toadstone.ledger.things import CLEANED, TRAINED, Lineage, Step, Table, Thing


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
        _listed(notes.get("tablesIn")),
    )


def _listed(found: Json) -> tuple[str, str]:
    digest = found.get("digest") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(digest, dict):
        return "", ""
    return str(found.get("name", "")), str(digest.get("sha256", ""))


def tables_in(listed: Json) -> tuple[Table, ...]:
    """Read the tables of a list that stands in a file of its own."""
    return tuple(_table(table) for table in (listed if isinstance(listed, list) else []) if isinstance(table, dict))


def _table(table: dict[str, Any]) -> Table:
    rows = table.get("rows")
    texts = (str(table.get(key, "")) for key in ("path", "content", "rowRoot"))
    path, content, row_root = texts
    return Table(path, rows if isinstance(rows, int) else 0, content, row_root)
