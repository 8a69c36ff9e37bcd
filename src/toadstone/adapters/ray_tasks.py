"""Ray tasks as an executor: parts are mapped on the machines of a cluster and combined here, in the order of the parts.

Tasks, and not Ray Data: a part is mapped by the very code that maps it here, and nothing but Ray's core is needed. Columns stay
where they were made (see `toadstone.adapters.ray_store`), and tasks go where their columns are. Files that a worker does not
have, of the same size and time, are read here, and their rows travel.

Source: the documentation of Ray Core on tasks, objects and fault tolerance, https://docs.ray.io/en/latest/ray-core/.
"""

from __future__ import annotations

import copy
import os
import platform
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from toadstone.adapters.ray_cluster import connected
from toadstone.adapters.ray_store import SLOTS, Key, RayStore, Reference, lost, sit_down
from toadstone.core.errors import UsageError
from toadstone.core.version import __version__
from toadstone.engine.executors import Engine, folded
from toadstone.engine.job import Job
from toadstone.engine.memory import without_pandas
from toadstone.tables.dataset import Fragment, Trouble

Part = TypeVar("Part")
State = TypeVar("State")
Result = TypeVar("Result")

_TOGETHER = 16
"""Most parts of one task: starting one takes milliseconds, as mapping a small part does."""
_ROUNDS = 4
"""Tasks that each worker gets at least, when there are as many parts: the last ones to end must not be long."""
_AHEAD = 3
"""Tasks a worker that may be on their way: what is mapped but not yet combined is bounded."""
_RETRIES = 8
"""Times that a task is run again when its worker dies."""
_CARRIED = 16 << 20
"""Bytes of rows that travel as one object."""

Mark = tuple[int, int]
"""Size and time of change of a file."""


class RayTasks(Engine):
    """Maps on a Ray cluster.

    Args:
        address: ``ray``: started here; ``ray://host:port`` or ``host:port``: one that is there.
        jobs: Tasks at once; 0: as many as the cluster has CPUs.
        memory: Bytes that the examination may use.

    Raises:
        UsageError: There is no such cluster, or Ray is not installed.
    """

    def __init__(self, address: str, jobs: int = 0, memory: int = 1 << 30) -> None:
        self._ray, self._disconnect = connected(address, jobs, memory)
        self._address = address
        self._most = jobs
        self.jobs = self._width()
        self._stores: dict[int, RayStore] = {}
        self._nodes: dict[tuple[int, int], str] = {}
        """Machine on which the columns of a chunk (number of its store, and its own) were made."""
        self._carries = False
        self._waiting: deque[_Sent] = deque()
        self._task = self._ray.remote(num_cpus=1, max_retries=_RETRIES, num_returns=1 + SLOTS)(work)

    def store(self, memory: int) -> RayStore:  # noqa: ARG002  (columns lie in the cluster's memory)
        made = RayStore(self._ray, len(self._stores))
        self._stores[made.number] = made
        return made

    def _width(self) -> int:
        """Count the CPUs of the cluster: machines come and go."""
        there = int(self._ray.cluster_resources().get("CPU", 0))
        if there < 1:
            self._disconnect()
            advice = "Let a machine join it: ray start --address=… --num-cpus=…"
            raise UsageError(f"the Ray cluster at {self._address} has no CPU to work on.", advice)
        return min(self._most, there) if self._most else there

    def run(self, job: Job[Part, State, Result], parts: Iterable[Part]) -> Result:
        self.jobs = self._width()
        return job.finish(folded(job, self._states(job, parts)))

    def close(self) -> None:
        self._abandon()
        self._stores.clear()
        self._disconnect()

    def _states(self, job: Job[Part, State, Result], parts: Iterable[Part]) -> Iterator[State]:
        held = self._ray.put(job)
        try:
            for group in self._groups(parts):
                self._waiting.append(self._sent(job, held, group))
                if len(self._waiting) >= _AHEAD * self.jobs:
                    yield from self._taken(job, held, self._waiting.popleft())
            while self._waiting:
                yield from self._taken(job, held, self._waiting.popleft())
        finally:
            self._abandon()

    def _abandon(self) -> None:
        """Stop what is on its way: nobody waits for it any more."""
        while self._waiting:
            self._ray.cancel(self._waiting.popleft().results[0], force=True)

    def _groups(self, parts: Iterable[Part]) -> Iterator[list[Part]]:
        """Put neighbours together that are worth a task."""
        total = len(parts) if isinstance(parts, Sized) else 0
        most = min(max(total // (_ROUNDS * self.jobs), 1), _TOGETHER)
        group: list[Part] = []
        for part in parts:
            if isinstance(part, Fragment):  # of some megabytes already
                yield [part]
                continue
            group.append(part)
            if len(group) >= most:
                yield group
                group = []
        if group:
            yield group

    def _sent(self, job: Any, held: Reference, group: Sequence[Any]) -> _Sent:  # noqa: ANN401  (any job)
        parts = [_travelling(part, job, self._ray) for part in group] if self._carries else list(group)
        files = sorted({path for part in parts for path in files_of(part)} | _own_files(job))
        there: dict[Key, Reference] = {}
        nodes: list[str] = []
        for part in parts:
            store = getattr(part, "store", None)
            if isinstance(store, RayStore):
                there |= store.of(part.number)
                nodes += [self._nodes[key] for key in [(store.number, part.number)] if key in self._nodes]
        task = self._task
        if nodes:  # where most of the columns are; elsewhere when that machine has left
            where = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(max(nodes, key=nodes.count), soft=True)
            task = task.options(scheduling_strategy=where)
        held_in = list(dict.fromkeys(there.values()))  # most objects hold columns of several chunks
        place = {reference: number for number, reference in enumerate(held_in)}
        keys = {key: place[reference] for key, reference in there.items()}
        results = task.remote(versions(), [held], parts, {path: mark_of(path) for path in files}, keys, held_in)
        return _Sent(list(group), results)

    def _taken(self, job: Any, held: Reference, sent: _Sent) -> Iterator[Any]:  # noqa: ANN401  (any job)
        """Give the states of a task's parts, when it is done."""
        answer = self._answer(sent)
        if answer.absent:
            self._carries = True
            if set(answer.absent) & _own_files(job):  # files that rows name: they are read here, and so are the rows
                yield from (job.map(part) for part in sent.parts)
                return
            sent = self._sent(job, held, sent.parts)
            answer = self._answer(sent)
        for (store, name, chunk), slot in answer.places.items():
            if slot < 0:
                self._stores[store].drop(name, chunk)
            else:
                self._stores[store].found((store, name, chunk), sent.results[1 + slot])
                self._nodes[store, chunk] = answer.node
        for state in answer.states:
            yield _changeable(state)

    def _answer(self, sent: _Sent) -> Answer:
        errors = self._ray.exceptions
        try:
            answer: Answer = self._ray.get(sent.results[0])
        except errors.RayTaskError as error:
            if isinstance(error.cause, errors.RayError) or not isinstance(error.cause, Exception):
                raise self._trouble(error.cause) from None
            raise error.cause from None
        except errors.RayError as error:
            raise self._trouble(error) from None
        if answer.stranger:
            advice = "Install the same versions on every machine: answers could differ in their last bits."
            raise UsageError(f"a machine of the Ray cluster at {self._address} {answer.stranger}.", advice)
        return answer

    def _trouble(self, error: Exception) -> UsageError:
        if "No module named 'toadstone" not in str(error):
            return lost(error)
        return UsageError(
            f"a machine of the Ray cluster at {self._address} has no toadstone.",
            f"Install it on every machine, in the environment that Ray runs in: pip install 'toadstone[ray]=={__version__}'.",
        )


@dataclass(frozen=True)
class _Sent:
    """A task that is on its way: the parts as they were given, and its results."""

    parts: list[Any]
    results: list[Reference]


@dataclass(frozen=True)
class Answer:
    """What a task says; the columns that it made are results of their own.

    Attributes:
        states: Of the parts, in their order.
        places: Slot of each column that was made, -1 of each that was dropped.
        node: Machine on which it ran.
        absent: Files that are not there as they are where the task comes from; nothing was done.
        stranger: In what the machine differs so that nothing was done.
    """

    states: tuple[Any, ...] = ()
    places: Mapping[Key, int] = field(default_factory=dict)
    node: str = ""
    absent: tuple[str, ...] = ()
    stranger: str = ""


def work(
    expected: Mapping[str, str],
    held: Sequence[Reference],
    parts: Sequence[Any],
    files: Mapping[str, Mark],
    keys: Mapping[Key, int],
    objects: Sequence[Reference],
) -> tuple[Any, ...]:
    """Map some parts; runs on the machines of the cluster.

    Args:
        expected: Versions of what decides about an answer's bits.
        held: The job.
        parts: Chunks, fragments or whatever else the job maps.
        files: That have to be the same here.
        keys: Columns of the chunks, and the number of the object that holds each.
        objects: That hold them.

    Returns:
        An `Answer`, and what is in each slot.
    """
    import ray  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415  (an extra, slow to import)

    nothing = (None,) * SLOTS
    own = versions()
    differing = [f"{name} {own[name]}, not {value}" for name, value in expected.items() if own[name] != value]
    if differing:
        return (Answer(stranger=f"has {' and '.join(differing)}"), *nothing)
    absent = tuple(path for path, mark in files.items() if mark_of(path) != mark)
    if absent:
        return (Answer(absent=absent), *nothing)
    without_pandas()
    desk = sit_down({key: objects[number] for key, number in keys.items()})
    job = ray.get(held[0])
    states = tuple(job.map(part) for part in parts)
    places, slots = desk.packed()
    sit_down({})
    return (Answer(states, places, ray.get_runtime_context().get_node_id()), *slots)


def versions() -> dict[str, str]:
    """Give the versions of what decides about an answer's bits."""
    return {
        "toadstone": __version__,
        "Python": ".".join(map(str, sys.version_info[:2])),
        "NumPy": np.__version__,
        "pyarrow": pa.__version__,
        "the processor type": platform.machine(),
    }


@dataclass(frozen=True)
class Carried(Fragment):
    """Rows that were read elsewhere.

    Attributes:
        pieces: Objects that hold lists of batches and troubles.
    """

    number: int
    pieces: tuple[Reference, ...]

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch | Trouble]:
        """Give the batches as they were cut where they were read."""
        import ray  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415  (an extra, slow to import)

        for piece in self.pieces:
            for batch in ray.get(piece):
                yield batch if isinstance(batch, Trouble) or columns is None else batch.select(list(columns))


def carried(part: Fragment, columns: Sequence[str] | None, ray: Any) -> Carried:  # noqa: ANN401  (a module)
    """Read a fragment here, so that it can be mapped where its file is not."""
    pieces: list[Reference] = []
    piece: list[pa.RecordBatch | Trouble] = []
    size = 0
    for batch in part.batches(columns or None):  # without any column a batch would forget on its way how many rows it has
        piece.append(batch)
        size += 0 if isinstance(batch, Trouble) else batch.nbytes
        if size >= _CARRIED:
            pieces.append(ray.put(piece))
            piece, size = [], 0
    pieces += [ray.put(piece)] if piece else []
    return Carried(part.number, tuple(pieces))


def _travelling(part: Any, job: Any, ray: Any) -> Any:  # noqa: ANN401  (any part of any job)
    return carried(part, getattr(job, "columns", None), ray) if isinstance(part, Fragment) and any(files_of(part)) else part


def files_of(part: object) -> Iterator[str]:
    """Give the paths that a fragment reads: its fields ``path`` and ``base``, and those of what it consists of."""
    if not isinstance(part, Fragment) and not _is_of_fragment(part):
        return
    for own in fields(part):  # type: ignore[arg-type]  # (a dataclass, as seen above)
        value = getattr(part, own.name)
        if own.name in ("path", "base") and isinstance(value, str):
            yield value
        elif is_dataclass(value):
            yield from files_of(value)


def _is_of_fragment(part: object) -> bool:
    return is_dataclass(part) and not isinstance(part, type) and type(part).__module__.startswith("toadstone.tables")


def _own_files(job: object) -> set[str]:
    base = getattr(job, "base", "")
    return {base} if isinstance(base, str) and base else set()


def mark_of(path: str) -> Mark:
    """Give what tells whether a file is the same elsewhere; of what is not there, -1."""
    try:
        state = os.stat(path)  # noqa: PTH116  (one call for both)
    except OSError:
        return -1, -1
    return state.st_size, state.st_mtime_ns


def _changeable(state: Any) -> Any:  # noqa: ANN401  (any state)
    """Give a state that combining may change: arrays that travelled lie in memory that is shared, and cannot be written."""
    return state.copy() if type(state) is np.ndarray else copy.deepcopy(state)
