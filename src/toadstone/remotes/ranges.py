"""Parts of a remote file, all of the same version of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from toadstone.core.blob import Blob, SpooledBlob
from toadstone.remotes.client import Answer, Client, origin
from toadstone.remotes.trouble import PassingError, RemoteError, StatusError, plain

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.IGNORECASE)
_EMPTY = re.compile(r"bytes \*/0", re.IGNORECASE)
_EXPIRED = {401, 403, 404, 410}
"""What stores answer once a signed address is out of date."""


@dataclass
class Piece:
    """What one request gave.

    Attributes:
        data: The bytes; empty when the whole file came instead.
        total: Bytes of the file.
        etag: The server's word for this version of the content.
        url: Where the content really lies.
        told: Headers of redirects on the way.
        whole: The whole file, when the server serves no ranges.
    """

    data: bytes
    total: int
    etag: str
    url: str
    told: dict[str, str] = field(default_factory=dict)
    whole: Blob | None = None


class Remote:
    """One file on a server: every range of it, held to the version that the first one gave.

    Args:
        client: Makes the requests.
        address: Gives the URL; asked again when a signed one has expired.
        size: Bytes as a listing declared them; -1 when nobody did.
        secret: Value of ``Authorization`` for the host of the address.
        headers: Further headers of every request.
        verify: Looks at each piece; raises `RemoteError` when something else contradicts the listing.

    Attributes:
        etag: The server's word for the version that is read.
        whole: The whole file, once a server that serves no ranges has given it.
    """

    def __init__(
        self,
        client: Client,
        address: Callable[[], str],
        size: int = -1,
        *,
        secret: str = "",
        headers: dict[str, str] | None = None,
        verify: Callable[[Piece], None] = lambda _piece: None,
    ) -> None:
        self.client = client
        self.size = size
        self.etag = ""
        self._address = address
        self._secret = secret
        self._headers = headers or {}
        self._verify = verify
        self._direct = ""
        self.whole: Blob | None = None
        self._pieces = 0
        self._failure: RemoteError | None = None

    @property
    def failure(self) -> str:
        """What ended the reading of this file; empty while all is well."""
        return str(self._failure or "")

    def fetch(self, start: int, length: int) -> bytes:
        """Give the bytes of a range, cut at the end of the file.

        Raises:
            RemoteError: If the server does not give them; from then on always.
        """
        if self._failure is not None:
            raise self._failure
        try:
            return self._fetched(start, length)
        except RemoteError as error:
            self._failure = error
            raise

    def give_up(self, reason: str) -> None:
        """Refuse everything from now on.

        Raises:
            RemoteError: Always.
        """
        self._failure = RemoteError(reason)
        raise self._failure

    def _fetched(self, start: int, length: int) -> bytes:
        if self.whole is not None:
            return self.whole.read(start, length)
        if self.size >= 0:
            length = min(length, self.size - start)
            if length <= 0:
                return b""
        if self.size > self.client.limits.largest:
            raise RemoteError(f"the server claims {self.size:,} bytes, more than any file that is believed")
        piece = self._asked(start, length)
        self._same(piece)
        self._pieces += 1
        if piece.whole is not None:
            self.whole = piece.whole
            return self.whole.read(start, length)
        return piece.data

    def _asked(self, start: int, length: int) -> Piece:
        """Ask where the content really lies, or anew from the beginning when that address has expired."""
        if self._direct:
            try:
                return self._request(self._direct, "", start, length)
            except StatusError as error:
                if error.status not in _EXPIRED:
                    raise
                self._direct = ""
        piece = self._request(self._address(), self._secret, start, length)
        self._verify(piece)
        return piece

    def _request(self, url: str, secret: str, start: int, length: int) -> Piece:
        headers = {**self._headers, "Range": f"bytes={start}-{start + length - 1}"}
        try:
            piece = self.client.exchange(url, lambda answer: self._taken(answer, start, length), headers, secret)
        except StatusError as error:
            if error.status == 416 and start == 0 and self.size <= 0 and "Range" in headers:
                # what is empty has no range; whether it is empty, only an answer with content says
                return self.client.exchange(url, lambda answer: self._taken(answer, start, length), self._headers, secret)
            if error.status == 412:
                raise RemoteError("the file changed on the server while it was being read") from None
            raise
        if piece.url != url and (not secret or origin(urlsplit(piece.url)) != origin(urlsplit(url))):
            self._direct = piece.url
        return piece

    def _same(self, piece: Piece) -> None:
        """Hold a piece to the version of the first one."""
        if self.size >= 0 and piece.total != self.size:
            raise RemoteError(f"the file has {piece.total:,} bytes now; {self.size:,} were declared before")
        if self._pieces and piece.etag != self.etag:
            raise RemoteError(f"the file changed on the server while it was being read (ETag {plain(piece.etag, 80)!r})")
        self.size = piece.total
        self.etag = piece.etag

    def _taken(self, answer: Answer, start: int, length: int) -> Piece:
        etag = answer.header("ETag") or answer.header("Last-Modified")
        if answer.status == 200:
            return self._all(answer, etag)
        match = _RANGE.fullmatch(answer.header("Content-Range"))
        if match is None:
            raise RemoteError(f"the server answers with the range {plain(answer.header('Content-Range'), 80)!r}")
        first, last, total = (int(number) for number in match.groups())
        if first != start or last != min(start + length, total) - 1:
            raise RemoteError(
                f"the server answers with bytes {first:,}-{last:,} of {total:,}; asked for {length:,} from {start:,}"
            )
        size = last - first + 1
        if answer.length not in (-1, size):
            raise RemoteError(f"the server declares {answer.length:,} bytes for a range of {size:,}")
        data = self.client.took(answer.read(size))
        if len(data) < size:
            raise PassingError(f"the server sent {len(data):,} of {size:,} bytes")
        if answer.read(1):
            raise RemoteError(f"the server sends more than the {size:,} bytes that it declares")
        return Piece(data, total, etag, answer.url, dict(answer.told))

    def _all(self, answer: Answer, etag: str) -> Piece:
        """Take a whole file from a server that serves no ranges."""
        limits = self.client.limits
        most = limits.largest if self.client.access.digests else limits.whole
        if self._pieces:
            raise RemoteError("the server served ranges before and does not any more")
        if answer.length > most:
            raise RemoteError(
                f"the server serves no ranges, and the file has {answer.length:,} bytes (--digests fetches it whole all the same)"
            )
        blob = SpooledBlob(self._pieces_of(answer, most))
        if answer.length not in (-1, blob.size):
            raise PassingError(f"the server sent {blob.size:,} of {answer.length:,} bytes")
        return Piece(b"", blob.size, etag, answer.url, dict(answer.told), blob)

    def _pieces_of(self, answer: Answer, most: int) -> Iterator[bytes]:
        most = min(most, self.size) if self.size >= 0 else most
        got = 0
        while data := answer.read(1 << 18):
            got += len(data)
            if got > most:
                raise RemoteError(f"the server serves no ranges and sends more than {most:,} bytes")
            yield self.client.took(data)

    def close(self) -> None:
        """Release a file that was taken whole."""
        if self.whole is not None:
            self.whole.close()
