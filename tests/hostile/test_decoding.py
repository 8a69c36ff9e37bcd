"""What a stream makes grow is not decoded without end."""

from __future__ import annotations

import base64
import struct

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Unread
from toadstone.core.place import Place
from toadstone.forensics import unwrap as module
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk


def test_texts_that_grow_are_tried_up_to_a_bound(monkeypatch):
    tried: list[int] = []
    monkeypatch.setattr(module, "unwrap", lambda text, **_named: tried.append(len(text)))
    grow = b"cbuiltins\nstr.replace\n(h\x00X\x01\x00\x00\x00aX\x02\x00\x00\x00aatRq\x00"
    data = b"\x80\x02X\x20\x00\x00\x00" + b"a" * 32 + b"q\x00" + grow * 15 + grow.replace(b"aatR", b"a tR") * 20 + b"."
    list(walk(Source(BytesBlob(data), "m.pkl", Place("m.pkl"), Budget.of(len(data)))))
    assert sum(tried) <= 4 << 20


def read(data: bytes) -> list[str]:
    facts = walk(Source(BytesBlob(data), "m.pkl", Place("m.pkl"), Budget.of(len(data))))
    return [fact.reason for fact in facts if isinstance(fact, Unread)]


def decoys(count: int) -> bytes:
    """Calls with encoded text, as a payload hides among them."""
    made = b""
    for number in range(count):
        text = base64.b64encode(b"see https://host%d.example/page for more" % number)
        made += b"cacme\nNote\n(X" + struct.pack("<I", len(text)) + text + b"tR0"
    return b"\x80\x02" + made + b"N."


def test_what_is_left_behind_too_many_decoys_is_said_to_be_unread():
    assert read(decoys(50)) == []
    assert [reason for reason in read(decoys(450)) if "more encoded text than is looked into" in reason]
