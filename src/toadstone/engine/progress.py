"""Progress of long work, for whoever wants to show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from typing import TypeVar

from toadstone.engine.job import Executor, Job

Part = TypeVar("Part")
State = TypeVar("State")
Result = TypeVar("Result")

Progress = Callable[[str, int, int], None]
"""Called with the name of a step, the parts done and all parts."""


class Watched:
    """An executor that says how far it is.

    Args:
        executor: Who does the work.
        progress: Who is told; None: nobody.

    Attributes:
        step: Name of what is being done; whoever starts a step sets it.
    """

    def __init__(self, executor: Executor, progress: Progress | None) -> None:
        self.step = ""
        self.jobs = executor.jobs
        self._executor = executor
        self._progress = progress

    def run(self, job: Job[Part, State, Result], parts: Iterable[Part]) -> Result:
        """Run a job, and tell of every part that is taken up."""
        if self._progress is None or not isinstance(parts, Sized):
            return self._executor.run(job, parts)
        return self._executor.run(job, _Told(parts, len(parts), self.step, self._progress))


@dataclass(frozen=True)
class _Told(Iterable[Part]):
    """Parts that say when they are taken up, and still how many they are."""

    parts: Iterable[Part]
    total: int
    step: str
    progress: Progress

    def __len__(self) -> int:
        return self.total

    def __iter__(self) -> Iterator[Part]:
        for number, part in enumerate(self.parts):
            self.progress(self.step, number, self.total)
            yield part
        self.progress(self.step, self.total, self.total)
