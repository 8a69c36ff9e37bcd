"""safetensors: what the reference accepts is complete, what it refuses is said."""

import json

import pytest
from format_files import PICKLE, assert_total, look, safetensors, tensor

from toadstone.checks.model.tensor_layout import TensorLayout
from toadstone.core.fact import Anomaly, Call, Setting, Text
from toadstone.core.finding import Severity

GOOD = {"__metadata__": {"format": "pt"}, "a": tensor([2, 3], 0, 24), "b": tensor([7], 24, 80, "I64"), "c": tensor([0], 80, 80)}


def test_good_file_is_complete() -> None:
    seen = look(safetensors(GOOD, bytes(80)), "model.safetensors")
    assert seen.kind == "safetensors"
    assert {type(fact) for fact in seen.facts} == {Setting, Text}
    assert [(fact.schema, fact.key, fact.value) for fact in seen.of(Setting)] == [("safetensors", "format", "pt")]


def test_content_counts_not_the_name() -> None:
    assert look(safetensors(GOOD, bytes(80)), "weights.bin").kind == "safetensors"


def test_trailing_spaces_of_the_header_are_padding() -> None:
    raw = json.dumps(GOOD).encode() + b" " * 13
    assert not look(safetensors(None, bytes(80), raw), "a.safetensors").unread


@pytest.mark.parametrize(
    ("dtype", "shape", "size"),
    [("F4", [3, 2], 3), ("F6_E2M3", [4], 3), ("F8_E8M0", [5], 5), ("F8_E5M2FNUZ", [5], 5), ("C64", [2], 16), ("BF16", [], 2)],
)
def test_every_type_has_its_size(dtype: str, shape: list[int], size: int) -> None:
    seen = look(safetensors({"t": tensor(shape, 0, size, dtype)}, bytes(range(1, size + 1))), "a.safetensors")
    assert seen.facts == []


@pytest.mark.parametrize(
    ("entries", "kind"),
    [
        ({"a": tensor([2], 0, 8), "b": tensor([2], 4, 12)}, "tensor-bounds"),
        ({"a": tensor([3], 0, 12), "b": tensor([3], 0, 12)}, "tensor-overlap"),
        ({"a": tensor([2], 0, 12)}, "tensor-bounds"),
        ({"a": tensor([1 << 62, 1 << 62], 0, 12)}, "tensor-bounds"),
        ({"a": tensor([1], 0, 4), "b": tensor([1], 1 << 40, (1 << 40) + 4)}, "tensor-bounds"),
    ],
)
def test_contradictions_are_findings(entries: dict[str, object], kind: str) -> None:
    seen = look(safetensors(entries, b"\1" * 12), "a.safetensors")
    assert kind in seen.anomalies
    severity = [finding.severity for fact in seen.of(Anomaly) for finding in TensorLayout().examine(fact)]
    assert severity == [Severity.HIGH if kind == "tensor-bounds" else Severity.MEDIUM]


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "Q9", "shape": [1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]},
        {"dtype": "F32", "shape": [1], "data_offsets": [0, -4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [0.0, 4.0]},
        {"dtype": "F32", "shape": [1], "data_offsets": [0, True]},
        {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]},
        {},
        [],
        None,
    ],
)
def test_entries_that_are_not_understood_are_unread(entry: object) -> None:
    assert look(safetensors({"t": entry}, b"\1\2\3\4"), "a.safetensors").unread


def test_payload_in_a_hole_and_behind_the_tensors_is_found() -> None:
    hole = {"a": tensor([1], 0, 4), "b": tensor([1], 4 + len(PICKLE), 8 + len(PICKLE))}
    for data in (safetensors(hole, bytes(4) + PICKLE + bytes(4)), safetensors({"a": tensor([1], 0, 4)}, bytes(4) + PICKLE)):
        assert [str(fact.callee) for fact in look(data, "a.safetensors").of(Call)] == ["posix.system"]


def test_repeated_tensor_name_is_confusing() -> None:
    entry = json.dumps(tensor([1], 0, 4))
    seen = look(safetensors(None, bytes(4), f'{{"a":{entry},"a":{entry}}}'.encode()), "a.safetensors")
    assert seen.anomalies == ["ambiguous-record"]


@pytest.mark.parametrize(
    "raw", [b'{"a":' + b"[" * 100_000, b'{"a":' + b"[]," * 3_000_000 + b"[]}", b'{"a":NaN}', b'{"\xff":1}', b'{"a']
)
def test_hostile_headers_are_unread(raw: bytes) -> None:
    seen = look(safetensors(None, b"", raw), "a.safetensors")
    assert any("header" in reason for reason in seen.unread)


def test_a_claim_beyond_the_reference_limit_is_said() -> None:
    seen = look((1 << 50).to_bytes(8, "little") + b'{"a":1}', "a.safetensors")
    assert seen.anomalies == ["resource-claim"]
    assert seen.unread


def test_a_broken_download_is_incomplete_but_no_finding() -> None:
    seen = look(safetensors(GOOD, bytes(70)), "a.safetensors")
    assert not seen.anomalies
    assert "cut short" in seen.unread[0]


def test_many_problems_are_counted_not_listed() -> None:
    entries = {f"t{index}": tensor([1], 0, 4) for index in range(500)}
    seen = look(safetensors(entries, bytes(4)), "a.safetensors")
    assert len(seen.facts) < 80
    assert any("more of the same" in fact.detail for fact in seen.of(Anomaly))


def test_any_bytes_are_survived() -> None:
    assert_total(safetensors(GOOD, bytes(80)), "a.safetensors", flips=400)
