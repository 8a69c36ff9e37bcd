"""One pass over a SavedModel, a graph or a meta graph: what `Graph` needs is kept, the rest is accounted for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from toadstone.core.blob import BytesBlob
from toadstone.core.fact import Fact, Link, Operator, Setting
from toadstone.core.value import Value
from toadstone.readers.carried import carried_pickle
from toadstone.readers.messages import Found, Reading, last, table, text_of
from toadstone.readers.outside import escapes
from toadstone.readers.reader import Source
from toadstone.readers.tensorflow.graph import Graph, Node, Scope, base, standard
from toadstone.readers.tensorflow.outside import GIVEN, HANDED_ON, OUTSIDE

MESSAGES = Path(__file__).with_name("messages.tsv")

_KEPT = {
    "SavedModel": "",
    "MetaGraphDef": "",
    "GraphDef": "",
    "MetaGraphDef.MetaInfoDef": "tensorflow_version tags",
    "NodeDef": "name op input attr",
    "NodeDef.AttrEntry": "key value",
    "AttrValue": "s list tensor func",
    "AttrValue.ListValue": "s func",
    "NameAttrList": "name",
    "TensorProto": "dtype string_val",
    "FunctionDef": "signature",
    "OpDef": "name input_arg",
    "OpDef.ArgDef": "name",
    "AssetFileDef": "tensor_info filename",
    "TensorInfo": "name",
    "MetaGraphDef.CollectionDefEntry": "key value",
    "CollectionDef": "node_list",
    "CollectionDef.NodeList": "value",
    "MetaGraphDef.SignatureDefEntry": "key value",
    "SignatureDef": "outputs",
    "SignatureDef.OutputsEntry": "value",
    "SavedObject": "children user_object function",
    "TrackableObjectGraph.TrackableObject.ObjectReference": "node_id local_name",
    "SavedUserObject": "identifier metadata",
    "SavedFunction": "concrete_functions",
}
KEPT = {name: frozenset(words.split()) for name, words in _KEPT.items()}
_CONFIG = {"JobDef.TasksEntry": frozenset({"value"})}
_FIRST = frozenset({"saved_model_main_op", "legacy_init_op"})
_FIRST_METHODS = frozenset({"_initialize", "_create_resource", "__saved_model_init_op"})
_STRING = 7
"""``DT_STRING``."""

_TEXTS = 64
_LENGTH = 2048
_ROOM = 16 << 20
"""Characters of constants that are kept of one file."""

_ENCODED = (b"\x80", b"gA", b"80", b"eJ", b"H4", b"\x1f\x8b", b"x\x9c", b"cos", b"cbu", b"cpo")
"""First bytes of a pickle, plain or packed."""
_LIMIT = 1 << 20


class Model:
    """The state of one pass.

    Args:
        source: Where the message is.
        root: Its name: ``SavedModel``, ``MetaGraphDef`` or ``GraphDef``.
    """

    def __init__(self, source: Source, root: str) -> None:
        self.source = source
        self.root = root
        self.domain = "tensorflow" if root != "MetaGraphDef" else "tensorflow.training"
        self.scopes: list[Scope] = []
        self.graph = Graph(source, self.domain)
        self.objects: list[tuple[list[tuple[int, str]], tuple[str, ...]]] = []
        self.configurations: set[bytes] = set()
        self.room = _ROOM

    def read(self) -> Iterator[Fact]:
        """Yield every fact of the model."""
        reading = Reading(self.source, table(MESSAGES), KEPT, _LIMIT)
        reading.scopes = frozenset({"GraphDef", "FunctionDef", "MetaGraphDef"})
        reading.entered = self.entered
        reading.finished = self.finished
        yield from reading.run(self.root)
        if self.scopes or self.graph.scopes:  # the message broke off: what was read of it still counts
            for scope in self.scopes:
                self.graph.scopes.setdefault(scope.name, scope)
            yield from self.graph.facts()

    def entered(self, kind: str) -> None:
        """Begin a graph or function."""
        if kind == "MetaGraphDef":
            self.graph = Graph(self.source, self.domain)
            self.objects = []
        else:
            self.scopes.append(Scope())

    def finished(self, kind: str, found: Found, start: int) -> Iterator[Fact]:
        """Deal with a message that was read to its end."""
        if kind == "NodeDef":
            yield from self.node(found, start)
        elif kind == "FunctionDef":
            self.function(found)
        elif kind == "GraphDef":
            self.graph.scopes[""] = self.scopes.pop()
            if self.root == "GraphDef":
                yield from self.whole()
        elif kind == "MetaGraphDef":
            self.early_objects()
            yield from self.whole()
        elif kind == "AssetFileDef":
            yield from self.asset(found, start)
        elif kind == "SavedObject":
            yield from self.object(found, start)
        elif kind.startswith("MetaGraphDef.") and kind.endswith("Entry"):
            self.entry(found)
        elif kind == "MetaGraphDef.MetaInfoDef" and (version := text_of(found, "tensorflow_version")):
            yield Setting(self.source.place.at(start), "tensorflow", "tensorflow_version", version[:100])

    def entry(self, found: Found) -> None:
        """Remember the nodes that a collection or a signature makes the loader run."""
        key, value = text_of(found, "key"), last(found, "value") or {}
        if key in _FIRST:
            self.graph.initial.update(base(name) for name in (last(value, "node_list") or {}).get("value", ()))
        elif key in _FIRST_METHODS:
            outputs = value.get("outputs", ())
            self.graph.initial.update(base(text_of(last(entry, "value") or {}, "name")) for entry in outputs)

    def whole(self) -> Iterator[Fact]:
        """Report a graph that is complete."""
        yield from self.graph.facts()
        self.graph = Graph(self.source, self.domain)
        self.scopes = []

    def function(self, found: Found) -> None:
        scope = self.scopes.pop()
        signature = last(found, "signature") or {}
        scope.name = text_of(signature, "name")
        scope.arguments = [text_of(argument, "name") for argument in signature.get("input_arg", ())]
        self.graph.scopes.setdefault(scope.name, scope)

    def node(self, found: Found, start: int) -> Iterator[Fact]:
        """Keep a node, if its text or its inputs may matter."""
        name, op = text_of(found, "name"), text_of(found, "op")
        texts: list[tuple[str, str]] = []
        calls: list[str] = []
        acts = op in OUTSIDE or op not in standard()
        for entry in found.get("attr", ()):
            key, value = text_of(entry, "key"), last(entry, "value") or {}
            calls += _functions(value)
            if key in ("config_proto", "config") and (raw := last(value, "s")):
                yield from self.configuration(raw, name, start)
            elif key == "value" or acts or op in HANDED_ON:
                yield from self.texts(texts, name, key, attribute_bytes(value))
        if not self.scopes:
            return
        function = len(self.scopes) > 1
        if function and not (acts or calls or texts or op in HANDED_ON or op in GIVEN):
            return
        node = Node(op[:200], tuple(found.get("input", ())[:256]), tuple(texts), tuple(calls), start)
        self.graph.add(self.scopes[-1], name, node)

    def texts(self, texts: list[tuple[str, str]], node: str, key: str, values: list[bytes]) -> Iterator[Fact]:
        """Keep the texts of an attribute, and look for pickles among them."""
        for raw in values:
            if raw.startswith(_ENCODED):
                yield from carried_pickle(
                    self.source, f"{node[:80]}.{key}", raw if raw[:1] in b"\x80\x1fxc" else raw.decode("latin-1")
                )
            if raw and self.room > 0 and len(texts) < _TEXTS and not key.startswith("_"):
                text = raw[:_LENGTH].decode("utf-8", "replace")
                self.room -= len(text)
                texts.append((key[:100], text))

    def configuration(self, raw: bytes, node: str, start: int) -> Iterator[Fact]:
        """Look for addresses in the ``ConfigProto`` that a call of a function carries."""
        if raw in self.configurations or len(self.configurations) > 256:
            return
        self.configurations.add(raw)
        addresses: list[tuple[str, Value]] = []

        def task(_kind: str, found: Found, _start: int) -> Iterator[Fact]:
            addresses.append(("cluster_def", text_of(found, "value")[:400]))
            return iter(())

        inner = Source(BytesBlob(raw), "config", self.source.place, self.source.budget)
        reading = Reading(inner, table(MESSAGES), _CONFIG)
        reading.finished = task
        for _ in reading.run("ConfigProto"):
            pass
        if addresses:
            yield Operator(self.source.place.at(start), self.domain, "ConfigProto", node[:200], tuple(addresses[:64]))

    def asset(self, found: Found, start: int) -> Iterator[Fact]:
        """Remember the constant that stands for an asset: the loader puts the asset's own path there."""
        self.graph.assets.add(base(text_of(last(found, "tensor_info") or {}, "name")))
        name = text_of(found, "filename")
        if name and escapes(name, nested=False):
            yield Link(self.source.place.at(start), name[:1000], "read-on-load", escapes=True)

    def object(self, found: Found, start: int) -> Iterator[Fact]:
        """Hand the configuration of a Keras object on; remember which functions an object calls when it is made."""
        children = [(last(child, "node_id") or 0, text_of(child, "local_name")) for child in found.get("children", ())]
        functions = tuple((last(found, "function") or {}).get("concrete_functions", ()))
        self.objects.append(([child for child in children if child[1] in _FIRST_METHODS], functions))
        user = last(found, "user_object") or {}
        metadata = text_of(user, "metadata")
        if metadata.startswith("{") and "keras" in text_of(user, "identifier"):
            label = f"{text_of(user, 'identifier')[:60]}@{start}"
            yield self.source.member(label, BytesBlob(metadata.encode("utf-8", "replace")), "keras-config")

    def early_objects(self) -> None:
        """Resolve which functions create and fill the resources of the model: loading calls them."""
        for children, _ in self.objects:
            for number, _name in children:
                if number < len(self.objects):
                    self.graph.first_functions.update(self.objects[number][1])


def attribute_bytes(value: Found) -> list[bytes]:
    """List the texts of an attribute."""
    found = [*value.get("s", ())[-1:]]
    for entry in value.get("list", ()):
        found += entry.get("s", ())
    tensor = last(value, "tensor") or {}
    if last(tensor, "dtype") == _STRING:
        found += tensor.get("string_val", ())
    return found


def _functions(value: Found) -> list[str]:
    functions = [*value.get("func", ())]
    for entry in value.get("list", ()):
        functions += entry.get("func", ())
    return [name for entry in functions[:256] if (name := text_of(entry, "name"))]
