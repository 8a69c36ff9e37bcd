"""Opens any data set: a file, a folder, an object of another library."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from toadstone.core.errors import UsageError
from toadstone.tables import ipc, npz, parquet
from toadstone.tables.csv import open_csv
from toadstone.tables.dataset import Dataset
from toadstone.tables.folder import SUFFIXES, shards, suffix_of, together
from toadstone.tables.jsonl import JsonLines, open_jsonl
from toadstone.tables.objects import open_object
from toadstone.tables.pictures import holds_images, open_pictures
from toadstone.tables.probe import fatal
from toadstone.tables.records import TextFile, described
from toadstone.tables.saved import is_saved, open_saved
from toadstone.tables.sound import first_line

_ENCRYPTED = b"PARE"
_BINARY = (
    (b"\x89HDF", "HDF5"),
    (b"\x93NUMPY", "a single NumPy array"),
    (b"SQLite format", "an SQLite database"),
    (b"\x80\x02", "a pickle"),
    (b"\x80\x03", "a pickle"),
    (b"\x80\x04", "a pickle"),
    (b"\x80\x05", "a pickle"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
)


def open_dataset(target: str | os.PathLike[str] | object, *, split: str | None = None, bounded: bool = False) -> Dataset:
    """Open a data set without reading its rows into memory.

    What a file contains decides how it is read; its suffix only where the content leaves it open. A text file is read once here
    for the types of its columns.

    Args:
        target: Path of a Parquet, Arrow, JSON Lines, CSV, TSV or NPZ file (JSON Lines, CSV and TSV also as ``.gz``), of a data
            set saved by Hugging Face ``datasets``, or of a folder of such files; or an object of pandas, polars, ``datasets``,
            pyarrow or NumPy, or a dict of columns.
        split: Of a data set that has several: which one; None: all, one after the other.
        bounded: Whether rows that are out of all proportion to the bytes of a text file are refused while it is read; of
            other formats `toadstone.tables.allowance.check_claims` knows beforehand.

    Raises:
        UsageError: There is no such file, or nothing in it can be read as rows.
    """
    if not isinstance(target, str | os.PathLike):
        return open_object(target, split)
    path = os.fspath(target)
    place = Path(path)
    try:
        if place.is_dir():
            return replace(_folder(path, split), size=_size(place))
        if not place.is_file():
            there = place.exists()
            raise UsageError(f"{path} is {'not a file' if there else 'not there'}", "Name a data file or a folder of them.")
        if split is not None:
            raise UsageError(f"{path} has no splits", "Leave the split out.")
        return replace(open_file(path, bounded=bounded), size=place.stat().st_size)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path} cannot be read: {first_line(error)}", "Restore the file from its source.") from None
    except ValueError as error:  # an embedded zero in the path
        raise UsageError(f"{path!r} is no path: {first_line(error)}") from None


def _size(folder: Path) -> int:
    return sum(Path(path, name).lstat().st_size for path, _, names in os.walk(folder) for name in names)


def open_file(path: str, first: int = 0, *, bounded: bool = False) -> Dataset:
    """Open one file.

    Args:
        path: Of the file.
        first: Number of the first fragment.
        bounded: As of `open_dataset`.
    """
    size = Path(path).stat().st_size
    with Path(path).open("rb") as handle:
        head = handle.read(16)
        handle.seek(max(size - 8, 0))
        tail = handle.read(8)
    if not size and suffix_of(path) in (".jsonl", ".ndjson"):
        return Dataset(path, "jsonl", pa.schema([]), (JsonLines(first, TextFile(path), 0, None, pa.schema([])),))
    if not size:
        raise UsageError(f"{path} is empty", "There are no rows in it.")
    suffix = suffix_of(path)
    opener = _binary(head, tail, suffix)
    if opener is not None:
        return opener(path, first)
    what = next((name for magic, name in _BINARY if head.startswith(magic)), "")
    if what or suffix in (".parquet", ".pq", ".npz", ".arrow", ".feather", ".ipc"):
        what = what or f"damaged, or no {suffix} file: it begins with {head[:8]!r}"
        raise UsageError(f"{path} is {what}", "Give Parquet, Arrow, JSON Lines, CSV, TSV or NPZ.")
    return _text(described(path, bounded=bounded), first, suffix)


def _binary(head: bytes, tail: bytes, suffix: str) -> Callable[[str, int], Dataset] | None:
    if head.startswith(parquet.MAGIC) and (suffix in (".parquet", ".pq") or tail.endswith((parquet.MAGIC, _ENCRYPTED))):
        return parquet.open_parquet
    if head.startswith((ipc.MAGIC, ipc.STREAM)):
        return ipc.open_ipc
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return npz.open_npz
    return None


def _text(file: TextFile, first: int, suffix: str) -> Dataset:
    path = file.path
    start = _beginning(file)
    if b"\x00" in start[: 1 << 12].encode() and suffix not in (".csv", ".tsv", ".jsonl", ".ndjson", ".json"):
        raise UsageError(f"{path} is not a data set that can be read", "Give Parquet, Arrow, JSON Lines, CSV, TSV or NPZ.")
    if _is_array(start, suffix):
        raise UsageError(f"{path} is one JSON array", "Write one object a line (JSON Lines): jq -c '.[]' does it.")
    objects = _objects(start)
    if objects or (suffix in (".jsonl", ".ndjson", ".json") and objects is None):
        return open_jsonl(file, first)
    return open_csv(file, first, "\t" if suffix in (".tsv", ".tab") else "")


def _beginning(file: TextFile) -> str:
    with file.open() as stream:
        stream.seek(file.mark)
        return stream.read(1 << 16).decode(file.encoding, "replace")


def _is_array(start: str, suffix: str) -> bool:
    return suffix in (".json", ".jsonl", ".ndjson") and start.lstrip().startswith("[") and _objects(start) is None


def _objects(start: str) -> bool | None:
    """Whether lines are JSON objects: yes, surely not (a table of text), or None: it cannot be told."""
    some = [line.strip() for line in start.splitlines()[:20] if line.strip()]
    if not some:
        return None
    for line in some:
        try:
            if isinstance(json.loads(line), dict):
                return True
        except (ValueError, RecursionError):
            continue
    if some[0].startswith("{"):
        return True
    widths = {line.count(",") for line in some[:-1] or some}
    return None if widths == {0} or len(widths) > 1 or start.lstrip()[:1] == "[" else False


def _folder(path: str, split: str | None) -> Dataset:
    if is_saved(path):
        return open_saved(path, split)
    found = shards(path)
    if holds_images(path, found):
        return open_pictures(path, split)
    fatal([str(Path(path, name)) for name in found if suffix_of(name) in (".parquet", ".pq")])  # one process for all of them
    if split is not None:
        found = [name for name in found if split in (part.split("-")[0].split(".")[0] for part in Path(name).parts)]
    if not found:
        named = f" of the split {split!r}" if split is not None else ""
        raise UsageError(f"{path} has no data files{named}", f"Data files end in {', '.join(SUFFIXES)}.")
    return together(path, [(name, str(Path(path, name))) for name in found], open_file)
