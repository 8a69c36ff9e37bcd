"""A Keras configuration: which objects it names, what loading them imports, calls and reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toadstone.core.fact import Call, Fact, Import, Link, Setting
from toadstone.core.value import KEPT_ITEMS, Items, Opaque, Symbol, Value
from toadstone.readers.keras import code
from toadstone.readers.keras.names import CLASSES, FUNCTIONS
from toadstone.readers.keras.resolve import Origin, Reference, leads_outside, origin
from toadstone.readers.outside import escapes
from toadstone.readers.reader import Source

Json = Any

_PASSIVE = frozenset({
    "__numpy__", "__tensor__", "__keras_tensor__", "__bytes__", "__ellipsis__", "__slice__", "__tuple__", "TensorShape",
    "CompositeTensor",
})  # fmt: skip
"""Markers that become plain values."""

_PATH_KEYS = frozenset({"vocabulary", "merges", "filepath", "file_path", "vocabulary_path", "vocab_file", "proto", "spm_proto"})
"""Configuration keys whose string value is opened as a file (or fetched) while the object is built."""

_SWITCHES = {"safe_mode": False, "weights_only": False, "allow_pickle": True, "trust_remote_code": True}
_LAMBDA_FUNCTION = ".config.function"
"""Path of a Lambda layer's function, which has a setting of its own."""

_SHOWN_DEPTH = 6


def as_value(value: Json, depth: int = 0) -> Value:
    """Turn JSON into a bounded picture of the value."""
    if isinstance(value, (list, dict)):
        if depth >= _SHOWN_DEPTH:
            return Opaque("...")
        if isinstance(value, list):
            return Items("list", [as_value(item, depth + 1) for item in value[:KEPT_ITEMS]], max(0, len(value) - KEPT_ITEMS))
        pairs: list[Value] = [Items("tuple", [key, as_value(item, depth + 1)]) for key, item in list(value.items())[:KEPT_ITEMS]]
        return Items("dict", pairs, max(0, len(value) - KEPT_ITEMS))
    if isinstance(value, str):
        return value[:4096]
    return value if value is None or isinstance(value, (bool, int, float)) else Opaque("...")


class Config:
    """One configuration document.

    Args:
        source: Where it is.
        root: The parsed JSON.

    Attributes:
        keras: Whether it is a Keras configuration at all: its root is a serialised object of Keras or of a named module,
            or Keras' own objects are inside.
    """

    def __init__(self, source: Source, root: Json) -> None:
        self._source = source
        self._root = root
        self.keras = self._recognised()

    def facts(self) -> Iterator[Fact]:
        """Give the facts of every object, in document order."""
        for path, node in self._nodes():
            if isinstance(node, dict):
                yield from self._switches(path, node)
                if isinstance(node.get("class_name"), str):
                    yield from self._object(path, node)
            if path in {"keras_version", "backend"} and isinstance(node, str):
                yield Setting(self._source.place, "keras", path, node[:64])
        yield from self._compiled_by_name()

    def _nodes(self) -> Iterator[tuple[str, Json]]:
        """Walk the document depth first, in order, without recursion."""
        stack: list[tuple[str, Json]] = [("", self._root)]
        while stack:
            path, node = stack.pop()
            yield path, node
            children: list[tuple[str, Json]] = []
            if isinstance(node, dict):
                children = [(f"{path}.{key}"[:300] if path else str(key)[:300], item) for key, item in node.items()]
            elif isinstance(node, list):
                children = [(f"{path}[{index}]", item) for index, item in enumerate(node) if isinstance(item, (dict, list))]
            self._source.budget.spend_steps(1 + len(children) // 4)
            stack.extend(reversed(children))

    def _recognised(self) -> bool:
        root = self._root
        if not isinstance(root, dict):
            return False
        if "keras_version" in root:
            return True
        named = isinstance(root.get("class_name"), str) and "config" in root
        if named and (root.keys() & {"module", "registered_name", "keras_version", "backend"} or root["class_name"] in CLASSES):
            return True
        return any(isinstance(node, dict) and "config" in node and _is_known(node) for _, node in self._nodes())

    def _object(self, path: str, node: dict[str, Json]) -> Iterator[Fact]:
        name = node["class_name"]
        if name in _PASSIVE:
            return
        if name == "__lambda__":
            yield from code.carried(self._source, path, node.get("config"))
            return
        reference = Reference.of(node)
        config = node.get("config")
        if isinstance(config, str) and code.is_source(config):
            yield Setting(self._source.place, "keras", f"lambda_code:{path}", f"{len(config):,} characters of Python source")
            return
        if reference.plain_name == "Lambda" and isinstance(config, dict):
            yield from self._lambda(path, node, config)
        yield from self._reference(path, node, reference)
        if isinstance(config, dict):
            yield from self._special(path, reference, config)

    def _reference(self, path: str, node: dict[str, Json], reference: Reference) -> Iterator[Fact]:
        """Report where the object comes from, unless it is one of Keras' own."""
        place = self._source.place
        if reference.origin is Origin.FOREIGN:
            for symbol in reference.symbols():
                yield Import(place, symbol, "config:module", "config")
            if reference.from_system:
                yield Setting(place, "keras", f"unsafe-api:{path}", reference.symbol)
            if not reference.function:
                yield Call(place, reference.symbol, (), self._arguments(node.get("config")), "config", "config")
        elif reference.origin is Origin.UNSAFE:
            yield Setting(place, "keras", f"unsafe-api:{path}", reference.symbol)
        elif reference.origin is Origin.REGISTERED and not (reference.function and path.endswith(_LAMBDA_FUNCTION)):
            yield Setting(place, "keras", f"registered_object:{path}", reference.shown)
        if reference.shadowed:
            yield Setting(place, "keras", f"shadowed_object:{path}", f"{reference.symbol} resolved as {reference.registered}")

    def _lambda(self, path: str, node: dict[str, Json], config: dict[str, Json]) -> Iterator[Fact]:
        """A Lambda layer runs its function on the symbolic inputs while the model is put together, and later in use."""
        for key in ("function", "output_shape", "mask"):
            value = config.get(key)
            where = f"{path}.config.{key}"
            if isinstance(value, dict) and value.get("class_name") == "function":
                yield from self._lambda_call(where, node, config, Reference.of(value))
            elif isinstance(value, dict) and value.get("class_name") == "__tuple__":
                yield from code.carried(self._source, where, value.get("items"))
            elif isinstance(value, str) and not code.is_code(value):
                yield from self._lambda_by_name(where, key, value, config)
            elif isinstance(value, str) or (isinstance(value, list) and value and isinstance(value[0], str)):
                yield from code.carried(self._source, where, value)

    def _lambda_call(self, where: str, node: dict[str, Json], config: dict[str, Json], reference: Reference) -> Iterator[Fact]:
        if reference.origin in {Origin.FOREIGN, Origin.UNSAFE}:
            kwargs = self._arguments(config.get("arguments"))
            inputs = self._inputs(node)
            yield Call(self._source.place, reference.symbol, inputs, kwargs, "config:Lambda", "config")
        elif reference.origin is Origin.REGISTERED:
            yield Setting(self._source.place, "keras", f"lambda_function:{where}", reference.shown)

    def _lambda_by_name(self, where: str, key: str, value: str, config: dict[str, Json]) -> Iterator[Fact]:
        """Keras 1 and 2 look the name up in the named module's namespace, if that module is imported, and in their own."""
        module = config.get("module" if key == "function" else f"{key}_module")
        if isinstance(module, str) and origin(module, value, function=True) is Origin.FOREIGN:
            symbol = Symbol(module, value)
            yield Import(self._source.place, symbol, "config:module", "config")
            yield Call(self._source.place, symbol, (), self._arguments(config.get("arguments")), "config:Lambda", "config")
        elif value not in FUNCTIONS and value not in {"raw", "lambda"}:
            yield Setting(self._source.place, "keras", f"lambda_function:{where}", value[:200])

    def _inputs(self, node: dict[str, Json]) -> tuple[Value, ...]:
        """Literal inputs of the layer's first call: a Keras tensor is left out, a string or number is an argument."""
        nodes = node.get("inbound_nodes")
        call = nodes[0] if isinstance(nodes, list) and nodes else None
        if not isinstance(call, dict):
            return ()
        given = [*(call.get("args") or []), *(call.get("kwargs") or {}).values()] if _callable(call) else []
        return tuple(as_value(item) for item in given[:16] if not _is_tensor(item))

    def _arguments(self, config: Json) -> tuple[tuple[str, Value], ...]:
        if not isinstance(config, dict):
            return ()
        return tuple((str(key)[:200], as_value(item)) for key, item in list(config.items())[:64])

    def _special(self, path: str, reference: Reference, config: dict[str, Json]) -> Iterator[Fact]:
        """Objects that open files, unpickle, or name operators while they are built."""
        name = reference.plain_name
        place = self._source.place
        if name == "TorchModuleWrapper" and isinstance(config.get("module"), str):
            yield Setting(place, "keras", f"pickled_module:{path}", f"{len(config['module']):,} characters of base64")
            yield from code.torch_module(self._source, f"{path}.config.module", config["module"])
        if name == "TFSMLayer":
            yield Setting(place, "keras", f"saved_model_layer:{path}", str(config.get("filepath"))[:400])
        if name in {"TFOpLambda", "TensorFlowOpLayer"} and isinstance(config.get("function"), str):
            symbol = Symbol("tensorflow", config["function"][:200])
            if leads_outside(symbol.name):
                yield Setting(place, "keras", f"unsafe-api:{path}", symbol)
        for key in sorted(_PATH_KEYS & config.keys()):
            value = config[key]
            if isinstance(value, str) and 0 < len(value) < 4096 and "\n" not in value and not _is_base64(key, value):
                yield Link(place, value, "read-on-load", escapes(value, nested=False))

    def _switches(self, path: str, node: dict[str, Json]) -> Iterator[Fact]:
        for key, bad in _SWITCHES.items():
            if node.get(key) is bad:
                yield Setting(self._source.place, "keras", f"unsafe-switch:{path}.{key}", bad)

    def _compiled_by_name(self) -> Iterator[Fact]:
        """Losses and metrics that are named only: Keras' own, or something that the user must bring."""
        for path, node in self._nodes():
            last = path.rsplit(".", 1)[-1].split("[", 1)[0]
            if last not in {"loss", "metrics", "weighted_metrics"} or not ("compile_config" in path or "." not in path):
                continue
            for item in [node] if isinstance(node, str) else node if isinstance(node, list) else []:
                if isinstance(item, str) and item not in FUNCTIONS and item not in CLASSES and item:
                    yield Setting(self._source.place, "keras", f"registered_object:{path}", item[:200])


def _is_known(node: dict[str, Json]) -> bool:
    """Whether an object is one that only a Keras configuration has."""
    name = node.get("class_name")
    return isinstance(name, str) and (name == "__lambda__" or name in CLASSES or Reference.of(node).origin is Origin.KERAS)


def _callable(call: dict[str, Json]) -> bool:
    return isinstance(call.get("args") or [], list) and isinstance(call.get("kwargs") or {}, dict)


def _is_tensor(item: Json) -> bool:
    return isinstance(item, dict) and item.get("class_name") == "__keras_tensor__"


def _is_base64(key: str, value: str) -> bool:
    """A SentencePiece model is given as base64 or as a path; the former is long and has no dot."""
    return key.endswith("proto") and len(value) > 64 and "." not in value
