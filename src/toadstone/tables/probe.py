"""Footers of Parquet are read by a process of its own first: a hostile one ends the process that reads it.

pyarrow throws where it has promised not to when statistics in a footer contradict the schema, and then no ``except`` helps:
the process is aborted (found by ``benchmarks.fuzz_tables``, one mutant in nine thousand). A second interpreter, which costs 0.2 s
for any number of files, does with each footer what is done here afterwards; the file at which it dies is not read.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

_MOST = 8
"""Files at which it may die; those that follow the last are not read either."""
_SECONDS = 120
_CODE = """
import sys
import pyarrow.parquet as pq
for path in sys.stdin.buffer.read().split(b"\\0"):
    try:
        with pq.ParquetFile(path.decode(errors="surrogateescape"), arrow_extensions_enabled=False) as file:
            metadata, schema = file.metadata, file.schema_arrow
            for group in range(metadata.num_row_groups):
                found = metadata.row_group(group)
                for index in range(found.num_columns):
                    column = found.column(index)
                    column.path_in_schema, column.physical_type, column.compression
    except BaseException:
        pass
    sys.stdout.write(".")
    sys.stdout.flush()
"""
_sound: set[tuple[str, int, int]] = set()


def fatal(paths: Sequence[str]) -> set[str]:
    """Give the files whose footers end a process that reads them.

    Where no second interpreter can be started, none is fatal.
    """
    left = [path for path in paths if _mark(path) not in _sound]
    found: set[str] = set()
    while left:
        read = _read(left)
        _sound.update(_mark(path) for path in left[:read])
        if read >= len(left):
            break
        found.add(left[read])
        left = left[read + 1 :]
        if len(found) >= _MOST:
            return found.union(left)
    return found


def _mark(path: str) -> tuple[str, int, int]:
    try:
        state = os.stat(path)  # noqa: PTH116  (one call for both)
    except OSError:
        return path, -1, -1
    return path, state.st_size, state.st_mtime_ns


def _read(paths: Sequence[str]) -> int:
    """Let a second interpreter read footers; give how many it outlived."""
    command = [sys.executable, "-I", "-c", _CODE]
    given = b"\0".join(os.fsencode(os.path.abspath(path)) for path in paths)  # noqa: PTH100  (bytes)
    try:
        told = subprocess.run(command, input=given, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603  (this interpreter)
    except subprocess.TimeoutExpired as error:
        return len(error.stdout or b"")
    except OSError:
        return len(paths)
    died = told.returncode < 0 or told.returncode > 128  # by a signal; an interpreter without pyarrow ends with 1
    return len(told.stdout) if died else len(paths)
