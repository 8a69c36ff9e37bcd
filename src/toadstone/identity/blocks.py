"""Digests of blocks of a table, column by column: the fast tier.

A block is a run of rows. Of each of its columns there is one BLAKE3 digest, over validity, lengths and values as separate
streams, so that neither the pieces in which rows arrive nor what lies under nulls changes it; lengths make it injective.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from blake3 import blake3

from toadstone.identity.canonical import NULL, Canonical, canonical

ROWS = 8192
"""Rows of a block of fixed length."""
SIZE = 32
"""Bytes of a digest."""

_ONES = np.ones(1 << 16, np.uint8)


@dataclass(frozen=True)
class Block:
    """Consecutive rows.

    Attributes:
        rows: How many.
        columns: One digest a column, in the order of the names.
    """

    rows: int
    columns: tuple[bytes, ...]


class Column:
    """Takes one column's rows of a block, piece by piece, and gives their digest."""

    def __init__(self) -> None:
        self._rows = 0
        self._some = 0
        self._kind = NULL
        self._valid: blake3 | None = None
        self._values = blake3()
        self._data: blake3 | None = None
        self._children: tuple[Column, ...] = ()
        self._names: tuple[bytes, ...] = ()

    def add(self, piece: Canonical) -> None:
        """Take further rows."""
        self._validity(piece)
        if piece.kind != NULL:
            self._kind = piece.kind
        if piece.fixed is not None:
            self._values.update(piece.fixed.data)
        if piece.offsets is not None:
            self._values.update(np.diff(piece.offsets).astype("<i8", copy=False).view(np.uint8).data)
        if piece.data is not None:
            self._data = self._data or blake3()
            self._data.update(piece.data.data)
        if piece.children and not self._children:
            self._children, self._names = tuple(Column() for _ in piece.children), piece.names
        for column, child in zip(self._children, piece.children, strict=bool(piece.children)):
            column.add(child)
        self._rows += piece.rows

    def _validity(self, piece: Canonical) -> None:
        """Take which rows are null; the first null writes what was left out for the rows before it."""
        if piece.valid is None:
            self._some += piece.rows
            if self._valid is not None:
                _feed_ones(self._valid, piece.rows)
            return
        self._some += int(piece.valid.sum())
        if self._valid is None:
            self._valid = blake3()
            _feed_ones(self._valid, self._rows)
        self._valid.update(np.ascontiguousarray(piece.valid).data)

    def digest(self) -> bytes:
        """Give the digest of all rows: 32 bytes."""
        rows = self._rows.to_bytes(8, "little")
        if not self._some:
            return blake3(b"null" + rows).digest()
        whole = self._valid is None or self._some == self._rows
        parts = [bytes([self._kind]), rows, bytes(SIZE) if whole or self._valid is None else self._valid.digest()]
        parts += [self._values.digest(), bytes(SIZE) if self._data is None else self._data.digest()]
        for name, child in zip(self._names or (b"",) * len(self._children), self._children, strict=True):
            parts += [len(name).to_bytes(8, "little"), name, child.digest()]
        return blake3(b"".join(parts)).digest()


def _feed_ones(hasher: blake3, rows: int) -> None:
    for first in range(0, rows, len(_ONES)):
        hasher.update(_ONES[: min(len(_ONES), rows - first)].data)


class Blocks:
    """Cuts rows that arrive in batches into blocks and gives each block's digests.

    Args:
        columns: How many columns there are.
    """

    def __init__(self, columns: int) -> None:
        self._count = columns
        self._columns = [Column() for _ in range(columns)]
        self._rows = 0

    @property
    def open_rows(self) -> int:
        """Rows of the block that is not finished."""
        return self._rows

    def add(self, pieces: Sequence[Canonical], first: int, last: int) -> None:
        """Take rows ``first`` to ``last`` (not included) of one piece a column."""
        if last <= first:
            return
        for column, piece in zip(self._columns, pieces, strict=True):
            column.add(piece.slice(first, last))
        self._rows += last - first

    def close(self) -> Block:
        """End the block."""
        block = Block(self._rows, tuple(column.digest() for column in self._columns))
        self._columns = [Column() for _ in range(self._count)]
        self._rows = 0
        return block


def fixed_blocks(pieces: Sequence[Canonical], rows: int, blocks: Blocks, length: int = ROWS) -> Iterator[Block]:
    """Cut a batch into blocks of fixed length, going on where the batch before ended.

    Args:
        pieces: One a column.
        rows: Of the batch.
        blocks: Holds what is left of the batch before; and then of this one.
        length: Rows of a block.
    """
    first = 0
    while first < rows:
        last = min(rows, first + length - blocks.open_rows)
        blocks.add(pieces, first, last)
        if blocks.open_rows == length:
            yield blocks.close()
        first = last


def leaf(names: Sequence[bytes], block: Block) -> bytes:
    """Write what the digest of a whole block is taken over: the number of rows, and each column with its name."""
    parts = [block.rows.to_bytes(8, "little"), len(names).to_bytes(8, "little")]
    for name, digest in zip(names, block.columns, strict=True):
        parts += [len(name).to_bytes(8, "little"), name, digest]
    return b"".join(parts)


def columns_of(batch: pa.RecordBatch, order: Sequence[int]) -> list[Canonical]:
    """Bring the columns of a batch into their canonical form, in this order."""
    return [canonical(batch.column(index)) for index in order]
