"""Family ``opcodes``: tricks on the pickle machine, each proven by the oracle to reach its effect.

A trick whose effect no unpickler reaches is left out, and counted by ``python -m benchmarks.corpus.malicious.opcodes``.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.corpus.malicious import oracle
from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.opcodes import chains, machine, names, streams
from benchmarks.corpus.malicious.opcodes.trick import Trick

NAME = "opcodes"


def tricks() -> list[Trick]:
    """All tricks, proven or not."""
    return [*names.tricks(), *machine.tricks(), *chains.tricks(), *streams.tricks()]


def cases() -> Iterator[Case]:
    """The tricks that the oracle proves, and the code-carrying constants (which act on nobody)."""
    every = tricks()
    jobs = [oracle.job_of(trick.data, trick.expect, **trick.options) for trick in every]
    for trick, answer in zip(every, oracle.examine(jobs), strict=True):
        if trick.label == "malicious" and not answer["reached_by"]:
            continue
        yield Case(
            path=f"{trick.name}.pkl",
            content=trick.data,
            technique=trick.technique,
            label=trick.label,
            source=trick.source,
            payload=trick.label != "harmless-arguments",
            notes={"reached_by": answer["reached_by"], "effect": trick.expect},
        )
