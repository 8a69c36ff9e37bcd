"""Tables of text: CSV and TSV, with line ends in quotes, in UTF-8, UTF-16 or what counts as Latin-1.

Types are joined over the whole file: a column is whole numbers, numbers, or text; what would not come back as it was written
(``007``, ``+1``, twenty digits) is text. A field that is empty and not quoted is missing. Rows with too few fields lack the
last ones, of rows with too many the last are left out; both are `Trouble`. Quotes that leave rows ragged or are never closed,
in a file whose lines all have the right number of fields without them, are plain characters.

Source: RFC 4180.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from toadstone.core.errors import UsageError
from toadstone.engine.arrow import compute as pc
from toadstone.tables.dataset import Dataset, Trouble
from toadstone.tables.lines import Parsed, Span, spans
from toadstone.tables.records import UNREADABLE, OpenQuoteError, TextFile, fields_of, lines, misquoted, quoted_records
from toadstone.tables.sound import unique

_LINE_END = 10
_WHOLE = r"^(0|-?[1-9][0-9]{0,17})$"
_NUMBER = r"^-?((0|[1-9][0-9]{0,14})(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$|^(nan|NaN|inf|-inf)$"
_RANK = {pa.null(): 0, pa.int64(): 1, pa.float64(): 2, pa.string(): 3}


_COLUMNS = 100_000
"""Columns of the widest table that is examined (one a gene are 60,000): each costs a kilobyte and more."""


@dataclass(frozen=True)
class Fields(Span):
    """Consecutive records of a table of text.

    Attributes:
        delimiter: Between fields.
        unquoted: Place from which on every line is a record, because a quote is never closed; None: nowhere.
        names: Of all columns.
    """

    delimiter: str = ","
    unquoted: int | None = None
    names: tuple[str, ...] = ()

    def records(self) -> Iterator[list[bytes]]:
        """Give the records; those of the header are none of them."""
        if self.unquoted == 0:
            yield from lines(self.file, self.start, self.stop)
        else:
            yield from quoted_records(self.file, self.start, self.stop, self.delimiter, self.unquoted)

    def is_row(self, record: bytes) -> bool:
        """Whether a line has anything in it; in a table of one column every line has."""
        return bool(record.strip(b"\r\n\x00" if self.file.wide else b"\r\n")) or len(self.names) == 1

    def rows_among(self, records: list[bytes]) -> list[bytes]:
        """Give the records that are rows."""
        if len(self.names) == 1:
            return records
        if self.file.wide:
            return super().rows_among(records)
        return [record for record in records if record.strip(b"\r\n")]

    def fields(self, text: str) -> list[str | None]:
        """Split a record."""
        if self.unquoted == 0:
            return [field or None for field in text.split(self.delimiter)]
        return fields_of(text, self.delimiter)

    def parsed(self, records: Sequence[bytes], columns: Sequence[str] | None) -> Parsed:
        """Split records into fields; all are text."""
        chosen = None if columns is None else set(columns)
        wanted = [index for index, name in enumerate(self.names) if chosen is None or name in chosen]
        wrong: list[tuple[int, str]] = []
        cells = self._plain(records, wanted)
        if cells is None:
            cells, wrong = self._quoted(records, wanted)
        named = {self.names[index]: values for index, values in zip(wanted, cells, strict=True)}
        return Parsed({name: self.typed(name, values) for name, values in named.items()}, len(records), wrong)

    def _plain(self, records: Sequence[bytes], wanted: Sequence[int]) -> list[list[Any]] | None:
        """Split records that are plain lines all at once: several times as fast; None when one needs a closer look."""
        block = b"".join(records)
        if self.file.wide or self.file.newline != "\n" or b'"' in block or b"\r" in (block := block.replace(b"\r\n", b"\n")):
            return None
        block = block.removesuffix(b"\n") + b"\n"
        width, delimiter = len(self.names), self.delimiter.encode()
        if len(delimiter) != 1:
            return None
        held = np.frombuffer(block, np.uint8)
        ends = held[(held == delimiter[0]) | (held == _LINE_END)]
        if (
            len(ends) != width * len(records)
            or (ends.reshape(-1, width) != np.append(np.full(width - 1, delimiter[0]), _LINE_END)).any()
        ):
            return None
        try:
            fields = block.decode()[:-1].replace("\n", self.delimiter).split(self.delimiter)
        except UnicodeDecodeError:
            return None
        return [[field or None for field in fields[index::width]] for index in wanted]

    def _quoted(self, records: Sequence[bytes], wanted: Sequence[int]) -> tuple[list[list[Any]], list[tuple[int, str]]]:
        """Split any records, one by one; say of which ones something is wrong."""
        rows: list[list[str | None]] = []
        wrong: list[tuple[int, str]] = []
        width = len(self.names)
        for record in records:
            text, strange = self.file.text(record)
            row = self.fields(text)
            if len(row) != width:
                wrong.append((len(rows), f"{len(row)} fields where the header has {width}"))
                row = (row + [None] * (width - len(row)))[:width]
            elif strange:
                wrong.append((len(rows), f"not {self.file.encoding.upper()}; read as Latin-1"))
            rows.append(row)
        return [[row[index] for row in rows] for index in wanted], wrong

    def typed(self, name: str, values: list[Any]) -> list[Any]:
        """Turn the text of a column of numbers into numbers."""
        index = self.schema.get_field_index(name)
        kind = self.schema.field(index).type if index >= 0 else pa.string()
        if pa.types.is_string(kind):
            return values
        make = int if pa.types.is_integer(kind) else float
        return [_as(make, value) if value else None for value in values]


def _as(make: type[int | float], value: str) -> float | None:
    try:
        return make(value)
    except ValueError:
        return None


def _narrowest(values: list[Any]) -> pa.DataType:
    """Give the type of a column of texts."""
    first = next((value for value in values if value), None)
    if first is None:
        return pa.null() if not any(value == "" for value in values) else pa.string()
    if not (first[0] in "-.0123456789niN" and len(first) <= 40):
        return pa.string()
    try:
        texts = pa.array([value or None for value in values], pa.string())
    except UnicodeEncodeError:
        return pa.string()
    for kind, pattern in ((pa.int64(), _WHOLE), (pa.float64(), _NUMBER)):
        if pc.all(pc.match_substring_regex(texts, pattern)).as_py():
            return kind
    return pa.string()


def open_csv(file: TextFile, first: int = 0, delimiter: str = "") -> Dataset:
    """Open a table: read it once for the types of its columns.

    Args:
        file: As described.
        first: Number of the first fragment.
        delimiter: Between fields; empty: the one of ``,``, tab, ``;`` and ``|`` that the header has most of.

    Raises:
        UsageError: There is no header, or it has more columns than any real table.
    """
    header, begin = _header(file, delimiter)
    text, _ = file.text(header)
    delimiter = delimiter or max(",\t;|", key=text.count)
    if (width := text.count(delimiter) + 1) > _COLUMNS:
        reason = f"{file.path} has {width:,} columns; tables of more than {_COLUMNS:,} are not examined"
        raise UsageError(reason, "Name a table with fewer columns.")
    empty = Fields(first, file, begin, None, pa.schema([]), delimiter)
    names = unique([name or f"column_{place + 1}" for place, name in enumerate(empty.fields(text))])
    whole = replace(empty, names=tuple(names))
    troubles = []
    if not set(names) <= set(empty.fields(text)):
        troubles.append(Trouble(first, f"{file.path}: columns without a name, or with the name of another, were renamed"))
    cuts: list[int] = []
    try:
        types, ragged = _survey(whole, cuts)
    except OpenQuoteError as error:
        ragged = True
        reason = f"{file.path}: the quote at byte {error.place:,} is never closed; from there on every line counts as a row"
        opened = replace(whole, unquoted=error.place)
        troubles.append(Trouble(first, reason))
        types, _ = _survey(opened, cuts := [])
        whole, plain = opened, replace(whole, unquoted=0)
    else:
        plain = replace(whole, unquoted=0)
    if ragged and _fits(plain):
        whole, cuts, troubles = plain, [], []
        types, _ = _survey(whole, cuts)
    schema = pa.schema([pa.field(name, kind) for name, kind in zip(names, types, strict=True)])
    return Dataset(file.path, "csv", schema, spans(whole, cuts, schema, first), tuple(troubles))


def _header(file: TextFile, delimiter: str) -> tuple[bytes, int]:
    """Give the first record that is not empty, and the place behind it."""
    place = file.mark
    try:
        for group in quoted_records(file, file.mark, None, delimiter or ",", None):
            for record in group:
                place += len(record)
                if record.strip(b"\r\n\x00"):
                    return record, place
    except OpenQuoteError:
        for group in lines(file, file.mark):
            return group[0], file.mark + len(group[0])
    except UNREADABLE as error:
        raise UsageError(f"{file.path} cannot be read: {error}", "Restore the file from its source.") from None
    raise UsageError(f"{file.path} is empty", "A table begins with the names of its columns.")


def _survey(whole: Fields, cuts: list[int]) -> tuple[list[pa.DataType], bool]:
    """Give the types of the columns, and whether rows are ragged."""
    types = [pa.null()] * len(whole.names)
    ragged = False
    try:
        for group in whole.grouped(whole.surveyed(cuts), len(types)):
            parsed = whole.parsed(group, None)
            ragged = ragged or any("fields" in reason for _, reason in parsed.wrong) or _joins(group, whole)
            for place, name in enumerate(whole.names):
                if types[place] != pa.string():
                    types[place] = max(types[place], _narrowest(parsed.columns[name]), key=_RANK.__getitem__)
    except UNREADABLE:
        pass  # told when the rows are read
    return [pa.string() if kind == pa.null() else kind for kind in types], ragged


def _joins(records: list[bytes], whole: Fields) -> bool:
    """Whether quotes join lines that were not meant to be joined: what follows the closing quote is no delimiter."""
    inner = [record for record in records if b"\n" in record[:-2] and b'"' in record] if whole.unquoted is None else []
    return any(misquoted(whole.file.text(record)[0], whole.delimiter) for record in inner)


def _fits(plain: Fields) -> bool:
    """Whether every line has as many fields as the header, when quotes mean nothing; and any line has a quote."""
    try:
        for group in plain.records():
            for record in group:
                if plain.is_row(record) and len(plain.fields(plain.file.text(record)[0])) != len(plain.names):
                    return False
    except UNREADABLE:
        return False
    return True
