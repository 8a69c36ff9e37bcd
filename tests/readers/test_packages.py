"""Packages that servers and registries unpack: exported programs, TorchServe, MLflow, llamafiles, images, adapters."""

import json

import pytest
from format_files import PICKLE, assert_total, look

from benchmarks.corpus.malicious.formats2.packages import adapter, exported, gguf, image, llamafile, mar, mlflow, tarred
from toadstone.core.fact import Call, Code, Import, Link, Moment, Operator, Setting


def calls(data: bytes) -> list[tuple[str, tuple[object, ...], Moment]]:
    return [(str(fact.callee), fact.args, fact.when) for fact in look(data, "m.pt2").of(Call)]


def test_plain_programs_are_complete_and_silent() -> None:
    seen = look(
        exported(guards=("L['x'].size()[0] <= 16",), expression="Mod(s0, 4) + FloorDiv(s77, 2)*Max(1, s0) - 2.0"), "m.pt2"
    )
    assert (seen.kind, seen.unread, seen.anomalies, seen.of(Call)) == ("torch-export", [], [], [])
    assert [fact.node for fact in seen.of(Operator)] == ["ops.aten.relu.default"]


@pytest.mark.parametrize(
    "target", ["_operator.add", "math.ceil", "torch.sym_float", "torch._sym_sqrt", "torch.ops.higher_order.cond"]
)
def test_targets_that_compute(target: str) -> None:
    assert calls(exported(target)) == []


@pytest.mark.parametrize("target", ["torch.os.system", "torch.hub.load", "_operator.a.b", "math.a.b"])
def test_targets_that_are_no_operators(target: str) -> None:
    assert calls(exported(target, "echo inert")) == [(target, ("echo inert",), Moment.USE)]


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('echo inert')",
        "eval(chr(95))",
        "s0.__class__",
        "(lambda: 1)()",
        "getattr(s0, x)",
        "s0.func(1)",
        "S('s0')",
        "[s0][0]",
        "sympify('1')",
    ],
)
def test_expressions_that_are_python(expression: str) -> None:
    assert calls(exported(expression=expression)) == [("builtins.eval", (expression,), Moment.LOAD)]


def test_expressions_as_sympy_writes_them() -> None:
    for expression in (
        "Symbol('s77', positive=True, integer=True)",
        "Add(Mul(Integer(2), Symbol('s0', integer=True)), Integer(1))",
        "s0",
    ):
        assert calls(exported(expression=expression)) == []


def test_guards_are_python() -> None:
    assert "os" in {str(fact.symbol) for fact in look(exported(guards=("__import__('os').system('x')",)), "m.pt2").of(Import)}


def test_weights_are_inert_only_as_they_are_declared() -> None:
    assert look(exported(weight=bytes(range(1, 20))), "m.pt2").unread != []
    for weight in (PICKLE.ljust(32, b"\1"), b"PK\x03\x04" + bytes(28)):
        seen = look(exported(weight=weight), "m.pt2")
        assert seen.of(Import) or seen.anomalies


def test_requirements_of_torchserve_under_any_name() -> None:
    seen = look(mar(requirements="numpy\n--extra-index-url http://198.51.100.7/simple\n"), "m.mar")
    assert seen.kind == "torchserve"
    assert [(fact.key, fact.value) for fact in seen.of(Setting)] == [("--extra-index-url", "http://198.51.100.7/simple")]


def test_paths_of_manifests() -> None:
    assert [fact.target for fact in look(mar(handler="../x.py"), "m.mar").of(Link)] == ["../x.py"]
    assert [fact.target for fact in look(mar(handler="../x.py:predict"), "m.mar").of(Link)] == ["../x.py"]
    assert not look(mar(handler="handler.py:predict"), "m.mar").of(Link)
    assert look(mar(), "m.mar").of(Link) == []
    described = mlflow(code="../../code", python_model="python_model.pkl", model_code_path="/srv/model.py")["MLmodel"]
    assert [fact.target for fact in look(described, "MLmodel").of(Link)] == ["../../code", "/srv/model.py"]


def test_llamafiles_are_programs_with_an_archive() -> None:
    seen = look(llamafile({"model.gguf": gguf(), ".args": b"-m\nmodel.gguf\n"}), "toad.llamafile")
    assert (seen.kind, seen.unread, seen.anomalies) == ("llamafile", [], [])
    assert [fact.language for fact in seen.of(Code)] == ["native"]
    assert [fact.value for fact in seen.of(Setting)] == ["-m model.gguf", "toad"]
    assert "posix.system" in {str(fact.symbol) for fact in look(llamafile({"x.pkl": PICKLE}), "t").of(Import)}


def test_images() -> None:
    files = image(tarred({"opt/readme.txt": b"notes\n"}), ["python", "serve.py"], ["http://198.51.100.7/layer"])
    assert [fact.target for fact in look(files["blobs/sha256/m"], "m").of(Link)] == ["http://198.51.100.7/layer"]
    assert [(fact.key, fact.value) for fact in look(files["blobs/sha256/c"], "c").of(Setting)] == [
        ("Entrypoint", "python serve.py")
    ]
    assert look(image(tarred({"a": PICKLE}), [])["blobs/sha256/a"], "a").of(Import) != []


@pytest.mark.parametrize(
    ("keys", "anomalies"),
    [
        ({}, []),
        ({"target_modules": r".*\.(q|k|v)_proj"}, []),
        ({"target_modules": r"(.*a+)+\.(.*b+)+$"}, ["resource-claim"]),
        ({"rank_pattern": {r"(x+x+)+y": 4}}, ["resource-claim"]),
    ],
)
def test_patterns_of_adapters(keys: dict[str, object], anomalies: list[str]) -> None:
    assert look(adapter(**keys)["adapter_config.json"], "adapter_config.json").anomalies == anomalies


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("m.pt2", exported(guards=("a",))),
        ("m.mar", mar(requirements="x")),
        ("t.llamafile", llamafile({"a.gguf": gguf(), ".args": b"-m"})),
    ],
)
def test_total(name: str, data: bytes) -> None:
    assert_total(data, name, 60)


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [[]], [{}], {"a": None}])
def test_documents_of_another_shape(value: object) -> None:
    keys = (
        "model",
        "flavors",
        "layers",
        "manifests",
        "rootfs",
        "config",
        "program",
        "base_code",
        "itemInfoEntries",
        "graph_module",
    )
    document = dict.fromkeys((*keys, "peft_type", "schema_version", "guards_code", "target_modules", "rank_pattern"), value)
    for name in ("manifest.json", "config.json"):
        assert not [reason for reason in look(json.dumps(document).encode(), name).unread if "internal" in reason]
    nested = {
        "model": {"modelName": value, "handler": value},
        "flavors": {"a": {"code": value}},
        "graph_module": {"a": [document]},
    }
    assert not [r for r in look(json.dumps(nested | {"schema_version": 1}).encode(), "manifest.json").unread if "internal" in r]
