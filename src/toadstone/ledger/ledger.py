"""The ledger: append, find, prove."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from toadstone.core.finding import Json
from toadstone.core.merkle import EMPTY, consistency_ranges, inclusion_ranges, leaf_hash, verify_consistency, verify_inclusion
from toadstone.ledger.copies import Copy
from toadstone.ledger.envelope import Statement, mentions, seal, statement_of
from toadstone.ledger.errors import BrokenError, LedgerError
from toadstone.ledger.keys import Key, Verifier
from toadstone.ledger.note import Checkpoint, open_checkpoint
from toadstone.ledger.proof import Growth, Inclusion
from toadstone.ledger.store import VERSION, Commit, Naming, Row, Store, checked, open_store
from toadstone.ledger.tiles import Edge, StoredTree, Tile

LEDGER_VARIABLE = "TOADSTONE_LEDGER"
DEFAULT = os.path.join(".toadstone", "ledger.sqlite")  # noqa: PTH118  (shown as typed)


@dataclass(frozen=True)
class Entry:
    """A record of a ledger.

    Attributes:
        index: Its number, from 0.
        envelope: Its bytes, a DSSE envelope.
        statement: The in-toto statement inside.
    """

    index: int
    envelope: bytes
    statement: dict[str, Json]

    @property
    def predicate_type(self) -> str:
        """What kind of statement it is."""
        return str(self.statement.get("predicateType", ""))


@dataclass(frozen=True)
class Receipt:
    """What an append gives once it is durable.

    Attributes:
        index: Number of the entry.
        leaf: Its hash in the tree.
        checkpoint: The signed checkpoint that first covers it.
    """

    index: int
    leaf: bytes
    checkpoint: str


@dataclass
class _Job:
    """Sealed statements that wait for a commit."""

    sealed: list[tuple[bytes, bytes, list[tuple[str, bool]]]]
    receipts: list[Receipt] = field(default_factory=list)
    error: LedgerError | None = None
    done: bool = False


class Ledger:
    """An append-only log of signed statements.

    ::

        key = Key.load("ledger-key.pem", passphrase)
        with Ledger.open(".toadstone/ledger.sqlite", key) as ledger:
            receipt = ledger.append(statement)

    Several threads may append at once: what waits while one commit reaches the disk goes into the next one together.

    Args:
        store: Where it is kept.
        key: What signs; without it the ledger can be read only.
    """

    def __init__(self, store: Store, key: Key | None = None) -> None:
        self._store = store
        self._key = key
        with store.reading():
            settings = checked(store.settings(), store.place)
        self.origin = settings["origin"]
        self.verifier = Verifier.parse(settings["key"])
        if self.verifier.name != self.origin:
            raise BrokenError(f"{store.place}: its key is named {self.verifier.name}, not {self.origin}.")
        if key is not None and key.public != self.verifier.public:
            advice = f"It was begun with the key {self.verifier}; only that one can append."
            raise LedgerError(f"{store.place} belongs to another key.", advice)
        self._edge: Edge | None = None
        self._last: tuple[str, Checkpoint] | None = None
        self._tree: StoredTree | None = None
        self._waiting: list[_Job] = []
        self._queue = threading.Lock()
        self._commit = threading.Lock()

    @classmethod
    def open(cls, location: str | os.PathLike[str] = DEFAULT, key: Key | None = None, *, timeout: float = 30.0) -> Ledger:
        """Open a ledger.

        Args:
            location: Path of a file, or ``postgresql://…``.
            key: What signs; None to read only.
            timeout: Seconds to wait for other writers.

        Raises:
            LedgerError: If there is none, it is of another version, locked, or belongs to another key.
            BrokenError: If it is damaged.
        """
        store = open_store(os.fspath(location), timeout=timeout)
        with _closed_on_error(store):
            return cls(store, key)

    @classmethod
    def create(
        cls, location: str | os.PathLike[str], key: Key, *, origin: str = "", timeout: float = 30.0, existing: bool = False
    ) -> Ledger:
        """Begin a ledger.

        Args:
            location: Path of a file, or ``postgresql://…``.
            key: What signs it, for ever.
            origin: Its name, best an address without scheme; by default a random one.
            timeout: Seconds to wait for other writers.
            existing: Open the one that is there; otherwise that is an error.

        Raises:
            LedgerError: If there is one, or none can be made.
        """
        store = open_store(os.fspath(location), create=True, timeout=timeout)
        name = origin or f"toadstone/{secrets.token_hex(8)}"
        verifier = key.verifier(name)
        with _closed_on_error(store):
            with store.writing():
                found = store.settings()
                if found and not existing:
                    raise LedgerError(f"{store.place} holds a ledger already.", "It is never replaced; name another place.")
                if not found:
                    store.create({"version": VERSION, "origin": name, "key": str(verifier)})
                    store.add(Commit((), (), (), 0, Checkpoint(name, 0, EMPTY).signed(key)))
            return cls(store, key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database; it is opened again if it is needed."""
        self._store.close()

    @property
    def place(self) -> str:
        """Where it is kept, without passwords."""
        return self._store.place

    def __len__(self) -> int:
        with self._store.reading():
            return self._head()[1].size

    def append(self, statement: Statement) -> Receipt:
        """Sign and record a statement. When this returns, the record is on the disk.

        Raises:
            LedgerError: If nothing was recorded, and why.
        """
        return self.extend([statement])[0]

    def extend(self, statements: Sequence[Statement]) -> list[Receipt]:
        """Sign and record statements, all or none, as `append` does."""
        if self._key is None:
            raise LedgerError(f"{self.place} was opened to be read only.", "Give the key that signs.")
        job = _Job([])
        for statement in statements:
            envelope = seal(statement, self._key, self.verifier.keyid)
            named = sorted((one.digest, one.subject) for one in mentions(statement))
            job.sealed.append((envelope, leaf_hash(envelope), named))
        if not job.sealed:
            return []
        with self._queue:
            self._waiting.append(job)
        with self._commit:
            if not job.done:
                with self._queue:
                    jobs, self._waiting = self._waiting, []
                self._commit_all(jobs)
        if job.error is not None:
            raise job.error
        return job.receipts

    def _commit_all(self, jobs: list[_Job]) -> None:
        try:
            with self._store.writing():
                edge = self._current_edge()
                receipts, commit, edge = self._prepared(jobs, edge.copy())
                self._store.add(commit)
        except LedgerError as error:
            self._edge = None
            for job in jobs:
                job.error = error
        else:
            self._edge = edge
            self._last = commit.note, Checkpoint(self.origin, edge.size, edge.root())  # signed here, hence known to hold
            for job in jobs:
                job.receipts, receipts = receipts[: len(job.sealed)], receipts[len(job.sealed) :]
        finally:
            for job in jobs:
                if not job.receipts and job.error is None:
                    job.error = LedgerError(f"{self.place}: the commit was interrupted.", "Look whether the record is there.")
                job.done = True

    def _prepared(self, jobs: list[_Job], edge: Edge) -> tuple[list[Receipt], Commit, Edge]:
        """Put sealed statements at the end of the tree, and sign the checkpoint after them."""
        assert self._key is not None
        rows, namings = list[Row](), list[Naming]()
        tiles = list[Tile]()
        for envelope, leaf, named in (one for job in jobs for one in job.sealed):
            rows.append(Row(edge.size, leaf, envelope))
            namings += [Naming(digest, edge.size, subject) for digest, subject in named]
            tiles += edge.add(leaf)
        note = Checkpoint(self.origin, edge.size, edge.root()).signed(self._key)
        receipts = [Receipt(row.index, row.leaf, note) for row in rows]
        return receipts, Commit(rows, namings, tiles, edge.size, note), edge

    def _current_edge(self) -> Edge:
        """Give the right edge of the tree as it is stored, and see that the last checkpoint is about it.

        Signing on top of a tree that is not the one signed before would make a rewritten history valid.
        """
        head = self._head()[1]
        edge = self._edge
        if edge is not None and edge.size == head.size:
            known = edge
        elif edge is not None and edge.size < head.size <= edge.size + 10_000:
            known = edge.copy()
            known.extend(self._store.leaves(edge.size, head.size))
        else:
            known = Edge.load(self._store, head.size)
        if known.size != head.size or known.root() != head.root or self._store.count() != head.size:
            self._edge = None
            advice = f"`toadstone ledger check --ledger {self.place}` names the place. Nothing more is recorded here."
            raise BrokenError(f"{self.place} is not what its last checkpoint says ({head.size:,} entries).", advice)
        self._edge = known
        return known

    def _head(self) -> tuple[str, Checkpoint]:
        found = self._store.head()
        if found is None:
            raise BrokenError(f"{self.place} has no checkpoint.")
        if self._last is not None and self._last[0] == found[1]:
            return self._last
        checkpoint = open_checkpoint(found[1], self.verifier)
        if checkpoint.size != found[0]:
            raise BrokenError(f"{self.place}: the checkpoint of size {found[0]} says {checkpoint.size}.")
        self._last = found[1], checkpoint
        return self._last

    def checkpoint(self) -> str:
        """Give the last signed checkpoint: keep it elsewhere, and nobody can shorten or rewrite what it covers unseen."""
        with self._store.reading():
            return self._head()[0]

    def entry(self, index: int) -> Entry:
        """Give one entry.

        Raises:
            LedgerError: If there is none of that number.
            BrokenError: If it cannot be read.
        """
        with self._store.reading():
            return self._entry(index)

    def _entry(self, index: int) -> Entry:
        row = next(self._store.rows(index, index + 1), None) if index >= 0 else None
        if row is None:
            raise LedgerError(f"{self.place} has no entry {index}; it has {self._head()[1].size:,}.")
        return Entry(index, row.envelope, statement_of(row.envelope))

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[Entry]:
        """Yield entries in their order, as they are when this begins."""
        with self._store.reading():
            last = self._head()[1].size
        for first in range(start, last if end is None else min(end, last), 1000):
            with self._store.reading():
                rows = list(self._store.rows(first, min(first + 1000, last if end is None else min(end, last))))
            for row in rows:
                yield Entry(row.index, row.envelope, statement_of(row.envelope))

    def find(self, digest: str, *, subjects: bool = False) -> list[int]:
        """Give the entries that name a digest.

        Args:
            digest: ``sha256:…``, ``blake3:…`` or whatever the statements use.
            subjects: Only those that are about it, not those that refer to it.
        """
        with self._store.reading():
            return self._store.find(digest, subjects=subjects)

    def prove(self, index: int) -> Inclusion:
        """Prove that an entry is in the ledger, by its last checkpoint.

        Raises:
            LedgerError: If there is none of that number.
            BrokenError: If what is stored does not lead to the checkpoint.
        """
        with self._store.reading():
            note, head = self._head()
            tree = self._stored_tree(head.size)
            entry = self._entry(index)
            proof = Inclusion(index, entry.envelope, tree.hashes(inclusion_ranges(index, head.size)), note)
        if not verify_inclusion(leaf_hash(entry.envelope), index, head.size, proof.hashes, head.root):
            self._tree = None
            advice = f"`toadstone ledger check --ledger {self.place}` names the place."
            raise BrokenError(f"{self.place}: what is stored of entry {index} does not lead to the last checkpoint.", advice)
        return proof

    def prove_growth(self, old: str) -> Growth:
        """Prove that the ledger begins with what an older checkpoint covered.

        Args:
            old: A signed checkpoint of this ledger.

        Raises:
            BrokenError: If it does not: it was shortened or rewritten.
        """
        before = open_checkpoint(old, self.verifier)
        with self._store.reading():
            note, head = self._head()
            if before.size > head.size:
                raise BrokenError(f"{self.place} was shortened: entries {head.size} to {before.size - 1} are missing.")
            hashes = self._stored_tree(head.size).hashes(consistency_ranges(before.size, head.size))
        if not verify_consistency(before.size, head.size, before.root, head.root, hashes):
            advice = f"`toadstone ledger check --ledger {self.place} --checkpoint` with the old one says more."
            raise BrokenError(f"{self.place} was rewritten: its first {before.size} entries are not those signed then.", advice)
        return Growth(old, note, hashes)

    def export(self, folder: str | os.PathLike[str]) -> int:
        """Write the ledger as static files in the layout of c2sp.org/tlog-tiles, or add to such a folder.

        Returns:
            The number of files that were written.

        Raises:
            BrokenError: If the folder holds another history, or a longer one; nothing of it is replaced.
            LedgerError: If a file cannot be written.
        """
        copy = Copy(Path(folder))
        if before := copy.checkpoint():
            self.prove_growth(before)
        with self._store.reading():
            note, head = self._head()
            return copy.write(self._store, head, note)

    def _stored_tree(self, size: int) -> StoredTree:
        if self._tree is None or self._tree.size > size:
            self._tree = StoredTree(self._store, size)
        elif self._tree.size < size:
            self._tree.grow(size)
        return self._tree


@contextmanager
def _closed_on_error(store: Store) -> Iterator[None]:
    try:
        yield
    except BaseException:
        store.close()
        raise
