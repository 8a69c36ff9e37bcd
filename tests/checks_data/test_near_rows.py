"""Floods of copies with a little noise among rows of tables and vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from toadstone.checks.data.near_duplicate_flood import NearDuplicateFlood
from toadstone.core.finding import Severity
from toadstone.stats.local_density import RANKS, excess, near, scale_of
from toadstone.study.decision import Decision, decide
from toadstone.study.small import study_of
from toadstone.study.study import Study
from toadstone.tables.roles import Roles
from toadstone.views.vectors import Features, Vectors


def clusters(rows: int, width: int, seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    random = np.random.default_rng(seed)
    kind = random.integers(0, 6, rows)
    return random.normal(0, 2, (6, width))[kind] + random.normal(0, 0.7, (rows, width)), kind % 3


def flooded(values: Any, labels: Any, copies: int, seeds: int, seed: int = 1) -> np.ndarray[Any, Any]:
    random = np.random.default_rng(seed)
    rows, source = random.choice(len(values), copies, replace=False), random.choice(len(values), seeds, replace=False)
    noise = random.normal(0, 0.02 * values.std(), (copies, values.shape[1]))
    values[rows] = values[source[np.arange(copies) % seeds]] + noise
    labels[rows] = 0
    mask = np.zeros(len(values), bool)
    mask[rows] = True
    return mask


def table(values: Any, labels: Any, **more: Any) -> Study:
    names = tuple(f"x{place}" for place in range(values.shape[1]))
    columns = {**{name: values[:, place] for place, name in enumerate(names)}, **more, "label": labels.astype(str)}
    return study_of(columns, [Features()], roles=Roles(label="label", features=(*names, *more)))


def decided(study: Study) -> Decision:
    check = NearDuplicateFlood()
    return decide(study, [(check, check.weigh(study))])


@pytest.mark.parametrize(("width", "copies", "seeds"), [(4, 40, 1), (12, 40, 4), (40, 40, 1)])
def test_copies_with_noise_are_found_and_nothing_else(width: int, copies: int, seeds: int) -> None:
    values, labels = clusters(1200, width, 3)
    mask = flooded(values, labels, copies, seeds)
    decision = decided(table(values, labels))
    assert decision.flagged[mask].mean() >= 0.9
    assert decision.flagged[~mask].mean() <= 0.005
    assert max(finding.severity for finding in decision.findings) == Severity.HIGH


def test_vectors_are_asked_in_the_same_way() -> None:
    values, labels = clusters(1200, 16, 4)
    mask = flooded(values, labels, 40, 1)
    decision = decided(study_of(pa.table({"embedding": values.tolist(), "label": labels.astype(str)}), [Vectors()]))
    assert decision.flagged[mask].mean() >= 0.9
    assert decision.flagged[~mask].mean() <= 0.005


def test_a_flood_is_found_among_more_rows_than_are_compared() -> None:
    values, labels = clusters(9000, 8, 5)
    mask = flooded(values, labels, 180, 1)
    names = tuple(f"x{place}" for place in range(8))
    columns = {**{name: values[:, place] for place, name in enumerate(names)}, "label": labels.astype(str)}
    study = study_of(columns, [Features()], roles=Roles(label="label", features=names), effort="quick")
    assert decided(study).flagged[mask].mean() >= 0.9


@pytest.mark.parametrize("seed", range(4))
def test_ties_of_discrete_columns_are_no_flood(seed: int) -> None:
    random = np.random.default_rng(seed)
    base = random.integers(0, 3, 1500)
    values = np.stack([np.clip(base + random.choice([-1, 0, 0, 0, 1], 1500), 0, 2) for _ in range(7)], axis=1)
    decision = decided(table(values.astype(np.int64), base % 2))
    assert decision.flagged.mean() <= 0.005
    assert not [finding for finding in decision.findings if finding.severity >= Severity.HIGH]


@pytest.mark.parametrize("seed", range(3))
def test_rows_that_are_mostly_zero_are_no_flood(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.poisson(0.05, (1500, 20)).astype(np.int64)
    decision = decided(table(values, random.integers(0, 2, 1500)))
    assert decision.flagged.mean() <= 0.005


def test_columns_that_say_nothing_do_not_hide_a_flood() -> None:
    values, labels = clusters(1200, 8, 6)
    mask = flooded(values, labels, 40, 1)
    more = {"key": [f"row-{place}" for place in range(1200)], "same": ["x"] * 1200, "none": [None] * 1200}
    values = np.concatenate([values, np.full((1200, 1), np.nan), np.full((1200, 1), 7.0)], axis=1)
    assert decided(table(values, labels, **more)).flagged[mask].mean() >= 0.9


def test_expected_ranks_count_rows() -> None:
    points = np.random.default_rng(0).random((2000, 3)).astype(np.float32)
    scale = scale_of(points, np.arange(2000), 0.1)
    assert 2.0 < scale.dimension < 3.5
    pairs = near(points, scale.reach(8.0))
    counts = np.bincount(pairs.left[scale.ranks(pairs.left, pairs.distances) <= 8.0], minlength=2000)
    assert 4.0 < np.median(counts) < 16.0
    ranks = scale.ranks(pairs.left, pairs.distances)
    assert excess(2000, pairs.left, ranks, ranks).shape == (2000, len(RANKS) + 1)
