"""The one shape of work over data: map each part to a state, combine states in order, finish."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

Part = TypeVar("Part", contravariant=True)  # noqa: PLC0105  (the nouns of the docs)
State = TypeVar("State")
Result = TypeVar("Result", covariant=True)  # noqa: PLC0105


class Job(Protocol[Part, State, Result]):
    """What an executor runs.

    ``combine`` has to be associative; executors combine neighbours in the order of the parts, so it need not commute. Jobs,
    parts and states travel between processes: they hold data, no open files.

    ``map`` takes parts and what it is itself as they are and changes neither; where the executor is another machine's, they
    cannot be changed. A job over fragments may name the ``columns`` that it reads, so that no others travel.
    """

    def map(self, part: Part) -> State:
        """Look at one part of the data."""
        raise NotImplementedError

    def combine(self, left: State, right: State) -> State:
        """Join the states of two neighbours; ``left`` may be changed and given back."""
        raise NotImplementedError

    def finish(self, state: State | None) -> Result:
        """Make the result of the state of everything; None when there was no part."""
        raise NotImplementedError


class Executor(Protocol):
    """Runs jobs. Every executor gives the serial answer, bit for bit."""

    jobs: int
    """How many parts it works on at once."""

    def run(self, job: Job[Part, State, Result], parts: Iterable[Part]) -> Result:
        """Map, combine from left to right, finish."""
        raise NotImplementedError
