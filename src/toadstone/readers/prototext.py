"""Protocol buffers as text: networks of Caffe (``.prototxt``), model configurations of Triton (``.pbtxt``).

Most fields are numbers and names. Three are more: a layer of type ``Python`` makes Caffe import a module and build a class of it
with a text of its own; ``EXECUTION_ENV_PATH`` names the archive with the interpreter that Triton unpacks and runs a Python model
with; ``SOURCE`` and the like name files of data. Sources: "Text Format Language Specification" of Protocol Buffers;
``caffe.proto`` (``PythonParameter``); the manual of Triton's Python backend.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from toadstone.core.fact import Call, Fact, Import, Link
from toadstone.core.regex import regex
from toadstone.core.value import Symbol
from toadstone.readers.reader import Reader, Source

if TYPE_CHECKING:
    from toadstone.core.value import Value

_LARGEST = 4 << 20
_TOKEN = re.compile(
    r"\s+|\#[^\n]*"
    r"|(?P<name>[A-Za-z_][\w.]*|\[[\w./-]+\])"
    r"|(?P<text>\"(?:[^\"\\\n]|\\.)*+\"|'(?:[^'\\\n]|\\.)*+')"
    r"|(?P<number>[-+]?(?:\d[\w.]*(?:[eE][-+]?\d+)?|\.\d+\w*|inf|nan))"
    r"|(?P<mark>[{}<>:;,\[\]-])"
)
_FIELDS = regex(rb"(?:\A|\n)\s*[A-Za-z_]\w*\s*(?::\s*(?:\"|'|[-+]?\d|[A-Za-z_\[{])|\{)")
_ESCAPE = regex(r"\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))")
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_DEEPEST = 100

Field = tuple[str, "str | list[Field]"]


def _text(token: str) -> str:
    def put(found: re.Match[str]) -> str:
        if found[1]:
            return chr(int(found[1], 16))
        return chr(int(found[2], 8)) if found[2] else _PLAIN.get(found[3], found[3])

    return _ESCAPE.sub(put, token[1:-1])


def _parsed(text: str) -> list[Field] | None:
    """Give the fields of a message; None when the text is none."""
    stack: list[list[Field]] = [[]]
    name, position = "", 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None or found.end() == position:
            return None
        position = found.end()
        mark = found["mark"]
        if mark in ("{", "<"):
            inner: list[Field] = []
            stack[-1].append((name, inner))
            stack.append(inner)
            if len(stack) > _DEEPEST:
                return None
        elif mark in ("}", ">"):
            stack.pop()
            if not stack:
                return None
        elif found["text"]:
            last = stack[-1][-1] if stack[-1] and not name else None
            if last is not None and isinstance(last[1], str):  # literals side by side are one
                stack[-1][-1] = (last[0], last[1] + _text(found["text"]))
            else:
                stack[-1].append((name, _text(found["text"])))
            name = ""
        elif found["name"] and text[position : position + 1] in ": {<\n\t":
            name = found["name"]
    return stack[0] if len(stack) == 1 else None


def _claims(source: Source) -> bool:
    head = source.head(4096)
    return b"\0" not in head and len(_FIELDS.findall(head)) >= 1


def read(source: Source) -> Iterator[Fact]:
    """Parse the text and follow the fields that act; text of another form is text."""
    raw = source.blob.read(0, min(source.blob.size, _LARGEST))
    source.coverage.read(0, len(raw))
    source.budget.spend_steps(len(raw) >> 4)
    if len(raw) < source.blob.size:
        yield source.unread("protocol buffers as text beyond any real network; the rest was not read", len(raw))
    fields = _parsed(raw.decode("utf-8", "replace"))
    if fields is None:
        yield source.unread("the text under a name of protocol buffers is not written as they are")
        return
    stack = [fields]
    while stack:
        message = stack.pop()
        yield from _message(source, message)
        stack += [value for _, value in message if isinstance(value, list)]


def _message(source: Source, fields: list[Field]) -> Iterator[Fact]:
    named = {name: value for name, value in fields if isinstance(value, str)}
    if "module" in named and "layer" in named:
        layer = Symbol(named["module"][:200], named["layer"][:200])
        given: tuple[Value, ...] = (named["param_str"],) if "param_str" in named else ()
        yield Import(source.place, layer, "python_param", "config")
        yield Call(source.place, layer, given, (), "python_param", "config")
    if named.get("key") == "EXECUTION_ENV_PATH":
        texts = [str(text) for name, value in fields if isinstance(value, list) for key, text in value if key == "string_value"]
        for path in texts:
            if "://" in path or ".." in path.split("/"):
                yield Link(source.place, path[:1000], "read-on-load", escapes=True)


READERS = (Reader("prototext", read, suffixes=(".prototxt", ".pbtxt", ".textproto", ".txtpb"), claims=_claims, rank=60),)
