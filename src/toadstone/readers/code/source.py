"""Python source files: what importing or running them does.

Nothing is imported or run: CPython's own parser gives the syntax tree, and names are followed symbolically.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import BudgetError
from toadstone.core.fact import Code, Fact, Member, Moment
from toadstone.readers.reader import Source

LARGEST = 8 << 20
"""Bytes of a source that are read; real ones stay far below."""

_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_PLAIN_CODECS = re.compile(
    r"utf-?8(-sig)?|utf-?7|utf-?16(-?[lb]e)?|u8|(us-)?ascii|latin-?\d+|l1|iso-?8859-\d+(-\w+)?|cp-?\d+|windows-\d+|koi8-[rtu]|gbk?|gb2312|gb18030|big5(hkscs)?|"
    r"euc-?(jp|kr|cn)|shift-?jis|sjis|iso-2022-\w+|johab|mac-?\w*|(raw-)?unicode-escape|hz|tis-620|ptcp154|kz1048"
)
"""Encodings of text, as Python names them; others turn bytes into something else."""

_AT_START = ("sitecustomize.py", "usercustomize.py")


def read(source: Source) -> Iterator[Fact]:
    """Read a Python source; its top level runs on import (at interpreter start for ``sitecustomize``)."""
    at_start = source.name.rsplit("/", 1)[-1].lower() in _AT_START
    yield from _read(source, Moment.LOAD if at_start else Moment.IMPORT)


def read_run(source: Source) -> Iterator[Fact]:
    """Read Python source that loading the artefact runs."""
    yield from _read(source, Moment.LOAD)


def read_used(source: Source) -> Iterator[Fact]:
    """Read Python source that somebody may run later."""
    yield from _read(source, Moment.USE)


def read_packaged(source: Source) -> Iterator[Fact]:
    """Read Python source that the archive around it brings along for its loader."""
    yield from _read(source, Moment.IMPORT, "packed into the archive that is loaded")


def _read(source: Source, moment: Moment, entry: str = "") -> Iterator[Fact]:
    from toadstone.readers.code.reading import Context  # noqa: PLC0415  (the parser is only needed once there is Python)
    from toadstone.readers.code.remote import named_by  # noqa: PLC0415

    raw = source.blob.read(0, min(source.blob.size, LARGEST))
    text, problem = decoded(raw)
    if problem:
        yield source.anomaly("parser-confusion", problem, 0)
        yield source.unread(problem, 0, len(raw))
    named = named_by(source.sibling, source.name)
    entry = f"named by {named}" if named else entry
    prefix = ""
    if entry:
        prefix = "remote-code:"
        yield Code(source.place, "python", source.name, f"remote code, {entry}")
    source.coverage.read(0, len(raw))
    if len(raw) < source.blob.size:
        yield source.unread(
            f"Python source longer than {LARGEST >> 20} MiB; the rest was not read", len(raw), source.blob.size - len(raw)
        )
    yield from facts_of(source, text, Context(source.place, "python", moment, prefix))


def facts_of(source: Source, text: str, context: object) -> Iterator[Fact]:
    """Give the facts of a source text and of the serialised data inside it."""
    from toadstone.readers.code.reading import Context, Reading  # noqa: PLC0415

    assert isinstance(context, Context)
    reading = Reading(context, spend=source.budget.spend_steps)
    try:
        reading.read(text)
    except BudgetError as error:
        yield source.unread(f"Python source was read in part: {error}")
    source.budget.spend_steps(reading.steps)
    yield from reading.facts()
    for line, reason in reading.problems[:20]:
        yield source.unread(reason if line < 0 else f"line {line + 1}: {reason}")
    for item in reading.embedded:
        yield source.member(f"line {item.line + 1}", BytesBlob(item.data), item.hint)
    known = {item.data for item in reading.embedded}
    for hidden in reading.revealing.hidden:
        if hidden.data not in known:
            known.add(hidden.data)
            name = f"line {hidden.line + 1} ({hidden.name})"
            yield Member(source.place, name, BytesBlob(hidden.data), hidden.hint, derived=True)


def decoded(raw: bytes) -> tuple[str, str]:
    """Decode a source as Python does (PEP 263).

    Returns:
        The text, and what is wrong with its encoding; empty if nothing is.
    """
    if raw.startswith(codecs.BOM_UTF8):
        raw = raw[3:]
    for line in raw.split(b"\n", 2)[:2]:
        declared = _CODING.match(line[:400])
        if declared:
            name = declared[1].decode("ascii", "replace").lower()
            if not _PLAIN_CODECS.fullmatch(name.replace("_", "-")):
                return raw.decode("latin-1"), f"source encoding {name[:40]!r} is not decoded"
            return _strictly(raw, name)
        if line.strip() and not line.lstrip().startswith(b"#"):
            break
    return _strictly(raw, "utf-8")


def _strictly(raw: bytes, name: str) -> tuple[str, str]:
    try:
        return raw.decode(name), ""
    except (UnicodeDecodeError, LookupError):
        return raw.decode("latin-1"), "" if name == "utf-8" else f"source does not fit its declared encoding {name!r}"
