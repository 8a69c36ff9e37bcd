"""spaCy: a trained pipeline on disk, and the binary forms of documents and vocabularies."""

from __future__ import annotations

import pickle

import spacy
from spacy.tokens import DocBin
from spacy.training import Example

from benchmarks.corpus.benign.workshop import Shelf


def pipelines(shelf: Shelf) -> None:
    """A blank pipeline with rules and one with a small trained classifier, as folders."""
    rules = spacy.blank("en")
    rules.add_pipe("sentencizer")
    rules.add_pipe("entity_ruler").add_patterns([{"label": "ORG", "pattern": "Example Ltd"}])
    rules.to_disk(shelf.put("rules", library="spacy", subject="rules", technique="spacy-folder", group="project"))
    trained = spacy.blank("en")
    classifier = trained.add_pipe("textcat")
    classifier.add_label("SPAM")
    classifier.add_label("HAM")
    examples = [
        Example.from_dict(trained.make_doc(text), {"cats": {"SPAM": float(spam), "HAM": float(not spam)}})
        for text, spam in (("free money", True), ("see you", False))
    ]
    trained.initialize(lambda: examples)
    trained.update(examples)
    trained.to_disk(shelf.put("textcat", library="spacy", subject="textcat", technique="spacy-folder", group="project"))


def single_files(shelf: Shelf) -> None:
    """A DocBin, a pipeline as bytes and a pickled vocabulary-free document list."""
    language = spacy.blank("de")
    documents = [language("Das ist ein Satz."), language("Noch einer.")]
    DocBin(docs=documents).to_disk(shelf.put("docs.spacy", library="spacy", subject="DocBin", technique="docbin"))
    words = [[token.text for token in document] for document in documents]
    shelf.put("words.pkl", library="spacy", subject="words", technique="pickle-4").write_bytes(pickle.dumps(words, 4))
    shelf.put("doc.pkl", library="spacy", subject="Doc", technique="pickle-5").write_bytes(pickle.dumps(documents[0], 5))
