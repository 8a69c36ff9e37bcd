"""Data sets as they are read: fragments that give Arrow record batches, in an order that never changes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

ROWS = 65_536
"""Most rows of a batch."""
BYTES = 2 << 20
"""Bytes of a batch at which it is cut (a single larger row stays whole)."""


@dataclass(frozen=True)
class Trouble:
    """Rows or bytes that could not be read, and why.

    Attributes:
        fragment: Number of the fragment.
        reason: What a person has to know.
        row: First row within the fragment, -1 when it is not known.
    """

    fragment: int
    reason: str
    row: int = -1


class Fragment(ABC):
    """A part of a data set that can be read by itself: a file, a row group, a byte range.

    Fragments travel between processes: they hold names and numbers, no open files.
    """

    number: int

    @abstractmethod
    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch | Trouble]:
        """Give the rows in order, in batches of at most `ROWS` rows and about `BYTES` bytes; what cannot be read as `Trouble`.

        Args:
            columns: Names of the columns that are wanted; None: all.
        """

    def claims(self) -> tuple[int, int]:
        """Give rows and bytes that it says it holds, before any is read; 0 for what its bytes bound anyway."""
        return 0, 0


@dataclass(frozen=True)
class Held(Fragment):
    """A table that is in memory."""

    number: int
    table: pa.Table = field(repr=False)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch | Trouble]:
        """Give slices of the table."""
        table = self.table if columns is None else self.table.select(list(columns))
        yield from sliced(table)


@dataclass(frozen=True)
class Dataset:
    """An open data set.

    Attributes:
        name: As the user typed it; ``<memory>`` for objects.
        kind: ``parquet``, ``jsonl``, ``csv`` ... or ``memory``.
        schema: Names and types of the columns.
        fragments: In the order of the rows.
        troubles: What was wrong before any row was read.
        size: Bytes on disk or in memory, 0 when it is not known.
        version: The word of a server for the version that was fetched; empty: it came from none.
        copy: Where a copy lies that is read instead; empty: nowhere, ``name`` is the path.
        held: What has to live as long as the data set, such as that copy.
    """

    name: str
    kind: str
    schema: pa.Schema
    fragments: tuple[Fragment, ...]
    troubles: tuple[Trouble, ...] = ()
    size: int = 0
    version: str = ""
    copy: str = ""
    held: object = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, table: pa.Table, name: str = "<memory>") -> Dataset:
        """Wrap a table that is in memory."""
        return cls(name, "memory", table.schema, (Held(0, table),), size=table.nbytes)

    @property
    def path(self) -> str:
        """Where the rows are read: the path as typed, or that of a copy."""
        return self.copy or self.name

    def take(self, rows: Sequence[int], columns: Sequence[str]) -> pa.Table:
        """Read some rows.

        Args:
            rows: 0-based, among those that can be read, in any order; the answer has them in this order.
            columns: Names of the columns that are wanted.
        """
        wanted = np.array(rows, np.int64)
        order = np.argsort(wanted, kind="stable")
        found: list[pa.RecordBatch] = []
        for start, batch in self._batches(int(wanted.max(initial=-1)), columns):
            inside = wanted[order][(wanted[order] >= start) & (wanted[order] < start + batch.num_rows)]
            if len(inside):
                found.append(batch.take(pa.array(inside - start)))
        if not found:
            return self.schema.empty_table().select(list(columns))
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return pa.Table.from_batches(found).take(pa.array(back))

    def _batches(self, last: int, columns: Sequence[str]) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Read batches until the last wanted row, each with the number of its first row."""
        start = 0
        for fragment in self.fragments:
            if start > last:
                return
            for batch in fragment.batches(columns):
                if isinstance(batch, Trouble):
                    continue
                yield start, batch
                start += batch.num_rows


def bare(batches: Iterator[pa.RecordBatch | Trouble]) -> Iterator[pa.RecordBatch | Trouble]:
    """Give batches without columns, that still say how many rows they have."""
    for batch in batches:
        yield batch if isinstance(batch, Trouble) else batch.select([])


def sliced(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """Cut a table into batches of at most `ROWS` rows and about `BYTES` bytes."""
    for batch in table.to_batches(max_chunksize=ROWS):
        yield from cut(batch)


def cut(batch: pa.RecordBatch, most: int | None = None) -> Iterator[pa.RecordBatch]:
    """Halve a batch until each part has at most `ROWS` rows and about `most` (by default `BYTES`) bytes, or one row."""
    if batch.num_rows <= 1 or (batch.num_rows <= ROWS and batch.nbytes <= (BYTES if most is None else most)):
        if batch.num_rows:
            yield batch
        return
    middle = batch.num_rows // 2
    yield from cut(batch.slice(0, middle), most)
    yield from cut(batch.slice(middle), most)
