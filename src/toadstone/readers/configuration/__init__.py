"""Configuration that loaders act on: JSON, YAML, TOML, requirement files.

Parsed completely or reported as unread; what the keys make a loader import, call, fetch or run becomes facts. Nothing is
constructed from what is read: YAML stays a stream of events, JSON and TOML have no objects.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from toadstone.core.fact import Fact
from toadstone.readers.configuration import requirements
from toadstone.readers.reader import Reader, Source

MAX_JSON = 128 << 20
"""Bytes of a JSON document that are read; tokenizers with the largest vocabularies have about 35 MB."""

MAX_YAML = 16 << 20
MAX_TOML = 1 << 20
_LINES = 10_000
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*+")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING = re.compile(r'("(?:[^"\\]|\\.)*+")|,(?=\s*[}\]])', re.DOTALL)
_OPENING = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\{\s*(?:"|\}|$)|\[\s*(?:[\[{"\]\-0-9tfn]|$))')
_OTHERS = frozenset(
    {
        ".ipynb",
        ".jsonl",
        ".ndjson",
        ".py",
        ".map",
        ".js",
        ".jinja",
        ".jinja2",
        ".j2",
        ".md",
        ".yaml",
        ".yml",
        ".toml",
        ".txt",
        ".csv",
    }
)


def read_json(source: Source) -> Iterator[Fact]:
    """Turn a JSON document into facts.

    Yields:
        What `toadstone.readers.configuration.keys` and ``files`` find; `Unread` when a file that promises JSON is none.
    """
    from toadstone.readers.bounded_json import is_affordable  # noqa: PLC0415  (start-up time)
    from toadstone.readers.configuration.bulk import LARGE, has_vocabulary, thinned  # noqa: PLC0415

    promised = source.hint == "json" or source.suffix == ".json"
    if source.blob.size > MAX_JSON:
        if promised:
            yield source.unread(f"json: larger than {MAX_JSON:,} bytes", size=source.blob.size)
        return
    data = source.blob.read(0, source.blob.size)
    source.budget.spend_steps(len(data) // 4)
    shortened = len(data) > LARGE and has_vocabulary(data)
    documents, repeated, reason = _parsed(thinned(data) if shortened else data)
    if reason:
        if promised and data.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] in {b"{", b"["}:
            yield source.unread(f"json: {reason}", size=len(data))
        return
    source.coverage.read(0, len(data))
    yield from _repeated(source, repeated)
    yield from _documents(source, documents)
    if documents and not shortened and is_affordable(data):
        yield from _forest(source, documents[0], repeated)
        yield from _catboost(source, documents[0])


def _catboost(source: Source, document: Any) -> Iterator[Fact]:  # noqa: ANN401  (a parsed document)
    """Give the texts of a CatBoost model in JSON."""
    information = document.get("model_info") if isinstance(document, dict) and "features_info" in document else None
    if isinstance(information, dict):
        from toadstone.core.fact import Text  # noqa: PLC0415  (only for such models)
        from toadstone.readers.carried import carried  # noqa: PLC0415

        source.notes.setdefault("kind", "catboost")
        for key, value in list(information.items())[:4096]:
            if isinstance(value, str):
                yield Text(source.place, "metadata", value[: 1 << 16])
                yield from carried(source, f"model_info.{key}"[:200], value)


def _forest(source: Source, document: Any, repeated: dict[str, bool]) -> Iterator[Fact]:  # noqa: ANN401  (a parsed document)
    """Give what a model of XGBoost says besides its settings; only for documents that were parsed whole."""
    if isinstance(document, dict) and isinstance(document.get("learner"), dict):
        from toadstone.readers.xgboost.model import document_facts  # noqa: PLC0415  (start-up time)

        for name in [name for name, differs in repeated.items() if differs][:1]:
            detail = f"the entry {name[:200]!r} is given twice; loaders disagree on which one counts"
            yield source.anomaly("ambiguous-record", detail)
        yield from document_facts(source, document)


def _parsed(data: bytes) -> tuple[list[Any], dict[str, bool], str]:
    """Parse one document, or one a line; give the documents, the repeated keys, and why it failed."""
    from toadstone.readers.bounded_json import JsonError, parse  # noqa: PLC0415
    from toadstone.readers.configuration.bulk import LARGE, collapsed  # noqa: PLC0415

    body = data.removeprefix(b"\xef\xbb\xbf")
    try:
        document = parse(body)
    except JsonError as error:
        reason = str(error)
    else:
        return [document.root, *document.shadowed], document.repeated, ""
    if len(body) > LARGE and (smaller := collapsed(body)) is not None:
        return _parsed(smaller)
    if "Extra data" in reason:
        return _lines(body, reason)
    if b"//" in body or b"/*" in body or re.search(rb",\s*[}\]]", body):
        text = _COMMENT.sub(lambda found: found[1] or " ", body.decode("utf-8", "replace"))
        try:
            document = parse(_TRAILING.sub(lambda found: found[1] or "", text).encode())
        except JsonError:
            return [], {}, reason
        return [document.root, *document.shadowed], document.repeated, ""
    return [], {}, reason


def _lines(body: bytes, reason: str) -> tuple[list[Any], dict[str, bool], str]:
    """Parse one document a line, as data sets have it."""
    from toadstone.readers.bounded_json import JsonError, parse  # noqa: PLC0415

    documents: list[Any] = []
    repeated: dict[str, bool] = {}
    for line in body.splitlines():
        if not line.strip():
            continue
        try:
            document = parse(line)
        except JsonError:
            return [], {}, reason
        if len(documents) < _LINES:
            documents.append(document.root)
            repeated |= document.repeated
    return documents, repeated, ""


def read_yaml(source: Source) -> Iterator[Fact]:
    """Turn a YAML stream into facts: its tags, its aliases, its keys."""
    from toadstone.readers.configuration.tags import Reading, YamlError, is_bomb, yaml_facts  # noqa: PLC0415

    if source.blob.size > MAX_YAML:
        yield source.unread(f"yaml: larger than {MAX_YAML:,} bytes", size=source.blob.size)
        return
    data = source.blob.read(0, source.blob.size)
    source.budget.spend_steps(len(data) // 4)
    source.coverage.read(0, len(data))
    reading = Reading(source)
    reason = ""
    try:
        reading.run(data)
    except YamlError as error:
        reason = str(error)
    yield from yaml_facts(reading)
    if reason and _PLACEHOLDER.search(data):
        yield from _yaml_template(source, data)
        return
    yield from _repeated(source, dict.fromkeys(reading.repeated, True), edited=True)
    if is_bomb(reading, len(data)):
        yield source.anomaly("resource-claim", f"aliases make {len(data):,} bytes of YAML stand for {reading.expanded:,} nodes")
    yield from _documents(source, [*reading.documents, *reading.shadowed])
    if reason:
        yield source.unread(f"yaml: {reason}")


def _yaml_template(source: Source, data: bytes) -> Iterator[Fact]:
    """Read a template that becomes YAML (conda recipes, charts): as YAML without its expressions, and as a template.

    What does not read as YAML even then is text for another program; no loader of models takes it.
    """
    from toadstone.readers.configuration.tags import Reading, YamlError, yaml_facts  # noqa: PLC0415
    from toadstone.readers.jinja import expressions  # noqa: PLC0415

    source.notes["kind"] = "text"
    reading = Reading(source)
    with contextlib.suppress(YamlError):
        reading.run(_PLACEHOLDER.sub(lambda found: b"x" if found[0].startswith(b"{{") else b"", data))
    yield from yaml_facts(reading)
    yield from _documents(source, reading.documents)
    yield from expressions(source, data.decode("utf-8", "replace"))


_PLACEHOLDER = re.compile(rb"\{\{[^{}]*+\}\}|\{%[^%]*+%\}|\{#[^#]*+#\}")


_DOTTED = re.compile(rb"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){64}""")


def read_toml(source: Source) -> Iterator[Fact]:
    """Turn a TOML document into facts."""
    import tomllib  # noqa: PLC0415  (only when a TOML file is met)

    if source.blob.size > MAX_TOML:
        yield source.unread(f"toml: larger than {MAX_TOML:,} bytes", size=source.blob.size)
        return
    data = source.blob.read(0, source.blob.size)
    source.budget.spend_steps(len(data))
    source.coverage.read(0, len(data))
    if _DOTTED.search(data):
        yield source.unread("toml: a key of more parts than any real one has; parsers take quadratic time and memory for it")
        return
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        yield source.unread(f"toml: {str(error)[:120]}")
        return
    yield from _documents(source, [document])


def _repeated(source: Source, names: Mapping[str, bool], *, edited: bool = False) -> Iterator[Fact]:
    """Tell of keys given twice on which a loader acts.

    Args:
        source: Where they are.
        names: The keys, and whether their values differ.
        edited: Whether people write such files by hand.
    """
    from toadstone.readers.configuration.keys import DECISIVE, SENSITIVE  # noqa: PLC0415

    for name in sorted(names.keys() & SENSITIVE):
        if not names[name]:
            yield source.anomaly("repeated-key", f"the key {name!r} occurs twice in one mapping, with the same value")
            continue
        kind = "ambiguous-record" if name in DECISIVE and not edited else "parser-confusion"
        yield source.anomaly(kind, f"the key {name!r} occurs twice in one mapping; parsers differ on which value counts")


def _documents(source: Source, documents: list[Any]) -> Iterator[Fact]:
    """Walk parsed documents; shared parts (aliases) are entered once."""
    from toadstone.readers.configuration.files import by_name  # noqa: PLC0415
    from toadstone.readers.configuration.keys import Keys  # noqa: PLC0415

    entered: set[int] = set()
    for document in documents:
        keys = Keys(source, document)
        yield from by_name(source, document)
        stack: list[tuple[Any, str]] = [(document, "")]
        while stack:
            node, path = stack.pop()
            if id(node) in entered:
                continue
            entered.add(id(node))
            if isinstance(node, dict):
                yield from keys.at(node, path)
            yield from _children(source, keys, node, path, stack)


def _children(source: Source, keys: Any, node: Any, path: str, stack: list[tuple[Any, str]]) -> Iterator[Fact]:  # noqa: ANN401
    items = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    source.budget.spend_steps(len(items) // 4)
    for key, item in reversed(items):
        if isinstance(item, (dict, list)):
            if item:
                stack.append((item, f"{path}{key}."[:400]))
        elif isinstance(item, str):
            yield from _text(source, keys, f"{path}{key}"[:400], item)


def _text(source: Source, keys: Any, path: str, text: str) -> Iterator[Fact]:  # noqa: ANN401
    """What a text value may be besides text: a resolver, a template under some other key, a pickle in Base64."""
    if "${" in text:
        yield from keys.resolver(path, text)
    if (
        "template" in path.rpartition(".")[2].lower()
        and ("{{" in text or "{%" in text)
        and keys.TEMPLATES.isdisjoint(path.split("."))
    ):
        from toadstone.readers.jinja import expressions  # noqa: PLC0415

        yield from expressions(source, text)
    elif text[:2] in _ENCODED:
        from toadstone.readers.carried import carried_pickle  # noqa: PLC0415

        yield from carried_pickle(source, path, text)


_ENCODED = frozenset({"gA", "80", "eJ", "eN", "eA", "H4", "1f", "1F", "78"})
"""First characters of a pickle as Base64 or hexadecimal digits, plain or compressed."""


def _is_json(source: Source) -> bool:
    if source.suffix == ".json":
        return source.head(1) != b"" and source.head().lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] in {b"{", b"[", b'"', b""} | {
            bytes([digit]) for digit in b"-0123456789tfn"
        }
    return source.suffix not in _OTHERS and source.blob.size <= 16 << 20 and bool(_OPENING.match(source.head()))


def _is_text(source: Source) -> bool:
    head = source.head()
    return b"\0" not in head or head.startswith((b"\xff\xfe", b"\xfe\xff"))


_MARKS = tuple((0, bytes([byte])) for byte in b"\xef {[\t\n\r\f\v")
"""First bytes of what `_OPENING` matches."""

READERS = (
    Reader(kind="json", read=read_json, suffixes=(".json",), marks=_MARKS, claims=_is_json, rank=60),
    Reader(kind="yaml", read=read_yaml, suffixes=(".yaml", ".yml", "mlmodel", "mlproject", ".dvc"), claims=_is_text, rank=60),
    Reader(kind="toml", read=read_toml, suffixes=(".toml",), claims=_is_text, rank=60),
    Reader("requirements", requirements.read, suffixes=requirements.SUFFIXES, claims=requirements.claims, rank=60),
)
