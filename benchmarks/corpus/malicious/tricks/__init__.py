"""Family ``tricks``: gadgets, opcodes and containers written after the checks, to see what they miss."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.tricks import containers, gadgets, opcodes

NAME = "tricks"


def cases() -> Iterator[Case]:
    """Every case."""
    yield from gadgets.cases()
    yield from opcodes.cases()
    yield from containers.cases()
