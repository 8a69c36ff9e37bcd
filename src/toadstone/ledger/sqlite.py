"""A ledger in one SQLite file: write-ahead log, every commit forced to the disk, one writer at a time."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toadstone.ledger.errors import BrokenError, LedgerError
from toadstone.ledger.store import LEVEL_SHIFT, Commit, Naming, Row, Store
from toadstone.ledger.tiles import Tile

_APPLICATION = 0x54444C47  # "TDLG"
_TABLES = {
    "setting": "CREATE TABLE setting(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "entry": "CREATE TABLE entry(number INTEGER PRIMARY KEY, leaf BLOB NOT NULL, envelope BLOB NOT NULL)",
    "tile": "CREATE TABLE tile(place INTEGER PRIMARY KEY, root BLOB NOT NULL, hashes BLOB NOT NULL)",
    "checkpoint": "CREATE TABLE checkpoint(size INTEGER PRIMARY KEY, note TEXT NOT NULL)",
    "naming": "CREATE TABLE naming(digest TEXT, entry INTEGER, subject INTEGER, PRIMARY KEY(digest, entry)) WITHOUT ROWID",
}
_BATCH = 1000
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG)


class SqliteStore(Store):
    """A SQLite file. Safe in threads, among processes, and across a fork.

    Args:
        path: The file.
        create: Make it, and its folder, if it is not there.
        timeout: Seconds to wait for other writers.

    Raises:
        LedgerError: If it is not there, or is no database.
    """

    def __init__(self, path: str, *, create: bool = False, timeout: float = 30.0) -> None:
        self.place = path
        self._path = Path(path)
        self._timeout = timeout
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._logged = False
        if create:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise LedgerError(f"{self._path.parent} cannot be made: {error.strerror}.") from None
        elif not self._path.is_file():
            raise LedgerError(f"there is no ledger {path}.", "`toadstone ledger init` begins one; --ledger names another.")

    def _open(self) -> sqlite3.Connection:
        """Give the connection of this process: one that was open across a fork must not be used in both."""
        if self._connection is not None and self._process != os.getpid():
            _inherited.append(self._connection)  # closing it here could take away the parent's log of writes
            self._connection = None
        if self._connection is None:
            writable = os.access(self._path if self._path.exists() else self._path.parent, os.W_OK)
            mode = "rwc" if writable else "ro"
            if not writable and not os.access(self._path.parent, os.W_OK) and not Path(f"{self._path}-wal").exists():
                mode += "&immutable=1"  # a read-only medium, where no file of locks can be made
            address = f"{self._path.absolute().as_uri()}?mode={mode}"
            made = sqlite3.connect(address, self._timeout, uri=True, isolation_level=None, check_same_thread=False)
            made.execute("PRAGMA trusted_schema = OFF")
            made.execute("PRAGMA cell_size_check = ON")
            made.execute("PRAGMA synchronous = FULL")
            self._connection, self._process, self._logged = made, os.getpid(), False
        return self._connection

    @contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            if code in _LOCKED:
                advice = "Another process writes to it. Wait until that has ended, and try again."
                raise LedgerError(f"{self.place} was locked for {self._timeout:g} s; nothing was {doing}.", advice) from None
            if code in _FULL:
                raise LedgerError(
                    f"{self.place}: {error}; nothing was {doing}.", "Make room on the disk, and try again."
                ) from None
            if code in _BROKEN or isinstance(error, sqlite3.IntegrityError):
                raise BrokenError(f"{self.place} is damaged: {error}.", "Keep the file, and restore a copy.") from None
            raise LedgerError(f"{self.place}: {error}; nothing was {doing}.") from None
        except (UnicodeDecodeError, OverflowError) as error:
            raise BrokenError(f"{self.place} is damaged: {error}.", "Keep the file, and restore a copy.") from None

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._lock, self._told("recorded"):
            connection = self._open()
            if not self._logged:
                self._logged = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal"
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._lock, self._told("read"):
            connection = self._open()
            nested = connection.in_transaction
            if nested:
                yield
                return
            connection.execute("BEGIN")
            try:
                yield
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def create(self, settings: dict[str, str]) -> None:
        connection = self._open()
        for text in _TABLES.values():
            connection.execute(text)
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.executemany("INSERT INTO setting VALUES (?, ?)", settings.items())

    def settings(self) -> dict[str, str]:
        connection = self._open()
        found = connection.execute("SELECT count(*), count(CASE name WHEN 'setting' THEN 1 END) FROM sqlite_master").fetchone()
        if found[0] and not found[1]:
            raise LedgerError(f"{self.place} is another program's database.", "Name another file for the ledger.")
        if not found[0]:
            return {}
        if foreign := next(self._foreign(), ""):
            raise BrokenError(f"{self.place} cannot be trusted: {foreign}.", "Keep the file, and restore a copy.")
        return {str(name): str(value) for name, value in connection.execute("SELECT name, value FROM setting")}

    def _foreign(self) -> Iterator[str]:
        """Say what in the schema is not ours: a trigger or a view could swallow or forge records."""
        seen = set()
        for kind, name, text in self._open().execute("SELECT type, name, sql FROM sqlite_master ORDER BY name"):
            if kind == "table" and text == _TABLES.get(name):
                seen.add(name)
            elif not (kind == "table" and str(name).startswith("sqlite_stat")):
                yield f"its schema has a {kind} {name!r} that no ledger has"
        for name in _TABLES:
            if name not in seen:
                yield f"its table {name!r} is missing"

    def add(self, commit: Commit) -> None:
        connection = self._open()
        connection.executemany("INSERT INTO entry VALUES (?, ?, ?)", [(row.index, row.leaf, row.envelope) for row in commit.rows])
        named = [(one.digest, one.index, int(one.subject)) for one in commit.namings]
        connection.executemany("INSERT INTO naming VALUES (?, ?, ?)", named)
        tiles = [(tile.level << LEVEL_SHIFT | tile.index, tile.root, tile.hashes) for tile in commit.tiles]
        connection.executemany("INSERT INTO tile VALUES (?, ?, ?)", tiles)
        connection.execute("INSERT INTO checkpoint VALUES (?, ?)", (commit.size, commit.note))

    def head(self) -> tuple[int, str] | None:
        found: tuple[int, str] | None = (
            self._open().execute("SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
        )
        return found

    def count(self) -> int:
        found = self._open().execute("SELECT max(number) FROM entry").fetchone()[0]
        return 0 if found is None else int(found) + 1

    def rows(self, start: int, end: int | None = None) -> Iterator[Row]:
        query = "SELECT number, leaf, envelope FROM entry WHERE number >= ? AND number < ? ORDER BY number"
        last = end if end is not None else 1 << 62
        for number, leaf, envelope in self._open().execute(query, (start, last)):
            yield Row(number, _bytes(leaf), _bytes(envelope))

    def leaves(self, start: int, end: int) -> list[bytes]:
        query = "SELECT leaf FROM entry WHERE number >= ? AND number < ? ORDER BY number"
        return [_bytes(leaf) for (leaf,) in self._open().execute(query, (start, end))]

    def roots(self, level: int, start: int, end: int) -> list[bytes]:
        query = "SELECT root FROM tile WHERE place >= ? AND place < ? ORDER BY place"
        places = (level << LEVEL_SHIFT | start, level << LEVEL_SHIFT | end)
        return [_bytes(root) for (root,) in self._open().execute(query, places)]

    def tile(self, level: int, index: int) -> bytes | None:
        place = (level << LEVEL_SHIFT | index,)
        found = self._open().execute("SELECT hashes FROM tile WHERE place = ?", place).fetchone()
        return None if found is None else _bytes(found[0])

    def tiles(self) -> Iterator[Tile]:
        for place, root, hashes in self._open().execute("SELECT place, root, hashes FROM tile ORDER BY place"):
            yield Tile(place >> LEVEL_SHIFT, place & ((1 << LEVEL_SHIFT) - 1), _bytes(root), _bytes(hashes))

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        for size, note in self._open().execute("SELECT size, note FROM checkpoint ORDER BY size"):
            yield size, str(note)

    def namings(self) -> Iterator[Naming]:
        for digest, entry, subject in self._open().execute("SELECT digest, entry, subject FROM naming ORDER BY digest, entry"):
            yield Naming(str(digest), entry, bool(subject))

    def find(self, digest: str, *, subjects: bool) -> list[int]:
        query = "SELECT entry FROM naming WHERE digest = ? AND subject >= ? ORDER BY entry"
        return [entry for (entry,) in self._open().execute(query, (digest, int(subjects)))]

    def damage(self) -> Iterator[str]:
        yield from self._foreign()
        for (said,) in self._open().execute("PRAGMA integrity_check(20)"):
            if said != "ok":
                yield " ".join(str(said).split())

    def close(self) -> None:
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
                self._connection = None


_inherited: list[sqlite3.Connection] = []
"""Connections of a parent process, which are never used and never closed here."""


def _bytes(value: object) -> bytes:
    """Give a stored value as bytes; a changed type is damage that shows where it is compared."""
    return value if isinstance(value, bytes) else str(value).encode()
