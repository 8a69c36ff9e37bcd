"""One connection to a judged address, with every wait and every header bounded."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable
from urllib.parse import SplitResult

from toadstone.remotes.access import Limits
from toadstone.remotes.addresses import Endpoint
from toadstone.remotes.trouble import PassingError, RemoteError, StalledError, plain

_WRAPPING = 16 << 20
"""Bytes that may arrive without content coming of it; one read asks for 1 MiB of content at most."""
_A_BYTE_EACH = 6
"""Bytes on the wire of a chunk that holds one byte."""


class Patience:
    """How long one request may still take: a fixed time, and more for bytes that arrive fast enough."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._began = time.monotonic()
        self._got = 0

    def left(self) -> float:
        """Give the seconds that are left.

        Raises:
            StalledError: If there are none.
        """
        spent = time.monotonic() - self._began
        left = self._limits.patience + self._got / self._limits.rate - spent
        if left <= 0:
            raise StalledError(f"the server is too slow: {self._got:,} bytes in {spent:.0f} seconds")
        return left

    def arrived(self, size: int) -> None:
        """Account for bytes of a body."""
        self._got += size


class _Stream(io.RawIOBase):
    """What comes from a socket, within the patience of the request; headers also within their size."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # (what BufferedReader passes)
        wire = self._wire
        wire.socket.settimeout(min(wire.limits.idle, wire.patience.left()))
        try:
            size = wire.socket.recv_into(buffer)
        except TimeoutError:
            wire.patience.left()
            raise PassingError(f"the server went silent for {wire.limits.idle:.0f} seconds") from None
        except OSError as error:
            raise PassingError(f"the connection broke ({error.strerror or error})") from None
        wire.count(size)
        return size


class Wire:
    """A socket as `http.client` wants it.

    Attributes:
        socket: Connected, with TLS if the URL says so.
        limits: See `Limits`.
        patience: Of the request that is under way.
    """

    def __init__(self, connected: socket.socket, limits: Limits, patience: Patience) -> None:
        self.socket = connected
        self.limits = limits
        self.patience = patience
        self._headers = 0
        self._in_body = False
        self._wrapping = 0
        """Bytes that arrived since the headers and were not handed on."""

    def begin(self, patience: Patience) -> None:
        """Start a request."""
        self.patience = patience
        self._headers = 0
        self._in_body = False

    def body(self) -> None:
        """Say that the headers are through."""
        self._in_body = True
        self._wrapping = 0

    def handed(self, size: int) -> None:
        """Account for bytes of a body that were handed on: what arrives besides is sizes of chunks, trailers and the like."""
        self._wrapping = max(self._wrapping - _A_BYTE_EACH * size, 0)

    def count(self, size: int) -> None:
        """Account for bytes that arrived."""
        if self._in_body:
            self.patience.arrived(size)
            self._wrapping += size
            if self._wrapping > _WRAPPING:
                raise RemoteError("the server sends chunk sizes or trailers without an end around the content")
            return
        self._headers += size
        if self._headers > self.limits.headers:
            raise RemoteError(f"the server sends more than {self.limits.headers:,} bytes before any content")

    def makefile(self, _mode: str, *_rest: object) -> io.BufferedReader:
        """Give a reader; closing it leaves the socket open for the next request."""
        return io.BufferedReader(_Stream(self), 1 << 14)

    def sendall(self, data: bytes) -> None:
        """Send a request."""
        self.socket.settimeout(min(self.limits.idle, self.patience.left()))
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise PassingError(f"the connection broke while asking ({error.strerror or error})") from None

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()


def connect(places: list[Endpoint], url: SplitResult, limits: Limits, patience: Patience, proxy: SplitResult | None) -> Wire:
    """Connect to the first address that answers.

    Args:
        places: Addresses that were judged, of the host or of the proxy.
        url: What is asked for; decides about TLS.
        limits: See `Limits`.
        patience: Of the request.
        proxy: The user's own proxy, if one is set.

    Raises:
        PassingError: If no address answers.
        RemoteError: If the server cannot prove who it is.
    """
    failure = "no address"
    for family, place in places[:4]:
        connected = socket.socket(family, socket.SOCK_STREAM)
        try:
            connected.settimeout(min(limits.connect, patience.left()))
            connected.connect(place)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _secured(connected, url, limits, patience, proxy)
        except OSError as error:
            connected.close()
            if isinstance(error, ssl.SSLError):
                raise RemoteError(_tls(url, error)) from None
            failure = "timed out" if isinstance(error, TimeoutError) else error.strerror or str(error)
        except RemoteError:
            connected.close()
            raise
    raise PassingError(f"cannot connect to {plain(url.hostname or '')} port {places[0][1][1] if places else '?'}: {failure}")


def _secured(connected: socket.socket, url: SplitResult, limits: Limits, patience: Patience, proxy: SplitResult | None) -> Wire:
    wire = Wire(connected, limits, patience)
    if url.scheme != "https":
        return wire
    if proxy is not None:
        _tunnel(wire, url)
        wire.begin(patience)
    connected.settimeout(min(limits.connect, patience.left()))
    wire.socket = ssl.create_default_context().wrap_socket(connected, server_hostname=url.hostname)
    return wire


def _tunnel(wire: Wire, url: SplitResult) -> None:
    host = f"{_bracketed(url.hostname or '')}:{url.port or 443}"
    wire.sendall(f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("ascii"))
    response = http.client.HTTPResponse(wire, method="CONNECT")  # type: ignore[arg-type]  # (all it uses is makefile)
    _parsed(response.begin)
    if response.status != 200:
        raise RemoteError(f"the proxy refuses to connect to {plain(host)}: {response.status} {plain(response.reason)}")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _tls(url: SplitResult, error: ssl.SSLError) -> str:
    reason = getattr(error, "verify_message", "") or error.reason or str(error)
    return f"{plain(url.hostname or '')} cannot prove who it is, or speaks no TLS: {plain(str(reason))}"


def ask(wire: Wire, url: SplitResult, headers: dict[str, str], proxy: SplitResult | None) -> http.client.HTTPResponse:
    """Send one GET and read the headers of the answer.

    Raises:
        PassingError: If the connection breaks.
        RemoteError: If the answer is no HTTP, or its headers have no end.
    """
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    default = {"http": 80, "https": 443}[url.scheme]
    host = _bracketed(url.hostname or "") + ("" if url.port in (None, default) else f":{url.port}")
    target = f"http://{host}{path}" if proxy is not None and url.scheme == "http" else path
    fields = {"Host": host, "Accept-Encoding": "identity", "Connection": "keep-alive", **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    if any(ord(character) < 32 for character in target + "".join(fields) + "".join(fields.values())) or " " in target:
        raise RemoteError("the server gives an address that is no URL")
    wire.sendall(f"GET {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1", "strict"))
    response = http.client.HTTPResponse(wire, method="GET")  # type: ignore[arg-type]  # (all it uses is makefile)
    _parsed(response.begin)
    wire.body()
    return response


def _parsed(begin: Callable[[], None]) -> None:
    try:
        begin()
    except http.client.RemoteDisconnected:
        raise PassingError("the server hangs up without an answer") from None
    except http.client.LineTooLong:
        raise RemoteError("the server sends a header without an end") from None
    except (http.client.HTTPException, ValueError) as error:
        raise RemoteError(f"the server's answer is no HTTP: {plain(str(error) or type(error).__name__)}") from None
