"""Word vectors and models of fastText, record by record."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from toadstone.core.fact import Fact, Setting
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.reader import Source
from toadstone.readers.word_vectors import HEADER

_WORD = 4096

_ARGUMENTS = struct.Struct("<12id")
_DICTIONARY = struct.Struct("<iiiqq")
_SHAPE = struct.Struct("<qq")
_LARGEST = 1 << 40


def read_word2vec(source: Source) -> Iterator[Fact]:
    """Move over the words and their vectors; whatever follows the last one stays unclaimed."""
    cursor = Cursor(source.blob, step=1 << 18)
    found = HEADER.match(source.head())
    if found is None:
        return
    words, width = int(found[1]), 4 * int(found[2])
    cursor.skip(found.end())
    try:
        for index in range(words):
            if not index % 1024:
                source.budget.spend_steps(1024)
            buffer, start = cursor.buffered(min(width + 2, cursor.left))
            end = buffer.find(b" ", start, start + _WORD)
            if end < 0:
                yield source.anomaly("malformed", f"word {index:,} of {words:,} has no end", cursor.position)
                yield source.unread("word2vec: a word without its end", cursor.position)
                break
            cursor.skip(end + 1 - start + width)
            if cursor.left and cursor.buffered(1)[0][cursor.buffered(1)[1]] == 0x0A:
                cursor.position += 1
    except ShortError as error:
        yield source.unread(f"word2vec: {error}", error.offset)
    source.coverage.inert(0, cursor.position)


class _Fasttext:
    """Follows one fastText model.

    Args:
        source: The file.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.cursor = Cursor(source.blob, 4)

    def number(self, code: str) -> int:
        return self.cursor.unpack(struct.Struct(f"<{code}"))[0]

    def read(self) -> Iterator[Fact]:
        version = self.number("i")
        if version not in (11, 12):
            yield self._source.unread(f"fasttext: version {version:,} is not known", 4)
            return
        self.cursor.unpack(_ARGUMENTS)
        yield from self._dictionary()
        quantised = self.number("?")
        yield from self._matrix(quantised)
        yield from self._matrix(bool(self.number("?")) and bool(quantised))

    def _dictionary(self) -> Iterator[Fact]:
        size, words, labels, _, pruned = self.cursor.unpack(_DICTIONARY)
        if size < 0 or words < 0 or labels < 0 or words + labels > size or pruned > _LARGEST:
            detail = f"a dictionary of {size:,} entries with {words:,} words, {labels:,} labels, {pruned:,} pruned"
            yield self._source.anomaly("index-bounds", detail, self.cursor.position)
        self._source.budget.spend_steps(max(size, 0))
        shown = 0
        for _ in range(max(size, 0)):
            text = self._word()
            self.cursor.skip(8)
            if self.number("b") and shown < 64:  # a label
                shown += 1
                yield Setting(self._source.place, "fasttext", "label", text.decode("utf-8", "replace")[:400])
        self.cursor.skip(8 * max(pruned, 0))

    def _word(self) -> bytes:
        buffer, start = self.cursor.buffered(1)
        end = buffer.find(b"\0", start)
        if end < 0:
            buffer, start = self.cursor.buffered(min(_WORD, self.cursor.left))
            end = buffer.find(b"\0", start)
        if end < 0:
            raise ShortError(self.cursor.position)
        self.cursor.skip(end + 1 - start)
        return buffer[start:end]

    def _matrix(self, quantised: bool | int) -> Iterator[Fact]:
        if not quantised:
            yield from self._span(4)
            return
        normed = self.number("?")
        rows, _ = self.cursor.unpack(_SHAPE)
        self.cursor.skip(self._natural(self.number("i")))
        self._quantizer()
        if normed:
            self.cursor.skip(self._natural(rows))
            self._quantizer()

    def _quantizer(self) -> None:
        size = self.number("i")
        self.cursor.skip(12 + 4 * 256 * self._natural(size))

    def _natural(self, value: int) -> int:
        if value < 0:
            raise ShortError(self.cursor.position)
        return value

    def _span(self, width: int) -> Iterator[Fact]:
        rows, columns = self.cursor.unpack(_SHAPE)
        if rows < 0 or columns < 0 or rows * columns > _LARGEST:
            detail = f"a matrix of {rows:,} rows and {columns:,} columns; {self.cursor.left:,} bytes are left"
            yield self._source.anomaly("tensor-bounds", detail, self.cursor.position)
        self.cursor.skip(self._natural(rows) * self._natural(columns) * width)


def read_fasttext(source: Source) -> Iterator[Fact]:
    """Follow arguments, dictionary and the two matrices."""
    model = _Fasttext(source)
    try:
        yield from model.read()
    except ShortError as error:
        yield source.unread(f"fasttext: {error}", error.offset)
    source.coverage.inert(0, model.cursor.position)
