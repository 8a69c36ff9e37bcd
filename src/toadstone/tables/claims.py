"""What a file says that it unpacks to, looked at before a library believes it.

Parquet and Arrow files are unpacked a page or a buffer at a time, whole, into memory that is taken first; and one row of a
nested column may have any number of entries that take no room in the file. So the headers are read here, and what claims more
than its bytes can honestly hold is not read.

Sources: https://github.com/apache/parquet-format (parquet.thrift, Encryption.md apart), the compact protocol of Apache Thrift,
and https://arrow.apache.org/docs/format/Columnar.html (Message.fbs, File.fbs).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LARGE = 64 << 20
"""Bytes that a page or a batch may unpack to, whatever it is packed in."""
RATIO = 50
"""Times its size that a larger one may unpack to: prose packs to a fifth, repetitive logs to a thirtieth."""
PLAUSIBLE = 1 << 24
"""Rows or values that may be claimed in nearly no bytes: runs of one value take none."""
EACH = 512
"""Further ones for each byte."""

_HEADER = 1 << 20
_DEPTH = 16
_ENTRIES = 1000
_DELTA_STRINGS = 7
"""Encoding in which a value repeats the beginning of the one before: it may be as long as its page and take no room."""


def check_size(what: str, packed: int, unpacked: int) -> None:
    """Refuse what unpacks to far more than it is.

    Raises:
        ValueError: It does.
    """
    if unpacked > LARGE and unpacked > RATIO * packed:
        raise ValueError(f"{what} would unpack {packed:,} bytes to {unpacked:,}")


def check_count(what: str, size: int, count: int) -> None:
    """Refuse more values than bytes can stand for.

    Raises:
        ValueError: There are more.
    """
    if not 0 <= count <= PLAUSIBLE + EACH * size:
        raise ValueError(f"{what} claims {count:,} values in {size:,} bytes")


def read_at(handle: int, size: int, place: int) -> bytes:
    """Read from a place in a file; where the system cannot (Windows), the handle is moved there.

    Args:
        handle: The open file, used by nobody else at the same time.
        size: Most bytes.
        place: Where they begin.

    Raises:
        OSError: The place is before the file, or the file cannot be read.
    """
    if hasattr(os, "pread"):
        return os.pread(handle, size, place)
    os.lseek(handle, place, os.SEEK_SET)
    return os.read(handle, size)


@dataclass(frozen=True)
class Page:
    """What the header of a page of Parquet says.

    Attributes:
        packed: Bytes in the file.
        unpacked: Bytes that it unpacks to.
        values: How many.
        encoding: Of the values.
        begin: Bytes of the header.
    """

    packed: int
    unpacked: int
    values: int
    encoding: int
    begin: int


def check_column(handle: int, chunk: Any) -> int:  # noqa: ANN401  (pyarrow.parquet.ColumnChunkMetaData)
    """Look at the headers of all pages of a column in a row group.

    Args:
        handle: The open file.
        chunk: What the footer says of it.

    Returns:
        Bytes of the largest page in which one value may be as long as the page and take no room; 0: there is none.

    Raises:
        ValueError: A page claims what cannot be, or its header cannot be read.
    """
    name = repr(chunk.path_in_schema)
    starts = [place for place in (chunk.data_page_offset, chunk.dictionary_page_offset) if place]
    place, stop = min(starts, default=0), min(starts, default=0) + chunk.total_compressed_size
    seen = growing = 0
    while place < stop and seen < chunk.num_values:
        page = page_at(handle, place)
        check_size(f"a page of column {name}", page.packed, page.unpacked)
        seen += page.values
        check_count(f"column {name}", chunk.total_compressed_size, seen)
        if page.encoding == _DELTA_STRINGS:
            growing = max(growing, page.unpacked)
        place += page.begin + page.packed
    return growing


def page_at(handle: int, place: int) -> Page:
    """Read the header of a page.

    Raises:
        ValueError: It is none.
    """
    size = 512
    while True:
        raw = read_at(handle, size, place)
        try:
            fields, begin = _struct(raw, 0, 0)
            break
        except IndexError:
            if len(raw) < size or size >= _HEADER:
                raise ValueError("the header of a page is cut short") from None
            size *= 8
    inner: dict[int, Any] = next((fields[number] for number in (5, 8) if isinstance(fields.get(number), dict)), {})
    packed, unpacked = fields.get(3), fields.get(2)
    values, encoding = inner.get(1, 0), inner.get(4 if 8 in fields else 2, 0)
    known = [number for number in (packed, unpacked, values, encoding) if isinstance(number, int) and 0 <= number < 1 << 31]
    if len(known) < 4:
        raise ValueError("the header of a page makes no sense")
    return Page(known[0], known[1], known[2], known[3], begin)


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("the header of a page has a number of too many bytes")


def _struct(raw: bytes, at: int, depth: int) -> tuple[dict[int, Any], int]:
    """Read a struct of Thrift's compact protocol: whole numbers and structs by their field, all else None."""
    if depth > _DEPTH:
        raise ValueError("the header of a page is nested too deeply")
    fields: dict[int, Any] = {}
    number = 0
    while raw[at]:
        head, at = raw[at], at + 1
        if head >> 4:
            number += head >> 4
        else:
            coded, at = _varint(raw, at)
            number = (coded >> 1) ^ -(coded & 1)
        fields[number], at = _value(raw, at, head & 15, depth)
    return fields, at + 1


def _value(raw: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind in (1, 2):  # true and false have no bytes of their own
        return None, at
    if kind == 3:
        return None, at + 1
    if kind in (4, 5, 6):
        coded, at = _varint(raw, at)
        return (coded >> 1) ^ -(coded & 1), at
    if kind == 7:
        return None, at + 8
    if kind == 8:
        size, at = _varint(raw, at)
        if at + size > len(raw):
            raise IndexError
        return None, at + size
    if kind == 12:
        return _struct(raw, at, depth + 1)
    if kind in (9, 10) and depth < _DEPTH:
        return None, _behind_list(raw, at, depth)
    raise ValueError("the header of a page has a field of a kind that none has")


def _behind_list(raw: bytes, at: int, depth: int) -> int:
    size, kind = raw[at] >> 4, raw[at] & 15
    at += 1
    if size == 15:
        size, at = _varint(raw, at)
    if size > _ENTRIES:
        raise ValueError("the header of a page has a list of too many entries")
    for _ in range(size):
        at = at + 1 if kind in (1, 2) else _value(raw, at, kind, depth + 1)[1]
    return at


class Flat:
    """A FlatBuffer, as far as the messages of Arrow need it.

    Args:
        raw: Its bytes.
        root: Place of the root's offset.
    """

    def __init__(self, raw: bytes, root: int = 0) -> None:
        self.raw = raw
        self.table = root + self._at("<I", root)

    def _at(self, code: str, place: int) -> int:
        if not 0 <= place <= len(self.raw) - struct.calcsize(code):
            raise ValueError("a message leads out of its bytes")
        return int(struct.unpack_from(code, self.raw, place)[0])

    def field(self, number: int) -> int:
        """Give the place of a field of the table, 0 when it is not there."""
        listed = self.table - self._at("<i", self.table)
        offset = self._at("<H", listed + 4 + 2 * number) if 4 + 2 * number < self._at("<H", listed) else 0
        return self.table + offset if offset else 0

    def number(self, number: int, code: str) -> int:
        """Give a number, 0 when it is not there."""
        place = self.field(number)
        return self._at(code, place) if place else 0

    def inner(self, number: int) -> Flat | None:
        """Give a table in a field."""
        place = self.field(number)
        return Flat(self.raw, place) if place else None

    def records(self, number: int, code: str) -> Iterator[tuple[int, ...]]:
        """Give the records of a vector in a field."""
        place = self.field(number)
        if not place:
            return
        begin = place + self._at("<I", place)
        count, size = self._at("<I", begin), struct.calcsize(code)
        if begin + 4 + count * size > len(self.raw):
            raise ValueError("a message leads out of its bytes")
        yield from struct.iter_unpack(code, self.raw[begin + 4 : begin + 4 + count * size])


def check_message(metadata: bytes, body: Any) -> None:  # noqa: ANN401  (a buffer, of memory or of a mapped file)
    """Look at a message of Arrow before its batch is made: rows, entries and what packed buffers unpack to.

    Args:
        metadata: Its FlatBuffer.
        body: What follows it.

    Raises:
        ValueError: It claims what cannot be.
    """
    message = Flat(metadata)
    batch = message.inner(2)
    kind = message.number(1, "<B")
    if kind == 2 and batch is not None:  # a dictionary holds a batch
        batch = batch.inner(1)
    if kind not in (2, 3) or batch is None:
        return
    size = len(body)
    check_count("a batch", size, batch.number(0, "<q"))
    for length, _ in batch.records(1, "<qq"):
        check_count("a column of a batch", size, length)
    if batch.field(3) == 0:
        return
    unpacked = 0
    for offset, length in batch.records(2, "<qq"):
        if length >= 8 and 0 <= offset <= size - 8:
            unpacked += max(struct.unpack("<q", bytes(body[offset : offset + 8]))[0], 0)
    check_size("a batch", size, unpacked)


def rows_of(metadata: bytes) -> int:
    """Give how many rows a message of Arrow says it has; 0 for what is no batch.

    Args:
        metadata: Its FlatBuffer.

    Raises:
        ValueError: It is none.
    """
    message = Flat(metadata)
    batch = message.inner(2) if message.number(1, "<B") == 3 else None
    return batch.number(0, "<q") if batch is not None else 0


def blocks_of(handle: int, size: int) -> list[list[tuple[int, int, int]]]:
    """Read where the dictionaries and the batches of an Arrow file are.

    Args:
        handle: The open file.
        size: Of the file.

    Returns:
        Of both: offset, bytes of metadata, bytes of body.

    Raises:
        ValueError: The footer cannot be read.
    """
    tail = read_at(handle, 10, max(size - 10, 0))
    length = struct.unpack("<i", tail[:4])[0] if len(tail) == 10 else -1
    if not 0 < length <= size - 10:
        raise ValueError("the footer cannot be read")
    footer = Flat(read_at(handle, length, size - 10 - length))
    return [[(offset, metadata, body) for offset, metadata, _, body in footer.records(field, "<qiiq")] for field in (2, 3)]


class Body:
    """What follows the FlatBuffer of a message in a file, read where it is looked at.

    Args:
        handle: The open file.
        offset: Where it begins.
        size: Bytes.
    """

    def __init__(self, handle: int, offset: int, size: int) -> None:
        self._handle = handle
        self._offset = offset
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        return read_at(self._handle, part.stop - part.start, self._offset + part.start)


def check_block(handle: int, size: int, block: tuple[int, int, int]) -> None:
    """Look at a message of an Arrow file before a library reads it.

    Args:
        handle: The open file.
        size: Of the file.
        block: Offset, bytes of metadata, bytes of body.

    Raises:
        ValueError: It claims what cannot be.
    """
    offset, metadata, body = block
    if min(offset, metadata, body) < 0 or offset + metadata + body > size:
        raise ValueError("a batch leads out of the file")
    raw = read_at(handle, metadata, offset)
    begin = 8 if raw[:4] == b"\xff\xff\xff\xff" else 4
    check_message(raw[begin:], Body(handle, offset + metadata, body))
