"""Splits folders of images: every image is copied to the same place below one side; files that describe them are split by row."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toadstone.core.errors import UsageError
from toadstone.tables.dataset import Dataset, Trouble
from toadstone.tables.pictures import METADATA, NAME, SPLITS, Files
from toadstone.tables.plan import EXTRA, Flags, Plan, Quarantine

Split = Callable[[Dataset, Plan, Path, "Path | None"], None]


def split_pictures(dataset: Dataset, plan: Plan, kept: Path, quarantine: Path | None, split_file: Split) -> None:
    """Copy every image to one side, as it is.

    An image that gets another label goes to the sub-folder of that label, when sub-folders are the labels. The quarantine has a
    ``metadata.csv`` that says why, or more columns in the one that there is. What is no image and describes none is left out.

    Args:
        dataset: Of kind ``images``.
        plan: Which row goes where.
        kept: Folder to write.
        quarantine: The same for the other rows.
        split_file: Splits a file that describes the images.

    Raises:
        UsageError: The folder changed since it was examined.
    """
    names: list[str] = []
    for fragment in dataset.fragments:
        assert isinstance(fragment, Files)
        names += fragment.paths
    start, mask = plan.next(len(names))
    described = next((name for name in METADATA if Path(dataset.name, name).is_file()), None)
    labelled = described is not None and plan.label is not None and plan.label in _columns(dataset, described)
    moved = {} if labelled else plan.relabelled(start, len(names))
    for row, name in enumerate(names):
        side = quarantine if mask[row] else kept
        if side is None:
            continue
        place = side / name
        if not mask[row] and row in moved:
            place = _free(side / _of_label(name, moved[row]), set(names), side)
        _copy(Path(dataset.name), name, place)
    if described is not None:
        _described(dataset, plan, described, names, (kept, quarantine), split_file)
    elif quarantine is not None:
        _reasons(quarantine / METADATA[0], plan, names, np.flatnonzero(mask))


def _copy(base: Path, name: str, place: Path) -> None:
    """Copy a file with its times; a link that leads out of the folder stays a link, nothing is read through it."""
    source = base / name
    place.parent.mkdir(parents=True, exist_ok=True)
    inside = base.resolve() in source.resolve().parents
    if source.is_symlink() and not (inside and source.exists()):
        place.symlink_to(source.readlink())
        return
    if not source.is_file():
        raise UsageError(f"{source} is not there any more", "The folder changed meanwhile; start again.")
    shutil.copy2(source, place)


def _of_label(name: str, label: str) -> str:
    """Give the place of an image in the sub-folder of another label, below the folder of its split."""
    parts = name.split("/")
    split = parts[:1] if len(parts) > 1 and parts[0].lower() in SPLITS else []
    return "/".join([*split, *label.split("/"), parts[-1]])


def _free(place: Path, taken: set[str], side: Path) -> Path:
    """Give a place that no other image has."""
    fresh, number = place, 1
    while fresh.exists() or fresh.relative_to(side).as_posix() in taken:
        fresh, number = place.with_stem(f"{place.stem}_{number}"), number + 1
    return fresh


def _columns(dataset: Dataset, described: str) -> list[str]:
    from toadstone.tables.open import open_file  # noqa: PLC0415  (which opens folders of images)

    return list(open_file(str(Path(dataset.name, described))).schema.names)


def _reasons(place: Path, plan: Plan, names: list[str], rows: NDArray[np.int64]) -> None:
    """Write why images are quarantined."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([NAME, *EXTRA])
        for row in rows.tolist():
            number, checks, p_value = plan.beside(row)
            writer.writerow([names[row], number, ";".join(checks), repr(p_value)])


def _described(
    dataset: Dataset, plan: Plan, described: str, names: list[str], sides: tuple[Path, Path | None], split_file: Split
) -> None:
    """Split the file that describes the images; rows about images that are not there are kept."""
    from toadstone.tables.open import open_file  # noqa: PLC0415  (as above)

    table = open_file(str(Path(dataset.name, described)))
    places = {name: row for row, name in enumerate(names)}
    listed: list[int] = []
    for fragment in table.fragments:
        for batch in fragment.batches():
            if isinstance(batch, Trouble):
                continue
            known = batch.column(NAME).to_pylist() if NAME in batch.schema.names else [None] * batch.num_rows
            listed += [places.get(str(name), -1) for name in known]
    row = np.array(listed, np.int64)
    flagged = np.where(row >= 0, plan.flagged[row] if len(plan.flagged) else False, False).astype(bool)
    checks = plan.reasons.checks
    own = tuple(np.flatnonzero(np.isin(row, rows) & (row >= 0)) for rows in checks.rows)
    p_values = np.where(row >= 0, plan.reasons.p_values[row], 1.0)
    labels = {place: plan.relabel[one] for place, one in enumerate(listed) if one in plan.relabel}
    if plan.label not in table.schema.names:
        labels = {}
    inner = Plan(flagged, Quarantine(Flags(checks.checks, own), p_values), labels, plan.label)
    kept, quarantine = (side / described if side is not None else None for side in sides)
    assert kept is not None
    split_file(table, inner, kept, quarantine)
    inner.finish()
