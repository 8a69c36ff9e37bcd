"""Arrow's own files: the file format with its index of batches, and the stream.

Source: https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc

from toadstone.core.errors import UsageError
from toadstone.tables.claims import blocks_of, check_block, check_message, rows_of
from toadstone.tables.dataset import Dataset, Fragment, Trouble, bare
from toadstone.tables.sound import FAILURES, first_line, plain_schema, sound

MAGIC = b"ARROW1"
STREAM = b"\xff\xff\xff\xff"

_BATCHES = 64
"""Batches of a file that make one fragment."""


@dataclass(frozen=True)
class IpcBatches(Fragment):
    """Consecutive batches of a file, or a whole stream.

    Attributes:
        path: Of the file.
        start: Number of the first batch; -1: a stream, all of it.
        stop: Number of the batch behind the last.
        schema: Of the rows as they are given.
    """

    number: int
    path: str
    start: int
    stop: int
    schema: pa.Schema

    def claims(self) -> tuple[int, int]:
        """Give what the messages say of rows; a column without values takes no room at all."""
        rows = sum(rows_claimed(self.path, self.start, self.stop))
        width = sum(field.type.bit_width if pa.types.is_primitive(field.type) else 32 for field in self.schema)
        return rows, rows * width // 8

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch | Trouble]:
        """Give the batches; what is damaged ends a stream, in a file only its batch."""
        if columns is not None and not len(columns) and self.schema.names:
            yield from bare(self.batches(self.schema.names[:1]))
            return
        row = 0
        for batch in raw_batches(self.path, self.start, self.stop):
            if isinstance(batch, str):
                yield Trouble(self.number, f"{Path(self.path).name}: {batch}", row)
                continue
            try:
                kept = batch if columns is None else _selected(batch, self.schema, columns)
                parts = self.schema if columns is None else pa.schema([self.schema.field(name) for name in columns])
                for piece, reasons in sound(kept, parts):
                    yield from (Trouble(self.number, f"{Path(self.path).name}: {reason}", row) for reason in reasons)
                    yield piece
                    row += piece.num_rows
            except FAILURES as error:
                yield Trouble(self.number, f"{Path(self.path).name}: a damaged batch was not read: {first_line(error)}", row)


def _selected(batch: pa.RecordBatch, schema: pa.Schema, columns: Sequence[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([batch.column(schema.get_field_index(name)) for name in columns], names=list(columns))


def raw_batches(path: str, start: int = -1, stop: int = 0) -> Iterator[pa.RecordBatch | str]:
    """Give batches as they are in the file, unchecked; a sentence where one cannot be read."""
    try:
        with ExitStack() as stack:
            handle = stack.enter_context(pa.memory_map(path))  # a batch may be the whole file: its pages come and go
            if start < 0:
                _check_stream(handle)
                yield from pa.ipc.open_stream(handle)
                return
            raw = stack.enter_context(Path(path).open("rb", buffering=0)).fileno()
            size = os.fstat(raw).st_size
            dictionaries, blocks = blocks_of(raw, size)
            for block in dictionaries:
                check_block(raw, size, block)
            reader = pa.ipc.open_file(handle)
            for index in range(start, stop):
                try:
                    check_block(raw, size, blocks[index])
                    batch = reader.get_batch(index)
                except FAILURES as error:
                    yield f"batch {index} is damaged and was not read: {first_line(error)}"
                    continue
                yield batch
    except FAILURES as error:
        yield f"the rest of the file is damaged and was not read: {first_line(error)}"


def rows_claimed(path: str, start: int, stop: int) -> Iterator[int]:
    """Give how many rows each batch says it has, as far as the messages can be read; arguments as of `raw_batches`."""
    with suppress(StopIteration, *FAILURES), ExitStack() as stack:  # what is damaged is told when the batches are read
        if start < 0:
            messages = pa.ipc.MessageReader.open_stream(stack.enter_context(pa.memory_map(path)))
            while True:
                yield rows_of(messages.read_next_message().metadata.to_pybytes())
        raw = stack.enter_context(Path(path).open("rb", buffering=0)).fileno()
        for offset, size, _ in blocks_of(raw, os.fstat(raw).st_size)[1][start:stop]:
            message = os.pread(raw, size, offset)
            yield rows_of(message[8 if message[:4] == STREAM else 4 :])


def _check_stream(handle: pa.MemoryMappedFile) -> None:
    """Look at all messages of a stream, and go back to its beginning.

    Raises:
        ValueError: One claims what cannot be.
    """
    with suppress(StopIteration, pa.ArrowException, OSError):  # a damaged message is told when the batches are read
        messages = pa.ipc.MessageReader.open_stream(handle)
        while True:
            message = messages.read_next_message()
            check_message(message.metadata.to_pybytes(), memoryview(message.body) if message.body is not None else b"")
    handle.seek(0)


def open_ipc(path: str, first: int = 0, *, kind: str = "arrow") -> Dataset:
    """Open a file of either format.

    Args:
        path: Of the file.
        first: Number of the first fragment.
        kind: What the data set is called.

    Raises:
        UsageError: There is no readable schema in it.
    """
    schema, count = header_of(path)
    plain_one, doubled = plain_schema(schema)
    troubles = (Trouble(first, f"{path}: {doubled}; the later ones were renamed"),) if doubled else ()
    fragments: tuple[Fragment, ...]
    if count < 0:
        fragments = (IpcBatches(first, path, -1, 0, plain_one),)
    else:
        step = max(_BATCHES, count // 1024 + 1)
        starts = range(0, count, step)
        fragments = tuple(
            IpcBatches(first + index, path, start, min(start + step, count), plain_one) for index, start in enumerate(starts)
        )
    return Dataset(path, kind, plain_one, fragments, troubles)


def header_of(path: str) -> tuple[pa.Schema, int]:
    """Read the schema and the number of batches; -1 for a stream.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        with pa.OSFile(path) as handle:
            if handle.read(len(MAGIC)) != MAGIC:
                handle.seek(0)
                return pa.ipc.open_stream(handle).schema, -1
            handle.seek(0)
            reader = pa.ipc.open_file(handle)
            return reader.schema, reader.num_record_batches
    except FAILURES as error:
        raise UsageError(
            f"{path} cannot be read as Arrow data: {first_line(error)}", "Write the file again, or restore it from its source."
        ) from None
