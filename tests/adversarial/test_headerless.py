"""Pickles without a header: behind them whatever, in front of them the magic number of another format."""

from __future__ import annotations

import io
import json
import struct
import tarfile

import pytest
from writer import PAYLOAD, call, clean, name, reached, stopped, text

TAILS = {
    "name": b"0c!!\nno module\n.",
    "underflow": b"000.",
    "number": b"0Ixx\n.",
    "no stop": b"000",
    "memo": b"0g7\n.",
    "marks": b"0t.",
}
"""What makes a loader fail once the payload has run."""

FILES = ("model.pkl", "pytorch_model.bin", "notes.txt", "table.csv")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("tail", TAILS)
def test_damage_behind_the_payload_does_not_make_it_text(tail: str, file: str) -> None:
    data = PAYLOAD + TAILS[tail]
    assert reached(data)
    assert stopped(data, file)


def test_the_callee_may_come_from_the_memo_of_a_large_file() -> None:
    data = name("posix", "system") + b"p0\n0g0\n(S'id'\ntR000." + b"x" * (5 << 20)
    assert reached(data[:100])
    assert stopped(data, "model.bin")


def test_text_that_begins_like_opcodes_stays_text() -> None:
    for line in (b"class,count\nbird,3\n", b"(in brackets)\nand more\n", b"I think so.\n", b"name\nNone.\n", b"}{\n"):
        assert clean(line * 20, "notes.txt")


def gif() -> bytes:
    """A picture whose first bytes are a float, then a number, then pops; the colours are opcodes."""
    table = (PAYLOAD + b".").ljust(3 * 64, b"\0")
    return b"GIF89a" + b"\x01\x00\x01" + b"K" + bytes([0x85]) + b"00" + table + b"\x3b"


def safetensors() -> bytes:
    """Tensors whose header's length is the opcode for a line of text; the line ends where the tensors begin."""
    data = (b"\n0" + PAYLOAD + b".").ljust(64, b"x")
    head = json.dumps({"t": {"dtype": "U8", "shape": [64], "data_offsets": [0, 64]}}, separators=(",", ":")).encode()
    head += b" " * ((ord("V") - len(head)) % 256)
    return struct.pack("<Q", len(head)) + head + data


def tar() -> bytes:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w", format=tarfile.USTAR_FORMAT) as file:
        member = tarfile.TarInfo((PAYLOAD + b".").decode())
        member.size = 5
        file.addfile(member, io.BytesIO(b"hello"))
    return memory.getvalue()


def onnx() -> bytes:
    """A graph whose first field is a version, whose second is a text: MARK, a number, and so on."""
    return b"(K2" + bytes([48]) + (PAYLOAD + b".").ljust(48) + b"\x08\x07"


POLYGLOTS = {"gif": gif(), "safetensors": safetensors(), "tar": tar(), "onnx": onnx()}


@pytest.mark.parametrize("kind", POLYGLOTS)
def test_another_format_may_be_a_pickle_as_well(kind: str) -> None:
    data = POLYGLOTS[kind]
    assert reached(data)
    for file in ("pytorch_model.bin", f"file.{kind}", "model.pkl"):
        assert stopped(data, file)


def test_many_harmless_streams_in_front() -> None:
    data = b"".join(b"I%d\n." % number for number in range(40)) + PAYLOAD + b"."
    assert stopped(data, "data.txt")


def test_a_pickle_in_an_archive_is_asked_for_as_well() -> None:
    data = call(name("posix", "system"), text("id")) + b"000."
    assert stopped(data, "archive/data.pkl")
