"""Sources on servers: pinned by commit, owner and digests; compared with what the server gives and says later."""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from blake3 import blake3

from toadstone.core.blob import BlobError
from toadstone.core.errors import UsageError
from toadstone.identity.files import FILE, Entry, folder_root
from toadstone.identity.lock import Pin
from toadstone.identity.verified import Change
from toadstone.remotes.access import Access
from toadstone.remotes.client import Client
from toadstone.remotes.files import RemoteFile
from toadstone.remotes.hub import Hub
from toadstone.remotes.s3 import Bucket
from toadstone.remotes.trouble import RemoteError
from toadstone.remotes.web import file as web_file

_RECENT = dt.timedelta(days=2)
"""Edits that are younger when a source is pinned are worth a look: who knows when a snapshot is taken edits just before it."""


@dataclass(frozen=True)
class Found:
    """A remote as it is now.

    Attributes:
        entries: Its files, sorted by name.
        about: What the host says of it: ``commit``, ``owner``, ``repository``, ``licence``, ``changed``.
        fetched: Where files that hold rows were put, by name.
    """

    entries: tuple[Entry, ...]
    about: dict[str, str] = field(default_factory=dict)
    fetched: dict[str, Path] = field(default_factory=dict)


class Visit:
    """Reads remotes, and keeps what it fetched until it is closed.

    Args:
        download: Whether every file is fetched, also when its host states its SHA-256.
        tables: Whether files that may hold rows are kept while the visit lasts.
    """

    def __init__(self, *, download: bool) -> None:
        self._download = download
        self._closing = ExitStack()
        self._folder = Path(self._closing.enter_context(tempfile.TemporaryDirectory(prefix="toadstone-")))
        self._client = Client(Access(digests=download))
        self._closing.callback(self._client.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def found(self, target: str, is_table: Sequence[str]) -> Found:
        """Read one remote.

        Args:
            target: Its address.
            is_table: Suffixes of the files that may hold rows.

        Raises:
            UsageError: The address is of no form that is known, or the server does not give what it should.
        """
        about: dict[str, str] = {}
        try:
            files = list(self._files(target, about))
            fetched: dict[str, Path] = {}
            entries = [self._entry(target, one, is_table, fetched) for one in files]
        except BlobError as error:
            raise UsageError(
                f"{target}: {error}.", "See that the server is there and gives the whole of it, then try again."
            ) from None
        return Found(tuple(sorted(entries, key=lambda entry: entry.path.encode())), about, fetched)

    def holds(self, target: str) -> bool:
        """Whether a commit is still to be had."""
        try:
            next(iter(Hub(self._client, target).files()), None)
        except RemoteError:
            return False
        return True

    def _files(self, target: str, about: dict[str, str]) -> Iterator[RemoteFile]:
        scheme = target.partition("://")[0].lower()
        if scheme in ("https", "http"):
            yield web_file(self._client, target)
        elif scheme == "hf":
            hub = Hub(self._client, target)
            yield from hub.files()
            about.update(hub.about)
        elif scheme == "s3":
            yield from Bucket(self._client, target).files()
        else:
            raise UsageError(f"{target}: {scheme}:// is not read.", "Remotes are hf://, https:// and s3://.")

    def _entry(self, target: str, file: RemoteFile, is_table: Sequence[str], fetched: dict[str, Path]) -> Entry:
        if file.trouble or file.remote is None:
            raise RemoteError(file.trouble or "it cannot be read")
        path = file.shown[len(target.rstrip("/")) + 1 :] or file.name
        claimed = file.claimed.get("sha256", "")
        if claimed and not self._download:
            return Entry(path, FILE, file.remote.size, claimed)
        place = self._folder / str(len(fetched)) / Path(file.name).name if file.name.lower().endswith(tuple(is_table)) else None
        size, sha256, fast = self._fetched(file, place)
        if claimed and claimed != sha256:
            raise RemoteError(f"{path} has the SHA-256 {sha256[:12]}…, {file.server} states {claimed[:12]}…")
        if place is not None:
            fetched[path] = place
        return Entry(path, FILE, size, sha256, fast)

    def _fetched(self, file: RemoteFile, place: Path | None) -> tuple[int, str, str]:
        """Fetch a file whole, hash it, and compare it with what git says of it."""
        assert file.remote is not None
        sha, fast, size = hashlib.sha256(), blake3(), 0
        with ExitStack() as closing:
            closing.callback(file.remote.close)
            blob = file.open()
            closing.callback(blob.close)
            git = hashlib.sha1(f"blob {blob.size}\0".encode(), usedforsecurity=False)
            stream = None
            if place is not None:
                place.parent.mkdir(parents=True, exist_ok=True)
                stream = closing.enter_context(place.open("wb"))
            for chunk in blob.chunks():
                for hasher in (sha, fast, git):
                    hasher.update(chunk)
                size += len(chunk)
                if stream is not None:
                    stream.write(chunk)
            if size != blob.size:
                raise RemoteError(f"{file.name} gave {size:,} of {blob.size:,} bytes")
        stated = file.claimed.get("git-sha1", "")
        if stated and stated != git.hexdigest():
            raise RemoteError(f"{file.name} is not what its git id {stated[:12]}… says")
        return size, sha.hexdigest(), fast.hexdigest()


def pin_of(target: str, found: Found) -> Pin:
    """Make the pin of a remote; tables are added by the caller."""
    about = found.about
    return Pin(
        target,
        "remote",
        folder_root(list(found.entries)).hex(),
        sum(entry.size for entry in found.entries),
        len(found.entries),
        revision=about.get("commit", ""),
        owner=about.get("owner", ""),
        repository=about.get("repository", ""),
        licence=about.get("licence", ""),
        entries=found.entries,
    )


def recent(target: str, found: Found, now: dt.datetime) -> str:
    """Say that a source was edited shortly before it was pinned; empty when it was not, or nobody knows."""
    changed = found.about.get("changed", "")
    try:
        age = now - dt.datetime.fromisoformat(changed)
    except (ValueError, TypeError):
        return ""
    if not dt.timedelta(0) <= age < _RECENT:
        return ""
    hours = int(age.total_seconds() // 3600)
    return (
        f"{target} was last changed {hours} hours before it was pinned; look at that change (edits before a snapshot poison it)"
    )


def told_changes(pin: Pin, found: Found, visit: Visit) -> Iterator[Change]:
    """Compare what the host says of a repository with what it said."""
    about = found.about
    if pin.owner and about.get("owner", pin.owner) != pin.owner:
        yield Change("owner", note=f"it was {pin.owner}, it is {about['owner']}")
    if pin.repository and about.get("repository", pin.repository) != pin.repository:
        yield Change("owner", note="another repository has taken this name: its number differs")
    commit = about.get("commit", "")
    if pin.revision and commit != pin.revision:
        gone = "" if visit.holds(_at(pin.name, pin.revision)) else "; the pinned commit is gone: history was rewritten"
        yield Change("reference", note=f"it led to {pin.revision[:12]} and leads to {commit[:12]}{gone}")


def _at(target: str, revision: str) -> str:
    """Give the address of the whole repository at a commit."""
    kinds = ("datasets", "spaces", "models")
    parts = target.removeprefix("hf://").split("/")
    kept = parts[: 3 if parts[0] in kinds else 2]
    kept[-1] = kept[-1].partition("@")[0]
    return f"hf://{'/'.join(kept)}@{revision}"
