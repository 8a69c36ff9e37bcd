"""Family ``formats``: dangers of formats other than pickle, and benign twins for each."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.formats import bytecode, configuration, keras, repositories, templates, tensors

NAME = "formats"


def cases() -> Iterator[Case]:
    """Every format case."""
    yield from templates.cases()
    yield from tensors.cases()
    yield from bytecode.cases()
    yield from keras.cases()
    yield from configuration.cases()
    yield from repositories.cases()
