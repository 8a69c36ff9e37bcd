"""Jupyter notebooks: code cells, magics, and outputs that run script in the reader's browser.

Format: nbformat 3 and 4 (JSON). Cells run when the user runs them, in one session; IPython's own syntax is read
as the calls that it stands for (`toadstone.readers.code.magics`), and a file that a cell writes is read as a file.
"""

# ruff: noqa: ANN401  (JSON values)
from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from toadstone.core.blob import BytesBlob
from toadstone.core.fact import Anomaly, Fact, Member, Moment
from toadstone.core.place import Place
from toadstone.readers.reader import Source

if TYPE_CHECKING:
    from toadstone.readers.code.session import Session

LARGEST = 64 << 20
_CELLS = 20_000
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
    yield from _code(source, cells[:_CELLS], python=_is_python(document))
    for number, cell in enumerate(cells[:_CELLS]):
        if isinstance(cell, dict):
            yield from _outputs(cell, source.place.inside(f"cell {number + 1}"))


_OTHERS = frozenset(
    "julia r scala javascript typescript rust c++ c java go sql perl ruby haskell octave matlab sas stata c# f# powershell kotlin"
    " lua swift ocaml clojure".split()
)


def _is_python(document: dict[str, Any]) -> bool:
    """Whether the kernel that the notebook asks for speaks Python, as far as is known."""
    metadata = document.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    return not (isinstance(kernel, dict) and str(kernel.get("language", "")).lower() in _OTHERS)


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


def _code(source: Source, cells: list[Any], *, python: bool) -> Iterator[Fact]:
    """Code cells share one namespace, so they are read as one program, cell by cell.

    Those of other languages are read in the same way, since the user may choose a kernel; that they are no Python is no gap.
    """
    from toadstone.readers.code.magics import as_python  # noqa: PLC0415
    from toadstone.readers.code.reading import Context  # noqa: PLC0415
    from toadstone.readers.code.session import PRELUDE, Session  # noqa: PLC0415

    reading = Session(Context(source.place, "notebook", Moment.USE), spend=source.budget.spend_steps)
    reading.read(PRELUDE)
    _forget(reading)
    for number, cell in enumerate(cells):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        if source.budget.crowded():
            yield source.unread(f"the code from cell {number + 1} on was not read: there are more findings than anybody reads")
            return
        place = source.place.inside(f"cell {number + 1}")
        reading.context.place = place
        reading.read(as_python(_text(cell.get("source", cell.get("input")))))
        yield from reading.facts()
        for line, reason in reading.problems[:3] if python else ():
            yield source.unread(f"cell {number + 1}, line {line + 1}: {reason}")
        for item in reading.embedded:
            yield source.member(f"cell {number + 1}", BytesBlob(item.data), item.hint)
        for name, content in reading.files:
            yield source.member(f"cell {number + 1}/{name}", BytesBlob(content.encode("utf-8", "surrogatepass")))
        for hidden in reading.revealing.hidden:
            name = f"cell {number + 1} ({hidden.name})"
            yield Member(source.place, name, BytesBlob(hidden.data), hidden.hint, derived=True)
        _forget(reading)


def _forget(reading: Session) -> None:
    """Drop what one cell gave, so that the next gives only its own; names stay bound."""
    for unit in reading.units:
        unit.records.clear()
    reading.units.clear()
    reading.problems.clear()
    reading.embedded.clear()
    reading.files.clear()
    reading.revealing.forget()


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
