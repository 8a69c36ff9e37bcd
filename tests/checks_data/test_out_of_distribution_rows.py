"""out-of-distribution-rows: mixed rows rank first, and are flagged where known-good rows vouch for the rest."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from toadstone.attacks.attack import Material, named
from toadstone.checks.data.out_of_distribution_rows import OutOfDistributionRows
from toadstone.stats.joint_density import joint_density
from toadstone.study.decision import decide
from toadstone.study.small import study_of
from toadstone.tables.roles import Roles
from toadstone.views.vectors import Features

NAMES = ("a", "b", "c", "town")


def material(rows: int, seed: int = 1) -> Material:
    random = np.random.default_rng(seed)
    base, kind = random.normal(0, 1, rows), random.integers(0, 3, rows)
    columns = {
        "a": base,
        "b": base * (kind - 1) + random.normal(0, 0.1, rows),
        "c": 3.0 * kind + random.normal(0, 0.3, rows),
        "town": np.array(["Aalen", "Bern", "Como"])[np.where(random.random(rows) < 0.9, kind, (kind + 1) % 3)],
        "label": np.array(["x", "y", "z"])[kind],
    }
    return Material(pa.table(columns), Roles(label="label", features=NAMES))


def study(given: Material, **settings):
    return study_of(given.table, [Features()], roles=given.roles, **settings)


@pytest.mark.parametrize("attack", ["shuffled-rows", "foreign-rows"])
def test_odd_rows_rank_first_and_none_is_flagged_without_a_reference(attack):
    bad = named(attack, rate=0.03).poison(material(1200), np.random.default_rng(5))
    given = study(bad.material)
    check = OutOfDistributionRows()
    decision = decide(given, [(check, check.weigh(given))])
    assert not decision.flagged.any()
    threshold = np.quantile(decision.scores[~bad.mask], 0.99)
    assert (decision.scores[bad.mask] > threshold).mean() > 0.6


def test_known_good_rows_vouch():
    good = material(2000, seed=2).table
    bad = named("shuffled-rows", rate=0.08).poison(material(800), np.random.default_rng(5))
    given = study(bad.material, reference=good)
    check = OutOfDistributionRows()
    evidence = check.weigh(given)
    decision = decide(given, [(check, evidence)])
    assert decision.promised
    assert (decision.flagged & bad.mask).sum() > 0.3 * bad.mask.sum()
    assert (decision.flagged & ~bad.mask).sum() <= 0.25 * decision.flagged.sum()
    assert evidence.detectable is not None
    honest = study(material(800), reference=good)
    assert decide(honest, [(check, check.weigh(honest))]).flagged.sum() <= 2


def test_tables_that_say_nothing():
    one = Material(material(200).table, Roles(label="label", features=("a",)))
    assert "one column" in OutOfDistributionRows().weigh(study(one)).idle
    assert "too few" in OutOfDistributionRows().weigh(study(Material(material(20).table, material(20).roles))).idle


def test_missing_and_constant_values_are_finite():
    values = np.random.default_rng(0).normal(size=(200, 4))
    values[:, 1] = np.nan
    values[:, 2] = 1.0
    values[::3, 0] = np.nan
    folds = np.arange(200) % 5
    labels = np.arange(200) % 2 - (np.arange(200) < 10)
    model = joint_density(values, 3, labels, folds, 20, np.random.default_rng(1))
    for odd in model.oddness(values, labels, folds):
        assert np.isfinite(odd).all()
