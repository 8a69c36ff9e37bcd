"""Drift of columns: what changed is said, two samples of the same are silent."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from toadstone.checks.data.schema_drift import SchemaDrift
from toadstone.core.finding import Severity
from toadstone.study.profile import apart, described
from toadstone.study.small import study_of


def table(seed: int, rows: int = 400, **changed) -> pa.Table:
    rng = np.random.default_rng(seed)
    columns = {
        "label": rng.choice(["a", "b", "c"], rows).tolist(),
        "text": ["word " * int(size) for size in rng.integers(5, 60, rows)],
        "age": rng.normal(40, 9, rows),
        "count": rng.integers(0, 9, rows),
        "when": [
            dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=int(hour)) for hour in rng.integers(9000, size=rows)
        ],
        "flag": rng.integers(2, size=rows).astype(bool),
    }
    return pa.table(columns | changed)


def found(new: pa.Table, old: pa.Table) -> list[tuple[Severity, str]]:
    findings = list(SchemaDrift().examine(study_of(new, baseline=study_of(old))))
    assert all(finding.severity < Severity.HIGH for finding in findings)
    return [(finding.severity, finding.message) for finding in findings]


@pytest.mark.parametrize("seed", range(10, 16))
def test_samples_of_the_same_are_silent(seed):
    assert found(table(seed), table(seed + 60, 700)) == []


def test_columns_that_come_and_go_and_change():
    new = table(1).drop_columns(["age"]).append_column("extra", pa.array([1] * 400))
    messages = {message: severity for severity, message in found(new, table(2))}
    assert messages["The column 'age' is gone."] == Severity.MEDIUM
    assert messages["The column 'extra' is new."] == Severity.LOW
    ((severity, message),) = found(table(1, count=["3"] * 400), table(2))
    assert severity == Severity.MEDIUM
    assert "'count' holds string, before int64" in message


def test_widths_of_types_do_not_matter():
    new = table(1)
    position = new.schema.get_field_index("text")
    assert found(new.set_column(position, "text", new["text"].cast(pa.large_string())), table(2)) == []


def test_labels():
    rng = np.random.default_rng(0)
    shifted = found(table(1, label=rng.choice(["a", "b", "c"], 400, p=[0.6, 0.2, 0.2]).tolist()), table(2))
    assert any("label is 'a'" in message for _, message in shifted)
    added = found(table(1, label=["d" if row < 8 else "abc"[row % 3] for row in range(400)]), table(2))
    assert (Severity.MEDIUM, "The label 'd' is new, in 8 rows.") in added


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("text", ["word " * 200] * 400),
        ("age", [70.0] * 400),
        ("age", [float("nan") if row % 3 else 40.0 for row in range(400)]),
        ("count", [8] * 400),
        ("flag", [True] * 400),
        ("when", [dt.datetime(2030, 1, 1, tzinfo=dt.UTC)] * 400),
    ],
)
def test_spreads_and_missing_values(column, value):
    assert any(column in message for _, message in found(table(1, **{column: value}), table(2)))


def test_without_a_baseline_or_rows():
    assert SchemaDrift().weigh(study_of(table(1))).not_run
    empty = pa.table({"label": pa.array([], pa.string())})
    assert found(empty, pa.table({"label": ["a"]})) == []


def test_every_type_is_described():
    columns = [
        pa.array([1, None, 3], pa.int8()),
        pa.array([float("inf"), 1.5, None]),
        pa.array([dt.date(2020, 1, 1), None]),
        pa.array([dt.time(1, 2), None]),
        pa.array([dt.timedelta(1), None]),
        pa.array(["a", "", None]).dictionary_encode(),
        pa.array([b"a", None]),
        pa.array([[1], None]),
        pa.array([{"a": 1}, None]),
        pa.array([True, None]),
        pa.array([None, None]),
        pa.array([-(2**62), 2**62]),
    ]
    assert [described(column).missing for column in columns] == [1, 2, 1, 1, 1, 2, 1, 1, 1, 1, 2, 0]


def test_apart_is_a_distance():
    assert apart({1: 5, 2: 5}, {1: 50, 2: 50})[0] == 0.0
    assert apart({1: 10}, {5: 10})[0] == 1.0
    assert apart({}, {5: 10}) == (0.0, 0.0)
