"""Word vectors in binary: word2vec's format, and models of fastText (``.bin``, quantised ``.ftz``). Text forms are read as text.

Source: ``word2vec.c``; ``fasttext.cc``, ``args.cc``, ``dictionary.cc``, ``densematrix.cc``, ``quantmatrix.cc`` and
``productquantizer.cc`` of fastText 0.9. Data only; every count is compared with the bytes that are there.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.core.regex import regex
from toadstone.readers.reader import Reader, Source

HEADER = regex(rb"(\d{1,10}) (\d{1,6})\r?\n")
"""Words and numbers for each of them."""

_NUMBERS = regex(rb"[-+.\d\seEnainf]*")
_CONTROL = regex(rb"[\0-\x08\x0e-\x1f]")
_FASTTEXT = b"\xba\x16\x4f\x2f"
"""793712314 in little-endian order."""


def _claims(source: Source) -> bool:
    """Whether counts are followed by a word, a blank and numbers that are no digits, and the file is large enough for all."""
    head = source.head()
    found = HEADER.match(head) if head[:1].isdigit() else None
    if found is None:
        return False
    words, width = int(found[1]), int(found[2])
    blank = head.find(b" ", found.end())
    if not words or not width or blank <= found.end() or source.blob.size < found.end() + words * (2 + 4 * width):
        return False
    first = source.blob.read(blank + 1, 4 * width)
    return _CONTROL.search(head[found.end() : blank]) is None and _NUMBERS.fullmatch(first[:256]) is None


def _read_word2vec(source: Source) -> Iterator[Fact]:
    """Move over the words and their vectors; whatever follows the last one stays unclaimed."""
    from toadstone.readers.word_vectors.model import read_word2vec  # noqa: PLC0415  (start-up time)

    yield from read_word2vec(source)


def _read_fasttext(source: Source) -> Iterator[Fact]:
    """Follow arguments, dictionary and the two matrices."""
    from toadstone.readers.word_vectors.model import read_fasttext  # noqa: PLC0415  (start-up time)

    yield from read_fasttext(source)


_MARKS = tuple((0, digit.encode()) for digit in "0123456789")

READERS = (
    Reader(kind="word2vec", read=_read_word2vec, marks=_MARKS, claims=_claims, rank=40),
    Reader(kind="fasttext", read=_read_fasttext, heads=(_FASTTEXT,), rank=20),
)
