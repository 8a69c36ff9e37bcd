"""``toadstone.lock``: every source of a project with where it came from and what identifies it.

TOML, in a stable order, one file of a folder a line, so that a difference between two versions reads as what changed. What is too
long for a person (digests of blocks, rows, thousands of files) stands beside it in ``.toadstone/pins/``, under the root it
belongs to: with the lock alone one knows *that* something changed, with the rest *what*.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeGuard

from toadstone.core.errors import ToadstoneError
from toadstone.identity.files import FILE, FOLDER, LINK, SPECIAL, Entry

NAME = "toadstone.lock"
SCHEMA = "toadstone.lock/1"
LISTED = 500
"""Entries of a folder that are listed in the lock itself."""
_LARGEST = 64 << 20

_KINDS = ("file", "folder", "remote")


class LockError(ToadstoneError):
    """A lock cannot be used."""


@dataclass(frozen=True)
class TablePin:
    """What identifies a table.

    Attributes:
        path: Within the source; empty when the source is the table.
        rows: How many.
        columns: Name and type of each.
        label: Name of the column of labels; empty: none.
        content: SHA-256 root over its blocks, hexadecimal.
        row_root: SHA-256 root over its rows; empty when they were not hashed.
        index: BLAKE3 of the file that holds the digests of its rows; empty when there is none.
        urls: Name of a column of addresses, whose content is part of the source; empty: there is none.
        url_hashes: Name of the column that states the SHA-256 or MD5 of what each leads to.
        url_index: BLAKE3 of the file that holds the digests that were taken instead.
    """

    path: str
    rows: int
    columns: tuple[tuple[str, str], ...]
    label: str
    content: str
    row_root: str = ""
    index: str = ""
    urls: str = ""
    url_hashes: str = ""
    url_index: str = ""


@dataclass(frozen=True)
class Pin:
    """One source.

    Attributes:
        name: As it was typed: a path relative to the lock's folder, or an address.
        kind: ``file``, ``folder`` or ``remote``.
        root: SHA-256: of a file its own, of a folder or remote the root over its entries. Hexadecimal.
        size: Bytes.
        count: Entries of a folder or remote; 1 for a file.
        blake3: Of a file.
        revision: Of a remote: the commit or version that it was.
        owner: Of a remote: who owned it.
        repository: Of a remote: the number that its host gave it, which another repository of the same name does not have.
        licence: As its owner states it, or as the user says.
        stage: Of a model's life, at which it is used.
        trust: How far it is trusted, in the user's words.
        vouched: Who vouches for it.
        scan: What a scan said when it was pinned: the verdict; empty: it was not scanned.
        pinned: Day, ISO 8601.
        tables: What is in it as rows.
        entries: Of a folder or remote; None when they stand in a file of their own.
    """

    name: str
    kind: str
    root: str
    size: int
    count: int = 1
    blake3: str = ""
    revision: str = ""
    owner: str = ""
    repository: str = ""
    licence: str = ""
    stage: str = ""
    trust: str = ""
    vouched: str = ""
    scan: str = ""
    pinned: str = ""
    tables: tuple[TablePin, ...] = ()
    entries: tuple[Entry, ...] | None = field(default=None)


@dataclass(frozen=True)
class Lock:
    """All sources of a project, sorted by name.

    Attributes:
        pins: One a source.
    """

    pins: tuple[Pin, ...] = ()

    def with_pins(self, fresh: Sequence[Pin]) -> Lock:
        """Add sources, in place of those of the same name."""
        held = {pin.name: pin for pin in self.pins} | {pin.name: pin for pin in fresh}
        return Lock(tuple(held[name] for name in sorted(held)))


_PIN = [one.name for one in fields(Pin) if one.name not in ("tables", "entries")]
_TABLE = [one.name for one in fields(TablePin)]
_HEADER = "# Written by `toadstone pin`; `toadstone verify` compares every source with it. Keep it with the code.\n"


def written(lock: Lock) -> str:
    """Write a lock as TOML.

    Raises:
        LockError: A name is no UTF-8.
    """
    parts = [_HEADER, f"schema = {_text(SCHEMA)}\n"]
    for pin in lock.pins:
        parts.append("\n[[source]]\n")
        parts += [f"{key} = {_value(getattr(pin, key))}\n" for key in _PIN if getattr(pin, key) != ""]
        if pin.entries is not None:
            parts += ["entries = [\n", *(f"  {_value(_line(entry))},\n" for entry in pin.entries), "]\n"]
        for table in pin.tables:
            parts.append("\n  [[source.table]]\n")
            parts += [f"  {key} = {_value(getattr(table, key))}\n" for key in _TABLE if getattr(table, key) != ""]
    return "".join(parts)


def _line(entry: Entry) -> list[Any]:
    return [entry.path, entry.kind, entry.size, entry.sha256, entry.blake3, *([entry.target] if entry.target else [])]


def _value(value: Any) -> str:  # noqa: ANN401  (what a lock holds)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return str(value)
    return "[" + ", ".join(_value(one) for one in value) + "]"


def _text(text: str) -> str:
    """Write a basic string of TOML."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise LockError(f"the name {os.fsencode(text)!r} is no UTF-8, which a lock cannot hold.", "Rename it.") from None
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def listable(entries: Sequence[Entry]) -> bool:
    """Whether the entries of a folder stand in the lock itself."""
    return len(entries) <= LISTED and all(entry.path.isprintable() and entry.target.isprintable() for entry in entries)


def read_lock(path: Path) -> Lock:
    """Read a lock.

    Raises:
        LockError: It is not there, of another version, or not as `toadstone pin` writes it: which key, what is expected.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise LockError(f"{path} is larger than a lock can be ({_LARGEST >> 20} MiB).")
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise LockError(f"{path} cannot be read: {error.strerror}.", "`toadstone pin TARGET...` writes it.") from None
    except (ValueError, RecursionError) as error:
        raise LockError(f"{path} is no TOML: {error}.", "Restore it, or pin the sources again.") from None
    if data.get("schema") != SCHEMA:
        raise LockError(f"{path} is of version {data.get('schema')!r}, not {SCHEMA}.", "Use the toadstone that wrote it.")
    sources = data.get("source", [])
    if not isinstance(sources, list) or set(data) - {"schema", "source"}:
        raise LockError(f"{path} holds {', '.join(sorted(set(data) - {'schema', 'source'})) or 'no list of sources'}.")
    pins = [_pin(source, f"{path}: source {number}") for number, source in enumerate(sources, 1)]
    if len({pin.name for pin in pins}) < len(pins):
        raise LockError(f"{path} names a source twice.", "Take one of them away.")
    return Lock(tuple(sorted(pins, key=lambda pin: pin.name)))


def _pin(source: Any, where: str) -> Pin:  # noqa: ANN401  (anything that TOML can hold)
    if not isinstance(source, dict):
        raise LockError(f"{where} is no table.")
    where = f"{where} ({source.get('name', 'without a name')})"
    values = _fields(source, _PIN, ("name", "kind", "root", "size"), where, {"table", "entries"})
    if values["kind"] not in _KINDS:
        raise LockError(f"{where}: kind is {values['kind']!r}, not one of {', '.join(_KINDS)}.")
    _hexadecimal(values["root"], f"{where}: root")
    listed = source.get("entries")
    tables = source.get("table", [])
    if not isinstance(tables, list) or not (listed is None or isinstance(listed, list)):
        raise LockError(f"{where}: table and entries are lists.")
    entries = None if listed is None else tuple(entry_from(line, where) for line in listed)
    return Pin(**values, tables=tuple(_table(table, where) for table in tables), entries=entries)


def _table(table: Any, where: str) -> TablePin:  # noqa: ANN401  (as above)
    if not isinstance(table, dict):
        raise LockError(f"{where}: a table is not described by keys.")
    values = _fields(table, [key for key in _TABLE if key != "columns"], ("rows", "content"), where, {"columns"})
    columns = table.get("columns")
    if not _pairs(columns):
        raise LockError(f"{where}: columns is no list of [name, type].")
    _hexadecimal(values["content"], f"{where}: content")
    plain: dict[str, Any] = {"path": "", "label": ""} | values
    return TablePin(**plain, columns=tuple((name, kind) for name, kind in columns))


def _pairs(columns: object) -> TypeGuard[list[list[str]]]:
    return isinstance(columns, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair) for pair in columns
    )


def entry_from(line: Any, where: str) -> Entry:  # noqa: ANN401  (as above)
    """Read one entry of a folder.

    Raises:
        LockError: It is not ``[path, kind, size, sha256, blake3]``, or with a target behind.
    """
    kinds = (str, str, int, str, str, str)
    if (
        not isinstance(line, list)
        or len(line) not in (5, 6)
        or any(type(part) is not kind for part, kind in zip(line, kinds, strict=False))
    ):
        raise LockError(f"{where}: an entry is not [path, kind, size, sha256, blake3].")
    if line[1] not in (FILE, FOLDER, LINK, SPECIAL):
        raise LockError(f"{where}: {line[0]!r} is of the unknown kind {line[1]!r}.")
    if line[3]:
        _hexadecimal(line[3], f"{where}: {line[0]!r}")
    return Entry(*line)


def _fields(
    found: Mapping[str, Any], known: Sequence[str], needed: Sequence[str], where: str, besides: set[str]
) -> dict[str, Any]:
    """Take the plain values of a table, each of the type that it has to be."""
    values = {key: value for key, value in found.items() if key not in besides}
    unknown = sorted(set(values) - set(known))
    missing = [key for key in needed if key not in values]
    if unknown or missing:
        raise LockError(
            f"{where}: {'unknown key ' + unknown[0] if unknown else missing[0] + ' is missing'}.",
            "Restore the lock, or pin again.",
        )
    for key, value in values.items():
        if key in ("size", "count", "rows"):
            if type(value) is not int or value < 0:
                raise LockError(f"{where}: {key} is {value!r}, which is no count.")
        elif type(value) is not str:
            raise LockError(f"{where}: {key} is {value!r}, which is no text.")
    return values


def _hexadecimal(text: str, where: str) -> None:
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise LockError(f"{where} is no SHA-256.", "Restore the lock, or pin again.")


def write_aside(path: Path, text: str) -> None:
    """Write a file so that there is either the old one or the new one, never a part.

    Raises:
        LockError: It cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise LockError(
            f"{path} cannot be written: {error.strerror}.", "See that there is room, and that the folder may be written to."
        ) from None
