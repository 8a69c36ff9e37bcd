r"""Text files as records: bytes between line ends, exactly as they stand in the file.

Nothing is decoded before it is cut, so that a record can be copied byte for byte, whatever its encoding. Line ends are ``\n``
(with or without ``\r`` before it), or ``\r`` in a file that has no other in its first 64 KiB.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from toadstone.tables.allowance import counted
from toadstone.tables.sound import decoded

BLOCK = 1 << 20
LONGEST = 128 << 20
"""Bytes of one record; a longer one is cut, and its parts are records that are broken."""
GZIP = b"\x1f\x8b"

UNREADABLE = (OSError, EOFError, zlib.error)
"""What reading a damaged file raises."""

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


@dataclass(frozen=True)
class TextFile:
    """A text file and how to cut it.

    Attributes:
        path: Of the file.
        packed: Whether it is gzip: places are then those in the unpacked stream.
        encoding: ``utf-8``, ``utf-16-le`` or ``utf-16-be``.
        mark: Bytes of the byte order mark at its beginning.
        newline: The character that ends a line.
        allowed: Bytes of the file when what unpacks is bounded by them (see `toadstone.tables.allowance`); 0: it is not.
    """

    path: str
    packed: bool = False
    encoding: str = "utf-8"
    mark: int = 0
    newline: str = "\n"
    allowed: int = 0

    @property
    def wide(self) -> bool:
        """Whether a character takes two bytes."""
        return self.encoding != "utf-8"

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the file, unpacked, at its beginning."""
        with Path(self.path).open("rb", buffering=0) as raw:
            if self.packed:
                with gzip.GzipFile(fileobj=raw, mode="rb") as stream:
                    unpacked = cast("BinaryIO", stream)
                    yield counted(unpacked, self.allowed) if self.allowed else unpacked
            else:
                yield raw

    def text(self, record: bytes) -> tuple[str, bool]:
        """Decode a record without its line end, and say whether it was not in the file's encoding.

        What is not UTF-8 counts as Latin-1, in which every byte is a character.
        """
        if self.wide:
            text = record.decode(self.encoding, "replace")
            strange = "\ufffd" in text and text.encode(self.encoding, "replace") != record
        else:
            text, strange = decoded(record)
        return text.rstrip("\r\n" if text.endswith("\n") else self.newline), strange


def described(path: str, *, bounded: bool = False) -> TextFile:
    """Look at the beginning of a text file.

    Args:
        path: Of the file.
        bounded: Whether what unpacks is bounded by the size of the file.

    Raises:
        OSError, EOFError, zlib.error: It cannot be read or unpacked.
    """
    with Path(path).open("rb") as handle:
        packed = handle.read(2) == GZIP
    with TextFile(path, packed).open() as stream:
        head = stream.read(1 << 16)
    mark, encoding = next(((len(mark), name) for mark, name in _MARKS if head.startswith(mark)), (0, ""))
    if not encoding:
        odd, even = head[1:4096:2].count(0), head[0:4096:2].count(0)
        half = max(len(head[:4096]) // 2, 1)
        encoding = "utf-16-le" if odd > half * 0.4 > even else "utf-16-be" if even > half * 0.4 > odd else "utf-8"
    text = head[mark:].decode(encoding, "replace")
    newline = "\r" if "\r" in text and "\n" not in text else "\n"
    return TextFile(path, packed, encoding, mark, newline, Path(path).stat().st_size if bounded else 0)


def lines(file: TextFile, start: int, stop: int | None = None) -> Iterator[list[bytes]]:
    """Give the lines between two places, each with its line end, in lists of about 1 MiB.

    Args:
        file: Where they are.
        start: The first byte.
        stop: The byte behind the last; None: the end of the file.

    Raises:
        OSError, EOFError, zlib.error: The rest cannot be read; all lines before have been given.
    """
    pending: list[bytes] = []
    size = 0
    blocks = _blocks(file, start, stop)
    while True:
        try:
            block = next(blocks, b"")
        except UNREADABLE:
            if pending:
                yield [b"".join(pending)]
            raise
        if not block:
            break
        whole, rest = _split(block, file)
        if whole:
            whole[0] = b"".join((*pending, whole[0]))
            pending, size = [], 0
            yield whole
        if rest:
            pending.append(rest)
            size += len(rest)
        if size > LONGEST:
            yield [b"".join(pending)]
            pending, size = [], 0
    if pending:
        yield [b"".join(pending)]


def _blocks(file: TextFile, start: int, stop: int | None) -> Iterator[bytes]:
    """Give the bytes between two places, about 1 MiB at a time, never half a character of two bytes."""
    with file.open() as stream:
        stream.seek(start)
        left = stop - start if stop is not None else None
        while left is None or left > 0:
            block = stream.read(BLOCK if left is None else min(BLOCK, left))
            if file.wide and len(block) % 2:
                block += stream.read(1)
            if not block:
                return
            left = None if left is None else left - len(block)
            yield block


def _split(block: bytes, file: TextFile) -> tuple[list[bytes], bytes]:
    """Split a block behind its line ends: complete lines, and what follows the last."""
    if not file.wide:
        end = file.newline.encode()
        parts = block.split(end)
        rest = parts.pop()
        return [part + end for part in parts], rest
    units = np.frombuffer(block[: len(block) // 2 * 2], "<u2" if file.encoding == "utf-16-le" else ">u2")
    ends = [0, *((np.flatnonzero(units == ord(file.newline)) + 1) * 2).tolist()]
    return [block[begin:end] for begin, end in pairwise(ends)], block[ends[-1] :]


_CLOSING = re.compile(r'(?:[^"]++|"")*+"')


def still_open(text: str, delimiter: str, inside: bool) -> bool:
    """Say whether a line ends within a quoted field (RFC 4180: a field that begins with a quote ends with one).

    Args:
        text: The line.
        delimiter: Between fields.
        inside: Whether the line begins within a quoted field.
    """
    place = 0
    while True:
        if inside:
            closing = _CLOSING.match(text, place)
            if closing is None:
                return True
            place = closing.end()
        elif text[place : place + 1] == '"':
            inside, place = True, place + 1
            continue
        found = text.find(delimiter + '"', place)
        if found < 0:
            return False
        inside, place = True, found + 2


def quoted_records(file: TextFile, start: int, stop: int | None, delimiter: str, unquoted: int | None) -> Iterator[list[bytes]]:
    """Give the records of a table of text, in which a line end within quotes does not end the record.

    Args:
        file: Where they are.
        start: The first byte, where a record begins.
        stop: The byte behind the last; None: the end of the file.
        delimiter: Between fields.
        unquoted: Place from which every line is a record (see `OpenQuoteError`).

    Raises:
        OpenQuoteError: A quote is never closed.
    """
    place = start
    pending: list[bytes] = []
    size = 0
    for group in lines(file, start, stop):
        if not pending and b'"' not in b"".join(group):
            place += sum(map(len, group))
            yield group
            continue
        out: list[bytes] = []
        for line in group:
            free = unquoted is not None and place >= unquoted
            place += len(line)
            if not pending and (free or b'"' not in line):
                out.append(line)
                continue
            is_open = b'"' not in line or still_open(_loose(line, file), delimiter, bool(pending))
            pending.append(line)
            size += len(line)
            if not is_open:
                out.append(b"".join(pending))
                pending, size = [], 0
            elif size > LONGEST:
                break
        if out:
            yield out
        if size > LONGEST:
            break
    if pending:
        raise OpenQuoteError(place - size)


class OpenQuoteError(ValueError):
    """A quoted field is never closed.

    Args:
        place: Where its record begins; from there on every line has to count as a record.
    """

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place


def _loose(line: bytes, file: TextFile) -> str:
    return line.decode(file.encoding, "replace") if file.wide else line.decode("latin-1")


def fields_of(text: str, delimiter: str) -> list[str | None]:
    """Split a record into fields; one that is empty and not quoted is None."""
    if '"' not in text:
        return [field or None for field in text.split(delimiter)]
    return [_value(text[begin:end]) for begin, end in field_spans(text, delimiter)]


def field_spans(text: str, delimiter: str) -> list[tuple[int, int]]:
    """Give where each field of a record begins and ends, quotes included."""
    spans = []
    begin = 0
    while True:
        place = begin
        if text[begin : begin + 1] == '"':
            closing = _CLOSING.match(text, begin + 1)
            place = closing.end() if closing else len(text)
        end = text.find(delimiter, place)
        if end < 0:
            spans.append((begin, len(text)))
            return spans
        spans.append((begin, end))
        begin = end + 1


def misquoted(text: str, delimiter: str) -> bool:
    """Whether something other than a delimiter follows a closing quote."""
    for begin, end in field_spans(text, delimiter):
        closing = _CLOSING.match(text, begin + 1) if text[begin : begin + 1] == '"' else None
        if closing is not None and closing.end() != end:
            return True
    return False


def _value(field: str) -> str | None:
    if not field:
        return None
    if field[0] != '"':
        return field
    closing = _CLOSING.match(field, 1)
    if closing is None:
        return field[1:].replace('""', '"')
    return field[1 : closing.end() - 1].replace('""', '"') + field[closing.end() :]
