"""Lists of addresses: what they lead to is pinned, compared, watched. The server is real, on loopback."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from toadstone.faces.cli import main

ROWS = 400


class Site:
    """Pages by number; some changed, some gone, some failing."""

    def __init__(self) -> None:
        self.changed: set[int] = set()
        self.gone: set[int] = set()
        self.failing: set[int] = set()
        self.asked = 0

    def page(self, number: int) -> bytes:
        return f"page {number}{' bought' if number in self.changed else ''}".encode()


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    held = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_rest):
            pass

        def do_GET(self):
            held.asked += 1
            number = int(self.path[1:])
            status = 404 if number in held.gone else 403 if number in held.failing else 200
            body = held.page(number) if status == 200 else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    port = server.server_address[1]
    urls = [f"http://{'127.0.0.1' if number % 10 else 'localhost'}:{port}/{number}" for number in range(ROWS)]
    digests = [hashlib.sha256(held.page(number)).hexdigest() for number in range(ROWS)]
    pq.write_table(
        pa.table({"url": urls, "caption": [f"caption {number}" for number in range(ROWS)], "sha256": digests}), "list.parquet"
    )
    held.allow = ["--allow-host", f"127.0.0.1:{port}", "--allow-host", f"localhost:{port}"]  # type: ignore[attr-defined]
    yield held
    server.shutdown()
    server.server_close()
    thread.join()


def verified(capsys, site, *words):
    capsys.readouterr()
    code = main(["verify", "--format", "json", *site.allow, *words])
    document = json.loads(capsys.readouterr().out)
    return code, [(one["kind"], one["rows"]) for one in document["changes"]], document["unknown"]


@pytest.mark.parametrize("stated", [True, False])
def test_what_addresses_lead_to_is_compared(site, capsys, stated):
    words = ["--hash-column", "sha256"] if stated else []
    assert main(["pin", "list.parquet", "--url-column", "url", *words, "--no-scan", "--quiet", *site.allow]) == 0
    assert site.asked == (0 if stated else ROWS)
    assert verified(capsys, site) == (0, [], [])
    site.changed = {7}
    assert verified(capsys, site) == (1, [("edited", [7])], []), "one of many"
    site.changed, site.gone, site.failing = set(range(0, ROWS, 100)), {55}, {56}
    code, changes, unknown = verified(capsys, site)
    assert (code, changes) == (1, [("edited", list(range(0, ROWS, 100))), ("removed", [55])])
    assert "1 addresses could not be fetched, among them row 56" in unknown[0]


def test_addresses_that_led_nowhere_when_they_were_pinned(site, capsys):
    site.gone, site.failing = {3}, {4}
    assert main(["pin", "list.parquet", "--url-column", "url", "--no-scan", *site.allow]) == 0
    assert "2 of 400 addresses could not be fetched" in capsys.readouterr().out
    assert verified(capsys, site) == (0, [], [])
    site.gone, site.failing = set(), set()
    assert verified(capsys, site) == (1, [("added", [3])], [])


def test_data_does_not_choose_which_private_machines_are_asked(site, capsys):
    assert main(["pin", "list.parquet", "--url-column", "url", "--no-scan"]) == 0
    assert "400 of 400 addresses could not be fetched" in capsys.readouterr().out
    assert site.asked == 0


def test_a_watch_finds_what_changed_and_says_what_it_could_have_seen(site, capsys):
    main(["pin", "list.parquet", "--url-column", "url", "--hash-column", "sha256", "--no-scan", "--quiet"])
    site.changed = set(range(0, ROWS, 10))  # all at one of the two hosts
    capsys.readouterr()
    seen = set()
    code = main(["watch", "--sample", "100", "--format", "json", *site.allow])
    document = json.loads(capsys.readouterr().out)
    (sampled,) = document["sampled"]
    seen |= set(sampled["rows"])
    assert code == 1
    assert sampled["alarm"]
    assert sampled["worst"] == "localhost"
    assert seen
    assert seen <= site.changed
    assert sampled["detectable"] < 0.03
    assert site.asked <= 101


def test_a_watch_goes_through_every_address_before_it_begins_anew(site, capsys):
    main(["pin", "list.parquet", "--url-column", "url", "--hash-column", "sha256", "--no-scan", "--quiet"])
    site.changed = {333}
    codes = [main(["watch", "--sample", "100", "--quiet", *site.allow]) for _ in range(5)]
    assert 1 in codes, "one of many is met once all were drawn"
    assert codes.count(1) + codes.count(0) == 5


def test_benign_changes_raise_no_alarm_and_many_do(site, capsys):
    main(["pin", "list.parquet", "--url-column", "url", "--hash-column", "sha256", "--no-scan", "--quiet"])
    words = ["watch", "--sample", "100", "--benign", "0.05", "--every", "0s", "--rounds", "5", "--quiet", *site.allow]
    site.changed = set(range(3, ROWS, 25))  # 4 %, at one host 4.4 %
    assert main(words) == 0
    site.changed = set(range(0, ROWS, 6))  # 17 %
    assert main([*words, "--seed", "1"]) == 1


def test_bad_words(site, capsys, tmp_path):
    assert main(["pin", "list.parquet", "--url-column", "ulr", "--no-scan"]) == 2
    assert "no column 'ulr'" in capsys.readouterr().err
    assert main(["watch"]) == 2
    main(["pin", "list.parquet", "--url-column", "url", "--hash-column", "sha256", "--no-scan", "--quiet"])
    assert main(["watch", "--every", "soon"]) == 2
    assert main(["watch", "--benign", "2"]) == 2
    assert main(["watch", "--quiet", "--sample", "10", *site.allow]) == 0
    (state,) = (tmp_path / ".toadstone" / "watch").iterdir()
    state.write_text("[]")
    assert main(["watch", "--sample", "10", *site.allow]) == 3
    assert "begin the watch anew" in capsys.readouterr().out
