"""A memo slot far behind everything makes the C unpickler reserve an array of that length."""

from __future__ import annotations

import pytest

from toadstone import scan


@pytest.mark.parametrize("put", [b"r\x00\x00\x00\x20", b"p536870912\n"])
def test_a_far_memo_slot_is_a_bomb(tmp_path, put):
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x02]" + put + b".")
    (subject,) = scan(path).subjects
    assert [(finding.check, finding.severity.label) for finding in subject.findings] == [("decompression-bomb", "high")]


def test_a_slot_that_skips_a_few_is_none(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x02]r\x00\x10\x00\x00.")
    assert not scan(path).findings


def test_a_program_behind_a_pickle_is_hidden(tmp_path):
    path = tmp_path / "model.pkl"
    head = b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0" + (0x8664).to_bytes(2, "little") + (1).to_bytes(2, "little")
    path.write_bytes(b"\x80\x04}." + head + bytes(12) + (0).to_bytes(2, "little") + (0x22).to_bytes(2, "little") + bytes(80))
    (subject,) = scan(path).subjects
    assert ("native-code", "high") in {(finding.check, finding.severity.label) for finding in subject.findings}
