"""Batches from outside made fit for use: checked whole, decoded, with one name a column.

Arrow trusts what it maps: an offset outside its buffer or a text that is not UTF-8 only shows where somebody uses it. So every
batch that comes from a file or from another library is validated here, once, before anything looks at it. Dictionaries are
decoded, because a few bytes of indices can name a long text a million times: the batch is cut until what comes out is small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from toadstone.engine.arrow import compute as pc
from toadstone.tables.dataset import BYTES, ROWS, cut

FAILURES = (
    pa.ArrowException,
    OSError,
    ValueError,
    OverflowError,
    MemoryError,
    EOFError,
    UnicodeError,
    TypeError,
    LookupError,
    NotImplementedError,
)
"""What Arrow raises on bytes that are not what they claim to be."""

_DEPTH = 32
_VIEWS = {pa.string_view().id: pa.large_string(), pa.binary_view().id: pa.large_binary()}


def plain(kind: pa.DataType, depth: int = 0) -> pa.DataType:
    """Give the type as which a column is read: without dictionaries, views of buffers and extensions.

    Tensors of fixed shape stay what they are, since the shape is in the type.
    """
    if depth > _DEPTH or isinstance(kind, pa.FixedShapeTensorType):
        return kind
    if isinstance(kind, pa.BaseExtensionType):
        return plain(kind.storage_type, depth + 1)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return plain(kind.value_type, depth + 1)
    return _VIEWS[kind.id] if kind.id in _VIEWS else _nested(kind, depth)


def _nested(kind: pa.DataType, depth: int) -> pa.DataType:
    if pa.types.is_list(kind):
        return pa.list_(_inner(kind.value_field, depth))
    if pa.types.is_large_list(kind):
        return pa.large_list(_inner(kind.value_field, depth))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_inner(kind.value_field, depth), kind.list_size)
    if pa.types.is_struct(kind):
        return pa.struct([_inner(kind.field(index), depth) for index in range(kind.num_fields)])
    return kind


def _inner(field: pa.Field, depth: int) -> pa.Field:
    return field.with_type(plain(field.type, depth + 1))


def unique(names: Sequence[str]) -> list[str]:
    """Give every column a name of its own: the second ``a`` is ``a.1``, as pandas has it."""
    taken, counts, out = set(names), dict[str, int](), []
    for name in names:
        seen = counts.get(name, 0)
        fresh = name
        while seen and fresh in taken:
            fresh, seen = f"{name}.{seen}", seen + 1
        counts[name] = max(seen, 1)
        taken.add(fresh)
        out.append(fresh)
    return out


def plain_schema(schema: pa.Schema) -> tuple[pa.Schema, str]:
    """Give the schema as it is read, and a sentence about columns that were renamed (empty: none was)."""
    names = unique(schema.names)
    fields = [pa.field(name, plain(field.type), field.nullable) for name, field in zip(names, schema, strict=True)]
    doubled = sorted({name for name, fresh in zip(schema.names, names, strict=True) if name != fresh})
    return pa.schema(fields), f"several columns are named {', '.join(map(repr, doubled[:5]))}" if doubled else ""


def sound(batch: pa.RecordBatch, schema: pa.Schema) -> Iterator[tuple[pa.RecordBatch, list[str]]]:
    """Validate a batch, decode it to the given schema, cut it to size, and say what had to be mended.

    Args:
        batch: As a library gave it; its columns stand in the order of the schema.
        schema: Plain types and names (`plain_schema`), as many as the batch has columns.
    """
    columns, reasons = [], []
    for field, column in zip(schema, batch.columns, strict=True):
        mended, reason = _valid(column)
        columns.append(mended)
        reasons += [f"column {field.name!r} {reason}"] if reason else []
    checked = pa.RecordBatch.from_arrays(columns, names=schema.names) if columns else batch
    for part in portions(checked):
        for piece in cut(_decoded(part, schema)):
            yield piece, reasons
            reasons = []


def _valid(column: pa.Array) -> tuple[pa.Array, str]:
    try:
        column.validate(full=True)
    except FAILURES as error:
        return _mended(column, str(error))
    return column, ""


def _mended(column: pa.Array, error: str) -> tuple[pa.Array, str]:
    """Give a column whose texts are not UTF-8 with these decoded as Latin-1; one that is broken otherwise as nulls."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        raw = _bare(column)
        try:
            raw.validate(full=True)
            texts = [None if value is None else decoded(value)[0] for value in raw.to_pylist()]
            return pa.array(texts, kind), "has texts that are not UTF-8; these were read as Latin-1"
        except FAILURES as second:
            error = str(second)
    elif pa.types.is_dictionary(kind):
        try:
            column.indices.validate(full=True)
            words, reason = _mended(column.dictionary, error)
            mended = pa.DictionaryArray.from_arrays(column.indices, words)
            mended.validate(full=True)
        except FAILURES as second:
            error = str(second)
        else:
            return mended, reason
    return pa.nulls(len(column), plain(kind)), f"is damaged and was read as missing: {first_line(error)}"


def decoded(raw: bytes) -> tuple[str, bool]:
    """Give bytes as text, and whether they had to be taken for Latin-1."""
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return raw.decode("latin-1"), True


def first_line(error: object) -> str:
    """Give the first line of an error's message, at most 200 characters."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _weight(column: pa.Array) -> int:
    """Bytes that the dictionaries of a column become when they are decoded."""
    kind = column.type
    if plain(kind) == kind:
        return 0
    if isinstance(kind, pa.BaseExtensionType):
        return _weight(column.storage)
    if pa.types.is_dictionary(kind):
        return _referenced(column)
    if pa.types.is_run_end_encoded(kind):
        return len(column) * int(max(column.values.nbytes, 1))
    if pa.types.is_struct(kind):
        return sum(map(_weight, column.flatten()))
    if kind.id in _VIEWS:
        sizes = np.frombuffer(column.buffers()[1], np.int32)[::4]  # a view begins with its length
        return int(sizes[column.offset : column.offset + len(column)].astype(np.int64).clip(0).sum())
    return _weight(column.flatten())


def _referenced(column: pa.Array) -> int:
    words = column.dictionary
    kind = words.type
    if pa.types.is_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        lengths = np.append(np.asarray(pc.fill_null(pc.binary_length(words), 0).to_numpy(), np.int64), 0)
        places = pc.fill_null(pc.cast(column.indices, pa.int64()), len(words)).to_numpy()
        return int(lengths[places].sum())
    whole = int(words.nbytes)
    return len(column) * (whole if pa.types.is_nested(kind) else whole // max(len(words), 1))


def portions(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Halve a batch until its decoded form is small."""
    few = batch.num_rows <= ROWS and (batch.num_rows <= 1 or sum(map(_weight, batch.columns)) <= BYTES)
    if few:
        yield batch
        return
    middle = batch.num_rows // 2
    yield from portions(batch.slice(0, middle))
    yield from portions(batch.slice(middle))


def _decoded(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [_cast(column, field.type) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema) if columns else batch


def _cast(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    if isinstance(column.type, pa.BaseExtensionType):
        return _cast(column.storage, kind)
    if pa.types.is_dictionary(column.type):
        return _cast(column.dictionary.take(column.indices), kind)
    if pa.types.is_run_end_encoded(column.type):
        return _cast(pc.run_end_decode(column), kind)
    if pa.types.is_nested(column.type):  # a cast of a slice casts all that is behind it
        column = column.take(pa.array(np.arange(len(column))))
    try:
        return pc.cast(column, kind)
    except FAILURES:
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string()).cast(kind)


def checked(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Give a batch that is to be copied: its texts need not be UTF-8, everything else has to be sound.

    Raises:
        ValueError: A column is damaged.
    """
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        words = column.dictionary if pa.types.is_dictionary(column.type) else column
        try:
            if words is not column:
                pa.DictionaryArray.from_arrays(column.indices, pa.nulls(len(words))).validate(full=True)
            _bare(words).validate(full=True)
        except FAILURES as error:
            raise ValueError(f"column {name!r} is damaged: {first_line(error)}") from None
    return batch


def _bare(column: pa.Array) -> pa.Array:
    """Give texts as bytes."""
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return column
    bare = pa.large_binary() if pa.types.is_large_string(kind) else pa.binary()
    return pa.Array.from_buffers(bare, len(column), column.buffers(), -1, column.offset)


def restored(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Give a batch with the types of its file, where reading made dictionaries of texts."""
    columns = [
        column if column.type == field.type or pa.types.is_dictionary(field.type) else _cast(column, field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
