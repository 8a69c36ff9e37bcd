"""Folders that ``save_to_disk`` of Hugging Face ``datasets`` wrote: streams of Arrow, and files that describe them.

Source: https://huggingface.co/docs/datasets/process#save.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from toadstone.core.errors import UsageError
from toadstone.tables.dataset import Dataset
from toadstone.tables.folder import together
from toadstone.tables.ipc import open_ipc

STATE = "state.json"
INFO = "dataset_info.json"
SPLITS = "dataset_dict.json"

_LARGEST = 64 << 20


def is_saved(path: str) -> bool:
    """Whether a folder is such a data set."""
    return Path(path, STATE).is_file() or Path(path, SPLITS).is_file()


def described(path: Path) -> dict[str, Any]:
    """Read one of the files that describe a data set.

    Raises:
        UsageError: It is not what it should be.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{path} is larger than {_LARGEST >> 20} MiB", "It should describe the data set, not hold it.")
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read: {error}", "Save the data set again with save_to_disk.") from None
    if not isinstance(found, dict):
        raise UsageError(f"{path} is no JSON object", "Save the data set again with save_to_disk.")
    return found


def splits_of(path: str) -> list[str]:
    """Give the names of the splits; none for a data set that is not split."""
    if not Path(path, SPLITS).is_file():
        return []
    names = described(Path(path, SPLITS)).get("splits")
    if not isinstance(names, list) or not names:
        raise UsageError(f"{Path(path, SPLITS)} names no splits", "Save the data set again with save_to_disk.")
    return [_inside(name, path) for name in names]


def files_of(path: str) -> list[str]:
    """Give the names of the files of a data set that is not split."""
    entries = described(Path(path, STATE)).get("_data_files")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries) or not entries:
        raise UsageError(f"{Path(path, STATE)} names no data files", "Save the data set again with save_to_disk.")
    return [_inside(entry.get("filename"), path) for entry in entries]


def _inside(name: object, path: str) -> str:
    """Give a name that stays in its folder."""
    if not isinstance(name, str) or name in ("", ".", "..") or set(name) & set("/\\\x00"):
        raise UsageError(f"{path} names {name!r}, which is not a file in it", "Do not trust this data set.")
    return name


def open_saved(path: str, split: str | None = None) -> Dataset:
    """Open a folder; without a split all of them, one after the other.

    Raises:
        UsageError: There is no such split, or the folder is not what it should be.
    """
    known = splits_of(path)
    if split is not None and split not in known:
        raise UsageError(f"{path} has no split {split!r}", f"It has {', '.join(known) or 'none'}.")
    folders = [split] if split is not None else known or [""]
    names = [(folder, name) for folder in folders for name in files_in(path, folder)]
    files = [(f"{folder}/{name}".lstrip("/"), str(Path(path, folder, name))) for folder, name in names]
    return together(path, files, lambda file, first: open_ipc(file, first, kind="saved"))


def files_in(path: str, folder: str) -> list[str]:
    """Give the names of the files of one split."""
    return files_of(str(Path(path, folder)))
