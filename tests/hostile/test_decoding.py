"""What a stream makes grow is not decoded without end."""

from __future__ import annotations

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
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
