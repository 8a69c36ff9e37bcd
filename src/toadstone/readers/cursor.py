"""Reading forward through a blob: buffered, bounded, and loud about what is not there."""

from __future__ import annotations

import struct

from toadstone.core.blob import Blob

_STEP = 1 << 16
_JUMPED = 1 << 12
"""Bytes fetched behind a jump: what comes next is often another jump, and each byte may have to come over a network."""


class ShortError(Exception):
    """The structure asks for more bytes than there are.

    Attributes:
        offset: Where the missing piece should have begun.
    """

    def __init__(self, offset: int) -> None:
        super().__init__(f"cut short at byte {offset:,}")
        self.offset = offset


class Cursor:
    """A position in a blob that only moves by what is really there.

    Args:
        blob: What is read.
        position: Offset of the first byte.
        stop: Offset at which the cursor's world ends; by default the blob's size.
        step: Most bytes that are fetched at once.
    """

    __slots__ = ("_base", "_buffer", "_now", "_step", "blob", "position", "stop")

    def __init__(self, blob: Blob, position: int = 0, stop: int | None = None, step: int = _STEP) -> None:
        self.blob = blob
        self.position = position
        self.stop = blob.size if stop is None else min(stop, blob.size)
        self._step = self._now = step
        self._buffer = b""
        self._base = 0

    @property
    def left(self) -> int:
        """Bytes before the stop."""
        return self.stop - self.position

    def buffered(self, size: int) -> tuple[bytes, int]:
        """Give a buffer and the index in it at which at least ``size`` bytes lie; the position stays.

        Raises:
            ShortError: If there are fewer.
        """
        start = self.position - self._base
        if start < 0 or start + size > len(self._buffer):
            if size > self.stop - self.position:
                raise ShortError(self.position)
            jumped = start > len(self._buffer) > 0
            self._now = min(_JUMPED if jumped else 4 * self._now, self._step)
            self._buffer = self.blob.read(self.position, min(max(size, self._now), self.stop - self.position))
            self._base = self.position
            start = 0
            if len(self._buffer) < size:  # the file shrank while it was read
                raise ShortError(self.position)
        return self._buffer, start

    def take(self, size: int) -> bytes:
        """Read ``size`` bytes; callers bound ``size`` before they hold it in memory.

        Raises:
            ShortError: If there are fewer.
        """
        buffer, start = self.buffered(size)
        self.position += size
        return buffer[start : start + size]

    def skip(self, size: int) -> None:
        """Move on without reading.

        Raises:
            ShortError: If there are fewer bytes.
        """
        if size < 0 or size > self.stop - self.position:
            raise ShortError(self.position)
        self.position += size

    def unpack(self, layout: struct.Struct) -> tuple[int, ...]:
        """Read one fixed layout.

        Raises:
            ShortError: If there are fewer bytes.
        """
        buffer, start = self.buffered(layout.size)
        self.position += layout.size
        return layout.unpack_from(buffer, start)
