"""Outcomes of measurements, one JSON object a line, so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean
from typing import Any

Record = dict[str, Any]


class Kept:
    """An append-only file of records, each under a key."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Record] = {}
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if text and not text.endswith("\n"):  # a run that was killed left half a line
            with path.open("a", encoding="utf-8") as stream:
                stream.write("\n")
        for line in text.splitlines():
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue
            self._known[record.pop("key")] = record

    def once(self, key: str, make: Callable[[], Record]) -> Record:
        """Give the record of a key; make it, and keep it on disk, when there is none."""
        if key not in self._known:
            record = make()
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"key": key, **record}) + "\n")
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
