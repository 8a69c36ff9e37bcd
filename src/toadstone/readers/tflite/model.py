"""One pass over a model of TensorFlow Lite."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise

from toadstone.core.blob import BytesBlob
from toadstone.core.fact import Fact, Link, Operator, Setting, Text
from toadstone.core.value import Value
from toadstone.readers.messages import Found, Reading, last, table, text_of
from toadstone.readers.outside import escapes
from toadstone.readers.pickle import carve
from toadstone.readers.reader import Source
from toadstone.readers.tensorflow.graph import standard
from toadstone.readers.tensorflow.model import KEPT, MESSAGES, attribute_bytes
from toadstone.readers.tensorflow.outside import OUTSIDE
from toadstone.readers.tflite.flat import Flat, FlatError, Table, flex_strings

_CODES, _SUBGRAPHS, _DESCRIPTION, _BUFFERS, _METADATA, _GROUPS = 1, 2, 3, 4, 6, 8
"""Fields of ``Model``."""

_CUSTOM = 32
_FLEX = "Flex"
_STRING = 5
_REPORTED = 1 << 12
_TEXTS = 64
_OPTIONS = 1 << 16
_METADATA_NAMES = frozenset({"TFLITE_METADATA"})
_SHIPPED = frozenset({
    "TFLite_Detection_PostProcess", "Mfcc", "AudioSpectrogram", "Convolution2DTransposeBias", "MaxPoolingWithArgmax2D",
    "MaxUnpooling2D", "NumericVerify", "IRFFT2D", "RandomStandardNormal", "RandomUniform", "Multinomial", "Sign", "Cumsum",
    "Roll", "ReduceWindow", "Densify", "Imag", "Real", "ComplexAbs", "Irfft2d", "HashtableLookup", "Bucketize",
    "aeq.hadamard_rotation",
})  # fmt: skip
"""Custom operators that the TensorFlow Lite sources bring with them; all compute."""


class Model:
    """The state of one pass.

    Args:
        source: Where the model is; its coverage is claimed at the end.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.flat = Flat(source.blob, source.budget)
        self.buffers: list[tuple[int, int]] = []
        self.names: list[str] = []
        self.declared: set[str] = set()
        self.reported: set[tuple[str, tuple[object, ...]]] = set()

    def read(self) -> Iterator[Fact]:
        """Yield every fact; what could not be followed is said."""
        try:
            yield from self.model(self.flat.root())
        except (FlatError, struct.error) as error:
            yield self.source.unread(f"the model cannot be followed: {error}")
            for start, stop in self.flat.spans:
                self.source.coverage.read(start, stop)
            return
        yield from self.account()

    def model(self, root: Table) -> Iterator[Fact]:
        """Read the root table."""
        for code in root.tables(_CODES):
            builtin = max(code.number(0, "b"), code.number(3, "i"))
            self.names.append(code.text(1, 400) if builtin == _CUSTOM else "")
        if description := root.text(_DESCRIPTION):
            yield Text(self.source.place, "metadata", description)
        for buffer in root.tables(_BUFFERS):
            yield from self.buffer(buffer)
        for entry in root.tables(_METADATA):
            name = entry.text(0, 200)
            self.declared.add(name)
            yield Setting(self.source.place.at(entry.offset), "tflite", "metadata", name)
        for group in root.tables(_GROUPS):
            name = group.text(0, 1000)
            yield Link(self.source.place.at(group.offset), name, "external-data", escapes(name, nested=False))
        for subgraph in root.tables(_SUBGRAPHS):
            yield from self.subgraph(subgraph)

    def buffer(self, buffer: Table) -> Iterator[Fact]:
        """Remember where a buffer is; large ones lie behind the FlatBuffer."""
        start, size = buffer.span(0)
        behind, length = buffer.number(1, "Q"), buffer.number(2, "Q")
        if behind > 1 and length:
            start, size = behind, length
            if behind + length > self.source.blob.size:
                detail = f"a buffer of {length:,} bytes at {behind:,} reaches behind the end of the file"
                yield self.source.anomaly("tensor-bounds", detail, buffer.offset)
                start = size = 0
            else:
                self.flat.claim(start, size)
        self.buffers.append((start, size))

    def subgraph(self, subgraph: Table) -> Iterator[Fact]:
        """Report the operators of one graph that are no builtins."""
        tensors = [(tensor.number(1, "b"), tensor.number(2, "I")) for tensor in subgraph.tables(0)]
        for operator in subgraph.tables(3):
            index = operator.number(0, "I")
            name = self.names[index] if index < len(self.names) else ""
            if name:
                yield from self.operator(operator, name, tensors)

    def operator(self, operator: Table, name: str, tensors: list[tuple[int, int]]) -> Iterator[Fact]:
        """Report an operator with the texts that it is given."""
        flex = name.removeprefix(_FLEX) if name.startswith(_FLEX) else ""
        if name in _SHIPPED or (flex and flex in standard() and flex not in OUTSIDE):
            if flex and ("", ()) not in self.reported:
                self.reported.add(("", ()))
                yield Setting(self.source.place.at(operator.offset), "tflite", "flex", flex)
            return
        start, size = operator.span(5)
        if operator.number(9, "Q") > 1:
            start, size = operator.number(9, "Q"), operator.number(10, "Q")
        raw = self.flat.bytes(start, min(size, _OPTIONS)) if size else b""
        arguments = [*self.inputs(operator, flex, tensors), *(self.node(raw) if flex else _texts(raw))]
        key = (name, tuple(str(value) for _, value in arguments))
        if key not in self.reported and len(self.reported) < _REPORTED:
            self.reported.add(key)
            domain = "tensorflow" if flex in standard() else "tflite.custom"
            label = flex if domain == "tensorflow" else name
            yield Operator(self.source.place.at(operator.offset), domain, label, name, tuple(arguments[:_TEXTS]))

    def inputs(self, operator: Table, flex: str, tensors: list[tuple[int, int]]) -> Iterator[tuple[str, Value]]:
        """Give the constant texts among the inputs of an operator."""
        names = OUTSIDE.get(flex, ())
        for position, index in enumerate(operator.numbers(1, "i", _TEXTS)):
            if not 0 <= index < len(tensors) or tensors[index][0] != _STRING or tensors[index][1] >= len(self.buffers):
                continue
            for text in self.strings(*self.buffers[tensors[index][1]]):
                yield names[position] if position < len(names) else str(position), text

    def strings(self, start: int, size: int) -> list[str]:
        """Read a tensor of texts: their number, their offsets, and the texts."""
        if size < 8:
            return []
        count = self.flat.number(start, "i")
        if not 0 < count <= (size - 8) // 4:
            return []
        kept = min(count, _TEXTS)
        bounds = struct.unpack(f"<{kept + 1}i", self.flat.bytes(start + 4, 4 * kept + 4))
        return [
            self.flat.bytes(start + first, min(stop - first, 4096)).decode("utf-8", "replace")
            for first, stop in pairwise(bounds)
            if 0 < first <= stop <= size
        ]

    def node(self, raw: bytes) -> list[tuple[str, Value]]:
        """Give the texts of the node that the Flex delegate makes: a ``NodeDef`` in the options."""
        found: list[tuple[str, Value]] = []

        def entry(kind: str, fields: Found, _start: int) -> Iterator[Fact]:
            if kind == "NodeDef.AttrEntry" and not text_of(fields, "key").startswith("_"):
                texts = attribute_bytes(last(fields, "value") or {})
                found.extend((text_of(fields, "key")[:100], text[:2048].decode("utf-8", "replace")) for text in texts if text)
            return iter(())

        for message in flex_strings(raw)[1:2]:
            inner = Source(BytesBlob(message), "node", self.source.place, self.source.budget)
            reading = Reading(inner, table(MESSAGES), KEPT)
            reading.finished = entry
            for _ in reading.run("NodeDef"):
                pass
        return found[:_TEXTS]

    def account(self) -> Iterator[Fact]:
        """Claim what was looked at; what lies between is searched for pickles, what stands behind is followed."""
        source = self.source
        for start, stop in self.flat.spans:
            source.coverage.read(start, stop)
        reached = max(stop for _, stop in self.flat.spans)
        between = [(start, stop) for start, stop in source.coverage.gaps() if start < reached]
        for start, stop in between:
            yield from carve(source, start, stop)
            source.coverage.inert(start, stop)
        tail = source.blob.read(reached, 64)
        if source.blob.size - reached < 64 and not tail.strip(b"\0"):
            source.coverage.inert(reached, source.blob.size)
        elif tail.lstrip(b"\0").startswith(b"PK\x03\x04") and self.declared & _METADATA_NAMES:
            yield from self.associated(reached)

    def associated(self, reached: int) -> Iterator[Fact]:
        """Read the files that belong to the metadata of the model."""
        from toadstone.readers.zip import open_zip  # noqa: PLC0415  (only models with such files)

        padding = self.source.blob.read(reached, 64)
        self.source.coverage.inert(reached, reached + len(padding) - len(padding.lstrip(b"\0")))
        self.source.shared["zip-prefix"] = True  # the archive is part of the format here, no polyglot
        yield from open_zip(self.source).facts(self.source)


def _texts(raw: bytes) -> list[tuple[str, Value]]:
    """Give the texts in the options of an operator that nobody knows: strings of a FlexBuffer, or runs of letters."""
    found = [text.decode("utf-8", "replace") for text in flex_strings(raw)]
    if not found:
        run = bytearray()
        for byte in raw[:_OPTIONS] + b"\0":
            if 0x20 <= byte < 0x7F:
                run.append(byte)
            else:
                if len(run) >= 6:
                    found.append(run.decode())
                run.clear()
    return [("options", text[:2048]) for text in found[:_TEXTS]]
