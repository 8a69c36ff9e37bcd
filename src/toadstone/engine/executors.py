"""Executors on this machine: serial, threads, processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures import Executor as Pool
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self, TypeVar

from toadstone.core.errors import UsageError
from toadstone.engine.job import Job
from toadstone.engine.memory import without_pandas
from toadstone.engine.store import Store

Part = TypeVar("Part")
State = TypeVar("State")
Result = TypeVar("Result")


class Engine(ABC):
    """Computes, here or elsewhere; a context that gives back what it takes."""

    jobs: int
    """How many parts it works on at once."""

    @abstractmethod
    def run(self, job: Job[Part, State, Result], parts: Iterable[Part]) -> Result:
        """Map, combine from left to right, finish."""

    def store(self, memory: int) -> Store:
        """Make a store that whoever maps can read and write; the caller closes it.

        Args:
            memory: Bytes that may stay in memory.
        """
        return Store(memory, shared=self.jobs > 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027  (there may be nothing to give back)
        """Give back what was taken."""


class Serial(Engine):
    """One part after the other, in this thread."""

    jobs = 1

    def run(self, job: Job[Part, State, Result], parts: Iterable[Part]) -> Result:
        """Map, combine from left to right, finish."""
        return job.finish(folded(job, map(job.map, parts)))


class _Pooled(Engine):
    """Maps in a pool and combines here, in the order of the parts.

    At most two parts a worker are on their way at any time: what is mapped but not yet combined is bounded by the number
    of workers, not by the number of parts.
    """

    def __init__(self, pool: Pool, jobs: int) -> None:
        self.jobs = jobs
        self._pool = pool

    def run(self, job: Job[Part, State, Result], parts: Iterable[Part]) -> Result:
        """Map, combine from left to right, finish."""
        return job.finish(folded(job, self._mapped(job.map, parts)))

    def _mapped(self, work: Callable[[Part], State], parts: Iterable[Part]) -> Iterator[State]:
        waiting: deque[Future[State]] = deque()
        try:
            for part in parts:
                waiting.append(self._pool.submit(work, part))
                if len(waiting) >= 2 * self.jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenExecutor:
            advice = "It may have been short of memory: try fewer --jobs, or a smaller --memory."
            raise UsageError("a process that was helping ended before its time.", advice) from None
        finally:
            for future in waiting:
                future.cancel()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self.abandon()
        self.close()

    def abandon(self) -> None:
        """Stop what is on its way: nobody waits for it any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


class Threads(_Pooled):
    """Threads of this process: numeric kernels leave the interpreter's lock to each other.

    Args:
        jobs: How many.
    """

    def __init__(self, jobs: int) -> None:
        super().__init__(ThreadPoolExecutor(jobs), jobs)


class Processes(_Pooled):
    """Processes of this machine, started from a clean server (``forkserver`` where there is one, else ``spawn``).

    Args:
        jobs: How many.
    """

    def __init__(self, jobs: int) -> None:
        method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
        context = multiprocessing.get_context(method)
        self._processes = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin)
        super().__init__(self._processes, jobs)

    def abandon(self) -> None:
        """End the processes: a part may take long, and an interrupt must not."""
        helping = list((self._processes._processes or {}).values())  # noqa: SLF001  (``kill_workers`` from Python 3.14 on)
        super().abandon()
        for process in helping:
            process.kill()


def _begin() -> None:
    """Prepare a process that helps."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the process that the user sees; it ends the others
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()
    without_pandas()


def _end_with(parent: BaseProcess | None) -> None:
    """End when the process ends that is helped: it may be killed, and then says nothing."""
    if parent is not None:
        parent.join()
        os._exit(1)


def folded(job: Job[Part, State, Result], states: Iterable[State]) -> State | None:
    """Combine states from left to right."""
    whole: State | None = None
    for state in states:
        whole = state if whole is None else job.combine(whole, state)
    return whole
