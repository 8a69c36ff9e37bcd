"""What objects in MessagePack say: arrays in their three spellings, settings that loaders act on, files inside runs of bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from toadstone.core.budget import BudgetError
from toadstone.core.fact import Fact, Setting, Text
from toadstone.core.value import KEPT_TEXT
from toadstone.readers.carried import carried
from toadstone.readers.configuration.keys import Keys
from toadstone.readers.cursor import Cursor, ShortError
from toadstone.readers.msgpack.arrays import array_problem, extension_problem, is_array, unpickles
from toadstone.readers.msgpack.expressions import explosive
from toadstone.readers.msgpack.tokens import events
from toadstone.readers.nested import nested
from toadstone.readers.outline import BYTES, TEXT, VALUE, Node, Outline, Row, Span, StructureError, broken, outlined, repeated_key
from toadstone.readers.reader import Source

_TRIED = 4096
"""Events after which a file under the format's own name is believed."""

_SHORTEST_TEXT = 8
_TEXTS = 4096
_TELLING = re.compile(r"[(\s/\\]")
"""What a text holds that is more than a word of some vocabulary."""

_REDUCTIONS = frozenset({"__reduce__", "__reduce_ex__", "__setstate__", "__class__", "__import__", "__builtins__", "__globals__"})
"""Entries by which home-made decoders turn mappings into objects."""

_SHORTEST_INNER = 24
_SUFFIXES = (".msgpack", ".msgpck", ".mpk")
_FOLDER = frozenset({"tokenizer", "key2row", "lookups.bin", "patterns"})
_PATTERNS = frozenset({"prefix_search", "suffix_search", "infix_finditer", "token_match", "url_match"})
"""Entries of spaCy's tokenizer that are compiled and run over every text."""


def plausible(source: Source) -> bool:
    """Whether a file is one object to its last byte; under the format's own names a beginning will do."""
    base = source.name.rsplit("/", 1)[-1]
    if source.suffix in _SUFFIXES or source.hint == "msgpack":
        return True
    if base in _FOLDER and source.blob.size <= 1:
        return True
    return source.blob.size > 1 and _is_whole(source, base in _FOLDER)


def _is_whole(source: Source, named: bool) -> bool:
    cursor = Cursor(source.blob)
    trial = source.budget.trial()
    count = 0
    try:
        for kind, _ in events(cursor):
            count += 1
            if not count % 256:
                trial.spend_steps(256)
            if kind == VALUE and count == 1:
                return False
            if named and count > _TRIED:
                return True
    except (StructureError, ShortError, BudgetError):
        return False
    finally:
        source.budget.settle(trial)
    return cursor.position == source.blob.size


def is_inside(source: Source, blob: Any) -> bool:  # noqa: ANN401  (a blob)
    """Whether a run of bytes is one more mapping or list, long enough not to be one by chance."""
    head = blob.read(0, 1)
    if blob.size < _SHORTEST_INNER or not head or not (0x81 <= head[0] <= 0x9F or 0xDC <= head[0] <= 0xDF):
        return False
    return _is_whole(Source(blob, "", source.place, source.budget), named=False)


class Document:
    """Reads one object.

    Args:
        source: The file.
        cursor: Where the object begins.
    """

    def __init__(self, source: Source, cursor: Cursor) -> None:
        self._source = source
        self._cursor = cursor
        self._texts = 0
        self._keys = Keys(source)

    def read(self) -> Iterator[Fact]:
        """Give the facts of the object; the cursor stands behind it afterwards."""
        outline = Outline(self._visit, lambda: self._cursor.position)
        yield from outlined(self._source, events(self._cursor), outline)
        if isinstance(outline.root, Node):
            yield from self._tokenizer(outline.root)

    def _visit(self, path: list[Any], value: Any) -> Iterable[Fact] | None:  # noqa: ANN401
        if isinstance(value, Node):
            return self._mapping(path, value)
        if isinstance(value, Row):
            return None
        if isinstance(value, Span):
            return self._span(path, value)
        return self._text(path, value) if len(value) >= _SHORTEST_TEXT else None

    def _mapping(self, path: list[Any], node: Node) -> Iterator[Fact]:
        yield from repeated_key(self._source, node)
        data = node.get(b"data", node.get("data"))
        if not is_array(node):
            yield from self._reduction(path, node)
            if any(isinstance(key, str) for key in node):
                yield from self._keys.at({key: item for key, item in node.items() if isinstance(key, str)}, _dotted(path))
            if isinstance(data, Span) and data.kind == BYTES:
                yield from self._bytes(f"{_dotted(path)}data", data)
            return
        if unpickles(node) and isinstance(data, Span):
            yield self._source.member(f"{_dotted(path)}data", data.window(), "pickle")
            return
        problem = array_problem(node, data)
        if problem:
            kind, detail = problem
            yield self._source.anomaly(kind, f"array {_dotted(path)[:200]} {detail}", node.offset)

    def _span(self, path: list[Any], span: Span) -> Iterable[Fact] | None:
        if span.kind == BYTES:
            return None if path and path[-1] in (b"data", "data") else self._bytes(_dotted(path)[:-1], span)
        if span.kind == TEXT:
            return self._text(path, span.blob.read(span.offset, min(span.size, KEPT_TEXT)).decode("utf-8", "replace"))
        return self._extension(path, span)

    def _extension(self, path: list[Any], span: Span) -> Iterator[Fact]:
        problem = extension_problem(span)
        if problem:
            kind, detail = problem
            yield self._source.anomaly(kind, f"array {_dotted(path)[:200]} {detail}", span.offset)
        else:
            yield from self._bytes(_dotted(path)[:-1], span)

    def _bytes(self, name: str, span: Span) -> Iterator[Fact]:
        blob = span.window()
        if is_inside(self._source, blob):
            yield self._source.member(name[:200], blob, "msgpack")
        else:
            yield from nested(self._source, name[:200], blob)

    def _reduction(self, path: list[Any], node: Node) -> Iterator[Fact]:
        """Give what a mapping names in the way pickles do."""
        for key in sorted(key for key in node if isinstance(key, str) and key in _REDUCTIONS):
            value = node[key]
            names = (
                [value]
                if isinstance(value, str)
                else [item for item in value if isinstance(item, str)]
                if isinstance(value, Row)
                else []
            )
            for name in names[:4]:
                yield Setting(self._source.place, "msgpack", f"{_dotted(path)}{key}.name", name[:400])

    def _text(self, path: list[Any], text: str) -> Iterator[Fact]:
        if _TELLING.search(text) and self._texts < _TEXTS:
            self._texts += 1
            yield Text(self._source.place, "metadata", text)
        yield from carried(self._source, _dotted(path)[:-1], text)

    def _tokenizer(self, root: Node) -> Iterator[Fact]:
        for name in sorted(_PATTERNS.intersection(key for key in root if isinstance(key, str))):
            pattern = root[name]
            if isinstance(pattern, Span):
                pattern = pattern.blob.read(pattern.offset, min(pattern.size, KEPT_TEXT)).decode("utf-8", "replace")
            found = explosive(pattern) if isinstance(pattern, str) else ""
            if found:
                detail = f"the expression {name} repeats a repetition and may take exponential time: {found[:120]!r}"
                yield self._source.anomaly("resource-claim", detail, root.offset)


def _dotted(path: list[Any]) -> str:
    return "".join(f"{key.decode('utf-8', 'replace') if isinstance(key, bytes) else key}."[:100] for key in path[:32])


def read(source: Source) -> Iterator[Fact]:
    """Give the facts of one object after the other; what is none stays unclaimed."""
    cursor = Cursor(source.blob)
    while cursor.left:
        begin = cursor.position
        try:
            yield from Document(source, cursor).read()
        except (StructureError, ShortError) as error:
            if begin == 0:
                source.coverage.read(0, cursor.position)
                yield from broken(source, "msgpack", error, cursor.position)
            return
        source.coverage.read(begin, cursor.position)
        if not _continues(source, cursor):
            return


def _continues(source: Source, cursor: Cursor) -> bool:
    """Whether another mapping or list follows, as streams of them have it; other bytes belong to nobody."""
    head = source.blob.read(cursor.position, 2)
    return len(head) == 2 and (0x81 <= head[0] <= 0x9F or 0xDC <= head[0] <= 0xDF)
