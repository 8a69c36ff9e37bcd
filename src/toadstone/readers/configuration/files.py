"""Files whose place in a model gives their content a meaning of its own."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

from toadstone.core.fact import Call, Fact, Import, Link, Operator, Setting, Text
from toadstone.core.value import Symbol
from toadstone.readers.configuration.exported import exported, is_program
from toadstone.readers.configuration.pictures import REMOTE, is_dotted, symbol
from toadstone.readers.configuration.programs import program
from toadstone.readers.configuration.requirements import stated
from toadstone.readers.configuration.serving import serving as _serving
from toadstone.readers.outside import escapes
from toadstone.readers.reader import Source

_LIBRARIES = frozenset(["diffusers", "transformers", "onnxruntime", "optimum", "sentence_transformers", "peft", "torch"])
_NESTED = re.compile(r"\((?:[^()\\]|\\.)*(?:[^\\()]|\\.)[+*](?:[^()\\]|\\.)*\)(?:[+*]|\{\d+,\})")
_MXNET_PYTHON = frozenset({"Custom", "_Custom", "_Native", "_NDArray"})
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def by_name(source: Source, document: Any) -> Iterator[Fact]:  # noqa: ANN401  (a parsed document)
    """Yield what a document means because of its file's name or overall form."""
    base = source.name.rsplit("/", 1)[-1].lower()
    if isinstance(document, list):
        yield from _modules(source, document)
    elif isinstance(document, dict):
        if "_diffusers_version" in document or base == "model_index.json":
            yield from _pipeline(source, document)
        if isinstance(document.get("weight_map"), dict):
            yield from _weights(source, document["weight_map"])
        if isinstance(document.get("model"), dict) and ("pre_tokenizer" in document or "normalizer" in document):
            yield from _tokenizer(source, document)
        if is_program(document):
            yield from exported(source, document)
        yield from _serving(source, base, document)
        if isinstance(document.get("itemInfoEntries"), dict):
            yield from _package(source, document["itemInfoEntries"])
        if isinstance(document.get("base_code"), dict) and document["base_code"].get("magic") == "pir":
            yield from program(source, document.get("program"))
        if "arg_nodes" in document and isinstance(document.get("nodes"), list):
            yield from _symbol(source, document["nodes"])
        yield from _packaging(source, base, document)


def _network(source: Source, rows: list[Any]) -> Iterator[Fact]:
    """A network of YOLO: the name of a module in each row, and arguments that are text, are handed to ``eval``."""
    for row in rows[:2000]:
        if not isinstance(row, list) or len(row) != 4:
            continue
        given = [row[2], *(row[3] if isinstance(row[3], list) else [])]
        for text in given[:64]:
            if isinstance(text, str) and "(" in text:
                yield Call(source.place, Symbol("builtins", "eval"), (text[:4000],), (), "parse_model", "config")


def _symbol(source: Source, nodes: list[Any]) -> Iterator[Fact]:
    """A graph of MXNet: nodes whose code is a Python class or a function pointer of the process that made them."""
    for node in nodes[:100_000]:
        if isinstance(node, dict) and node.get("op") in _MXNET_PYTHON:
            given = node.get("attrs", node.get("param"))
            attributes = given if isinstance(given, dict) else {}
            texts = tuple((str(key)[:100], str(value)[:1000]) for key, value in list(attributes.items())[:16])
            kind = attributes.get("op_type", node["op"])
            yield Operator(source.place, "mxnet", str(kind)[:200], str(node.get("name", ""))[:200], texts)


def _modules(source: Source, entries: list[Any]) -> Iterator[Fact]:
    """``modules.json`` of sentence-transformers: every ``type`` is imported and built with its ``path``."""
    found = [
        entry
        for entry in entries[:256]
        if isinstance(entry, dict)
        and isinstance(entry.get("type"), str)
        and "path" in entry
        and ("idx" in entry or "name" in entry)
    ]
    for entry in found:
        name = entry["type"]
        if remote := REMOTE.fullmatch(name):
            yield Setting(source.place, "sentence-transformers", f"{entry.get('idx', '?')}.type", name[:200])
            yield Link(source.place, remote[1], "remote-code", escapes=True)
        elif not name.startswith("sentence_transformers.") and is_dotted(name):
            yield Setting(source.place, "sentence-transformers", f"{entry.get('idx', '?')}.type", name[:200])
            yield Import(source.place, symbol(name), "modules.json type", "config")
            yield Call(source.place, symbol(name), (str(entry.get("path"))[:400],), (), "modules.json type", "config")
        path = entry.get("path")
        if isinstance(path, str) and path and escapes(path, nested=False):
            yield Link(source.place, path[:1000], "read-on-load", escapes=True)


def _pipeline(source: Source, document: dict[str, Any]) -> Iterator[Fact]:
    """``model_index.json`` of diffusers: pairs of a library and a class in it."""
    for key, pair in list(document.items())[:512]:
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair):
            library, name = pair
            if key == "_class_name" or "/" in library or not _IDENTIFIER.fullmatch(name):
                yield Setting(source.place, "diffusers", key[:200], f"{library}.{name}"[:400])
            if (
                "/" not in library
                and library not in _LIBRARIES
                and (library in sys.stdlib_module_names or "." in library or not library.islower())
            ):
                yield Import(source.place, Symbol(library[:200], name[:200]), f"model_index {key}"[:100], "config")


def _weights(source: Source, mapping: dict[str, Any]) -> Iterator[Fact]:
    """The weight map of a sharded checkpoint: its loader opens these files."""
    names = {name for name in mapping.values() if isinstance(name, str)}
    for name in sorted(name for name in names if escapes(name, nested=False))[:64]:
        yield Link(source.place, name[:1000], "read-on-load", escapes=True)


def _package(source: Source, entries: dict[str, Any]) -> Iterator[Fact]:
    """``Manifest.json`` of a Core ML package: its items lie below the folder ``Data``."""
    for entry in list(entries.values())[:256]:
        path = entry.get("path") if isinstance(entry, dict) else None
        if isinstance(path, str) and escapes(path, nested=False):
            yield Link(source.place, path[:1000], "read-on-load", escapes=True)


_PARTS = ("normalizer", "pre_tokenizer", "decoder", "post_processor")
_TOKENS = 20_000
"""Added tokens that are looked at."""
_WORDS = 3
"""Words that a special token may have; a longer one is a text."""


def _tokenizer(source: Source, document: dict[str, Any]) -> Iterator[Fact]:
    """``tokenizer.json``: regular expressions that take exponential time, replacements, and tokens that are whole texts."""
    stack = [(part, document.get(part)) for part in _PARTS]
    steps = 0
    while stack and steps < 10_000:
        steps += 1
        part, node = stack.pop()
        if isinstance(node, list):
            stack.extend((part, item) for item in node)
        elif isinstance(node, dict):
            yield from _stage(source, part, node)
            stack.extend((part, item) for item in node.values() if isinstance(item, (dict, list)))
    added = document.get("added_tokens")
    for token in added[:_TOKENS] if isinstance(added, list) else []:
        text = token.get("content") if isinstance(token, dict) else None
        if isinstance(text, str) and len(text.split(None, _WORDS)) > _WORDS:
            yield Setting(source.place, "tokenizers", "added_token", text[:4000])


def _stage(source: Source, part: str, node: dict[str, Any]) -> Iterator[Fact]:
    pattern = node.get("Regex")
    if isinstance(pattern, str) and _NESTED.search(pattern[:4000]):
        yield source.anomaly(
            "resource-claim", f"a regular expression repeats a repetition and may take exponential time: {pattern[:120]!r}"
        )
    if node.get("type") == "Replace" and isinstance(node.get("pattern"), dict) and isinstance(node.get("content"), str):
        old = node["pattern"].get("String", node["pattern"].get("Regex", ""))
        if isinstance(old, str) and node["content"].strip():
            yield Setting(source.place, "tokenizers", f"{part}.Replace", f"{old[:1000]}\0{node['content'][:4000]}")
    if node.get("type") == "Prepend" and isinstance(node.get("prepend"), str) and len(node["prepend"]) > _WORDS:
        yield Setting(source.place, "tokenizers", f"{part}.Replace", f"\0{node['prepend'][:4000]}")


def _packaging(source: Source, base: str, document: dict[str, Any]) -> Iterator[Fact]:
    """Files of package managers: scripts, build systems, requirements, indexes; networks of YOLO, which are evaluated."""
    if isinstance(document.get("backbone"), list) and isinstance(document.get("head"), list):
        yield from _network(source, [*document["backbone"], *document["head"]])
    if base == "package.json" and isinstance(document.get("scripts"), dict):
        for name, command in list(document["scripts"].items())[:100]:
            yield Text(source.place, f"script:{name}"[:80], str(command)[:2000])
    elif base == "pyproject.toml":
        if isinstance(document.get("build-system"), dict):
            yield from _build(source, document["build-system"])
        yield from _project(source, document)
    elif base == "meta.json" and "spacy_version" in document:
        yield from _stated(source, document.get("requirements"))
    elif base in {"environment.yml", "environment.yaml", "conda.yaml", "conda.yml", "python_env.yaml"}:
        yield from _stated(source, document.get("dependencies"))


def _project(source: Source, document: dict[str, Any]) -> Iterator[Fact]:
    """``pyproject.toml``: dependencies, and the indexes that uv, Poetry and PDM take them from."""
    project, tool = document.get("project"), document.get("tool")
    if isinstance(project, dict):
        yield from _stated(source, project.get("dependencies"))
        yield from _stated(source, project.get("optional-dependencies"))
    yield from _stated(source, document.get("dependency-groups"))
    if isinstance(document.get("build-system"), dict):
        yield from _stated(source, document["build-system"].get("requires"))
    for name, key in (("uv", "index"), ("poetry", "source"), ("pdm", "source")):
        entries = tool.get(name) if isinstance(tool, dict) else None
        found = entries.get(key) if isinstance(entries, dict) else None
        for entry in found[:64] if isinstance(found, list) else []:
            if isinstance(entry, dict) and isinstance(entry.get("url"), str):
                yield Setting(source.place, "pip", "--extra-index-url", entry["url"][:400])


def _stated(source: Source, requirements: object) -> Iterator[Fact]:
    """Requirements in a list, or in lists by name (a conda environment has pip's own inside its list)."""
    stack = [requirements]
    for _ in range(2000):
        if not stack:
            return
        item = stack.pop()
        if isinstance(item, str):
            yield from stated(source.place, item.strip())
        elif isinstance(item, (list, dict)):
            stack.extend(reversed(list(item.values() if isinstance(item, dict) else item)[:1000]))


def _build(source: Source, table: dict[str, Any]) -> Iterator[Fact]:
    for key in ("build-backend", "backend-path"):
        if table.get(key):
            yield Setting(source.place, "pip", f"build-system.{key}", str(table[key])[:400])
