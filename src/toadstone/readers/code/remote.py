"""Which Python files a model's configuration tells its loader to import."""

# ruff: noqa: ANN401  (JSON values)
from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from toadstone.core.blob import Blob

CONFIGURATIONS = (
    "config.json",
    "tokenizer_config.json",
    "processor_config.json",
    "preprocessor_config.json",
    "adapter_config.json",
    "modules.json",
    "generation_config.json",
    "model_index.json",
    "video_preprocessor_config.json",
)
"""Files next to a model that name classes to import."""

_LARGEST = 4 << 20


def named_by(sibling: Callable[[str], Blob | None], module: str) -> str:
    """Say which configuration entry names a module.

    Args:
        sibling: Opens a file next to the module.
        module: File name of the module, with or without its folders.

    Returns:
        ``auto_map in config.json`` and the like; empty if none does.
    """
    stem = module.rsplit("/", 1)[-1].removesuffix(".py")
    for name in CONFIGURATIONS:
        blob = sibling(name)
        if blob is None:
            continue
        size = blob.size
        text = blob.read(0, size) if size <= _LARGEST else b""
        blob.close()
        for key, reference in _references(_parsed(text)):
            if reference.rpartition("--")[2].split(".")[0] == stem:
                return f"{key} in {name}"
    return ""


def _parsed(text: bytes) -> Any:
    depth = text.count(b"[") + text.count(b"{")
    if depth > 50_000:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _references(document: Any) -> Iterator[tuple[str, str]]:
    """Give every class reference of a configuration, with the key it stands under."""
    stack: list[tuple[str, Any]] = [("", document)]
    steps = 0
    while stack and steps < 20_000:
        steps += 1
        key, value = stack.pop()
        if isinstance(value, str):
            if key in (
                "auto_map",
                "auto_mapping",
                "custom_pipelines",
                "type",
                "impl",
                "auto_class",
                "_class_name",
                "parent_library",
            ):
                yield key, value
        elif isinstance(value, dict):
            inherits = key in ("auto_map", "auto_mapping", "custom_pipelines")
            stack.extend((key if inherits else str(name), item) for name, item in value.items())
        elif isinstance(value, list):
            stack.extend((key, item) for item in value)
