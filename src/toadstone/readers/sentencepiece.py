"""SentencePiece tokenizers: a protobuf of pieces with their scores. Data only; it has no magic number.

Source: ``sentencepiece_model.proto``.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.protobuf import FIXED32, LENGTH, VARINT, Field, WireError, fields, well_formed
from toadstone.readers.reader import Reader, Source

_PIECE = {1: LENGTH, 2: FIXED32, 3: VARINT}
_SPECIFICATIONS = frozenset({2, 3, 4, 5})  # trainer, normalizer, self test, denormalizer
_SAMPLE = 3


def _is_piece(cursor: Cursor, field: Field) -> bool:
    """Whether a field is a piece: a string, usually a score, perhaps a type."""
    if field.number != 1 or field.wire != LENGTH:
        return False
    named = False
    for inner in fields(cursor, field.stop):
        if _PIECE.get(inner.number) != inner.wire:
            return False
        named = named or inner.number == 1
    return named


def claims(source: Source) -> bool:
    """Whether the message begins with three pieces."""
    if source.head(1) != b"\n":
        return False
    cursor = Cursor(source.blob, step=1024)
    try:
        for count, field in enumerate(fields(cursor, source.blob.size)):
            if not _is_piece(cursor, field):
                return False
            if count + 1 == _SAMPLE:
                return True
    except (WireError, ShortError):
        return False
    return False


def read(source: Source) -> Iterator[Fact]:
    """Account for every piece and specification; unknown fields are left unread."""
    cursor = Cursor(source.blob)
    try:
        for field in fields(cursor, source.blob.size):
            source.budget.spend_steps(4)
            if _is_piece(cursor, field):
                source.coverage.read(field.start, field.stop)
            elif field.number in _SPECIFICATIONS and field.wire == LENGTH:
                cursor.position = field.value
                if well_formed(cursor, field.stop, 1 << 16):
                    source.coverage.read(field.start, field.stop)
    except (WireError, ShortError) as error:
        yield source.unread(f"the message cannot be followed: {error}", cursor.position)


READERS = (Reader(kind="sentencepiece", read=read, marks=((0, b"\n"),), claims=claims, rank=40),)
