"""A ledger in PostgreSQL, for teams: one writer at a time by an advisory lock, every commit forced to the disk.

psycopg 3 (LGPL) is an optional extra: ``pip install 'toadstone[postgres]'``.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from toadstone.ledger.errors import BrokenError, LedgerError
from toadstone.ledger.store import LEVEL_SHIFT, Commit, Naming, Row, Store
from toadstone.ledger.tiles import Tile

SCHEMA = "toadstone_ledger"
_LOCK = 0x544F4144  # "TOAD"
_TABLES = {
    "setting": "name text PRIMARY KEY, value text NOT NULL",
    "entry": "number bigint PRIMARY KEY, leaf bytea NOT NULL, envelope bytea NOT NULL",
    "tile": "place bigint PRIMARY KEY, root bytea NOT NULL, hashes bytea NOT NULL",
    "checkpoint": "size bigint PRIMARY KEY, note text NOT NULL",
    "naming": 'digest text COLLATE "C", entry bigint, subject boolean NOT NULL, PRIMARY KEY(digest, entry)',
}
_BATCH = 1000
_FEW = 50
"""Rows up to which statements that follow each other are faster than copies, each of which has journeys of its own."""
_FOREIGN = """
    SELECT 'trigger', tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE c.relnamespace = to_regnamespace(%(schema)s) AND NOT tgisinternal
    UNION ALL SELECT 'rule', rulename FROM pg_rules WHERE schemaname = %(schema)s
    UNION ALL SELECT 'relation', relname FROM pg_class
     WHERE relnamespace = to_regnamespace(%(schema)s) AND relkind IN ('v', 'm', 'f', 'p')
    UNION ALL SELECT 'row policy', relname FROM pg_class
     WHERE relnamespace = to_regnamespace(%(schema)s) AND relrowsecurity
    ORDER BY 1, 2
"""


class PostgresStore(Store):
    """A database of a PostgreSQL server; the ledger is its schema `SCHEMA`.

    Args:
        url: ``postgresql://user@host/database``; the password is better in ``PGPASSWORD`` or a ``.pgpass`` file.
        timeout: Seconds to wait for the server and for other writers.

    Raises:
        LedgerError: If psycopg is not installed, or the server does not answer.
    """

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        parts = urlsplit(url)
        self.place = f"postgresql://{parts.hostname or 'localhost'}{parts.path}"
        self._url = url
        self._timeout = timeout
        self._lock = threading.RLock()
        self._connection: Any = None
        self._process = 0
        with self._told("read"):
            self._open()

    def _open(self) -> Any:  # noqa: ANN401  (psycopg is not there for type checkers)
        if self._connection is None or self._process != os.getpid() or self._connection.closed:
            try:
                import psycopg  # noqa: PLC0415  (an extra)
            except ImportError:
                advice = "pip install 'toadstone[postgres]' installs it."
                raise LedgerError("a ledger in PostgreSQL needs psycopg.", advice) from None
            patience = f"-c lock_timeout={int(self._timeout * 1000)} -c synchronous_commit=on -c search_path={SCHEMA},pg_catalog"
            given = os.environ.get("PGOPTIONS", "")
            self._connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=max(2, int(self._timeout)), options=f"{given} {patience}".strip()
            )
            self._process = os.getpid()
        return self._connection

    @contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        """Turn psycopg's errors into ours."""
        try:
            yield
        except _errors() as error:
            said = " ".join(str(error).split()).replace(self._url, self.place)
            state = str(getattr(error, "sqlstate", "") or "")
            raise self._trouble(state, said, doing) from None

    def _trouble(self, state: str, said: str, doing: str) -> LedgerError:
        """Say what an error of the server means (PostgreSQL documentation, appendix A)."""
        if state == "55P03":
            advice = "Another process writes to it. Wait until that has ended, and try again."
            return LedgerError(f"{self.place} was locked for {self._timeout:g} s; nothing was {doing}.", advice)
        if state.startswith("53"):
            return LedgerError(f"{self.place}: {said}; nothing was {doing}.", "Make room on the server.")
        if state == "42501":
            advice = "The role needs SELECT on the ledger's tables, and INSERT to record."
            return LedgerError(f"{self.place}: {said}; nothing was {doing}.", advice)
        if state.startswith(("XX", "22", "23", "42")):
            return BrokenError(f"{self.place} is damaged: {said}.", "Keep the database, and restore a copy.")
        if doing == "recorded" and self._connection is not None and self._connection.broken:
            advice = "It may or may not have been recorded: look for it, once the server is back."
            return LedgerError(f"{self.place}: the connection was lost: {said}.", advice)
        return LedgerError(
            f"{self.place}: {said or 'no connection'}; nothing was {doing}.", "Is the server running, and the address right?"
        )

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._lock, self._told("recorded"):
            connection = self._open()
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._lock, self._told("read"):
            connection = self._open()
            if connection.info.transaction_status:  # already inside one
                yield
                return
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                yield

    def create(self, settings: dict[str, str]) -> None:
        connection = self._open()
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        for name, columns in _TABLES.items():
            connection.execute(f"CREATE TABLE {SCHEMA}.{name}({columns})")
        connection.cursor().executemany("INSERT INTO setting VALUES (%s, %s)", list(settings.items()))

    def settings(self) -> dict[str, str]:
        connection = self._open()
        if connection.execute(f"SELECT to_regclass('{SCHEMA}.setting')").fetchone()[0] is None:
            return {}
        if foreign := next(self._foreign(), ""):
            raise BrokenError(f"{self.place} cannot be trusted: {foreign}.", "Keep the database, and restore a copy.")
        return {str(name): str(value) for name, value in connection.execute("SELECT name, value FROM setting")}

    def _foreign(self) -> Iterator[str]:
        """Say what in the schema is not ours: a trigger or a rule could swallow or forge records."""
        connection = self._open()
        for kind, name in connection.execute(_FOREIGN, {"schema": SCHEMA}).fetchall():
            yield f"its schema has a {kind} {name!r} that no ledger has"
        for name in _TABLES:
            if connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.{name}",)).fetchone()[0] is None:
                yield f"its table {name!r} is missing"

    def add(self, commit: Commit) -> None:
        tiles = [(tile.level << LEVEL_SHIFT | tile.index, tile.root, tile.hashes) for tile in commit.tiles]
        entries = [(row.index, row.leaf, row.envelope) for row in commit.rows]
        named = [(one.digest, one.index, one.subject) for one in commit.namings]
        tables: list[tuple[str, tuple[str, ...], list[tuple[Any, ...]]]] = [
            ("entry", ("int8", "bytea", "bytea"), entries),
            ("naming", ("text", "int8", "bool"), named),
            ("tile", ("int8", "bytea", "bytea"), tiles),
            ("checkpoint", ("int8", "text"), [(commit.size, commit.note)]),
        ]
        if len(entries) + len(named) > _FEW:
            for table, types, rows in tables:
                self._copy(table, types, rows)
            return
        with self._open().pipeline():  # one journey to the server for all of them
            for table, types, rows in tables:
                marks = ", ".join(["%s"] * len(types))
                for row in rows:
                    self._open().execute(f"INSERT INTO {table} VALUES ({marks})", row)  # noqa: S608  (a table of ours)

    def _copy(self, table: str, types: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
        if not rows:
            return
        with self._open().cursor().copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._open().execute(query, values, binary=True).fetchall()
        return found

    def _stream(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """Yield rows through a cursor of the server's, so that memory stays bounded."""
        with self._open().cursor(name=f"stream_{os.urandom(6).hex()}", binary=True) as cursor:
            cursor.itersize = _BATCH
            cursor.execute(query, values)
            yield from cursor

    def head(self) -> tuple[int, str] | None:
        found = self._all("SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1")
        return (found[0][0], found[0][1]) if found else None

    def count(self) -> int:
        found = self._all("SELECT max(number) FROM entry")[0][0]
        return 0 if found is None else int(found) + 1

    def rows(self, start: int, end: int | None = None) -> Iterator[Row]:
        query = "SELECT number, leaf, envelope FROM entry WHERE number >= %s AND number < %s ORDER BY number"
        for number, leaf, envelope in self._stream(query, start, end if end is not None else 1 << 62):
            yield Row(number, bytes(leaf), bytes(envelope))

    def leaves(self, start: int, end: int) -> list[bytes]:
        query = "SELECT leaf FROM entry WHERE number >= %s AND number < %s ORDER BY number"
        return [bytes(leaf) for (leaf,) in self._all(query, start, end)]

    def roots(self, level: int, start: int, end: int) -> list[bytes]:
        query = "SELECT root FROM tile WHERE place >= %s AND place < %s ORDER BY place"
        return [bytes(root) for (root,) in self._all(query, level << LEVEL_SHIFT | start, level << LEVEL_SHIFT | end)]

    def tile(self, level: int, index: int) -> bytes | None:
        found = self._all("SELECT hashes FROM tile WHERE place = %s", level << LEVEL_SHIFT | index)
        return bytes(found[0][0]) if found else None

    def tiles(self) -> Iterator[Tile]:
        for place, root, hashes in self._stream("SELECT place, root, hashes FROM tile ORDER BY place"):
            yield Tile(place >> LEVEL_SHIFT, place & ((1 << LEVEL_SHIFT) - 1), bytes(root), bytes(hashes))

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        found = self._stream("SELECT size, note FROM checkpoint ORDER BY size")
        return ((size, note) for size, note in found)

    def namings(self) -> Iterator[Naming]:
        for digest, entry, subject in self._stream("SELECT digest, entry, subject FROM naming ORDER BY digest, entry"):
            yield Naming(digest, entry, subject)

    def find(self, digest: str, *, subjects: bool) -> list[int]:
        query = "SELECT entry FROM naming WHERE digest = %s AND (subject OR NOT %s) ORDER BY entry"
        return [entry for (entry,) in self._all(query, digest, subjects)]

    def damage(self) -> Iterator[str]:
        yield from self._foreign()

    def close(self) -> None:
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None


def _errors() -> tuple[type[Exception], ...]:
    """Give the errors of psycopg, if anything of it has been imported."""
    psycopg = sys.modules.get("psycopg")
    return (psycopg.Error,) if psycopg else ()
