from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toadstone.stats.sequential import detectable_rate, log_e_value, log_mean_e


@given(st.integers(1, 40), st.floats(0.001, 0.5))
def test_the_expected_e_value_is_one_under_the_benign_rate(trials, benign):
    """The property that makes it valid, summed over all outcomes."""
    mean = sum(
        math.comb(trials, failures)
        * benign**failures
        * (1 - benign) ** (trials - failures)
        * math.exp(log_e_value(trials, failures, benign))
        for failures in range(trials + 1)
    )
    assert mean == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("benign", [0.01, 0.05, 0.15])
def test_looking_again_and_again_raises_few_false_alarms(benign):
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(200):
        failures = np.cumsum(rng.random(1500) < benign)
        looks = range(10, 1500, 10)
        alarms += any(log_e_value(look, int(failures[look - 1]), benign) >= math.log(20) for look in looks)
    assert alarms <= 20  # at most 5 % of 200, and two standard errors and more


def test_where_nothing_fails_one_failure_is_enough():
    assert log_e_value(1000, 0, 0.0) == 0
    assert log_e_value(1000, 1, 0.0) == math.inf
    assert detectable_rate(299, 0.0, power=0.95) == pytest.approx(0.01, rel=0.01)
    assert detectable_rate(4603, 0.0, power=0.99) == pytest.approx(0.001, rel=0.01)


def test_what_could_be_seen_is_seen():
    rng = np.random.default_rng(1)
    rate = detectable_rate(1000, 0.05)
    assert 0.06 < rate < 0.12
    found = sum(log_e_value(1000, int(rng.binomial(1000, rate)), 0.05) >= math.log(100) for _ in range(400))
    assert 0.85 < found / 400 < 0.97
    assert detectable_rate(0, 0.1) == 1.0


def test_a_mean_of_e_values():
    assert log_mean_e([]) == 0
    assert log_mean_e([0.0, math.inf]) == math.inf
    assert log_mean_e([0.0, 0.0]) == pytest.approx(0)


def test_impossible_counts():
    with pytest.raises(ValueError, match="3 of 2"):
        log_e_value(2, 3, 0.1)
