"""skops: a zip whose ``schema.json`` is a tree of nodes, each naming a type and the loader that builds it.

Source: ``skops/io`` up to protocol 2. skops audits the *name* of every node before it builds it; the advisories
CVE-2025-54412 (`OperatorFuncNode`), CVE-2025-54413 (`MethodNode`) and CVE-2025-54886 (`Card.get_model` handing files that
are no zip to joblib) are all places where what was audited and what was built differ. That difference is looked for here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toadstone.core.fact import Call, Fact, Import, Setting
from toadstone.core.value import Items, Opaque, Symbol, Value
from toadstone.readers.bounded_json import JsonError, parse
from toadstone.readers.flood import thinned
from toadstone.readers.reader import Reader, Source

_LIMIT = 64 << 20
_SHOWN = 64
_DEPTH = 6

_FIXED: dict[str, tuple[str, frozenset[str]]] = {
    "PartialNode": ("functools", frozenset({"partial"})),
    "OperatorFuncNode": ("operator", frozenset({"attrgetter", "itemgetter", "methodcaller"})),
    "DefaultDictNode": ("collections", frozenset({"defaultdict"})),
    "JsonNode": ("builtins", frozenset({"str", "int", "float", "bool", "NoneType", "dict", "list"})),
    "BytesNode": ("builtins", frozenset({"bytes"})),
    "BytearrayNode": ("builtins", frozenset({"bytearray"})),
    "SliceNode": ("builtins", frozenset({"slice"})),
    "TreeNode": ("sklearn.tree._tree", frozenset({"Tree"})),
    "DTypeNode": ("numpy", frozenset({"dtype"})),
}
"""Loaders that build one thing whatever the node says, with what the node must therefore say."""

_CONTAINERS = {
    "DictNode": "dict",
    "ListNode": "list",
    "SetNode": "set",
    "TupleNode": "tuple",
}
_NAMED = frozenset({"TypeNode", "FunctionNode"})
_BUILT = frozenset({
    "ObjectNode", "ConstructorFromReduceNode", "ReduceNode", "TreeNode", "LossNode", "QuantileForestNode", "NdArrayNode",
    "RandomStateNode", "RandomGeneratorNode", "MaskedArrayNode", "SparseMatrixNode", "_DictWithDeprecatedKeysNode",
    "KerasNode", "SciKerasNode", "XGBoostNode",
})  # fmt: skip
_PASSIVE = frozenset({"JsonNode", "BytesNode", "BytearrayNode", "SliceNode", "DTypeNode", "DefaultDictNode", "CachedNode"})
_PANDAS = "Pandas"
_PLAIN = frozenset({
    ("numpy", "ndarray"), ("builtins", "str"), ("builtins", "int"), ("builtins", "float"), ("builtins", "bool"),
    ("builtins", "NoneType"), ("builtins", "bytes"), ("builtins", "list"), ("builtins", "dict"), ("builtins", "tuple"),
    ("builtins", "set"),
})  # fmt: skip
"""Types of plain data, which skops trusts by default."""

_LABELS = frozenset({"SparseMatrixNode", "MaskedArrayNode"})
"""Loaders that call a fixed constructor; the class is only compared with the trusted ones."""

_BIT_GENERATORS = frozenset({"MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"})

Node = dict[str, Any]


def claims(source: Source) -> bool:
    """Whether the name is ``schema.json`` and an object begins, or the name is ``.skops`` and it is no zip."""
    if source.suffix == ".skops":
        return not source.head(2).startswith(b"PK")
    for chunk in source.blob.chunks():
        if kept := chunk.lstrip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):  # blanks and byte order marks of any encoding
            return kept.startswith(b"{")
    return False


def read(source: Source) -> Iterator[Fact]:
    """Read a schema; a ``.skops`` file that is no zip only gets its warning, its content is read as what it is."""
    if source.suffix == ".skops":
        detail = (
            "named .skops but no zip archive: skops before 0.13 hands such a file to joblib, which unpickles it (CVE-2025-54886)"
        )
        yield source.anomaly("loader-mismatch", detail, 0)
        return
    if source.blob.size > _LIMIT:
        yield source.unread(f"a schema of {source.blob.size:,} bytes is larger than any real one")
        return
    source.budget.spend_steps(source.blob.size // 8)
    try:
        document = parse(source.blob.read(0, source.blob.size))
    except JsonError as error:
        yield source.unread(f"schema.json: {error}")
        return
    root = document.root
    if not isinstance(root, dict) or "__loader__" not in root:
        return  # some other program's schema.json
    source.coverage.read(0, source.blob.size)
    for key in document.repeated:
        yield source.anomaly("ambiguous-record", f"the schema gives {key[:80]!r} twice in one node", 0)
    for key in ("protocol", "_skops_version"):
        if isinstance(value := root.get(key), (str, int)):
            yield Setting(source.place.at(0), "skops", key, value)
    yield from thinned(source, _Tree(source).nodes(root))


class _Tree:
    """One walk over the nodes, in the order in which skops builds its own tree."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.known: dict[int, tuple[str, str, str]] = {}
        self.said: set[tuple[str, str, str]] = set()

    def nodes(self, root: Node) -> Iterator[Fact]:
        stack: list[Any] = [root]
        while stack:
            self.source.budget.spend_steps(1)
            item = stack.pop()
            if isinstance(item, list):
                stack.extend(reversed(item))
            elif isinstance(item, dict):
                if "__loader__" in item:
                    yield from self.node(item)
                stack.extend(reversed([value for value in item.values() if isinstance(value, (dict, list))]))

    def node(self, node: Node) -> Iterator[Fact]:
        loader = str(node["__loader__"])
        symbol = _symbol(node)
        yield from self.identity(node, loader, symbol)
        if loader in _FIXED and not _matches(symbol, loader):
            module, names = _FIXED[loader]
            shown = f"{module}.{'/'.join(sorted(names))}"
            yield self.mismatch(f"{loader} builds {shown}, but the node says {str(symbol)[:200]!r}")
        if loader in _NAMED:
            yield from self.named(node, loader, symbol)
        elif loader == "OperatorFuncNode":
            built = Symbol("operator", symbol.name)  # whatever module the node claims
            yield from self.call(built, loader, _arguments(node.get("attrs")))
        elif loader == "PartialNode":
            yield from self.partial(node)
        elif loader == "MethodNode":
            yield from self.method(node, symbol)
        elif loader in _CONTAINERS:
            if (symbol.module, symbol.name) != ("builtins", _CONTAINERS[loader]):
                yield from self.call(symbol, loader, (_value(node),))
        elif loader in _BUILT or loader.startswith(_PANDAS):
            yield from self.built(node, loader, symbol)
        elif loader not in _PASSIVE:
            yield self.source.unread(f"loader {loader[:80]!r} of {str(symbol)[:200]} is not known")

    def identity(self, node: Node, loader: str, symbol: Symbol) -> Iterator[Fact]:
        """A node whose id was seen before is not built: skops takes the earlier node, whatever this one says."""
        key = node.get("__id__")
        if not isinstance(key, int):
            return
        this = (symbol.module, symbol.name, loader)
        if loader == "CachedNode":
            if key not in self.known:
                yield self.mismatch(f"a cached node refers to the id {key}, which no earlier node has")
            return
        earlier = self.known.setdefault(key, this)
        if earlier != this:
            before = f"{earlier[0]}.{earlier[1]} by {earlier[2]}"
            yield self.mismatch(f"the id {key} stands for {before} and for {symbol} by {loader}: the first is built for both")

    def named(self, node: Node, loader: str, symbol: Symbol) -> Iterator[Fact]:
        yield from self.imported(symbol, loader)
        content = node.get("content")
        if loader == "FunctionNode" and isinstance(content, dict) and "function" in content:  # protocol 0
            older = Symbol(str(content.get("module_path", "")), str(content["function"]))
            if older != symbol:
                yield from self.imported(older, loader)
                if (older.module, older.name.rsplit(".", 1)[-1]) != (symbol.module, symbol.name) and symbol.name != "function":
                    yield self.mismatch(
                        f"the node says {symbol}, its content {older}; which one is built depends on the protocol"
                    )

    def partial(self, node: Node) -> Iterator[Fact]:
        content = node.get("content")
        function = _value(content.get("func")) if isinstance(content, dict) else Opaque()
        args = _arguments(content.get("args")) if isinstance(content, dict) else ()
        yield Call(self.source.place, Symbol("functools", "partial"), (function, *args), (), "PartialNode", "skops")

    def method(self, node: Node, symbol: Symbol) -> Iterator[Fact]:
        """A method is an attribute looked up on an object that the node holds; the node's own name is only a label."""
        content = node.get("content")
        inner = content.get("obj") if isinstance(content, dict) else None
        if not isinstance(content, dict) or not isinstance(inner, dict):
            yield self.mismatch("a method node without the object that it is bound to")
            return
        owner = _symbol(inner)
        if owner != symbol:
            yield self.mismatch(f"the method node says {str(symbol)[:200]}, the object it is bound to is {str(owner)[:200]}")
        name = str(content.get("func", ""))
        yield from self.imported(Symbol(owner.module, f"{owner.name}.{name}"), "MethodNode")

    def built(self, node: Node, loader: str, symbol: Symbol) -> Iterator[Fact]:
        if loader == "RandomGeneratorNode":
            yield from self.generator(node)
        if loader == "TreeNode":  # the constructor is fixed; `_FIXED` has compared the label
            symbol = Symbol("sklearn.tree._tree", "Tree")
        reduce = node.get("__reduce__")
        if isinstance(reduce, dict):
            args = _arguments(reduce.get("args"))
        elif loader == "ConstructorFromReduceNode":
            args = _arguments(node.get("content"))
        else:
            args = ()
        yield from self.call(symbol, loader, args)

    def generator(self, node: Node) -> Iterator[Fact]:
        """The bit generator is a plain string that becomes an attribute of ``numpy.random`` and is called."""
        name = _bit_generator(node)
        if name is None:
            yield self.mismatch("a random generator without the name of its bit generator")
        elif name not in _BIT_GENERATORS:
            yield self.mismatch(f"the bit generator {name[:80]!r} is none: skops calls numpy.random.{name[:80]}")
            yield from self.call(Symbol("numpy.random", name), "RandomGeneratorNode", ())

    def imported(self, symbol: Symbol, loader: str) -> Iterator[Fact]:
        """Say an import once; types of keys and elements are repeated by the thousand."""
        this = (symbol.module, symbol.name, loader)
        if this not in self.said and (symbol.module, symbol.name) not in _PLAIN:
            self.said.add(this)
            yield Import(self.source.place, symbol, loader, "skops")

    def call(self, symbol: Symbol, loader: str, args: tuple[Value, ...]) -> Iterator[Fact]:
        if not args and (symbol.module, symbol.name, loader) in self.said:
            return
        yield from self.imported(symbol, loader)
        if (symbol.module, symbol.name) not in _PLAIN and loader not in _LABELS:
            yield Call(self.source.place, symbol, args, (), loader, "skops")

    def mismatch(self, detail: str) -> Fact:
        return self.source.anomaly("loader-mismatch", detail)


def _bit_generator(node: Node) -> str | None:
    """Find the name where skops finds it: a JSON text inside the state's dict."""
    state: Any = node
    for key in ("content", "bit_generator"):
        state = state.get(key) if isinstance(state, dict) else None
    content = state.get("content", state) if isinstance(state, dict) else None
    name = content.get("bit_generator") if isinstance(content, dict) else None
    if isinstance(name, dict):
        name = _json_value(name)
    return name if isinstance(name, str) else None


def _symbol(node: Node) -> Symbol:
    return Symbol(str(node.get("__module__", ""))[:1024], str(node.get("__class__", ""))[:1024])


def _matches(symbol: Symbol, loader: str) -> bool:
    module, names = _FIXED[loader]
    return symbol.name in names and symbol.module == module


def _arguments(node: object) -> tuple[Value, ...]:
    value = _value(node)
    return tuple(value.items) if isinstance(value, Items) else (value,)


def _value(node: object, depth: int = 0) -> Value:
    """Picture what a node would build."""
    if not isinstance(node, dict) or depth > _DEPTH:
        return node if isinstance(node, (str, int, float)) or node is None else Opaque()
    loader, content = node.get("__loader__"), node.get("content")
    if loader == "JsonNode":
        return _json_value(node)
    if loader in _CONTAINERS and isinstance(content, list):
        kept: list[Value] = [_value(item, depth + 1) for item in content[:_SHOWN]]
        return Items(_CONTAINERS[loader], kept, len(content) - len(kept))
    if loader in _CONTAINERS and isinstance(content, dict):
        pairs = list(content.items())
        shown: list[Value] = [Items("tuple", [key, _value(value, depth + 1)]) for key, value in pairs[:_SHOWN]]
        return Items("dict", shown, len(pairs) - len(shown))
    return _symbol(node) if loader in _NAMED else Opaque(f"<{_symbol(node)}>")


def _json_value(node: Node) -> Value:
    content = node.get("content")
    if not isinstance(content, str) or len(content) > 1 << 16:
        return Opaque("<text>")
    try:
        value = parse(content.encode("utf-8", "surrogatepass")).root
    except JsonError:
        return Opaque("<text>")
    return value if isinstance(value, (str, int, float)) or value is None else Opaque("<text>")


READERS = (Reader(kind="skops", read=read, suffixes=("schema.json", ".skops"), claims=claims, rank=40),)
