"""Lists of indicators: take them in, say what is there, look values up, hand them on."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from pathlib import Path

from toadstone.core.errors import UsageError
from toadstone.core.finding import Indicator, Json
from toadstone.intel.importing import import_file
from toadstone.intel.incidents import incidents
from toadstone.intel.knowledge import Intelligence
from toadstone.intel.spotting import spot
from toadstone.intel.spotting_hosts import host
from toadstone.intel.store import SUFFIX, Entry, IntelError, ListBuilder, ListFile
from toadstone.intel.values import canonical

EXPORTS = ("csv", "json", "stix")


def import_list(file: Path, folder: Path, date: dt.date, name: str = "", valid_days: int | None = None) -> ListFile:
    """Read a file of indicators into a list; a list of the same name is replaced.

    Args:
        file: CSV, plain text, a STIX 2.1 bundle or MISP JSON.
        folder: Where lists are kept.
        date: Day of the import.
        name: Name of the list; by default that of the file.
        valid_days: Days after which entries without an end of their own no longer count.

    Raises:
        IntelError: If the file cannot be read, holds no indicator, or the list cannot be written.
    """
    builder = ListBuilder(name or "".join(c if c.isalnum() or c in "._-" else "-" for c in file.stem)[:64].lstrip("._-"), date)
    kind = import_file(file, builder, valid_days)
    if not len(builder):
        reasons = "; ".join(f"{count:,} times {reason}" for reason, count in builder.skipped.items()) or "it is empty"
        raise IntelError(f"{file} holds no indicator, read as {kind}: {reasons}.", "See docs/intelligence.md for the formats.")
    return ListFile(builder.write(folder))


def lists(folder: Path) -> list[ListFile]:
    """Open the lists of a folder, by name."""
    return list(Intelligence(folder).lists)


def remove_list(folder: Path, name: str) -> None:
    """Remove a list.

    Raises:
        UsageError: If there is none of that name.
    """
    path = folder / f"{name}{SUFFIX}"
    if path.name != f"{name}{SUFFIX}" or not path.is_file():
        raise UsageError(f"there is no list {name!r} in {folder}.", "`toadstone intel list` shows them.")
    path.unlink()


def look_up(values: list[str], folder: Path, today: dt.date | None) -> list[tuple[str, Indicator | None]]:
    """Tell what is known of values, in whatever spelling; None for what is no indicator."""
    intelligence = Intelligence(folder, today)
    return [(value, _described(value, intelligence)) for value in values]


def _described(value: str, intelligence: Intelligence) -> Indicator | None:
    found = next((one for one in spot(value, intelligence.known) if one.type != "port" and one.start <= 1), None)
    if found is not None and len(value) - found.end <= 7:  # a port or a slash may follow
        return intelligence.describe(found.type, found.value, found.host)
    kind, clear = canonical(value)
    if not kind:
        kind, clear, _ = host(value.strip())  # 0x7f000001, 017700000001, 2130706433
    return intelligence.describe(kind, clear) if kind else None


def export(folder: Path, form: str, names: tuple[str, ...] = (), today: dt.date | None = None) -> Iterator[str]:
    """Yield the text of the bundle of incidents and of lists, entry by entry.

    Args:
        folder: Where lists are kept.
        form: ``csv``, ``json`` (one object a line) or ``stix`` (observables, without times).
        names: Lists to hand on; ``incidents`` is the bundle. None means all.
        today: Day on which entries must count; None hands all on.

    Raises:
        UsageError: If a list is not there.
    """
    opened = lists(folder)
    unknown = set(names) - {"incidents", *(found.name for found in opened)}
    if unknown:
        raise UsageError(f"there is no list {min(unknown)!r} in {folder}.", "`toadstone intel list` shows them.")
    entries = _entries(opened, names, today)
    if form == "stix":
        yield from _as_stix(entries)
        return
    if form == "csv":
        yield _row(["type", "value", "source", "label", "reference", "valid_from", "valid_until"])
    for source, entry, reference in entries:
        note = entry.note
        if form == "csv":
            yield _row([entry.type, entry.value, source, note.label, reference, note.valid_from, note.valid_until])
        else:
            pairs = (
                ("type", entry.type),
                ("value", entry.value),
                ("source", source),
                ("label", note.label),
                ("reference", reference),
            )
            shown: dict[str, Json] = {
                key: value for key, value in (*pairs, ("valid_from", note.valid_from), ("valid_until", note.valid_until)) if value
            }
            yield json.dumps(shown) + "\n"


def _entries(opened: list[ListFile], names: tuple[str, ...], today: dt.date | None) -> Iterator[tuple[str, Entry, str]]:
    from toadstone.intel.store import Note  # noqa: PLC0415  (only what is handed on needs it)

    if not names or "incidents" in names:
        for incident in incidents():
            for kind, value in (*incident.indicators, *incident.shared):
                yield incident.name, Entry(kind, value, Note(incident.title, incident.date)), incident.url
    for found in opened:
        if not names or found.name in names:
            for entry in found.entries():
                if entry.note.counts(today):
                    yield found.name, entry, ""


def _row(cells: list[str]) -> str:
    """Write a row; a cell that a spreadsheet would take for a formula gets a quote before it."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(
        [f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell for cell in cells]
    )
    return stream.getvalue()


def _as_stix(entries: Iterator[tuple[str, Entry, str]]) -> Iterator[str]:
    """Yield a bundle of observables, one object at a time."""
    from toadstone.formats.stix import observables  # noqa: PLC0415

    yield '{"type": "bundle", "id": "bundle--b4e57e7d-6f5e-5ea6-9bc1-5ad8ad2a5a06", "objects": [\n'
    seen: set[str] = set()
    first = True
    for _, entry, _ in entries:
        for made in observables(Indicator(entry.type, entry.value)):
            if str(made["id"]) not in seen:
                seen.add(str(made["id"]))
                yield ("" if first else ",\n") + json.dumps(made)
                first = False
    yield "\n]}\n"
