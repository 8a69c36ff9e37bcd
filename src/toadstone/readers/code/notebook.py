"""Jupyter notebooks: code cells, magics, and outputs that run script in the reader's browser.

Format: nbformat 3 and 4 (JSON). Cells run when the user runs them; magics follow IPython: ``!command``, ``%system``, ``%sx``,
``%%bash`` and their like hand text to a shell, ``%%python`` and ``%run`` run Python.
"""

# ruff: noqa: ANN401  (JSON values)
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from toadstone.core.blob import BytesBlob
from toadstone.core.fact import Anomaly, Call, Fact, Moment
from toadstone.core.place import Place
from toadstone.core.value import Symbol
from toadstone.readers.reader import Source

LARGEST = 64 << 20
_CELLS = 20_000
_SHELLS = frozenset({"bash", "sh", "script", "cmd", "system", "sx", "!", "powershell", "ksh", "zsh", "perl", "ruby"})
_HARMLESS_CELLS = frozenset(
    {"html", "javascript", "js", "svg", "latex", "markdown", "writefile", "file", "R", "julia", "sql", "cython"}
)
_MAGIC = re.compile(r"^([ \t]*)(?:[\w.]+[ \t]*=[ \t]*)?(!!?|%(?:system|sx|sc)\b)(.*)$")
_OTHER_MAGIC = re.compile(r"^([ \t]*)(?:%\w|\?|[\w.]+\?+\s*$)")
_TIMED = re.compile(r"^%%?(?:time|timeit|capture|prun)\b[^\n]*")
_SCRIPT = re.compile(
    r"<script\b|<iframe\b|<object\b|<embed\b|\bjavascript:|<(?:img|svg|body|video|audio|details)\b[^>]{0,400}\son\w+\s*=",
    re.IGNORECASE,
)


def read(source: Source) -> Iterator[Fact]:
    """Read a notebook."""
    size = source.blob.size
    raw = source.blob.read(0, size) if size <= LARGEST else b""
    document = _parsed(raw)
    if document is None:
        source.coverage.read(0, size)
        yield source.unread("notebook that is no valid JSON within bounds", 0, size)
        return
    source.coverage.read(0, size)
    cells = document.get("cells")
    if not isinstance(cells, list):
        sheets = document.get("worksheets")
        cells = (
            [cell for sheet in sheets or () if isinstance(sheet, dict) for cell in sheet.get("cells") or ()]
            if isinstance(sheets, list)
            else []
        )
    if not cells and not isinstance(document.get("cells", document.get("worksheets")), list):
        yield source.unread("JSON under a notebook's name without cells")
    if len(cells) > _CELLS:
        yield source.unread(f"notebook with more than {_CELLS:,} cells; the rest was not read")
    yield from _code(source, cells[:_CELLS])
    for number, cell in enumerate(cells[:_CELLS]):
        if isinstance(cell, dict):
            yield from _outputs(cell, source.place.inside(f"cell {number + 1}"))


def _parsed(raw: bytes) -> dict[str, Any] | None:
    if not raw or raw.count(b"[") + raw.count(b"{") + raw.count(b",") > 2_000_000:
        return None
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _code(source: Source, cells: list[Any]) -> Iterator[Fact]:
    """Code cells share one namespace, so they are read as one program, cell by cell."""
    from toadstone.readers.code.reading import Context, Reading  # noqa: PLC0415

    reading = Reading(Context(source.place, "notebook", Moment.USE))
    for number, cell in enumerate(cells):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        place = source.place.inside(f"cell {number + 1}")
        text = _text(cell.get("source", cell.get("input")))
        python, commands = _split(text)
        for line, command in commands:
            yield Call(place.line(line), Symbol("os", "system"), (command,), (), "magic", "notebook", Moment.USE)
        reading.context.place = place
        reading.read(python)
        yield from reading.facts()
        for unit in (reading.module_unit, reading.main, *reading.units):
            unit.records.clear()
        for line, reason in reading.problems[:3]:
            yield source.unread(f"cell {number + 1}, line {line + 1}: {reason}")
        reading.problems.clear()
        for item in reading.embedded:
            yield source.member(f"cell {number + 1}", BytesBlob(item.data), item.hint)
        reading.embedded.clear()


def _split(text: str) -> tuple[str, list[tuple[int, str]]]:
    """Part a cell into plain Python (its lines stay where they are) and the commands of its magics."""
    timed = _TIMED.match(text)
    if timed:
        text = text[timed.end() :]
    if text.lstrip().startswith("%%"):
        first, _, rest = text.lstrip().partition("\n")
        words = first[2:].split()
        name = words[0] if words else ""
        if name in _SHELLS:
            return "", [(0, rest)]
        if name.startswith("python") or name == "pypy":
            return "\n" + rest, []
        return ("", []) if name in _HARMLESS_CELLS else ("\n" + rest, [])
    lines: list[str] = []
    commands: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n")):
        magic = _MAGIC.match(line)
        if magic:
            commands.append((number, magic[3].strip()))
            lines.append(f"{magic[1]}pass")
        else:
            other = _OTHER_MAGIC.match(line)
            lines.append(f"{other[1]}pass" if other else line)
    return "\n".join(lines), commands


def _outputs(cell: dict[str, Any], place: Place) -> Iterator[Fact]:
    for output in cell.get("outputs") or () if isinstance(cell.get("outputs"), list) else ():
        if not isinstance(output, dict):
            continue
        data = output.get("data", output)
        for kind, content in data.items() if isinstance(data, dict) else ():
            text = _text(content)
            if kind in ("application/javascript", "javascript", "text/javascript") and text:
                yield Anomaly(place, "active-content", f"an output runs JavaScript: {text[:300]}")
            elif kind in ("text/html", "html", "image/svg+xml", "svg", "text/markdown") and (found := _SCRIPT.search(text)):
                yield Anomaly(
                    place,
                    "active-content",
                    f"an output of type {kind} carries script: {text[max(found.start() - 20, 0) : found.start() + 300]}",
                )
    attachments = cell.get("attachments")
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        if isinstance(bundle, dict) and any(not str(kind).startswith("image/") or "svg" in str(kind) for kind in bundle):
            yield Anomaly(place, "active-content", f"attachment {str(name)[:100]!r} is no plain image")
