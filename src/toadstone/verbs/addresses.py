"""What the addresses in a data set lead to, fetched with the defences of a scan: many at once, each hashed as it comes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from toadstone.core.blob import BlobError
from toadstone.core.errors import UsageError
from toadstone.identity.lock import TablePin
from toadstone.identity.url_digests import GONE, KNOWN, UrlDigests
from toadstone.remotes.access import Access
from toadstone.remotes.client import Answer, Client
from toadstone.remotes.trouble import PassingError, RemoteError, StatusError
from toadstone.tables.dataset import Dataset, Trouble

LARGEST = 256 << 20
"""Bytes that one address may give."""
_AT_ONCE = 8
_CHUNK = 1 << 20
_GONE = (404, 410)


@dataclass(frozen=True)
class Fetched:
    """What an address led to.

    Attributes:
        row: Of the data set.
        digest: SHA-256; None when it could not be had.
        md5: Which older lists of addresses state.
        gone: Whether the server says that there is nothing.
        trouble: Why it could not be had.
    """

    row: int
    digest: bytes | None
    md5: bytes = b""
    gone: bool = False
    trouble: str = ""


def read_column(dataset: Dataset, column: str) -> list[str]:
    """Read a column of texts.

    Raises:
        UsageError: There is no such column, or rows cannot be read.
    """
    if column not in dataset.schema.names:
        raise UsageError(f"{dataset.name} has no column {column!r}.", f"Its columns: {', '.join(dataset.schema.names)}.")
    found: list[str] = []
    for fragment in dataset.fragments:
        for batch in fragment.batches([column]):
            if isinstance(batch, Trouble):
                raise UsageError(f"{dataset.name} cannot be read: {batch.reason}.")
            found += ["" if value is None else str(value) for value in batch.column(0).to_pylist()]
    return found


def host_of(url: str) -> str:
    """Give the host of an address; empty when it is none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


class Fetcher:
    """Fetches addresses.

    Args:
        hosts: Hosts, as ``name`` or ``name:port``, that may be asked although their addresses are private: whoever made the data
            must not choose which machines of yours are asked.
    """

    def __init__(self, hosts: Sequence[str] = ()) -> None:
        self._client = Client(Access(hosts=tuple(hosts)))

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def fetched(self, urls: Mapping[int, str], progress: Callable[[int, int], None] | None = None) -> Iterator[Fetched]:
        """Fetch addresses, several at once, and give what they led to in the order of the rows.

        Args:
            urls: By row.
            progress: Called with how many are done, and how many there are.
        """
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for number, found in enumerate(pool.map(self._one, urls, urls.values()), 1):
                if progress is not None:
                    progress(number, len(urls))
                yield found

    def _one(self, row: int, url: str) -> Fetched:
        scheme = url.partition("://")[0].lower()
        if scheme not in ("http", "https") or any(not "!" <= sign <= "~" for sign in url):
            return Fetched(row, None, trouble="it is no web address")
        try:
            return Fetched(row, *self._client.exchange(url, self._hashed))
        except StatusError as error:
            return Fetched(row, None, gone=error.status in _GONE, trouble=str(error))
        except BlobError as error:
            return Fetched(row, None, trouble=str(error))

    def _hashed(self, answer: Answer) -> tuple[bytes, bytes]:
        hasher, other, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        while piece := answer.read(_CHUNK):
            size += len(self._client.took(piece))
            if size > LARGEST:
                raise RemoteError(f"it gives more than {LARGEST >> 20} MiB")
            hasher.update(piece)
            other.update(piece)
        if answer.length > size:
            raise PassingError("the answer is cut short")
        return hasher.digest(), other.digest()


class Expected:
    """What the addresses of a table should lead to.

    Args:
        urls: Of the rows.
        stated: Digests that a column of the table states, hexadecimal; None: those that were taken when it was pinned.
        taken: Those.
    """

    def __init__(self, urls: Sequence[str], stated: Sequence[str] | None, taken: UrlDigests | None) -> None:
        self.urls = urls
        self._stated = stated
        self._taken = taken

    def rows(self) -> list[int]:
        """Give the rows of which something is known."""
        return [row for row in range(len(self.urls)) if self._of(row) is not None or self._was_gone(row)]

    def judge(self, found: Fetched) -> str:
        """Say what became of an address: ``same``, ``edited``, ``removed``, ``added`` (it leads somewhere) or ``unknown``."""
        if self._was_gone(found.row):
            return "same" if found.gone else "added" if found.digest is not None else "unknown"
        if found.digest is None:
            return "removed" if found.gone else "unknown"
        return "same" if self._of(found.row) in (found.digest, found.md5) else "edited"

    def _was_gone(self, row: int) -> bool:
        return self._taken is not None and self._taken.state(row) == GONE

    def _of(self, row: int) -> bytes | None:
        if self._stated is not None:
            try:
                held = bytes.fromhex(self._stated[row])
            except ValueError:
                return None
            return held if len(held) in (16, 32) else None
        if self._taken is None or self._taken.state(row) != KNOWN:
            return None
        return self._taken.digest(row)


def expected_of(table: TablePin, dataset: Dataset, store: Path) -> Expected:
    """Give what the addresses of a pinned table should lead to.

    Raises:
        ToadstoneError: The digests that were taken are not there.
    """
    urls = read_column(dataset, table.urls)
    if table.url_hashes:
        return Expected(urls, read_column(dataset, table.url_hashes), None)
    return Expected(urls, None, UrlDigests((store / table.content[:32]).with_suffix(".urls"), table.url_index))
