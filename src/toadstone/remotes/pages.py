"""A remote file as a blob: pages are fetched when they are read, and never twice."""

from __future__ import annotations

import os
import tempfile
from collections import OrderedDict
from collections.abc import Iterable

from toadstone.core.blob import SMALL, Blob, BytesBlob
from toadstone.remotes.access import Limits
from toadstone.remotes.ranges import Remote
from toadstone.remotes.trouble import RemoteError

_FIRST = 1 << 16
"""Bytes that are asked for when the size of a file is not known yet."""
_TOGETHER = 1_000
"""Pages that are fetched together; fewer than are kept in memory."""


class _Kept:
    """Pages that were fetched: the latest in memory, all of them in an unnamed temporary file.

    What is read again is what was read before, whatever the server would say now. Files too large for that are kept in
    memory only, the latest pages.
    """

    def __init__(self, size: int, limits: Limits) -> None:
        self._page = limits.page
        self._room = max(limits.cache // limits.page, 2)
        self._latest: OrderedDict[int, bytes] = OrderedDict()
        self._count = -(-size // limits.page)
        self._file = tempfile.TemporaryFile() if size <= limits.kept else None  # noqa: SIM115  (closed with the pages)
        self._there = bytearray(-(-self._count // 8)) if self._file is not None else bytearray()
        self._missing = self._count

    @property
    def complete(self) -> bool:
        """Whether every page is there."""
        return self._file is not None and not self._missing

    def __contains__(self, number: int) -> bool:
        return number in self._latest or bool(self._there and self._there[number >> 3] >> (number & 7) & 1)

    def get(self, number: int) -> bytes | None:
        page = self._latest.get(number)
        if page is not None:
            self._latest.move_to_end(number)
        elif number in self:
            assert self._file is not None
            page = os.pread(self._file.fileno(), self._page, number * self._page)
            self._remember(number, page)
        return page

    def put(self, number: int, page: bytes) -> None:
        self._remember(number, page)
        if self._file is not None:
            os.pwrite(self._file.fileno(), page, number * self._page)
            self._there[number >> 3] |= 1 << (number & 7)
            self._missing -= 1

    def _remember(self, number: int, page: bytes) -> None:
        self._latest[number] = page
        if len(self._latest) > self._room:
            self._latest.popitem(last=False)

    def close(self) -> None:
        self._latest.clear()
        if self._file is not None:
            self._file.close()


class RemoteBlob(Blob):
    """A remote file, fetched page by page as it is read.

    Jumping about costs a page a jump. Reading on and on doubles the range with every request, so a stream costs few
    requests, and never more than twice what was read.
    """

    def __init__(self, remote: Remote, size: int) -> None:
        limits = remote.client.limits
        self.size = size
        self._remote = remote
        self._page, self._ahead = limits.page, limits.ahead
        self._last = (size - 1) // limits.page
        self._kept = _Kept(size, limits)
        self._stop = -1
        self._step = 1
        self._allowance = 4 * size + limits.whole

    @property
    def complete(self) -> bool:
        """Whether every byte was fetched, and is at hand."""
        return self._kept.complete

    def begin(self, head: bytes) -> None:
        """Keep what was fetched already; a page that is not whole is fetched again."""
        for number in range(len(head) // self._page):
            self._kept.put(number, head[number * self._page : (number + 1) * self._page])

    def read(self, offset: int, size: int) -> bytes:
        if offset < 0 or size <= 0 or offset >= self.size:
            return b""
        stop = min(offset + size, self.size)
        first, last = offset // self._page, (stop - 1) // self._page
        if not self._stop - self._page <= offset <= self._stop:  # a jump; what goes on reads on where it stopped
            self._step = 1
        self._stop = stop
        parts: list[bytes] = []
        number = first
        while number <= last:
            page = self._kept.get(number)
            parts += [page] if page is not None else self._fetch(number, last)
            number = first + len(parts)
        data = parts[0] if len(parts) == 1 else b"".join(parts[: last - first + 1])
        return data[offset - first * self._page : stop - first * self._page]

    def expect(self, spans: Iterable[tuple[int, int]]) -> None:
        """Fetch the pages of these spans, several at a time; the very pages that reading them one by one would fetch."""
        runs = self._runs(spans)
        together = self._remote.client.limits.together
        if len(runs) < 2 or together < 2:
            return
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (only for remotes with directories)

        def fetched(run: tuple[int, int]) -> tuple[int, bytes]:
            first, count = run
            try:
                return first, self._remote.fetch(first * self._page, count * self._page)
            except RemoteError:
                return first, b""  # whoever reads there is told

        with ThreadPoolExecutor(together) as pool:
            for first, data in pool.map(fetched, runs):
                self._allowance -= len(data)
                for at in range(0, len(data), self._page):
                    self._kept.put(first + at // self._page, data[at : at + self._page])

    def _runs(self, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Give the missing pages of spans as ``(first, count)``, as many as are kept."""
        wanted: set[int] = set()
        for offset, size in spans:
            if 0 <= offset < self.size and size > 0:
                pages = range(offset // self._page, min(offset + size - 1, self.size - 1) // self._page + 1)
                wanted.update(number for number in pages if number not in self._kept)
            if len(wanted) > _TOGETHER:
                break
        runs: list[tuple[int, int]] = []
        for number in sorted(wanted)[:_TOGETHER]:
            if runs and sum(runs[-1]) == number and runs[-1][1] * self._page < self._ahead:
                runs[-1] = (runs[-1][0], runs[-1][1] + 1)
            else:
                runs.append((number, 1))
        return runs

    def _fetch(self, number: int, last: int) -> list[bytes]:
        """Fetch pages from a number to the last that is wanted, and more when reading goes on where it stopped."""
        most = max(self._ahead // self._page, 1)
        count = min(max(last - number + 1, self._step), most, self._last + 1 - number)
        count = next((run for run in range(1, count) if number + run in self._kept), count)
        self._step = min(self._step * 2, most)
        start = number * self._page
        self._allowance -= count * self._page
        if self._allowance < 0:
            self._remote.give_up("reading this file needs its bytes many times over; given up")
        data = self._remote.fetch(start, count * self._page)
        if len(data) != min(count * self._page, self.size - start):
            self._remote.give_up(f"the server sent {len(data):,} bytes of a range of {count * self._page:,}")
        pages = [data[at : at + self._page] for at in range(0, len(data), self._page)]
        for index, page in enumerate(pages):
            self._kept.put(number + index, page)
        return pages

    def close(self) -> None:
        self._kept.close()
        self._remote.close()


def open_remote(remote: Remote) -> Blob:
    """Open a remote file: a small one whole (so that what is hashed is what is scanned), a larger one page by page.

    Raises:
        RemoteError: If the server does not give what it should.
    """
    if 0 <= remote.size <= SMALL:
        return BytesBlob(remote.fetch(0, remote.size))
    head = remote.fetch(0, _FIRST if remote.size < 0 else remote.client.limits.page)
    if remote.whole is not None:
        return remote.whole
    if remote.size <= SMALL:
        return BytesBlob(head + remote.fetch(len(head), remote.size - len(head)))
    blob = RemoteBlob(remote, remote.size)
    blob.begin(head)
    return blob
