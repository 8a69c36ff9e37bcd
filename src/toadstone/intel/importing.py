"""Reads lists of others: plain text, CSV, STIX 2.1 bundles, MISP events and feeds. Anything not understood is counted."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator
from pathlib import Path

from toadstone.intel.store import IntelError, ListBuilder
from toadstone.intel.values import canonical

_HEAD = 1 << 16
_LONGEST_LINE = 1 << 16
_VALUE_COLUMNS = (
    "value",
    "indicator",
    "indicator_value",
    "ioc",
    "ioc_value",
    "observable",
    "dst_ip",
    "ip",
    "ip_address",
    "domain",
    "url",
    "host",
    "hash",
    "sha256_hash",
    "sha256",
    "md5",
    "sha1",
)
_LABEL_COLUMNS = (
    "label",
    "threat",
    "malware",
    "malware_printable",
    "tags",
    "tag",
    "comment",
    "description",
    "family",
    "signature",
    "category",
)
_FROM_COLUMNS = ("valid_from", "first_seen", "first_seen_utc", "dateadded", "date")
_UNTIL_COLUMNS = ("valid_until", "expires", "expiry", "expiration")


def import_file(path: Path, builder: ListBuilder, valid_days: int | None = None) -> str:
    """Read a file into a list.

    Args:
        path: The file.
        builder: What takes the entries.
        valid_days: Days from the day of import after which entries without an end of their own no longer count.

    Returns:
        The format that was recognised: ``stix``, ``misp``, ``csv`` or ``plain``.

    Raises:
        IntelError: If the file cannot be read.
    """
    until = (builder.date + dt.timedelta(days=valid_days)).isoformat() if valid_days is not None else ""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
            stream.seek(0)
            kind = recognise(head)
            if kind in ("stix", "misp"):
                from toadstone.intel import importing_json  # noqa: PLC0415  (only where there is something to read)

                importing_json.read(stream, kind, builder, until)
            else:
                text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
                _table(text, builder, until) if kind == "csv" else _plain(text, builder, until)
    except OSError as error:
        raise IntelError(f"{path} cannot be read: {error.strerror}.") from None
    return kind


def recognise(head: bytes) -> str:
    """Tell the format of a file by its beginning: ``stix``, ``misp``, ``csv`` or ``plain``."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] in (b"{", b"["):
        return (
            "misp"
            if re.search(rb'"(?:Event|Attribute|response)"\s*:', text) and not re.search(rb'"type"\s*:\s*"bundle"', text)
            else "stix"
        )
    for line in text.splitlines()[:40]:
        if line.strip() and not line.lstrip().startswith((b"#", b"//", b";")):
            return "csv" if b"," in line or b"\t" in line or b'";"' in line else "plain"
    return "plain"


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Yield lines, the longest cut: a file without line ends must not decide how much memory is used."""
    while line := text.readline(_LONGEST_LINE):
        yield line


def _plain(text: io.TextIOWrapper, builder: ListBuilder, until: str) -> None:
    """One value a line; ``#``, ``;`` and ``//`` begin comments; lines of a hosts file (address and name) give the name."""
    add = builder.add
    for line in _lines(text):
        value = line.strip()
        if not value or value[0] in "#;" or value.startswith("//"):
            continue
        kind, clear = canonical(value)
        if not kind:
            words = value.split("#")[0].split(";")[0].split()
            if len(words) >= 2 and words[0] in ("0.0.0.0", "127.0.0.1", "::", "::1"):  # noqa: S104  (what blocking lists write)
                words = words[1:]
            kind, clear = canonical(words[0]) if words else ("", "")
        if kind:
            add(kind, clear, "", "", until)
        else:
            builder.skip("no indicator in the line")


def _table(text: io.TextIOWrapper, builder: ListBuilder, until: str) -> None:
    """CSV with or without a header; without one, the first column that holds an indicator counts."""
    lines = (line for line in _lines(text) if line.strip() and not line.startswith("#"))
    first = next(lines, "")
    delimiter = max(",;\t|", key=first.count)
    header = [name.strip().strip('"').lower() for name in first.split(delimiter)]
    columns = {
        what: _column(header, names)
        for what, names in (
            ("value", _VALUE_COLUMNS),
            ("label", _LABEL_COLUMNS),
            ("from", _FROM_COLUMNS),
            ("until", _UNTIL_COLUMNS),
        )
    }
    has_header = columns["value"] >= 0 and not any(canonical(name)[0] for name in header)
    rows = csv.reader(lines if has_header else _chained(first, lines), delimiter=delimiter)
    try:
        for row in rows:
            _row(row, columns if has_header else dict.fromkeys(columns, -1), builder, until)
    except csv.Error:
        builder.skip("broken CSV")


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _column(header: list[str], names: tuple[str, ...]) -> int:
    return next((header.index(name) for name in names if name in header), -1)


def _row(row: list[str], columns: dict[str, int], builder: ListBuilder, until: str) -> None:
    def cell(what: str) -> str:
        return row[columns[what]].strip() if 0 <= columns[what] < len(row) else ""

    candidates = [cell("value")] if columns["value"] >= 0 else row
    for candidate in candidates:
        kind, clear = canonical(candidate)
        if kind:
            ends = day(cell("until")) or until
            builder.add(kind, clear, clean(cell("label")), day(cell("from")), ends)
            return
    builder.skip("no indicator in the row")


def clean(label: object) -> str:
    """Write a label on one line, without what could steer a terminal, 120 characters at most."""
    text = " ".join(str(label).split()) if isinstance(label, (str, int, float)) else ""
    return "".join(character for character in text[:120] if character.isprintable())


def day(text: object) -> str:
    """Give the day of a time stamp as YYYY-MM-DD, or an empty string."""
    if not isinstance(text, str) or len(text) < 10:
        return ""
    try:
        return dt.date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return ""
