"""The identity of files and folders: every name counts, hidden or not, empty folders and symbolic links too."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from toadstone.core import merkle
from toadstone.core.errors import UsageError

_STEP = 256 << 10

FILE, FOLDER, LINK, SPECIAL = "file", "folder", "link", "special"


@dataclass(frozen=True, order=True)
class Entry:
    """Something with a name.

    Attributes:
        path: Below the folder, with ``/``; empty for a single file. Bytes that are no UTF-8 stand as `os.fsdecode` gives them.
        kind: ``file``, ``folder``, ``link``, or ``special`` (a socket, a pipe, a device), which is never opened.
        size: Bytes; 0 for folders, and for links that lead to no file.
        sha256: Of a file, or of the file that a link leads to; empty for others.
        blake3: The same.
        target: Of a link, as it is written.
    """

    path: str
    kind: str
    size: int = 0
    sha256: str = ""
    blake3: str = ""
    target: str = ""

    def leaf(self) -> bytes:
        """Write what the entry's digest is taken over: kind, name, content, and where a link leads."""
        parts = [self.kind.encode(), os.fsencode(self.path), bytes.fromhex(self.sha256), os.fsencode(self.target)]
        return b"".join(len(part).to_bytes(8, "little") + part for part in (*parts, self.size.to_bytes(8, "little")))


def file_digests(path: str) -> tuple[int, str, str]:
    """Hash a file once with both functions.

    Returns:
        Bytes, SHA-256 and BLAKE3, hexadecimal.

    Raises:
        OSError: It cannot be read.
        UsageError: It changes while it is read.
    """
    sha, fast, size = hashlib.sha256(), blake3(), 0
    held = memoryview(bytearray(_STEP))
    with open(path, "rb", buffering=0) as stream:
        before = os.fstat(stream.fileno())
        while got := stream.readinto(held):
            sha.update(held[:got])
            fast.update(held[:got])
            size += got
        after = os.fstat(stream.fileno())
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size) or size != after.st_size:
        raise UsageError(f"{path} changes while it is read.", "Wait until nothing writes to it, then try again.")
    return size, sha.hexdigest(), fast.hexdigest()


def entry_of(path: str, name: str = "") -> Entry:
    """Identify one file, link, or special file.

    Args:
        path: Where it is.
        name: What it is called below its folder.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            return _link(path, name)
        if stat.S_ISREG(status.st_mode):
            return Entry(name, FILE, *file_digests(path))
        return Entry(name, FOLDER if stat.S_ISDIR(status.st_mode) else SPECIAL)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}.", "See who may read it, and that nothing is writing to it."
        ) from None


def _link(path: str, name: str) -> Entry:
    target = os.readlink(path)
    if not os.path.isfile(path):  # to a folder, to nothing, to a device
        return Entry(name, LINK, target=target)
    return Entry(name, LINK, *file_digests(path), target)


def entries(folder: str, *, leave: frozenset[str] = frozenset()) -> list[Entry]:
    """Identify everything below a folder, in the order of the paths' bytes; links to folders are not followed.

    Args:
        folder: Where to look.
        leave: Real paths that are left out: what toadstone itself writes.

    Raises:
        UsageError: Something cannot be read, or changes while it is.
    """
    found: list[Entry] = []
    pending = [""]
    while pending:
        below = pending.pop()
        try:
            listed = list(os.scandir(os.path.join(folder, below)))
        except OSError as error:
            raise UsageError(f"{folder}/{below} cannot be listed: {error.strerror}.", "See who may read it.") from None
        for one in listed:
            path = f"{below}/{one.name}" if below else one.name
            if leave and os.path.realpath(one.path) in leave and not one.is_symlink():
                continue
            if one.is_dir(follow_symlinks=False):
                found.append(Entry(path, FOLDER))
                pending.append(path)
            else:
                found.append(entry_of(one.path, path))
    return sorted(found, key=lambda entry: os.fsencode(entry.path))


def folder_root(found: list[Entry]) -> bytes:
    """Give the root of the tree of RFC 9162 over what `entries` gave."""
    return merkle.root([merkle.leaf_hash(entry.leaf()) for entry in found])


def uncovered(folder: str, found: list[Entry]) -> list[str]:
    """Name the links whose content an identity of the folder does not cover: those that lead to folders outside of it."""
    root = os.path.realpath(folder)
    inside = []
    for entry in found:
        path = Path(folder, entry.path)
        if entry.kind == LINK and path.is_dir():
            place = os.path.realpath(path)
            if place != root and not place.startswith(root + os.sep):
                inside.append(entry.path)
    return inside
