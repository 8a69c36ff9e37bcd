"""Family ``gadgets``: pickles that call a callable with a real (inert) payload, and their harmless twins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.corpus.malicious import oracle
from benchmarks.corpus.malicious.cases import Case
from benchmarks.corpus.malicious.gadgets import harmless, packages_ml, packages_tools, shapes, stdlib_effects, stdlib_run
from benchmarks.corpus.malicious.gadgets.table import cases as rows_to_cases

NAME = "gadgets"


def _tables() -> Iterator[Case]:
    yield from rows_to_cases(stdlib_run.ROWS, "stdlib")
    yield from rows_to_cases(stdlib_effects.ROWS, "stdlib-effects")
    yield from rows_to_cases(packages_ml.ROWS, "packages-ml")
    yield from rows_to_cases(packages_tools.ROWS, "packages")
    yield from shapes.cases()
    for case in rows_to_cases(harmless.ROWS, "harmless"):
        yield replace(case, label="harmless-arguments", payload=False)


def cases() -> Iterator[Case]:
    """Every gadget as a pickle, proven by the oracle to reach its call.

    Raises:
        ValueError: a stream does not reach the call it is there for.
    """
    every = list(_tables())
    jobs = [oracle.job_of(bytes(case.content), str(case.notes.get("effect", "call:"))) for case in every]  # type: ignore[arg-type]
    for case, answer in zip(every, oracle.examine(jobs), strict=True):
        if "effect" in case.notes and not answer["reached_by"]:
            raise ValueError(f"{case.path} does not reach {case.notes['effect']}: {answer['events']}")
        yield replace(case, notes={**case.notes, "reached_by": answer["reached_by"]})
