"""Keras configurations: every published way to make loading a model do more than build it, and what honest models look like."""

import base64
import io
import json
import marshal
import pickle
import zipfile

import h5py
import numpy as np
import pytest

from toadstone.checks.model.keras_custom_object import KerasCustomObject
from toadstone.checks.model.keras_lambda import KerasLambda
from toadstone.checks.model.keras_unsafe_config import KerasUnsafeConfig
from toadstone.checks.model.read_on_load import ReadOnLoad
from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget
from toadstone.core.fact import Anomaly, Call, Code, Import, Link, Setting, Unread
from toadstone.core.finding import Severity
from toadstone.core.place import Place
from toadstone.core.value import Symbol
from toadstone.readers.reader import Source
from toadstone.readers.walk import walk

CHECKS = (KerasCustomObject, KerasLambda, KerasUnsafeConfig, ReadOnLoad)
CODE = marshal.dumps(compile("lambda x: x * 2", "<string>", "eval").co_consts[0])
CODE64 = base64.encodebytes(CODE).decode()


def walked(data, name):
    return list(walk(Source(BytesBlob(data), name, Place("f"), Budget.of(len(data)))))


def layer(name, module="keras.layers", /, **config):
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def function(module, name, registered="function"):
    return {"module": module, "class_name": "function", "config": name, "registered_name": registered}


def model(*layers, **more):
    start = layer("InputLayer", batch_shape=[None, 4], dtype="float32", name="in")
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
    config = {"name": "sequential", "trainable": True, "dtype": policy, "layers": [start, *layers]}
    return {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None, **more}


def keras_file(config, **members):
    stream = io.BytesIO()
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file["layers/dense/vars/0"] = np.zeros((4, 3), "f4")
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1", "date_saved": "2026-11-23@10:00:00"}))
        archive.writestr("config.json", config if isinstance(config, (bytes, str)) else json.dumps(config))
        archive.writestr("model.weights.h5", weights.getvalue())
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return stream.getvalue()


def h5_file(config, training=None):
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs["keras_version"] = "2.15.0"
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = json.dumps(config)
        if training is not None:
            file.attrs["training_config"] = json.dumps(training)
        file["model_weights/dense/kernel:0"] = np.zeros((4, 3), "f4")
    return stream.getvalue()


def legacy(*layers):
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": list(layers)}}


def scan(data, name="model.keras"):
    """Give facts and, by check id, the findings of the Keras checks."""
    facts = walked(data, name)
    found = {}
    for cls in CHECKS:
        made = cls()
        for fact in facts:
            if isinstance(fact, cls.reads):
                found.setdefault(cls.id, []).extend(made.examine(fact))
    return facts, {check: findings for check, findings in found.items() if findings}


def severities(findings, check):
    return [finding.severity for finding in findings.get(check, [])]


def symbols(facts, kind=Import):
    return [str(fact.symbol if kind is Import else fact.callee) for fact in facts if isinstance(fact, kind)]


HONEST = [
    layer("Dense", units=3, activation="relu", kernel_initializer=layer("GlorotUniform", "keras.initializers", seed=None)),
    layer(
        "Dense", units=3, activation=function("builtins", "gelu"), kernel_regularizer=layer("L2", "keras.regularizers", l2=0.01)
    ),
    layer("Bidirectional", layer=layer("LSTM", units=4), merge_mode="concat"),
    layer("Activation", activation=function("keras.activations", "relu")),
    layer("Lambda", function=function("keras.ops", "relu"), arguments={}),
    layer("Lambda", function=function("keras.backend", "l2_normalize"), arguments={"axis": 1}),
    layer("Lambda", function=function("keras.applications.mobilenet", "preprocess_input")),
    layer("StringLookup", vocabulary=["a", "b"], max_tokens=None),
    layer("StringLookup", vocabulary="vocabulary.txt"),
    layer("TextVectorization", vocabulary=None, standardize="lower_and_strip_punctuation"),
    layer("Functional", "keras.src.models.functional", layers=[]) | {"registered_name": "Functional"},
    layer("GPT2Backbone", "keras_nlp.src.models.gpt2.gpt2_backbone") | {"registered_name": "keras_nlp>GPT2Backbone"},
    function("keras_nlp.src.utils.keras_utils", "gelu_approximate", "keras_nlp>gelu_approximate"),
    {"class_name": "__numpy__", "config": {"value": [1, 2], "dtype": "int64"}},
    {"class_name": "__typespec__", "spec_name": "TensorSpec", "module": "tensorflow.python.framework.tensor_spec", "config": []},
]


@pytest.mark.parametrize("part", HONEST, ids=lambda part: str(part)[:60])
def test_honest_parts_are_silent(part):
    facts, findings = scan(keras_file(model(part)))
    assert not findings
    assert not symbols(facts)
    assert not [fact for fact in facts if isinstance(fact, (Unread, Anomaly, Call))]


def test_honest_compiled_models_are_silent():
    compile_config = {"optimizer": layer("Adam", "keras.optimizers", learning_rate=0.1), "loss": "mse", "metrics": ["accuracy"]}
    _, findings = scan(keras_file(model(layer("Dense", units=2), compile_config=compile_config)))
    assert not findings
    old = legacy({"class_name": "Dense", "config": {"units": 3}}, {"class_name": "CuDNNLSTM", "config": {}})
    training = {"loss": "categorical_crossentropy", "optimizer_config": {"class_name": "Custom>Adam", "config": {}}}
    facts, findings = scan(h5_file(old, training), "model.h5")
    assert not findings
    assert not [fact for fact in facts if isinstance(fact, Unread)]


LAMBDAS = {
    "keras 3": {"class_name": "__lambda__", "config": {"code": CODE64, "defaults": None, "closure": None}},
    "keras 3.0": {"class_name": "__lambda__", "config": {"value": [CODE64, None, None]}},
    "keras 2": [CODE64, None, None],
    "keras 2 tuple": {"class_name": "__tuple__", "items": [CODE64, None, None]},
    "keras 1": CODE.decode("latin-1"),
}


@pytest.mark.parametrize("form", LAMBDAS)
@pytest.mark.parametrize("key", ["function", "output_shape", "mask"])
def test_lambda_code_cve_2024_3660(form, key):
    config = {"function": "relu", "function_type": "lambda"} | {key: LAMBDAS[form]}
    for data, name in ((keras_file(model(layer("Lambda", **config))), "model.keras"),):
        facts, findings = scan(data, name)
        assert set(severities(findings, "keras-lambda")) == {Severity.HIGH}
        assert any(isinstance(fact, Code) for fact in facts)


def test_lambda_code_in_h5_cve_2025_9905():
    lambda_layer = {"class_name": "Lambda", "config": {"function": [CODE64, None, None], "function_type": "lambda"}}
    facts, findings = scan(h5_file(legacy(lambda_layer)), "model.h5")
    assert severities(findings, "keras-lambda") == [Severity.HIGH]
    assert "@model_config" in next(fact for fact in facts if isinstance(fact, Code)).place.member


def test_lambda_anywhere_in_a_configuration():
    _, findings = scan(keras_file(model(layer("Dense", activation=LAMBDAS["keras 3"]))))
    assert severities(findings, "keras-lambda") == [Severity.HIGH]


def test_lambda_by_name():
    _, findings = scan(keras_file(model(layer("Lambda", function=function("builtins", "my_scaling")))))
    assert severities(findings, "keras-lambda") == [Severity.LOW]
    by_name = {"class_name": "Lambda", "config": {"function": "my_scaling", "function_type": "function", "module": "__main__"}}
    facts, _ = scan(h5_file(legacy(by_name)), "model.h5")
    assert symbols(facts) == ["__main__.my_scaling"]


def test_module_outside_keras_cve_2025_1550():
    evil = layer("Lambda", function=function("os", "system"), arguments={}) | {
        "inbound_nodes": [{"args": ["echo inert"], "kwargs": {}}],
    }
    facts, _ = scan(keras_file(model(evil)))
    assert "os.system" in symbols(facts)
    calls = [fact for fact in facts if isinstance(fact, Call)]
    assert calls[0].callee == Symbol("os", "system")
    assert calls[0].args == ("echo inert",)
    facts, _ = scan(keras_file({**function("subprocess", "Popen"), "registered_name": "check_output"}))
    assert symbols(facts) == ["subprocess.Popen", "subprocess.check_output"]


def test_class_outside_keras_is_built_from_its_config():
    facts, _ = scan(keras_file(model(layer("Loader", "acme.tools", path="/tmp/x") | {"registered_name": "acme>Loader"})))
    assert symbols(facts) == ["acme.tools.Loader"]
    assert symbols(facts, Call) == ["acme.tools.Loader"]
    assert next(fact for fact in facts if isinstance(fact, Call)).kwargs == (("path", "/tmp/x"),)


def test_builtins_that_run_code():
    facts, findings = scan(keras_file(model(layer("Dense", activation=function("builtins", "eval")))))
    assert symbols(facts) == ["builtins.eval"]
    _, findings = scan(keras_file(model(layer("Dense", activation=function("builtins", "my_activation")))))
    assert severities(findings, "keras-custom-object") == [Severity.LOW]


@pytest.mark.parametrize(
    ("module", "name", "arguments", "severity"),
    [
        (
            "keras.utils",
            "get_file",
            {"origin": "http://192.0.2.7/x.tar", "extract": True},
            Severity.HIGH,
        ),  # CVE-2025-8747, -12060
        ("keras.src.utils.file_utils", "extract_archive", {"path": "."}, Severity.HIGH),
        ("tf_keras.utils", "get_file", {}, Severity.HIGH),
        ("tensorflow.keras.utils", "get_file", {}, Severity.HIGH),
        ("keras.config", "enable_unsafe_deserialization", {}, Severity.CRITICAL),  # CVE-2025-9906
        ("keras.src.backend.common.global_state", "set_global_attribute", {"value": False}, Severity.CRITICAL),
        ("keras.models", "load_model", {"safe_mode": False}, Severity.CRITICAL),
        ("keras.saving", "load_model", {}, Severity.HIGH),
        ("keras.src.utils.python_utils", "func_load", {}, Severity.CRITICAL),
        ("keras.utils", "save_img", {"path": "/tmp/x"}, Severity.HIGH),
        ("keras.layers", "deserialize", {}, Severity.HIGH),
        ("keras.backend", "clear_session", {}, Severity.HIGH),
        ("keras.applications.mobilenet", "mobilenet_like", {"weights": "/tmp/x"}, Severity.HIGH),
        ("keras_hub.src.utils.preset_utils", "load_json", {}, Severity.HIGH),
    ],
)
def test_functions_that_are_no_building_blocks(module, name, arguments, severity):
    config = model(layer("Lambda", function=function(module, name), arguments=arguments))
    facts, findings = scan(keras_file(config))
    assert max(severities(findings, "keras-unsafe-config")) == severity
    assert f"{module}.{name}" in symbols(facts, Call)
    _, findings = scan(keras_file(model(layer(name, module))))
    assert severities(findings, "keras-unsafe-config")


def test_vocabulary_by_path_cve_2025_12058():
    for target in ("/etc/passwd", "../../secret.txt", "http://192.0.2.7/v.txt", "gs://bucket/v.txt", "C:\\secret.txt"):
        for name in ("StringLookup", "IntegerLookup", "TextVectorization", "IndexLookup"):
            facts, findings = scan(keras_file(model(layer(name, vocabulary=target))))
            assert [fact.target for fact in facts if isinstance(fact, Link)] == [target]
            assert severities(findings, "read-on-load") == [Severity.HIGH]


def test_torch_module_wrapper_cve_2025_49655():
    class Echo:
        def __reduce__(self):
            return (__import__("os").system, ("echo inert",))

    text = base64.b64encode(pickle.dumps(Echo(), 2)).decode()
    facts, findings = scan(keras_file(model(layer("TorchModuleWrapper", module=text, name="torch"))))
    assert severities(findings, "keras-unsafe-config") == [Severity.MEDIUM]
    assert any(name.endswith(".system") for name in symbols(facts))


def test_saved_model_layer_cve_2026_1462():
    _, findings = scan(keras_file(model(layer("TFSMLayer", filepath="/tmp/evil", call_endpoint="serve"))))
    assert severities(findings, "keras-unsafe-config") == [Severity.MEDIUM]
    assert severities(findings, "read-on-load") == [Severity.HIGH]


def test_tensorflow_operators_by_name():
    for operator, expected in (("io.write_file", [Severity.HIGH]), ("raw_ops.ReadFile", [Severity.HIGH]), ("math.add", [])):
        lambda_layer = {"class_name": "TFOpLambda", "config": {"name": "op", "function": operator}}
        _, findings = scan(h5_file(legacy(lambda_layer)), "model.h5")
        assert severities(findings, "keras-unsafe-config") == expected


def test_weights_that_read_other_files_cve_2026_1669():
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("layers/dense/vars/0", (10,), "u1", external=[("/etc/passwd", 0, 10)])
    _, findings = scan(stream.getvalue(), "model.weights.h5")
    assert severities(findings, "read-on-load") == [Severity.HIGH]
    _, findings = scan(keras_file(model(), other__weights=stream.getvalue()))
    assert severities(findings, "read-on-load") == [Severity.HIGH]


def test_weights_that_exhaust_memory_cve_2026_0897():
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_dataset("layers/dense/vars/0", (1000000, 1000000, 1000), "f4", chunks=(100, 100, 100))
    facts, _ = scan(stream.getvalue(), "model.weights.h5")
    assert "resource-claim" in {fact.kind for fact in facts if isinstance(fact, Anomaly)}


def test_registered_and_shadowed_objects():
    custom = layer("Attention2", None) | {"registered_name": "acme>Attention2"}
    _, findings = scan(keras_file(model(custom)))
    assert severities(findings, "keras-custom-object") == [Severity.LOW]
    _, findings = scan(keras_file(model(layer("Dense") | {"registered_name": "acme>Dense"})))
    assert severities(findings, "keras-custom-object") == [Severity.MEDIUM]
    compile_config = {"loss": function("builtins", "my_loss"), "metrics": ["my_metric", "mae"]}
    _, findings = scan(keras_file(model(compile_config=compile_config)))
    assert [finding.evidence["object"] for finding in findings["keras-custom-object"]] == ["my_loss", "my_metric"]


@pytest.mark.parametrize("name", ["config.json", "model.json", "topology", "nested.txt"])
def test_configuration_on_its_own(name):
    facts, findings = scan(json.dumps(model(layer("Lambda", function=LAMBDAS["keras 3"]))).encode(), name)
    assert severities(findings, "keras-lambda") == [Severity.HIGH]
    assert not [
        fact
        for fact in facts
        if isinstance(fact, Unread) and "Lambda" not in fact.place.member and "code" not in fact.place.member
    ]


def test_configuration_in_other_encodings_and_with_escapes():
    text = json.dumps(model(function("os", "system")))
    for data in (text.encode("utf-16"), text.encode("utf-32-le"), text.replace("class_name", "\\u0063lass_name").encode()):
        assert "os.system" in symbols(scan(keras_file(data))[0])
        assert "os.system" in symbols(scan(data, "config.json")[0])


def test_configuration_in_other_shapes():
    wrapped = {"format": "layers-model", "modelTopology": {"model_config": model(function("os", "system"))}}
    assert "os.system" in symbols(scan(json.dumps(wrapped).encode(), "model.json")[0])
    late = {"config": {"pad": "x" * 100_000}, "class_name": "function2", "module": "os", "registered_name": "system"}
    assert "os.system" in symbols(scan(json.dumps(late).encode(), "model.json")[0])


def test_other_json_is_left_alone():
    for other in ({"_class_name": "UNet2DModel"}, {"class_name": "Thing", "size": 3}, {"model_type": "bert", "vocab_size": 10}):
        facts = walked(json.dumps(other).encode(), "config.json")
        assert not [fact for fact in facts if isinstance(fact, Setting) and fact.schema == "keras"]


def test_repeated_keys():
    text = json.dumps(model()).replace('"module": "keras"', '"module": "os", "module": "keras"', 1)
    assert "ambiguous-record" in {fact.kind for fact in scan(keras_file(text))[0] if isinstance(fact, Anomaly)}


def test_deep_and_broken_configurations_are_unread():
    for text in ('{"class_name": ' + "[" * 100_000, "[" * 100_000, '{"class_name": "Sequential", "config"', "", "null", "[1]"):
        facts, findings = scan(keras_file(text))
        assert not findings
        if text not in {"", "null", "[1]"}:
            assert [fact for fact in facts if isinstance(fact, Unread)]
    deep = '{"class_name": "A", "config": ' + "[" * 5000 + "]" * 5000 + "}"
    assert [fact for fact in walked(deep.encode(), "x.json") if isinstance(fact, Unread)]


@pytest.mark.parametrize("wrong", [None, 1, [], {}, "x", [[]], {"a": {}}])
def test_fields_of_any_type(wrong):
    for key in ("module", "class_name", "registered_name", "config", "inbound_nodes", "build_config"):
        for name in ("Lambda", "Dense", "TorchModuleWrapper", "TFOpLambda", "function", "__lambda__", "__typespec__"):
            part = layer(name, function=wrong, arguments=wrong, module=wrong, vocabulary=wrong, filepath=wrong) | {key: wrong}
            facts = walked(json.dumps(model(part)).encode(), "config.json")
            assert not [fact for fact in facts if isinstance(fact, Unread) and "internal error" in fact.reason]
    for inbound in ([wrong], [{"args": wrong, "kwargs": wrong}], [{"args": [wrong], "kwargs": {"a": wrong}}]):
        part = layer("Lambda", function=function("os", "system"), arguments=wrong) | {"inbound_nodes": inbound}
        facts = walked(json.dumps(model(part)).encode(), "config.json")
        assert "os.system" in symbols(facts)
        assert not [fact for fact in facts if isinstance(fact, Unread) and "internal error" in fact.reason]


def test_archives_are_recognised_by_content():
    source = Source(BytesBlob(keras_file(model())), "weights.bin", Place("f"), Budget.of(10_000))
    list(walk(source))
    assert source.notes["kind"] == "keras"


def test_assets_are_members():
    facts = walked(keras_file(model(), assets__layer__evil=pickle.dumps(print, 2)), "model.keras")
    assert any(name.endswith("print") for name in symbols(facts))


@pytest.mark.parametrize("cls", CHECKS)
def test_examples_of_the_checks(cls):
    for fact in cls.bad():
        assert list(cls().examine(fact))
    for fact in cls.good():
        assert not list(cls().examine(fact))


@pytest.mark.parametrize("module", ["os", "subprocess", "importlib.util"])
def test_a_module_that_reaches_the_system_is_no_home_of_layers(module):
    _, findings = scan(keras_file(model(layer("Dense", module, units=1))))
    assert Severity.HIGH in severities(findings, "keras-unsafe-config")
    _, findings = scan(keras_file(model(layer("Dense", "acme.layers", units=1))))
    assert not severities(findings, "keras-unsafe-config")


def test_a_lambda_under_its_full_name_is_one():
    full = {"class_name": "keras.layers.Lambda", "config": {"name": "l", "function": [CODE64, None, None]}}
    _, findings = scan(keras_file(model(full)))
    assert Severity.HIGH in severities(findings, "keras-lambda")
