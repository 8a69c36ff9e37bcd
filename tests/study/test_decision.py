"""One decision: corrected for everything that was tested, diluted by nothing that is silent."""

from typing import ClassVar

import numpy as np
import pytest

from toadstone.core.finding import Severity
from toadstone.study.check import DataCheck
from toadstone.study.decision import decide, discoveries
from toadstone.study.evidence import Evidence, Group, RowEvidence
from toadstone.study.small import study_of

STUDY = study_of({"text": [f"row {number}" for number in range(100)], "label": ["a", "b"] * 50})


def weigher(name, level=Severity.HIGH):
    class Weigher(DataCheck):
        """Gives what the test wants.

        ## Remedy

        Look at it.
        """

        id: ClassVar[str] = name
        severity: ClassVar[Severity] = level
        references: ClassVar[tuple[str, ...]] = ()

        def weigh(self, study):
            raise NotImplementedError

    return Weigher()


def group(rows, p, value="x", **more):
    rows = np.array(sorted(rows), np.int64)
    settings = {"severity": Severity.HIGH, "message": "These rows are odd.", **more}
    return Group("word", value, rows, len(rows), float(np.log(p)), **settings)


def rows_of(p_values, **more):
    log_p = np.zeros(100)
    for row, p in p_values.items():
        log_p[row] = np.log(p)
    return RowEvidence(log_p, **more)


def test_groups_are_corrected_by_the_number_of_tests():
    evidence = Evidence((group([1, 2], 1e-4),), tests=100)
    assert len(decide(STUDY, [(weigher("one"), evidence)]).findings) == 1
    evidence = Evidence((group([1, 2], 1e-4),), tests=1000)
    decided = decide(STUDY, [(weigher("one"), evidence)])
    assert [finding.severity for finding in decided.findings] == [Severity.LOW]
    assert not decided.flagged.any()


def test_the_rate_is_shared_by_all_checks_that_ran():
    found = Evidence((group([1, 2], 0.02),), tests=1)
    silent = Evidence(tests=1)
    assert len(decide(STUDY, [(weigher("one"), found), (weigher("two"), silent)]).findings) == 1
    decided = decide(STUDY, [(weigher("one"), found), *((weigher(f"w{n}"), silent) for n in range(2))])
    assert not decided.flagged.any()
    left_out = Evidence(not_run="no labels")
    decided = decide(STUDY, [(weigher("one"), found), (weigher("two"), left_out), (weigher("three"), left_out)])
    assert len(decided.findings) == 1
    assert decided.not_run == {"two": "no labels", "three": "no labels"}


def test_what_is_near_is_shown_and_ranks_rows_but_flags_none():
    evidence = Evidence(tuple(group([number], 0.006 * (number + 1), str(number)) for number in range(8)), tests=10)
    decided = decide(STUDY, [(weigher("one"), evidence)])
    assert [finding.evidence["group"]["value"] for finding in decided.findings] == ["0", "1", "2"]
    assert {finding.severity for finding in decided.findings} == {Severity.LOW}
    assert decided.findings[0].message == "Not significant, but the nearest to it: these rows are odd."
    assert np.argsort(-decided.scores)[0] == 0
    assert not decided.flagged.any()


def test_a_check_with_many_groups_does_not_pay_for_listing_them():
    groups = tuple(group([number], 1e-5 if number == 0 else 0.4, str(number)) for number in range(40))
    assert decide(STUDY, [(weigher("one"), Evidence(groups, tests=1000))]).flagged.nonzero()[0].tolist() == [0]


def test_what_is_merely_worth_knowing_makes_no_alarm_easier():
    known = Evidence((group([3], 1e-30, severity=Severity.INFO),), tests=1)
    doubtful = Evidence((group([1, 2], 0.02),), tests=1)
    weighed = [(weigher("a"), doubtful), *((weigher(f"known{n}"), known) for n in range(3))]
    assert not decide(STUDY, weighed).flagged[[1, 2]].any()


def test_groups_with_mostly_the_same_rows_are_one():
    groups = (group(range(10), 1e-12, "a b"), group(range(1, 10), 1e-9, "b"), group(range(50, 60), 1e-9, "c"))
    findings = decide(STUDY, [(weigher("one"), Evidence(groups, tests=3))]).findings
    assert [(finding.evidence["group"]["value"], finding.evidence.get("also")) for finding in findings] == [
        ("a b", ["b"]),
        ("c", None),
    ]


def test_at_most_twenty_groups_are_reported():
    groups = tuple(group([number], 1e-12, str(number)) for number in range(60))
    assert len(decide(STUDY, [(weigher("one"), Evidence(groups, tests=60))]).findings) == 20


def test_structural_evidence_ranks_first_and_silent_checks_do_not_dilute_it():
    weighed = [
        (weigher("groups"), Evidence((group([5, 6], 1e-6),), tests=1)),
        (weigher("rows"), Evidence(rows=rows_of({7: 1e-30, 8: 0.01, 5: 0.5}))),
        (weigher("silent"), Evidence(rows=rows_of({}))),
    ]
    decided = decide(STUDY, weighed)
    assert set(np.argsort(-decided.scores)[:2]) == {5, 6}
    assert decided.scores[5] > decided.scores[6] > decided.scores[7] > decided.scores[8] > decided.scores[9]
    assert decided.flagged.nonzero()[0].tolist() == [5, 6, 7]
    assert dict(zip(decided.checks, [rows.tolist() for rows in decided.flags], strict=True)) == {"groups": [5, 6], "rows": [7]}
    assert decided.p_values[7] == pytest.approx(3e-30)


def test_what_is_only_reported_is_not_flagged():
    decided = decide(STUDY, [(weigher("one"), Evidence((group([1, 2], 1e-9, rows_stand=False),), tests=1))])
    assert len(decided.findings) == 1
    assert not decided.flagged.any()


def test_rows_alone_are_at_most_medium_and_not_told_twice():
    evidence = Evidence((group([1, 2], 1e-9),), rows_of({1: 1e-9, 2: 1e-9, 3: 1e-9}), tests=1)
    findings = decide(STUDY, [(weigher("one"), evidence)]).findings
    assert [(finding.severity, finding.evidence["rows"]) for finding in findings] == [(Severity.HIGH, 2), (Severity.MEDIUM, 1)]


def test_proposals_come_with_what_is_flagged_only():
    proposals = np.full(100, 1, np.int32)
    evidence = Evidence((group([1], 1e-9, relabel="a"),), rows_of({3: 1e-9}, proposals=proposals), tests=1)
    decided = decide(STUDY, [(weigher("one"), evidence)])
    assert {row: int(code) for row, code in enumerate(decided.proposals) if code >= 0} == {1: 0, 3: 1}


def test_a_rate_is_promised_only_by_known_good_rows():
    assert decide(STUDY, [(weigher("one"), Evidence(rows=rows_of({}, promised=True)))]).promised
    assert not decide(STUDY, [(weigher("one"), Evidence(rows=rows_of({})))]).promised
    assert not decide(STUDY, [(weigher("one"), Evidence(tests=5))]).promised


def test_discoveries_keep_the_rate_under_the_null():
    random = np.random.default_rng(0)
    false = sum(len(discoveries(np.log(random.random(200)), 0.05)) > 0 for _ in range(400))
    assert false / 400 < 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5


def test_discoveries_of_nothing():
    assert len(discoveries(np.zeros(0), 0.05)) == 0
    assert len(discoveries(np.zeros(5), 0.05)) == 0


def test_what_only_orders_rows_takes_no_share_of_the_rate_and_flags_nothing():
    flagging = (weigher("one"), Evidence(rows=rows_of({3: 4e-4})))
    orders = (weigher("two"), Evidence(rows=rows_of({5: 1e-9}, weight=0.0)))
    shares = (weigher("three"), Evidence(rows=rows_of({7: 0.9}, weight=0.5)))
    assert decide(STUDY, [flagging, orders]).flagged.nonzero()[0].tolist() == [3]
    assert decide(STUDY, [flagging, orders]).scores[5] > decide(STUDY, [flagging, orders]).scores[3]
    assert not decide(STUDY, [flagging, shares]).flagged.any()


def test_the_rate_is_promised_when_known_good_rows_answer_for_what_is_flagged():
    promised = (weigher("one"), Evidence(rows=rows_of({3: 1e-4}, promised=True)))
    silent = (weigher("two"), Evidence(rows=rows_of({})))
    other = (weigher("three"), Evidence(rows=rows_of({5: 1e-6})))
    assert decide(STUDY, [promised, silent]).promised
    assert not decide(STUDY, [promised, other]).promised
