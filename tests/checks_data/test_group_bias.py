"""Groups: differences are said with their interval, and no row is quarantined."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from toadstone.checks.data.group_bias import GroupBias
from toadstone.core.finding import Severity
from toadstone.stats.proportions import log_difference, newcombe, wilson
from toadstone.study.decision import decide
from toadstone.study.small import study_of
from toadstone.tables.roles import Roles


def test_wilson_and_newcombe_match_the_published_examples():
    # Newcombe 1998 (two proportions), table II: 56/70 against 48/80, method 10
    assert newcombe(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-4)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-4)  # Newcombe 1998 (one proportion), table I
    assert wilson(0, 20)[0] == 0.0
    assert wilson(20, 20)[1] == 1.0
    assert log_difference(5, 10, 50, 100) == 0.0


def rows(rate: float, rare: int = 200) -> dict[str, list]:
    region = ["north"] * 200 + ["south"] * rare
    label = ["yes" if row % 2 else "no" for row in range(200)] + ["yes" if row < rate * rare else "no" for row in range(rare)]
    return {"label": label, "region": region}


def test_a_column_that_is_asked_for():
    study = study_of(rows(0.1))
    (first, *_) = GroupBias(groups=("region",)).examine(study)
    assert first.severity == Severity.LOW
    assert first.evidence["group"]["value"] in ({"region": "south"}, {"region": "north"})
    assert first.evidence["rows"] == 200
    low, high = first.evidence["difference"]
    assert -0.6 < low < high < 0.6
    assert low * high > 0


def test_the_previous_version_is_what_counts():
    same = GroupBias(groups=("region",)).examine(study_of(rows(0.5), baseline=study_of(rows(0.5))))
    assert list(same) == []
    changed = list(GroupBias(groups=("region",)).examine(study_of(rows(0.8), baseline=study_of(rows(0.5)))))
    assert changed[0].severity == Severity.MEDIUM
    gone = list(GroupBias(groups=("region",)).examine(study_of(rows(0.5, 10), baseline=study_of(rows(0.5)))))
    assert any("in the baseline" in finding.message for finding in gone)


def test_no_row_is_quarantined():
    check, study = GroupBias(groups=("region",)), study_of(rows(0.1), baseline=study_of(rows(0.9)))
    decision = decide(study, [(check, check.weigh(study))])
    assert decision.findings
    assert not decision.flagged.any()


def test_samples_are_rows_of_the_group_also_across_fragments():
    data = rows(0.1)
    study = study_of(data)
    finding = next(iter(GroupBias(groups=("region",)).examine(study)))
    (value,) = finding.evidence["group"]["value"].values()
    assert {data["region"][row] for row in finding.evidence["row_sample"]} == {value}


def test_what_cannot_be_compared_is_said():
    assert "no column" in GroupBias(groups=("where",)).weigh(study_of(rows(0.5))).not_run
    assert "named" in GroupBias().weigh(study_of(rows(0.5))).idle
    assert GroupBias(groups=("region",)).weigh(study_of({"label": ["a", "b"], "region": ["x", "y"]})).idle
    many = study_of({"label": ["a", "b"] * 6000, "id": [str(row) for row in range(12_000)]})
    assert GroupBias(groups=("id",)).weigh(many).idle


def test_random_groups_are_silent():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        table = pa.table({"label": rng.integers(2, size=2000), "g": rng.integers(20, size=2000)})
        study = study_of(table, roles=Roles(label="label"))
        assert list(GroupBias(groups=("g",)).examine(study)) == []
