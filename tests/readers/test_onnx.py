"""ONNX: operators that need code, files outside, and every byte of the message."""

import io
import zipfile

import pytest
from format_files import PICKLE, assert_total, field, look, onnx_entry, onnx_external, onnx_model, onnx_node, varint

from toadstone.checks.model.custom_operator import CustomOperator
from toadstone.core.fact import Anomaly, Call, Import, Link, Operator, Setting, Text
from toadstone.core.finding import Severity
from toadstone.readers.onnx.external import leads_outside


def attribute(name: str, number: int, value: bytes | str | int) -> bytes:
    return field(1, name) + field(number, value)


def subgraph(*nodes: bytes) -> bytes:
    return b"".join(field(1, node) for node in nodes) + field(2, "inner")


def weight(size: int = 64) -> bytes:
    return field(1, size) + field(2, 2) + field(8, "w") + field(9, b"\x80" * size)


def operators(data: bytes) -> set[tuple[str, str]]:
    return {(fact.domain, fact.name) for fact in look(data, "m.onnx").of(Operator)}


def test_plain_model_is_complete_and_silent() -> None:
    seen = look(onnx_model(onnx_node("Relu"), onnx_node("Normalizer", "ai.onnx.ml"), initializers=(weight(),)), "m.onnx")
    assert (seen.kind, seen.unread, seen.anomalies) == ("onnx", [], [])
    assert {type(fact) for fact in seen.facts} == {Setting}


def test_content_counts_not_the_name() -> None:
    assert look(onnx_model(onnx_node("Relu")), "weights.dat").kind == "onnx"


def test_operators_are_found_wherever_nodes_are() -> None:
    inside = onnx_node("If", "", attribute("then_branch", 6, subgraph(onnx_node("A", "one"))))
    several = onnx_node("Any", "", attribute("bodies", 11, subgraph(onnx_node("B", "two"))))
    function = field(25, field(1, "F") + field(10, "local") + field(7, onnx_node("C", "three")))
    training = field(20, field(2, subgraph(onnx_node("D", "four"))))
    data = onnx_model(inside, several, onnx_node("F", "local"), extra=function + training)
    assert operators(data) == {("one", "A"), ("two", "B"), ("three", "C"), ("four", "D")}


def test_a_functions_own_name_needs_no_library_but_another_one_does() -> None:
    function = field(25, field(1, "F") + field(10, "local"))
    assert operators(onnx_model(onnx_node("F", "local"), onnx_node("G", "local"), extra=function)) == {("local", "G")}


@pytest.mark.parametrize(
    ("domain", "name", "severity"),
    [
        ("pyopmulti", "PyOp", Severity.HIGH),
        ("", "PyOp", Severity.HIGH),
        ("com.microsoft", "PythonOp", Severity.HIGH),
        ("ai.onnx.contrib", "Mine", Severity.HIGH),
        ("ai.onnx.contrib", "BertTokenizer", None),
        ("com.microsoft", "Gelu", None),
        ("com.microsoft.extensions", "AzureTextToText", Severity.MEDIUM),
        ("org.pytorch.aten", "ATen", Severity.MEDIUM),
        ("trt.plugins", "TRT_EfficientNMS", Severity.MEDIUM),
    ],
)
def test_judgement_of_operators(domain: str, name: str, severity: Severity | None) -> None:
    facts = look(onnx_model(onnx_node(name, domain)), "m.onnx").of(Operator)
    found = [finding.severity for fact in facts for finding in CustomOperator().examine(fact)]
    assert found == ([] if severity is None else [severity])
    assert not [finding for fact in facts for finding in CustomOperator(allow=frozenset({domain})).examine(fact)]


def test_python_operator_imports_what_its_attributes_name() -> None:
    node = onnx_node("PyOp", "py", attribute("module", 4, "os"), attribute("class_name", 4, "system"))
    assert [str(fact.symbol) for fact in look(onnx_model(node), "m.onnx").of(Import)] == ["os.system"]


@pytest.mark.parametrize(
    "location",
    [
        "/etc/passwd", "../secret", "a/../../b", "a\\..\\..\\b", "C:\\x", "c:x", "\\\\host\\share", "~/x", "http://host.example/x",
        "file:///x", "a/..", "w\0.bin", "*/_ORT_MEM_ADDR_/*",
    ],
)  # fmt: skip
def test_locations_that_lead_out(location: str) -> None:
    assert leads_outside(location)
    links = look(onnx_model(initializers=(onnx_external(location=location),)), "m.onnx").of(Link)
    assert [(link.target, link.relation, link.escapes) for link in links] == [(location, "external-data", True)]


@pytest.mark.parametrize("location", ["w.bin", "weights/w.bin", "./w.bin", "a..b", "..."])
def test_locations_that_stay(location: str) -> None:
    assert not leads_outside(location)


def test_external_data_counts_without_its_flag_and_inside_attributes_and_sparse_tensors() -> None:
    unflagged = field(2, 1) + field(13, onnx_entry("location", "../a"))
    sparse = field(15, field(1, field(2, 1) + field(13, onnx_entry("location", "../b"))))
    constant = onnx_node("Constant", "", attribute("value", 5, field(13, onnx_entry("location", "../c"))))
    data = onnx_model(constant, initializers=(unflagged,), graph_extra=sparse)
    assert {link.target for link in look(data, "m.onnx").of(Link)} == {"../a", "../b", "../c"}


@pytest.mark.parametrize(
    ("entries", "kind"),
    [
        ({"location": "*/_ORT_MEM_ADDR_/*", "offset": "4096", "length": "8"}, "tensor-bounds"),
        ({"location": "w.bin", "offset": "-1"}, "tensor-bounds"),
        ({"location": "w.bin", "offset": "٣"}, "tensor-bounds"),
        ({"location": "w.bin", "offset": "8", "length": "9"}, "tensor-bounds"),
        ({"location": "w.bin", "__class__": "x"}, "parser-confusion"),
    ],
)
def test_external_data_that_lies(entries: dict[str, str], kind: str) -> None:
    seen = look(onnx_model(initializers=(onnx_external(**entries),)), "m.onnx", {"w.bin": bytes(16)})
    assert seen.anomalies == [kind]


def test_external_data_that_is_right() -> None:
    entries = {"location": "w.bin", "offset": "8", "length": "8", "checksum": "0", "prepacked_0": "k|0|8|"}
    assert not look(onnx_model(initializers=(onnx_external(**entries),)), "m.onnx", {"w.bin": bytes(16)}).anomalies


def test_data_file_is_inert_as_far_as_its_model_declares_it() -> None:
    model = onnx_model(initializers=(onnx_external(location="m.onnx.data", offset="0", length="64"),))
    weights = b"\xaa\x01" * 32
    seen = look(weights, "m.onnx.data", {"m.onnx": model})
    assert (seen.kind, seen.facts) == ("onnx-data", [])
    assert look(weights, "m.onnx.data").unread
    assert look(weights, "other.data", {"m.onnx": model}).unread
    assert [str(fact.callee) for fact in look(weights + PICKLE, "m.onnx.data", {"m.onnx": model}).of(Call)] == ["posix.system"]


def test_members_of_an_archive_have_no_model_next_to_them() -> None:
    model = onnx_model(initializers=(onnx_external(location="w.bin"),))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("w.bin", b"\xaa\x01" * 32)
    assert look(buffer.getvalue(), "a.zip", {"model.onnx": model}).unread


def test_a_location_that_many_tensors_share_is_one_link() -> None:
    tensors = tuple(onnx_external(location="w.bin", offset=str(index)) for index in range(50))
    assert len(look(onnx_model(initializers=tensors), "m.onnx").of(Link)) == 1


def test_a_pickle_does_not_pass_as_data_of_a_model() -> None:
    model = onnx_model(initializers=(onnx_external(location="w.bin"),))
    assert [str(fact.callee) for fact in look(PICKLE, "w.bin", {"model.onnx": model}).of(Call)] == ["posix.system"]


def test_compiled_context_in_another_file_is_a_link() -> None:
    node = onnx_node("EPContext", "com.microsoft", attribute("embed_mode", 3, 0), attribute("ep_cache_context", 4, "../x.bin"))
    assert [link.target for link in look(onnx_model(node), "m.onnx").of(Link)] == ["../x.bin"]


def test_texts_and_metadata_are_handed_out() -> None:
    seen = look(onnx_model(onnx_node("Relu"), extra=field(6, "described") + field(14, onnx_entry("k", "v"))), "m.onnx")
    assert {fact.text for fact in seen.of(Text)} == {"described", "v"}
    assert ("metadata_props.k", "v") in {(fact.key, fact.value) for fact in seen.of(Setting)}


def test_unknown_fields_are_tolerated_but_accounted_for() -> None:
    assert not look(onnx_model(onnx_node("Relu"), extra=field(99, 7)), "m.onnx").unread
    seen = look(onnx_model(onnx_node("Relu"), extra=field(99, PICKLE)), "m.onnx")
    assert [str(fact.callee) for fact in seen.of(Call)] == ["posix.system"]


def test_fields_in_another_order_change_nothing() -> None:
    graph = field(7, field(1, onnx_node("A", "one")) + field(2, "g"))
    assert operators(field(99, b"x") + graph + field(1, 8)) == {("one", "A")}


def test_graphs_inside_graphs_without_end_stop() -> None:
    node = onnx_node("A")
    for _ in range(200):
        node = onnx_node("If", "", attribute("b", 6, subgraph(node)))
    seen = look(onnx_model(node), "m.onnx")
    assert "depth-bomb" in seen.anomalies
    assert seen.unread


def test_groups_without_end_stop() -> None:
    seen = look(onnx_model(onnx_node("Relu")) + varint(50 << 3 | 3) * 500, "m.onnx")
    assert any("cannot be followed" in reason for reason in seen.unread)


def test_truncated_model_is_incomplete() -> None:
    data = onnx_model(onnx_node("A", "one"), initializers=(weight(4096),))
    seen = look(data[:2000], "m.onnx")
    assert seen.unread
    whole = look(data, "m.onnx")
    assert not whole.unread
    assert not whole.of(Anomaly)


def test_any_bytes_are_survived() -> None:
    inside = onnx_node("If", "", attribute("then_branch", 6, subgraph(onnx_node("A", "one"))))
    external = onnx_external(location="w.bin", offset="0", length="4")
    assert_total(
        onnx_model(inside, initializers=(weight(8), external), extra=field(14, onnx_entry("k", "v"))), "m.onnx", flips=600
    )
