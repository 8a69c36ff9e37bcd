"""Graphs in Protocol Buffers' text form (``.pbtxt``): the same facts as from the binary form.

Source: "Text Format Language Specification" of the Protocol Buffers documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.core.fact import Fact
from toadstone.readers.messages import Found, table
from toadstone.readers.reader import Source
from toadstone.readers.tensorflow.model import MESSAGES, Model

_STRING = r"""(?:"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+')"""
_BLANK = r"(?:\s|\#[^\n]*+)*+"
_TOKEN = re.compile(
    _BLANK
    + r"(?:([A-Za-z_]\w*)|(\[[\w./ -]+\])|("
    + _STRING
    + r"(?:\s*+"
    + _STRING
    + r")*+)|([-+]?[\d.][\w.+-]*)|([{}<>:;,\[\]-]))"
)
_ENDING = re.compile(_BLANK + r"\Z")
_FIRST = re.compile(_BLANK + r"([A-Za-z_]\w*)")
_LITERAL = re.compile(_STRING)
_MOST = 64 << 20
_DEPTH = 64
_TYPES = {"DT_STRING": 7}
_ROOTS = {
    "node": "GraphDef",
    "library": "GraphDef",
    "versions": "GraphDef",
    "graph_def": "MetaGraphDef",
    "meta_info_def": "MetaGraphDef",
    "saved_model_schema_version": "SavedModel",
    "meta_graphs": "SavedModel",
}
_EACH = 4096


class TextError(ValueError):
    """The text is no message."""


class TextModel:
    """Reads the text form and hands each message to `Model` when it ends.

    Args:
        source: Where the text is.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = ""
        self.position = 0

    def read(self) -> Iterator[Fact]:
        """Yield what the graph holds; nothing if the text is something else."""
        if self.source.blob.size > _MOST:
            yield self.source.unread(f"text form of more than {_MOST:,} bytes", size=self.source.blob.size)
            return
        self.text = self.source.blob.read(0, self.source.blob.size).decode("utf-8", "replace")
        self.source.budget.spend_steps(len(self.text) // 4)
        first = _FIRST.match(self.text)
        root = _ROOTS.get(first[1], "") if first else ""
        if not root:
            return
        model = Model(self.source, root)
        if self.source.name.rpartition("/")[2] == "graph.pbtxt":
            model.domain = model.graph.domain = "tensorflow.training"
        facts: list[Fact] = []
        try:
            self._message(model, root, 0, facts, "")
        except TextError as error:
            yield from facts
            if facts or model.graph.scopes:
                yield self.source.unread(f"the text form cannot be followed: {error}", self.position)
            return
        yield from facts
        self.source.coverage.read(0, self.source.blob.size)
        self.source.notes["kind"] = "tensorflow-text"

    def _message(self, model: Model, kind: str, depth: int, facts: list[Fact], closing: str) -> Found:
        if depth > _DEPTH:
            raise TextError(f"messages nested deeper than {_DEPTH}")
        if kind in ("GraphDef", "FunctionDef", "MetaGraphDef"):
            model.entered(kind)
        start = self.position
        known = dict(table(MESSAGES).get(kind, {}).values())
        found: Found = {}
        while (token := self._next()) is not None:
            word, sign = token
            if sign == closing and closing:
                break
            if sign in (";", ","):
                continue
            if not word:
                raise TextError(f"{sign!r} where a field begins")
            self._field(model, word, known.get(word, ""), depth, facts, found)
        else:
            if closing:
                raise TextError("a message without its end")
        facts.extend(model.finished(kind, found, start))
        return found

    def _field(self, model: Model, name: str, what: str, depth: int, facts: list[Fact], found: Found) -> None:
        word, sign = self._next() or ("", "")
        if sign == ":":
            word, sign = self._next() or ("", "")
        several = sign == "["
        while True:
            if several and sign == "[":
                word, sign = self._next() or ("", "")
            if sign in ("{", "<"):
                value: object = self._message(model, what or "?", depth + 1, facts, "}" if sign == "{" else ">")
            elif sign == "]" and several:
                return
            elif word == "" and sign:
                raise TextError(f"{sign!r} where a value begins")
            else:
                value = _value(word, what)
            if _fits(value, what) and len(found.setdefault(name, [])) < _EACH:
                found[name].append(value)
            if not several:
                return
            word, sign = self._next() or ("", "")
            if sign == ",":
                word, sign = self._next() or ("", "")

    def _next(self) -> tuple[str, str] | None:
        """Give the next word or value, or the next sign; None at the end."""
        match = _TOKEN.match(self.text, self.position)
        if match is None:
            if _ENDING.match(self.text, self.position):
                return None
            raise TextError(f"cannot be read at character {self.position:,}")
        self.position = match.end()
        return (match[5] and "") or match[1] or match[2] or match[3] or match[4] or "", match[5] or ""


def _fits(value: object, what: str) -> bool:
    """Whether a value is of the kind that the schema says; other fields are passed over."""
    kinds: dict[str, type] = {"": type(None), "int": int, "fixed": type(None), "text": str, "bytes": bytes}
    return isinstance(value, kinds.get(what, dict))


def _value(word: str, what: str) -> object:
    if word[:1] in {'"', "'"}:
        raw = b"".join(_unescaped(part) for part in _LITERAL.findall(word)[:4096])
        return raw if what == "bytes" else raw.decode("utf-8", "replace")
    if word in _TYPES:
        return _TYPES[word]
    return int(word) if what == "int" and word.isdecimal() and len(word) < 20 else word


_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|(.))", re.DOTALL)
_CONTROL = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


def _unescaped(literal: str) -> bytes:
    """Undo the escapes of a text: those of C, octal and hexadecimal."""

    def plain(found: re.Match[bytes]) -> bytes:
        if found[1]:
            return bytes([int(found[1], 8) & 0xFF])
        return bytes([int(found[2], 16)]) if found[2] else _CONTROL.get(found[3], found[3])

    return _ESCAPE.sub(plain, literal[1:-1].encode("utf-8", "replace"))
