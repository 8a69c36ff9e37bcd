"""Fields that some program acts on: pickles, formulas of spreadsheets, scripts, expressions of templates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from toadstone.core.blob import BytesBlob
from toadstone.core.budget import Budget, BudgetError
from toadstone.core.fact import Anomaly, Call, Import, Unread
from toadstone.core.finding import Severity
from toadstone.core.place import Place
from toadstone.engine.arrow import compute as pc
from toadstone.readers.pickle import held_pickle, read
from toadstone.readers.reader import Source
from toadstone.study.fields import Find, Rows
from toadstone.symbols.judgement import judge_call, judge_import, runs_while_loading

_INTERPRETED = 20_000
"""Pickles of a part of a column that are followed."""
_SHOWN = 160

_FUNCTION = (
    r"(?:SUM|IF|CONCAT|CONCATENATE|CHAR|CELL|INDIRECT|LOOKUP|VLOOKUP|INFO|HYPERLINK|IMAGE|WEBSERVICE|FILTERXML|RTD|DDE|CALL|EXEC"
    r"|REGISTER(?:\.ID)?|IMPORT(?:XML|DATA|HTML|FEED|RANGE))"
)
_LEAD = r"^[\t\r\n \x{FEFF}]*[\"']?[=+\-@]"
_RE2: dict[str, tuple[str, Severity]] = {
    "formula that runs a program": (
        _LEAD + r"[^\n]*(?:\|[ \t]*'[^\n']*'[ \t]*![A-Za-z$]|\b(?i:CALL|EXEC|REGISTER(?:\.ID)?|DDE)\([ \t]*\")",
        Severity.HIGH,
    ),
    "formula that sends or fetches": (
        _LEAD + r"[^\n]*\b(?i:HYPERLINK|IMAGE|WEBSERVICE|RTD|IMPORT(?:XML|DATA|HTML|FEED|RANGE))\(",
        Severity.MEDIUM,
    ),
    "formula": (r"^[\t\r\n ]*(?:=[ \t]*[-+@(]?[A-Z][A-Z0-9.]{1,30}\(|[+\-@][ \t]*" + _FUNCTION + r"\()", Severity.LOW),
    "look-up that loads code": (r"(?i)\$\{[^}\n]*jndi[^}\n]*:[^}\n]*(?:ldaps?|rmi|dns|iiop)", Severity.MEDIUM),
    "template that escapes": (
        r"\{\{[^}\n]*(?:__(?:class|globals|subclasses|import|builtins|mro|base)__|\bpopen\b)|\{%[^%\n]*__(?:class|import)__",
        Severity.MEDIUM,
    ),
    "expression that runs a program": (
        (
            r"^[ \t(]*(?:__import__\([ \t]*['\"](?:os|subprocess|pty|socket|builtins)"
            r"|(?:eval|exec)\([^\n]*(?:__import__|base64|urlopen))[^\n]*\)[ \t]*$"
        ),
        Severity.MEDIUM,
    ),
    "script": (
        (
            r"(?i)<script[\s>/]|<(?:iframe|object|embed|svg|img|body)\b[^>]*(?:\bon[a-z]{3,20}\s*=|javascript:)"
            r"|^[ \t]*(?:javascript|vbscript):|^[ \t]*data:text/html"
        ),
        Severity.MEDIUM,
    ),
}
"""Kinds of active text: what Arrow's RE2 finds, and how bad it is in a short field."""
_PICKLED = r"^(?:gA[I-X]|eJ|eN|H4sI|80[0]?[2-5])[0-9A-Za-z+/_\-]{20,}"
_HEADS = frozenset(b"c(]})lpdiVSFIJKMNTX")
"""First bytes of pickles without a header, as far as they are of use."""


@dataclass(frozen=True)
class Active:
    """Finds active fields; in prose and in text of markup or code (long fields) they are only material."""

    longest: int = 300
    """Characters up to which a field is a value rather than a text."""

    def texts(self, column: str, values: pa.Array, rows: Rows) -> Iterator[Find]:
        """Find formulas, scripts, templates and pickles in Base64."""
        lengths = np.asarray(pc.binary_length(values).to_numpy(zero_copy_only=False), np.int64)
        short = bool(np.median(lengths) <= self.longest)
        for kind, (pattern, severity) in _RE2.items():
            found = np.flatnonzero(np.asarray(pc.match_substring_regex(values, pattern).to_numpy(zero_copy_only=False), bool))
            if len(found):
                weight = severity if short or kind.startswith("formula") else Severity.INFO
                yield Find(column, kind, "", rows[found], _shown(_written(values[int(found[0])])), int(weight))
        coded = np.flatnonzero(np.asarray(pc.match_substring_regex(values, _PICKLED).to_numpy(zero_copy_only=False), bool))
        yield from _pickles(column, [(int(rows[at]), _raw(values[at])) for at in coded[:_INTERPRETED].tolist()], coded=True)

    def binaries(self, column: str, values: pa.Array, rows: Rows) -> Iterator[Find]:
        """Find pickles."""
        maybe = [at for at, head in enumerate(pc.binary_slice(values, 0, 2).to_pylist()) if _may_begin(head)]
        fields = [(int(rows[at]), values[at].as_py()) for at in maybe[:_INTERPRETED]]
        yield from _pickles(column, fields, coded=False)
        if len(maybe) > _INTERPRETED:
            late = np.array([int(rows[at]) for at in maybe[_INTERPRETED:]], np.int64)
            yield Find(column, "pickle", "not followed: too many", late, "", int(Severity.LOW))


def _may_begin(head: bytes) -> bool:
    return len(head) == 2 and (
        (head[0] == 0x80 and head[1] <= 5) or head[0] in _HEADS or head in (b"\x1f\x8b", b"x\x9c", b"x\xda")
    )


def _pickles(column: str, fields: list[tuple[int, bytes]], *, coded: bool) -> Iterator[Find]:
    """Follow what may be a pickle, and say what loading it would do."""
    by_judgement: dict[tuple[str, int], list[tuple[int, bytes]]] = {}
    for row, content in fields:
        said = _judged(content, coded=coded)
        if said is not None:
            by_judgement.setdefault(said, []).append((row, content))
    for (told, weight), members in sorted(by_judgement.items()):
        rows = np.array([row for row, _ in members], np.int64)
        yield Find(column, "pickle", told, rows, repr(members[0][1][:_SHOWN]), weight)


def _judged(content: bytes, *, coded: bool) -> tuple[str, int] | None:
    """Say what loading a value would do, and how bad that is; None for what is no pickle."""
    budget = Budget.of(len(content))
    place = Place("")
    source = Source(BytesBlob(content), "value", place, budget)
    try:
        plain = not coded and (content[0] == 0x80 or content[0] in _HEADS)
        if not plain:
            held = held_pickle(source, source.blob, 0, len(content))
            if held is None:
                return None
            source = Source(held[0], "value", place, budget)
        facts = list(read(source))
    except BudgetError:
        return "not followed: too costly", int(Severity.MEDIUM)
    worst: tuple[int, str] = (-1, "")
    acts = False
    for fact in facts:
        if isinstance(fact, (Import, Call)) and runs_while_loading(fact):
            acts = True
            judged = judge_import(fact) if isinstance(fact, Import) else judge_call(fact)
            if judged is not None and int(judged.severity) > worst[0]:
                worst = (int(judged.severity), f"loading {judged.why}")
    if worst[0] >= int(Severity.HIGH):
        return worst[1][:300], int(Severity.HIGH)
    if any(isinstance(fact, (Anomaly, Unread)) for fact in facts):
        return None  # other content that begins like a pickle
    if worst[0] > 0:
        return worst[1][:300], int(Severity.MEDIUM)
    header = content[:1] == b"\x80" or not plain
    return ("objects of known kinds" if acts else "plain values", int(Severity.LOW)) if acts or (header and not coded) else None


def _raw(value: pa.Scalar) -> bytes:
    return bytes(value.as_buffer().to_pybytes())


def _written(value: pa.Scalar) -> str:
    return _raw(value).decode("utf-8", "replace")


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + " …"


FORMULA = re.compile("^formula")
"""Kinds that only spreadsheets act on."""
