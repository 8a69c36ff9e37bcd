"""What a database has to do for a ledger. Rows are only ever added; one transaction holds all that one commit adds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from toadstone.ledger.errors import BrokenError, LedgerError
from toadstone.ledger.tiles import Tile, TileSource

VERSION = "1"
LEVEL_SHIFT = 48
"""A tile's place in its table is ``level << 48 | index``."""


@dataclass(frozen=True)
class Row:
    """An entry as it is stored.

    Attributes:
        index: Its number, from 0.
        leaf: Its hash in the tree.
        envelope: Its bytes.
    """

    index: int
    leaf: bytes
    envelope: bytes


@dataclass(frozen=True)
class Naming:
    """A digest that an entry names.

    Attributes:
        digest: ``algorithm:value``.
        index: The entry.
        subject: Whether the entry is about it.
    """

    digest: str
    index: int
    subject: bool


@dataclass(frozen=True)
class Commit:
    """All that one transaction adds.

    Attributes:
        rows: Entries.
        namings: What they name.
        tiles: Tiles that they complete.
        size: Number of entries after it.
        note: The signed checkpoint of that size.
    """

    rows: Sequence[Row]
    namings: Sequence[Naming]
    tiles: Sequence[Tile]
    size: int
    note: str


class Store(TileSource):
    """A database with a ledger in it.

    Attributes:
        place: What to call it in messages; without passwords.
    """

    place: str

    def writing(self) -> AbstractContextManager[None]:
        """Begin the one transaction that may write; others wait. It is durable when the context ends without an error."""
        raise NotImplementedError

    def reading(self) -> AbstractContextManager[None]:
        """Begin a transaction that sees the ledger as it is now."""
        raise NotImplementedError

    def create(self, settings: dict[str, str]) -> None:
        """Make the tables, inside a transaction that writes."""
        raise NotImplementedError

    def settings(self) -> dict[str, str]:
        """Give the ledger's version, origin and verifier key; empty when there is no ledger."""
        raise NotImplementedError

    def add(self, commit: Commit) -> None:
        """Add rows, inside a transaction that writes."""
        raise NotImplementedError

    def head(self) -> tuple[int, str] | None:
        """Give the size and the note of the last checkpoint."""
        raise NotImplementedError

    def count(self) -> int:
        """Give the number after that of the last entry."""
        raise NotImplementedError

    def rows(self, start: int, end: int | None = None) -> Iterator[Row]:
        """Yield entries in their order."""
        raise NotImplementedError

    def tiles(self) -> Iterator[Tile]:
        """Yield all tiles, by level and index."""
        raise NotImplementedError

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        """Yield sizes and notes of all checkpoints, by size."""
        raise NotImplementedError

    def namings(self) -> Iterator[Naming]:
        """Yield all that entries name, by digest and entry."""
        raise NotImplementedError

    def find(self, digest: str, *, subjects: bool) -> list[int]:
        """Give the entries that name a digest (only as their subject, if so asked)."""
        raise NotImplementedError

    def damage(self) -> Iterator[str]:
        """Say what the database itself finds damaged, or foreign to a ledger."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of it."""
        raise NotImplementedError


def is_url(location: str) -> bool:
    """Tell a PostgreSQL address from a path."""
    return re.match(r"postgres(ql)?://", location) is not None


def open_store(location: str, *, create: bool = False, timeout: float = 30.0) -> Store:
    """Open a database.

    Args:
        location: A path, or ``postgresql://…``.
        create: Make the file if there is none.
        timeout: Seconds to wait for other writers.

    Raises:
        LedgerError: If it is not there, locked, or cannot be opened.
    """
    if is_url(location):
        from toadstone.ledger.postgres import PostgresStore  # noqa: PLC0415  (an extra)

        return PostgresStore(location, timeout=timeout)
    if "://" in location:
        raise LedgerError(f"a ledger cannot be kept in {location}.", "Give a path, or a PostgreSQL address: postgresql://…")
    from toadstone.ledger.sqlite import SqliteStore  # noqa: PLC0415  (one of two)

    return SqliteStore(location, create=create, timeout=timeout)


def checked(settings: dict[str, str], place: str) -> dict[str, str]:
    """See that settings are those of a ledger of this version.

    Raises:
        LedgerError: If there is no ledger, or one of another version.
        BrokenError: If something is missing.
    """
    if not settings:
        raise LedgerError(f"{place} holds no ledger.", "`toadstone ledger init` begins one.")
    version = settings.get("version")
    if version != VERSION:
        advice = "Use the version of toadstone that wrote it, or a newer one."
        raise LedgerError(f"{place} is a ledger of version {version}; this one reads version {VERSION}.", advice)
    for name in ("origin", "key"):
        if not settings.get(name):
            raise BrokenError(f"{place}: the ledger's {name} is missing.")
    return settings
