"""Looks into every field of a data set, also into columns that no role names and into what is nested in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.engine.arrow import compute as pc
from toadstone.study.study import Study
from toadstone.tables.dataset import Fragment, Trouble

_MOST_ROWS = 1_000_000
"""Rows that are kept of one kind of find in one column."""
_DEEPEST = 4
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Find:
    """Something in some fields of a column.

    Attributes:
        column: Name, with the names of nested fields behind dots.
        kind: What it is.
        value: What tells it apart from others of its kind.
        rows: Rows that have it, sorted.
        example: One of the fields, or a part of it.
        weight: How bad it is; the worst counts.
    """

    column: str
    kind: str
    value: str
    rows: Rows
    example: str
    weight: int = 0


class Look(Protocol):
    """Judges the fields of a part of a column; travels between processes."""

    def texts(self, column: str, values: pa.Array, rows: Rows) -> Iterator[Find]:
        """Judge texts.

        Args:
            column: Its name.
            values: ``large_string`` without nulls.
            rows: The row of each value.
        """
        raise NotImplementedError

    def binaries(self, column: str, values: pa.Array, rows: Rows) -> Iterator[Find]:
        """Judge ``large_binary`` values without nulls."""
        raise NotImplementedError


@dataclass
class _Found:
    finds: dict[tuple[str, str, str], Find] = field(default_factory=dict)
    rows: int = 0

    def add(self, find: Find, offset: int) -> None:
        key = (find.column, find.kind, find.value)
        old, rows = self.finds.get(key), find.rows + offset
        if old is not None:
            rows = np.concatenate([old.rows, rows])[:_MOST_ROWS]
        worse = old is None or find.weight > old.weight
        example, weight = (find.example, find.weight) if worse or old is None else (old.example, old.weight)
        self.finds[key] = Find(*key, rows, example, weight)


def looked(study: Study, look: Look) -> list[Find]:
    """Look at every field; give what was found, by column, kind and value. Columns of numbers alone are not read for it."""
    names = tuple(field.name for field in study.dataset.schema if _may_hold_text(field.type))
    return study.reread(_Walk(look, names)) if names else []


@dataclass(frozen=True)
class _Walk:
    look: Look
    names: tuple[str, ...]

    def map(self, part: Fragment) -> _Found:
        found = _Found()
        for batch in part.batches(list(self.names)):
            if isinstance(batch, Trouble):
                continue
            rows = np.arange(batch.num_rows)
            for name in self.names:
                for column, values, owners in leaves(name, batch.column(name), rows):
                    judge = self.look.binaries if pa.types.is_large_binary(values.type) else self.look.texts
                    for find in judge(column, values, owners):
                        found.add(
                            Find(find.column, find.kind, find.value, np.unique(find.rows), find.example, find.weight), found.rows
                        )
            found.rows += batch.num_rows
        return found

    def combine(self, left: _Found, right: _Found) -> _Found:
        for find in right.finds.values():
            left.add(find, left.rows)
        left.rows += right.rows
        return left

    def finish(self, state: _Found | None) -> list[Find]:
        return [find for _, find in sorted((state or _Found()).finds.items())]


def leaves(column: str, values: pa.Array, rows: Rows, depth: int = 0) -> Iterator[tuple[str, pa.Array, Rows]]:
    """Give the texts and binary values in a column: its name, the values without nulls, and the row of each."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if isinstance(values, pa.ExtensionArray):
        yield from leaves(column, values.storage, rows, depth)
    elif (wide := _wide(kind)) is not None:
        kept = np.asarray(values.is_valid().to_numpy(zero_copy_only=False), bool)
        if kept.any():
            yield column, pc.cast(values.drop_null(), wide), rows[kept]
    elif depth < _DEEPEST and pa.types.is_struct(kind):
        for place, inner in enumerate(kind):
            yield from leaves(f"{column}.{inner.name}", pc.struct_field(values, place), rows, depth + 1)
    elif depth < _DEEPEST and (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        if not _holds_text(kind):
            return
        parents = np.asarray(pc.list_parent_indices(values).to_numpy(zero_copy_only=False), np.int64)
        yield from leaves(column, pc.list_flatten(values), rows[parents], depth + 1)


def _wide(kind: pa.DataType) -> pa.DataType | None:
    """Give the type as which texts or bytes are read; None for anything else."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.large_string()
    return pa.large_binary() if _is_binary(kind) else None


def _may_hold_text(kind: pa.DataType, depth: int = 0) -> bool:
    """Whether `leaves` finds anything in a column of a type."""
    if pa.types.is_dictionary(kind):
        return _may_hold_text(kind.value_type, depth)
    if isinstance(kind, pa.BaseExtensionType):
        return _may_hold_text(kind.storage_type, depth)
    if depth < _DEEPEST and pa.types.is_struct(kind):
        return any(_may_hold_text(inner.type, depth + 1) for inner in kind)
    if depth < _DEEPEST and (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return _holds_text(kind) and _may_hold_text(kind.value_type, depth + 1)
    return _wide(kind) is not None


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _holds_text(kind: pa.DataType) -> bool:
    """Whether anything in a nested type is text or bytes; lists of numbers are embeddings."""
    while pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        kind = kind.value_type
    return not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))
