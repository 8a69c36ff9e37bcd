"""How many groups one expects, by nature, to be as strong as one: from the data's own other groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_PRIOR = 10.0
"""Groups that the usual rate counts for."""
_CENSORED = 5
_FEWEST = 8

_SMALL = 0.02
"""Share of the rows from which on a group is charged for its size."""

Floats = NDArray[np.float64]


def log_expected(strength: float, others: Floats, usual: float, start: float, more: float = 1.0) -> tuple[float, float]:
    """Give the logarithm of the number of groups as strong that one expects, and the rate at which it falls.

    Strengths beyond the median of the others (beyond ``start`` where there are few) fall off exponentially (peaks over threshold,
    Pickands 1975). The strongest of the others count as no more than the next one, so that several poisoned groups do not vouch
    for each other.

    Args:
        strength: Of the group.
        others: Strengths of all other groups.
        usual: Rate that is expected before any data.
        start: Smallest strength that is looked at.
        more: Groups that one expects beyond the beginning of the tail besides those that are seen.
    """
    known = np.sort(others)
    begin = beginning(known, start)
    beyond = known[known > begin] - begin
    seen = beyond[: len(beyond) - min(_CENSORED, len(beyond) // 2)]
    total = float(seen.sum()) + (len(beyond) - len(seen)) * float(seen[-1] if len(seen) else 0.0)
    rate = (_PRIOR + len(seen)) / (_PRIOR / usual + total)
    return float(np.log(len(beyond) + more) - rate * max(0.0, strength - begin)), rate


def beginning(others: Floats, start: float) -> float:
    """Give the strength from which the tail counts: the median where there are enough groups."""
    return max(start, float(np.median(others))) if len(others) >= _FEWEST else start


def log_expected_of(
    strengths: Floats, head: NDArray[np.int64], usual: float, start: float, more: float = 1.0
) -> tuple[Floats, float]:
    """Give the logarithm of the expected number for every group: that of the group it is mostly the same as.

    Args:
        strengths: Of all groups.
        head: The strongest group with mostly the same rows, -1 where there is no evidence.
        usual: As of `log_expected`.
        start: As of `log_expected`.
        more: As of `log_expected`.

    Returns:
        Shape (groups,), 0 where there is no evidence, and the smallest rate.
    """
    out = np.zeros(len(head))
    distinct = np.unique(head[head >= 0])
    slowest = usual
    for group in distinct.tolist():
        members = head == group
        for own in np.flatnonzero(members).tolist():
            out[own], rate = log_expected(float(strengths[own]), strengths[distinct[distinct != group]], usual, start, more)
            slowest = min(slowest, rate)
    return out, slowest


def large(sizes: Sequence[int], rows: int) -> Floats:
    """Give what groups are charged for their size: a large one is a natural part of the data sooner than a planted one.

    The charge is the logarithm of how many times more rows it has than a fiftieth of all: tests of smaller groups have the
    larger weight (weighted false-discovery control, Genovese, Roeder and Wasserman 2006).
    """
    return np.asarray(np.log(np.maximum(np.asarray(sizes, np.float64) / max(1.0, _SMALL * rows), 1.0)), np.float64)
