"""What an election withstands is checked against every way of changing votes."""

import itertools

import numpy as np
import pytest

from toadstone.stats.election import plurality, run_off


def ballots(random, models, classes):
    """Scores of each model: random, with ties among coarse ones."""
    return random.integers(0, 4, (models, classes)) + random.random((models, classes)) * (random.random() < 0.7)


def counted(scores):
    """Votes and preferences of one row, ties to the lower number."""
    classes = scores.shape[1]
    votes = np.bincount(scores.argmax(1), minlength=classes)
    pairs = np.zeros((classes, classes), np.int64)
    for one, other in itertools.combinations(range(classes), 2):
        pairs[one, other] = (scores[:, one] >= scores[:, other]).sum()
        pairs[other, one] = len(scores) - pairs[one, other]
    return votes[None].astype(np.int64), pairs[None]


def winners(scores, changed):
    """Every result of run-off and plurality that whoever owns some models can bring about."""
    classes = scores.shape[1]
    orders = [np.argsort(order) * -1.0 for order in itertools.permutations(range(classes))]
    seen, first = set(), set()
    for choice in itertools.combinations_with_replacement(range(len(orders)), len(changed)):
        forged = scores.copy()
        forged[list(changed)] = [orders[number] for number in choice]
        votes, pairs = counted(forged)
        seen.add(int(run_off(votes, pairs).winner[0]))
        first.add(int(plurality(votes).winner[0]))
    return seen, first


@pytest.mark.parametrize("seed", range(6))
def test_no_set_of_models_of_that_size_changes_the_winner(seed):
    random = np.random.default_rng(seed)
    models, classes = 6, 3
    scores = ballots(random, models, classes)
    scores[: random.integers(0, 6), random.integers(classes)] += 3
    votes, pairs = counted(scores)
    second, first = run_off(votes, pairs), plurality(votes)
    for size in range(1, 3):
        reached, plain = set(), set()
        for changed in itertools.combinations(range(models), size):
            seen, simple = winners(scores, changed)
            reached |= seen
            plain |= simple
        if size <= second.withstands[0]:
            assert reached == {int(second.winner[0])}
        # the plurality's bound is exact
        assert (plain == {int(first.winner[0])}) == (size <= first.withstands[0])


def test_two_classes_have_no_second_round():
    votes = np.array([[60, 40], [50, 50], [0, 3]])
    pairs = np.zeros((3, 2, 2), np.int64)
    assert run_off(votes, pairs).winner.tolist() == [0, 0, 1]
    assert run_off(votes, pairs).withstands.tolist() == [10, 0, 1]


def test_the_run_off_is_won_by_whom_the_others_prefer():
    votes = np.array([[40, 35, 25]])
    pairs = np.zeros((1, 3, 3), np.int64)
    pairs[0, 0, 1], pairs[0, 1, 0] = 42, 58  # who wanted 2 prefers 1 to 0
    pairs[0, 0, 2], pairs[0, 2, 0] = 60, 40
    pairs[0, 1, 2], pairs[0, 2, 1] = 70, 30
    elected = run_off(votes, pairs)
    assert elected.winner.tolist() == [1]
    # 0 wins the second round with 8 changed votes; 2 comes in with 8 of them ((40 - 25 + 1) / 2), but needs 20 to win it;
    # 0 and 2 both pass 1 with 5, all taken from 1 and given to 2 (35 - 5 = 30 = 25 + 5; 2 loses ties to 1, so 6)
    assert elected.withstands.tolist() == [5]


def test_one_class_withstands_everything():
    assert plurality(np.array([[9]])).withstands.tolist() == [9]
