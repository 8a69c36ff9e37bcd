"""A server that misbehaves in one way at a time, on plain sockets: no library stands between the misbehaviour and the wire."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

BODY = b"\x80\x04N." + bytes(range(256)) * 2000
"""Half a megabyte that begins like a pickle."""


@dataclass
class Request:
    """What came, and the socket to answer on."""

    path: str
    headers: dict[str, str]
    number: int
    connection: socket.socket
    url: str

    @property
    def span(self) -> tuple[int, int]:
        """The range that was asked for, cut at the end of the body."""
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", ""))
        return (int(found[1]), min(int(found[2]) + 1, len(BODY))) if found else (0, len(BODY))

    def send(self, status: str, body: bytes = b"", **fields: str) -> None:
        lines = {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in fields.items()}}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
        self.connection.sendall(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)

    def piece(self, body: bytes | None = None, **fields: str) -> None:
        """Answer as asked, except for what ``fields`` say."""
        start, stop = self.span
        told = {"Content_Range": f"bytes {start}-{stop - 1}/{len(BODY)}", "ETag": '"one"', **fields}
        self.send("206 Partial Content", BODY[start:stop] if body is None else body, **told)


Behaviour = Callable[[Request], None]


@dataclass
class HostileServer:
    """Runs one behaviour for every request.

    Attributes:
        behaviour: Answers a request; a connection is closed when it raises.
        requests: What came.
    """

    behaviour: Behaviour
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(20)
            left = b""
            while True:
                while b"\r\n\r\n" not in left:
                    data = connection.recv(65536)
                    if not data:
                        return
                    left += data
                head, _, left = left.partition(b"\r\n\r\n")
                first, *lines = head.decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                request = Request(first.split()[1], headers, len(self.requests), connection, self.url)
                self.requests.append(request)
                self.behaviour(request)


@contextmanager
def misbehaving(behaviour: Behaviour) -> Iterator[HostileServer]:
    """Serve a behaviour on a free port of loopback."""
    server = HostileServer(behaviour)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.port = listener.getsockname()[1]
        listener.settimeout(0.05)
        ended = threading.Event()

        def accept() -> None:
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, _ = listener.accept()
                    threading.Thread(target=server._serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            ended.set()
            thread.join()


# Each behaviour below is one lie; its name says which.


def short_body(request: Request) -> None:
    start, stop = request.span
    request.piece(BODY[start : stop - 10], Content_Length=str(stop - start))
    raise OSError


def shorter_declared(request: Request) -> None:
    start, stop = request.span
    request.piece(BODY[start : stop - 10])


def longer_declared(request: Request) -> None:
    start, stop = request.span
    request.piece(BODY[start:stop] + b"more")


def longer_than_declared(request: Request) -> None:
    start, stop = request.span
    request.piece(BODY[start:stop] + b"more", Content_Length="", Connection="close")
    raise OSError


def changed_etag(request: Request) -> None:
    request.piece(ETag=f'"{request.number}"')


def changed_size(request: Request) -> None:
    start, stop = request.span
    request.piece(Content_Range=f"bytes {start}-{stop - 1}/{len(BODY) + 1_000_000 * min(request.number, 1)}")


def gives_up_ranges(request: Request) -> None:
    if request.number:
        request.send("200 OK", BODY, ETag='"one"')
    else:
        request.piece()


def whole_and_huge(request: Request) -> None:
    request.send("200 OK", BODY, Content_Length=str(1 << 40))
    raise OSError


def whole_without_end(request: Request) -> None:
    request.send("200 OK", b"", Content_Length="")
    while True:
        request.connection.sendall(bytes(1 << 20))


def wrong_range(request: Request) -> None:
    start, stop = request.span
    request.piece(Content_Range=f"bytes {start + 1}-{stop}/{len(BODY)}")


def range_of_nonsense(request: Request) -> None:
    request.piece(Content_Range="bytes 5-1/9999999999999999999999")


def many_parts(request: Request) -> None:
    request.send("206 Partial Content", BODY[:100], Content_Type="multipart/byteranges; boundary=x")


def circle(request: Request) -> None:
    request.send("302 Found", Location="/b" if request.path == "/a" else "/a")


def endless_redirects(request: Request) -> None:
    request.send("302 Found", Location=f"/{request.number}")


def to_metadata_service(request: Request) -> None:
    request.send("302 Found", Location="http://169.254.169.254/latest/meta-data/")


def to_private_network(request: Request) -> None:
    request.send("302 Found", Location="http://10.0.0.1/model.pkl")


def to_mapped_loopback(request: Request) -> None:
    request.send("302 Found", Location="http://[::ffff:127.0.0.1]:1/model.pkl")


def to_decimal_loopback(request: Request) -> None:
    request.send("302 Found", Location="http://2130706433:1/model.pkl")


def to_named_loopback(request: Request) -> None:
    request.send("302 Found", Location="http://localhost:1/model.pkl")


def to_nothing(request: Request) -> None:
    request.send("302 Found")


def to_file(request: Request) -> None:
    request.send("302 Found", Location="file:///etc/passwd")


def to_garbage(request: Request) -> None:
    request.send("302 Found", Location="http://[::1/\x01")


def gigabyte_header(request: Request) -> None:
    request.connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(1024):
        request.connection.sendall(b"a" * (1 << 20))


def endless_header_lines(request: Request) -> None:
    request.connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        request.connection.sendall(b"".join(b"X-%d: y\r\n" % number for number in range(50)))


def endless_interim(request: Request) -> None:
    while True:
        request.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def no_http(request: Request) -> None:
    request.connection.sendall(b"220 ready for mail\r\n")
    raise OSError


def silence(request: Request) -> None:
    time.sleep(8)


def slow_headers(request: Request) -> None:
    for byte in b"HTTP/1.1 200 OK\r\n" * 100:
        request.connection.sendall(bytes([byte]))
        time.sleep(0.1)


def slow_drip(request: Request) -> None:
    start, stop = request.span
    request.piece(b"", Content_Length=str(stop - start))
    for byte in BODY[start:stop]:
        request.connection.sendall(bytes([byte]))
        time.sleep(0.1)


def endless_body(request: Request) -> None:
    request.piece(b"", Content_Length="")
    while True:
        request.connection.sendall(bytes(1 << 16))


def endless_chunk_size(request: Request) -> None:
    request.piece(b"", Content_Length="", Transfer_Encoding="chunked")
    while True:
        request.connection.sendall(b"1" * (1 << 16))


def negative_chunk(request: Request) -> None:
    request.piece(b"-5\r\nhello\r\n", Content_Length="", Transfer_Encoding="chunked")
    raise OSError


def reset(request: Request) -> None:
    start, stop = request.span
    request.piece(BODY[start : start + 100], Content_Length=str(stop - start))
    request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    request.connection.close()
    raise OSError


def packed(request: Request) -> None:
    request.piece(b"\x1f\x8b" + bytes(100), Content_Encoding="gzip")


def negative_length(request: Request) -> None:
    request.piece(Content_Length="-5")


def too_many_requests(request: Request) -> None:
    request.send("429 Too Many Requests", Retry_After="86400")


def unavailable(request: Request) -> None:
    request.send("503 Service Unavailable")


def dated_retry(request: Request) -> None:
    request.send("503 Service Unavailable", Retry_After="Fri, 31 Dec 2099 23:59:59 GMT")


def unauthorized(request: Request) -> None:
    request.send("401 Unauthorized")


def forbidden(request: Request) -> None:
    request.send("403 Forbidden")


def missing(request: Request) -> None:
    request.send("404 Not Found")


def teapot(request: Request) -> None:
    request.send("418 I'm a teapot \x1b[31m")


def unknown_status(request: Request) -> None:
    request.connection.sendall(b"HTTP/1.1 999999 What\r\n\r\n")
    raise OSError


def claims_exabytes(request: Request) -> None:
    request.send("206 Partial Content", BODY[:65536], Content_Range=f"bytes 0-65535/{1 << 56}", ETag='"one"')


def hangs_up(request: Request) -> None:
    raise OSError
