"""``pin``: write down what identifies every source of a project."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from toadstone.core.errors import UsageError
from toadstone.identity import lock as locks
from toadstone.identity.files import FILE, LINK, Entry, entries, entry_of, folder_root, uncovered
from toadstone.identity.index import write_index
from toadstone.identity.lock import Lock, Pin, TablePin
from toadstone.identity.manifest import write_manifest
from toadstone.identity.table import identify
from toadstone.identity.url_digests import write_url_digests
from toadstone.tables.dataset import Dataset
from toadstone.tables.folder import SUFFIXES, suffix_of
from toadstone.tables.guess import guess_roles
from toadstone.tables.open import open_dataset
from toadstone.tables.roles import Roles

STORE = Path(".toadstone", "pins")
TABLES = tuple(suffix for suffix in SUFFIXES if suffix != ".json")


@dataclass(frozen=True)
class PinOptions:
    """How sources are pinned.

    Attributes:
        label: Name of the column of labels; empty: guessed.
        rows: Whether the rows of tables are hashed, which names changed rows later.
        licence: Of the sources.
        stage: Of a model's life, at which they are used.
        trust: How far they are trusted, in the user's words.
        vouched: Who vouches for them.
        download: Whether remote files are fetched whole, even when their host states digests.
        url_column: Column of addresses in tables: what they lead to is pinned as well; empty: there is none.
        url_hashes: Column that states the SHA-256 or MD5 of what they lead to; empty: they are fetched.
        hosts: Hosts that addresses may lead to although they are private.
    """

    label: str = ""
    rows: bool = True
    licence: str = ""
    stage: str = ""
    trust: str = ""
    vouched: str = ""
    download: bool = False
    url_column: str = ""
    url_hashes: str = ""
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pinned:
    """What was pinned.

    Attributes:
        lock: As it was written.
        pins: Those that were asked for.
        notes: What the pins do not cover, and why.
    """

    lock: Lock
    pins: tuple[Pin, ...]
    notes: tuple[str, ...]


def pin(
    *targets: str | os.PathLike[str],
    lock: str | os.PathLike[str] = locks.NAME,
    options: PinOptions | None = None,
    today: str = "",
    scanned: Callable[[str], str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Pinned:
    """Pin sources: write what identifies them into the lock, in place of what it said of them before.

    Args:
        targets: Files, folders, ``hf://``, ``https://`` or ``s3://`` addresses.
        lock: Path of the lock; names in it are relative to its folder.
        options: How.
        today: Day that is written into the lock, ISO 8601.
        scanned: Scans a target and gives the verdict that is written down; None: they are not scanned.
        progress: Called with each target before it is read.

    Raises:
        UsageError: A target is not there or cannot be read; nothing is written then.
        LockError: The lock cannot be read or written.
    """
    options = options or PinOptions()
    path = Path(lock)
    before = locks.read_lock(path) if path.exists() else Lock()
    pinner = Pinner(path, options)
    pins = []
    for target in dict.fromkeys(os.fspath(target) for target in targets):
        if progress is not None:
            progress(target)
        made = replace(pinner.pinned(target), scan=scanned(target) if scanned is not None else "", pinned=today)
        pins.append(made)
    after = before.with_pins(pins)
    locks.write_aside(path, locks.written(after))
    return Pinned(after, tuple(pins), tuple(pinner.notes))


class Pinner:
    """Identifies sources and keeps what a lock is too short for.

    Args:
        lock: Path of the lock.
        options: How.
        keep: Whether digests of blocks and rows are written; otherwise sources are only identified, and rows not hashed.
    """

    def __init__(self, lock: Path, options: PinOptions, *, keep: bool = True) -> None:
        self.home = lock.absolute().parent
        self.store = self.home / STORE
        self.options = options
        self.keep = keep
        self.notes: list[str] = []

    def pinned(self, target: str) -> Pin:
        """Identify one source."""
        if "://" in target:
            return self._remote(target)
        if not os.path.lexists(target):
            raise UsageError(f"{target} does not exist.")
        name = name_of(target, self.home)
        if os.path.isdir(target):
            return self._folder(target, name)
        entry = entry_of(target)
        if entry.kind not in (FILE, LINK) or not entry.sha256:
            raise UsageError(f"{target} is neither a file nor a folder.", "Sockets, devices and broken links cannot be pinned.")
        tables = self._tables(target, "")
        return self._told(Pin(name, "file", entry.sha256, entry.size, 1, entry.blake3, tables=tables))

    def _folder(self, target: str, name: str) -> Pin:
        found = entries(target, leave=own(self.home))
        self.notes += [f"{name}/{path} leads outside; what is there is not pinned" for path in uncovered(target, found)]
        tables = tuple(
            table for entry in found if is_table(entry) for table in self._tables(os.path.join(target, entry.path), entry.path)
        )
        size = sum(entry.size for entry in found)
        pin = self._told(Pin(name, "folder", folder_root(found).hex(), size, len(found), tables=tables))
        return self._listed(pin, found)

    def _remote(self, target: str) -> Pin:
        from toadstone.verbs.pin_remote import Visit, pin_of, recent  # noqa: PLC0415  (network code is loaded only for remotes)

        with Visit(download=self.options.download) as visit:
            found = visit.found(target, TABLES)
            note = recent(target, found, dt.datetime.now(tz=dt.UTC))
            self.notes += [note] if note else []
            tables = tuple(table for path, place in found.fetched.items() for table in self._tables(str(place), path))
        pin = replace(self._told(pin_of(target, found)), tables=tables)
        return self._listed(pin, list(found.entries))

    def _listed(self, pin: Pin, found: list[Entry]) -> Pin:
        """Keep the entries of a folder in the lock, or beside it when they are many."""
        if locks.listable(found) or not self.keep:
            return replace(pin, entries=tuple(found))
        self.store.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps([one.path, one.kind, one.size, one.sha256, one.blake3, one.target]) for one in found]
        locks.write_aside(self.store / f"{pin.root[:32]}.entries", "\n".join(lines) + "\n")
        return replace(pin, entries=None)

    def _told(self, pin: Pin) -> Pin:
        """Add what the user says."""
        said = self.options
        return replace(pin, licence=said.licence or pin.licence, stage=said.stage, trust=said.trust, vouched=said.vouched)

    def _tables(self, path: str, inner: str) -> tuple[TablePin, ...]:
        """Identify the rows of a file; none when it is no table."""
        if not suffix_of(path).endswith(TABLES):
            return ()
        shown = inner or os.path.relpath(path, self.home)
        try:
            dataset = open_dataset(path)
            label = guess_roles(dataset, Roles(label=self.options.label or None)).label or ""
            found = identify(dataset, rows=self.options.rows and self.keep)
        except UsageError as error:
            if self.options.label and not inner:
                raise
            self.notes.append(f"{shown} is pinned as bytes only: {error}")
            return ()
        if found.troubles:
            self.notes.append(f"{shown} is pinned as bytes only: {found.troubles[0]}")
            return ()
        content, row_root = found.content.hex(), found.row_root
        base = self.store / content[:32]
        index = ""
        if self.keep:
            self.store.mkdir(parents=True, exist_ok=True)
            if row_root is not None or not base.with_suffix(".rows").exists():  # what is known of the rows is not thrown away
                write_manifest(base.with_suffix(".blocks"), found)
        if found.prefixes is not None and row_root is not None:
            index = write_index(base.with_suffix(".rows"), found.prefixes, row_root)
        made = TablePin(inner, found.rows, found.columns, label, content, row_root.hex() if row_root is not None else "", index)
        if self.options.url_column and self.keep:
            made = self._addresses(made, dataset, base)
        return (made,)

    def _addresses(self, table: TablePin, dataset: Dataset, base: Path) -> TablePin:
        """Pin what the addresses in a table lead to."""
        from toadstone.verbs.addresses import Fetcher, read_column  # noqa: PLC0415  (network code is loaded only for addresses)

        named = replace(table, urls=self.options.url_column, url_hashes=self.options.url_hashes)
        urls = read_column(dataset, named.urls)
        if named.url_hashes:
            read_column(dataset, named.url_hashes)
            return named
        fetcher = Fetcher(self.options.hosts)
        try:
            found = list(fetcher.fetched(dict(enumerate(urls))))
        finally:
            fetcher.close()
        missing = [one for one in found if one.digest is None]
        if missing:
            self.notes.append(
                f"{len(missing):,} of {len(urls):,} addresses could not be fetched; row {missing[0].row}: {missing[0].trouble}"
            )
        gone = {one.row for one in found if one.gone}
        return replace(named, url_index=write_url_digests(base.with_suffix(".urls"), [one.digest for one in found], gone))


def is_table(entry: Entry) -> bool:
    """Whether something in a folder may hold rows."""
    return entry.kind in (FILE, LINK) and bool(entry.sha256) and suffix_of(entry.path).endswith(TABLES)


def name_of(target: str, home: Path) -> str:
    """Give a local source its name: its path relative to the lock's folder, with ``/``."""
    return Path(os.path.relpath(os.path.abspath(target), home)).as_posix()


def own(home: Path) -> frozenset[str]:
    """Give the real paths of what toadstone itself writes into a project, which is no source."""
    return frozenset(os.path.realpath(home / name) for name in (".toadstone", locks.NAME))


def kept_entries(pin: Pin, home: Path) -> tuple[Entry, ...] | None:
    """Give the entries of a folder or remote as they were pinned; None when they are not here any more, or are not those.

    Args:
        pin: Of a folder or remote.
        home: Folder of the lock.
    """
    found = pin.entries
    if found is None:
        path = home / STORE / f"{pin.root[:32]}.entries"
        try:
            lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        except (OSError, ValueError, RecursionError):
            return None
        found = tuple(locks.entry_from(line, str(path)) for line in lines)
    return found if folder_root(list(found)).hex() == pin.root else None
