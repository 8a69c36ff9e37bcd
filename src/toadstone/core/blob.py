"""Bytes at any offset, in bounded memory: files, parts of files, unpacked members."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import BinaryIO

CHUNK = 1 << 20
"""Bytes that are held at once when content is streamed."""

SMALL = 1 << 20
"""Files up to this size are read once, so that what is hashed is exactly what is scanned."""

_SPOOL = 4 << 20
_RUN = 64 << 10
"""Bytes of one value from which a piece is kept as a run."""

_COPIED = 1 << 14
"""Parts of bytes in memory that are copied; larger ones refer to the whole, so that many of them cost nothing."""


class BlobError(Exception):
    """The bytes cannot be had (any more); what was asked for stays unread (rule: unread is never clean)."""


class Blob:
    """Read-only bytes with random access. Reading past the end gives fewer bytes, never an error."""

    size: int

    def read(self, offset: int, size: int) -> bytes:
        """Give up to ``size`` bytes from ``offset``; fewer at the end, none outside."""
        raise NotImplementedError

    def window(self, offset: int, size: int) -> Blob:
        """Give a part as a blob of its own; it is cut where this one ends."""
        offset = min(max(offset, 0), self.size)
        return Window(self, offset, min(max(size, 0), self.size - offset))

    def chunks(self, offset: int = 0, size: int | None = None, step: int = CHUNK) -> Iterator[bytes]:
        """Stream ``size`` bytes (by default all) from ``offset`` in pieces of ``step``."""
        end = self.size if size is None else min(self.size, offset + size)
        while offset < end:
            piece = self.read(offset, min(step, end - offset))
            if not piece:
                return
            yield piece
            offset += len(piece)

    def expect(self, spans: Iterable[tuple[int, int]]) -> None:
        """Take note that these ``(offset, size)`` will all be read: where each read costs a journey, they are made together."""

    def close(self) -> None:
        """Release what the blob holds."""


class BytesBlob(Blob):
    """Bytes that are in memory already."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read(self, offset: int, size: int) -> bytes:
        if offset < 0 or size <= 0:
            return b""
        return self.data[offset : offset + size]

    def window(self, offset: int, size: int) -> Blob:
        offset = min(max(offset, 0), self.size)
        size = min(max(size, 0), self.size - offset)
        return BytesBlob(self.read(offset, size)) if size <= _COPIED else Window(self, offset, size)


class FileBlob(Blob):
    """An open file, read by position so that nobody's file pointer moves."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._descriptor = stream.fileno()
        self.size = os.fstat(self._descriptor).st_size

    def read(self, offset: int, size: int) -> bytes:
        if offset < 0 or size <= 0:
            return b""
        data = os.pread(self._descriptor, min(size, max(self.size - offset, 0)), offset)
        if len(data) < size and offset + len(data) < self.size:  # a signal or a pipe-like file system cut it short
            parts = [data]
            got = len(data)
            while got < size and (piece := os.pread(self._descriptor, min(size - got, self.size - offset - got), offset + got)):
                parts.append(piece)
                got += len(piece)
            data = b"".join(parts)
        return data

    def close(self) -> None:
        self._stream.close()


class Window(Blob):
    """A part of another blob."""

    def __init__(self, parent: Blob, offset: int, size: int) -> None:
        self._parent = parent
        self._offset = offset
        self.size = size

    def read(self, offset: int, size: int) -> bytes:
        if offset < 0:
            return b""
        return self._parent.read(self._offset + offset, min(size, self.size - offset))

    def window(self, offset: int, size: int) -> Blob:
        offset = min(max(offset, 0), self.size)
        return self._parent.window(self._offset + offset, min(max(size, 0), self.size - offset))

    def expect(self, spans: Iterable[tuple[int, int]]) -> None:
        inside = ((max(offset, 0), min(size, self.size - offset)) for offset, size in spans if offset < self.size)
        self._parent.expect((self._offset + offset, size) for offset, size in inside)


class SpooledBlob(Blob):
    """Unpacked content: in memory while small, in an unnamed temporary file otherwise.

    A long run of one byte (a bomb, an embedding of zeros) is kept as that byte and its length.

    Args:
        pieces: The content, streamed. Consumed at once.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        import tempfile  # noqa: PLC0415  (only for unpacked content)
        from contextlib import ExitStack  # noqa: PLC0415

        self._spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115  (lives as long as the blob)
        self._starts: list[int] = []
        self._parts: list[tuple[int, bytes]] = []
        self.size = 0
        written = 0
        with ExitStack() as failing:
            failing.callback(self._spool.close)
            for piece in pieces:
                run = piece[:1] if len(piece) >= _RUN and _is_run(piece) else b""
                if not self._parts or self._parts[-1][1] != run:
                    self._starts.append(self.size)
                    self._parts.append((written, run))
                if not run:
                    written += self._spool.write(piece)
                self.size += len(piece)
            failing.pop_all()

    def read(self, offset: int, size: int) -> bytes:
        if offset < 0 or size <= 0 or offset >= self.size:
            return b""
        stop = min(offset + size, self.size)
        number = bisect_right(self._starts, offset) - 1
        found: list[bytes] = []
        while offset < stop:
            start = self._starts[number]
            number += 1
            end = min(self._starts[number] if number < len(self._starts) else self.size, stop)
            place, run = self._parts[number - 1]
            if run:
                found.append(run * (end - offset))
            else:
                self._spool.seek(place + offset - start)
                found.append(self._spool.read(end - offset))
            offset = end
        return found[0] if len(found) == 1 else b"".join(found)

    def close(self) -> None:
        self._spool.close()


def _is_run(piece: bytes) -> bool:
    return piece[0] == piece[-1] == piece[len(piece) // 2] and piece == piece[:1] * len(piece)


class JoinedBlob(Blob):
    """Several blobs one after the other, without copying them."""

    def __init__(self, parts: list[Blob]) -> None:
        self._parts = [part for part in parts if part.size]
        self.size = sum(part.size for part in self._parts)

    def read(self, offset: int, size: int) -> bytes:
        if offset < 0 or size <= 0:
            return b""
        found: list[bytes] = []
        for part in self._parts:
            if offset < part.size:
                piece = part.read(offset, size)
                found.append(piece)
                size -= len(piece)
                offset = 0
                if size <= 0:
                    break
            else:
                offset -= part.size
        return b"".join(found)


def open_blob(path: str | os.PathLike[str]) -> Blob:
    """Open a regular file.

    Raises:
        OSError: If it cannot be opened.
    """
    stream = open(path, "rb", buffering=0)  # noqa: SIM115  (the blob closes it)
    blob = FileBlob(stream)
    if blob.size > SMALL:
        return blob
    with stream:
        return BytesBlob(blob.read(0, blob.size))
