"""Tables: Parquet, Arrow files and streams, Feather version 1. Rows are the business of the data checks.

Sources: Apache Parquet format ("File format"), Apache Arrow columnar format ("IPC streaming and file format").
Both are read from their last bytes, so a file with anything behind its end mark is not readable as a table.
"""

from __future__ import annotations

import struct

from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.plain.measure import FormatError, measured
from toadstone.readers.reader import Source


def parquet_end(cursor: Cursor, _source: Source) -> int:
    """Check the end mark and that the footer fits."""
    return _framed(cursor, (b"PAR1", b"PARE"), 4)


def arrow_file_end(cursor: Cursor, _source: Source) -> int:
    """Check the end mark and that the footer fits."""
    return _framed(cursor, (b"ARROW1",), 8)


def feather_end(cursor: Cursor, _source: Source) -> int:
    """Check the end mark and that the metadata fits."""
    return _framed(cursor, (b"FEA1",), 4)


def _framed(cursor: Cursor, marks: tuple[bytes, ...], front: int) -> int:
    mark = marks[0]
    tail = cursor.blob.read(cursor.stop - len(mark) - 4, len(mark) + 4)
    if tail[4:] not in marks:
        cursor.skip(front)
        raise FormatError("the end mark is missing")
    size = int.from_bytes(tail[:4], "little")
    if size + front + len(tail) > cursor.stop or not size:
        raise FormatError(f"a footer of {size:,} bytes")
    return cursor.stop


def arrow_stream_end(cursor: Cursor, source: Source) -> int:
    """Walk the messages of an Arrow stream, metadata and body."""
    while cursor.left >= 8:
        mark, size = cursor.unpack(struct.Struct("<Ii"))
        if mark != 0xFFFF_FFFF:
            cursor.position -= 8
            return cursor.position
        if size == 0:
            return cursor.position
        start = cursor.position
        body = _body_length(cursor, start, start + size)
        source.budget.spend_steps(1)
        cursor.position = start
        cursor.skip(size + body)
    return cursor.position


def _body_length(cursor: Cursor, start: int, stop: int) -> int:
    """Read ``Message.bodyLength`` (the fourth field) out of the flatbuffer."""
    if stop - start < 8 or stop > cursor.stop:
        raise ShortError(start)
    root = start + _number(cursor, start, "<I")
    table = root - _number(cursor, root, "<i")
    if not start <= table <= stop - 12 or not start <= root < stop:
        raise FormatError("no message")
    if _number(cursor, table, "<H") < 12:
        return 0
    field = _number(cursor, table + 10, "<H")
    body = _number(cursor, root + field, "<q") if field else 0
    if body < 0 or root + field + 8 > stop + 8:
        raise FormatError("no message")
    return body


def _number(cursor: Cursor, at: int, code: str) -> int:
    if not 0 <= at <= cursor.stop:
        raise FormatError("an offset outside the message")
    cursor.position = at
    return cursor.unpack(struct.Struct(code))[0]


def _is_arrow_stream(source: Source) -> bool:
    """Whether a schema message begins here: mark, a short length, a flatbuffer whose root lies inside."""
    head = source.head(32)
    size = int.from_bytes(head[4:8], "little")
    root = int.from_bytes(head[8:12], "little")
    return head.startswith(b"\xff\xff\xff\xff") and size % 8 == 0 and 16 <= size < 1 << 26 and 4 <= root < size


READERS = (
    measured("parquet", parquet_end, heads=(b"PAR1", b"PARE")),
    measured("arrow", arrow_file_end, heads=(b"ARROW1\0\0",)),
    measured("feather", feather_end, heads=(b"FEA1",)),
    measured("arrow-stream", arrow_stream_end, marks=((0, b"\xff\xff\xff\xff"),), claims=_is_arrow_stream),
)
