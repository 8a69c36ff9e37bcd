"""Progress of long work, for whoever wants to show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
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
        return self._executor.run(job, self._told(parts, len(parts), self._progress))

    def _told(self, parts: Iterable[Part], total: int, progress: Progress) -> Iterator[Part]:
        for number, part in enumerate(parts):
            progress(self.step, number, total)
            yield part
        progress(self.step, total, total)
