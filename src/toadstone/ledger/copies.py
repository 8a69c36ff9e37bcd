"""Copies of a ledger as static files (c2sp.org/tlog-tiles): written, added to, read back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from toadstone.core.merkle import HASH_SIZE, leaf_hash
from toadstone.ledger.errors import BrokenError, LedgerError
from toadstone.ledger.note import Checkpoint
from toadstone.ledger.store import Row, Store
from toadstone.ledger.tiles import HEIGHT, WIDTH, Edge, split, tile_path


class Copy:
    """A folder of tiles, bundles of entries and a checkpoint, as any web server can hand them out.

    Args:
        folder: Where it is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def checkpoint(self) -> str:
        """Give the signed note; empty when there is none."""
        try:
            return (self.folder / "checkpoint").read_text(encoding="utf-8")
        except (FileNotFoundError, UnicodeDecodeError):
            return ""
        except OSError as error:
            raise LedgerError(f"{self.folder} cannot be read: {error.strerror}.") from None

    def leaves(self, size: int) -> list[bytes]:
        """Read the hashes of the first entries.

        Raises:
            BrokenError: If tiles are missing or cut.
        """
        hashes: list[bytes] = []
        for index in range(-(-size // WIDTH)):
            width = min(WIDTH, size - index * WIDTH)
            raw = self._read(tile_path(0, index, width)) or self._read(tile_path(0, index))  # a copy may have grown since
            if raw is None or len(raw) < width * HASH_SIZE or len(raw) % HASH_SIZE:
                raise BrokenError(f"the copy {self.folder} is damaged: {tile_path(0, index, width)} is missing or cut.")
            hashes += split(raw)[:width]
        return hashes

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LedgerError(f"{self.folder / name} cannot be read: {error.strerror}.") from None

    def write(self, store: Store, checkpoint: Checkpoint, note: str) -> int:
        """Write what a checkpoint covers; what is there already and the same is left alone. The checkpoint comes last.

        Returns:
            The number of files that were written.

        Raises:
            BrokenError: If the ledger does not hold, or the copy has tiles that are others: one of them was rewritten.
            LedgerError: If a file cannot be written.
        """
        edge = Edge()
        for row in _sound(store, 0, checkpoint.size):  # nothing is written of a ledger that does not hold
            edge.extend([row.leaf])
        if edge.root() != checkpoint.root:
            advice = f"`toadstone ledger check --ledger {store.place}` names the place."
            raise BrokenError(f"{store.place} is not what its last checkpoint says ({checkpoint.size:,} entries).", advice)
        written = 0
        for path, content in self._files(store, checkpoint):
            old = self._read(path)
            if old == content:
                continue
            if old is not None:
                advice = "One of the two was rewritten: `toadstone ledger check --checkpoint` with this folder names the place."
                raise BrokenError(f"{self.folder / path} is not what the ledger has; it was left as it is.", advice)
            self._put(path, content)
            written += 1
        if self.checkpoint() != note:
            self._put("checkpoint", note.encode())
            written += 1
        return written

    def _files(self, store: Store, checkpoint: Checkpoint) -> Iterator[tuple[str, bytes]]:
        """Yield what a copy consists of, made from the entries alone."""
        edge = Edge()
        for start in range(0, checkpoint.size, WIDTH):
            bundle = bytearray()
            for row in _sound(store, start, min(start + WIDTH, checkpoint.size)):
                bundle += len(row.envelope).to_bytes(2) + row.envelope
                for tile in edge.add(row.leaf):
                    yield tile_path(tile.level, tile.index), tile.hashes
            yield tile_path("entries", start // WIDTH, edge.size - start), bytes(bundle)
        for level, hashes in edge.partial():
            yield tile_path(level, edge.size >> HEIGHT * (level + 1), len(hashes) // HASH_SIZE), hashes

    def _put(self, name: str, content: bytes) -> None:
        """Write aside, force to the disk, rename: nobody ever sees half a file."""
        target = self.folder / name
        aside = target.with_name(f".{target.name}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with aside.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            aside.replace(target)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise LedgerError(f"{target} cannot be written: {error.strerror}.") from None


def _sound(store: Store, start: int, end: int) -> Iterator[Row]:
    """Yield entries that are there, and as their hashes say.

    Raises:
        BrokenError: At the first that is not.
    """
    expected = start
    for row in store.rows(start, end):
        if row.index != expected:
            break
        if leaf_hash(row.envelope) != row.leaf:
            raise BrokenError(f"entry {row.index} was changed: its hash is not the one in the tree.")
        yield row
        expected += 1
    if expected != end:
        raise BrokenError(f"entry {expected} is missing.")
