"""Content that was copied, scanned and found clean, in the forms that loaders take: bytes, streams, paths."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO, Any
from weakref import WeakSet

from toadstone.core.blob import CHUNK, Blob, BytesBlob, FileBlob
from toadstone.core.budget import Budget
from toadstone.core.errors import UnsafeError, UsageError
from toadstone.core.place import Place
from toadstone.core.policy import Config, Policy
from toadstone.core.report import Report
from toadstone.core.shield import shielded
from toadstone.readers.pickle.machine import Machine
from toadstone.readers.pickle.skim import Skimmed, skim
from toadstone.readers.pickle.tape import Tape
from toadstone.verbs.open_clean import refuse
from toadstone.verbs.scan import Scanner, scan

_judged: WeakSet[Any] = WeakSet()
"""Streams over content that was found clean."""


def is_judged(file: Any) -> bool:  # noqa: ANN401  (whatever a loader takes)
    """Whether a loader reads on from a copy that was judged already."""
    return isinstance(file, io.IOBase) and file in _judged


class Judge:
    """Copies what a loader is about to read, scans the copy, and gives the copy or raises.

    Args:
        config: Settings of the checks.
        policy: Gate and waivers.
    """

    def __init__(self, config: Config, policy: Policy) -> None:
        self._config = config
        self._policy = policy
        self._scanner = Scanner(config, policy)

    def content(self, blob: Blob, shown: str, what: str, hint: str = "") -> None:
        """Scan bytes.

        Raises:
            UnsafeError: If they are not clean.
        """
        refuse(Report((self._scanner.blob(blob, shown, hint=hint),)), self._policy, f"{what} refused {shown}")

    def pickle(self, data: bytes, what: str) -> bytes:
        """Give the first pickle of some bytes, scanned.

        Raises:
            UnsafeError: If it is not clean.
        """
        blob = BytesBlob(data)
        stop = pickle_end(blob, 0)
        self.content(BytesBlob(data[:stop]), "the pickle in memory", what, "pickle")
        return data[:stop]

    def opened(self, file: Any, what: str) -> IO[bytes]:  # noqa: ANN401  (whatever a loader takes)
        """Give a scanned copy of a file, positioned at its start.

        Args:
            file: A path, or a binary stream, of which everything from its position on is taken.
            what: The loader's name.

        Raises:
            UnsafeError: If it is not clean, or cannot be scanned before it is loaded.
            UsageError: If it cannot be read.
        """
        shown = name_of(file)
        with contextlib.ExitStack() as on_failure:
            copy = on_failure.enter_context(tempfile.TemporaryFile())
            fill(copy, file, what)
            self.content(FileBlob(copy), shown, what)
            on_failure.pop_all()  # the loader closes it
        copy.seek(0)
        _judged.add(copy)
        return copy

    def folder(self, path: str | os.PathLike[str], what: str, into: Path) -> Path:
        """Give a scanned copy of a file or a folder under its own name.

        Args:
            path: What the loader was asked for.
            what: The loader's name.
            into: A private folder that takes the copy.

        Raises:
            UnsafeError: If it is not clean.
            UsageError: If it cannot be read.
        """
        here = Path(path)
        there = into / (here.name or "model")
        try:
            if here.is_dir():
                shutil.copytree(here, there)
            else:
                shutil.copyfile(here, there)
        except OSError as error:
            raise UsageError(f"{here} cannot be read: {error.strerror or 'not all of it can be copied'}.") from None
        refuse(scan(there, config=self._config, policy=self._policy), self._policy, f"{what} refused {here}")
        return there


class PickleStream(io.RawIOBase):
    """A copy of a stream, given out one judged pickle at a time: reading ends where the judged pickle does.

    Args:
        judges: Decide; all have to agree.
        file: The stream that the user's program gave; it is read to its end now, and positioned behind each pickle later.
        what: The loader's name.

    Raises:
        UnsafeError: If the stream cannot be read twice.
    """

    def __init__(self, judges: list[Judge], file: Any, what: str) -> None:  # noqa: ANN401  (whatever a loader takes)
        super().__init__()
        self._judges, self._file, self._what = judges, file, what
        self._shown = name_of(file)
        self._copy = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the stream)
        self._start = position_of(file, what)
        fill(self._copy, file, what)
        self._blob = FileBlob(self._copy)
        self._at = self._stop = 0

    def judge_next(self) -> None:
        """Scan the next pickle and allow it to be read.

        Raises:
            UnsafeError: If it is not clean.
        """
        stop = pickle_end(self._blob, self._at)
        for judge in self._judges if stop > self._at else ():
            judge.content(self._blob.window(self._at, stop - self._at), self._shown, self._what, "pickle")
        self._stop = stop

    def done(self) -> None:
        """Position the user's stream behind what was read."""
        self._file.seek(self._start + self._at)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  (any writable buffer)
        view = memoryview(buffer).cast("B")
        data = self._blob.read(self._at, min(len(view), self._stop - self._at))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def read(self, size: int | None = -1) -> bytes:
        """Give bytes of the judged pickle."""
        left = self._stop - self._at
        data = self._blob.read(self._at, left if size is None or size < 0 else min(size, left))
        self._at += len(data)
        return data

    def readline(self, size: int | None = -1) -> bytes:
        """Give a line of the judged pickle."""
        found = bytearray()
        limit = self._stop - self._at if size is None or size < 0 else min(size, self._stop - self._at)
        while len(found) < limit:
            piece = self._blob.read(self._at + len(found), min(256, limit - len(found)))
            end = piece.find(b"\n")
            found += piece if end < 0 else piece[: end + 1]
            if end >= 0:
                break
        self._at += len(found)
        return bytes(found)

    def close(self) -> None:
        if not self.closed:
            self._copy.close()
        super().close()


def pickle_end(blob: Blob, start: int) -> int:
    """Tell where the pickle that begins at ``start`` ends; at the end of the blob when that cannot be told."""
    skimmed = skim(blob, start, None)
    if isinstance(skimmed, Skimmed):
        return skimmed.end
    budget = Budget.of(blob.size)
    machine = Machine(Tape(blob, None), Place(""), None, {}, budget.spend_steps)
    run = machine.run(start)
    ended: list[int] = []

    def followed() -> Any:  # noqa: ANN401  (a generator of facts that nobody needs)
        stream = yield from run
        if not stream.broken:
            ended.append(stream.end)

    for _ in shielded(followed(), lambda _reason: None):
        pass
    return ended[0] if ended else blob.size


def name_of(file: Any) -> str:  # noqa: ANN401  (whatever a loader takes)
    """Give the name under which a file is scanned and told of."""
    if isinstance(file, (str, bytes, os.PathLike)):
        return os.fsdecode(file)
    name = getattr(file, "name", "")
    return name if isinstance(name, str) and name else "the stream"


def position_of(file: Any, what: str) -> int:  # noqa: ANN401  (whatever a loader takes)
    """Give the position of a stream.

    Raises:
        UnsafeError: If it has none, so that its content cannot be scanned first.
    """
    try:
        return int(file.tell())
    except (AttributeError, OSError, ValueError):
        advice = "Read it into memory or into a file first, and load that."
        raise UnsafeError(
            f"{what} refused {name_of(file)}: a stream that cannot be read twice cannot be scanned first.", advice
        ) from None


def fill(copy: IO[bytes], file: Any, what: str) -> None:  # noqa: ANN401  (whatever a loader takes)
    """Copy a file, or a stream from its position on.

    Raises:
        UnsafeError: If a stream gives no bytes.
        UsageError: If it cannot be read.
    """
    if isinstance(file, (str, bytes, os.PathLike)):
        try:
            with Path(os.fsdecode(file)).open("rb") as stream:
                shutil.copyfileobj(stream, copy, CHUNK)
        except OSError as error:
            raise UsageError(f"{os.fsdecode(file)} cannot be read: {error.strerror}.") from None
    else:
        while piece := file.read(CHUNK):
            if not isinstance(piece, bytes):
                raise UnsafeError(f"{what} refused {name_of(file)}: it gives no bytes.", "Open it in binary mode.")
            copy.write(piece)
    copy.flush()
