"""The flatbuffer of a CatBoost model."""

from __future__ import annotations

from collections.abc import Iterator

from toadstone.core.blob import BytesBlob
from toadstone.core.fact import Fact, Setting, Text
from toadstone.core.value import KEPT_TEXT
from toadstone.readers.carried import carried
from toadstone.readers.flatbuffer import Flat, FlatError, Table
from toadstone.readers.pickle import carve
from toadstone.readers.reader import Source

_FRAME = 8
_TREES, _INFORMATION, _PARTS = 1, 2, 3
_SPLITS, _SIZES, _STARTS, _LEAVES = 1, 2, 3, 8
_ENTRIES = 4096
_LONGEST = 4 << 20
_TREE_LIMIT = 1 << 20


def read(source: Source) -> Iterator[Fact]:
    """Give the texts of a model, and what is wrong with its sizes."""
    size = int.from_bytes(source.blob.read(4, 4), "little")
    if size > source.blob.size - _FRAME:
        yield source.unread(f"catboost: cut short: {source.blob.size - _FRAME:,} of {size:,} bytes", _FRAME)
        source.coverage.read(0, source.blob.size)
        return
    parts: list[str] = []
    try:
        core = Flat(source.blob.window(_FRAME, size)).root()
        version = core.string(0, 200)
        parts = core.strings(_PARTS, 64, 200)
        yield from _information(source, core)
        trees = core.table(_TREES)
        problem = _sizes(source, trees) if trees is not None else ""
        if problem:
            yield source.anomaly("index-bounds", problem, _FRAME)
    except FlatError as error:
        yield source.anomaly("index-bounds", f"the model refers to what is not there: {error}", _FRAME)
        yield source.unread(f"catboost: {error}", _FRAME)
        return
    if not version.startswith("FlabuffersModel_v"):
        yield source.unread(f"catboost: version {version!r} is not known", _FRAME)
    source.coverage.read(0, _FRAME + size)
    for part in parts:
        yield Setting(source.place, "catboost", "part", part)
    yield from carve(source, _FRAME, source.blob.size if parts else _FRAME + size)
    if parts:
        source.coverage.inert(_FRAME + size, source.blob.size)


def _information(source: Source, core: Table) -> Iterator[Fact]:
    """Give the entries of the map that holds the training parameters, and whatever its author put into it."""
    for entry in core.tables(_INFORMATION, _ENTRIES):
        key, value = entry.string(0, 400), entry.string(1, _LONGEST)
        source.budget.spend_steps(len(value) // 16)
        yield Setting(source.place.at(entry.at + _FRAME), "catboost", key, value[:KEPT_TEXT])
        yield Text(source.place.at(entry.at + _FRAME), "metadata", value[:KEPT_TEXT])
        if value.startswith(("{", "[")):
            yield source.member(f"InfoMap.{key}", BytesBlob(value.encode("utf-8", "replace")), "json")
        else:
            yield from carried(source, f"InfoMap.{key}", value)


def _sizes(source: Source, trees: Table) -> str:
    """Say in what way the sizes of the trees contradict the splits that are there; empty if they do not."""
    _, splits = trees.vector(_SPLITS, 4)
    sizes, starts = trees.integers(_SIZES, _TREE_LIMIT), trees.integers(_STARTS, _TREE_LIMIT)
    source.budget.spend_steps(len(sizes))
    trees.vector(_LEAVES, 8)
    if any(size < 0 for size in sizes) or any(not 0 <= start <= splits for start in starts):
        return f"a tree lies outside the {splits:,} splits"
    if len(sizes) < _TREE_LIMIT and sum(sizes) > splits:
        return f"the trees need {sum(sizes):,} splits; {splits:,} are there"
    return ""
