"""Requests that survive bad servers: redirects judged one by one, bounded retries, secrets that never travel on."""

from __future__ import annotations

import http.client
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from toadstone.core.version import __version__
from toadstone.remotes.access import Access, Limits
from toadstone.remotes.addresses import Reach
from toadstone.remotes.connection import Patience, Wire, ask, connect
from toadstone.remotes.trouble import PassingError, RemoteError, StalledError, StatusError, plain

Result = TypeVar("Result")
Origin = tuple[str, str, int]

_REDIRECTS = {301, 302, 303, 307, 308}
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_SKIPPED = 1 << 16
"""Bytes of an unwanted body that are read to keep a connection."""
_TOLD = ("x-repo-commit", "x-linked-etag", "x-linked-size", "x-error-code", "x-error-message")
"""Headers that a redirect may have and the last answer not."""


@dataclass
class Answer:
    """The headers of an answer, and its body to be read.

    Attributes:
        status: HTTP status.
        url: Where it came from after all redirects.
        told: What the answer and the redirects before it said of the file, by lower-case header name.
        wire: Where it comes from.
    """

    status: int
    url: str
    response: http.client.HTTPResponse
    told: dict[str, str] = field(default_factory=dict)
    wire: Wire | None = None

    def header(self, name: str) -> str:
        """Give a header, empty when it is missing."""
        return (self.response.headers.get(name) or "").strip()

    @property
    def length(self) -> int:
        """The declared size of the body, -1 when none is declared.

        Raises:
            RemoteError: If it is no number.
        """
        text = self.header("Content-Length")
        if self.response.chunked or not text:
            return -1
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise RemoteError(f"the server declares a length of {plain(text, 40)!r}")
        return int(text)

    def read(self, size: int) -> bytes:
        """Give the next bytes of the body: ``size``, or fewer at its end."""
        parts: list[bytes] = []
        while size > 0:
            try:
                piece = self.response.read(min(size, 1 << 20))
            except http.client.IncompleteRead as error:
                piece = error.partial if isinstance(error.partial, bytes) else b""
                parts.append(piece)
                break
            except (http.client.HTTPException, ValueError) as error:
                raise PassingError(f"the body is garbled: {plain(str(error) or type(error).__name__)}") from None
            if not piece:
                break
            parts.append(piece)
            size -= len(piece)
            if self.wire is not None:
                self.wire.handed(len(piece))
        return b"".join(parts)


class Client:
    """All traffic of one scan; several threads may ask at once.

    Args:
        access: What the user allows.

    Attributes:
        received: Bytes of bodies that were taken so far.
    """

    def __init__(self, access: Access) -> None:
        self.access = access
        self.limits: Limits = access.limits
        self.reach = Reach(access.hosts)
        self.received = 0
        self._wires: dict[Origin, list[Wire]] = {}
        self._lock = threading.Lock()
        self._failures: dict[Origin, tuple[int, str]] = {}

    def exchange(
        self, url: str, consume: Callable[[Answer], Result], headers: dict[str, str] | None = None, secret: str = ""
    ) -> Result:
        """Make a request, following redirects and trying again when a failure may pass.

        Args:
            url: ``http`` or ``https``.
            consume: Takes the body; called anew for each attempt.
            headers: Further headers; sent to every host on the way, so never a secret.
            secret: Value of ``Authorization``; sent to the host of ``url`` only.

        Raises:
            StatusError: If the server says no.
            RemoteError: If the server does not give what it should.
        """
        parts = _split(url)
        place = origin(parts)
        failed, why = self._failures.get(place, (0, ""))
        if failed >= self.limits.failures:
            raise RemoteError(f"{plain(place[1])} was given up after {failed} failures in a row, the last: {why}")
        try:
            result = self._patiently(parts, consume, headers or {}, secret)
        except StatusError as error:
            raise StatusError(f"{plain(place[1])}: {error}", error.status, error.code) from None
        except RemoteError as error:
            if isinstance(error, StalledError):
                self._failures[place] = (failed + 1, str(error))
            raise RemoteError(f"{plain(place[1])}: {error}") from None
        self._failures.pop(place, None)
        return result

    def _patiently(self, url: SplitResult, consume: Callable[[Answer], Result], headers: dict[str, str], secret: str) -> Result:
        patience = Patience(self.limits)
        attempt = 0
        while True:
            try:
                return self._once(url, consume, headers, secret, patience)
            except PassingError as error:
                attempt += 1
                wait = max(error.wait, self.limits.pause * 2 ** (attempt - 1))
                if error.wait > self.limits.wait:
                    raise StalledError(f"{error}; it asks to wait {error.wait:,.0f} seconds") from None
                if attempt >= self.limits.attempts or wait >= patience.left():
                    raise StalledError(f"{error} ({attempt} attempts)") from None
            time.sleep(wait)

    def _once(
        self, url: SplitResult, consume: Callable[[Answer], Result], headers: dict[str, str], secret: str, patience: Patience
    ) -> Result:
        """Make one attempt, with all of its redirects."""
        seen: set[str] = set()
        told: dict[str, str] = {}
        first = url
        while True:
            at = urlunsplit(url)
            if at in seen:
                raise RemoteError("the server redirects in a circle")
            if len(seen) > self.limits.redirects:
                raise RemoteError(f"the server redirects more than {self.limits.redirects} times")
            seen.add(at)
            sent = {"User-Agent": f"toadstone/{__version__}", **headers}
            if secret and origin(url) == origin(first):
                sent["Authorization"] = secret
            wire, proxy = self._wire(url, patience)
            keep = False
            try:
                response = ask(wire, url, sent, proxy)
                answer = Answer(response.status, at, response, told, wire)
                told |= {name: answer.header(name) for name in _TOLD if answer.header(name)}
                if response.status not in _REDIRECTS:
                    _refused(answer)
                    result = consume(answer)
                    keep = _reusable(wire, response)
                    return result
                target = _next(url, answer.header("Location"))
                answer.read(_SKIPPED)
                keep = _reusable(wire, response)
            finally:
                if keep:
                    self._wires.setdefault(origin(url), []).append(wire)
                else:
                    wire.close()
            url = target

    def _wire(self, url: SplitResult, patience: Patience) -> tuple[Wire, SplitResult | None]:
        """Give an idle connection to the host of a URL, or a new one."""
        place = origin(url)
        proxy = None if self.reach.is_named(place[1], place[2]) and _is_near(place[1]) else _proxy(url)
        try:
            idle = self._wires[place].pop()  # one step, so that several threads never share a connection
        except (KeyError, IndexError):
            pass
        else:
            idle.begin(patience)
            return idle, proxy
        if proxy is None:
            return connect(self.reach.resolve(place[1], place[2]), url, self.limits, patience, None), None
        near = origin(proxy)
        self.reach.name(near[1], near[2])
        if _is_near(place[1]):
            raise RemoteError(f"the server sends us to {plain(place[1])}, which is no public address; it was not contacted")
        return connect(self.reach.resolve(near[1], near[2]), url, self.limits, patience, proxy), proxy

    def took(self, data: bytes) -> bytes:
        """Account for bytes of a body."""
        with self._lock:
            self.received += len(data)
        return data

    def close(self) -> None:
        """Close all connections."""
        for wires in self._wires.values():
            for wire in wires:
                wire.close()
        self._wires.clear()


def origin(url: SplitResult) -> Origin:
    """Give scheme, host and port."""
    return url.scheme, (url.hostname or "").lower(), url.port or {"http": 80, "https": 443}.get(url.scheme, 0)


def _split(url: str) -> SplitResult:
    """Take a URL apart; what is no plain web address is refused, and a name or password inside it is dropped.

    Raises:
        RemoteError: If it is no web address.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise RemoteError(f"{plain(url)!r} is no URL") from None
    if parts.scheme not in ("http", "https"):
        raise RemoteError(f"the server sends us to a {plain(parts.scheme or 'relative', 20)!r} address; only the web is read")
    if not parts.hostname or port == 0 or any(not "!" <= character <= "~" for character in url):
        raise RemoteError(f"{plain(url)!r} is no URL")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts._replace(netloc=host if port is None else f"{host}:{port}", fragment="")


def _next(url: SplitResult, location: str) -> SplitResult:
    """Judge where a redirect leads."""
    if not location:
        raise RemoteError("the server redirects to nowhere")
    try:
        joined = urljoin(urlunsplit(url), location)
    except ValueError:
        raise RemoteError(f"the server redirects to {plain(location)!r}, which is no URL") from None
    target = _split(joined)
    if url.scheme == "https" and target.scheme != "https":
        raise RemoteError("the server redirects from https to http, where anybody can change the content")
    return target


def _refused(answer: Answer) -> None:
    """Turn an answer that is no content into an error."""
    status = answer.status
    reason = f"{status} {plain(answer.response.reason, 60)}".strip()
    if status in _PASSING:
        raise PassingError(f"the server answers {reason}", _retry_after(answer.header("Retry-After")))
    if status not in (200, 206):
        said, code = answer.told.get("x-error-message", ""), answer.told.get("x-error-code", "")
        raise StatusError(f"the server answers {reason}" + (f": {plain(said)}" if said else ""), status, plain(code, 40))
    packed = answer.header("Content-Encoding").lower()
    moved = answer.header("Transfer-Encoding").lower()
    if packed in ("", "identity") and moved not in ("", "identity", "chunked"):
        packed = moved
    if packed not in ("", "identity"):
        raise RemoteError(f"the server packs the answer ({plain(packed, 40)}) although it was told not to; it was not unpacked")


def _retry_after(text: str) -> float:
    """Read ``Retry-After``; a date counts as long, since our clock is not the server's."""
    if not text:
        return 0.0
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1e9


def _reusable(wire: Wire, response: http.client.HTTPResponse) -> bool:
    """Whether the next request may use the connection: all was read, and nothing is there that nobody asked for."""
    if response.will_close or not response.isclosed():
        return False
    readable, _, _ = select.select([wire.socket], [], [], 0)
    return not readable


def _is_near(host: str) -> bool:
    """Whether a host is meant literally: this machine, or an address of a private network. Proxies are not asked for it."""
    import ipaddress  # noqa: PLC0415  (only for remotes)

    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def _proxy(url: SplitResult) -> SplitResult | None:
    """Give the user's proxy for a URL, as ``http_proxy``, ``https_proxy`` and ``no_proxy`` say."""
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    from urllib.request import getproxies_environment, proxy_bypass  # noqa: PLC0415  (slow to import)

    found = getproxies_environment()
    address = found.get(url.scheme) or found.get("all")
    if not address or proxy_bypass(url.netloc):
        return None
    proxy = urlsplit(address if "://" in address else f"http://{address}")
    if proxy.scheme != "http" or not proxy.hostname:
        raise RemoteError(f"the proxy {plain(proxy.hostname or address)!r} is of a kind that is not supported; use http://")
    return proxy._replace(netloc=proxy.netloc.rpartition("@")[2])
