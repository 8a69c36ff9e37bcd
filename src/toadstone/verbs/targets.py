"""From what the user typed to the files that are looked at."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from toadstone.core.errors import UsageError, nearest
from toadstone.core.record import dataclass, replace
from toadstone.core.regex import regex

_DIGEST = regex(r"[0-9a-f]{32,128}")
"""Names under which caches keep content that is known by the links to it."""

_MOST_NAMES = 64
"""Names of one file under which it is read; a name decides what a file is to a loader."""


@dataclass(frozen=True)
class Item:
    """A file to look at, or the reason why it cannot be looked at.

    Attributes:
        shown: The TARGET as typed, joined with the relative path below it.
        path: Where it really is.
        root: The folder TARGET it lies in; its own folder for a file TARGET.
        trouble: Why it cannot be read; empty if it can.
        link: Target of a symbolic link that leaves the TARGET; empty otherwise.
    """

    shown: str
    path: Path
    root: Path
    trouble: str = ""
    link: str = ""


def expand(target: str, exclude: tuple[str, ...] = ()) -> Iterator[Item]:
    """List the files of a TARGET in a stable order.

    Symbolic links are followed inside the TARGET only. A file that is reachable in several ways is read once under each of
    its names, since a name decides what a loader does with it; content whose own name is a digest, as in the Hugging Face
    cache, is read under the names of the links to it.

    Raises:
        UsageError: If the TARGET does not exist or is of a kind that cannot be read.
    """
    if "://" in target:
        scheme = target.split("://", 1)[0]
        raise UsageError(
            f"{target}: remotes ({scheme}://) are not read by this version.", "Download it first, then scan the folder."
        )
    path = Path(target)
    try:
        kind = path.stat().st_mode
    except FileNotFoundError:
        raise UsageError(f"{target} does not exist.", _similar(path)) from None
    except OSError as error:
        raise UsageError(f"{target} cannot be read: {error.strerror}.") from None
    if stat.S_ISREG(kind):
        yield Item(target, path, path.parent)
    elif stat.S_ISDIR(kind):
        yield from _tree(target.rstrip("/") or "/", path, exclude)
    else:
        raise UsageError(f"{target} is neither a file nor a folder.", "Devices, pipes and sockets are not read.")


def _similar(path: Path) -> str:
    try:
        return nearest(path.name, os.listdir(path.parent))  # noqa: PTH208  (names only)
    except OSError:
        return ""


def _tree(shown: str, root: Path, exclude: tuple[str, ...]) -> Iterator[Item]:
    """Walk a folder; links come first, so that a linked blob is known by the name it is linked under."""
    real_root = root.resolve()
    files: list[tuple[str, Path]] = []
    links: list[tuple[str, Path]] = []
    found: list[Item] = []

    def closed(error: OSError) -> None:
        inner = Path(str(error.filename)).relative_to(root).as_posix()
        found.append(Item(f"{shown}/{inner}", root / inner, root, f"cannot be listed: {error.strerror}"))

    for folder, names, entries in os.walk(root, onerror=closed):
        names.sort()
        here = Path(folder)
        relative = here.relative_to(root)
        names[:] = [name for name in names if not _excluded(relative / name, exclude)]
        for name in sorted(entries) + [name for name in names if (here / name).is_symlink()]:
            inner = relative / name
            if not _excluded(inner, exclude):
                (links if (here / name).is_symlink() else files).append((f"{shown}/{inner.as_posix()}", here / name))
    seen: dict[tuple[int, int], set[str]] = {}
    for name, path in links:
        item = _link(name, path, root, real_root)
        if item is not None:
            found += [item] if item.trouble or item.link else _named(item, seen)
    for name, path in files:
        item = Item(name, path, root, _trouble(path))
        found += [item] if item.trouble else _named(item, seen)
    yield from sorted(found, key=lambda item: item.shown)


def _excluded(relative: Path, exclude: tuple[str, ...]) -> bool:
    text = relative.as_posix()
    return any(fnmatch.fnmatchcase(text, glob) or fnmatch.fnmatchcase(f"/{text}", glob.removeprefix("**")) for glob in exclude)


def _link(shown: str, path: Path, root: Path, real_root: Path) -> Item | None:
    """Judge a symbolic link; a link to a folder inside the TARGET is reached by its own name."""
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return Item(shown, path, root, link=str(path.readlink()))
    if not real.is_relative_to(real_root):
        return Item(shown, path, root, link=str(path.readlink()))
    return None if real.is_dir() else Item(shown, path, root, _trouble(real))


def _named(item: Item, seen: dict[tuple[int, int], set[str]]) -> list[Item]:
    """Give the item unless its file is looked at under the same name already, or is content that only links name."""
    status = item.path.stat()
    names = seen.setdefault((status.st_dev, status.st_ino), set())
    name = item.path.name
    kept_for_links = _DIGEST.fullmatch(name) or ("." not in name and item.path.parent.name == "blobs")
    if name in names or (names and kept_for_links):
        return []
    names.add(name)
    if len(names) > _MOST_NAMES:
        return [replace(item, trouble=f"the same file has more than {_MOST_NAMES} names")]
    return [item]


def _trouble(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "" if stat.S_ISREG(mode) else "neither a file nor a folder; devices, pipes and sockets are not read"
