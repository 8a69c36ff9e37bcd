"""Reads a data set once, batch by batch, into chunks of numbers: what the views see, and the codes of labels and sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.core.shield import shielded
from toadstone.engine.arrow import compute as pc
from toadstone.engine.job import Executor
from toadstone.engine.rows import Rows
from toadstone.engine.store import Store
from toadstone.study.moments import moments
from toadstone.study.pictures import depicted
from toadstone.study.study import Chunk, Study
from toadstone.tables.attached import base_of, with_bytes
from toadstone.tables.dataset import BYTES, ROWS, Dataset, Fragment, Trouble, cut
from toadstone.tables.roles import Roles
from toadstone.views.view import Columns, View, text_bytes

LONGEST = 4 << 20
"""Bytes of one text that are looked at."""

_HEAVY = 16 << 20
"""Bytes of one text from which reading it, in one piece as ever, may take more than the smallest budget leaves."""
_CHUNKS = 128
"""A chunk takes this part of the memory: what is made of it on the way takes ten and more times as much."""
_SMALLEST = 1 << 19
_SMALL = 256
"""An array of rows of up to this part of the memory is kept in it; a larger one lies in a file."""

_PER_FRAGMENT = 1 << 20
"""Chunk numbers that belong to one fragment."""

_CODED = ("label", "source")


@dataclass
class _Read:
    """What reading some fragments gave."""

    chunks: list[tuple[int, int]] = field(default_factory=list)
    """Number and rows of each chunk."""
    troubles: list[Trouble] = field(default_factory=list)
    names: dict[str, list[list[str]]] = field(default_factory=lambda: {role: [] for role in _CODED})
    """For each coded role, one list of names a fragment; codes in the chunks count within it."""
    spans: list[int] = field(default_factory=list)
    """Chunks of each fragment."""


@dataclass(frozen=True)
class _Ingest:
    """Maps fragments to chunks in a store."""

    roles: Roles
    views: tuple[View, ...]
    store: Store
    bytes: int
    """Of a chunk, about."""
    first: int = 0
    base: str = ""
    """Folder to which the names of images are relative; empty when nothing looks at images."""

    @property
    def columns(self) -> Sequence[str]:
        """What is read of the data set, for whoever sends it to another machine."""
        return self.roles.columns

    def map(self, part: Fragment) -> _Read:
        read = _Read()
        codes: dict[str, dict[str, int]] = {role: {} for role in _CODED}
        for batch in self._batches(part, read.troubles):
            number = self.first + part.number * _PER_FRAGMENT + len(read.chunks)
            read.troubles += self._kept(batch, number, part.number, codes)
            read.chunks.append((number, batch.num_rows))
        read.names = {role: [list(known)] for role, known in codes.items()}
        read.spans = [len(read.chunks)]
        return read

    def _batches(self, part: Fragment, troubles: list[Trouble]) -> Iterator[pa.RecordBatch]:
        """Give the batches of a fragment in sizes that are worth a chunk: large ones cut, small neighbours joined."""
        waiting: list[pa.RecordBatch] = []
        rows = size = 0
        for batch in part.batches(self.roles.columns):
            if isinstance(batch, Trouble):
                troubles.append(batch)
                continue
            if waiting and (rows + batch.num_rows > ROWS or size + batch.nbytes > self.bytes):
                yield from cut(_joined_batches(waiting), self.bytes)
                waiting, rows, size = [], 0, 0
            waiting.append(batch)
            rows, size = rows + batch.num_rows, size + batch.nbytes
        if waiting:
            yield from cut(_joined_batches(waiting), self.bytes)

    def _kept(self, batch: pa.RecordBatch, number: int, fragment: int, codes: dict[str, dict[str, int]]) -> list[Trouble]:
        troubles: list[Trouble] = []
        for role in _CODED:
            if (name := getattr(self.roles, role)) is not None:
                self.store.put(role, number, _coded(batch.column(name), codes[role]))
        if self.roles.time is not None:
            self.store.put("time", number, moments(batch.column(self.roles.time)))
        for view in self.views:
            values, clipped = self._seen(batch, view.role)
            if view.role == "image" and values is not None:
                values, unread = with_bytes(values, self.base)
                troubles += [Trouble(fragment, reason) for reason in unread]
            troubles += _clipped(clipped, fragment)
            if values is None:
                continue
            for seen in shielded(_of(view, values), lambda reason: Trouble(fragment, reason)):
                if isinstance(seen, Trouble):
                    troubles.append(replace(seen, reason=f"view {view.name}: {seen.reason}"))
                    continue
                for name, numbers in seen.items():
                    self.store.put(name, number, numbers)
        return list(dict.fromkeys(troubles))

    def _seen(self, batch: pa.RecordBatch, role: str) -> tuple[pa.Array | None, tuple[str, int]]:
        """Give what a view of a role sees of a batch, None when no column has the role, and the column that was cut, if any."""
        if role == "features":
            names = list(self.roles.features)
            return (pa.StructArray.from_arrays([batch.column(name) for name in names], names=names) if names else None), ("", 0)
        column = getattr(self.roles, role)
        if column is None:
            return None, ("", 0)
        if role not in ("text", "prompt", "response"):
            return batch.column(column), ("", 0)
        values, clipped = texts(batch.column(column))
        return values, (column, clipped)

    def combine(self, left: _Read, right: _Read) -> _Read:
        left.chunks += right.chunks
        left.troubles += right.troubles
        left.spans += right.spans
        for role in _CODED:
            left.names[role] += right.names[role]
        return left

    def finish(self, state: _Read | None) -> _Read:
        return state or _Read()


def _clipped(cut: tuple[str, int], fragment: int) -> list[Trouble]:
    column, longest = cut
    reason = f"a text in column {column!r} is longer than {LONGEST >> 20} MiB; only its beginning was looked at"
    if longest > _HEAVY:
        reason += f" (to read one of {longest >> 20} MiB takes several times that in memory, whatever the budget)"
    return [Trouble(fragment, reason)] if longest else []


def _joined_batches(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    whole = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks().to_batches()
    return whole[0] if whole else batches[0]


def _of(view: View, values: pa.Array) -> Iterator[Columns]:
    yield view.of(values)


def texts(column: pa.Array) -> tuple[pa.Array, int]:
    """Give a column as ``large_string`` without nulls, each text at most `LONGEST` bytes.

    Returns:
        The texts, and the bytes of the longest if any was cut, else 0.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_binary(column.type):
        decoded = [None if value is None else value.decode("utf-8", "replace") for value in column.to_pylist()]
        column = pa.array(decoded, pa.large_string())
    elif not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        column = names_of(column)
    column = pc.fill_null(pc.cast(column, pa.large_string()), "")
    lengths = pc.binary_length(column)
    longest = pc.max(lengths).as_py() or 0
    if longest <= LONGEST:
        return column, 0
    return _shortened(column, np.asarray(lengths.to_numpy(zero_copy_only=False), np.int64)), longest


def _shortened(column: pa.Array, lengths: NDArray[np.int64]) -> pa.Array:
    """Cut texts at `LONGEST` bytes, at the end of a character; what is cut off is never copied."""
    content, offsets = text_bytes(column)
    starts, stops = offsets[:-1].copy(), offsets[:-1] + np.minimum(lengths, LONGEST)
    for row in np.flatnonzero(lengths > LONGEST).tolist():
        while stops[row] > starts[row] and content[stops[row]] & 0xC0 == 0x80:  # within a character of UTF-8 (RFC 3629)
            stops[row] -= 1
    pieces = [content[start:stop] for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
    edges = np.append(0, np.cumsum(stops - starts))
    return pa.LargeStringArray.from_buffers(len(column), pa.py_buffer(edges), pa.py_buffer(np.concatenate(pieces)))


def names_of(column: pa.Array) -> pa.Array:
    """Give the values of a label or source column as strings; nulls and NaN are null."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_floating(column.type):
        return _names_of_floats(column)
    if _is_binary(column.type):
        decoded = [None if value is None else value.decode("utf-8", "replace") for value in column.to_pylist()]
        return pa.array(decoded, pa.string())
    if not pa.types.is_nested(column.type):
        try:
            return pc.cast(column, pa.string())
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):  # of intervals, of what a library adds
            pass
    return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _names_of_floats(column: pa.Array) -> pa.Array:
    """Give numbers as strings, whole ones without a point, each by itself: names must not depend on the other rows of a batch."""
    values = pc.cast(column, pa.float64())
    known = pc.fill_null(pc.is_nan(values), True)
    values = pc.if_else(known, None, values)
    whole = pc.fill_null(pc.and_(pc.equal(pc.floor(values), values), pc.less(pc.abs(values), float(1 << 53))), False)
    integers = pc.cast(pc.if_else(whole, values, None), pa.int64(), safe=False)
    return pc.if_else(whole, pc.cast(integers, pa.string()), pc.cast(pc.if_else(whole, None, values), pa.string()))


def _coded(column: pa.Array, codes: dict[str, int]) -> NDArray[np.int32]:
    encoded = pc.dictionary_encode(names_of(column))
    local = np.array([codes.setdefault(name, len(codes)) for name in encoded.dictionary.to_pylist()] + [-1], np.int32)
    indices = np.asarray(pc.fill_null(encoded.indices, len(local) - 1).to_numpy(zero_copy_only=False), np.int64)
    return np.asarray(local[indices], np.int32)


def ingest(
    dataset: Dataset,
    roles: Roles,
    views: Sequence[View],
    executor: Executor,
    store: Store,
    *,
    reference: Dataset | None = None,
    baseline: Study | None = None,
    effort: str = "standard",
    seed: int = 0,
    fdr: float = 0.05,
    memory: int = 1 << 30,
) -> Study:
    """Read a data set, and the rows known to be good, into a study.

    Args:
        dataset: What is examined.
        roles: Which column is what, in both.
        views: What is seen of the content.
        executor: Who reads.
        store: Where the columns of numbers are kept; the caller closes it.
        reference: Rows known to be good.
        baseline: The previous version, ingested before.
        effort: ``quick``, ``standard`` or ``deep``.
        seed: Of every random choice.
        fdr: The false-discovery rate that is asked for.
        memory: Bytes that the whole examination may take.
    """
    seeing = any(view.role == "image" for view in views)
    size = int(np.clip(memory // _CHUNKS, _SMALLEST, BYTES))
    job = _Ingest(roles, tuple(views), store, size, 0, base_of(dataset.name) if seeing else "")
    reads = [executor.run(job, dataset.fragments)]
    if reference is not None:
        first = len(dataset.fragments) * _PER_FRAGMENT
        base = base_of(reference.name) if seeing else ""
        reads.append(executor.run(replace(job, first=first, base=base), reference.fragments))
    names = {role: _joined(reads, role, store) for role in _CODED if getattr(roles, role) is not None}
    start, chunks = 0, []
    for trusted, read in enumerate(reads):
        for number, rows in read.chunks:
            chunks.append(Chunk(number, start, rows, store, trusted=bool(trusted)))
            start += rows
    study = Study(
        dataset,
        roles,
        [chunk for chunk in chunks if not chunk.trusted],
        executor,
        trusted=[chunk for chunk in chunks if chunk.trusted],
        reference=reference,
        label_names=names.get("label", ()),
        source_names=names.get("source", ()),
        baseline=baseline,
        effort=effort,
        seed=seed,
        fdr=fdr,
        memory=memory,
        troubles=[*dataset.troubles, *(trouble for read in reads for trouble in read.troubles)],
        arrays=Rows(store.place, memory // _SMALL),
    )
    study.troubles += depicted(study)
    return study


def _joined(reads: Sequence[_Read], role: str, store: Store) -> tuple[str, ...]:
    """Give names one code each over all fragments, in the order of their first appearance, and rewrite the columns."""
    known: dict[str, int] = {}
    for read in reads:
        chunks = iter(read.chunks)
        for names, span in zip(read.names[role], read.spans, strict=True):
            codes = np.array([known.setdefault(name, len(known)) for name in names] + [-1], np.int32)
            moved = not np.array_equal(codes[:-1], np.arange(len(names)))
            for number, _rows in (next(chunks) for _ in range(span)):
                if moved:
                    store.put(role, number, codes[store.get(role, number)])
    return tuple(known)
