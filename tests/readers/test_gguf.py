"""GGUF: both byte orders, every value type, and numbers that lie."""

import struct
import time

import pytest
from format_files import PICKLE, assert_total, gguf, gguf_pair, gguf_tensor, gguf_text, look

from toadstone.core.fact import Anomaly, Call, Setting
from toadstone.core.value import Items

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


def array(kind: int, items: list[bytes], order: str = "<") -> bytes:
    return struct.pack(order + "IQ", kind, len(items)) + b"".join(items)


def example(order: str = "<") -> bytes:
    pairs = [gguf_pair(f"s{kind}", kind, struct.pack(order + code, 1), order) for kind, code in SCALARS.items()]
    pairs.append(gguf_pair("general.name", 8, gguf_text("tiny", order), order))
    pairs.append(gguf_pair("general.tags", 9, array(8, [gguf_text(word, order) for word in ("a", "b")], order), order))
    pairs.append(gguf_pair("nested", 9, array(9, [array(0, [b"\1", b"\2"], order)] * 3, order), order))
    tensors = [gguf_tensor("a", [32, 2], 2, 0, order), gguf_tensor("b", [5], 0, 64, order)]
    return gguf(pairs, tensors, b"\7" * 36 + bytes(28) + b"\7" * 20 + bytes(12), order)


@pytest.mark.parametrize("order", ["<", ">"])
def test_example_is_complete(order: str) -> None:
    seen = look(example(order), "m.gguf")
    assert seen.kind == "gguf"
    assert {type(fact) for fact in seen.facts} == {Setting}
    settings = {fact.key: fact.value for fact in seen.of(Setting)}
    assert settings["general.name"] == "tiny"
    assert settings["s12"] == 1.0
    assert isinstance(settings["general.tags"], Items)
    assert settings["general.tags"].items == ["a", "b"]


def test_version_1_has_short_counts() -> None:
    def text(value: str) -> bytes:
        return struct.pack("<I", len(value)) + value.encode()

    words = struct.pack("<II", 8, 300) + text("word") * 300
    pairs = text("general.name") + struct.pack("<I", 8) + text("tiny") + text("tokens") + struct.pack("<I", 9) + words
    head = b"GGUF" + struct.pack("<III", 1, 1, 2) + pairs + text("a") + struct.pack("<IIIQ", 1, 4, 0, 0)
    seen = look(head + bytes(-len(head) % 32) + b"\5" * 16, "m.gguf")
    assert not seen.unread
    assert seen.of(Setting)[0].value == "tiny"


def test_chat_templates_are_handed_to_the_template_reader() -> None:
    pairs = [
        gguf_pair(key, 8, gguf_text("{{ messages }}")) for key in ("tokenizer.chat_template", "tokenizer.chat_template.tool")
    ]
    seen = look(gguf(pairs, []), "m.gguf")
    assert not [fact for fact in seen.of(Setting) if "chat_template" in fact.key]


def test_payload_between_and_behind_tensors_is_found() -> None:
    tensors = [gguf_tensor("a", [4], 0, 0), gguf_tensor("b", [4], 0, 64)]
    between = bytes(16) + PICKLE.ljust(48, b"\0") + bytes(16)
    for data in (gguf([], tensors, between), gguf([], tensors[:1], bytes(32) + PICKLE)):
        assert [str(fact.callee) for fact in look(data, "m.gguf").of(Call)] == ["posix.system"]


@pytest.mark.parametrize(
    ("tensors", "kind"),
    [
        ([gguf_tensor("a", [1 << 60, 1 << 60], 0, 0)], "tensor-bounds"),
        ([gguf_tensor("a", [4], 0, 3)], "tensor-bounds"),
        ([gguf_tensor("a", [4], 0, 1 << 40)], "tensor-bounds"),
        ([gguf_tensor("a", [32], 0, 0), gguf_tensor("b", [4], 0, 32)], "tensor-overlap"),
    ],
)
def test_contradictions_of_the_layout(tensors: list[bytes], kind: str) -> None:
    assert kind in look(gguf([], tensors, bytes(128)), "m.gguf").anomalies


def test_unknown_tensor_type_is_bounded_by_the_next_one() -> None:
    tensors = [gguf_tensor("a", [64], 999, 0), gguf_tensor("b", [4], 0, 64)]
    assert look(gguf([], tensors, b"\5" * 64 + bytes(32)), "m.gguf").facts == []
    assert "unknown type" in look(gguf([], tensors[:1], b"\5" * 64), "m.gguf").unread[0]


def test_cut_file_is_incomplete_but_no_finding() -> None:
    seen = look(example()[:-20], "m.gguf")
    assert not seen.anomalies
    assert any("cut short" in reason for reason in seen.unread)


@pytest.mark.parametrize("counts", [(1 << 63, 0), (0, 1 << 63), (1 << 20, 1 << 20)])
def test_counts_beyond_the_file_are_said(counts: tuple[int, int]) -> None:
    seen = look(b"GGUF" + struct.pack("<IQQ", 3, *counts) + bytes(64), "m.gguf")
    assert seen.anomalies == ["resource-claim"]
    assert seen.unread


def test_repeated_keys_are_confusing() -> None:
    seen = look(gguf([gguf_pair("a", 0, b"\1")] * 2, []), "m.gguf")
    assert [fact.kind for fact in seen.of(Anomaly)] == ["ambiguous-record"]


@pytest.mark.parametrize("alignment", [0, 7, 1 << 31])
def test_alignment_that_is_no_power_of_two(alignment: int) -> None:
    pair = gguf_pair("general.alignment", 4, struct.pack("<I", alignment))
    assert look(gguf([pair], []), "m.gguf").anomalies == ["forged-header"]


def test_arrays_nested_without_end_stop() -> None:
    deep = b"".join(struct.pack("<IQ", 9, 1) for _ in range(5000)) + struct.pack("<IQ", 0, 0)
    assert any("nested deeper" in reason for reason in look(gguf([gguf_pair("a", 9, deep)], []), "m.gguf").unread)


def test_large_vocabulary_is_fast() -> None:
    words = b"".join(gguf_text(f"token{index}") for index in range(256_000))
    data = gguf([gguf_pair("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 256_000) + words)], [])
    start = time.process_time()
    seen = look(data, "m.gguf")
    assert time.process_time() - start < 1.5  # 0.1 s on an idle machine
    assert not seen.unread
    assert seen.of(Setting)[0].value.more == 256_000 - 256


def test_any_bytes_are_survived() -> None:
    assert_total(example(), "m.gguf", flips=500)
    assert_total(example(">"), "m.gguf", flips=100)


@pytest.mark.parametrize("size", [1 << 48, (1 << 63) - 1, (1 << 64) - 1])
def test_a_length_that_no_file_has_is_forged(size: int) -> None:
    seen = look(b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, size) + bytes(64), "m.gguf")
    assert [fact.kind for fact in seen.of(Anomaly)] == ["resource-claim"]
    assert seen.unread


def test_a_length_beyond_the_end_is_a_broken_download() -> None:
    seen = look(b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1 << 20) + bytes(64), "m.gguf")
    assert not seen.of(Anomaly)
    assert seen.unread


def test_more_dimensions_than_the_loader_has_room_for() -> None:
    seen = look(gguf([], [gguf_tensor("a", [1] * 5, 0, 0)], bytes(32)), "m.gguf")
    assert [fact.kind for fact in seen.of(Anomaly)] == ["resource-claim"]
