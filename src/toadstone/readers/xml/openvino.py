"""OpenVINO's intermediate representation: layers that are in no operation set, and constants in the file with the weights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from toadstone.core.blob import CHUNK, Blob
from toadstone.core.fact import Fact, Link, Operator, Text
from toadstone.core.value import Value
from toadstone.readers.outside import escapes
from toadstone.readers.reader import Source
from toadstone.readers.xml.tokens import CLOSE, OPEN, SINGLE, Token, attributes, interesting, local

_SETS = re.compile(r"opset\d{1,3}|(?:ie_internal|type_relaxed|gpu|cpu|npu|tokenizers)_?(?:plugin_)?opset")
_TOKENIZERS = frozenset(
    """
    BPETokenizer ByteFallback BytesToChars CaseFold CharsMapNormalization CharsToBytes CombineSegments EqualStr FuzeRagged
    NormalizeUnicode RaggedTensorPack RaggedToDense RaggedToRagged RaggedToSparse RegexNormalization RegexSplit
    SentencepieceDetokenizer SentencepieceStreamDetokenizer SentencepieceTokenizer SpecialTokensSplit StringTensorPack
    StringTensorUnpack StringToHashBucket TrieTokenizer Truncate UTF8Validate UnigramTokenizer VocabDecoder VocabEncoder
    WordpieceTokenizer
    """.split(),
)
"""Layers that openvino-tokenizers brings."""

_BITS = {
    "f64": 64, "i64": 64, "u64": 64, "f32": 32, "i32": 32, "u32": 32, "f16": 16, "bf16": 16, "i16": 16, "u16": 16,
    "i8": 8, "u8": 8, "boolean": 8, "f8e4m3": 8, "f8e5m2": 8, "f8e8m0": 8,
}  # fmt: skip
_LIBRARY = re.compile(r"\.(?:so(?:\.\d+)*|dll|dylib|pyd)\Z", re.IGNORECASE)
_DATA = re.compile(rb"<[\w-]{1,60}(?=\s)([^<>]*\boffset\s*=[^<>]*)>")
"""Constants of today's graphs; weights and biases of the oldest ones."""

_NUMBER = re.compile(r"\d{1,20}")
_PARTS = 1 << 18
_OPERATORS = 1 << 12
"""Different operators of no known set that are reported of one graph."""

_WANTED = interesting("net|layer|data|Source|CustomLayer|include", r"|<[\w.-]{1,200}\s+value=")


class Graph:
    """Reads the elements of one graph.

    Args:
        source: The file.
    """

    KIND: ClassVar = "openvino"

    def __init__(self, source: Source) -> None:
        self._source = source
        self._layer: dict[str, str] = {}
        self._told: set[tuple[str, str]] = set()

    def wanted(self) -> re.Pattern[str] | None:
        """Give what the next tag of interest matches."""
        return _WANTED

    def token(self, token: Token) -> Iterator[Fact]:
        """Take one token."""
        name = local(token.name)
        if token.kind == CLOSE and name == "layer":
            yield from self._ended({})
        elif token.kind in (OPEN, SINGLE):
            yield from self._element(name, token)

    def _element(self, name: str, token: Token) -> Iterator[Fact]:
        if name == "layer":
            yield from self._ended({})
            self._layer = attributes(token.text)
            if token.kind == SINGLE:
                yield from self._ended({})
        elif name == "data" and self._layer:
            given = attributes(token.text)
            problem = _misplaced(self._layer, given)
            if problem:
                yield self._source.anomaly("tensor-bounds", f"constant {self._layer.get('name', '')[:200]!r} {problem}")
            yield from self._ended(given)
        elif name in ("Source", "CustomLayer") and (target := attributes(token.text).get("filename")):
            yield Link(self._source.place, target[:1000], "read-on-load", escapes=escapes(target, nested=False))
        elif "value" in token.text:
            value = attributes(token.text).get("value", "")
            if len(value) > 7 and not value.isdecimal():
                yield Text(self._source.place, "metadata", value[:4096])

    def _ended(self, given: dict[str, str]) -> Iterator[Fact]:
        """Judge a layer by its operation set and by what it is given."""
        layer, self._layer = self._layer, {}
        if not layer:
            return
        domain, kind = layer.get("version", ""), layer.get("type", "")
        arguments: tuple[tuple[str, Value], ...] = tuple((key[:100], value[:1000]) for key, value in list(given.items())[:16])
        library = any(_LIBRARY.search(value) for value in given.values())
        shipped = domain == "extension" and kind in _TOKENIZERS
        known = not domain or _SETS.fullmatch(domain) is not None or shipped
        if (library or not known) and (domain, kind) not in self._told:
            if len(self._told) > _OPERATORS:
                return
            self._told.add((domain, kind))
            if len(self._told) > _OPERATORS:
                yield self._source.unread(f"more than {_OPERATORS:,} different operators of no known set; the rest is not judged")
                return
            yield Operator(self._source.place, f"openvino:{domain}", kind[:200], layer.get("name", "")[:200], arguments)

    def done(self) -> Iterator[Fact]:
        """Give nothing more."""
        yield from ()


def _misplaced(layer: dict[str, str], given: dict[str, str]) -> str:
    """Say in what way the place of a constant contradicts its shape and type; empty if it does not."""
    if layer.get("type") != "Const" or "offset" not in given:
        return ""
    offset, size = given["offset"], given.get("size", "0")
    if not _NUMBER.fullmatch(offset) or not _NUMBER.fullmatch(size) or int(offset) + int(size) >= 1 << 63:
        return f"lies at {offset[:40]} with {size[:40]} bytes"
    bits, shape = _BITS.get(given.get("element_type", "")), given.get("shape", "")
    parts = [part.strip() for part in shape.split(",") if part.strip()]
    if bits is None or any(not _NUMBER.fullmatch(part) for part in parts):
        return ""
    for part in parts:
        bits *= int(part)
    return f"of shape {shape[:80]} needs {bits // 8:,} bytes; {int(size):,} are stated" if bits != 8 * int(size) else ""


def graph_beside(source: Source) -> Blob | None:
    """Open the graph that the weights belong to, if it lies next to them. Members of archives have no neighbours."""
    if source.depth:
        return None
    blob = source.sibling(source.name.rsplit("/", 1)[-1][:-4] + ".xml")
    if blob is None:
        return None
    if b"<net" in blob.read(0, 4096):
        return blob
    blob.close()
    return None


def weights(source: Source) -> Iterator[Fact]:
    """Claim what the constants of the graph next to a file take of it; what is left is looked at by the walker."""
    blob = graph_beside(source)
    if blob is None:
        return
    reached = 0
    spans: set[tuple[int, int]] = set()
    held = b""
    for chunk in blob.chunks(0, None, CHUNK):
        source.budget.spend_steps(min(len(chunk) // 8, source.budget.steps))
        held += chunk
        position = 0
        for found in _DATA.finditer(held):
            position = found.end()
            given = attributes(found[1].decode("utf-8", "replace"))
            offset, size = given.get("offset", ""), given.get("size", "")
            if _NUMBER.fullmatch(offset) and _NUMBER.fullmatch(size) and len(spans) < _PARTS:
                spans.add((int(offset), int(offset) + int(size)))
        held = held[position:][-CHUNK:]
    blob.close()
    for start, stop in sorted(spans):
        source.coverage.inert(start, stop)
        reached = max(reached, stop)
    if reached > source.blob.size:
        yield source.unread(f"openvino: the constants are cut short: {source.blob.size:,} of {reached:,} bytes", source.blob.size)
