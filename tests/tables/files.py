"""Writes the same small table in every format, and reads data sets back."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from toadstone.tables.dataset import Dataset, Trouble
from toadstone.tables.open import open_dataset

FORMATS = (
    "parquet",
    "arrow",
    "stream.arrow",
    "jsonl",
    "jsonl.gz",
    "csv",
    "csv.gz",
    "tsv",
    "utf16.csv",
    "semicolon.csv",
    "saved",
    "shards",
)


def csv_text(table: pa.Table, delimiter: str = ",") -> str:
    """The table with every text quoted; missing values are empty."""
    lines = [delimiter.join(table.column_names)]
    lines += [delimiter.join(map(_field, row)) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]
    return "\n".join(lines) + "\n"


def _field(value: object) -> str:
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return "" if value is None else str(value)


def jsonl_text(table: pa.Table) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist())


def write(table: pa.Table, folder: Path, form: str) -> Path:
    """Write a table and give the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"data.{form}"
    if form == "parquet":
        pq.write_table(table, path, row_group_size=7)
    elif form in ("arrow", "stream.arrow"):
        maker = pa.ipc.new_file if form == "arrow" else pa.ipc.new_stream
        with maker(str(path), table.schema) as writer:
            writer.write_table(table, 5)
    elif form == "saved":
        _saved(table, path)
    elif form == "shards":
        for number in range(2):
            half = (table.num_rows + 1) // 2
            (path / f"part{number}").mkdir(parents=True)
            pq.write_table(table.slice(number * half, half), path / f"part{number}" / "rows.parquet")
    else:
        _text(table, path, form)
    return path


def _text(table: pa.Table, path: Path, form: str) -> None:
    delimiter = {"tsv": "\t", "semicolon.csv": ";"}.get(form, ",")
    text = jsonl_text(table) if "jsonl" in form else csv_text(table, delimiter)
    raw = text.encode("utf-16") if form == "utf16.csv" else text.encode()
    path.write_bytes(gzip.compress(raw) if form.endswith(".gz") else raw)


def _saved(table: pa.Table, path: Path) -> None:
    path.mkdir()
    with pa.ipc.new_stream(str(path / "data-00000-of-00001.arrow"), table.schema) as writer:
        writer.write_table(table, 4)
    kinds = {pa.string(): "string", pa.int64(): "int64", pa.float64(): "float64"}
    features = {field.name: {"dtype": kinds[field.type], "_type": "Value"} for field in table.schema}
    state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_fingerprint": "0" * 16, "_format_type": None}
    state |= {"_format_columns": None, "_format_kwargs": {}, "_output_all_columns": False, "_split": None}
    (path / "state.json").write_text(json.dumps(state))
    (path / "dataset_info.json").write_text(json.dumps({"features": features}))


def rows_of(dataset: Dataset, columns: list[str] | None = None) -> tuple[pa.Table, list[Trouble]]:
    """Read everything."""
    given = [part for fragment in dataset.fragments for part in fragment.batches(columns)]
    troubles = [*dataset.troubles, *(part for part in given if isinstance(part, Trouble))]
    schema = dataset.schema if columns is None else pa.schema([dataset.schema.field(name) for name in columns])
    return pa.Table.from_batches([part for part in given if not isinstance(part, Trouble)], schema), troubles


def opened(path: object) -> tuple[pa.Table, list[Trouble]]:
    return rows_of(open_dataset(path))


def npz(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path
