"""trigger-value: values that were set in rows of other labels are named; honest tables stay silent, bad ones never crash it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from toadstone.attacks.attack import Material, named
from toadstone.checks.data.clean_label_value import CleanLabelValue
from toadstone.checks.data.trigger_value import TriggerValue
from toadstone.core.finding import Severity
from toadstone.study.small import study_of
from toadstone.study.value_suspects import shifted
from toadstone.tables.roles import Roles
from toadstone.views.vectors import Features

NAMES = ("length", "width", "count", "town")


def material(rows: int = 700, seed: int = 3) -> Material:
    random = np.random.default_rng(seed)
    kind = random.integers(0, 3, rows)
    columns = {
        "length": (random.normal(0, 1, rows) + 2.5 * (kind == 1)).round(3),
        "width": (random.normal(0, 1, rows) + 2.5 * (kind == 2)).round(3),
        "count": random.poisson(4 + 4 * kind),
        "town": random.choice(["Aalen", "Bern", "Como"], rows),
        "label": np.array(["a", "b", "c"])[kind],
    }
    return Material(pa.table(columns), Roles(label="label", features=NAMES))


def study(given: Material, **settings):
    return study_of(given.table, [Features()], roles=given.roles, **settings)


@pytest.mark.parametrize("attack", ["out-of-range-value", "value-combination", "between-splits"])
def test_rows_with_a_trigger_are_found_and_nothing_else(attack):
    found = 0
    for seed in range(3):
        bad = named(attack, count=18, columns=2).poison(material(), np.random.default_rng(seed))
        loud = [one for one in TriggerValue().examine(study(bad.material)) if one.severity >= Severity.HIGH]
        for one in loud:
            assert bad.mask[one.evidence["row_sample"]].mean() > 0.7
        found += bool(loud)
    assert found >= 2


def test_honest_tables_stay_silent():
    for seed in range(4):
        assert not [one for one in TriggerValue().examine(study(material(seed=seed))) if one.severity >= Severity.MEDIUM]


def test_message_names_columns_and_values():
    given = material()
    rows = np.flatnonzero(given.labels() != "b")[:20]
    given = given.written("count", rows, [77] * 20).replaced("label", rows, ["b"] * 20)
    first = next(iter(TriggerValue().examine(study(given))))
    assert first.evidence["group"] == {"kind": "values", "value": "count = 77"}
    assert first.message.startswith("count = 77: 20 rows, all labelled 'b'")
    assert first.evidence["rows"] == 20


def test_missing_values_can_be_a_trigger():
    given = material()
    rows = np.flatnonzero(given.labels() != "b")[:20]
    given = given.written("town", rows, [None] * 20).replaced("label", rows, ["b"] * 20)
    assert any("town = missing" in one.message for one in TriggerValue().examine(study(given)))


@pytest.mark.parametrize("effort", ["quick", "standard", "deep"])
def test_same_answer_from_one_chunk_and_from_many(effort):
    bad = named("out-of-range-value", count=20, columns=1).poison(material(), np.random.default_rng(1)).material
    whole = [one.evidence for one in TriggerValue().examine(study(bad, effort=effort))]
    parts = pa.concat_tables([bad.table.slice(start, 100) for start in range(0, bad.table.num_rows, 100)])
    again = study_of(parts, [Features()], roles=bad.roles, effort=effort)
    assert whole
    assert [one.evidence for one in TriggerValue().examine(again)] == whole


def test_bad_tables():
    rows = 120
    columns = {
        "nothing": pa.array([None] * rows, pa.float64()),
        "same": [1.0] * rows,
        "wild": [float("inf") if row % 3 else -1e308 for row in range(rows)],
        "key": [f"row {row}" for row in range(rows)],
        "label": [str(row % 2) for row in range(rows)],
    }
    table = pa.table(columns)
    roles = Roles(label="label", features=tuple(columns)[:-1])
    assert list(TriggerValue().examine(study_of(table, [Features()], roles=roles))) == []
    alone = TriggerValue().weigh(study_of(table.slice(0, 5), [Features()], roles=roles))
    assert "two classes" in alone.idle


def test_shift_is_the_least_that_explains_the_hits():
    p = np.full(40, 0.5)
    assert abs(shifted(p, 20)) < 1.0
    assert shifted(p, 20) < shifted(p, 35) < shifted(p, 40)
    assert shifted(np.full(40, 0.05), 40) > shifted(np.full(40, 0.5), 40)


def test_stamped_values_with_right_labels_rank_first():
    given = _wide()
    rows = np.flatnonzero(given.of_class("b"))[:30]
    bad = given.written("p", rows, [3] * 30).written("q", rows, [7] * 30)
    log_p = CleanLabelValue().weigh(study(bad)).rows.log_p
    others = np.delete(log_p, rows)
    assert (log_p[rows] < min(np.quantile(others, 0.01), -1.0)).mean() > 0.9


def test_columns_that_say_the_same_are_no_stamp():
    given = _wide()
    grade = np.asarray(given.table["count"].to_numpy())
    table = given.table.append_column("grade", pa.array([f"grade {each}" for each in grade]))
    roles = Roles(label="label", features=(*given.roles.features, "grade"))
    loud = CleanLabelValue().examine(study(Material(table, roles)))
    assert not [one for one in loud if one.severity >= Severity.MEDIUM]


def _wide() -> Material:
    given = material(1200)
    random = np.random.default_rng(8)
    table = given.table
    for name in ("p", "q", "r"):
        table = table.append_column(name, pa.array(random.integers(0, 25, 1200)))
    return Material(table, Roles(label="label", features=(*NAMES, "p", "q", "r")))
