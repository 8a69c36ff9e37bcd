"""Signatures estimate similarity without bias and as exactly as theory allows."""

from __future__ import annotations

import numpy as np
import pytest

from toadstone.stats.minhash import NOTHING, agreement, signatures

_PAIRS = 1500
_SET = 60
_PICKS = 128


def _sets(shared: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, 2**32, (_PAIRS, 2 * _SET - shared), dtype=np.uint32)
    return tokens[:, :_SET].ravel(), tokens[:, _SET - shared :].ravel(), np.arange(_PAIRS + 1) * _SET


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shared", [11, 28, 40, 53])
def test_error_is_what_theory_says(shared: int, weighted: bool) -> None:
    left, right, offsets = _sets(shared, shared)
    weights = np.full(len(left), 2.5, np.float32) if weighted else None
    found = agreement(signatures(left, offsets, _PICKS, weights), signatures(right, offsets, _PICKS, weights)) / _PICKS
    truth = shared / (2 * _SET - shared)
    theory = np.sqrt(truth * (1 - truth) / _PICKS)
    assert abs(found.mean() - truth) < 4 * theory / np.sqrt(_PAIRS)
    assert np.sqrt(((found - truth) ** 2).mean()) < 1.06 * theory


def test_weights_decide_which_similarity_is_estimated() -> None:
    left, right, offsets = _sets(30, 1)
    heavy = np.intersect1d(left, right)
    weigh = lambda tokens: np.where(np.isin(tokens, heavy), 9.0, 1.0).astype(np.float32)  # noqa: E731
    found = agreement(signatures(left, offsets, _PICKS, weigh(left)), signatures(right, offsets, _PICKS, weigh(right)))
    truth = 30 * 9 / (30 * 9 + 60)
    assert abs(found.mean() / _PICKS - truth) < 0.01


def test_order_repeats_and_neighbours_do_not_matter() -> None:
    tokens = np.array([5, 7, 9, 11], np.uint32)
    alone = signatures(tokens, np.array([0, 4]), 16)
    again = signatures(np.array([1, 2, 11, 9, 9, 7, 5, 5, 3], np.uint32), np.array([0, 2, 8, 9]), 16)
    assert np.array_equal(alone[0], again[1])


def test_rows_without_tokens_agree_with_nothing() -> None:
    found = signatures(np.zeros(0, np.uint32), np.zeros(3, np.int64), 8)
    assert (found == NOTHING).all()
    assert agreement(found[:1], found[1:]).tolist() == [0]


def test_a_row_larger_than_a_block() -> None:
    tokens = np.random.default_rng(0).integers(0, 2**32, 40_000, dtype=np.uint32)
    whole = signatures(tokens, np.array([0, 40_000]), 8)
    halves = signatures(tokens, np.array([0, 20_000, 40_000]), 8)
    assert ((whole[0] == halves[0]) | (whole[0] == halves[1])).all()
