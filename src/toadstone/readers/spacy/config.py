"""A configuration of spaCy, section by section."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from toadstone.core.fact import Call, Fact, Link, Moment, Setting, Text
from toadstone.core.value import Symbol
from toadstone.readers.outside import escapes
from toadstone.readers.reader import Source

_MOST = 4 << 20
_SECTION = re.compile(r"\[([^\[\]\n]{1,400})\]\s*")
_ENTRY = re.compile(r"([^\s=:#\[][^=\n]{0,400}?)\s*=\s*(.*)")
_OWN = re.compile(r"(?:spacy|spacy-[a-z-]+|srsly|biluo|iob)\..*|.*\.v\d+|(?:Numpy|Cupy|MPS)Ops")
"""Functions of spaCy, its extensions and thinc. A version alone is no proof, but only thinc leaves its own name out."""

_LIBRARIES = ("layers", "initializers", "losses", "optimizers", "schedules", "ops")
"""Registries in which thinc's functions have no prefix."""

_FACTORIES = frozenset(
    """
    attribute_ruler beam_ner beam_parser curated_transformer doc_cleaner entity_linker entity_ruler future_entity_ruler
    ja.morphologizer lemmatizer llm merge_entities merge_noun_chunks merge_subtokens morphologizer ner nn_labeller parser
    sentencizer senter span_cleaner span_finder span_ruler spancat spancat_singlelabel tagger textcat textcat_multilabel
    tok2vec token_splitter trainable_lemmatizer transformer
    """.split(),
)
_OWN_FACTORY = re.compile(r"(?:experimental|llm)_\w+|coref|span_resolver|[a-z]{2,3}\.\w+")


def read(source: Source) -> Iterator[Fact]:
    """Give the functions that the sections call, what a component is copied from, and texts with addresses."""
    data = source.blob.read(0, _MOST)
    if source.blob.size > _MOST:
        yield source.unread(f"spacy: more than {_MOST:,} bytes", _MOST)
    source.budget.spend_steps(len(data) // 4)
    source.coverage.read(0, len(data))
    for name, entries, row in _sections(data.decode("utf-8", "replace")):
        yield from _section(source, name, entries, row)


def _sections(text: str) -> Iterator[tuple[str, dict[str, Any], int]]:
    """Yield each section with its entries and the line on which it begins."""
    name, begin, key = "", 0, ""
    entries: dict[str, str] = {}
    for row, line in enumerate(text.split("\n")):
        if found := _SECTION.fullmatch(line):
            yield name, {key: _value(value) for key, value in entries.items()}, begin
            name, entries, begin, key = found[1].strip(), {}, row, ""
        elif line[:1].isspace() and key:
            entries[key] += "\n" + line.strip()
        elif found := _ENTRY.fullmatch(line):
            key = found[1].strip()
            entries[key] = found[2].strip()
    yield name, {key: _value(value) for key, value in entries.items()}, begin


def _value(text: str) -> Any:  # noqa: ANN401  (JSON)
    try:
        return json.loads(text[: 1 << 16])
    except (ValueError, RecursionError):
        return text


def _section(source: Source, name: str, entries: dict[str, Any], row: int) -> Iterator[Fact]:
    place = source.place.line(row)
    when = Moment.LOAD if name.partition(".")[0] in ("nlp", "components") else Moment.USE
    for key, value in entries.items():
        if key.startswith("@") and isinstance(value, str):
            registry = key[1:]
            yield Setting(place, "spacy", f"{name}.{key}", value[:400])
            if not _is_own(registry, value):
                yield _call(source, row, f"spacy.registry.{registry}.{value[:200]}", entries, key, when)
        elif isinstance(value, str) and "://" in value:
            yield Text(place, "metadata", value[:4096])
    if not name.startswith("components."):
        return
    factory, origin = entries.get("factory"), entries.get("source")
    if isinstance(factory, str) and name.count(".") == 1:
        yield Setting(place, "spacy", f"{name}.factory", factory[:400])
        if factory not in _FACTORIES and not _OWN_FACTORY.fullmatch(factory):
            yield _call(source, row, f"spacy.registry.factories.{factory[:200]}", entries, "factory", when)
    if isinstance(origin, str) and escapes(origin, nested=False) and _is_pipeline(source):
        yield Link(place, origin[:1000], "read-on-load", escapes=True)


def _is_own(registry: str, name: str) -> bool:
    bare = not name.startswith(("spacy.", "spacy-", "srsly."))
    return bool(_OWN.fullmatch(name)) and (not bare or registry in _LIBRARIES)


def _call(source: Source, row: int, function: str, entries: dict[str, Any], how: str, when: Moment) -> Call:
    from toadstone.readers.configuration.pictures import picture  # noqa: PLC0415  (start-up time)

    module, _, name = function.rpartition(".")
    given = tuple((key, picture(value)) for key, value in list(entries.items())[:64] if key != how)
    return Call(source.place.line(row), Symbol(module, name), (), given, how, "config", when)


def _is_pipeline(source: Source) -> bool:
    """Whether the configuration is that of a trained pipeline, and not one to train with."""
    beside = source.sibling("meta.json")
    if beside is None:
        return False
    beside.close()
    return True
