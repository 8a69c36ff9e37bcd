"""Several files as one data set."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from toadstone.core.errors import UsageError
from toadstone.tables.conform import joined
from toadstone.tables.dataset import Dataset, Fragment, Trouble
from toadstone.tables.lines import Span

SUFFIXES = (".parquet", ".pq", ".arrow", ".feather", ".ipc", ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".tab", ".npz")
"""Of the files that are shards of a folder, each also with ``.gz``."""

_SHARDS = 100_000
_TEXT = ("csv", "jsonl")


def suffix_of(path: str) -> str:
    """Give the suffix of a file in lower case, that before ``.gz`` if it has two."""
    return Path(path.lower().removesuffix(".gz")).suffix


def shards(path: str) -> list[str]:
    """Give the data files of a folder, relative to it, in the order of their names."""
    found: list[str] = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        inside = [name for name in names if suffix_of(name) in SUFFIXES and not name.startswith((".", "_"))]
        found += [Path(folder, name).relative_to(path).as_posix() for name in inside]
        if len(found) > _SHARDS:
            raise UsageError(f"{path} has more than {_SHARDS:,} data files", "Name a folder with fewer.")
    rows = [name for name in found if suffix_of(name) != ".json"]
    return sorted(rows or found)  # beside data, a .json file describes


def together(path: str, files: Sequence[tuple[str, str]], opener: Callable[[str, int], Dataset]) -> Dataset:
    """Open several files as one data set.

    Files of text may disagree on the types of their columns, which are joined; others may not.

    Args:
        path: What the data set is called.
        files: Short name and path of each.
        opener: Opens one, given the number of its first fragment.

    Raises:
        UsageError: Columns differ, or no file can be read.
    """
    parts: list[Dataset] = []
    troubles: list[Trouble] = []
    failed: UsageError | None = None
    number = 0
    for name, file in files:
        try:
            part = opener(file, number)
        except UsageError as error:
            failed = error
            troubles.append(Trouble(number, f"{name} was not read: {error.message}"))
            continue
        number += len(part.fragments)
        troubles += part.troubles
        parts.append(part)
        if not _alike(parts[0], part):
            raise UsageError(f"{path}: {name} has other columns than {files[0][0]}", "Examine files that differ one at a time.")
    if not parts:
        raise failed or UsageError(f"{path} has no data files", "Name a folder with data files.")
    whole = parts[0]
    fragments: list[Fragment] = [fragment for part in parts for fragment in part.fragments]
    schema = whole.schema
    if whole.kind in _TEXT and any(part.schema != schema for part in parts):
        schema = _joined(parts)
        fragments = [replace(fragment, schema=schema) for fragment in fragments if isinstance(fragment, Span)]
    return Dataset(path, whole.kind, schema, tuple(fragments), tuple(troubles))


def _alike(first: Dataset, other: Dataset) -> bool:
    if first.kind != other.kind:
        return False
    if first.kind == "jsonl":
        return True
    return bool(first.schema.names == other.schema.names if first.kind == "csv" else first.schema == other.schema)


def _joined(parts: Sequence[Dataset]) -> pa.Schema:
    types: dict[str, pa.DataType] = {}
    for part in parts:
        for field in part.schema:
            types[field.name] = joined(types.get(field.name, pa.null()), field.type)
    return pa.schema([pa.field(name, kind) for name, kind in types.items()])
