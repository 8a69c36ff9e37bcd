"""MessagePack: Flax, NumPy's two spellings, spaCy, and what hides in runs of bytes."""

import struct
from typing import Any

import pytest
from format_files import PICKLE, assert_total, look
from hypothesis import given
from hypothesis import strategies as st
from model_files import judged, model, seen

from toadstone.core.finding import Severity


class Ext:
    def __init__(self, kind: int, data: bytes) -> None:
        self.kind, self.data = kind, data


def pack(value: Any) -> bytes:
    if isinstance(value, bool) or value is None:
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, int):
        return struct.pack(">Bq", 0xD3, value)
    if isinstance(value, float):
        return struct.pack(">Bd", 0xCB, value)
    if isinstance(value, str):
        raw = value.encode()
        return struct.pack(">BI", 0xDB, len(raw)) + raw
    if isinstance(value, bytes):
        return struct.pack(">BI", 0xC6, len(value)) + value
    if isinstance(value, Ext):
        return struct.pack(">BIb", 0xC9, len(value.data), value.kind) + value.data
    if isinstance(value, dict):
        return struct.pack(">BI", 0xDF, len(value)) + b"".join(pack(key) + pack(item) for key, item in value.items())
    return struct.pack(">BI", 0xDD, len(value)) + b"".join(map(pack, value))


def array(kind: str = "<f4", shape: Any = (2, 2), data: bytes = bytes(16), mark: bytes = b"") -> dict[bytes, Any]:
    return {b"nd": True, b"type": kind, b"kind": mark, b"shape": list(shape), b"data": data}


def flax(shape: Any = (2, 2), name: str = "float32", data: bytes = bytes(16), kind: int = 1) -> Ext:
    return Ext(kind, pack([list(shape), name, data]))


def test_real_parameters() -> None:
    found = seen("flax.msgpack")
    assert found.kind == "msgpack"
    assert not found.facts
    assert not found.source.coverage.gaps()


def test_any_damage_is_survived() -> None:
    assert_total(model("flax.msgpack"), "m.msgpack")
    assert_total(pack({"a": array(), "b": [1, "x" * 40, None, 2.5, Ext(-1, bytes(8))], "c": PICKLE}), "m.msgpack")


def test_a_cut_is_never_complete() -> None:
    data = model("flax.msgpack")
    assert all(look(data[:size], "m.msgpack").unread for size in range(1, len(data)))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (flax((2, 3)), "tensor-bounds"),
        (flax((1 << 40, 2)), "tensor-bounds"),
        (flax((-1, 2)), "tensor-bounds"),
        (flax(name="object"), "forged-header"),
        (flax(data=bytes(15)), "tensor-bounds"),
        (array(shape=(9, 9)), "tensor-bounds"),
        (array("|O", mark=b""), "forged-header"),
        (array(shape=(2, "x")), "tensor-bounds"),
    ],
)
def test_arrays_that_contradict_themselves(value: Any, kind: str) -> None:
    found = look(pack({"params": {"w": value}}), "m.msgpack")
    assert found.anomalies == [kind]
    assert "tensor-layout" in judged(found, Severity.HIGH)


@pytest.mark.parametrize(
    "value",
    [
        flax(), flax(name="bfloat16", data=bytes(8)), flax(name="bool", data=bytes(4)), flax((), data=bytes(4), kind=3),
        flax(name="float8_e4m3fn", data=bytes(4)), flax(name="mine", data=bytes(4)), Ext(2, pack([1.0, 2.0])), Ext(1, b"mine"),
        Ext(42, bytes(5)), array(), array("<U3", (2,), bytes(24)), array("|S3", (2,), bytes(6)), array(shape=(), data=bytes(4)),
        {b"nd": False, b"type": "<f8", b"data": bytes(8)}, {b"complex": True, b"data": "(1+2j)"}, array("<M8[ns]", (2,)),
    ],
)  # fmt: skip
def test_arrays_that_are_as_they_should(value: Any) -> None:
    found = look(pack({"params": {"w": value}}), "m.msgpack")
    assert not found.facts
    assert not found.source.coverage.gaps()


@pytest.mark.parametrize(
    "value",
    [
        PICKLE,
        Ext(42, PICKLE),
        array("|O", (1,), PICKLE, b"O"),
        {"inner": pack({"state": PICKLE, "name": "x" * 30})},
        {"data": PICKLE},
    ],
)
def test_pickles_inside(value: Any) -> None:
    found = look(pack({"a": 1, "w": value}), "m.msgpack")
    assert judged(found)["unsafe-import"] is Severity.CRITICAL


def test_only_msgpack_numpy_unpickles_whatever_it_is() -> None:
    broken = look(pack({"w": array("|O", (1,), b"cos\nsystem\n(S'echo toadstone'\ntR.", b"O")}), "m.msgpack")
    assert judged(broken)["unsafe-import"] is Severity.CRITICAL


def test_settings_that_loaders_act_on() -> None:
    found = look(pack({"model": {"_target_": "os.system", "command": "echo toadstone"}}), "m.msgpack")
    assert judged(found)["unsafe-import"] is Severity.CRITICAL


def test_doubled_entries() -> None:
    assert look(b"\x82\xa1a\x01\xa1a\x02", "m.msgpack").anomalies == ["ambiguous-record"]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xdd\xff\xff\xff\xff", "resource-claim"),
        (b"\xdf\xff\xff\xff\xff\x01", "resource-claim"),
        (b"\x91" * 3000, "depth-bomb"),
    ],
)
def test_numbers_that_exhaust(data: bytes, kind: str) -> None:
    found = look(data, "m.msgpack")
    assert kind in found.anomalies
    assert found.unread


def test_without_a_name_it_has_to_fit_to_the_last_byte() -> None:
    data = pack({"params": [1, 2, 3], "name": "x"})
    assert look(data, "weights").kind == "msgpack"
    assert look(data + b"\x00junk", "weights").kind != "msgpack"
    assert look(data[:-1], "weights").kind != "msgpack"
    assert look(data + PICKLE, "m.msgpack").anomalies == ["hidden-data"]


def test_streams_of_objects() -> None:
    found = look(pack({"a": 1}) + pack({"b": [2]}), "m.msgpack")
    assert not found.facts
    assert not found.source.coverage.gaps()


def test_parts_of_a_spacy_folder() -> None:
    assert look(b"\x80", "key2row").kind == "msgpack"
    assert look(pack({"prefix_search": r"^(?:\.\.\.|[\(\[])", "exceptions": {}}), "tokenizer").kind == "msgpack"
    for pattern in ("^(a+)+$", r"(?:[a-z]+)*x", r"(\w|\w)*"):
        found = look(pack({"url_match": pattern, "exceptions": {}}), "tokenizer")
        assert "decompression-bomb" in judged(found, Severity.HIGH), pattern


@given(st.binary(max_size=300))
def test_random_bytes(data: bytes) -> None:
    look(data, "m.msgpack")
    look(b"\x82\xa1a" + data, "weights")


def test_long_lists_cost_little() -> None:
    data = b"\xdf" + struct.pack(">I", 200_000) + b"".join(struct.pack(">BQB", 0xCF, index, 1) for index in range(200_000))
    assert look(data, "key2row").kind == "msgpack"


@pytest.mark.parametrize("value", ["os.system", ["posix.system", ["echo toadstone"]]])
def test_reductions_that_home_made_decoders_follow(value: Any) -> None:
    assert "metadata-payload" in judged(look(pack({"params": {"__reduce__": value}}), "m.msgpack"), Severity.HIGH)
    assert not judged(look(pack({"params": {"__class__": "mymodels.Dense"}}), "m.msgpack"))
