"""Data sets on servers: fetched whole into a private folder, so that what is examined is what is split.

Every pass over the rows has to see the same bytes, and a bucket or a server may exchange them at any time. The copy is held to
one version by the ranges it is made of (see `toadstone.remotes.ranges`), compared with the digest that its server states, and
removed when the data set is no longer used.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import weakref
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from toadstone.core.blob import BlobError, FileBlob
from toadstone.core.errors import UnreadError, UsageError
from toadstone.engine.progress import Progress
from toadstone.remotes.access import Access
from toadstone.remotes.client import Client
from toadstone.remotes.files import RemoteFile, git_digest
from toadstone.remotes.target import expand
from toadstone.tables.dataset import Dataset
from toadstone.tables.folder import SUFFIXES, suffix_of
from toadstone.tables.open import open_dataset

_STEP = 4 << 20
"""Bytes of one request."""
_SPARE = 256 << 20
"""Bytes that stay free in the temporary folder: the examination needs it, too."""


def fetched(target: str, name: str, access: Access | None = None, progress: Progress | None = None) -> Dataset:
    """Fetch a data set and open it.

    Args:
        target: Address of a file, or of a folder of files: ``s3://``, ``hf://``, ``https://``.
        name: The address as it may be shown.
        access: How servers are read.
        progress: Called with ``fetching``, the megabytes that came, and all of them.

    Raises:
        UsageError: It is no data set, or no address.
        UnreadError: A server does not give what it should.
    """
    copy = _Copy()
    with closing(Client(replace(access or Access(), digests=True))) as client:
        files = _files(client, target, name)
        whole = files[0].shown == name
        sizes = [file.remote.size for file in files if file.remote is not None]
        _room(name, sum(size for size in sizes if size > 0))
        told = _Told(progress, sum(max(size, 0) for size in sizes))
        places = [copy.place(file.name if whole else file.shown[len(name.rstrip("/")) + 1 :]) for file in files]
        for file, place in zip(files, places, strict=True):
            _fetch(file, place, told)
    local = str(places[0] if whole else copy.folder)
    try:
        dataset = open_dataset(local)
    except UsageError as error:
        raise UsageError(error.message.replace(local, name), error.advice.replace(local, name)) from None
    troubles = tuple(replace(trouble, reason=trouble.reason.replace(local, name)) for trouble in dataset.troubles)
    etag = files[0].remote.etag if whole and files[0].remote is not None else ""
    return replace(dataset, name=name, troubles=troubles, held=copy, version=etag, copy=local)


class _Copy:
    """A private folder that lives as long as this object, and no longer than the process."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="toadstone-data-"))
        self._end = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def place(self, path: str) -> Path:
        """Give where a file goes: under its own names, without what could lead elsewhere."""
        parts = [re.sub(r"[^\w.=+-]", "_", part).lstrip(".") or "_" for part in path.split("/") if part]
        place = self.folder.joinpath(*(parts or ["data"]))
        place.parent.mkdir(parents=True, exist_ok=True)
        return place


class _Told:
    """Says how much came."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._total = total
        self._came = 0

    def __call__(self, size: int) -> None:
        self._came += size
        if self._progress is not None:
            self._progress("fetching", self._came >> 20, max(self._total, self._came) >> 20)


def _files(client: Client, target: str, name: str) -> list[RemoteFile]:
    found = list(expand(client, target))
    if len(found) == 1 and found[0].trouble:
        raise _unread(name, found[0].trouble)
    if len(found) == 1 and found[0].shown == name:
        return found
    files = [file for file in found if suffix_of(file.name) in SUFFIXES and not file.name.startswith((".", "_"))]
    files = [file for file in files if suffix_of(file.name) != ".json"] or files  # beside data, a .json file describes
    if not files:
        raise UsageError(f"{name} has no data files", f"Data files end in {', '.join(SUFFIXES)}.")
    for file in files:
        if file.trouble:
            raise _unread(file.shown, file.trouble)
    return files


def _room(name: str, size: int) -> None:
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if size + _SPARE > free:
        reason = f"{name} was not fetched: it has {size:,} bytes, and the temporary folder has room for {free:,}."
        raise UnreadError(reason, f"Name a folder with more room than {tempfile.gettempdir()} in TMPDIR.")


def _fetch(file: RemoteFile, place: Path, told: Callable[[int], None]) -> None:
    remote = file.remote
    assert remote is not None
    state = hashlib.sha256()
    offset = 0
    try:
        with closing(remote), place.open("wb") as copy:
            while True:
                data = remote.fetch(offset, _STEP)
                if not offset:
                    _room(file.shown, remote.size)
                if len(data) != min(_STEP, remote.size - offset):
                    remote.give_up(
                        f"the server sent {len(data):,} bytes where {min(_STEP, remote.size - offset):,} were asked for"
                    )
                state.update(data)
                copy.write(data)
                told(len(data))
                offset += len(data)
                if offset >= remote.size:
                    break
    except BlobError as error:
        raise _unread(file.shown, str(error)) from None
    except OSError as error:
        raise _unread(file.shown, f"the copy cannot be written: {error.strerror}") from None
    _compared(file, place, state.hexdigest())


def _compared(file: RemoteFile, place: Path, sha256: str) -> None:
    """Compare the copy with what the server states of it."""
    for algorithm, claimed in file.claimed.items():
        with place.open("rb") as stream:
            measured = sha256 if algorithm == "sha256" else git_digest(FileBlob(stream))
        if measured != claimed:
            raise _unread(file.shown, f"it is not what {file.server} lists: {algorithm} {measured}, not {claimed}")


def _unread(name: str, reason: str) -> UnreadError:
    return UnreadError(
        f"{name} was not read: {reason.rstrip('.')}.", "Look at the address and at your credentials, and start again."
    )
