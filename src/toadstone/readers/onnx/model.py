"""One pass over a model: every byte accounted for, facts as they come, tensors never read."""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Iterator
from typing import Any, TypeAlias

from toadstone.core.fact import Fact, Import, Link, Moment, Operator, Setting, Text
from toadstone.core.value import Symbol
from toadstone.readers.carried import carried
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.onnx.external import KNOWN_KEYS, MEMORY_MARKER, leads_outside
from toadstone.readers.onnx.schema import SCHEMA
from toadstone.readers.protobuf import GROUP, LENGTH, VARINT, Field, WireError, fields, text
from toadstone.readers.reader import Source

STANDARD = frozenset({"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training"})
"""Domains whose operators every ONNX runtime knows."""

DEPTH = 64
"""Messages inside messages; protobuf itself stops at 100, real models stay below 20."""

_TEXT_LIMIT = 4096
_DESCRIPTION_LIMIT = 1 << 16
_TEXTS = 4 << 20
"""Characters of descriptions that are handed on; exporters write stack traces into thousands of nodes."""

_OPERATORS = 4096
_FUNCTIONS = 1 << 16
_PYTHON_OPERATORS = frozenset({"PyOp", "PyCustomOp", "PythonOp", "PythonOpGrad", "TritonOp"})
_DIMENSIONS = 64
_MOST_ELEMENTS = 1 << 48
_ARGUMENTS = 64
"""Texts that are kept of the attributes of all nodes of one operator."""
_KEPT = frozenset({"StringStringEntryProto", "OperatorSetIdProto", "AttributeProto"})
_KEPT_EACH = 4096

Found: TypeAlias = dict[str, list[Any]]
Walk: TypeAlias = Generator[Fact, None, Found]


class DepthError(WireError):
    """Messages are nested deeper than any real model."""


class Model:
    """The state of one pass.

    Args:
        source: Where the model is; its coverage is claimed on the way.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.cursor = Cursor(source.blob)
        self.operators: dict[tuple[str, str], tuple[str, int]] = {}
        self.arguments: dict[tuple[str, str], dict[tuple[str, str], None]] = {}
        self.functions: set[tuple[str, str]] = set()
        self.locations: set[str] = set()
        self.sizes: dict[str, int] = {}
        self.texts = 0
        self.pending = 0
        self.reached = 0

    def read(self) -> Iterator[Fact]:
        """Yield every fact of the model; what could not be followed is left unclaimed and said."""
        self.source.budget.spend_steps(self.source.blob.size // 8)  # every byte is parsed once at most
        try:
            yield from self.message("ModelProto", self.source.blob.size, 0)
        except DepthError as error:
            yield self.source.anomaly("depth-bomb", str(error), self.cursor.position)
            yield self.source.unread(str(error), self.cursor.position)
        except (WireError, ShortError) as error:
            yield self.source.unread(f"the message cannot be followed: {error}", self.cursor.position)
        self.source.coverage.read(self.pending, self.reached)
        for (domain, name), (node, at) in self.operators.items():
            if (domain, name) not in self.functions:
                yield Operator(self.source.place.at(at), domain, name, node, tuple(self.arguments.get((domain, name), ())))

    def message(self, kind: str, stop: int, depth: int) -> Walk:
        """Read one message up to ``stop``; gives its kept fields by name, repeated ones in order."""
        if depth > DEPTH:
            raise DepthError(f"messages nested deeper than {DEPTH}")
        start = self.cursor.position
        schema = SCHEMA[kind]
        found: Found = {}
        for field in fields(self.cursor, stop):
            name, what = schema.get(field.number, ("", ""))
            if field.wire == LENGTH and what in SCHEMA:
                self.reached = field.value
                inner = yield from self.message(what, field.stop, depth + 1)
                if what in _KEPT and len(found.setdefault(name, [])) < _KEPT_EACH:
                    found[name].append(inner)
            else:
                self.scalar(field, name, what, found)
        yield from self.finish(kind, found, start)
        return found

    def scalar(self, field: Field, name: str, what: str, found: Found) -> None:
        """Account for a field that is no message, and keep it if its kind says so."""
        if what == "sizes" and len(found.setdefault(name, [])) < _DIMENSIONS:
            found[name] += self.packed(field) if field.wire == LENGTH else [field.value] if field.wire == VARINT else []
        if field.wire == LENGTH:
            if what == "text":
                limit = _DESCRIPTION_LIMIT if name in ("doc_string", "value") else _TEXT_LIMIT
                found[name] = [text(self.cursor, field, limit)]
            elif what == "texts":
                if len(found.setdefault(name, [])) < _ARGUMENTS:
                    found[name].append(text(self.cursor, field, _TEXT_LIMIT))
            elif what not in ("bytes", "scalars", "sizes"):
                self.leave(field)
        elif what == "int" and field.wire == VARINT:
            found[name] = [field.value]
        elif field.wire == GROUP:
            self.leave(field)
        self.reached = field.stop

    def packed(self, field: Field) -> list[int]:
        """Read repeated numbers in their packed form; at most a few, a tensor has few dimensions."""
        numbers, shift = [0], 0
        for byte in self.source.blob.read(field.value, min(field.stop - field.value, 10 * _DIMENSIONS)):
            numbers[-1] |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                numbers.append(0)
                shift = 0
        return numbers[:-1][:_DIMENSIONS]

    def leave(self, field: Field) -> None:
        """Leave a field that the format does not know unread; the walker looks into it. What lies before it is claimed."""
        self.source.coverage.read(self.pending, field.value)
        self.pending = field.stop

    def finish(self, kind: str, found: Found, at: int) -> Iterator[Fact]:
        """Turn a message that was read to its end into facts."""
        if kind == "NodeProto":
            yield from self.node(found, at)
        elif kind == "TensorProto":
            yield from self.tensor(found, at)
        elif kind == "FunctionProto":
            if len(self.functions) >= _FUNCTIONS:
                raise WireError(f"more than {_FUNCTIONS:,} functions")
            self.functions.add((_last(found, "domain"), _last(found, "name")))
        elif kind == "ModelProto":
            yield from self.model(found)
        if (doc := _last(found, "doc_string")) and self.texts < _TEXTS:
            self.texts += len(doc)
            yield Text(self.source.place.at(at), "docstring", doc)

    def model(self, found: Found) -> Iterator[Fact]:
        place = self.source.place.at(0)
        for name in ("producer_name", "producer_version", "domain"):
            if value := _last(found, name):
                yield Setting(place, "onnx", name, value)
        for entry in found.get("opset_import", ()):
            yield Setting(place, "onnx", f"opset_import.{_last(entry, 'domain') or 'ai.onnx'}", entry.get("version", [0])[-1])
        for entry in found.get("metadata_props", ()):
            yield Setting(place, "onnx", f"metadata_props.{_last(entry, 'key')}", _last(entry, "value"))
            yield Text(place, "metadata", _last(entry, "value"))
            yield from carried(self.source, f"metadata_props.{_last(entry, 'key')}", _last(entry, "value"))

    def node(self, found: Found, at: int) -> Iterator[Fact]:
        domain, name = _last(found, "domain"), _last(found, "op_type")
        known = (domain, name) in self.operators
        if domain not in STANDARD or name in _PYTHON_OPERATORS:
            if not known and len(self.operators) >= _OPERATORS:
                raise WireError(f"more than {_OPERATORS:,} different operators")
            self.operators.setdefault((domain, name), (_last(found, "name"), at))
            attributes = {_last(attribute, "name"): attribute for attribute in found.get("attribute", ())}
            self.note(domain, name, attributes)
            yield from self.host_code(name, attributes, at)
            if name == "EPContext" and attributes.get("embed_mode", {}).get("i", [1])[-1] == 0:
                yield self.link(_last(attributes.get("ep_cache_context", {}), "s"), at)

    def note(self, domain: str, name: str, attributes: dict[str, Found]) -> None:
        """Keep the texts that an operator is given: they tell what unknown code is meant to do."""
        kept = self.arguments.setdefault((domain, name), {})
        for key, attribute in attributes.items():
            for value in (*attribute.get("s", ()), *attribute.get("strings", ())):
                if value and len(kept) < _ARGUMENTS:
                    kept[key[:200], value] = None

    def host_code(self, name: str, attributes: dict[str, Found], at: int) -> Iterator[Fact]:
        """ONNX Runtime's language interoperation names the Python class that it imports, in attributes of the node."""
        module = _last(attributes.get("module", {}), "s")
        if name in _PYTHON_OPERATORS and module:
            symbol = Symbol(module, _last(attributes.get("class_name", {}), "s"))
            yield Import(self.source.place.at(at), symbol, name, "onnx", Moment.LOAD)

    def tensor(self, found: Found, at: int) -> Iterator[Fact]:
        """Judge its size, and follow its reference to another file.

        Readers differ on whether ``data_location`` has to say so.
        """
        count = math.prod(found.get("dims", ()))
        if count >= _MOST_ELEMENTS:
            yield self.source.anomaly("resource-claim", f"a tensor claims {min(count, 1 << 63):,} elements or more", at)
        entries = [(_last(entry, "key"), _last(entry, "value")) for entry in found.get("external_data", ())]
        if not entries:
            return
        known = dict(entries)
        location = known.get("location", "")
        for key in sorted(set(known) - KNOWN_KEYS):
            if not key.startswith("prepacked_"):
                detail = f"external data sets {key[:80]!r}; onnx before 1.21 stored any key as an attribute (CVE-2026-34445)"
                yield self.source.anomaly("parser-confusion", detail, at)
        if len(known) < len(entries):
            yield self.source.anomaly("ambiguous-record", "external data gives one key twice", at)
        if location not in self.locations and len(self.locations) < _FUNCTIONS:
            self.locations.add(location)
            yield self.link(location, at)
        if re.match(MEMORY_MARKER, location):
            detail = f"location {location!r} makes ONNX Runtime take the offset for an address in memory"
            yield self.source.anomaly("tensor-bounds", detail, at)
        else:
            yield from self.extent(location, known, at)

    def link(self, location: str, at: int) -> Link:
        return Link(self.source.place.at(at), location, "external-data", leads_outside(location))

    def extent(self, location: str, known: dict[str, str], at: int) -> Iterator[Fact]:
        """Check offset and length against the file that is named, if it is there."""
        sizes = {key: known[key] for key in ("offset", "length") if known.get(key)}
        if not all(value.isascii() and value.isdigit() and len(value) < 20 for value in sizes.values()):
            yield self.source.anomaly(
                "tensor-bounds", f"offset or length of {location[:200]!r} is no natural number: {sizes}", at
            )
            return
        reach = sum(int(value) for value in sizes.values())
        there = -1 if leads_outside(location) else self.size_of(location)
        if 0 <= there < reach:
            detail = f"the tensor reaches to byte {reach:,} of {location[:200]!r}, which has {there:,}"
            yield self.source.anomaly("tensor-bounds", detail, at)

    def size_of(self, location: str) -> int:
        if location not in self.sizes and len(self.sizes) < _OPERATORS:
            blob = self.source.sibling(location)
            self.sizes[location] = -1 if blob is None else blob.size
            if blob is not None:
                blob.close()
        return self.sizes.get(location, -1)


def _last(found: Found, name: str) -> str:
    """Give a text field; of repeated ones the last, as protobuf does."""
    values = found.get(name, ())
    return str(values[-1]) if values else ""
