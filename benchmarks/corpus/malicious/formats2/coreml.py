"""Core ML specifications and packages."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.formats.tensors import field
from benchmarks.corpus.malicious.payloads import COMMANDS


def metadata(**entries: str) -> bytes:
    """A description with what its users wrote."""
    rows = b"".join(field(100, field(1, key) + field(2, value)) for key, value in entries.items())
    return field(100, field(1, "A small model") + field(3, "toad") + rows)


def parameters(number: int, **texts: str) -> bytes:
    return b"".join(field(number, field(1, key) + field(2, field(20, text))) for key, text in texts.items())


def layer(name: str, custom: bytes = b"") -> bytes:
    return field(
        1, field(1, name) + field(2, "x") + field(3, "y") + (field(500, custom) if custom else field(130, field(10, b"")))
    )


def custom_layer(class_name: str, **texts: str) -> bytes:
    return layer("custom", field(10, class_name) + parameters(30, **texts))


def model(kind: int, content: bytes, description: bytes | None = None) -> bytes:
    return b"\x08\x04" + field(2, metadata() if description is None else description) + field(kind, content)


def network(*layers: bytes) -> bytes:
    return model(500, b"".join(layers))


def linked(name: str, path: str = ".") -> bytes:
    return model(556, field(1, field(1, field(1, name)) + field(2, field(1, path))))


def program(file_name: str) -> bytes:
    """An ML program with one constant in a file."""
    value = field(5, field(1, file_name) + b"\x10\x40")
    operation = field(1, "const") + field(5, field(1, "val") + field(2, value))
    block = field(3, operation)
    function = field(3, field(1, "CoreML5") + field(2, block))
    return model(502, b"\x08\x01" + field(2, field(1, "main") + field(2, function)))


def weights(*contents: bytes) -> bytes:
    out = bytearray(struct.pack("<II", len(contents), 2).ljust(64, b"\0"))
    for content in contents:
        out += struct.pack("<IIQQ", 0xDEADBEEF, 1, len(content), len(out) + 64).ljust(64, b"\0") + content
        out += bytes(-len(out) % 64)
    return bytes(out)


def manifest(path: str) -> bytes:
    entry = {"author": "com.apple.CoreML", "description": "", "name": "model.mlmodel", "path": path}
    return json.dumps({"fileFormatVersion": "1.0.0", "itemInfoEntries": {"A": entry}, "rootModelIdentifier": "A"}).encode()


def cases() -> Iterator[Case]:
    """Every case."""
    bad = {
        "custom-layer-command": network(layer("a"), custom_layer("PostProcess", script=COMMANDS[1])),
        "custom-layer-code": network(custom_layer("PostProcess", source="import os; os.system('echo inert')")),
        "custom-layer-path": network(custom_layer("Loader", library="/tmp/toadstone-inert.dylib")),
        "custom-layer-task": network(custom_layer("NSTask")),
        "custom-model-address": model(555, field(10, "Remote") + parameters(30, endpoint="http://198.51.100.7/collect")),
        "linked-above": linked("../outside.mlmodelc"),
        "linked-absolute": linked("model.mlmodelc", "/tmp/shared"),
        "weights-outside": program("@model_path/../../../../etc/passwd"),
        "weights-absolute": program("/etc/passwd"),
    }
    for name, data in bad.items():
        yield Case(f"coreml/{name}.mlmodel", data, f"coreml-{name}")
    package = {"Data/com.apple.CoreML/model.mlmodel": program("@model_path/weights/weight.bin")}
    stored = weights(bytes(range(1, 65)), bytes(range(1, 33)))
    package |= {"Data/com.apple.CoreML/weights/weight.bin": stored}
    for name, path in (("up", "../../outside.mlmodel"), ("absolute", "/etc/passwd")):
        yield Case(f"coreml/manifest-{name}.mlpackage", package | {"Manifest.json": manifest(path)}, f"coreml-manifest-{name}")
    good = {
        "network": network(layer("a"), layer("b")),
        "program": program("@model_path/weights/weight.bin"),
        "linked": linked("b.mlmodelc"),
    }
    good |= {
        "described": model(500, layer("a"), metadata(notes="Execution metrics of the evaluation", source="https://example.com"))
    }
    for name, data in good.items():
        yield Case(f"coreml/benign-{name}.mlmodel", data, f"coreml-benign-{name}", "benign", payload=False)
    whole = package | {"Manifest.json": manifest("com.apple.CoreML/model.mlmodel")}
    yield Case("coreml/benign.mlpackage", whole, "coreml-benign-package", "benign", payload=False)
