"""Further ways in which a server misbehaves: framing, ranges that are refused, addresses in disguise (see `hostile_server`)."""

from __future__ import annotations

import gzip

from tests.remotes.hostile_server import BODY, Request

_BOMB = gzip.compress(bytes(64 << 20), 9, mtime=0)


def endless_trailers(request: Request) -> None:
    start, stop = request.span
    piece = BODY[start:stop]
    request.piece(b"%x\r\n" % len(piece) + piece + b"\r\n0\r\n", Content_Length="", Transfer_Encoding="chunked")
    while True:
        request.connection.sendall(b"X-Trailer: and another one\r\n" * 1000)


def endless_chunk_extension(request: Request) -> None:
    request.piece(b"5;", Content_Length="", Transfer_Encoding="chunked")
    while True:
        request.connection.sendall(b"a=b;" * 4096)


def tiny_chunks_without_end(request: Request) -> None:
    request.piece(b"", Content_Length="", Transfer_Encoding="chunked")
    while True:
        request.connection.sendall(b"1\r\na\r\n" * 4096)


def packed_bomb(request: Request) -> None:
    request.send("200 OK", _BOMB, Content_Encoding="gzip", ETag='"one"')


def packed_twice(request: Request) -> None:
    request.send("200 OK", gzip.compress(_BOMB, mtime=0), Content_Encoding="gzip, gzip")


def packed_on_the_way(request: Request) -> None:
    request.send("200 OK", _BOMB[:1000], Content_Length="", Transfer_Encoding="gzip, chunked")
    raise OSError


def range_always_refused(request: Request) -> None:
    request.send("416 Range Not Satisfiable", Content_Range=f"bytes */{len(BODY)}")


def range_refused_later(request: Request) -> None:
    if request.number:
        request.send("416 Range Not Satisfiable", Content_Range="bytes */17")
    else:
        request.piece()


def range_in_other_units(request: Request) -> None:
    start, stop = request.span
    request.piece(Content_Range=f"lines {start}-{stop - 1}/{len(BODY)}")


def range_without_bytes(request: Request) -> None:
    start, stop = request.span
    request.piece(b"", Content_Range=f"bytes {start}-{stop - 1}/{len(BODY)}")


def range_of_unknown_size(request: Request) -> None:
    start, stop = request.span
    request.piece(Content_Range=f"bytes {start}-{stop - 1}/*")


def range_that_grows(request: Request) -> None:
    start, _ = request.span
    request.piece(BODY[start:], Content_Range=f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")


def two_lengths(request: Request) -> None:
    start, stop = request.span
    lengths = f"Content-Length: 3\r\nContent-Length: {stop - start}"
    head = f"HTTP/1.1 206 P\r\nContent-Range: bytes {start}-{stop - 1}/{len(BODY)}\r\n{lengths}"
    request.connection.sendall(head.encode() + b"\r\n\r\n" + BODY[start:stop])
    raise OSError


def old_protocol_without_length(request: Request) -> None:
    request.connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
    while True:
        request.connection.sendall(bytes(1 << 16))


def cookie_flood(request: Request) -> None:
    cookies = b"".join(b"Set-Cookie: c%d=%s\r\n" % (number, b"x" * 4000) for number in range(90))
    request.connection.sendall(b"HTTP/1.1 200 OK\r\n" + cookies + b"Content-Length: 0\r\n\r\n")


def not_modified(request: Request) -> None:
    request.send("304 Not Modified")


def no_content(request: Request) -> None:
    request.send("204 No Content", Content_Length="")


def many_choices(request: Request) -> None:
    request.send("300 Multiple Choices", b"<a href=/b>", Location="http://10.0.0.1/")


def switches(request: Request) -> None:
    request.send("101 Switching Protocols", Upgrade="websocket")
    raise OSError


def _to(location: str) -> object:
    def redirect(request: Request) -> None:
        request.send("302 Found", Location=location)

    return redirect


PRIVATE = (
    "http://[::ffff:7f00:1]:1/x",
    "http://[::127.0.0.1]:1/x",
    "http://[64:ff9b::7f00:1]:1/x",
    "http://[2002:7f00:1::]:1/x",
    "http://[fe80::1]:1/x",
    "http://[fd00::1]:1/x",
    "http://0:1/x",
    "http://0.0.0.0:1/x",
    "http://127.1:1/x",
    "http://0177.0.0.1:1/x",
    "http://0x7f.1:1/x",
    "http://100.64.0.1:1/x",
    "http://localhost.:1/x",
    "http://LOCALHOST:1/x",
    "http://a.localhost:1/x",
    "http://user:secret@127.0.0.1:1/x",
    "//127.0.0.1:1/x",
    "HTTP://10.0.0.1/x",
)
"""Addresses that lead into the reader's own network, however they are written."""

REDIRECTS = {location: _to(location) for location in PRIVATE}
