"""Bytes that are a well-formed file of a harmless kind to one program and a pickle to another."""

from __future__ import annotations

import hashlib
import pickletools
import struct

import pytest

from tests.payloads import COMMAND
from toadstone import Severity, scan

PAYLOAD = COMMAND[2:]  # without its protocol header


def picture() -> bytes:
    """A GIF whose screen descriptor is opcodes and whose colour table holds the payload.

    ``G`` (BINFLOAT) takes the eight bytes behind it; the flags byte 0x8F (EMPTY_SET) announces 256 colours.
    """
    start = b"GIF89a" + struct.pack("<HB", 8, 8) + b"0\x8f0\x89"
    return start + PAYLOAD.ljust(768, b"\0") + b";"


def commit_graph() -> bytes:
    """Git's magic is SHORT_BINBYTES of 71 bytes; the digest at the end is right."""
    body = b"CGPH" + b"\x01" * 69 + b"0" + PAYLOAD
    return body + hashlib.sha1(body).digest()


def multi_pack_index() -> bytes:
    """Git's magic is BININT2 and BINUNICODE."""
    body = b"MIDX" + struct.pack("<I", 4) + b"aaaa00" + PAYLOAD
    return body + hashlib.sha1(body).digest()


@pytest.mark.parametrize("make", [picture, commit_graph, multi_pack_index])
@pytest.mark.parametrize("name", ["model.pkl", "picture.gif", "notes.txt", "plain"])
def test_a_pickle_in_another_coat_is_found(tmp_path, make, name):
    data = make()
    assert [opcode.name for opcode, _, _ in pickletools.genops(data)][-2:] == ["REDUCE", "STOP"], "an unpickler would run it"
    path = tmp_path / name
    path.write_bytes(data)
    report = scan(path)
    assert report.exit_code(Severity.HIGH) == 1
    assert "os.system('echo toadstone')" in [finding.evidence.get("code") for finding in report.findings]


def test_the_coats_alone_are_clean(tmp_path):
    table = bytes(range(256)) * 3
    (tmp_path / "picture.gif").write_bytes(b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0xF7, 0, 0) + table + b";")
    report = scan(tmp_path)
    assert (report.findings, report.complete) == ([], True)
