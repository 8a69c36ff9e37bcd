"""Keys that loaders act on, whatever file format holds them: what they import, call, fetch or run."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from toadstone.core.blob import BytesBlob
from toadstone.core.fact import Call, Fact, Import, Link, Moment, Setting
from toadstone.core.value import Symbol, Value
from toadstone.readers.configuration.pictures import REMOTE, is_dotted, picture, symbol
from toadstone.readers.flood import KEPT
from toadstone.readers.outside import escapes
from toadstone.readers.reader import Source

Node = dict[str, Any]
Path = str

_RESOLVER = re.compile(r"\$\{\s*([A-Za-z_][\w.]*)\s*:")
_REFERENCE = re.compile(r"\$\{(\.?)([A-Za-z_][\w.]*)\}")
_HUB = re.compile(r"[\w.-]+/[\w.-]+(?:@[\w.-]+)?(?::\w+)?")
_LOCATORS = frozenset({
    "hydra.utils.get_method", "hydra.utils.get_class", "hydra.utils.get_object", "hydra.utils.get_static_method",
    "hydra._internal.utils._locate", "importlib.import_module", "importlib.__import__", "builtins.__import__", "pydoc.locate",
    "pkgutil.resolve_name", "jsonargparse._util.import_object", "mmengine.utils.get_object_from_string",
    "detectron2.utils.registry.locate",
})  # fmt: skip
"""Functions that give what a dotted name stands for: called from a configuration, they are one more way to name it."""
_LOCATED = frozenset({"path", "name", "obj_name", "import_path", "package"})
_ACTING = frozenset({
    "llm_bash_chain", "bash", "terminal", "shell", "pal_chain", "cpal_chain", "python_repl", "python_repl_ast", "python_agent",
    "exec_python",
})  # fmt: skip
"""Chains and tools of LangChain that run commands or code which the model has written."""
_OWN = frozenset({"_target_", "__target__", "_partial_", "_args_", "_recursive_", "_convert_", "_call_"})


_CALLEES = 15_000
"""Different names that one document may have called; there are no libraries with as many classes to configure."""

_SIGNS = 10_000
"""Calls of one document that are remembered, to tell those that come again and again only a few times."""


def _sign(
    callee: Symbol, args: tuple[Value, ...], kwargs: tuple[tuple[str, Value], ...], how: str, when: Moment
) -> tuple[object, ...] | None:
    """Give what makes a call the same as another one: numbers count by their size only; None when there is more than a look."""
    parts: list[object] = [how, when, callee]
    for name, value in (*(("", value) for value in args), *kwargs):
        if isinstance(value, int):
            parts += (name, type(value), value.bit_length())
        elif value is None or (isinstance(value, str) and len(value) <= _SHORT):
            parts += (name, value)
        else:
            return None
    return tuple(parts) if len(parts) <= _SHORT else None


_SHORT = 256


class Keys:
    """Reads the security-relevant keys of one parsed document.

    Args:
        source: Where the document is.
        document: Its root, to which interpolations refer.
    """

    TEMPLATES: ClassVar = frozenset({"chat_template", "chat_template_jinja", "chat_templates", "tokenizer.chat_template"})
    """Keys whose text is a chat template."""

    def __init__(self, source: Source, document: Any = None) -> None:  # noqa: ANN401
        self._source = source
        self._document = document
        self._told: Counter[tuple[object, ...]] = Counter()
        self._callees: set[Symbol] = set()
        self._crowded = False

    def at(self, node: Node, path: Path) -> Iterator[Fact]:
        """Yield what the keys of one mapping mean; its children are not entered.

        Args:
            node: The mapping.
            path: Dotted path to it from the document's root, empty or ending in a dot.
        """
        if _NAMES.isdisjoint(node):
            return
        for key in [key for key in _READERS if key in node]:
            yield from _READERS[key](self, node, path, node[key])

    def _new(self, sign: tuple[object, ...] | None) -> bool:
        """Whether something has not been told often yet: the place of all facts of a document is the same one."""
        if sign is None:
            return True
        if sign in self._told or len(self._told) < _SIGNS:
            self._told[sign] += 1
        return self._told[sign] <= KEPT

    def _called(self, name: Any, how: str, args: Any, kwargs: Any, when: Moment = Moment.LOAD) -> Iterator[Fact]:  # noqa: ANN401
        callee = symbol(str(name))
        given: tuple[Value, ...] = tuple(picture(item) for item in args[:256]) if isinstance(args, list) else ()
        named = tuple((str(key), picture(item)) for key, item in list(kwargs.items())[:256]) if isinstance(kwargs, dict) else ()
        if not self._new(_sign(callee, given, named, how, when)):
            return
        yield Import(self._source.place, callee, how, "config")
        if callee not in self._callees and len(self._callees) >= _CALLEES:
            if not self._crowded:
                self._crowded = True
                yield self._source.unread(f"more than {_CALLEES:,} names are called; what the rest is given is not judged")
            return
        self._callees.add(callee)
        yield Call(self._source.place, callee, given, named, how, "config", when)
        if str(callee) in _LOCATORS:
            for text in [*given[:1], *(value for key, value in named if key in _LOCATED)]:
                if isinstance(text, str):
                    located = symbol(text) if "." in text or ":" in text else Symbol(text[:200], "")
                    yield Import(self._source.place, located, f"{how} {callee}"[:100], "config")

    def hydra(self, node: Node, _path: Path, name: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``_target_``: Hydra imports the name and calls it with the other keys."""
        if not isinstance(name, str):
            return
        name = self._interpolated(node, name)
        rest = {key: item for key, item in node.items() if key not in _OWN}
        given = node.get("_args_")
        when = Moment.USE if node.get("_partial_") is True else Moment.LOAD
        yield from self._called(name, "_target_", given, rest, when)

    def _interpolated(self, node: Node, text: str) -> str:
        """Put in what plain interpolations (``${a.b}``, ``${.c}``) refer to, as OmegaConf does before Hydra sees the name."""
        for _ in range(8):
            found = _REFERENCE.search(text)
            if found is None:
                break
            value: Any = node if found[1] == "." else self._document
            for part in found[2].split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if not isinstance(value, str) or len(value) > 400:
                break
            text = text[: found.start()] + value + text[found.end() :]
        return text

    def path(self, _node: Node, _path: Path, name: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``template_path`` and its like: LangChain reads the file into the prompt."""
        if isinstance(name, str) and name and escapes(name, nested=False):
            yield Link(self._source.place, name[:1000], "read-on-load", escapes=True)

    def run(self, _node: Node, path: Path, command: Any) -> Iterator[Fact]:  # noqa: ANN401
        """Commands that a project's own tools run: DVC stages, MLflow entry points, package scripts, containers."""
        words = command[:64] if isinstance(command, list) else [command]
        if words and all(isinstance(word, str) for word in words):
            yield Setting(self._source.place, "command", path[:200], " ".join(words)[:4000])

    def target(self, node: Node, _path: Path, name: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``target`` with ``params``: NeMo and latent diffusion import the name; other files use the word for other things."""
        if not is_dotted(name) or "_target_" in node:
            return
        if isinstance(node.get("inputs"), list) and isinstance(node.get("outputs"), list):
            return  # a node of an exported program, which `exported` reads
        parts = re.split(r"[.:]", name)
        if "params" in node or len(parts) > 2 or parts[-1][:1].isupper() or parts[0] in sys.stdlib_module_names:
            params = (
                node.get("params")
                if isinstance(node.get("params"), dict)
                else {key: item for key, item in node.items() if key != "target"}
            )
            yield from self._called(name, "target", None, params)

    def class_path(self, node: Node, _path: Path, name: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``class_path`` with ``init_args``: the Lightning command line and jsonargparse import and call it."""
        if isinstance(name, str) and ("." in name or "init_args" in node):
            yield from self._called(name, "class_path", None, node.get("init_args", node.get("dict_kwargs")))

    def component(self, node: Node, _path: Path, name: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``_component_``: torchtune imports the name and calls it with the other keys."""
        if isinstance(name, str):
            yield from self._called(name, "_component_", None, {key: item for key, item in node.items() if key != "_component_"})

    def factory(self, node: Node, _path: Path, name: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``()``: the factory key of ``logging.config.dictConfig``."""
        if isinstance(name, str):
            yield from self._called(name, "()", None, {key: item for key, item in node.items() if key != "()"})

    def haystack(self, node: Node, _path: Path, parameters: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``init_parameters`` beside ``type``: Haystack imports the type and calls it."""
        if is_dotted(node.get("type")):
            yield from self._called(node["type"], "type", None, parameters)

    def langchain(self, node: Node, _path: Path, _version: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``lc`` with ``id``: LangChain's serialised constructors."""
        names = node.get("id")
        if node.get("type") == "constructor" and isinstance(names, list) and len(names) > 1:
            yield from self._called(".".join(str(name) for name in names[:32]), "lc", None, node.get("kwargs"))

    def prompt(self, node: Node, path: Path, form: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``template_format: jinja2`` and ``unsafe: true``: LangChain and Haystack render the template outside a sandbox."""
        text = node.get("template")
        if isinstance(text, str) and "{" in text and (form is True or form == "jinja2"):
            yield self._source.member(f"{path}template"[:200], BytesBlob(text.encode("utf-8", "replace")), "jinja")

    def chain(self, _node: Node, path: Path, name: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``_type``: LangChain builds a chain or a tool that runs what the model writes."""
        if isinstance(name, str) and name in _ACTING:
            yield Setting(self._source.place, "langchain", f"{path}_type", name)

    def pickled(self, node: Node, _path: Path, name: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``py/object`` and its kin: jsonpickle imports the name and builds the object."""
        if isinstance(name, str):
            given = node.get("py/initargs", node.get("py/newargs", node.get("py/newargsex")))
            rest = {key: item for key, item in node.items() if not key.startswith("py/")}
            yield from self._called(name, "py/object", given if isinstance(given, list) else None, rest)

    def reduced(self, _node: Node, _path: Path, parts: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``py/reduce``: jsonpickle calls the first entry with the second."""
        entries = parts if isinstance(parts, list) else parts.get("py/tuple") if isinstance(parts, dict) else None
        if not isinstance(entries, list) or not entries or not isinstance(entries[0], dict):
            return
        name = entries[0].get("py/type", entries[0].get("py/function"))
        given = entries[1] if len(entries) > 1 else None
        given = given.get("py/tuple") if isinstance(given, dict) else given
        if isinstance(name, str):
            yield from self._called(name, "py/reduce", given, None)

    def named(self, _node: Node, _path: Path, name: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``py/type``, ``py/function``, ``py/repr``: jsonpickle imports the name."""
        if isinstance(name, str):
            yield Import(self._source.place, symbol(name.rpartition("/")[2] if "/" in name else name), "py/type", "config")

    def import_path(self, _node: Node, _path: Path, name: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``import_path``: Ray Serve imports it."""
        if is_dotted(name):
            yield Import(self._source.place, symbol(name), "import_path", "config")

    def activation(self, _node: Node, _path: Path, name: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``activation_function`` and ``activation_fn`` with dots: sentence-transformers imports the name and calls it."""
        if is_dotted(name):
            yield from self._called(name, "activation", None, None)

    def auto_map(self, _node: Node, path: Path, mapping: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``auto_map``: transformers runs these classes from the repository's own, or another repository's, Python files."""
        for key, names in list(mapping.items())[:64] if isinstance(mapping, dict) else []:
            for name in names if isinstance(names, list) else [names]:
                if isinstance(name, str):
                    yield from self._code(f"{path}auto_map.{key}", name)

    def pipelines(self, _node: Node, path: Path, mapping: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``custom_pipelines``: transformers runs ``impl`` from the repository's Python files."""
        for key, entry in list(mapping.items())[:64] if isinstance(mapping, dict) else []:
            name = entry.get("impl") if isinstance(entry, dict) else entry
            if isinstance(name, str):
                yield from self._code(f"{path}custom_pipelines.{key}", name)

    def _code(self, key: str, name: str) -> Iterator[Fact]:
        yield Setting(self._source.place, "transformers", key, name[:400])
        if found := REMOTE.fullmatch(name):
            yield Link(self._source.place, found[1], "remote-code", escapes=True)

    def trust(self, _node: Node, path: Path, value: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``trust_remote_code: true``: the configuration asks its loader to run the repository's code."""
        if value is True or (isinstance(value, str) and value.lower() == "true"):
            yield Setting(self._source.place, "transformers", f"{path}trust_remote_code", True)

    def kernel(self, _node: Node, path: Path, name: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``attn_implementation: owner/name``: transformers fetches compiled code from that repository."""
        if isinstance(name, str) and _HUB.fullmatch(name):
            yield Setting(self._source.place, "transformers", f"{path}attn_implementation", name)
            yield Link(self._source.place, name, "remote-code", escapes=True)

    def origin(self, _node: Node, path: Path, name: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``_name_or_path`` and ``base_model_name_or_path``: where the model says it comes from."""
        if isinstance(name, str) and name:
            yield Setting(self._source.place, "transformers", f"{path}name_or_path", name[:400])

    def peft(self, _node: Node, _path: Path, mapping: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``auto_mapping``: PEFT imports ``parent_library`` and looks the base class up in it."""
        if isinstance(mapping, dict) and isinstance(mapping.get("parent_library"), str):
            library, name = mapping["parent_library"][:200], str(mapping.get("base_model_class", ""))[:200]
            if library.partition(".")[0] != "transformers_modules":  # transformers' own folder of remote code, judged there
                yield Import(self._source.place, Symbol(library, ""), "auto_mapping.parent_library", "config")
            yield Import(self._source.place, Symbol(library, name), "auto_mapping.base_model_class", "config")

    def loader(self, _node: Node, path: Path, name: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``loader_module``: MLflow imports it and calls its ``_load_pyfunc``."""
        if isinstance(name, str):
            yield Setting(self._source.place, "mlflow", f"{path}loader_module", name[:200])
            if not name.startswith("mlflow."):
                yield from self._called(f"{name}._load_pyfunc", "loader_module", None, None)

    def servers(self, _node: Node, _path: Path, entries: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``mcpServers``: an agent starts these commands."""
        for entry in list(entries.values())[:256] if isinstance(entries, dict) else []:
            if isinstance(entry, dict) and isinstance(entry.get("command"), str):
                yield self._command(entry)

    def hook(self, node: Node, _path: Path, command: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``type: command``: an agent's hook."""
        if isinstance(command, str) and node.get("type") == "command":
            yield self._command(node)
        else:
            yield from self.run(node, _path, command)

    def _command(self, entry: Node) -> Call:
        given = entry.get("args")
        words = [entry["command"], *(given if isinstance(given, list) else [])]
        return Call(
            self._source.place, Symbol("subprocess", "run"), (picture(words),), (), "config:command", "config", Moment.USE
        )

    def template(self, _node: Node, path: Path, value: Any) -> Iterator[Fact]:  # noqa: ANN401
        """``chat_template``: one template, a list of named ones, or a mapping of them."""
        entries: list[tuple[str, Any]] = [("", value)]
        if isinstance(value, list):
            entries = [
                (f".{item.get('name', index)}", item.get("template"))
                for index, item in enumerate(value[:64])
                if isinstance(item, dict)
            ]
        elif isinstance(value, dict):
            entries = [(f".{key}", item) for key, item in list(value.items())[:64]]
        for name, text in entries:
            if isinstance(text, str) and "{" in text:
                yield self._source.member(f"{path}chat_template{name}"[:200], BytesBlob(text.encode("utf-8", "replace")), "jinja")

    def resolver(self, path: Path, text: str) -> Iterator[Fact]:
        """Yield a setting for a text with OmegaConf resolvers (``${oc.env:HOME}``, ``${eval:…}``)."""
        for name in _RESOLVER.findall(text)[:8] if self._new(("resolver", text[:400])) else ():
            yield Setting(self._source.place, "omegaconf", f"{path}: {name}", text[:400])


_READERS: dict[str, Callable[[Keys, Node, Path, Any], Iterator[Fact]]] = {
    "_target_": Keys.hydra,
    "__target__": Keys.hydra,
    "target": Keys.target,
    "class_path": Keys.class_path,
    "_component_": Keys.component,
    "()": Keys.factory,
    "init_parameters": Keys.haystack,
    "lc": Keys.langchain,
    "py/object": Keys.pickled,
    "py/newobj": Keys.reduced,
    "py/reduce": Keys.reduced,
    "py/type": Keys.named,
    "py/function": Keys.named,
    "py/repr": Keys.named,
    "py/mod": Keys.named,
    "import_path": Keys.import_path,
    "activation_function": Keys.activation,
    "activation_fn": Keys.activation,
    "sbert_ce_default_activation_function": Keys.activation,
    "auto_map": Keys.auto_map,
    "custom_pipelines": Keys.pipelines,
    "trust_remote_code": Keys.trust,
    "attn_implementation": Keys.kernel,
    "_attn_implementation": Keys.kernel,
    "_name_or_path": Keys.origin,
    "base_model_name_or_path": Keys.origin,
    "auto_mapping": Keys.peft,
    "loader_module": Keys.loader,
    "mcpServers": Keys.servers,
    "command": Keys.hook,
    "template_path": Keys.path,
    "prefix_path": Keys.path,
    "suffix_path": Keys.path,
    "prompt_path": Keys.path,
    "example_prompt_path": Keys.path,
    "llm_path": Keys.path,
    **dict.fromkeys(
        (
            "cmd",
            "entrypoint",
            "preinstall",
            "install",
            "postinstall",
            "prepare",
            "onCreateCommand",
            "postCreateCommand",
            "postStartCommand",
            "initializeCommand",
            "updateContentCommand",
            "postAttachCommand",
            "entry",
            "argv",
        ),
        Keys.run,
    ),
    "template_format": Keys.prompt,
    "unsafe": Keys.prompt,
    "_type": Keys.chain,
    "chat_template": Keys.template,
    "chat_template_jinja": Keys.template,
    "chat_templates": Keys.template,
    "tokenizer.chat_template": Keys.template,
}

_NAMES = frozenset(_READERS)

SENSITIVE = _NAMES | {"type", "weight_map", "args", "init_args", "_args_", "tokenizer_class", "tool_use_template"}
"""Keys whose repetition makes two parsers act differently."""

DECISIVE = frozenset({"auto_map", "auto_mapping", "custom_pipelines", "weight_map"})
"""Those that only programs write, and that decide what code or file a loader takes."""
