"""Splits JSON Lines and tables of text: records are copied byte for byte."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from json.decoder import scanstring  # type: ignore[attr-defined]  # (in the module since Python 2.6, not in its stubs)
from pathlib import Path
from typing import BinaryIO, cast

from toadstone.core.errors import UsageError
from toadstone.tables.csv import Fields
from toadstone.tables.dataset import Dataset
from toadstone.tables.jsonl import JsonLines, understood
from toadstone.tables.lines import Span
from toadstone.tables.plan import BROKEN, Plan, extra_names
from toadstone.tables.records import TextFile, field_spans

_DECODER = json.JSONDecoder()


def split_text(dataset: Dataset, plan: Plan, kept: Path, quarantine: Path | None) -> None:
    """Copy every record to one side.

    Args:
        dataset: Of kind ``csv`` or ``jsonl``.
        plan: Which row goes where.
        kept: File or folder to write.
        quarantine: The same for the other rows.
    """
    files: dict[str, list[Span]] = {}
    for fragment in dataset.fragments:
        assert isinstance(fragment, Span)
        files.setdefault(fragment.file.path, []).append(fragment)
    names = extra_names(dataset.schema.names)
    for path, fragments in files.items():
        with ExitStack() as stack:
            places = [_inside(dataset, path, side) if side is not None else None for side in (kept, quarantine)]
            sides = [stack.enter_context(_sink(place, fragments[0].file)) for place in places]
            _copied(fragments, plan, sides, names)


def _inside(dataset: Dataset, path: str, side: Path) -> Path:
    """Give the place of one file of a folder in another folder; a single file is the place itself."""
    if path == dataset.path:
        return side
    place = side / Path(path).relative_to(dataset.path)
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


@contextmanager
def _sink(place: Path | None, file: TextFile) -> Iterator[BinaryIO | None]:
    """Open a file to write, packed when its name says so, or when the input is packed and the name says nothing."""
    if place is None:
        yield None
        return
    packed = place.suffix == ".gz" or (file.packed and place.suffix == "")
    with place.open("wb") as raw:
        if packed:
            with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as stream:
                yield cast("BinaryIO", stream)
        else:
            yield raw


def _copied(fragments: Sequence[Span], plan: Plan, sides: Sequence[BinaryIO | None], names: Sequence[str]) -> None:
    kept, quarantine = sides
    assert kept is not None
    file = fragments[0].file
    with file.open() as stream:
        head = stream.read(fragments[0].start)
    kept.write(head)
    if quarantine is not None:
        quarantine.write(_headed(head, fragments[0], names))
    side: BinaryIO | None = kept  # empty lines follow the record before them
    for fragment in fragments:
        for records in fragment.records():
            for record in records:
                if not fragment.is_row(record):
                    if side is not None:
                        side.write(record)
                    continue
                side = _record(record, fragment, plan, sides, names)


def _headed(head: bytes, fragment: Span, names: Sequence[str]) -> bytes:
    """Give what stands before the first row of the quarantine."""
    if not isinstance(fragment, Fields):
        return head
    file = fragment.file
    body = head[file.mark :]
    lead = len(body) - len(body.lstrip(b"\r\n\x00" if file.wide else b"\r\n"))
    lead -= lead % 2 if file.wide else 0
    prefix = "".join(name + fragment.delimiter for name in names).encode(file.encoding)
    return head[: file.mark + lead] + prefix + body[lead:]


def _record(record: bytes, fragment: Span, plan: Plan, sides: Sequence[BinaryIO | None], names: Sequence[str]) -> BinaryIO | None:
    start, mask = plan.next(1)
    kept, quarantine = sides
    broken = isinstance(fragment, JsonLines) and not mask[0] and _is_broken(record, fragment)
    plan.quarantined += broken
    if not (mask[0] or broken):
        assert kept is not None
        name = plan.relabelled(start, 1).get(0)
        kept.write(record if name is None else _relabelled(record, fragment, plan.label or "", name))
        return kept
    if quarantine is not None:
        if isinstance(fragment, Fields):
            quarantine.write(plan.extra_fields(start, fragment.delimiter).encode(fragment.file.encoding) + record)
        else:
            quarantine.write(_beside(record, fragment, plan.extra_json(start, names)))
    return quarantine


def _is_broken(record: bytes, fragment: Span) -> bool:
    value, reason = understood(record, fragment.file)
    return not value and bool(reason)


def _beside(record: bytes, fragment: Span, extra: str) -> bytes:
    """Add keys to a line of JSON, whose own bytes stay as they are."""
    file = fragment.file
    body, end = _ended(record, file)
    if _is_broken(record, fragment):
        text = body.decode(file.encoding, "surrogatepass" if file.wide else "surrogateescape")
        return (json.dumps({BROKEN: text})[:-1] + ", " + extra + "}").encode(file.encoding) + (end or "\n".encode(file.encoding))
    brace = len("}".encode(file.encoding))
    inner = body[:-brace]
    empty = file.text(inner)[0].strip() == "{"
    return inner + (("" if empty else ", ") + extra + "}").encode(file.encoding) + end


def _ended(record: bytes, file: TextFile) -> tuple[bytes, bytes]:
    """Cut the space off the end of a record."""
    if file.wide:
        text = record.decode(file.encoding, "surrogatepass") if len(record) % 2 == 0 else ""
        size = len(record) - 2 * (len(text) - len(text.rstrip(" \t\r\n")))
    else:
        size = len(record.rstrip(b" \t\r\n"))
    return record[:size], record[size:]


def _relabelled(record: bytes, fragment: Span, label: str, name: str) -> bytes:
    """Give a record with another label; all other bytes stay.

    Raises:
        UsageError: The label cannot be found in it.
    """
    file = fragment.file
    text = record.decode(file.encoding) if file.wide or _is_utf8(record) else record.decode("latin-1")
    if isinstance(fragment, Fields):
        spans = _spans(text, fragment)
        place = fragment.names.index(label)
        if place >= len(spans):
            raise UsageError("a row without a label cannot be relabelled", "Leave it as it is.")
        begin, end = spans[place]
        special = any(mark in name for mark in (fragment.delimiter, '"', "\n", "\r")) and fragment.unquoted != 0
        quoted = special or (text[begin : begin + 1] == '"' and fragment.unquoted != 0)
        new = '"' + name.replace('"', '""') + '"' if quoted else name
    else:
        begin, end = value_span(text, label)
        new = _as_json(text[begin:end], name)
    changed = text[:begin] + new + text[end:]
    return changed.encode(file.encoding) if file.wide or _is_utf8(record) else changed.encode("latin-1")


def _spans(text: str, fragment: Fields) -> list[tuple[int, int]]:
    body = text.rstrip("\r\n")
    if fragment.unquoted != 0:
        return field_spans(body, fragment.delimiter)
    spans, begin = [], 0
    for part in body.split(fragment.delimiter):
        spans.append((begin, begin + len(part)))
        begin += len(part) + 1
    return spans


def _is_utf8(record: bytes) -> bool:
    try:
        record.decode()
    except UnicodeDecodeError:
        return False
    return True


def _as_json(old: str, name: str) -> str:
    """Write a label as the old one was written: a number stays one."""
    if old.startswith('"'):
        return json.dumps(name, ensure_ascii=False)
    try:
        json.loads(name)
    except ValueError:
        return json.dumps(name, ensure_ascii=False)
    return name


def value_span(text: str, key: str) -> tuple[int, int]:
    """Give where the value of a key stands in a JSON object: of the last one, which counts.

    Raises:
        UsageError: There is no such key.
    """
    found: tuple[int, int] | None = None
    place = _after(text, text.index("{") + 1)
    while text[place] == '"':
        name, place = scanstring(text, place + 1, True)
        place = _after(text, _after(text, place) + 1)
        _, end = _DECODER.raw_decode(text, place)
        if name == key:
            found = (place, end)
        place = _after(text, end)
        if text[place] != ",":
            break
        place = _after(text, place + 1)
    if found is None:
        raise UsageError("a row without a label cannot be relabelled", "Leave it as it is.")
    return found


def _after(text: str, place: int) -> int:
    while text[place] in " \t\r\n":
        place += 1
    return place
