"""Code and pickles that a Keras configuration carries as text."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import Any

from toadstone.core.blob import BytesBlob
from toadstone.core.fact import Code, Fact, Setting
from toadstone.readers.reader import Source

_CODE_TYPES = (0x63, 0xE3)
"""First byte of a marshalled code object, without and with its reference flag."""

_NAME = re.compile(r"[^\W\d][\w.]*(>[\w.]+)?\Z")
_DEPTH = 4
_SOURCE = 1 << 16
_BRACKETS = 60
"""Brackets in an expression that the parser is asked about."""


def is_code(text: str) -> bool:
    """Whether a Lambda's function field holds marshalled code; a function's name is an identifier."""
    return not _NAME.match(text) or any(raw[:1] and raw[0] in _CODE_TYPES and len(raw) > 32 for raw in unpacked(text))


def is_source(name: str) -> bool:
    """Whether a function's name is an expression in Python: no loader of Keras takes it, loose ones evaluate it."""
    if name.isidentifier() or not ("(" in name or "lambda" in name) or name.count("(") + name.count("[") > _BRACKETS:
        return False
    import ast  # noqa: PLC0415  (only for names that are none)

    try:
        tree = ast.parse(name.strip()[:_SOURCE], mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(node, (ast.Lambda, ast.Call)) for node in ast.walk(tree))


def unpacked(text: str) -> list[bytes]:
    """Give the bytes that some version of Keras would unmarshal: base64 if it decodes, else the raw characters.

    ``func_load`` of Keras 2 and 3 tries base64 first, ignoring foreign characters; Keras 1 took the characters as bytes.
    """
    found: list[bytes] = []
    try:
        found.append(binascii.a2b_base64(text.encode("ascii")))
    except (UnicodeEncodeError, binascii.Error):
        found.append(text.encode("raw_unicode_escape", "replace"))
    raw = text.encode("latin-1", "ignore")
    if raw[:1] and raw[0] in _CODE_TYPES and raw not in found:
        found.append(raw)
    return [raw for raw in found if raw]


def carried(source: Source, path: str, value: Any, depth: int = 0) -> Iterator[Fact]:  # noqa: ANN401  (JSON)
    """Give the code in a serialised lambda: ``{"code": …}``, ``{"value": …}``, ``[code, …]`` or the text alone.

    Loading runs it: the layer is called on symbolic inputs while the model is put together.
    """
    if isinstance(value, dict):
        for key in ("code", "value", "items"):
            if key in value and depth < _DEPTH:
                yield from carried(source, f"{path}.{key}", value[key], depth + 1)
        for key in ("defaults", "closure", "arguments"):
            yield from _hidden(source, f"{path}.{key}", value.get(key), depth)
    elif isinstance(value, list):
        if value and depth < _DEPTH:
            yield from carried(source, path, value[0], depth + 1)
            yield from _hidden(source, path, value[1:], depth)
    elif isinstance(value, str) and value:
        for number, raw in enumerate(unpacked(value)):
            name = path if not number else f"{path}({number})"
            summary = f"{len(raw):,} bytes of marshalled Python code"
            yield Setting(source.place, "keras", f"lambda_code:{name}", summary)
            yield Code(source.place, "bytecode", name, f"{summary} in a Keras configuration")
            yield source.member(name, BytesBlob(raw), "marshal-run")


def _hidden(source: Source, path: str, value: Any, depth: int) -> Iterator[Fact]:  # noqa: ANN401  (JSON)
    """Look for encoded text in what the function is called with."""
    from toadstone.readers.carried import hidden_in  # noqa: PLC0415  (only for functions, which are rare)

    if isinstance(value, str):
        yield from hidden_in(source, path, value)
    elif isinstance(value, (list, dict)) and depth < _DEPTH:
        for item in list(value.values() if isinstance(value, dict) else value)[:64]:
            yield from _hidden(source, path, item, depth + 1)


def torch_module(source: Source, path: str, text: str) -> Iterator[Fact]:
    """Give the pickled PyTorch module of a TorchModuleWrapper; ``torch.load`` opens it with ``weights_only=False``."""
    try:
        raw = binascii.a2b_base64(text.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        yield source.unread(f"{path} is no base64")
        return
    if raw:
        yield source.member(path, BytesBlob(raw))
