"""What tables of text have in common: a first pass that finds types and places, fragments that are spans of records.

The first pass reads the whole file once, a batch at a time. It joins the types of all values, so that every batch afterwards
has the same schema, and notes a place between records every 32 MiB, so that fragments can be read apart from each other.
A record that cannot be understood is a row all the same, with nothing in it, and a `Trouble` with its number: rows keep the
numbers that they have in the file.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from toadstone.tables.conform import conformed
from toadstone.tables.dataset import ROWS, Fragment, Trouble, bare
from toadstone.tables.records import UNREADABLE, TextFile
from toadstone.tables.sound import first_line

SPAN = 32 << 20
"""Bytes of a fragment."""
BATCH = 4 << 20
"""Bytes of the records of a batch: as Python objects they take several times as much."""
CELLS = 1 << 21
"""Rows times columns of a batch."""
TROUBLES = 1000
"""Troubles of one fragment that are given one by one."""


@dataclass(frozen=True)
class Parsed:
    """The values of some records.

    Attributes:
        columns: Values by column; each has as many as there are records.
        rows: How many records.
        wrong: Record (counted from the first of these) and what is wrong with it.
    """

    columns: dict[str, list[Any]]
    rows: int
    wrong: list[tuple[int, str]]


@dataclass(frozen=True)
class Span(Fragment):
    """Consecutive records of a text file.

    Attributes:
        file: Where they are.
        start: The first byte.
        stop: The byte behind the last; None: the end.
        schema: Of the rows as they are given.
    """

    number: int
    file: TextFile
    start: int
    stop: int | None
    schema: pa.Schema

    @abstractmethod
    def records(self) -> Iterator[list[bytes]]:
        """Give the records, each with its line end; together they are the bytes of the span."""

    @abstractmethod
    def parsed(self, records: Sequence[bytes], columns: Sequence[str] | None) -> Parsed:
        """Read the values of some records."""

    @abstractmethod
    def is_row(self, record: bytes) -> bool:
        """Whether a record is a row: an empty line is none."""

    def rows_among(self, records: list[bytes]) -> list[bytes]:
        """Give the records that are rows."""
        return [record for record in records if self.is_row(record)]

    def grouped(self, records: Iterable[list[bytes]], columns: int = 1) -> Iterator[list[bytes]]:
        """Give the records that are rows, in lists that make a batch.

        Args:
            records: As `records` gives them.
            columns: How many will be made of them.
        """
        group: list[bytes] = []
        size = 0
        most = max(min(ROWS, CELLS // max(columns, 1)), 1)
        for some in records:
            rows = self.rows_among(some)
            total = sum(map(len, rows))
            if size + total <= BATCH and len(group) + len(rows) <= most:  # nearly always
                group += rows
                size += total
                continue
            for record in rows:
                if group and (size + len(record) > BATCH or len(group) >= most):
                    yield group
                    group, size = [], 0
                group.append(record)
                size += len(record)
        if group:
            yield group

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch | Trouble]:
        """Give the rows; broken ones empty and as `Trouble`."""
        if columns is not None and not len(columns) and self.schema.names:
            yield from bare(self.batches(self.schema.names[:1]))
            return
        schema = self.schema if columns is None else pa.schema([self.schema.field(name) for name in columns])
        row = told = 0
        name = Path(self.file.path).name
        try:
            for group in self.grouped(self.records(), len(schema)):
                parsed = self.parsed(group, columns)
                for place, reason in parsed.wrong:
                    told += 1
                    if told <= TROUBLES:
                        yield Trouble(self.number, f"{name}: {reason}", row + place)
                missing = [None] * parsed.rows
                arrays = [conformed(parsed.columns.get(field.name, missing), field.type) for field in schema]
                if arrays:
                    yield pa.RecordBatch.from_arrays(arrays, schema=schema)
                row += parsed.rows
        except UNREADABLE as error:
            yield Trouble(self.number, f"{name} cannot be read from here on: {first_line(error)}", row)
        if told > TROUBLES:
            yield Trouble(self.number, f"{name}: {told - TROUBLES:,} more rows like these")

    def surveyed(self, cuts: list[int]) -> Iterator[list[bytes]]:
        """Give the records and note places between them, `SPAN` bytes apart."""
        place = last = self.start
        for some in self.records():
            yield some
            place += sum(map(len, some))
            if place - last >= SPAN:
                cuts.append(place)
                last = place

    def between(self, number: int, start: int, stop: int | None, schema: pa.Schema) -> Self:
        """Give another span of the same file."""
        return replace(self, number=number, start=start, stop=stop, schema=schema)


def spans(whole: Span, cuts: Sequence[int], schema: pa.Schema, first: int) -> tuple[Fragment, ...]:
    """Cut the span of all rows at places between records; a packed file cannot be cut."""
    inner = [] if whole.file.packed else list(cuts)
    starts = [whole.start, *inner]
    stops = [*inner, whole.stop]
    return tuple(
        whole.between(first + index, start, stop, schema) for index, (start, stop) in enumerate(zip(starts, stops, strict=True))
    )
