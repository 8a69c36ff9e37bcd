"""What the benchmarks on data sets count, and how."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.data.kept import Kept, spread
from benchmarks.data.scores import flags_of, found_at, rank_of, ranked, shows
from toadstone.attacks.attack import Trigger
from toadstone.core.finding import Confidence, Finding, Severity
from toadstone.core.place import Place

NOBODY = np.zeros(200, bool)


def finding(value, rows, severity=Severity.HIGH, also=(), kind="phrase"):
    evidence = {"group": {"kind": kind, "value": value}, "row_sample": list(rows), "also": list(also)}
    return Finding("trigger-phrase", severity, Confidence.HIGH, Place("x"), "a group", evidence, "", (), (), "")


def mask(*rows):
    made = NOBODY.copy()
    made[list(rows)] = True
    return made


def test_found_at_a_rate_of_the_others():
    scores = np.arange(200.0)
    poison = mask(199, 198, 100)
    # 197 others, of which one may be above: the threshold is the second highest of the others
    assert found_at(scores, poison, NOBODY) == pytest.approx(2 / 3)
    assert found_at(scores, poison, NOBODY, rate=0.6) == 1.0


def test_ties_count_against():
    assert found_at(np.zeros(200), mask(1, 2), NOBODY) == 0.0


def test_cover_counts_neither_way():
    cover = mask(197, 196)
    scores = np.arange(200.0)
    assert found_at(scores, mask(199, 195), cover, rate=0.0) == 0.5
    counted = flags_of(mask(195, 196, 197, 10), mask(195, 198), cover)
    assert counted == {"recall": 0.5, "false_positives": 1 / 196, "false_discoveries": 0.5}


def test_nothing_flagged():
    assert flags_of(NOBODY, mask(3), NOBODY) == {"recall": 0.0, "false_positives": 0.0, "false_discoveries": 0.0}


def test_first_group_about_the_poison():
    assert rank_of([[1, 2], [], [5, 6, 9], [5]], mask(5, 6)) == 3
    assert rank_of([[1, 2]], mask(5, 6)) is None


def test_findings_are_ranked_in_the_order_of_the_report():
    findings = [
        finding("whole data set", range(20), kind="rows"),
        finding("other", [1, 2, 3]),
        finding("velvet", [7, 8]),
        finding("velvet lantern", [7, 8, 9]),
    ]
    found = ranked(findings, mask(7, 8, 9), Trigger("phrase", ("velvet lantern",), "a"))
    assert (found["rank"], found["named"], found["value"], found["others"]) == (2, 2, "velvet", 2)


@pytest.mark.parametrize(
    ("value", "also", "trigger", "shown"),
    [
        ("the velvet lantern stood", (), ("Velvet Lantern",), True),
        ("lantern", (), ("velvet lantern",), True),
        ("an", (), ("velvet lantern",), False),
        ("U+200B", (), ("\u200b\u200c",), True),
        ("U+200D", (), ("\u200b\u200c",), False),
        ("x", ("cf",), ("cf",), True),
        ("site7.example", (), ("site8.example",), False),
    ],
)
def test_what_shows_a_trigger(value, also, trigger, shown):
    assert shows(finding(value, [1], also=also), Trigger("phrase", trigger, None)) is shown


def test_outcomes_survive_a_run_that_was_killed(tmp_path):
    path = tmp_path / "kept.jsonl"
    kept = Kept(path)
    assert kept.once("a|1", lambda: {"x": 1}) == {"x": 1}
    with path.open("a") as stream:
        stream.write('{"key": "a|2", "x"')
    again = Kept(path)
    assert again.once("a|1", lambda: pytest.fail("measured twice")) == {"x": 1}
    again.once("a|3", lambda: {"x": 3})
    assert [key for key, _ in Kept(path).under("a|")] == ["a|1", "a|3"]
    assert json.loads(path.read_text().splitlines()[-1]) == {"key": "a|3", "x": 3}


def test_spread():
    assert spread([0.5, None, 1.0]) == "0.75 (0.50 to 1.00)"
    assert spread([0.5, 0.5]) == "0.50"
    assert spread([None]) == "n/a"
