"""The three encodings of R's serialization: big-endian, the machine's own, and text."""

from __future__ import annotations

import re
import struct

from toadstone.readers.cursor import Cursor, ShortError

MISSING = -(1 << 31)


class RError(ValueError):
    """The bytes are no serialized object from here on.

    Attributes:
        kind: Of the `Anomaly`, if no broken download explains it.
    """

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class Binary:
    """Numbers as they lie in memory, in one byte order.

    Args:
        cursor: Behind the mark of the encoding.
        order: ``>`` or ``<``.
    """

    def __init__(self, cursor: Cursor, order: str) -> None:
        self.cursor = cursor
        self._integer = struct.Struct(f"{order}i")

    def integer(self) -> int:
        """Read one integer."""
        return self.cursor.unpack(self._integer)[0]

    def text(self, size: int, limit: int) -> bytes:
        """Move over a string; give up to ``limit`` bytes of it."""
        head = self.cursor.blob.read(self.cursor.position, min(size, limit)) if size > limit else self.cursor.take(size)
        if size > limit:
            self.cursor.skip(size)
        return head

    def numbers(self, count: int, width: int) -> None:
        """Move over numbers."""
        self.cursor.skip(count * width)

    def raw(self, count: int) -> tuple[int, int]:
        """Move over bytes; give where they are and how many."""
        start = self.cursor.position
        self.cursor.skip(count)
        return start, count


_WORD = re.compile(rb"\s*+([^\s]{1,64})")
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|([\s\S]))")
_LETTERS = {b"n": b"\n", b"t": b"\t", b"v": b"\v", b"b": b"\b", b"r": b"\r", b"f": b"\f", b"a": b"\a"}


class Text:
    """Words between blanks; strings with escapes, their length in decoded bytes.

    Args:
        cursor: Behind the mark of the encoding.
    """

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor

    def _word(self) -> bytes:
        buffer, start = self.cursor.buffered(min(80, self.cursor.left) or 1)
        found = _WORD.match(buffer, start)
        if found is None:
            raise RError("text that is no number")
        self.cursor.skip(found.end() - start)
        return found[1]

    def integer(self) -> int:
        """Read one integer."""
        word = self._word()
        if word == b"NA":
            return MISSING
        if not re.fullmatch(rb"-?\d{1,10}", word):
            raise RError("text that is no number")
        return int(word)

    def text(self, size: int, limit: int) -> bytes:
        """Move over a string; give up to ``limit`` bytes of it."""
        self.cursor.skip(1)  # one line end stands before it
        kept = bytearray()
        left = size
        while left:
            buffer, start = self.cursor.buffered(min(4 * left, 4096, self.cursor.left) or 1)
            piece = buffer[start : start + min(4 * left, 1 << 16)]
            mark = piece.find(b"\\")
            plain = min(left, len(piece) if mark < 0 else mark)
            if plain:
                kept += piece[: max(min(plain, limit - len(kept)), 0)]
                self.cursor.skip(plain)
                left -= plain
                continue
            found = _ESCAPE.match(piece)
            if found is None:
                raise ShortError(self.cursor.position)
            kept += bytes([int(found[1], 8) & 0xFF]) if found[1] else _LETTERS.get(found[2], found[2])
            self.cursor.skip(found.end())
            left -= 1
        return bytes(kept[:limit])

    def numbers(self, count: int, width: int) -> None:
        """Move over numbers; complex ones are two words."""
        words = 2 * count if width == 16 else count
        if words > self.cursor.left:
            raise ShortError(self.cursor.position)
        for _ in range(words):
            self._word()

    def raw(self, count: int) -> tuple[int, int]:
        """Move over bytes, each of them a word."""
        start = self.cursor.position
        self.numbers(count, 1)
        return start, 0
