"""Records in a growing file, one JSON object a line, each under a key: an interrupted run goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def known_lines(path: Path) -> dict[str, dict[str, Any]]:
    """Read what is there, by key; the last record of a key counts.

    A run that was killed leaves half a line; what follows must not be glued to it, so it is ended here.
    """
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if text and not text.endswith("\n"):
        with path.open("a", encoding="utf-8") as stream:
            stream.write("\n")
    known: dict[str, dict[str, Any]] = {}
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        known[record.pop("key")] = record
    return known


def keep_line(path: Path, key: str, record: dict[str, Any]) -> None:
    """Add a record."""
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"key": key, **record}) + "\n")
