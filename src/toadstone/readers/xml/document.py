"""One pass over an XML document: what is dangerous in any, and what stands in a PMML model or an OpenVINO graph."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from toadstone.core.fact import Fact, Link
from toadstone.readers.outside import escapes
from toadstone.readers.reader import Source
from toadstone.readers.xml.entities import Types, types_of
from toadstone.readers.xml.openvino import Graph
from toadstone.readers.xml.pmml import Model
from toadstone.readers.xml.tokens import (
    CLOSE,
    DECLARATION,
    INSTRUCTION,
    OPEN,
    SINGLE,
    TEXT,
    Token,
    Tokens,
    XmlError,
    attributes,
    encoding_of,
    interesting,
    local,
)

_DEEP = 4096
_BOMB = 8 << 20
"""Characters that entities may expand to, and a hundredth of that the file; where expat stops as well."""

_INCLUDE = "http://www.w3.org/2001/XInclude"
_HREF = re.compile(r"href\s*=\s*[\"']([^\"']{1,2000})")
_USE = re.compile(r"&([^\s&;#]{1,256});")
_WEB = re.compile(r"https?://", re.IGNORECASE)
_PUBLISHERS = re.compile(r"https?://(?:www\.)?(?:dmg\.org|w3\.org)/", re.IGNORECASE)
_SUFFIXES = (".pmml",)


class Document:
    """Reads one document.

    Args:
        source: The file.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._types = Types()
        self._uses: Counter[str] = Counter()
        self._root = ""
        self._open = 0
        self._ended = False
        self._model: Model | Graph | None = None

    def read(self) -> Iterator[Fact]:
        """Give the facts, and claim the text up to the end of the document."""
        encoding, honest = encoding_of(self._source)
        if not honest and (encoding or self._is_model()):
            yield self._source.anomaly("parser-confusion", "an encoding that not all parsers know", 0)
        if encoding:
            yield from self._document(encoding)
        elif self._is_model():  # anything else may still be read as plain text
            yield self._source.unread("xml: an encoding that is not read", 0, self._source.blob.size)

    def _document(self, encoding: str) -> Iterator[Fact]:
        stream = Tokens(self._source, encoding, self._wanted)
        try:
            for token in stream:
                ended = self._ended
                yield from self._token(token)
                if self._ended and not ended:
                    stream.mark()
        except XmlError as error:
            yield from self._broken(stream, error)
        else:
            if self._root:
                self._source.coverage.read(0, self._source.blob.size)
        if stream.deepest > _DEEP:
            yield self._source.anomaly("depth-bomb", f"elements nested deeper than {_DEEP:,} levels")
        if self._model is not None:
            self._source.notes.setdefault("kind", self._model.KIND)
            yield from self._model.done()
        yield from self._expansion()

    def _broken(self, stream: Tokens, error: XmlError) -> Iterator[Fact]:
        """Claim what came before the defect; what follows the end of a document is looked at for what it is."""
        if self._ended and stream.end() >= 0:
            self._source.coverage.read(0, stream.end())
        elif self._model is not None or self._source.suffix in _SUFFIXES:
            self._source.coverage.read(0, self._source.blob.size)
            yield self._source.unread(f"xml: {error}")

    def _wanted(self) -> re.Pattern[str] | None:
        """Nearly all tags of a large document say nothing; they are moved over without being looked at."""
        if not self._root or self._ended or self._types.values:
            return None
        return self._model.wanted() if self._model is not None else interesting(f"include|{re.escape(self._root)}")

    def _token(self, token: Token) -> Iterator[Fact]:
        if token.kind in (OPEN, SINGLE):
            yield from self._element(token)
        elif token.kind == CLOSE:
            self._open -= local(token.name) == self._root
            self._ended = not self._open
        elif token.kind == TEXT:
            if self._ended:
                raise XmlError("text behind the last element")
            if self._types.values:
                self._uses.update(_USE.findall(token.text))
        elif token.kind == DECLARATION:
            yield from self._declared(token.text)
        elif token.kind == INSTRUCTION and token.text.startswith("xml-stylesheet"):
            yield from self._link(_HREF.search(token.text), "stylesheet")
        if self._model is not None:
            yield from self._model.token(token)

    def _element(self, token: Token) -> Iterator[Fact]:
        if self._ended:
            raise XmlError("an element behind the last one")
        if not self._root:
            self._root = local(token.name)
            if self._root == "PMML":
                self._model = Model(self._source)
            elif self._root in ("net", "CustomLayer"):
                self._model = Graph(self._source)
        if self._types.values and "&" in token.text:
            self._uses.update(_USE.findall(token.text))
        if local(token.name) == self._root:
            self._open += token.kind == OPEN
            self._ended = not self._open
        if local(token.name) == "include" and (":" in token.name or _INCLUDE in token.text):
            target = attributes(token.text).get("href", "")
            if target:
                yield self._reference(target, "xinclude")

    def _declared(self, text: str) -> Iterator[Fact]:
        self._types = types_of(text)
        for target in sorted(set(self._types.external.values())):
            yield self._reference(target, "external-entity")
        if self._types.subset and not _PUBLISHERS.match(self._types.subset):
            yield self._reference(self._types.subset, "external-subset")

    def _link(self, found: re.Match[str] | None, relation: str) -> Iterator[Fact]:
        if found is not None:
            yield self._reference(found[1], relation)

    def _reference(self, target: str, relation: str) -> Link:
        """A reference; in documents that are no models the web's own are told apart from those to this machine."""
        is_model = self._is_model()
        known = relation == "external-entity" and _PUBLISHERS.match(target) is not None
        name = relation if is_model else f"document-{relation}"
        outside = not known and escapes(target, nested=False) and (is_model or _WEB.match(target) is None)
        return Link(self._source.place, target[:1000], name, escapes=outside)

    def _is_model(self) -> bool:
        """Whether it is a model; the document type stands before the element that decides, and names it."""
        if self._model is not None or self._source.suffix in _SUFFIXES:
            return True
        head = self._source.head()
        return b"<PMML" in head or b"DOCTYPE PMML" in head or b"<net " in head or b"DOCTYPE net" in head

    def _expansion(self) -> Iterator[Fact]:
        """Say how far the entities expand that are used, and those that are only declared."""
        used = sum(count * self._types.size(name) for name, count in self._uses.items() if name in self._types.values)
        largest = max((self._types.size(name) for name in self._types.values), default=0)
        if max(used, largest) > max(_BOMB, 100 * self._source.blob.size):
            detail = f"entities expand to {max(used, largest):,} characters; the file has {self._source.blob.size:,} bytes"
            yield self._source.anomaly("expansion-bomb", detail)
