"""Folders of images, one sub-folder a class, or described by a ``metadata.csv`` or ``metadata.jsonl``.

Source: https://huggingface.co/docs/datasets/image_dataset (ImageFolder), which torchvision's ``ImageFolder`` shares.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from toadstone.core.errors import UsageError
from toadstone.tables.attached import read
from toadstone.tables.dataset import BYTES, Dataset, Fragment, Trouble, bare
from toadstone.tables.folder import suffix_of

SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
SPLITS = ("train", "test", "valid", "validation", "val", "dev")
METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
NAME = "file_name"
_FILES = 2_000_000
_EACH = 512
"""Files of a fragment."""

IMAGE = pa.struct([("bytes", pa.large_binary()), ("path", pa.string())])


@dataclass(frozen=True)
class Files(Fragment):
    """Some images of a folder.

    Attributes:
        base: The folder.
        paths: Relative to it, in order.
        beside: What else is known of them, one row a path.
    """

    number: int
    base: str
    paths: tuple[str, ...]
    beside: pa.Table = field(repr=False)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch | Trouble]:
        """Read the files, as many at a time as fit into a batch."""
        names = ["image", *self.beside.schema.names] if columns is None else list(columns)
        if not names:
            yield from bare(iter(self.beside.to_batches() or ()))
            return
        if "image" not in names:
            yield from self.beside.select(names).combine_chunks().to_batches()
            return
        start, size, contents = 0, 0, list[bytes | None]()
        for row, path in enumerate(self.paths):
            content, reason = read(self.base, path)
            if reason:
                yield Trouble(self.number, f"{path}: {reason}", row)
            contents.append(content)
            size += len(content or b"")
            if size >= BYTES:
                yield self._batch(names, start, contents)
                start, size, contents = row + 1, 0, []
        if contents:
            yield self._batch(names, start, contents)

    def _batch(self, names: Sequence[str], start: int, contents: list[bytes | None]) -> pa.RecordBatch:
        rows = len(contents)
        paths = pa.array(self.paths[start : start + rows], pa.string())
        images = pa.StructArray.from_arrays([pa.array(contents, pa.large_binary()), paths], fields=list(IMAGE))
        known = self.beside.slice(start, rows).combine_chunks()
        columns = [images if name == "image" else _whole(known.column(name)) for name in names]
        return pa.RecordBatch.from_arrays(columns, names=list(names))


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return (
        column.chunk(0)
        if column.num_chunks == 1
        else pa.concat_arrays(column.chunks)
        if column.num_chunks
        else pa.array([], column.type)
    )


def images_below(path: str) -> list[str]:
    """Give the images of a folder, relative to it, in the order of their names; links are not followed out of it."""
    found: list[str] = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        inside = [name for name in names if suffix_of(name) in SUFFIXES and not name.startswith(".")]
        found += [Path(folder, name).relative_to(path).as_posix() for name in inside]
        if len(found) > _FILES:
            raise UsageError(f"{path} has more than {_FILES:,} images", "Name a folder with fewer.")
    return sorted(found)


def holds_images(path: str, shards: Sequence[str]) -> bool:
    """Whether a folder's rows are its images: it has some, and no data files but those that describe them."""
    described = all(Path(name).name in METADATA for name in shards)
    return described and any(
        suffix_of(name) in SUFFIXES and not name.startswith(".") for _, _, names in os.walk(path) for name in names
    )


def open_pictures(path: str, split: str | None = None) -> Dataset:
    """Open a folder of images.

    Args:
        path: Of the folder.
        split: Name of a sub-folder (``train``, ``test`` ...) that holds the classes; None: everything below.

    Raises:
        UsageError: There are no images, or no such split.
    """
    every = images_below(path)
    if split is not None:
        every = [name for name in every if name.split("/")[0] == split]
        if not every:
            raise UsageError(f"{path} has no images of the split {split!r}", "Name a sub-folder.")
    if not every:
        raise UsageError(f"{path} has no images", f"Images end in {', '.join(SUFFIXES)}.")
    beside, troubles = _beside(path, every)
    fragments = tuple(
        Files(number, path, tuple(every[start : start + _EACH]), beside.slice(start, _EACH))
        for number, start in enumerate(range(0, len(every), _EACH))
    )
    schema = pa.schema([pa.field("image", IMAGE), *beside.schema])
    return Dataset(path, "images", schema, fragments, tuple(troubles))


def _beside(path: str, every: Sequence[str]) -> tuple[pa.Table, list[Trouble]]:
    """Give what is known of the images: class by sub-folder, split, and the columns of a metadata file beside them."""
    parts = [name.split("/")[:-1] for name in every]
    splits = [part[0] if part and part[0].lower() in SPLITS else None for part in parts]
    inner = [part[1:] if split is not None else part for part, split in zip(parts, splits, strict=True)]
    columns: dict[str, pa.Array] = {}
    if any(inner):
        columns["label"] = pa.array(["/".join(part) or None for part in inner], pa.string())
    if len(set(splits)) > 1:
        columns["split"] = pa.array(splits, pa.string())
    table = pa.table(columns) if columns else pa.table({"file_name": pa.array(list(every), pa.string())})
    found = next((name for name in METADATA if Path(path, name).is_file()), None)
    if found is None:
        return table, []
    return _described(path, found, every, table)


def _described(path: str, found: str, every: Sequence[str], table: pa.Table) -> tuple[pa.Table, list[Trouble]]:
    """Join the rows of a metadata file to the images by their names."""
    from toadstone.tables.open import open_file  # noqa: PLC0415  (which opens folders of images)

    rows: dict[str, dict[str, object]] = {}
    described = open_file(str(Path(path, found)))
    troubles = [*described.troubles]
    if NAME not in described.schema.names:
        return table, [*troubles, Trouble(0, f"{found} has no column {NAME!r}; it was not used")]
    for fragment in described.fragments:
        for batch in fragment.batches():
            if isinstance(batch, Trouble):
                troubles.append(batch)
                continue
            rows |= {str(row[NAME]): row for row in batch.to_pylist()}
    lost = sorted(set(rows) - set(every))
    if lost:
        troubles.append(Trouble(0, f"{found} names {len(lost):,} images that are not there, such as {lost[0]!r}"))
    known = [rows.get(name, {}) for name in every]
    for column in described.schema:
        if column.name not in (NAME, "image"):
            values = pa.array([row.get(column.name) for row in known], column.type)
            if column.name in table.schema.names:
                table = table.drop_columns([column.name])
            table = table.append_column(pa.field(column.name, column.type), values)
    return table, troubles
