"""XGBoost's binary form, deprecated since 1.0 and gone in 3.1: fixed structures, written as they lay in memory.

Nothing in it is checked by its loader but the ends of the stream, so every count and child is compared with what is there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from toadstone.core.fact import Fact, Setting, Text
from toadstone.readers.carried import carried
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.reader import Source

_LEARNER = struct.Struct("<fIiiiII108x")
"""Base score, features, classes, whether attributes and metrics follow, version."""

_FOREST = struct.Struct("<i156x")
_LINEAR = 136
_TREE = struct.Struct("<iiiiii124x")
"""Roots, nodes, deleted nodes, depth, features, size of a leaf's vector."""

_NODE, _STATISTICS = 20, 16
_SIZE = struct.Struct("<Q")
_LONGEST_TEXT = 1 << 20
_WINDOW = 1 << 20


class _ForgedError(ValueError):
    """A number that no writer produces."""


def read(source: Source) -> Iterator[Fact]:
    """Give the texts of a model and what is wrong with its trees."""
    cursor = Cursor(source.blob, 4 * source.head(4).startswith(b"binf"))
    try:
        yield from _model(source, cursor)
    except _ForgedError as error:
        yield source.anomaly("index-bounds", str(error), cursor.position)
        yield source.unread(f"xgboost: {error}", cursor.position)
    except ShortError as error:
        yield source.unread(f"xgboost: {error}", cursor.position)
    source.coverage.read(0, cursor.position)


def _model(source: Source, cursor: Cursor) -> Iterator[Fact]:
    _, features, _, attributes, metrics, major, minor = cursor.unpack(_LEARNER)
    objective, booster = _text(cursor), _text(cursor)
    yield Setting(source.place, "xgboost", "objective.name", objective)
    yield Setting(source.place, "xgboost", "version", f"{major}.{minor}")
    if booster == "gblinear":
        cursor.skip(_LINEAR)
        _skip(cursor, 4)
    else:
        (trees,) = cursor.unpack(_FOREST)
        if trees < 0:
            raise _ForgedError(f"{trees:,} trees")
        for index in range(trees):
            _tree(source, cursor, index, features)
        cursor.skip(4 * trees)  # the group of each tree
        if booster == "dart" and trees:
            _skip(cursor, 4)
    if attributes:
        for _ in range(_count(cursor, 16)):
            key, value = _text(cursor), _text(cursor)
            yield Setting(source.place, "xgboost", f"attributes.{key}"[:400], value[:4096])
            yield Text(source.place, "metadata", value)
            yield from carried(source, f"attributes.{key}", value)
    if metrics:
        for _ in range(_count(cursor, 8)):
            yield Setting(source.place, "xgboost", "metric", _text(cursor)[:400])


def _tree(source: Source, cursor: Cursor, index: int, features: int) -> None:
    """Follow one tree: every child has to be a node, and no node may be reached twice.

    Raises:
        _ForgedError: If it is no tree.
    """
    _, nodes, _, _, _, vector = cursor.unpack(_TREE)
    if nodes <= 0:
        raise _ForgedError(f"tree {index:,} claims {nodes:,} nodes")
    start = cursor.position
    cursor.skip(nodes * (_NODE + _STATISTICS))
    if vector:
        _skip(cursor, 4)
    source.budget.spend_steps(nodes)
    reached = bytearray(nodes)
    reached[0] = 1
    at = 0
    for piece in source.blob.chunks(start, nodes * _NODE, _WINDOW // _NODE * _NODE):
        for _, left, right, feature, _ in struct.iter_unpack("<iiiIf", piece):
            at += 1
            if left == -1:
                continue
            if not (0 <= left < nodes and 0 <= right < nodes):
                raise _ForgedError(f"tree {index:,} leads from node {at - 1:,} to {left:,} and {right:,} of {nodes:,}")
            if reached[left] or reached[right] or left == right:
                raise _ForgedError(f"tree {index:,} reaches node {left if reached[left] else right:,} twice")
            reached[left] = reached[right] = 1
            if (feature & 0x7FFF_FFFF) >= features > 0:
                raise _ForgedError(f"tree {index:,} splits at feature {feature & 0x7FFF_FFFF:,} of {features:,}")


def _count(cursor: Cursor, least: int) -> int:
    """Read how many items follow that take at least so many bytes each."""
    (count,) = cursor.unpack(_SIZE)
    if count > 1 << 48:
        raise _ForgedError(f"a count of {count:,}")
    if count * least > cursor.left:
        raise ShortError(cursor.position)
    return count


def _skip(cursor: Cursor, width: int) -> None:
    cursor.skip(_count(cursor, width) * width)


def _text(cursor: Cursor) -> str:
    size = _count(cursor, 1)
    head = cursor.blob.read(cursor.position, min(size, _LONGEST_TEXT))
    cursor.skip(size)
    return head.decode("utf-8", "replace")
