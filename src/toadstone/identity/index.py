"""The rows of a table as a sorted file: whether a row is in it, and where, without reading the table.

Twelve bytes a row: the first eight bytes of the rows' digests in ascending order, then the number of the row of each. Eight
bytes of SHA-256 are enough to look up (one in 10^12 look-ups among ten million rows errs) and no proof: what is found is
confirmed in its block.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from blake3 import blake3

from toadstone.core.errors import ToadstoneError
from toadstone.identity.table import Prefixes

MAGIC = b"toadrow1"
_HEAD = 64
MOST = (1 << 32) - 1
"""Rows that an index can number."""

RowNumbers = npt.NDArray[np.uint32]


class RowIndexError(ToadstoneError):
    """An index cannot be used."""


def write_index(path: Path, prefixes: Prefixes, identity: bytes) -> str:
    """Write the index of a table, aside first.

    Args:
        path: Of the file.
        prefixes: Of the rows, in their order.
        identity: Root over the rows (32 bytes), which the index belongs to.

    Returns:
        BLAKE3 of the file, hexadecimal.

    Raises:
        ToadstoneError: There are more rows than it can number.
    """
    if len(prefixes) > MOST:
        raise RowIndexError(f"{len(prefixes):,} rows are more than an index holds ({MOST:,}).", "Pin the data in several files.")
    order = np.argsort(prefixes, kind="stable")
    head = (MAGIC + len(prefixes).to_bytes(8, "little") + identity).ljust(_HEAD, b"\0")
    body = (head, prefixes[order].astype("<u8").tobytes(), order.astype("<u4").tobytes())
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    hasher = blake3()
    with part.open("wb") as stream:
        for piece in body:
            hasher.update(piece)
            stream.write(piece)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
    return hasher.hexdigest()


class RowIndex:
    """An index that is open; its rows stay on disk.

    Args:
        path: Of the file.

    Raises:
        ToadstoneError: It is no index, or is cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as stream:
                head = stream.read(_HEAD)
        except OSError as error:
            raise RowIndexError(f"{path} cannot be read: {error.strerror}.", "`toadstone pin` writes it again.") from None
        self.rows = int.from_bytes(head[8:16], "little")
        self.identity = head[16:48]
        if len(head) < _HEAD or not head.startswith(MAGIC) or path.stat().st_size != _HEAD + 12 * self.rows:
            raise RowIndexError(f"{path} is no index of rows, or is cut off.", "`toadstone pin` writes it again.")
        shape = (self.rows,)
        empty = not self.rows
        self._sorted: Prefixes = np.zeros(0, np.uint64) if empty else np.memmap(path, "<u8", "r", _HEAD, shape)
        self._numbers: RowNumbers = np.zeros(0, np.uint32) if empty else np.memmap(path, "<u4", "r", _HEAD + 8 * self.rows, shape)

    def digest(self) -> str:
        """Give BLAKE3 of the file, hexadecimal."""
        return blake3().update_mmap(self.path).hexdigest()

    def contains(self, prefixes: Prefixes) -> npt.NDArray[np.bool_]:
        """Say which rows are in the table.

        Args:
            prefixes: Shape (queries,).
        """
        if not self.rows:
            return np.zeros(len(prefixes), np.bool_)
        order = np.argsort(prefixes)
        at = np.searchsorted(self._sorted, prefixes[order])
        found = np.empty(len(prefixes), np.bool_)
        found[order] = self._sorted[np.minimum(at, self.rows - 1)] == prefixes[order]
        return found

    def find(self, prefix: int) -> list[int]:
        """Give the numbers of the rows with this prefix, ascending."""
        wanted = np.uint64(prefix)
        first, last = (int(np.searchsorted(self._sorted, wanted, side)) for side in ("left", "right"))
        return sorted(self._numbers[first:last].tolist())

    def prefixes(self) -> Prefixes:
        """Give the prefixes in the order of the rows: 8 bytes a row in memory."""
        found = np.empty(self.rows, np.uint64)
        found[self._numbers] = self._sorted
        return found


def find_all(index: RowIndex, prefixes: Sequence[int]) -> dict[int, list[int]]:
    """Give the rows of the table for each prefix that is in it."""
    wanted = np.array(prefixes, np.uint64)
    return {int(prefix): index.find(int(prefix)) for prefix in wanted[index.contains(wanted)]}
