"""Outcomes of measurements, one JSON object a line, so that an interrupted run goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.kept_lines import keep_line, known_lines

Record = dict[str, Any]


class Kept:
    """An append-only file of records, each under a key."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Record] = known_lines(path)

    def once(self, key: str, make: Callable[[], Record]) -> Record:
        """Give the record of a key; make it, and keep it on disk, when there is none."""
        if key not in self._known:
            record = make()
            keep_line(self._path, key, record)
            self._known[key] = record
        return self._known[key]

    def under(self, prefix: str) -> Iterator[tuple[str, Record]]:
        """Yield the records whose key begins like this, by key."""
        yield from ((key, self._known[key]) for key in sorted(self._known) if key.startswith(prefix))


def spread(values: list[float | None], digits: int = 2) -> str:
    """Write mean and range of some values; those that are None are left out."""
    known = [value for value in values if value is not None]
    if not known:
        return "n/a"
    low, high = f"{min(known):.{digits}f}", f"{max(known):.{digits}f}"
    middle = f"{mean(known):.{digits}f}"
    return middle if low == high else f"{middle} ({low} to {high})"
