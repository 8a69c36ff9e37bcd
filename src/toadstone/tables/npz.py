"""NumPy's ``.npz``: a zip of arrays; those with one entry a row are columns.

``x`` (or ``images``, ``x_train`` ...) of type uint8 with three or four dimensions are images (column ``image``, tensors of fixed
shape), also other numbers when the dimensions are those of images; of two dimensions they are vectors. ``y`` are labels. Arrays
of Python objects are pickles and are never opened.

Source: NumPy enhancement proposal 1 (NEP 1).
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.core.errors import UsageError
from toadstone.tables.dataset import BYTES, ROWS, Dataset, Fragment, Trouble, bare
from toadstone.tables.sound import FAILURES, first_line

_MAGIC = b"\x93NUMPY"
_HEADER = re.compile(
    r"\s*\{\s*'descr'\s*:\s*(?:'(?P<kind>[<>|=]?[?a-zA-Z]\d{0,9}(?:\[\d{0,6}[a-zA-Z]{1,2}\])?)'|(?P<fields>\[.*\]))\s*,"
    r"\s*'fortran_order'\s*:\s*(?P<order>True|False)\s*,\s*'shape'\s*:\s*\((?P<shape>[\d,\sL]*)\)\s*,?\s*\}\s*",
    re.DOTALL,
)
_LONGEST_HEADER = 1 << 20
_RATIO = 1100
"""More than deflate can unpack a byte to (1,032)."""
IMAGES = ("x", "images", "image", "x_train", "train_images", "imgs", "pixels", "data", "arr_0")
"""Names, in lower case, of the array that holds the rows; of several the first."""
_LABELS = ("y", "labels", "label", "y_train", "train_labels", "targets", "target")
_SMALLEST = 8
"""Pixels of the side of what is taken for an image though its numbers are no bytes."""
_WHOLE = 256 << 20
"""Bytes of an array in Fortran's order, which has to be read whole."""

UNREADABLE = (*FAILURES, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, struct.error)


@dataclass(frozen=True)
class ArrayHeader:
    """What an array's header says.

    Attributes:
        member: Name in the zip.
        kind: NumPy's code of the type, empty for a record of fields.
        fortran: Whether the first dimension varies fastest.
        shape: Entries by dimension.
        begin: Bytes of the header.
    """

    member: str
    kind: str
    fortran: bool
    shape: tuple[int, ...]
    begin: int

    @property
    def name(self) -> str:
        """Name of the array."""
        return self.member.removesuffix(".npy")

    @property
    def pickled(self) -> bool:
        """Whether the entries are Python objects."""
        return "O" in self.kind

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """Type of an entry; None when it is not one that is read."""
        try:
            found = np.dtype(self.kind) if self.kind and not self.pickled else None
        except (TypeError, ValueError):
            return None
        return found if found is not None and found.kind in "?biufSUMm" and found.itemsize else None

    @property
    def rows(self) -> int:
        """Length of the first dimension; 0 when there is none."""
        return self.shape[0] if self.shape else 0

    @property
    def stride(self) -> int:
        """Bytes of one row."""
        return prod(self.shape[1:]) * (self.dtype.itemsize if self.dtype is not None else 0)


def header_of(stream: IO[bytes], member: str) -> ArrayHeader:
    """Read the header of an array.

    Raises:
        ValueError: It is not one that NumPy writes.
    """
    start = stream.read(8)
    if start[:6] != _MAGIC or len(start) < 8 or start[6] not in (1, 2, 3):
        raise ValueError("no array")
    width = 2 if start[6] == 1 else 4
    size = int.from_bytes(stream.read(width), "little")
    if size > _LONGEST_HEADER:
        raise ValueError(f"a header of {size:,} bytes")
    found = _HEADER.fullmatch(stream.read(size).decode("latin-1"))
    if found is None:
        raise ValueError("a header that NumPy does not write")
    parts = [part.strip(" \tL") for part in found["shape"].split(",")]
    shape = tuple(int(part) for part in parts if part.isdigit() and len(part) < 19)
    if len(shape) != sum(bool(part) for part in parts):
        raise ValueError("a shape that is none")
    kind = found["kind"] or ("|O" if re.search(r"'[|<>=]?O", found["fields"]) else "")
    return ArrayHeader(member, kind, found["order"] == "True", shape, 8 + width + size)


@dataclass(frozen=True)
class Arrays(Fragment):
    """The rows of a file.

    Attributes:
        path: Of the file.
        headers: Of the arrays that are columns, in the order of the schema.
        schema: Of the rows as they are given.
        rows: How many.
    """

    number: int
    path: str
    headers: tuple[ArrayHeader, ...]
    schema: pa.Schema
    rows: int

    def claims(self) -> tuple[int, int]:
        """Give what the headers say."""
        return self.rows, self.rows * sum(header.stride for header in self.headers)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch | Trouble]:
        """Unpack all arrays side by side, some rows at a time."""
        if columns is not None and not len(columns) and self.schema.names:
            yield from bare(self.batches(self.schema.names[:1]))
            return
        names = self.schema.names if columns is None else list(columns)
        wanted = [self.headers[self.schema.get_field_index(name)] for name in names]
        schema = pa.schema([self.schema.field(name) for name in names])
        step = max(min(ROWS, BYTES // max(sum(header.stride for header in wanted), 1)), 1)
        row = 0
        try:
            with zipfile.ZipFile(self.path) as archive:
                readers = [rows_of(archive, header, step) for header in wanted]
                while readers and row < self.rows:
                    blocks = [next(reader) for reader in readers]
                    arrays = [column_of(block, field.type) for block, field in zip(blocks, schema, strict=True)]
                    yield pa.RecordBatch.from_arrays(arrays, schema=schema)
                    row += len(blocks[0])
        except StopIteration:
            yield Trouble(self.number, f"{Path(self.path).name} ends before all rows were read", row)
        except UNREADABLE as error:
            yield Trouble(self.number, f"{Path(self.path).name} is damaged; not read from here on: {first_line(error)}", row)


def rows_of(archive: zipfile.ZipFile, header: ArrayHeader, step: int) -> Iterator[NDArray[Any]]:
    """Give the rows of an array, some at a time.

    Raises:
        EOFError: The array is cut short.
    """
    dtype = header.dtype
    assert dtype is not None
    with archive.open(header.member) as stream:
        stream.read(header.begin)
        if header.fortran and len(header.shape) > 1:
            raw = _exactly(stream, header.rows * header.stride)
            whole: NDArray[Any] = np.frombuffer(raw, dtype).reshape(header.shape, order="F")
            yield from (whole[row : row + step] for row in range(0, len(whole), step))
            return
        for row in range(0, header.rows, step):
            count = min(step, header.rows - row)
            yield np.frombuffer(_exactly(stream, count * header.stride), dtype).reshape(count, *header.shape[1:])


def _exactly(stream: IO[bytes], size: int) -> bytes:
    raw = stream.read(size)
    if len(raw) != size:
        raise EOFError("the array is cut short")
    return raw


def column_of(block: NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Make a column of some rows of an array."""
    flat = np.ascontiguousarray(block).reshape(-1)
    flat = flat.astype(flat.dtype.newbyteorder("="), copy=False)
    if flat.dtype.kind == "S":
        values = pa.array([item.decode("utf-8", "replace") for item in flat.tolist()], pa.string())
    elif flat.dtype.kind == "U":
        values = pa.array([_characters(item) for item in _code_points(flat)], pa.string())
    elif flat.dtype.kind in "Mm":
        values = pa.array(flat)
    else:
        values = pa.array(flat, type=_number_type(flat.dtype))
    if isinstance(kind, pa.FixedShapeTensorType):
        return pa.ExtensionArray.from_storage(kind, pa.FixedSizeListArray.from_arrays(values, kind.storage_type.list_size))
    if block.ndim == 1:
        return values.cast(kind)
    return pa.FixedSizeListArray.from_arrays(values, kind.list_size).cast(kind)


def _code_points(flat: NDArray[Any]) -> NDArray[np.uint32]:
    return flat.view(np.uint32).reshape(len(flat), -1)


def _characters(points: NDArray[np.uint32]) -> str:
    """Give the text of code points, which a hostile file may choose beyond Unicode."""
    return points.tobytes().decode("utf-32-le", "replace").rstrip("\x00")


def _number_type(dtype: np.dtype[Any]) -> pa.DataType:
    return pa.from_numpy_dtype(dtype)


def type_of(header: ArrayHeader) -> pa.DataType | None:
    """Give the type of the column that an array becomes; None when there is none."""
    dtype = header.dtype
    if dtype is None or not header.shape:
        return None
    try:
        if dtype.kind in "SU":
            value = pa.string()
        elif dtype.kind in "Mm":
            value = pa.array(np.zeros(1, dtype.newbyteorder("="))).type
        else:
            value = _number_type(dtype.newbyteorder("="))
    except FAILURES:
        return None
    size = prod(header.shape[1:])
    if len(header.shape) == 1:
        return value
    if not 0 < size < 1 << 31:
        return None
    if header.name.lower() in IMAGES and are_images(dtype, header.shape):
        return pa.fixed_shape_tensor(value, header.shape[1:])
    return pa.list_(value, size)


def are_images(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape holds images: bytes in three or four dimensions; other numbers only in the usual shapes."""
    if len(shape) not in (3, 4) or dtype.kind not in "uif":
        return False
    if dtype == np.uint8:
        return True
    if len(shape) == 3:
        return shape[1] == shape[2] >= _SMALLEST
    last, first = shape[3] in (1, 3, 4), shape[1] in (1, 3)
    return (last and min(shape[1:3]) >= _SMALLEST) or (first and min(shape[2:]) >= _SMALLEST)


def headers_of(path: str) -> tuple[list[ArrayHeader], list[str]]:
    """Read the headers of all arrays, and say which members are none.

    Raises:
        UsageError: The zip cannot be read.
    """
    headers, strange = [], []
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist()[:65_536]:
                try:
                    with archive.open(info) as stream:
                        header = header_of(stream, info.filename)
                except UNREADABLE as error:
                    strange.append(f"{info.filename!r} was not read: {first_line(error)}")
                    continue
                reason = _implausible(header, info)
                if reason:
                    strange.append(f"{info.filename!r} {reason}")
                else:
                    headers.append(header)
    except UNREADABLE as error:
        raise UsageError(f"{path} cannot be read as NPZ: {first_line(error)}", "Restore the file from its source.") from None
    return headers, strange


def _implausible(header: ArrayHeader, info: zipfile.ZipInfo) -> str:
    claimed = header.begin + (header.shape[0] * header.stride if header.shape else 0)
    if header.dtype is not None and header.shape and claimed != info.file_size:
        return f"claims {claimed:,} bytes; the archive says {info.file_size:,}"
    if info.file_size > _RATIO * (info.compress_size + 64):
        return f"claims to unpack {info.compress_size:,} bytes to {info.file_size:,}"
    if header.fortran and len(header.shape) > 1 and claimed > _WHOLE:
        return "is in Fortran's order and too large to be read so; save it with np.ascontiguousarray"
    return ""


def row_count(headers: Sequence[ArrayHeader]) -> int:
    """Give the number of rows: the length of ``x``, else ``y``, else of the first array that has one (`IMAGES`)."""
    named = {header.name.lower(): header for header in headers}
    order = [named[name] for name in ("x", "y", *IMAGES, *_LABELS) if name in named] + list(headers)
    return next((header.shape[0] for header in order if header.shape), -1)


def open_npz(path: str, first: int = 0) -> Dataset:
    """Open a file.

    Raises:
        UsageError: There is no array with rows in it.
    """
    headers, strange = headers_of(path)
    rows = row_count(headers)
    columns: dict[str, tuple[ArrayHeader, pa.DataType]] = {}
    for header in headers:
        kind = type_of(header)
        if header.pickled:
            strange.append(f"{header.name!r} is a pickled column: Python objects are never loaded; save it with a plain type")
        elif header.shape and header.shape[0] == rows and kind is None:
            strange.append(f"{header.name!r} has a type that is not read ({header.kind or 'a record'})")
        elif header.shape and header.shape[0] == rows and kind is not None:
            picture = isinstance(kind, pa.FixedShapeTensorType) and "image" not in columns
            columns["image" if picture else header.name] = (header, kind)
        elif header.name in ("x", "y"):
            strange.append(f"{header.name!r} has not the {rows:,} rows of the other arrays")
    troubles = tuple(Trouble(first, f"{path}: {reason}") for reason in strange)
    if not columns:
        reason = strange[0] if strange else "it has no arrays with rows"
        raise UsageError(f"{path} cannot be read: {reason}", "Save arrays x and y with numpy.savez.")
    schema = pa.schema([pa.field(name, kind) for name, (_, kind) in columns.items()])
    kept = tuple(header for header, _ in columns.values())
    return Dataset(path, "npz", schema, (Arrays(first, path, kept, schema, rows),), troubles)
