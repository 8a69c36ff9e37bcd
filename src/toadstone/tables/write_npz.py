"""Splits NPZ: the rows of every array are copied as bytes; arrays that have other lengths go whole to both sides."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from toadstone.core.errors import UsageError
from toadstone.tables.dataset import BYTES, Dataset
from toadstone.tables.npz import ArrayHeader, header_of, headers_of, row_count, rows_of
from toadstone.tables.plan import Plan, extra_names

_ALIGN = 64


def split_npz(dataset: Dataset, plan: Plan, kept: Path, quarantine: Path | None) -> None:
    """Copy the rows of every array to one side.

    Args:
        dataset: Of kind ``npz``: one file.
        plan: Which row goes where.
        kept: File to write.
        quarantine: The same for the other rows.

    Raises:
        UsageError: An array cannot be copied row by row.
    """
    if Path(dataset.path).is_dir():
        raise UsageError(f"{dataset.name} is a folder of NPZ files", "Clean them one at a time.")
    headers, strange = headers_of(dataset.path)
    rows = row_count(headers)
    for header in headers:
        if header.shape and header.shape[0] == rows and header.dtype is None:
            strange.append(f"{header.name!r} has a type that cannot be copied row by row")
    if strange:
        raise UsageError(f"{dataset.name} cannot be split: {strange[0]}", "Save the arrays again with plain types.")
    _, mask = plan.next(rows)
    sides = [(kept, ~mask)] + ([(quarantine, mask)] if quarantine is not None else [])
    with zipfile.ZipFile(dataset.path) as archive:
        for place, wanted in sides:
            with zipfile.ZipFile(place, "w") as target:
                for header in headers:
                    _member(archive, target, header, wanted if header.shape and header.shape[0] == rows else None, plan)
                if place is quarantine:
                    _extra(target, plan, np.flatnonzero(wanted), [header.name for header in headers])


def _member(
    archive: zipfile.ZipFile, target: zipfile.ZipFile, header: ArrayHeader, wanted: NDArray[np.bool_] | None, plan: Plan
) -> None:
    """Copy one array: its wanted rows, or all of it as it is."""
    info = zipfile.ZipInfo(header.member)
    info.compress_type = archive.getinfo(header.member).compress_type
    with target.open(info, "w", force_zip64=True) as sink:
        if wanted is None:
            with archive.open(header.member) as stream:
                while block := stream.read(1 << 20):
                    sink.write(block)
            return
        sink.write(preamble(header.kind, (int(wanted.sum()), *header.shape[1:])))
        step = max(BYTES // max(header.stride, 1), 1)
        row = 0
        for block_of_rows in rows_of(archive, header, step):
            chosen = block_of_rows[wanted[row : row + len(block_of_rows)]]
            if header.name == plan.label and plan.relabel:
                chosen = _relabelled(block_of_rows, row, wanted, plan)
            sink.write(np.ascontiguousarray(chosen).tobytes())
            row += len(block_of_rows)


def _relabelled(block: NDArray[np.generic], row: int, wanted: NDArray[np.bool_], plan: Plan) -> NDArray[np.generic]:
    changed = block.copy()
    for place, name in plan.relabelled(row, len(block)).items():
        if not plan.flagged[row + place]:
            changed[place] = np.array(name).astype(block.dtype)
    return changed[wanted[row : row + len(block)]]


def preamble(kind: str, shape: tuple[int, ...]) -> bytes:
    """Give the header of an array (format version 1.0), padded as NumPy pads it."""
    text = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    size = len(text) + 1
    size += -(10 + size) % _ALIGN
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", size) + text.ljust(size - 1).encode("latin-1") + b"\n"


def _extra(target: zipfile.ZipFile, plan: Plan, rows: NDArray[np.int64], names: list[str]) -> None:
    checks = np.array([";".join(plan.beside(int(row))[1]) for row in rows], np.str_)
    columns = [rows.astype("<i8"), checks.astype(checks.dtype.newbyteorder("<")), plan.reasons.p_values[rows].astype("<f8")]
    for name, values in zip(extra_names(names), columns, strict=True):
        with target.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as sink:
            _write(sink, values)


def _write(sink: IO[bytes], values: NDArray[np.generic]) -> None:
    sink.write(preamble(values.dtype.str, values.shape))
    sink.write(values.tobytes())


__all__ = ["header_of", "preamble", "split_npz"]
