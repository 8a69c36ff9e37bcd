"""NLTK: taggers and classifiers as pickles, the way its old data packages shipped them."""

from __future__ import annotations

import pickle

import nltk
from nltk.tokenize import punkt

from benchmarks.corpus.benign.workshop import Shelf


def pickles(shelf: Shelf) -> None:
    """A sentence splitter, a Bayes classifier, taggers, a frequency table, a parse tree."""
    splitter = punkt.PunktTrainer("Dr. Smith left. He was late. Mr. Jones stayed. It rained.")
    tagged = [[("the", "DT"), ("cat", "NN"), ("sat", "VB")]]
    values = {
        "PunktSentenceTokenizer": punkt.PunktSentenceTokenizer(splitter.get_params()),
        "NaiveBayesClassifier": nltk.NaiveBayesClassifier.train([({"money": True}, "spam"), ({"lunch": True}, "ham")]),
        "UnigramTagger": nltk.UnigramTagger(tagged, backoff=nltk.DefaultTagger("NN")),
        "RegexpTagger": nltk.RegexpTagger([(r".*ing$", "VBG"), (r".*", "NN")]),
        "FreqDist": nltk.FreqDist("abracadabra"),
        "Tree": nltk.Tree.fromstring("(S (NP the cat) (VP sat))"),
        "PorterStemmer": nltk.PorterStemmer(),
    }
    for number, (name, value) in enumerate(values.items()):
        for protocol in (2 + number % 2, 4):
            path = shelf.put(f"{name}.p{protocol}.pickle", library="nltk", subject=name, technique=f"pickle-{protocol}")
            path.write_bytes(pickle.dumps(value, protocol))
