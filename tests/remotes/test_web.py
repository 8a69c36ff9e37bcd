"""Single files over the web, from ordinary servers, and how few bytes are fetched how often."""

from __future__ import annotations

import functools
import pickle
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import joblib
import numpy as np
import pytest

from tests.remotes.large_files import npy
from tests.remotes.loopback import Content
from toadstone import Severity, UsageError, scan
from toadstone.core.blob import BytesBlob
from toadstone.remotes.access import Access, Limits
from toadstone.remotes.client import Client
from toadstone.remotes.pages import RemoteBlob
from toadstone.remotes.ranges import Remote
from toadstone.remotes.trouble import RemoteError

EVIL = b"\x80\x02cposix\nsystem\nX\x0b\x00\x00\x00echo inert!\x85R."


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_rest):
        pass


@contextmanager
def folder_served(path):
    """The standard library's own server, which serves no ranges."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(path)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_server_without_ranges(tmp_path):
    (tmp_path / "a model.pkl").write_bytes(EVIL)
    (tmp_path / "large.npy").write_bytes(npy(5 << 20).read(0, 6 << 20))
    (tmp_path / "empty.txt").write_bytes(b"")
    with folder_served(tmp_path) as url:
        evil = scan(f"{url}/a%20model.pkl?download=1#part")
        assert evil.exit_code(Severity.HIGH) == 1
        assert evil.subjects[0].digests
        large = scan(f"{url}/large.npy")
        assert large.verdict == "clean"
        assert large.subjects[0].digests["sha256"] == npy(5 << 20).sha256(), "every byte came anyhow"
        empty = scan(f"{url}/empty.txt")
        assert empty.subjects[0].kind == "empty"
        small = Access(limits=Limits(whole=1 << 20))
        assert "serves no ranges" in scan(f"{url}/large.npy", access=small).subjects[0].unread[0].reason
        whole = scan(f"{url}/large.npy", access=Access(digests=True, limits=Limits(whole=1 << 20)))
        assert whole.verdict == "clean"


def test_what_is_read_whole_is_fetched_once_and_hashed(hub, tmp_path):
    """Pickles that hold their arrays inside cannot be understood without reading them: then the digest is free."""
    joblib.dump({"w": np.random.default_rng(7).random((600, 1000)), "n": list(range(200_000))}, tmp_path / "m.joblib")
    data = (tmp_path / "m.joblib").read_bytes()
    rows = pickle.dumps([{"a": number, "b": str(number)} for number in range(100_000)])
    hub.add("m.joblib", data, lfs=True)
    hub.add("rows.pkl", rows, lfs=True, sha256="e" * 64)
    report = scan("hf://owner/name")
    assert report.complete
    assert hub.served < 1.01 * (len(data) + len(rows)) + 10_000
    assert [(finding.check, finding.place.path) for finding in report.findings if finding.severity >= Severity.HIGH] == [
        ("digest-mismatch", "hf://owner/name/rows.pkl")
    ]


class Counting(Remote):
    """A remote file without a server, counting what is asked of it."""

    def __init__(self, content: Content, limits: Limits) -> None:
        super().__init__(Client(Access(limits=limits)), lambda: "", content.size)
        self.content = content
        self.asked: list[tuple[int, int]] = []

    def fetch(self, start: int, length: int) -> bytes:
        self.asked.append((start, length))
        return self.content.read(start, min(start + length, self.size))


@pytest.mark.parametrize("kept", [1 << 30, 0])
def test_any_reads_give_the_same_bytes(kept):
    """Against the bytes themselves: jumps, streams, overlaps, ends; with pages on disk and without."""
    import random

    chance = random.Random(7)
    data = chance.randbytes(300_000)
    remote = Counting(Content(data), Limits(page=1024, ahead=16384, cache=8192, kept=kept))
    blob, plain = RemoteBlob(remote, len(data)), BytesBlob(data)
    at = 0
    for _ in range(2000):
        at = chance.choice([at, chance.randrange(-10, len(data) + 1000), chance.randrange(len(data))])
        size = chance.choice([1, 10, 1000, 5000, 40_000])
        assert blob.read(at, size) == plain.read(at, size)
        at += size
        if chance.random() < 0.05 and not kept:
            blob = RemoteBlob(remote, len(data))
    if kept:
        assert b"".join(blob.chunks()) == data
        assert blob.complete
        pages = [number for start, length in remote.asked for number in range(start // 1024, (start + length) // 1024)]
        assert len(pages) == len(set(pages)), "nothing is fetched twice"
    blob.close()


def test_what_is_expected_is_fetched_together_and_only_once():
    data = bytes(range(256)) * 4000
    one, other = (Counting(Content(data), Limits(page=1024)) for _ in range(2))
    spans = [(offset, 100) for offset in range(0, len(data), 30_000)] + [(-5, 10), (len(data) + 5, 10), (10, 0)]
    lazy, told = RemoteBlob(one, len(data)), RemoteBlob(other, len(data))
    told.window(0, len(data)).expect(iter(spans))
    asked = len(other.asked)
    for blob in (lazy, told):
        for offset, size in spans:
            assert blob.read(offset, size) == BytesBlob(data).read(offset, size)
        blob.close()
    assert len(other.asked) == asked, "nothing was left to fetch"
    assert sorted(one.asked) == sorted(other.asked), "the same ranges, fetched at once"


def test_a_failure_while_fetching_together_is_told_by_whoever_reads():
    class Failing(Counting):
        def fetch(self, start, length):
            if start:
                self.give_up("gone")
            return super().fetch(start, length)

    remote = Failing(Content(bytes(100_000)), Limits(page=1024))
    blob = RemoteBlob(remote, 100_000)
    blob.expect([(0, 10), (50_000, 10), (90_000, 10)])
    assert blob.read(0, 10) == bytes(10)
    with pytest.raises(RemoteError, match="gone"):
        blob.read(50_000, 10)
    blob.close()


def test_a_stream_costs_few_requests():
    content = Content((7, 64 << 20))
    remote = Counting(content, Limits())
    blob = RemoteBlob(remote, content.size)
    assert sum(len(piece) for piece in blob.chunks(step=1 << 16)) == content.size
    assert len(remote.asked) < 40
    blob.close()


def test_reading_over_and_over_is_given_up():
    content = Content((7, 1 << 20))
    remote = Counting(content, Limits(page=1024, cache=2048, kept=0, whole=0))
    blob = RemoteBlob(remote, content.size)
    with pytest.raises(RemoteError, match="many times over"):
        any(not blob.read(offset, 10) for _ in range(20) for offset in range(0, content.size, 4096))
    assert "many times over" in remote.failure


@pytest.mark.parametrize("target", ["https://", "https:///path", "https://host:port/a", "https://host/a b"])
def test_addresses_that_are_none(target):
    with pytest.raises(UsageError, match="no web address"):
        scan(target)
