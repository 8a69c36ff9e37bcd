"""Remote TARGETs in a scan: listed, opened, judged; whatever a server does wrong leaves a file unread."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

from toadstone.core.blob import Blob, BlobError, BytesBlob, FileBlob
from toadstone.core.digest import digests
from toadstone.core.place import Place
from toadstone.core.report import Gap, Subject
from toadstone.remotes.access import Access
from toadstone.remotes.client import Client
from toadstone.remotes.files import RemoteFile, is_complete
from toadstone.remotes.target import expand
from toadstone.verbs.scan import Scanner


class Remotes:
    """All remotes of one scan.

    Args:
        access: What the user allows; by default nothing beyond the bytes that are needed.
    """

    def __init__(self, access: Access | None = None) -> None:
        self._client = Client(access or Access())

    @property
    def received(self) -> int:
        """Bytes of content and listings that came so far."""
        return self._client.received

    def expand(self, target: str, exclude: tuple[str, ...] = ()) -> Iterator[RemoteFile]:
        """List the files of a TARGET.

        Raises:
            UsageError: If the address is of no form that is known.
        """
        return expand(self._client, target, exclude)

    def subject(self, scanner: Scanner, file: RemoteFile) -> Subject:
        """Look at one file."""
        if file.trouble or file.remote is None:
            return Subject(file.shown, "unknown", -1, {}, (Gap(Place(file.shown), file.trouble),), origin=file.origin)
        with ExitStack() as closing:
            closing.callback(file.remote.close)
            try:
                blob = file.open()
                closing.callback(blob.close)
                if self._client.access.digests and not isinstance(blob, BytesBlob):
                    blob = _copied(blob, closing)
            except BlobError as error:
                return Subject(
                    file.shown, "unknown", file.remote.size, {}, (Gap(Place(file.shown), str(error)),), origin=file.origin
                )
            return _told(scanner.remote(file, blob, lambda: digests(blob) if is_complete(blob) else {}), file)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def _copied(blob: Blob, closing: ExitStack) -> Blob:
    """Fetch everything into an unnamed temporary file: what is hashed is what is scanned."""
    copy = closing.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  (closed with the subject)
    for piece in blob.chunks():
        copy.write(piece)
    copy.flush()
    return FileBlob(copy)


def _told(subject: Subject, file: RemoteFile) -> Subject:
    """Add what the server said; a failure that readers met in several places is told once."""
    remote = file.remote
    assert remote is not None
    origin = {**file.origin, **({"etag": remote.etag} if remote.etag else {})}
    unread = subject.unread
    if remote.failure:
        rest = tuple(gap for gap in unread if remote.failure not in gap.reason)
        unread = (Gap(Place(file.shown), remote.failure), *rest)
    return replace(subject, unread=unread, origin=origin)
