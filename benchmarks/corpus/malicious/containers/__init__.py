"""Family ``containers``: code inside archives, compressors and array files that a reader can misread."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.containers import archives, streams

NAME = "containers"


def cases() -> Iterator[Case]:
    """Every container case."""
    yield from archives.cases()
    yield from streams.cases()
