"""From what the user typed to the files that are looked at."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator

from toadstone.core.errors import UsageError, nearest
from toadstone.core.record import dataclass, replace
from toadstone.core.regex import regex

_DIGEST = regex(r"[0-9a-f]{32,128}")
"""Names under which caches keep content that is known by the links to it."""

_MOST_NAMES = 64
"""Names of one file under which it is read; a name decides what a file is to a loader."""


_DATA = (".parquet", ".arrow", ".feather", ".ipc", ".jsonl", ".jsonl.gz", ".ndjson", ".csv", ".csv.gz", ".tsv", ".npz")
"""Names of files that hold rows."""


def is_data(target: str) -> bool:
    """Whether a TARGET is a data set by its name: a file with rows, or a saved Hugging Face data set."""
    if "://" in target:
        name = target.lower().partition("?")[0].partition("#")[0]
        return name.endswith(_DATA) or (name.startswith("hf://") and name.rpartition("@")[0].endswith(_DATA))
    if target.lower().endswith(_DATA):
        return True
    return any(os.path.isfile(os.path.join(target, name)) for name in ("dataset_info.json", "dataset_dict.json"))


@dataclass(frozen=True)
class Item:
    """A file to look at, or the reason why it cannot be looked at.

    Attributes:
        shown: The TARGET as typed, joined with the relative path below it.
        path: Where it really is. Paths are text here: ``pathlib`` takes 3 ms to import, and 30 µs a file.
        root: The folder TARGET it lies in; its own folder for a file TARGET.
        trouble: Why it cannot be read; empty if it can.
        link: Target of a symbolic link that leaves the TARGET; empty otherwise.
    """

    shown: str
    path: str
    root: str
    trouble: str = ""
    link: str = ""


def expand(target: str, exclude: tuple[str, ...] = ()) -> Iterator[Item]:
    """List the files of a local TARGET in a stable order.

    Symbolic links are followed inside the TARGET only. A file that is reachable in several ways is read once under each of
    its names, since a name decides what a loader does with it; content whose own name is a digest, as in the Hugging Face
    cache, is read under the names of the links to it.

    Raises:
        UsageError: If the TARGET does not exist or is of a kind that cannot be read.
    """
    try:
        kind = os.stat(target).st_mode
    except FileNotFoundError:
        raise UsageError(f"{target} does not exist.", _similar(target)) from None
    except OSError as error:
        raise UsageError(f"{target} cannot be read: {error.strerror}.") from None
    if stat.S_ISREG(kind):
        yield Item(target, target, os.path.dirname(target) or ".")
    elif stat.S_ISDIR(kind):
        yield from _tree(target.rstrip("/") or "/", exclude)
    else:
        raise UsageError(f"{target} is neither a file nor a folder.", "Devices, pipes and sockets are not read.")


def _similar(target: str) -> str:
    folder, name = os.path.split(target)
    try:
        return nearest(name, os.listdir(folder or "."))
    except OSError:
        return ""


def _tree(root: str, exclude: tuple[str, ...]) -> Iterator[Item]:
    """Walk a folder; links come first, so that a linked blob is known by the name it is linked under."""
    real_root = os.path.realpath(root)
    files: list[str] = []
    links: list[str] = []
    found: list[Item] = []

    def closed(error: OSError) -> None:
        found.append(Item(str(error.filename), str(error.filename), root, f"cannot be listed: {error.strerror}"))

    for folder, names, entries in os.walk(root, onerror=closed):
        names.sort()
        relative = os.path.relpath(folder, root) + "/" if folder != root else ""
        names[:] = [name for name in names if not _excluded(relative + name, exclude)]
        linked = [name for name in names if os.path.islink(os.path.join(folder, name))]
        for name in sorted(entries) + linked:
            if not _excluded(relative + name, exclude):
                path = os.path.join(folder, name)
                (links if os.path.islink(path) else files).append(path)
    seen: dict[tuple[int, int], set[str]] = {}
    for path in links:
        item = _link(path, root, real_root)
        if item is not None:
            found += [item] if item.trouble or item.link else _named(item, seen)
    for path in files:
        item = Item(path, path, root, _trouble(path))
        found += [item] if item.trouble else _named(item, seen)
    yield from sorted(found, key=lambda item: item.shown)


def _excluded(relative: str, exclude: tuple[str, ...]) -> bool:
    return any(
        fnmatch.fnmatchcase(relative, glob) or fnmatch.fnmatchcase(f"/{relative}", glob.removeprefix("**")) for glob in exclude
    )


def is_inside(path: str, folder: str) -> bool:
    """Whether a real path is a folder's or lies below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _link(path: str, root: str, real_root: str) -> Item | None:
    """Judge a symbolic link; a link to a folder inside the TARGET is reached by its own name."""
    try:
        real = os.path.realpath(path, strict=True)
    except OSError:
        return Item(path, path, root, link=os.readlink(path))
    if not is_inside(real, real_root):
        return Item(path, path, root, link=os.readlink(path))
    return None if os.path.isdir(real) else Item(path, path, root, _trouble(real))


def _named(item: Item, seen: dict[tuple[int, int], set[str]]) -> list[Item]:
    """Give the item unless its file is looked at under the same name already, or is content that only links name."""
    status = os.stat(item.path)
    names = seen.setdefault((status.st_dev, status.st_ino), set())
    folder, name = os.path.split(item.path)
    kept_for_links = _DIGEST.fullmatch(name) or ("." not in name and os.path.basename(folder) == "blobs")
    if name in names or (names and kept_for_links):
        return []
    names.add(name)
    if len(names) > _MOST_NAMES:
        return [replace(item, trouble=f"the same file has more than {_MOST_NAMES} names")]
    return [item]


def _trouble(path: str) -> str:
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "" if stat.S_ISREG(mode) else "neither a file nor a folder; devices, pipes and sockets are not read"
