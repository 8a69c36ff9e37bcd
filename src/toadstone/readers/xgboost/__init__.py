"""XGBoost: models in UBJSON and in the binary form of versions before 3.1; models in JSON are read as JSON and then as models.

Source: the Universal Binary JSON specification (Draft 12), ``doc/tutorials/saving_model.rst`` and ``doc/model.schema`` of
XGBoost, ``src/learner.cc`` and ``src/gbm`` of XGBoost 1.7 for the binary form. Custom objectives are names: their code has to
be given by whoever loads the model.
"""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.reader import Reader, Source

_LENGTHS = {0x69: 1, 0x55: 1, 0x49: 2, 0x6C: 4, 0x4C: 8}
_SUFFIXES = (".ubj", ".ubjson")
_MARKS = tuple((0, b"{" + bytes([marker])) for marker in _LENGTHS)
_OBJECTIVE = 136
"""Offset of the objective's name: ``sizeof(LearnerModelParamLegacy)``."""


def _is_ubjson(source: Source) -> bool:
    """Whether an object begins here whose first key is a printable name; under the format's own names any object or array."""
    head = source.head(300)
    if source.suffix in _SUFFIXES and head[:1] in (b"{", b"["):
        return not head[1:2].isspace() and head[1:2] not in (b'"', b"'")
    width = _LENGTHS.get(head[1], 0) if head[:1] == b"{" and len(head) > 16 else 0
    size = int.from_bytes(head[2 : 2 + width], "big")
    key = head[2 + width : 2 + width + size]
    if not width or not 0 < size < 32 or not key.isascii() or not key.decode("ascii").isidentifier():
        return False
    return head[2 + width + size : 3 + width + size] in _VALUES


_VALUES = frozenset(bytes([marker]) for marker in b"{[SiUIlLdDTFZ")


def _read_ubjson(source: Source) -> Iterator[Fact]:
    """Read one document, and what it means if it is a model; whatever stands behind it is left to be looked at."""
    from toadstone.readers.xgboost.document import read  # noqa: PLC0415  (start-up time)

    yield from read(source)


def _is_binary(source: Source) -> bool:
    """Whether an objective and a booster are named where the binary form has them."""
    head = source.head(512)
    start = _OBJECTIVE + 4 * head.startswith(b"binf")
    size = int.from_bytes(head[start : start + 8], "little")
    if not 0 < size <= 64:
        return False
    name, booster = head[start + 8 : start + 8 + size], head[start + 16 + size : start + 24 + size]
    length = int.from_bytes(head[start + 8 + size : start + 16 + size], "little")
    known = {b"gbtree": 6, b"dart": 4, b"gblinear": 8}
    return name.isascii() and name.decode("ascii").isprintable() and known.get(booster[:length]) == length


def _read_binary(source: Source) -> Iterator[Fact]:
    """Follow parameters, trees and attributes to the end."""
    from toadstone.readers.xgboost.binary import read  # noqa: PLC0415  (start-up time)

    yield from read(source)


READERS = (
    Reader(kind="ubjson", read=_read_ubjson, suffixes=_SUFFIXES, marks=_MARKS, claims=_is_ubjson, rank=40),
    Reader(
        kind="xgboost-binary", read=_read_binary, marks=((0, b"binf"), (_OBJECTIVE + 1, bytes(7))), claims=_is_binary, rank=40
    ),
)
