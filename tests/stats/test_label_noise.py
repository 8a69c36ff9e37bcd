from __future__ import annotations

import numpy as np
import pytest

from toadstone.stats.cross_fit import naive_bayes, ridge, ridge_by_moments
from toadstone.stats.label_noise import calibrate, cautious, directed, fitted, log_softmax, symmetric
from toadstone.stats.null import LIMIT, Tail, anchored, conformal, histogram


def judged(rows, classes, rng, sharpness=2.0):
    """Scores of two classifiers that are calibrated once their sum is doubled, and labels drawn from them."""
    truth = rng.normal(0, 2, (rows, classes))
    chances = np.exp(log_softmax(sharpness * truth))
    labels = (rng.random(rows)[:, None] > chances.cumsum(1)).sum(1)
    noise = rng.normal(0, 0.3, (rows, classes))
    return np.stack([truth + noise, truth - noise]), labels


@pytest.mark.parametrize("classes", [2, 4])
def test_scales_and_rate_are_recovered(classes):
    rng = np.random.default_rng(1)
    scores, labels = judged(6000, classes, rng)
    clean = calibrate(scores, labels)
    assert clean.scales == pytest.approx([1.0, 1.0], abs=0.25)
    assert clean.rate < 0.01
    wrong = rng.random(6000) < 0.1
    flipped = np.where(wrong, (labels + rng.integers(1, classes, 6000)) % classes, labels)
    noisy = calibrate(scores, flipped)
    assert noisy.rate == pytest.approx(0.1, abs=0.02)
    assert noisy.evidence > 50
    assert noisy.scales == pytest.approx([1.0, 1.0], abs=0.25)


def test_a_direction_is_recovered():
    rng = np.random.default_rng(2)
    scores, labels = judged(6000, 3, rng)
    written = np.where((labels == 2) & (rng.random(6000) < 0.3), 0, labels)
    found, best = directed(calibrate(scores, written), scores, written)
    assert found.noise[2, 0] == pytest.approx(0.3, abs=0.04)
    assert found.noise[0, 2] < 0.03
    held, less = directed(found, scores, written, (2, 0, 0.1))
    assert held.noise[2, 0] == pytest.approx(0.1)
    assert held.noise.sum(1) == pytest.approx(np.ones(3))
    assert best - less > 20
    assert fitted(found, scores, written) == pytest.approx(best)


def test_caution_blunts_less_the_more_rows_there_are():
    factors = []
    for rows in (200, 5000):
        scores, labels = judged(rows, 2, np.random.default_rng(3))
        fit = calibrate(scores, labels)
        factors.append(float((cautious(fit, scores, labels).scales / fit.scales)[0]))
    assert 0.2 < factors[0] < factors[1] < 1.0


def test_p_values_are_uniform_under_the_null_and_never_tie():
    rng = np.random.default_rng(4)
    scores, labels = judged(20000, 3, rng)
    logs = log_softmax(scores.sum(0))
    doubt = -logs
    tail = Tail.of(histogram(doubt, np.exp(logs)))
    p = np.exp(tail.log_p(doubt[np.arange(20000), labels]))
    for level in (0.5, 0.1, 0.01):
        assert (p < level).mean() == pytest.approx(level, abs=3 * np.sqrt(level / 20000) + 0.01)
    far = tail.log_p(np.array([5.0, 20.0, 40.0, LIMIT + 1, LIMIT + 200]))
    assert (np.diff(far) < 0).all()
    assert (np.diff(tail.log_p(np.linspace(-50, 50, 5001))) <= 0).all()


def test_conformal_p_values():
    good = np.arange(99.0)
    assert np.exp(conformal(np.array([1000.0]), good))[0] == pytest.approx(0.01, rel=1e-3)
    assert np.exp(conformal(np.array([-1.0]), good))[0] == pytest.approx(1.0, abs=1e-3)
    close = conformal(np.array([10.2, 10.4]), good)
    assert close[0] > close[1]


def test_no_model_has_seen_its_own_fold():
    import scipy.sparse as sp

    rng = np.random.default_rng(5)
    rows = sp.random(300, 40, 0.2, "csr", np.float32, rng=rng)
    labels, folds = rng.integers(0, 2, 300), rng.integers(0, 5, 300)
    changed = np.where(folds == 3, 1 - labels, labels)
    dense = rows.toarray()
    for fit in (
        lambda y: naive_bayes(rows, y, folds, (5, 2), 1.0).scores(rows, folds),
        lambda y: ridge(rows, y, folds, (5, 2), 1.0, 5).scores(rows, folds),
        lambda y: ridge_by_moments(dense, y, folds, (5, 2), (0.1,))[0].scores(dense, folds),
    ):
        own = folds == 3
        assert fit(labels)[own] == pytest.approx(fit(changed)[own], abs=1e-4)
        assert np.abs(fit(labels)[~own] - fit(changed)[~own]).max() > 0.01


def test_ridge_by_steps_reaches_the_closed_form():
    rng = np.random.default_rng(6)
    rows = rng.normal(size=(200, 10)).astype(np.float32)
    labels, folds = rng.integers(0, 3, 200), rng.integers(0, 4, 200)
    steps = ridge(rows, labels, folds, (4, 3), 2.0, 40)
    seen = folds != 0
    targets = np.eye(3)[labels[seen]]
    exact = np.linalg.solve(rows[seen].T @ rows[seen] + 2 * np.eye(10), rows[seen].T @ (targets - targets.mean(0)))
    assert steps.weights[0] == pytest.approx(exact, abs=1e-4)


def test_symmetric_noise():
    assert symmetric(4, 0.3).sum(1) == pytest.approx(np.ones(4))
    assert symmetric(1, 0.0).tolist() == [[1.0]]


@pytest.mark.parametrize("stretch", [0.7, 1.0, 1.5])
def test_few_known_good_rows_answer_for_p_values_below_their_number_whatever_the_expectation(stretch):
    """The expectation dies out too fast or too slowly; the share below small levels still holds in the mean."""
    rng = np.random.default_rng(5)
    grid = np.linspace(-LIMIT, LIMIT, 12_000, endpoint=False)
    tail = Tail(np.minimum(0.0, -np.maximum(grid, 0.0)) - 1e-9 * np.arange(12_000))
    for level in (0.02, 0.004, 0.001):
        shares = []
        for _ in range(60):
            good, fresh = rng.exponential(stretch, 500), rng.exponential(stretch, 20_000)
            shares.append((np.exp(anchored(fresh, good, tail)) <= level).mean())
        assert np.mean(shares) <= level + 3 * np.std(shares) / np.sqrt(60)
        assert np.mean(shares) >= 0.4 * level


def test_known_good_rows_count_against_the_expectation():
    good = np.concatenate([np.random.default_rng(6).exponential(1.0, 490), np.full(10, 30.0)])
    grid = np.linspace(-LIMIT, LIMIT, 12_000, endpoint=False)
    tail = Tail(np.minimum(0.0, -np.maximum(grid, 0.0)) - 1e-9 * np.arange(12_000))
    found = np.exp(anchored(np.array([29.0, 31.0]), good, tail))
    assert found[0] >= 0.999 * 10 / 501
    assert found[1] >= 1 / 501 / 8.1
    assert found[1] < found[0]
