"""Write message tables and operator names: ``python -m tools.wire tensorflow|coreml|paddle``.

Run it with an interpreter that has the library in question; the repository itself needs none of them. A table has one line a
message: its name, then for each field its number, name and kind (``int``, ``fixed``, ``text``, ``bytes`` or another message).
"""

from __future__ import annotations

import argparse
import importlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

READERS = Path(__file__).parents[2] / "src" / "toadstone" / "readers"
_FIXED = frozenset({1, 2, 6, 7, 15, 16})
"""Types of ``FieldDescriptorProto`` that take four or eight bytes on the wire."""

_TENSORFLOW = {
    "tensorflow.core.protobuf.saved_model_pb2": ("SavedModel",),
    "tensorflow.core.protobuf.meta_graph_pb2": ("MetaGraphDef",),
    "tensorflow.core.protobuf.config_pb2": ("ConfigProto",),
    "tensorflow.core.protobuf.fingerprint_pb2": ("FingerprintDef",),
    "tensorflow.core.protobuf.trackable_object_graph_pb2": ("TrackableObjectGraph",),
    "tensorflow.core.protobuf.tensor_bundle_pb2": ("BundleHeaderProto", "BundleEntryProto"),
}


def _kind(field: Any, short: Any) -> str:  # noqa: ANN401  (descriptors have no published types)
    if field.message_type is not None:
        return str(short(field.message_type))
    if field.type == field.TYPE_STRING:
        return "text"
    if field.type == field.TYPE_BYTES:
        return "bytes"
    return "fixed" if field.type in _FIXED else "int"


def table(roots: Iterable[Any], package: str) -> str:
    """Describe messages and all that they hold, one line each, sorted."""
    lines: dict[str, str] = {}

    def short(message: Any) -> str:  # noqa: ANN401
        return str(message.full_name).removeprefix(package)

    waiting = list(roots)
    while waiting:
        message = waiting.pop()
        if short(message) in lines:
            continue
        fields = sorted(message.fields, key=lambda field: field.number)
        lines[short(message)] = " ".join(f"{field.number}:{field.name}:{_kind(field, short)}" for field in fields)
        waiting += [field.message_type for field in fields if field.message_type is not None]
    return "".join(f"{name}\t{text}\n" for name, text in sorted(lines.items()))


def tensorflow() -> None:
    """Messages of SavedModel and checkpoints, and the operators of the standard runtime (``*``: stateful)."""
    roots = [getattr(importlib.import_module(module), name).DESCRIPTOR for module, names in _TENSORFLOW.items() for name in names]
    folder = READERS / "tensorflow"
    (folder / "messages.tsv").write_text(table(roots, "tensorflow."), encoding="utf-8")
    client = importlib.import_module("tensorflow.python.client.pywrap_tf_session")
    known = importlib.import_module("tensorflow.core.framework.op_def_pb2").OpList()
    known.ParseFromString(client.TF_GetBuffer(client.TF_GetAllOpList()))
    names = sorted(operator.name + "*" * operator.is_stateful for operator in known.op)
    (folder / "operators.txt").write_text("\n".join(names) + "\n", encoding="utf-8")


def coreml() -> None:
    """Messages of Core ML model specifications."""
    model = importlib.import_module("coremltools.proto.Model_pb2").Model.DESCRIPTOR
    (READERS / "coreml" / "messages.tsv").write_text(table([model], "CoreML.Specification."), encoding="utf-8")


def paddle() -> None:
    """Messages of PaddlePaddle's program descriptions, and its operators."""
    program = importlib.import_module("paddle.base.proto.framework_pb2").ProgramDesc.DESCRIPTOR
    package = re.sub(r"ProgramDesc$", "", program.full_name)
    (READERS / "paddle" / "messages.tsv").write_text(table([program], package), encoding="utf-8")
    names = sorted(set(importlib.import_module("paddle.base").core.get_all_op_names()))
    (READERS / "paddle" / "operators.txt").write_text("\n".join(names) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.wire", description=__doc__)
    parser.add_argument("library", choices=("tensorflow", "coreml", "paddle"))
    {"tensorflow": tensorflow, "coreml": coreml, "paddle": paddle}[parser.parse_args().library]()


if __name__ == "__main__":
    main()
