"""A file on a server, as the scan is handed it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from toadstone.core.blob import Blob
from toadstone.core.fact import Claim, Fact, Opinion
from toadstone.core.finding import Json
from toadstone.core.place import Place
from toadstone.remotes.pages import RemoteBlob, open_remote
from toadstone.remotes.ranges import Remote


@dataclass(frozen=True)
class RemoteFile:
    """One file of a remote TARGET, or the reason why it cannot be looked at.

    Attributes:
        shown: The TARGET as typed (without secrets), joined with the relative path below it.
        name: Base name, which decides what a loader does with it.
        server: Who speaks for the file: ``the hub``, ``the bucket``, a host.
        remote: Gives its bytes; None when there is a trouble.
        claimed: Digests as the server states them, by algorithm: ``sha256``, ``git-sha1``.
        origin: Where it comes from, for the report.
        opinion: What the server's own scanners say, by scanner; the overall word under ``status``.
        trouble: Why it cannot be read; empty if it can.
        sibling: Opens a file next to this one by its relative name.
    """

    shown: str
    name: str
    server: str = ""
    remote: Remote | None = None
    claimed: dict[str, str] = field(default_factory=dict)
    origin: dict[str, Json] = field(default_factory=dict)
    opinion: dict[str, str] = field(default_factory=dict)
    trouble: str = ""
    sibling: Callable[[str], Blob | None] = lambda _name: None

    def open(self) -> Blob:
        """Open the content.

        Raises:
            RemoteError: If the server does not give what it should.
        """
        assert self.remote is not None
        return open_remote(self.remote)

    def facts(self, blob: Blob, digests: dict[str, str]) -> Iterator[Fact]:
        """Yield what the server says of the file, compared with what was measured.

        Args:
            blob: The content.
            digests: Its digests; empty when not every byte was read, and then nothing is compared.
        """
        place = Place(self.shown)
        if self.opinion:
            yield Opinion(place, self.server, self.opinion.get("status", ""), dict(self.opinion))
        for algorithm, claimed in self.claimed.items() if digests else ():
            measured = digests["sha256"] if algorithm == "sha256" else git_digest(blob)
            yield Claim(place, self.server, algorithm, claimed, measured)


def is_complete(blob: Blob) -> bool:
    """Whether every byte of a remote file is at hand, so that a digest costs nothing and is of what was scanned."""
    return blob.complete if isinstance(blob, RemoteBlob) else True


def git_digest(blob: Blob) -> str:
    """Give the id that git has for this content: SHA-1 over a header and the bytes."""
    state = hashlib.sha1(f"blob {blob.size}\0".encode(), usedforsecurity=False)
    for chunk in blob.chunks():
        state.update(chunk)
    return state.hexdigest()


def believable(path: str) -> str:
    """Say what is wrong with the path that a server gives a file; empty when nothing is."""
    parts = path.split("/")
    if not path or len(path) > 1024 or len(parts) > 64:
        return "its name is empty or longer than any real one"
    if path.startswith("/") or "\\" in path or any(part in ("", ".", "..") for part in parts):
        return "its name climbs out of the folder or is no path"
    if not path.isprintable():
        return "its name has control or invisible characters"
    return ""
