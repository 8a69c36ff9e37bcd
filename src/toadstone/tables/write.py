"""Writes a data set in two parts, kept and quarantined, in its own format; and the evidence on its rows."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from toadstone.core.errors import UsageError
from toadstone.tables.dataset import ROWS, Dataset
from toadstone.tables.folder import suffix_of
from toadstone.tables.plan import Flags, Plan, Quarantine
from toadstone.tables.sound import FAILURES, first_line
from toadstone.tables.write_arrow import split_arrow, split_memory
from toadstone.tables.write_npz import split_npz
from toadstone.tables.write_pictures import split_pictures
from toadstone.tables.write_text import split_text

_WRITERS: dict[str, Callable[[Dataset, Plan, Path, Path | None], None]] = {
    "parquet": split_arrow,
    "arrow": split_arrow,
    "saved": split_arrow,
    "csv": split_text,
    "jsonl": split_text,
    "npz": split_npz,
    "memory": split_memory,
}
_SUFFIXES = {
    "parquet": (".parquet", ".pq"),
    "arrow": (".arrow", ".feather", ".ipc"),
    "csv": (".csv", ".tsv", ".tab", ".txt"),
    "jsonl": (".jsonl", ".ndjson", ".json"),
    "npz": (".npz",),
    "memory": (".parquet", ".pq", ".arrow", ".feather", ".ipc"),
}


@dataclass(frozen=True)
class Parts:
    """How many rows went where."""

    kept: int
    quarantined: int


def split(
    dataset: Dataset,
    flagged: Iterable[bool] | NDArray[np.bool_],
    kept: str | os.PathLike[str],
    quarantine: str | os.PathLike[str] | None,
    reasons: Quarantine,
    *,
    relabel: Mapping[int, str] | None = None,
    label: str | None = None,
) -> Parts:
    """Write the rows that stand and those that do not.

    Both parts have the format, the columns and the order of the input; together they are the input, row for row. Records of
    JSON Lines, CSV and TSV are copied byte for byte. A line of JSON Lines that is none always goes to the quarantine, under
    the key ``toadstone_broken``. The quarantine has the columns `EXTRA` in addition: first in a table of text (whose rows
    may be ragged), last elsewhere. Parts appear under their names when everything was written, or not at all.

    Args:
        dataset: As it was examined. Objects in memory are written as Parquet, or Arrow when the name ends so.
        flagged: Whether a row is quarantined, one a row.
        kept: Where the rows that stand go; a folder when the input is one.
        quarantine: Where the others go; None: nowhere.
        reasons: Why rows are quarantined.
        relabel: New labels, by row, of rows that are kept.
        label: Name of the label column.

    Raises:
        UsageError: A part would replace the input or the other part, the input changed or has damaged parts that cannot be
            copied, or a part cannot be written.
    """
    mask = flagged if isinstance(flagged, np.ndarray) else np.fromiter(flagged, np.bool_)
    plan = Plan(np.asarray(mask, np.bool_).copy(), reasons, dict(relabel or {}), label)
    if plan.relabel and (label is None or label not in dataset.schema.names):
        raise UsageError(f"{dataset.name} has no column {label!r} to write labels to", "Name the label column.")
    check_places(dataset, kept, quarantine)
    try:
        with _replacing(dataset, kept) as first:
            if quarantine is None:
                _WRITERS[dataset.kind](dataset, plan, first, None)
            else:
                with _replacing(dataset, quarantine) as second:
                    _WRITERS[dataset.kind](dataset, plan, first, second)
                    plan.finish()
            plan.finish()
    except FAILURES as error:
        raise UsageError(f"{dataset.name} cannot be split: {first_line(error)}", "Nothing was written.") from None
    return Parts(plan.row - plan.quarantined, plan.quarantined)


def check_places(
    dataset: Dataset,
    kept: str | os.PathLike[str],
    quarantine: str | os.PathLike[str] | None,
    scores: str | os.PathLike[str] | None = None,
) -> None:
    """Refuse targets that would harm the input or each other.

    Raises:
        UsageError: One would.
    """
    if scores is not None:
        check_scores(dataset, scores, (kept, quarantine))
    if dataset.kind not in _WRITERS:
        raise UsageError(f"a data set of kind {dataset.kind} cannot be split", "Save it as Parquet first.")
    targets = [Path(os.fspath(path)) for path in (kept, quarantine) if path is not None]
    source = Path(dataset.path).resolve() if dataset.kind != "memory" else None
    places = [target.resolve() for target in targets]
    for target, place in zip(targets, places, strict=True):
        if source is not None and (place == source or source in place.parents or place in source.parents or _same(place, source)):
            raise UsageError(f"{target} is the input or lies within it", "Write somewhere else.")
        if not place.parent.is_dir():
            raise UsageError(f"the folder {target.parent} is not there", "Make it first.")
        folder = source is not None and source.is_dir()
        if place.is_dir() and (not folder or any(place.iterdir())):
            raise UsageError(f"{target} is a folder that is not empty" if folder else f"{target} is a folder", "Name another.")
        every = {suffix for suffixes in _SUFFIXES.values() for suffix in suffixes}
        suffix = suffix_of(target.name)
        if not folder and suffix in every and suffix not in _SUFFIXES.get(dataset.kind, ()):
            known = ", ".join(_SUFFIXES.get(dataset.kind, ()))
            raise UsageError(f"{target} does not have the format of the input ({dataset.kind})", f"Let it end in {known}.")
    if len(places) == 2 and (
        places[0] == places[1] or _same(*places) or places[0] in places[1].parents or places[1] in places[0].parents
    ):
        raise UsageError(f"kept and quarantined rows would both go to {targets[0]}", "Name two places.")


def check_scores(dataset: Dataset, scores: str | os.PathLike[str], others: Iterable[str | os.PathLike[str] | None] = ()) -> None:
    """Refuse a place for scores that would harm the input or what else is written.

    Raises:
        UsageError: It would.
    """
    place = Path(os.fspath(scores)).resolve()
    source = Path(dataset.path).resolve() if dataset.kind != "memory" else None
    if source is not None and (place == source or source in place.parents or _same(place, source)):
        raise UsageError(f"{scores} is the input or lies within it", "Write somewhere else.")
    if not place.parent.is_dir():
        raise UsageError(f"the folder {Path(os.fspath(scores)).parent} is not there", "Make it first.")
    if place.is_dir():
        raise UsageError(f"{scores} is a folder", "Name a file.")
    if any(Path(os.fspath(other)).resolve() == place for other in others if other is not None):
        raise UsageError(f"rows and scores would both go to {scores}", "Name two places.")


def _described(dataset: Dataset, plan: Plan, kept: Path, quarantine: Path | None) -> None:
    """Split a file that describes images."""
    _WRITERS[dataset.kind](dataset, plan, kept, quarantine)


def _pictures(dataset: Dataset, plan: Plan, kept: Path, quarantine: Path | None) -> None:
    split_pictures(dataset, plan, kept, quarantine, _described)


_WRITERS["images"] = _pictures


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


@contextmanager
def _replacing(dataset: Dataset, target: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a place beside the target to write to, which takes its name when all went well and vanishes otherwise."""
    final = Path(os.fspath(target)).resolve()
    folder = dataset.kind != "memory" and Path(dataset.path).is_dir()
    inside = Path(tempfile.mkdtemp(prefix=f".{final.name[:64]}.", dir=final.parent))
    place = inside / final.name
    try:
        if folder:
            place.mkdir()
        yield place
        if folder and final.is_dir():
            final.rmdir()
        place.replace(final)
    finally:
        shutil.rmtree(inside, ignore_errors=True)


def write_scores(
    path: str | os.PathLike[str],
    scores: NDArray[np.float64],
    p_values: NDArray[np.float64],
    flagged: NDArray[np.bool_],
    checks: Flags,
) -> None:
    """Write the evidence on every row: Parquet with ``row``, ``score``, ``p_value``, ``flagged``, ``checks``.

    Args:
        path: Where it goes; an existing file is replaced when everything was written.
        scores: Higher is worse, shape (rows,).
        p_values: Shape (rows,).
        flagged: Whether a row is flagged, shape (rows,).
        checks: Which of them flag the rows.

    Raises:
        UsageError: It cannot be written.
    """
    final = Path(os.fspath(path)).resolve()
    types = [("row", pa.int64()), ("score", pa.float64()), ("p_value", pa.float64()), ("flagged", pa.bool_())]
    schema = pa.schema([*types, ("checks", pa.list_(pa.string()))])
    try:
        inside = Path(tempfile.mkdtemp(prefix=f".{final.name[:64]}.", dir=final.parent))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {first_line(error)}", "Name another place.") from None
    try:
        with pq.ParquetWriter(inside / "scores", schema) as writer:
            for start in range(0, len(scores), ROWS):
                part = slice(start, min(start + ROWS, len(scores)))
                rows = np.arange(part.start, part.stop, dtype=np.int64)
                values = [pa.array(column[part]) for column in (scores, p_values, flagged)]
                columns = [pa.array(rows), *values, checks.of(rows)]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
        (inside / "scores").replace(final)
    except FAILURES as error:
        raise UsageError(f"{path} cannot be written: {first_line(error)}", "Name another place.") from None
    finally:
        shutil.rmtree(inside, ignore_errors=True)


__all__ = ["Flags", "Parts", "Quarantine", "check_places", "check_scores", "split", "write_scores"]
