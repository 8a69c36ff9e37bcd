"""Tensors outside the model file: where a location leads, and the data files themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.onnx.schema import SCHEMA
from toadstone.readers.outside import escapes
from toadstone.readers.protobuf import LENGTH, WireError, fields, text
from toadstone.readers.reader import Source

KNOWN_KEYS = frozenset({"location", "offset", "length", "checksum", "basepath"})
"""Entries that ``external_data`` may have; ONNX Runtime adds ``prepacked_N``."""

MEMORY_MARKER = r"\*/_ORT_\w*MEM_ADDR_/\*"
"""ONNX Runtime's own mark for tensors in memory. No file has it; runtimes before 1.24 believed it."""

_TENSOR_PATHS = frozenset(
    {"GraphProto", "NodeProto", "AttributeProto", "FunctionProto", "TensorProto", "SparseTensorProto", "TrainingInfoProto"},
)
_RANGES = 1 << 17


def leads_outside(location: str) -> bool:
    """Whether a location leads out of the model's folder, or into the memory of the runtime."""
    return escapes(location, nested=False) or location.startswith("*/_ORT_")


def _models(name: str) -> Iterator[str]:
    """Names of the models that a data file may belong to."""
    base = name.rsplit("/", 1)[-1]
    if found := re.fullmatch(r"(.+\.onnx)[._].*", base):
        yield found.group(1)
    yield base.rsplit(".", 1)[0] + ".onnx"
    yield "model.onnx"


def data_claims(source: Source) -> bool:
    """Whether a model that may use this file lies next to it. Members of archives have no neighbours."""
    if source.depth:
        return False
    for name in _models(source.name):
        blob = source.sibling(name)
        if blob is not None:
            blob.close()
            return True
    return False


def data_read(source: Source) -> Iterator[Fact]:
    """Claim the parts of this file that a model next to it declares as its tensors."""
    base = source.name.rsplit("/", 1)[-1]
    for name in _models(source.name):
        blob = source.sibling(name)
        if blob is None:
            continue
        source.budget.spend_steps(min(blob.size, 1 << 30) // 8)
        cursor = Cursor(blob)
        found: set[tuple[int, int]] = set()
        try:
            _ranges(cursor, "ModelProto", blob.size, base, found, source)
        except (WireError, ShortError):
            found.clear()  # a model that cannot be followed vouches for nothing
        finally:
            blob.close()
        for offset, length in sorted(found):
            source.coverage.inert(offset, source.blob.size if length < 0 else offset + length)
        if found:
            return
    yield from ()


def _ranges(cursor: Cursor, kind: str, stop: int, base: str, found: set[tuple[int, int]], source: Source, depth: int = 0) -> None:
    """Collect what the tensors below a message declare of the file ``base``."""
    if depth > 64:
        raise WireError("nested too deeply")
    entries: dict[str, str] = {}
    for field in fields(cursor, stop):
        name, what = SCHEMA[kind].get(field.number, ("", ""))
        if field.wire == LENGTH and what in _TENSOR_PATHS:
            _ranges(cursor, what, field.stop, base, found, source, depth + 1)
        elif field.wire == LENGTH and name == "external_data":
            pair = {inner.number: text(cursor, inner, 4096) for inner in fields(cursor, field.stop) if inner.wire == LENGTH}
            entries[pair.get(1, "")] = pair.get(2, "")
    location = entries.get("location", "").removeprefix("./")
    offset, length = entries.get("offset") or "0", entries.get("length") or "-1"
    if location == base and offset.isdecimal() and len(offset + length) < 40 and length.removeprefix("-").isdecimal():
        if len(found) >= _RANGES:
            raise WireError("more tensors than any real model")
        found.add((int(offset), int(length)))
