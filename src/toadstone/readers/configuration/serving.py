"""Documents that tell servers and registries how to run a model: TorchServe, MLflow, container images, adapters of PEFT."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from toadstone.core.fact import Fact, Link, Setting
from toadstone.core.place import Place
from toadstone.readers.outside import escapes
from toadstone.readers.reader import Source

_NESTED = re.compile(r"\((?:[^()\\]|\\.)*(?:[^\\()]|\\.)[+*](?:[^()\\]|\\.)*\)(?:[+*]|\{\d+,\d*\})")
_ENTRY = re.compile(r"(?<=..):[A-Za-z_]\w*\Z")
"""The function behind the file of a handler, ``handler.py:predict``; a drive has one letter in front."""
_PATTERNS = ("target_modules", "exclude_modules", "layers_pattern", "modules_to_save")
_ARCHIVE = ("handler", "serializedFile", "modelFile", "extraFiles", "requirementsFile", "envelope")
_FLAVOR = (
    "code",
    "data",
    "python_model",
    "model_code_path",
    "pickled_model",
    "model_data",
    "saved_model_dir",
    "env",
    "artifacts",
)
_LAYERS = 4096


def serving(source: Source, base: str, document: dict[str, Any]) -> Iterator[Fact]:
    """Yield what such a document makes its reader open, run or fetch."""
    if base == "manifest.json" and isinstance(document.get("model"), dict) and "modelName" in document["model"]:
        model = dict(document["model"])
        if isinstance(model.get("handler"), str):
            model["handler"] = _ENTRY.sub("", model["handler"])
        yield from _paths(source, model, _ARCHIVE)
    if isinstance(document.get("flavors"), dict):
        yield from _flavors(source, document["flavors"])
    if "peft_type" in document:
        yield from _adapter(source, document)
    if isinstance(document.get("layers"), list) or isinstance(document.get("manifests"), list):
        yield from _image(source, document)
    if isinstance(document.get("rootfs"), dict) and isinstance(document.get("config"), dict):
        yield from _container(source.place, document["config"])


def _paths(source: Source, node: dict[str, Any], keys: tuple[str, ...]) -> Iterator[Fact]:
    for key in keys:
        value = node.get(key)
        values = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
        for path in values[:64]:
            found = path.get("path", path.get("uri")) if isinstance(path, dict) else path
            if isinstance(found, str) and found and escapes(found, nested=False):
                yield Link(source.place, found[:1000], "read-on-load", escapes=True)


def _flavors(source: Source, flavors: dict[str, Any]) -> Iterator[Fact]:
    """``MLmodel``: the folder, the pickles and the Python file that each flavor loads, relative to the model."""
    for flavor in list(flavors.values())[:64]:
        if isinstance(flavor, dict):
            yield from _paths(source, flavor, _FLAVOR)


def _adapter(source: Source, document: dict[str, Any]) -> Iterator[Fact]:
    """``adapter_config.json``: PEFT matches names of modules against patterns, with the `re` module."""
    patterns = [document.get(key) for key in _PATTERNS]
    for key in ("rank_pattern", "alpha_pattern"):
        if isinstance(document.get(key), dict):
            patterns += list(document[key])[:256]
    for pattern in patterns:
        if isinstance(pattern, str) and _NESTED.search(pattern[:4000]):
            detail = f"a regular expression repeats a repetition and may take exponential time: {pattern[:120]!r}"
            yield source.anomaly("resource-claim", detail)


def _image(source: Source, document: dict[str, Any]) -> Iterator[Fact]:
    """Manifest of an OCI image: layers that are fetched from somewhere else (CVE-2020-15157)."""
    entries = [*(document.get("layers") or []), *(document.get("manifests") or []), document.get("config")]
    for entry in entries[:_LAYERS]:
        if not isinstance(entry, dict):
            continue
        digest = entry.get("digest")
        if isinstance(digest, str) and ("/" in digest or "\\" in digest):  # becomes the name of a file (CVE-2024-37032)
            yield Link(source.place, digest[:1000], "read-on-load", escapes=True)
        if "mediaType" not in entry:
            continue
        urls = entry.get("urls")
        for url in urls[:16] if isinstance(urls, list) else []:
            if isinstance(url, str):
                yield Link(source.place, url[:1000], "read-on-load", escapes=True)


def _container(place: Place, config: dict[str, Any]) -> Iterator[Fact]:
    """Configuration of an image: what the container runs."""
    for key in ("Entrypoint", "Cmd", "OnBuild"):
        words = config.get(key)
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            yield Setting(place, "command", key, " ".join(words[:64])[:4000])
    health = config.get("Healthcheck")
    test = health.get("Test") if isinstance(health, dict) else None
    if isinstance(test, list):
        yield Setting(place, "command", "Healthcheck", " ".join(str(word) for word in test[:64])[:4000])
