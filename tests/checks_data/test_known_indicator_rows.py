"""Known indicators in rows: found in every column, with their source; ordinary addresses are not reported."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from toadstone.checks.data.known_indicator_rows import KnownIndicatorRows
from toadstone.core.finding import Severity
from toadstone.study.decision import decide
from toadstone.study.fields import leaves
from toadstone.study.small import study_of
from toadstone.verbs.intel import import_list

HOST = "wheezy" + ".io"


def found(columns, **settings):
    return list(KnownIndicatorRows(**settings).examine(study_of(pa.table(columns))))


def test_links_in_any_column_are_found_and_their_rows_quarantined():
    table = pa.table(
        {"text": ["a b", "c d", "e f"], "meta": [{"link": None}, {"link": f"https://q.{HOST}/x"}, {"link": "http://example.org"}]}
    )
    study, check = study_of(table), KnownIndicatorRows()
    decision = decide(study, [(check, check.weigh(study))])
    (finding,) = decision.findings
    assert finding.severity == Severity.HIGH
    assert finding.evidence["row_sample"] == [1]
    assert finding.evidence["column"] == "meta.link"
    assert finding.indicators[0].intel
    assert decision.flagged.tolist() == [False, True, False]


def test_a_bare_name_and_a_defanged_one():
    assert [finding.severity for finding in found({"text": [f"they called {HOST} at night"]})] == [Severity.MEDIUM]
    assert [finding.severity for finding in found({"text": [f"they called {HOST.replace('.', '[.]')} at night"]})] == [
        Severity.LOW
    ]


def test_rows_of_one_indicator_are_one_group():
    rows = [f"see http://{HOST}/{row % 2} now" if row % 3 == 0 else "plain" for row in range(30)]
    groups = {str(finding.evidence["group"]["value"]): finding.evidence["rows"] for finding in found({"text": rows})}
    assert groups == {f"http://{HOST}/0": 5, f"http://{HOST}/1": 5}


@pytest.mark.parametrize(
    "text",
    [
        "https://www.example.org/a?b=c.d",
        "mail jo@example.net",
        "version 1.2.3.4",
        "std::vector<int>",
        "10.0.0.1",
        "f" * 64,
        "a.b" * 5000,
    ],
)
def test_ordinary_addresses_are_silent(text):
    assert found({"text": [text]}) == []


def test_a_list_of_the_user(tmp_path):
    lines = tmp_path / "mine.txt"
    lines.write_text("bad.example\n192.0.2.7\n", encoding="utf-8")
    import_list(lines, tmp_path / "lists", dt.date(2026, 1, 1), name="mine")
    columns = {"text": ["see http://x.bad.example/", "call 192.0.2.7:4444 now", "fine"]}
    findings = found(columns, folder=str(tmp_path / "lists"))
    assert {row for finding in findings for row in finding.evidence["row_sample"]} == {0, 1}
    assert all(finding.evidence["sources"] == ["mine"] for finding in findings)
    assert found(columns, folder=str(tmp_path / "lists"), ignore=frozenset({"mine"})) == []


def test_leaves_of_nested_columns_keep_their_rows():
    nested = pa.array([["a", None], None, ["b"]])
    (part,) = leaves("n", nested, pa.array([0, 1, 2]).to_numpy())
    assert part[1].to_pylist() == ["a", "b"]
    assert part[2].tolist() == [0, 2]
    sliced = pa.array([[{"x": "a"}], [{"x": "b"}, {"x": None}]]).slice(1)
    ((name, values, rows),) = leaves("n", sliced, pa.array([7]).to_numpy())
    assert (name, values.to_pylist(), rows.tolist()) == ("n.x", ["b"], [7])
    assert list(leaves("v", pa.array([[1.0], [2.0]]), pa.array([0, 1]).to_numpy())) == []
    assert list(leaves("v", pa.array([None, None], pa.string()), pa.array([0, 1]).to_numpy())) == []
