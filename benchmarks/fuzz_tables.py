"""Hostile inputs over the readers of tables: no crash, no traceback, no hang, bounded memory.

Mutates small tables of every format, written as several libraries write them, and lets the product do with each mutant what it
does with a file that a user names: open it, read every row, every twentieth time examine it and split it in two. A worker that
dies (pyarrow is C++) is recorded with its input, as is memory beyond 400 MB, of which the numeric libraries take 150.

    python -m benchmarks.fuzz_tables --inputs 100000 --workers 2

The run is repeatable, as that of ``benchmarks.fuzz``, whose machinery it uses.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.fuzz import STUCK, Examiner, Input, Run, Stuck, Target, arguments
from toadstone.core.errors import UsageError
from toadstone.core.report import Gap
from toadstone.tables.dataset import Dataset, Trouble
from toadstone.tables.open import open_dataset
from toadstone.tables.roles import Roles
from toadstone.verbs.clean import clean
from toadstone.verbs.rows import RowOptions, examine

_SLOW = 10.0
_FAT = 400
_ROWS = 60


def _table() -> pa.Table:
    rows = range(_ROWS)
    return pa.table(
        {
            "text": [f"text {row} \u00e9 of words that come again" * (1 + row % 3) for row in rows],
            "label": pa.array([["ham", "spam"][row % 2] for row in rows]).dictionary_encode(),
            "n": pa.array([None if row % 7 == 0 else row for row in rows], pa.int64()),
            "x": [row / 3 for row in rows],
            "time": pa.array([1_700_000_000 + row for row in rows], pa.timestamp("s", "Europe/Berlin")),
            "vector": pa.array([[row * 0.5, 1.0] for row in rows], pa.list_(pa.float32(), 2)),
            "deep": [{"a": [str(row)] * (row % 4), "b": row % 2 == 0} for row in rows],
            "raw": pa.array([bytes([row, 255]) for row in rows], pa.binary()),
        }
    )


def _plain() -> pa.Table:
    return _table().select(["text", "label", "n", "x"]).set_column(1, "label", _table()["label"].cast(pa.string()))


def _parquet() -> Iterator[tuple[str, bytes]]:
    plain = {"use_dictionary": False}
    settings = (
        {"compression": "none"},
        {"compression": "zstd", "write_page_checksum": True},
        {"compression": "snappy", **plain, "data_page_version": "2.0"},
        {"compression": "gzip", "row_group_size": 7},
        {
            "compression": "lz4",
            "column_encoding": {"n": "DELTA_BINARY_PACKED", "text": "DELTA_BYTE_ARRAY"},
            "use_dictionary": False,
        },
        {"compression": "brotli", "use_byte_stream_split": ["x"], **plain},
    )
    for number, one in enumerate(settings):
        out = io.BytesIO()
        pq.write_table(_table(), out, **one)  # type: ignore[arg-type]  # (settings of many types)
        yield f"{number}.parquet", out.getvalue()


def _arrow() -> Iterator[tuple[str, bytes]]:
    views = pa.table({"text": _plain()["text"].cast(pa.string_view()), "label": _plain()["label"]})
    runs = pa.table({"text": _plain()["text"], "label": pa.RunEndEncodedArray.from_arrays([30, _ROWS], ["a", "b"])})
    every = (
        ("all", _table(), None),
        ("zstd", _table(), "zstd"),
        ("lz4", _table(), "lz4"),
        ("views", views, None),
        ("runs", runs, None),
    )
    for name, table, packed in every:
        for kind, maker in (("file", pa.ipc.new_file), ("stream", pa.ipc.new_stream)):
            out = io.BytesIO()
            with maker(out, table.schema, options=pa.ipc.IpcWriteOptions(compression=packed)) as writer:
                writer.write_table(table, 17)
            yield f"{name}-{kind}.arrow", out.getvalue()


def _text() -> Iterator[tuple[str, bytes]]:
    objects = [json.dumps(row, ensure_ascii=False, default=str) for row in _table().drop_columns(["raw"]).to_pylist()]
    lines = ("\n".join(objects) + "\n").encode()
    yield "a.jsonl", lines
    yield "a.jsonl.gz", gzip.compress(lines, mtime=0)
    rows = _plain().to_pylist()
    for delimiter, suffix in ((",", "csv"), ("\t", "tsv"), (";", "csv")):
        quoted = []
        for row in rows:
            text = f'"{row["text"]}"'
            quoted.append(delimiter.join([text, row["label"], str(row["n"] or ""), str(row["x"])]))
        table = "\r\n".join([delimiter.join(rows[0]), *quoted])
        yield f"{ord(delimiter)}.{suffix}", table.encode()
        yield f"{ord(delimiter)}-wide.{suffix}", table.encode("utf-16")


def _npz() -> Iterator[tuple[str, bytes]]:
    rng = np.random.default_rng(0)
    every = (rng.normal(size=(40, 3)), rng.integers(0, 255, (20, 4, 4), np.uint8), np.asfortranarray(rng.normal(size=(9, 5))))
    for packed in (np.savez, np.savez_compressed):
        for values in every:
            out = io.BytesIO()
            packed(out, x=values, y=np.array(["a", "\u00e9"] * 40)[: len(values)])
            yield f"{values.ndim}-{packed.__name__}.npz", out.getvalue()


def samples() -> list[tuple[str, bytes]]:
    """Write the tables that are mutated."""
    return [*_parquet(), *_arrow(), *_text(), *_npz()]


def tables() -> Target:
    """Give the readers of tables."""
    return Target(samples(), ["parquet", "arrow", "jsonl", "csv", "npz", "jsonl.gz", "tsv"], _examiner, _FAT)


def _examiner() -> Examiner:
    warnings.simplefilter("ignore")
    folder = Path(tempfile.mkdtemp(prefix="fuzz-tables-"))

    def look(given: Input) -> tuple[str, list[str]]:
        suffix = given.hint or given.name.partition(".")[2]
        path = folder / f"input.{suffix}"
        path.write_bytes(given.data)
        try:
            return suffix, _looked(path, given.number % 20 == 0)
        finally:
            for one in folder.iterdir():
                shutil.rmtree(one) if one.is_dir() else one.unlink()

    return look


def _looked(path: Path, whole: bool) -> list[str]:
    """Use one file as the product does; give what went wrong."""
    wrong: list[str] = []
    signal.setitimer(signal.ITIMER_PROF, STUCK)
    began = time.process_time()
    try:
        dataset = open_dataset(path)
        read(dataset)
        if whole:
            wrong += _used(dataset, path)
    except UsageError as error:
        wrong += [] if error.message else ["an error without a message"]
    except Stuck:
        wrong.append("hangs")
    except Exception as error:  # noqa: BLE001  (what is looked for)
        wrong.append(f"escapes: {type(error).__name__}: {error}")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    spent = time.process_time() - began
    return [*wrong, f"took {spent:.1f} s"] if spent > _SLOW else wrong


def read(dataset: Dataset, columns: Sequence[str] | None = None) -> int:
    """Read all rows of a data set and see that they are sound; give their number."""
    rows = 0
    for fragment in dataset.fragments:
        for batch in fragment.batches(columns):
            if not isinstance(batch, Trouble):
                batch.validate(full=True)
                rows += batch.num_rows
    return rows


def _used(dataset: Dataset, path: Path) -> Iterator[str]:
    """Examine and split a data set; yield what is not as it has to be."""
    names = dataset.schema.names
    roles = Roles(text="text" if "text" in names else None, label="label" if "label" in names else None)
    options = RowOptions(roles=roles, effort="quick", jobs=1)
    examined = examine(dataset, options)
    yield from (gap.reason for gap in examined.gaps if "internal error" in gap.reason)
    rows = read(dataset, examined.roles.columns)
    if examined.rows != rows:
        yield f"{examined.rows} rows examined, {rows} read"
    kept, out = (path.with_name(name + "".join(path.suffixes)) for name in ("kept", "out"))
    parts = clean(dataset, kept, out, options=options)
    yield from _lost(parts.kept + parts.quarantined, rows, examined.gaps)


def _lost(written: int, rows: int, gaps: tuple[Gap, ...]) -> Iterator[str]:
    if written < rows or (written != rows and not gaps):
        yield f"{written} rows written, {rows} read"


def main() -> int:
    """Fuzz; status 1 when there was trouble."""
    options = arguments(__doc__.splitlines()[0] if __doc__ else "", "fuzz-tables.json").parse_args()
    run = Run(options.first, options.inputs, options.seed, tables(), options.output)
    run.go(options.workers)
    return 1 if run.troubles else 0


if __name__ == "__main__":
    raise SystemExit(main())
