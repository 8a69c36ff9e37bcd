"""Elections among models that were each trained on a part of the data, and how many poisoned parts their results withstand.

A row that is inserted, deleted or relabelled changes the data of one part only, so at most one vote. Both elections are
deterministic; ties go to the class with the lower number. The classes that can be voted for are known beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Elected:
    """Results of elections.

    Attributes:
        winner: Class that won, shape (rows,).
        withstands: Number of votes that anybody may change, to whatever they like, without changing the winner; shape
            (rows,), at least 0.
    """

    winner: Ints
    withstands: Ints


def plurality(votes: Ints) -> Elected:
    """Elect the class with the most votes (deep partition aggregation, Levine and Feizi 2021, arXiv 2006.14768).

    A changed vote narrows the lead over one other class by two.

    Args:
        votes: Votes of each class, shape (rows, classes).
    """
    winner = votes.argmax(1)
    if votes.shape[1] == 1:
        return Elected(winner, votes[:, 0])
    return Elected(winner, np.maximum(_ceiled(_leads(votes, winner).min(1), 2) - 1, 0))


def run_off(votes: Ints, pairs: Ints) -> Elected:
    """Elect between the two classes with the most votes, all models voting again (Rezaei et al. 2023, arXiv 2302.02300).

    Models whose first choice is out of the race add their preference, so margins are wider than those of the plurality.
    The winner can be changed in two ways: by putting two other classes before it in the first round, or by bringing one
    other class into the second round (it has to pass all the rest) and winning there. Both are bounded from below: the
    same changed votes may serve every aim at once.

    Args:
        votes: Votes of each class in the first round, shape (rows, classes).
        pairs: ``pairs[row, a, b]``: models that prefer a to b, shape (rows, classes, classes). A model may abstain.
    """
    if votes.shape[1] <= 2:  # both are in the second round, come what may
        return plurality(votes)
    rows = np.arange(len(votes))
    order = np.argsort(-votes, axis=1, kind="stable")
    first, second = order[:, 0], order[:, 1]
    low, high = np.minimum(first, second), np.maximum(first, second)
    winner = np.where(pairs[rows, low, high] >= pairs[rows, high, low], low, high)
    cost = np.minimum(_eliminated(votes, winner), _outvoted(votes, pairs, winner))
    return Elected(winner, np.maximum(cost - 1, 0))


def _eliminated(votes: Ints, winner: Ints) -> Ints:
    """Give the least number of votes to be changed so that two others come before the winner in the first round.

    Each changed vote is taken from the winner and given to one of the two, so leads a <= b are made up for by r votes
    as soon as max(0, a - r) + max(0, b - r) <= r.
    """
    leads = np.sort(_leads(votes, winner), axis=1)
    near, far = leads[:, 0], leads[:, 1]
    return np.maximum(np.maximum(_ceiled(near + far, 3), _ceiled(far, 2)), 0)


def _outvoted(votes: Ints, pairs: Ints, winner: Ints) -> Ints:
    """Give the least number of votes to be changed so that some class meets the winner in the second round and wins."""
    rows, numbers = np.arange(len(votes)), np.arange(votes.shape[1])
    ahead = pairs[rows, winner] - pairs[rows, :, winner] + (winner[:, None] < numbers)  # of each class in the second round
    second = _ceiled(ahead, 2)
    others = votes.copy()
    others[rows, winner] = -1
    best = others.argmax(1)  # whom everybody else has to pass to be in the second round
    behind = others[rows, best][:, None] - votes + (best[:, None] < numbers)
    behind[rows, best] = 0
    cost = np.maximum(second, _ceiled(behind, 2))
    cost[rows, winner] = np.iinfo(np.int64).max
    return np.asarray(np.maximum(cost.min(1), 0), np.int64)


def _leads(votes: Ints, winner: Ints) -> Ints:
    """Give by how many votes each other class has to gain on the winner to pass it; the winner itself is infinitely far."""
    own = np.take_along_axis(votes, winner[:, None], 1)
    leads = own - votes + (winner[:, None] < np.arange(votes.shape[1]))
    np.put_along_axis(leads, winner[:, None], np.iinfo(np.int64).max // 4, 1)
    return np.asarray(leads, np.int64)


def _ceiled(numbers: Ints, divisor: int) -> Ints:
    return -(-numbers // divisor)
