"""Sees whether a ledger is what its owner signed: every record, every hash, every signature, every checkpoint.

It trusts the verifier key, and what somebody kept elsewhere; nothing that the database says about itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toadstone.core.merkle import leaf_hash, root
from toadstone.ledger.copies import Copy
from toadstone.ledger.envelope import mentions, open_envelope, recorded_at
from toadstone.ledger.errors import BrokenError, LedgerError
from toadstone.ledger.keys import Verifier
from toadstone.ledger.note import Checkpoint, open_checkpoint
from toadstone.ledger.store import Row, Store, checked, open_store
from toadstone.ledger.tiles import WIDTH, Edge, Tile, split

_MOST = 200
"""Problems that are listed; all are counted."""


@dataclass(frozen=True)
class Problem:
    """Something that does not hold.

    Attributes:
        place: ``entry 17``, ``entries 5 to 9``, ``checkpoint of 20``, ``tile 0/3``, ``database``.
        message: What is wrong with it.
    """

    place: str
    message: str


@dataclass
class Checked:
    """What a check found.

    Attributes:
        place: The ledger.
        origin: Its name.
        key: The verifier key that everything was judged by.
        size: Number of entries that were read.
        checkpoints: Number of checkpoints that were read.
        problems: What does not hold, the first of them.
        count: How many problems there are.
        notes: What is worth knowing and no fault.
    """

    place: str
    origin: str = ""
    key: str = ""
    size: int = 0
    checkpoints: int = 0
    problems: list[Problem] = field(default_factory=list)
    count: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether everything holds."""
        return self.count == 0

    def problem(self, place: str, message: str) -> None:
        """Take a problem down."""
        self.count += 1
        if len(self.problems) < _MOST:
            self.problems.append(Problem(place, message))


Progress = Callable[[int], None]


def check(
    location: str | os.PathLike[str],
    *,
    key: str | None = None,
    kept: Sequence[str | os.PathLike[str]] = (),
    timeout: float = 30.0,
    progress: Progress | None = None,
) -> Checked:
    """Check a ledger from its first record to its last.

    Args:
        location: Path of a file, or ``postgresql://…``.
        key: The verifier key to judge by; by default the one that the ledger names, which whoever rewrote all of it may have
            replaced.
        kept: Checkpoints (files) and exported copies (folders) that were kept elsewhere.
        timeout: Seconds to wait for a lock.
        progress: Called with the number of entries read, now and then.

    Raises:
        LedgerError: If there is no ledger, it is of another version, or locked; what was kept elsewhere cannot be read.
    """
    store = open_store(os.fspath(location), timeout=timeout)
    done = Checked(store.place)
    try:
        with store.reading():
            settings = checked(store.settings(), store.place)
            verifier = Verifier.parse(key or settings["key"])
            done.origin, done.key = settings["origin"], str(verifier)
            if settings["key"] != str(verifier):
                done.problem("settings", f"the ledger names another key: {settings['key']}")
            if settings["origin"] != verifier.name:
                done.problem("settings", f"the ledger is {settings['origin']}, the key is of {verifier.name}")
            _Check(store, verifier, done, progress).run([_Kept.read(Path(one), verifier) for one in kept])
    except BrokenError as error:
        done.problem("database", error.message)
    finally:
        store.close()
    return done


@dataclass
class _Kept:
    """A checkpoint that was kept elsewhere, and the hashes that were exported with it, if any."""

    name: str
    checkpoint: Checkpoint | None
    copy: Copy | None = None
    trouble: str = ""

    @classmethod
    def read(cls, path: Path, verifier: Verifier) -> _Kept:
        copy = Copy(path) if path.is_dir() else None
        try:
            text = (path / "checkpoint" if copy else path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            said = error.strerror if isinstance(error, OSError) else "it is no text"
            raise LedgerError(f"the checkpoint {path} cannot be read: {said}.") from None
        try:
            return cls(str(path), open_checkpoint(text, verifier), copy)
        except BrokenError as error:
            return cls(str(path), None, copy, error.message)


class _Check:
    """One pass over the entries, with tiles and checkpoints alongside."""

    def __init__(self, store: Store, verifier: Verifier, done: Checked, progress: Progress | None) -> None:
        self._store = store
        self._verifier = verifier
        self._done = done
        self._progress = progress
        self._edge = Edge()
        self._named = _Multiset()
        self._roots: dict[int, bytes] = {}
        self._good = 0
        self._broken = False
        self._later = 0
        self._time: tuple[dt.datetime, int] | None = None

    def run(self, kept: list[_Kept]) -> None:
        for said in self._store.damage():
            self._done.problem("database", said)
        sizes = {one.checkpoint.size for one in kept if one.checkpoint}
        self._walk(sizes)
        for place, message in self._names_differ():
            self._done.problem(place, message)
        self._outside(kept)

    def _walk(self, sizes: set[int]) -> None:
        """Go through entries, tiles and checkpoints together; each hash is made once."""
        checkpoints = _Ahead(self._store.checkpoints())
        for number, row in enumerate(self._rows(), 1):
            for size, note in checkpoints.until(self._edge.size):
                self._judge(size, note)
            if self._edge.size in sizes:
                self._roots[self._edge.size] = self._edge.root()
            for tile in self._edge.add(self._entry(row)):
                self._tile(tile)
            if self._progress is not None and number % 1000 == 0:
                self._progress(number)
        self._done.size = self._edge.size
        self._roots[self._edge.size] = self._edge.root()
        self._finish(checkpoints)

    def _finish(self, checkpoints: _Ahead) -> None:
        """Judge what is left when all entries were read."""
        for size, note in checkpoints.until(1 << 62):
            self._judge(size, note)
        if self._later:
            self._done.problem(f"checkpoints after {self._good}", f"{self._later:,} later ones do not hold either")
        if not self._done.checkpoints:
            self._done.problem("checkpoints", "there is none")
        elif checkpoints.last < self._edge.size:
            self._done.problem(_span(checkpoints.last, self._edge.size), "no checkpoint covers them")
        for tile in self._store.tiles():
            if (tile.index + 1) << 8 * (tile.level + 1) > self._edge.size:
                self._done.problem(f"tile {tile.level}/{tile.index}", "it is of entries that are not there")

    def _rows(self) -> Iterator[Row]:
        """Yield rows; say where one is missing, and stand in for it so that what follows keeps its number."""
        expected = 0
        for row in self._store.rows(0):
            if row.index > expected + 1_000_000:
                self._done.problem(f"entry {row.index}", "its number cannot be")
                return
            if row.index > expected:
                self._done.problem(_span(expected, row.index), "missing")
            while expected < row.index:
                yield Row(expected, self._from_tile(expected) or b"", b"")
                expected += 1
            yield row
            expected += 1

    def _from_tile(self, index: int) -> bytes:
        """Give the hash of an entry as the tile of its level has it; nothing while that is partial."""
        hashes = self._store.tile(0, index >> 8)
        return (split(hashes) + [b""] * WIDTH)[index % WIDTH] if hashes else b""

    def _entry(self, row: Row) -> bytes:
        """Judge an entry; give the hash with which the tree goes on, so that one changed entry is one problem."""
        place = f"entry {row.index}"
        if not row.envelope:
            return row.leaf  # missing, which has been said
        if (made := leaf_hash(row.envelope)) != row.leaf:
            known = self._from_tile(row.index)
            if known == made:
                self._done.problem(place, "the hash that is stored beside it was changed")
            else:
                self._done.problem(place, "it was changed: its hash is not the one in the tree")
                return known or row.leaf
        try:
            statement = open_envelope(row.envelope, self._verifier)
        except BrokenError as error:
            self._done.problem(place, error.message)
            return made
        for mention in mentions(statement):
            self._named.add(mention.digest, row.index, mention.subject)
        self._clock(row.index, recorded_at(statement))
        return made

    def _clock(self, index: int, text: str) -> None:
        """Notice a clock that was set back; the order is that of the ledger, so this is no fault."""
        try:
            time = dt.datetime.fromisoformat(text)
        except ValueError:
            return
        time = time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time
        if self._time is not None and time < self._time[0] and len(self._done.notes) < _MOST:
            back = self._time[0] - time
            self._done.notes.append(
                f"entry {index} bears a time {back} earlier than entry {self._time[1]}: a clock was set back, or is wrong"
            )
        self._time = (time, index)

    def _tile(self, made: Tile) -> None:
        """Compare a tile with what the entries make of it."""
        place = f"tile {made.level}/{made.index}"
        hashes = self._store.tile(made.level, made.index)
        if hashes is None:
            self._done.problem(place, "missing")
        elif hashes != made.hashes:
            old, new = split(hashes), split(made.hashes)
            wrong = next((at for at, one in enumerate(new) if at >= len(old) or old[at] != one), WIDTH - 1)
            first = (made.index * WIDTH + wrong) << 8 * made.level
            self._done.problem(place, f"its hashes are not those of {_span(first, first + (1 << 8 * made.level))}")
        elif self._store.roots(made.level, made.index, made.index + 1) != [made.root]:
            self._done.problem(place, "its root was changed")

    def _judge(self, size: int, note: str) -> None:
        """Judge a checkpoint when as many entries were read as it covers."""
        self._done.checkpoints += 1
        place = f"checkpoint of {size}"
        try:
            checkpoint = open_checkpoint(note, self._verifier)
        except BrokenError as error:
            self._done.problem(place, error.message)
            return
        if checkpoint.size != size:
            self._done.problem(place, f"it says {checkpoint.size}")
        elif size > self._edge.size:
            self._done.problem(_span(self._edge.size, size), f"missing: a checkpoint of {size} entries is signed")
        elif size < self._edge.size:
            self._done.problem(place, "it is out of order")
        elif checkpoint.root == self._edge.root():
            self._good = size
        elif self._broken:
            self._later += 1
        else:
            self._done.problem(_span(self._good, size), f"rewritten: they do not lead to the signed checkpoint of {size}")
            self._broken = True

    def _names_differ(self) -> Iterator[tuple[str, str]]:
        """Compare the index of digests with what the entries name."""
        found = _Multiset()
        for one in self._store.namings():
            found.add(one.digest, one.index, one.subject)
        if found.sum == self._named.sum:
            return
        stored = {(one.digest, one.index, one.subject) for one in self._store.namings()}
        for row in self._store.rows(0):
            try:
                named = {(one.digest, row.index, one.subject) for one in mentions(open_envelope(row.envelope, self._verifier))}
            except BrokenError:
                continue
            if missing := named - stored:
                yield f"index of digests, entry {row.index}", f"{min(missing)[0]} is missing"
            stored -= named
        for digest, index, _ in sorted(stored):
            yield f"index of digests, entry {index}", f"{digest} is not named there"

    def _outside(self, kept: list[_Kept]) -> None:
        """Compare with what was kept elsewhere."""
        good = 0
        for one in sorted(kept, key=lambda one: one.checkpoint.size if one.checkpoint else -1):
            if one.checkpoint is None:
                self._done.problem(one.name, one.trouble)
                continue
            size = one.checkpoint.size
            if size > self._done.size:
                self._done.problem(_span(self._done.size, size), f"missing: {one.name} covers {size} entries, signed")
            elif self._roots[size] == one.checkpoint.root:
                good = size
            elif one.copy is None:
                self._done.problem(_span(good, size), f"rewritten since {one.name} was signed")
            if one.copy is not None:
                self._against(one.copy, one.checkpoint, one.name)

    def _against(self, copy: Copy, checkpoint: Checkpoint, name: str) -> None:
        """Name the entries that are not those of an exported copy."""
        size = checkpoint.size
        try:
            copied = copy.leaves(size)
        except BrokenError as error:
            self._done.problem(name, error.message)
            return
        if root(copied) != checkpoint.root:
            self._done.problem(name, "this copy is damaged: its hashes do not lead to its checkpoint")
            return
        stored = (row.leaf for row in self._store.rows(0, size))
        wrong = [at for at, (leaf, kept) in enumerate(zip(stored, copied, strict=False)) if leaf != kept]
        for start, end in _runs(wrong):
            self._done.problem(_span(start, end), f"rewritten since {name} was exported")


class _Ahead:
    """Checkpoints in their order, handed out as far as entries were read."""

    def __init__(self, checkpoints: Iterator[tuple[int, str]]) -> None:
        self._rest = checkpoints
        self._next = next(checkpoints, None)
        self.last = 0

    def until(self, size: int) -> Iterator[tuple[int, str]]:
        """Yield those of at most that size."""
        while self._next is not None and self._next[0] <= size:
            self.last = self._next[0]
            yield self._next
            self._next = next(self._rest, None)


class _Multiset:
    """An order-free fingerprint of what entries name: equal for equal collections, and only for them as far as SHA-256 goes."""

    def __init__(self) -> None:
        self.sum = 0

    def add(self, digest: str, index: int, subject: bool) -> None:
        item = f"{index} {int(subject)} {digest}".encode(errors="surrogatepass")
        self.sum = (self.sum + int.from_bytes(hashlib.sha256(item).digest())) % (1 << 256)


def _span(start: int, end: int) -> str:
    return f"entry {start}" if end - start <= 1 else f"entries {start} to {end - 1}"


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Join neighbouring numbers."""
    start = end = -1
    for number in numbers:
        if number != end:
            if end > start >= 0:
                yield start, end
            start = number
        end = number + 1
    if end > start >= 0:
        yield start, end
