"""From what the user typed to the files that are looked at."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toadstone.core.errors import UsageError, nearest

_OWN = frozenset({".toadstone"})
"""Folders of our own making below a TARGET that are no part of it."""


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

    Symbolic links are followed inside the TARGET only; a file that is reachable in several ways is read once (the
    Hugging Face cache keeps blobs in one folder and names them by links from another: the name wins).

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
    for folder, names, entries in os.walk(root):
        names.sort()
        here = Path(folder)
        relative = here.relative_to(root)
        names[:] = [name for name in names if name not in _OWN and not _excluded(relative / name, exclude)]
        for name in sorted(entries) + [name for name in names if (here / name).is_symlink()]:
            inner = relative / name
            if not _excluded(inner, exclude):
                (links if (here / name).is_symlink() else files).append((f"{shown}/{inner.as_posix()}", here / name))
    seen: set[tuple[int, int]] = set()
    found: list[Item] = []
    for name, path in links:
        item = _link(name, path, root, real_root)
        if item is not None and (item.trouble or item.link or _first(item.path, seen)):
            found.append(item)
    found.extend(Item(name, path, root, _trouble(path)) for name, path in files if _trouble(path) or _first(path, seen))
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
    return None if real.is_dir() else Item(shown, real, root, _trouble(real))


def _first(path: Path, seen: set[tuple[int, int]]) -> bool:
    status = path.stat()
    identity = (status.st_dev, status.st_ino)
    known = identity in seen and status.st_nlink >= 1
    seen.add(identity)
    return not known


def _trouble(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "" if stat.S_ISREG(mode) else "neither a file nor a folder; devices, pipes and sockets are not read"
