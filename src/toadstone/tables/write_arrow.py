"""Splits Parquet, Arrow, saved data sets and tables in memory: batches are filtered; schema, metadata and compression stay."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from toadstone.core.errors import UsageError
from toadstone.engine.arrow import compute as pc
from toadstone.tables import saved
from toadstone.tables.dataset import BYTES, Dataset, Fragment, Trouble
from toadstone.tables.ipc import MAGIC, IpcBatches, header_of, raw_batches
from toadstone.tables.objects import Slice
from toadstone.tables.parquet import RowGroups, metadata_of, opened, raw_group
from toadstone.tables.plan import Plan, extra_names
from toadstone.tables.sound import checked, portions, restored

_GROUP = 32 << 20
"""Bytes that are gathered before a row group is written."""


def split_arrow(dataset: Dataset, plan: Plan, kept: Path, quarantine: Path | None) -> None:
    """Copy rows batch by batch, file by file.

    Args:
        dataset: Of kind ``parquet``, ``arrow`` or ``saved``.
        plan: Which row goes where.
        kept: File or folder to write.
        quarantine: The same for the other rows.

    Raises:
        UsageError: Parts of the input cannot be read, so that rows would be lost.
    """
    damaged = [trouble for trouble in dataset.troubles if "not read" in trouble.reason]
    if damaged:
        raise UsageError(f"{dataset.name} cannot be split: {damaged[0].reason}", "Remove or repair what cannot be read.")
    files: dict[str, list[Fragment]] = {}
    for fragment in dataset.fragments:
        assert isinstance(fragment, RowGroups | IpcBatches)
        files.setdefault(fragment.path, []).append(fragment)
    if not files:
        files[dataset.path] = []
    single = len(files) == 1 and dataset.path in files
    for path, fragments in files.items():
        sides = [None if side is None else side if single else _inside(dataset, path, side) for side in (kept, quarantine)]
        schema = metadata_of(path)[1] if dataset.kind == "parquet" else header_of(path)[0]
        with ExitStack() as stack:
            sinks = _sinks(schema, sides, stack, path)
            for fragment in fragments:
                for batch in _raw(fragment):
                    _write(batch, schema, plan, sinks)
    if dataset.kind == "saved":
        for side, extra in ((kept, False), (quarantine, True)):
            if side is not None:
                _describe(dataset, [Path(path) for path in files], side, extra=extra)


def split_memory(dataset: Dataset, plan: Plan, kept: Path, quarantine: Path | None) -> None:
    """Write the rows of a table in memory as Parquet, or as Arrow when the name ends so."""
    schema = dataset.schema
    if dataset.fragments and isinstance(dataset.fragments[0], Slice):
        schema = _named(dataset.fragments[0].table.schema, dataset.schema.names)
    with ExitStack() as stack:
        sinks = _sinks(schema, [kept, quarantine], stack, "")
        for fragment in dataset.fragments:
            for batch in fragment.table.to_batches() if isinstance(fragment, Slice) else fragment.batches():
                if isinstance(batch, Trouble):
                    raise UsageError(f"{dataset.name} cannot be split: {batch.reason}", "Repair it first.")
                _write(batch.rename_columns(schema.names), schema, plan, sinks)


def _named(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    fields = [field.with_name(name) for field, name in zip(schema, names, strict=True)]
    return pa.schema(fields, metadata=schema.metadata)


def _inside(dataset: Dataset, path: str, side: Path) -> Path:
    place = side / Path(path).relative_to(dataset.path)
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


def _raw(fragment: Fragment) -> Iterator[pa.RecordBatch]:
    """Give the batches of a fragment as they are in the file.

    Raises:
        UsageError: A part is damaged.
    """
    if isinstance(fragment, RowGroups):
        for group in fragment.groups:
            yield from raw_group(fragment.path, group)[1]
        return
    assert isinstance(fragment, IpcBatches)
    for batch in raw_batches(fragment.path, fragment.start, fragment.stop):
        if isinstance(batch, str):
            raise UsageError(f"{fragment.path} cannot be split: {batch}", "Remove or repair what cannot be read.")
        yield batch


class _Sink:
    """One side: gathers batches until they are worth a row group.

    Args:
        place: File to write.
        schema: Of the rows on this side.
        like: Path of the input, whose format and compression are taken; empty: those that the name asks for.
        names: Of the columns in addition; none for kept rows.
    """

    def __init__(self, place: Path, schema: pa.Schema, like: str, names: Sequence[str]) -> None:
        self.names = names
        self.schema = schema
        self._writer: Any = _writer(place, schema, like)
        self._grouped = isinstance(self._writer, pq.ParquetWriter)
        self._pending: list[pa.RecordBatch] = []
        self._size = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        if not self._grouped:
            self._writer.write_batch(batch)
            return
        self._pending.append(batch)
        self._size += batch.nbytes
        if self._size >= _GROUP:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered."""
        if self._pending:
            table = pa.Table.from_batches(self._pending, self.schema)
            self._writer.write_table(table, row_group_size=table.num_rows)
        self._pending, self._size = [], 0

    def close(self) -> None:
        """Write what was gathered, and the end of the file."""
        self.flush()
        self._writer.close()


def _writer(place: Path, schema: pa.Schema, like: str) -> Any:  # noqa: ANN401  (writers of several formats share no base)
    if like:
        with Path(like).open("rb") as handle:
            magic = handle.read(6)
        if magic.startswith(b"PAR1"):
            return pq.ParquetWriter(place, schema, **_compression(like))
        return pa.ipc.new_file(str(place), schema) if magic == MAGIC else pa.ipc.new_stream(str(place), schema)
    if place.suffix.lower() in (".arrow", ".feather", ".ipc"):
        return pa.ipc.new_file(str(place), schema)
    return pq.ParquetWriter(place, schema)


def _compression(like: str) -> dict[str, Any]:
    """Give the compression of the first row group, by column; what cannot be written takes the default."""
    with opened(like) as file:
        if not file.metadata.num_row_groups:
            return {}
        group = file.metadata.row_group(0)
        chunks = [group.column(index) for index in range(group.num_columns)]
    known = {"UNCOMPRESSED": "none", "SNAPPY": "snappy", "GZIP": "gzip", "BROTLI": "brotli", "ZSTD": "zstd", "LZ4": "lz4"}
    codecs = {chunk.path_in_schema: known.get(chunk.compression, "snappy") for chunk in chunks}
    kinds = set(codecs.values())
    return {"compression": kinds.pop() if len(kinds) == 1 else codecs}


def _sinks(schema: pa.Schema, sides: Sequence[Path | None], stack: ExitStack, like: str) -> list[_Sink | None]:
    names = extra_names(schema.names)
    types = [pa.int64(), pa.list_(pa.string()), pa.float64()]
    more = pa.schema([*schema, *map(pa.field, names, types)], metadata=_described(schema.metadata, names))
    sinks: list[_Sink | None] = []
    for place, own, added in zip(sides, (schema, more), ([], names), strict=True):
        sinks.append(None if place is None else _Sink(place, own, like, added))
        if (last := sinks[-1]) is not None:
            stack.callback(last.close)
    return sinks


def _described(metadata: dict[bytes, bytes] | None, names: Sequence[str]) -> dict[bytes, bytes] | None:
    """Add the columns in addition to what ``datasets`` notes about columns."""
    if not metadata or b"huggingface" not in metadata:
        return metadata
    try:
        noted = json.loads(metadata[b"huggingface"])
        noted["info"]["features"].update(_features(names))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return metadata
    return {**metadata, b"huggingface": json.dumps(noted).encode()}


def _features(names: Sequence[str]) -> dict[str, Any]:
    text = {"dtype": "string", "_type": "Value"}
    kinds: list[Any] = [{"dtype": "int64", "_type": "Value"}, [text], {"dtype": "float64", "_type": "Value"}]
    return dict(zip(names, kinds, strict=True))


def _write(batch: pa.RecordBatch, schema: pa.Schema, plan: Plan, sinks: Sequence[_Sink | None]) -> None:
    for part in portions(checked(batch)):
        for piece in (part.slice(start, _rows(part)) for start in range(0, part.num_rows, _rows(part))):
            start, mask = plan.next(piece.num_rows)
            rows = restored(piece, schema)
            for sink, wanted in zip(sinks, (~mask, mask), strict=True):
                if sink is None or not wanted.any():
                    continue
                if sink.names:
                    chosen = rows.filter(pa.array(wanted))
                    columns = [*chosen.columns, *plan.extra_columns(np.flatnonzero(wanted) + start)]
                    sink.write(pa.RecordBatch.from_arrays(columns, schema=sink.schema))
                else:
                    sink.write(_relabelled(rows, start, plan).filter(pa.array(wanted)))


def _rows(batch: pa.RecordBatch) -> int:
    return int(max(batch.num_rows * BYTES // max(batch.nbytes, 1), 1))


def _relabelled(batch: pa.RecordBatch, start: int, plan: Plan) -> pa.RecordBatch:
    """Put new labels in their places.

    Raises:
        UsageError: A label is none of the values that the column can have.
    """
    new = plan.relabelled(start, batch.num_rows)
    if not new:
        return batch
    index = batch.schema.get_field_index(plan.label)
    column = batch.column(index)
    kind = column.type
    mask = np.zeros(batch.num_rows, np.bool_)
    mask[list(new)] = True
    values = pa.array([new[row] for row in sorted(new)], pa.string())
    if pa.types.is_dictionary(kind):
        codes = pc.index_in(values.cast(kind.value_type), value_set=column.dictionary)
        if codes.null_count:
            raise UsageError("a new label is not among the categories of the label column", "Leave labels as they are.")
        indices = pc.replace_with_mask(column.indices, pa.array(mask), codes.cast(kind.index_type))
        column = pa.DictionaryArray.from_arrays(indices, column.dictionary, ordered=kind.ordered)
    else:
        column = pc.replace_with_mask(column, pa.array(mask), values.cast(kind))
    return batch.set_column(index, batch.schema.field(index), column)


def _describe(dataset: Dataset, files: Sequence[Path], side: Path, *, extra: bool) -> None:
    """Write the files that describe a saved data set, so that ``load_from_disk`` finds what it needs."""
    source = Path(dataset.path)
    for folder in dict.fromkeys(path.parent for path in files):
        place = side / folder.relative_to(source)
        state = saved.described(folder / saved.STATE)
        digest = hashlib.sha256()
        for entry in state["_data_files"]:
            with (place / entry["filename"]).open("rb") as handle:
                while block := handle.read(1 << 20):
                    digest.update(block)
        (place / saved.STATE).write_text(json.dumps({**state, "_fingerprint": digest.hexdigest()[:16]}, indent=2, sort_keys=True))
        info = saved.described(folder / saved.INFO) if (folder / saved.INFO).is_file() else {}
        for stale in ("splits", "dataset_size", "size_in_bytes", "download_size", "download_checksums"):
            info.pop(stale, None)
        if extra and isinstance(info.get("features"), dict):
            info["features"].update(_features(extra_names(list(info["features"]))))
        (place / saved.INFO).write_text(json.dumps(info, indent=2, sort_keys=True))
    if (source / saved.SPLITS).is_file():
        shutil.copyfile(source / saved.SPLITS, side / saved.SPLITS)
        names = [name for name in saved.splits_of(dataset.path) if (side / name).is_dir()]
        (side / saved.SPLITS).write_text(json.dumps({"splits": names}))
