"""More servers that lie: a clear error and exit code 3, never a hang, a crash or a request elsewhere."""

from __future__ import annotations

import socket
import time

import pytest

from tests.remotes import more_behaviours as server
from tests.remotes.hostile_server import misbehaving
from toadstone import Severity, scan
from toadstone.remotes.access import Access, Limits

QUICK = Access(limits=Limits(patience=1.0, connect=1.0, idle=0.3, attempts=2, pause=0.01, wait=0.2, whole=1 << 20))

LIES = {
    server.endless_trailers: "",
    server.endless_chunk_extension: "garbled",
    server.tiny_chunks_without_end: "",
    server.packed_bomb: "it was not unpacked",
    server.packed_twice: "it was not unpacked",
    server.packed_on_the_way: "",
    server.range_always_refused: "416",
    server.range_refused_later: "416",
    server.range_in_other_units: "answers with the range",
    server.range_without_bytes: "declares",
    server.range_of_unknown_size: "answers with the range",
    server.range_that_grows: "",
    server.two_lengths: "",
    server.old_protocol_without_length: "serves no ranges",
    server.cookie_flood: "before any content",
    server.not_modified: "304",
    server.no_content: "204",
    server.many_choices: "300",
    server.switches: "",
}


def _scanned(behaviour):
    began = time.monotonic()
    with misbehaving(behaviour) as hostile:
        report = scan(f"{hostile.url}/model.pkl", access=QUICK)
    assert time.monotonic() - began < 8, "bounded by the patience, whatever the server does"
    reasons = [gap.reason for gap in report.subjects[0].unread]
    assert report.exit_code(Severity.HIGH) == 3, report.as_dict()
    assert len(reasons) == 1, reasons
    assert "internal error" not in reasons[0]
    assert reasons[0].isprintable()
    assert report.received < 4 << 20
    return reasons[0]


@pytest.mark.parametrize("behaviour", LIES, ids=lambda behaviour: behaviour.__name__)
def test_a_lie_is_a_clear_error(behaviour):
    assert LIES[behaviour] in _scanned(behaviour)


@pytest.mark.parametrize("location", server.PRIVATE)
def test_the_own_network_in_disguise_is_not_contacted(location):
    reason = _scanned(server.REDIRECTS[location])
    assert "no public address" in reason or "no URL" in reason or "cannot be resolved" in reason, reason


def test_a_public_name_of_a_private_place(monkeypatch):
    real = socket.getaddrinfo

    def lying(host, *rest, **options):
        return real("127.0.0.1" if host == "rebound.example" else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lying)
    with misbehaving(lambda request: pytest.fail("contacted")) as inner:

        def astray(request):
            request.send("302 Found", Location=f"http://rebound.example:{inner.port}/x")

        assert "no public address" in _scanned(astray)
        assert inner.requests == []
