"""A bounded window that moves over a stream of opcodes."""

from __future__ import annotations

from toadstone.core.blob import Blob
from toadstone.readers.pickle.opcodes import MARGIN

WINDOW = 1 << 18
"""Bytes of the stream that are in memory at once."""

_FIRST = 1 << 12
"""Bytes of the first window: most streams that are tried are short or no streams at all."""

LONGEST_LINE = 1 << 24
"""Of longer lines the rest is not kept (names and numbers are not that long, and of texts the head is enough)."""


class Tape:
    """Gives windows of a blob, so that opcode loops index plain ``bytes``.

    Attributes:
        buffer: The window.
        base: Offset of the window in the blob.
        filled: Bytes of the window that are content; behind the end of the stream a few zeros follow, so that reading
            an opcode's fixed part needs no check (the loop notices right after that it has passed the end).
        limit: Index in the window up to which an opcode may begin so that its fixed part is inside the window.
    """

    def __init__(self, blob: Blob, stop: int | None = None) -> None:
        self.blob = blob
        self.size = blob.size if stop is None else min(stop, blob.size)
        self.buffer = b""
        self.base = 0
        self.filled = 0
        self.limit = 0
        self.width = _FIRST

    def load(self, offset: int) -> bool:
        """Move the window to ``offset``; false at the end of the blob."""
        self.base = offset
        self.buffer = self.blob.read(offset, min(self.width, self.size - offset)) if offset < self.size else b""
        self.width = min(4 * self.width, WINDOW)
        self.filled = len(self.buffer)
        last = offset + self.filled >= self.size
        self.limit = self.filled if last else max(self.filled - MARGIN, 0)
        if last:
            self.buffer += bytes(MARGIN)
        return self.limit > 0

    def take(self, offset: int, size: int) -> bytes:
        """Give ``size`` bytes at an offset of the blob, from the window when they are there; fewer past the end."""
        start = offset - self.base
        if start >= 0 and start + size <= self.filled:
            return self.buffer[start : start + size]
        return self.blob.read(offset, min(size, max(self.size - offset, 0)))

    def line(self, offset: int) -> tuple[bytes, int] | None:
        """Give the line at ``offset`` without its newline, and the offset behind the newline; None if it never ends."""
        start = offset - self.base
        if 0 <= start <= self.filled:
            found = self.buffer.find(b"\n", start, self.filled)
            if found >= 0:
                return self.buffer[start:found], self.base + found + 1
        parts: list[bytes] = []
        position = offset
        while position < self.size:
            piece = self.blob.read(position, min(1 << 16, self.size - position))
            if not piece:
                return None
            cut = piece.find(b"\n")
            if position - offset < LONGEST_LINE:
                parts.append(piece if cut < 0 else piece[:cut])
            if cut >= 0:
                return b"".join(parts), position + cut + 1
            position += len(piece)
        return None
