"""One pass over a Core ML specification."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from toadstone.core.fact import Fact, Link, Operator, Setting, Text
from toadstone.core.value import Value
from toadstone.readers.carried import carried
from toadstone.readers.messages import Found, Reading, last, table, text_of
from toadstone.readers.outside import escapes
from toadstone.readers.reader import Source

MESSAGES = Path(__file__).with_name("messages.tsv")

_KEPT = {
    "Model": "specificationVersion",
    "Metadata": "shortDescription versionString author license userDefined",
    "Metadata.UserDefinedEntry": "key value",
    "NeuralNetworkLayer": "name custom",
    "CustomLayerParams": "className parameters description",
    "CustomLayerParams.ParametersEntry": "key value",
    "CustomLayerParams.CustomLayerParamValue": "stringValue",
    "CustomModel": "className parameters description",
    "CustomModel.ParametersEntry": "key value",
    "CustomModel.CustomModelParamValue": "stringValue bytesValue",
    "LinkedModelFile": "linkedModelFileName linkedModelSearchPath",
    "StringParameter": "defaultValue",
    "MILSpec.Value.BlobFileValue": "fileName",
}
KEPT = {name: frozenset(words.split()) for name, words in _KEPT.items()}
_PACKAGE = "@model_path/"
_FILES = 1 << 12
_LIMIT = 1 << 16


class Model:
    """The state of one pass.

    Args:
        source: Where the specification is.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.files: set[str] = set()

    def read(self) -> Iterator[Fact]:
        """Yield every fact."""
        reading = Reading(self.source, table(MESSAGES), KEPT, _LIMIT)
        reading.finished = self.finished
        yield from reading.run("Model")

    def finished(self, kind: str, found: Found, start: int) -> Iterator[Fact]:
        """Deal with a message that was read to its end."""
        if kind == "NeuralNetworkLayer" and found.get("custom"):
            yield from self.custom(found["custom"][-1], text_of(found, "name") or "custom", start)
        elif kind == "CustomModel":
            yield from self.custom(found, "customModel", start)
        elif kind == "LinkedModelFile":
            yield from self.linked(found, start)
        elif kind == "Metadata":
            yield from self.metadata(found, start)
        elif kind == "MILSpec.Value.BlobFileValue":
            yield from self.weights(text_of(found, "fileName"), start)

    def custom(self, found: Found, node: str, start: int) -> Iterator[Fact]:
        """Report a class of the application, with the texts that it is given."""
        arguments: list[tuple[str, Value]] = []
        for entry in found.get("parameters", ())[:64]:
            value = last(entry, "value") or {}
            text = last(value, "stringValue") or last(value, "bytesValue") or ""
            if isinstance(text, bytes):
                text = text[:4096].decode("utf-8", "replace")
            arguments.append((text_of(entry, "key")[:100], text[:4096]))
            yield from carried(self.source, f"{node[:80]}.{text_of(entry, 'key')[:80]}", text)
        if description := text_of(found, "description"):
            yield Text(self.source.place.at(start), "docstring", description[:_LIMIT])
        yield Operator(
            self.source.place.at(start), "coreml.custom", text_of(found, "className")[:200], node[:200], tuple(arguments)
        )

    def linked(self, found: Found, start: int) -> Iterator[Fact]:
        """A model in another file, and where it is searched for."""
        for name in ("linkedModelFileName", "linkedModelSearchPath"):
            path = text_of(last(found, name) or {}, "defaultValue")
            if path:
                yield Link(self.source.place.at(start), path[:1000], "read-on-load", escapes(path, nested=False))

    def metadata(self, found: Found, start: int) -> Iterator[Fact]:
        """What people wrote, and what tools did."""
        place = self.source.place.at(start)
        for name in ("shortDescription", "versionString", "author", "license"):
            if text := text_of(found, name):
                yield Text(place, "metadata", text)
        for entry in found.get("userDefined", ()):
            key, text = text_of(entry, "key"), text_of(entry, "value")
            yield Setting(place, "coreml", key[:200], text[:4096])
            yield Text(place, "metadata", text)
            yield from carried(self.source, key, text)

    def weights(self, name: str, start: int) -> Iterator[Fact]:
        """A file with weights: in the package, unless its name says otherwise."""
        if name in self.files or len(self.files) >= _FILES:
            return
        self.files.add(name)
        path = name.removeprefix(_PACKAGE)
        yield Link(self.source.place.at(start), name[:1000], "external-data", escapes(path, nested=False))
