"""Servers that lie, stall or lead astray: a clear error and exit code 3, never a hang, a crash or a request elsewhere."""

from __future__ import annotations

import contextlib
import pickle
import random
import socket
import ssl
import threading
import time
from urllib.parse import urlsplit

import pytest
import trustme

from tests.remotes import hostile_server as server
from tests.remotes.hostile_server import misbehaving
from toadstone import Severity, scan
from toadstone.faces.cli import main
from toadstone.remotes import client
from toadstone.remotes.access import Access, Limits
from toadstone.remotes.addresses import is_public
from toadstone.remotes.trouble import RemoteError

QUICK = Access(limits=Limits(patience=1.0, connect=1.0, idle=0.3, attempts=2, pause=0.01, wait=0.2, whole=1 << 20))

LIES = {
    server.short_body: "sent",
    server.shorter_declared: "declares",
    server.longer_declared: "declares",
    server.longer_than_declared: "more than the",
    server.changed_etag: "changed on the server",
    server.changed_size: "bytes now",
    server.gives_up_ranges: "does not any more",
    server.whole_and_huge: "serves no ranges",
    server.whole_without_end: "serves no ranges and sends more",
    server.wrong_range: "answers with bytes",
    server.range_of_nonsense: "answers with the range",
    server.many_parts: "answers with the range",
    server.circle: "in a circle",
    server.endless_redirects: "redirects more than",
    server.to_metadata_service: "169.254.169.254), which is no public address",
    server.to_private_network: "no public address",
    server.to_mapped_loopback: "no public address",
    server.to_decimal_loopback: "no public address",
    server.to_named_loopback: "no public address",
    server.to_nothing: "to nowhere",
    server.to_file: "only the web is read",
    server.to_garbage: "no URL",
    server.gigabyte_header: "header without an end",
    server.endless_header_lines: "no HTTP",
    server.endless_interim: "before any content",
    server.no_http: "no HTTP",
    server.silence: "silent",
    server.slow_headers: "too slow",
    server.slow_drip: "too slow",
    server.endless_body: "more than the",
    server.endless_chunk_size: "garbled",
    server.negative_chunk: "garbled",
    server.reset: "broke",
    server.packed: "it was not unpacked",
    server.negative_length: "declares a length",
    server.too_many_requests: "asks to wait 86,400 seconds",
    server.unavailable: "503 Service Unavailable (2 attempts)",
    server.dated_retry: "asks to wait",
    server.unauthorized: "401",
    server.forbidden: "403",
    server.missing: "404",
    server.teapot: "418",
    server.unknown_status: "no HTTP",
    server.claims_exabytes: "more than any file that is believed",
    server.hangs_up: "hangs up",
}


@pytest.mark.parametrize("behaviour", LIES, ids=lambda behaviour: behaviour.__name__)
def test_a_lie_is_a_clear_error(behaviour):
    began = time.monotonic()
    with misbehaving(behaviour) as hostile:
        report = scan(f"{hostile.url}/model.pkl", access=QUICK)
    spent = time.monotonic() - began
    assert report.exit_code(Severity.HIGH) == 3, report.as_dict()
    assert not report.subjects[0].digests
    reasons = [gap.reason for gap in report.subjects[0].unread]
    assert len(reasons) == 1, reasons
    assert LIES[behaviour] in reasons[0]
    assert "internal error" not in reasons[0]
    assert reasons[0].isprintable()
    assert spent < 6, "bounded by the patience, whatever the server does"
    assert report.received < 4 << 20


WELL_FORMED = (
    b'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-3/4\r\nContent-Length: 4\r\nETag: "one"\r\n\r\n\x80\x04N.',
    b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-3/4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\x80\x04N.\r\n0\r\n\r\n",
)


def test_mangled_answers():
    """Answers with bytes changed, cut, doubled and inserted: never an internal error, never a verdict on other bytes."""
    chance = random.Random(7)

    def mangled(request):
        answer = bytearray(chance.choice(WELL_FORMED))
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(answer))
            kind = chance.randrange(4)
            if kind == 0:
                answer[at] = chance.randrange(256)
            elif kind == 1:
                del answer[at : at + chance.randrange(1, 20)]
            elif kind == 2:
                answer[at:at] = answer[at : at + chance.randrange(1, 40)]
            else:
                answer[at:at] = chance.randbytes(chance.randrange(1, 6))
        request.connection.sendall(bytes(answer))
        raise OSError

    limits = Limits(patience=0.5, connect=0.5, idle=0.2, attempts=1, pause=0.0, wait=0.0, redirects=3)
    codes = set()
    with misbehaving(mangled) as hostile:
        for _ in range(400):
            report = scan(f"{hostile.url}/model.pkl", access=Access(limits=limits))
            codes.add(report.exit_code(Severity.HIGH))
            assert not [gap for gap in report.subjects[0].unread if "internal error" in gap.reason], report.as_dict()
    assert codes == {0, 3}


def test_the_command_line_says_what_is_wrong(capsys):
    with misbehaving(server.no_http) as hostile:
        assert main(["scan", f"{hostile.url}/model.pkl"]) == 3
    assert "the server's answer is no HTTP" in capsys.readouterr().out


def test_a_private_address_is_not_even_contacted():
    def lured(request):
        raise AssertionError("contacted")

    with misbehaving(lured) as inner:

        def astray(request):
            request.send("302 Found", Location=f"{inner.url}/model.pkl")

        with misbehaving(astray) as outer:
            report = scan(f"{outer.url}/model.pkl", access=QUICK)
            assert "was not contacted" in report.subjects[0].unread[0].reason
            assert inner.requests == []


def test_a_private_host_that_the_user_allows_is_followed():
    data = pickle.dumps({"a": 1})

    def plain(request):
        start, stop = 0, len(data)
        request.send("206 Partial Content", data, Content_Range=f"bytes {start}-{stop - 1}/{stop}")

    with misbehaving(plain) as inner:

        def on(request):
            request.send("302 Found", Location=f"{inner.url}/model.pkl")

        with misbehaving(on) as outer:
            host = f"127.0.0.1:{inner.port}"
            report = scan(f"{outer.url}/model.pkl", access=Access(hosts=(host,), limits=QUICK.limits))
            assert report.verdict == "clean", report.as_dict()


def test_a_name_that_resolves_to_a_private_address_is_refused(monkeypatch):
    def resolve(host, port, **_rest):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1" if host == "127.0.0.1" else "192.168.1.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    def astray(request):
        request.send("302 Found", Location="http://rebinding.example/model.pkl")

    with misbehaving(astray) as hostile:
        report = scan(f"{hostile.url}/model.pkl", access=QUICK)
    assert "rebinding.example (192.168.1.1), which is no public address" in report.subjects[0].unread[0].reason


def test_secrets_stay_with_the_host_they_are_for():
    """The password of the address goes to its host, and nowhere else: not to a redirect, not into the report."""
    data = pickle.dumps({"a": 1})

    def plain(request):
        request.send("206 Partial Content", data, Content_Range=f"bytes 0-{len(data) - 1}/{len(data)}")

    with misbehaving(plain) as inner:

        def on(request):
            request.send("302 Found", Location=f"{inner.url}/model.pkl")

        with misbehaving(on) as outer:
            target = f"http://ann:s3cr3t@127.0.0.1:{outer.port}/model.pkl?X-Amz-Signature=abcdef0123&part=1"
            report = scan(target, access=Access(hosts=(f"127.0.0.1:{inner.port}",), limits=QUICK.limits))
            assert report.verdict == "clean"
            assert outer.requests[0].headers["authorization"] == "Basic YW5uOnMzY3IzdA=="
            assert "authorization" not in inner.requests[0].headers
            assert report.subjects[0].path == f"http://…@127.0.0.1:{outer.port}/model.pkl?X-Amz-Signature=…&part=1"
            assert "s3cr3t" not in str(report.as_dict())
            assert "abcdef" not in str(report.as_dict())


def test_https_is_never_left_for_http():
    with pytest.raises(RemoteError, match="from https to http"):
        client._next(urlsplit("https://hub.example/a"), "http://hub.example/a")
    assert client._next(urlsplit("https://hub.example/a"), "/b").scheme == "https"


def test_a_server_without_a_certificate_is_an_error():
    assert "cannot prove who it is, or speaks no TLS" in secured(lambda connection: connection.sendall(b"220 ready\r\n"))


def test_a_server_with_its_own_certificate_is_an_error():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    assert "cannot prove who it is" in secured(lambda connection: context.wrap_socket(connection, server_side=True).close())


def test_a_server_with_a_certificate_that_is_trusted_is_read(monkeypatch, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def answer(connection):
        with context.wrap_socket(connection, server_side=True) as inner:
            inner.recv(4096)
            inner.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    assert "404 Not Found" in secured(answer)


def secured(answer):
    """Ask a server over https; give what the report says of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        report = scan(f"https://127.0.0.1:{listener.getsockname()[1]}/model.pkl", access=QUICK)
        thread.join(5)
    assert report.exit_code(Severity.HIGH) == 3
    return report.subjects[0].unread[0].reason


def test_nobody_there_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    report = scan(f"http://127.0.0.1:{port}/model.pkl", access=QUICK)
    assert "cannot connect to 127.0.0.1" in report.subjects[0].unread[0].reason


def test_a_failure_that_passes_is_overcome():
    data = pickle.dumps({"a": 1})

    def at_second(request):
        if request.number == 0:
            request.send("503 Service Unavailable", Retry_After="0")
        else:
            request.send("206 Partial Content", data, Content_Range=f"bytes 0-{len(data) - 1}/{len(data)}")

    with misbehaving(at_second) as flaky:
        report = scan(f"{flaky.url}/model.pkl", access=QUICK)
    assert report.verdict == "clean"
    assert set(report.subjects[0].digests) == {"sha256", "blake3"}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "192.168.0.1", "198.18.0.1", "203.0.113.7", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
        "fec0::1", "ff02::1",
        "::ffff:10.0.0.1", "::ffff:127.0.0.1", "2002:7f00:1::", "2002:a00:1::1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "64:ff9b:1::1", "::127.0.0.1", "2001:db8::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "no address", "",
    ],
)  # fmt: skip
def test_addresses_that_no_server_may_send_us_to(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_of_the_internet(address):
    assert is_public(address)
