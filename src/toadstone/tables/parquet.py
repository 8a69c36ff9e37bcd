"""Apache Parquet: groups of rows are fragments; pages are read as they are needed.

Source: the Apache Parquet format, https://parquet.apache.org/docs/file-format/.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from toadstone.core.errors import UsageError
from toadstone.tables.claims import EACH, LARGE, PLAUSIBLE, check_column
from toadstone.tables.dataset import BYTES, ROWS, Dataset, Fragment, Trouble
from toadstone.tables.probe import fatal
from toadstone.tables.sound import FAILURES, first_line, plain_schema, sound

MAGIC = b"PAR1"
SPAN = 32 << 20
"""Uncompressed bytes of row groups that make one fragment."""

_FRAGMENTS = 256


@dataclass(frozen=True)
class RowGroups(Fragment):
    """Consecutive row groups of one file.

    Attributes:
        path: Of the file.
        groups: Numbers of the row groups.
        schema: Of the rows as they are given.
        rows: How many the footer promises.
        size: Bytes that their pages unpack to, as the footer says.
    """

    number: int
    path: str
    groups: tuple[int, ...]
    schema: pa.Schema
    rows: int = 0
    size: int = 0

    def claims(self) -> tuple[int, int]:
        """Give what the footer says; runs of one value take no room in a page, but do once they are read."""
        width = sum(field.type.bit_width if pa.types.is_primitive(field.type) else 32 for field in self.schema)
        return self.rows, max(self.size, self.rows * width // 8)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch | Trouble]:
        """Read page after page; a damaged page ends its row group, not the file."""
        row = 0
        for group in self.groups:
            try:
                for batch, reasons in _group(self.path, group, self.schema, columns):
                    yield from (Trouble(self.number, f"{Path(self.path).name}: {reason}", row) for reason in reasons)
                    yield batch
                    row += batch.num_rows
            except FAILURES as error:
                reason = f"{Path(self.path).name}: row group {group} is damaged; its rows from here on were not read"
                yield Trouble(self.number, f"{reason}: {first_line(error)}", row)


def opened(path: str, dictionaries: Sequence[str] = ()) -> pq.ParquetFile:
    """Open a file so that pages are read one after the other, and their checksums compared."""
    return pq.ParquetFile(
        path,
        read_dictionary=list(dictionaries) or None,
        pre_buffer=False,
        buffer_size=1 << 20,
        page_checksum_verification=True,
        arrow_extensions_enabled=False,
    )


def _group(path: str, group: int, schema: pa.Schema, columns: Sequence[str] | None) -> Iterator[tuple[pa.RecordBatch, list[str]]]:
    """Read one row group, validated."""
    names, batches = raw_group(path, group, columns)
    parts = schema if names is None else pa.schema([schema.field(name) for name in names])
    for batch in batches:
        for piece, reasons in sound(batch, parts):
            yield (piece if columns is None else piece.select(list(columns))), reasons


def raw_group(path: str, group: int, columns: Sequence[str] | None = None) -> tuple[list[str] | None, Iterator[pa.RecordBatch]]:
    """Read one row group as it is.

    Texts that stand in a dictionary page are read as indices: a page of one long text and a million references to it must
    not become a million long texts.

    Returns:
        Names of the columns that are read (None: all), and the batches.
    """
    with opened(path) as file:
        metadata = file.metadata.row_group(group)
        own = file.schema_arrow.names
    chunks = [metadata.column(index) for index in range(metadata.num_columns)]
    coded = [chunk.path_in_schema for chunk in chunks if chunk.has_dictionary_page and chunk.physical_type == "BYTE_ARRAY"]
    unambiguous = len(set(own)) == len(own) and not any("." in name for name in own)
    wanted = [name for name in own if name in set(columns)] if unambiguous and columns is not None else None
    growing = _checked(path, [chunk for chunk in chunks if wanted is None or chunk.path_in_schema.split(".")[0] in wanted])
    size = max(sum(chunk.total_uncompressed_size for chunk in chunks), len(chunks) * 2 * max(metadata.num_rows, 1))
    rows = min(max(BYTES * max(metadata.num_rows, 1) // max(size, 1), 1), ROWS)
    if growing:
        rows = min(rows, max(LARGE // growing, 1))

    def batches() -> Iterator[pa.RecordBatch]:
        with opened(path, coded) as file:
            yield from file.iter_batches(rows, row_groups=[group], columns=wanted, use_threads=False)

    return wanted, batches()


def _checked(path: str, chunks: Sequence[Any]) -> int:
    """Look at the pages of some columns (see `toadstone.tables.claims.check_column`)."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        return max((check_column(handle, chunk) for chunk in chunks), default=0)
    finally:
        os.close(handle)


def metadata_of(path: str) -> tuple[pq.FileMetaData, pa.Schema]:
    """Read the footer.

    Raises:
        UsageError: It cannot be read.
    """
    if fatal([path]):
        reason = "a library that reads its footer is ended by it"
        raise UsageError(f"{path} cannot be read as Parquet: {reason}", "Write the file again, or restore it from its source.")
    try:
        with opened(path) as file:
            return file.metadata, file.schema_arrow
    except FAILURES as error:
        raise UsageError(
            f"{path} cannot be read as Parquet: {first_line(error)}", "Write the file again, or restore it from its source."
        ) from None


def open_parquet(path: str, first: int = 0) -> Dataset:
    """Open one file.

    Args:
        path: Of the file.
        first: Number of the first fragment.
    """
    metadata, schema = metadata_of(path)
    plain_one, doubled = plain_schema(schema)
    size = Path(path).stat().st_size
    troubles = [Trouble(first, f"{path}: {doubled}; the later ones were renamed")] if doubled else []
    if metadata.num_rows > PLAUSIBLE + EACH * size or metadata.num_rows < 0:
        reason = f"{path} claims {metadata.num_rows:,} rows in {size:,} bytes; it was not read"
        return Dataset(path, "parquet", plain_one, (), (*troubles, Trouble(first, reason)))
    fragments: list[Fragment] = []
    pending: list[int] = []
    weight, rows = 0, 0
    least = max(metadata.num_row_groups // _FRAGMENTS, 1)
    for group in range(metadata.num_row_groups):
        found = metadata.row_group(group)
        pending.append(group)
        weight += max(found.total_byte_size, 0)
        rows += max(found.num_rows, 0)
        if (weight >= SPAN or rows >= 16 * ROWS) and len(pending) >= least:
            fragments.append(RowGroups(first + len(fragments), path, tuple(pending), plain_one, rows, weight))
            pending, weight, rows = [], 0, 0
    if pending:
        fragments.append(RowGroups(first + len(fragments), path, tuple(pending), plain_one, rows, weight))
    return Dataset(path, "parquet", plain_one, tuple(fragments), tuple(troubles))
