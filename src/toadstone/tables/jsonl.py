"""JSON Lines: one object a line.

Types are joined over the whole file (`toadstone.tables.conform`): columns may come late, change from number to text, and nest.

Source: https://jsonlines.org and RFC 8259.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from toadstone.tables.conform import inferred, joined, legible
from toadstone.tables.dataset import Dataset, Trouble
from toadstone.tables.lines import Parsed, Span, spans
from toadstone.tables.records import UNREADABLE, TextFile, lines

COLUMNS = 16_384
"""Columns of a data set; keys that come later are not read."""


@dataclass(frozen=True)
class JsonLines(Span):
    """Consecutive lines."""

    def records(self) -> Iterator[list[bytes]]:
        """Give the lines."""
        yield from lines(self.file, self.start, self.stop)

    def is_row(self, record: bytes) -> bool:
        """Whether there is anything but space in a line."""
        return not record.isspace() and (not self.file.wide or bool(record.strip(b" \t\r\n\x00")))

    def parsed(self, records: Sequence[bytes], columns: Sequence[str] | None) -> Parsed:
        """Read objects; a key that is missing is null."""
        rows: list[dict[str, Any]] = []
        wrong: list[tuple[int, str]] = []
        for record in records:
            value, reason = understood(record, self.file)
            if reason:
                wrong.append((len(rows), reason))
            rows.append(value)
        names = columns if columns is not None else self.schema.names
        return Parsed({name: [row.get(name) for row in rows] for name in names}, len(rows), wrong)


def understood(record: bytes, file: TextFile) -> tuple[dict[str, Any], str]:
    """Read one line.

    Returns:
        The object, empty when there is none, and what is wrong.
    """
    text, strange = file.text(record)
    reason = f"not {file.encoding.upper()}; read as Latin-1" if strange else ""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return {}, f"not JSON: {error.msg} at character {error.pos + 1}"
    except ValueError:
        return {}, "not read: a number of too many digits"
    except RecursionError:
        return {}, "not read: nested too deeply"
    if not isinstance(value, dict):
        return {}, "not a JSON object"
    if "\\u" in text:
        value = {legible(key): part for key, part in value.items()}
    return value, reason


def open_jsonl(file: TextFile, first: int = 0) -> Dataset:
    """Open a file: read it once for the types of its columns.

    Args:
        file: As described.
        first: Number of the first fragment.
    """
    whole = JsonLines(first, file, file.mark, None, pa.schema([]))
    types: dict[str, pa.DataType] = {}
    cuts: list[int] = []
    troubles: list[Trouble] = []
    try:
        for group in whole.grouped(whole.surveyed(cuts)):
            found: dict[str, list[Any]] = {}
            for record in group:
                for name, value in understood(record, file)[0].items():
                    found.setdefault(name, []).append(value)
            for name, values in found.items():
                if name in types or len(types) < COLUMNS:
                    types[name] = joined(types.get(name, pa.null()), inferred(values))
    except UNREADABLE:
        pass  # told when the rows are read
    if len(types) >= COLUMNS:
        troubles.append(Trouble(first, f"{file.path}: more than {COLUMNS:,} columns; later ones are not read"))
    schema = pa.schema([pa.field(name, kind) for name, kind in types.items()])
    return Dataset(file.path, "jsonl", schema, spans(whole, cuts, schema, first), tuple(troubles))
