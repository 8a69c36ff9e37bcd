"""A UBJSON document: parsed to its end, and read as a model when it is one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from toadstone.core.fact import Fact
from toadstone.readers.carried import carried_pickle
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.flood import thinned
from toadstone.readers.outline import Node, Outline, StructureError, broken, outlined, repeated_key
from toadstone.readers.reader import Source
from toadstone.readers.xgboost.model import Model, is_tree
from toadstone.readers.xgboost.ubjson import events


def read(source: Source) -> Iterator[Fact]:
    """Give the facts of one document; what is left behind it stays unclaimed."""
    yield from thinned(source, _read(source))


def _read(source: Source) -> Iterator[Fact]:
    cursor = Cursor(source.blob)
    model = Model(source)

    def visit(path: list[Any], value: Any) -> Iterable[Fact] | None:  # noqa: ANN401
        if isinstance(value, Node):
            if is_tree(path):
                outline.drop()
                return [*model.tree(path[-1], value, value.offset), *repeated_key(source, value)]
            return repeated_key(source, value) if value.repeated is not None else None
        if isinstance(value, str) and "attributes" not in path and len(value) > 15:
            return carried_pickle(source, ".".join(str(key) for key in path), value)
        return None

    outline = Outline(visit, lambda: cursor.position)
    try:
        yield from outlined(source, events(cursor), outline)
    except (StructureError, ShortError) as error:
        source.coverage.read(0, cursor.position)
        yield from broken(source, "ubjson", error, cursor.position)
    else:
        source.coverage.read(0, cursor.position)
    if isinstance(outline.root, dict) and isinstance(outline.root.get("learner"), dict):
        source.notes.setdefault("kind", "xgboost")
        yield from model.whole(outline.root)
