"""A data set under examination."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

from toadstone.core.fact import Table
from toadstone.core.place import Place
from toadstone.engine.job import Executor, Job
from toadstone.engine.rows import Rows
from toadstone.engine.store import Store
from toadstone.tables.dataset import Dataset, Fragment, Trouble
from toadstone.tables.roles import Roles

State = TypeVar("State")
Result = TypeVar("Result")


class Chunk:
    """Some consecutive rows of a study: columns of numbers, by name.

    Attributes:
        number: Of the chunk in its study.
        start: Row of the study with which it begins.
        rows: How many.
        trusted: Whether these rows are the reference: known to be good.
        store: Where the columns are kept.
    """

    def __init__(self, number: int, start: int, rows: int, store: Store, *, trusted: bool = False) -> None:
        self.number = number
        self.start = start
        self.rows = rows
        self.trusted = trusted
        self.store = store

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Give a column of this chunk.

        Raises:
            KeyError: there is none.
        """
        return self.store.get(name, self.number)

    def __setitem__(self, name: str, values: NDArray[Any]) -> None:
        """Keep a column of this chunk for later jobs."""
        self.store.put(name, self.number, values)

    def __contains__(self, name: str) -> bool:
        return (name, self.number) in self.store

    def drop(self, name: str) -> None:
        """Forget a column of this chunk."""
        self.store.drop(name, self.number)


class Study(Table):
    """A data set, its columns of numbers, and who computes.

    Rows ``0 .. rows`` are under examination. Behind them, when ``--reference`` was given, come the rows known to be good,
    as chunks of their own that are ``trusted``: whatever is fitted or scored across folds treats both alike, so that their
    scores can serve as the null of the others.

    Attributes:
        dataset: Where the rows come from.
        roles: Which column is what.
        rows: How many are under examination.
        references: How many are known to be good.
        chunks: Of the rows under examination, in order.
        trusted: Chunks of the rows known to be good, in order.
        label_names: Of the label codes; column ``label`` of the chunks holds the codes (int32), -1 where it is missing.
        source_names: Of the source codes; column ``source`` of the chunks holds the codes (int32), -1 where it is missing.
        baseline: The previous version of the data set, or None.
        effort: ``quick``, ``standard`` or ``deep``.
        seed: Of every random choice.
        fdr: The false-discovery rate that is asked for.
        memory: Bytes that the whole examination may take.
        arrays: Makes arrays of some values a row.
        troubles: Rows that could not be read.
    """

    def __init__(
        self,
        dataset: Dataset,
        roles: Roles,
        chunks: Sequence[Chunk],
        executor: Executor,
        *,
        arrays: Rows,
        trusted: Sequence[Chunk] = (),
        reference: Dataset | None = None,
        label_names: Sequence[str] = (),
        source_names: Sequence[str] = (),
        baseline: Study | None = None,
        effort: str = "standard",
        seed: int = 0,
        fdr: float = 0.05,
        memory: int = 1 << 30,
        troubles: Sequence[Trouble] = (),
    ) -> None:
        rows = sum(chunk.rows for chunk in chunks)
        super().__init__(Place(dataset.name), rows)
        self.dataset = dataset
        self.reference = reference
        self.roles = roles
        self.chunks = tuple(chunks)
        self.trusted = tuple(trusted)
        self.references = sum(chunk.rows for chunk in trusted)
        self.label_names = tuple(label_names)
        self.source_names = tuple(source_names)
        self.baseline = baseline
        self.effort = effort
        self.seed = seed
        self.fdr = fdr
        self.memory = memory
        self.troubles = tuple(troubles)
        self.arrays = arrays
        self._executor = executor
        self._shared: dict[str, Any] = {}

    @property
    def every(self) -> tuple[Chunk, ...]:
        """All chunks, those under examination first."""
        return self.chunks + self.trusted

    def run(self, job: Job[Chunk, State, Result], chunks: Sequence[Chunk] | None = None) -> Result:
        """Run a job over chunks (by default: those under examination)."""
        return self._executor.run(job, self.chunks if chunks is None else chunks)

    def reread(self, job: Job[Fragment, State, Result]) -> Result:
        """Run a job over the fragments of the data set, for columns that no role names."""
        return self._executor.run(job, self.dataset.fragments)

    def shared(self, key: str, make: Callable[[], Result]) -> Result:
        """Give what several checks need, made once."""
        if key not in self._shared:
            self._shared[key] = make()
        found: Result = self._shared[key]
        return found

    def has(self, name: str) -> bool:
        """Whether the chunks have a column."""
        return bool(self.chunks) and all(name in chunk for chunk in self.every)

    def column(self, name: str, *, trusted: bool = False) -> NDArray[Any]:
        """Give a whole column; a large one lies in a file, of which only what is looked at is in memory until `rest`.

        Args:
            name: Of a column with one value a row.
            trusted: Whether the rows known to be good are to follow the others.
        """
        chunks = self.every if trusted else self.chunks
        return self.arrays.joined((chunk[name] for chunk in chunks), sum(chunk.rows for chunk in chunks))

    def array(self, shape: int | Sequence[int], kind: DTypeLike, value: object = 0) -> NDArray[Any]:
        """Make an array of some values a row, filled with one value; a large one lies in a file (see `rest`)."""
        return self.arrays.filled([shape] if isinstance(shape, int) else shape, kind, value)

    def rest(self) -> None:
        """Give back the memory of what `array` and `column` gave; whoever looks again gets it from the file."""
        self.arrays.rest()

    def random(self, purpose: str) -> np.random.Generator:
        """Give a source of random numbers that depends on the seed and on what it is for, on nothing else."""
        return np.random.default_rng([self.seed, *purpose.encode()])

    def values(self, rows: Sequence[int], columns: Sequence[str]) -> pa.Table:
        """Read some rows again, for examples.

        Args:
            rows: 0-based, in any order; the answer has them in this order.
            columns: Names of the data set's columns.
        """
        return self.dataset.take(rows, columns)

    def texts(self, rows: Sequence[int]) -> list[str]:
        """Read the texts of some rows again."""
        if self.roles.text is None:
            return []
        column = self.values(rows, [self.roles.text]).column(0)
        return ["" if value is None else str(value) for value in column.to_pylist()]
