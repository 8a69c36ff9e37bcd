"""Min-wise hashing of sets of tokens (Broder 1997), weighted (Ioffe 2010, for weights that depend on the token alone).

Each permutation picks one token of a row: the one whose exponential variate, drawn from the token's hash and divided by its
weight, is smallest. Two rows get the same pick with the probability of their (weighted) Jaccard similarity, so the share of
equal picks estimates it without bias, with variance J (1 - J) / permutations.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

_BLOCK = 1 << 14
"""Tokens that are looked at together: what is computed on the way stays in the cache."""

NOTHING = np.uint32(0xFFFFFFFF)
"""What a row without tokens gets."""


def multipliers(permutations: int) -> NDArray[np.uint64]:
    """Give one odd 64-bit number a permutation, always the same ones."""
    counter = np.arange(1, permutations + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return _mixed(counter) | np.uint64(1)


def signatures(
    tokens: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    permutations: int,
    weights: NDArray[np.float32] | None = None,
) -> NDArray[np.uint32]:
    """Pick one token a permutation of each row.

    Args:
        tokens: Hashes, those of a row together; a token that comes twice counts once.
        offsets: Where rows begin, and the end, shape (rows + 1,).
        permutations: How many picks a row.
        weights: Positive weight of each token, the same wherever the token stands; None: all weigh the same.

    Returns:
        The picked tokens, uint32, shape (rows, permutations); `NOTHING` for rows without tokens.
    """
    out = np.full((len(offsets) - 1, permutations), NOTHING, np.uint32)
    factors = multipliers(permutations)
    filled = np.flatnonzero(np.diff(offsets))
    starts = offsets[filled]
    first = 0
    while first < len(filled):
        last = max(int(np.searchsorted(starts, starts[first] + _BLOCK)), first + 1)
        stop = int(offsets[filled[last - 1] + 1])
        begin = int(starts[first])
        inverse = None if weights is None else np.float32(1) / weights[begin:stop]
        out[filled[first:last]] = _picked(tokens[begin:stop], starts[first:last] - begin, factors, inverse)
        first = last
    return out


def _picked(
    tokens: NDArray[np.uint32],
    starts: NDArray[np.int64],
    factors: NDArray[np.uint64],
    inverse: NDArray[np.float32] | None,
) -> NDArray[np.uint32]:
    out = np.empty((len(starts), len(factors)), np.uint32)
    wide = tokens.astype(np.uint64) + np.uint64(1)
    keys = np.empty((len(tokens), 2), np.uint32)
    keys[:, 0] = tokens  # little-endian: the low half of the 64-bit key
    whole = keys.view(np.uint64)[:, 0] if sys.byteorder == "little" else None
    scratch = np.empty_like(wide)
    for place, factor in enumerate(factors):
        np.multiply(wide, factor, out=scratch)
        np.bitwise_xor(scratch, scratch >> np.uint64(32), out=scratch)
        np.multiply(scratch, np.uint64(0x94D049BB133111EB), out=scratch)
        high = (scratch >> np.uint64(32)).astype(np.uint32)
        if inverse is not None:
            variate = np.log(np.float32(1) - high.astype(np.float32) * np.float32(2.0**-32 * (1 - 2.0**-23)))
            high = (np.negative(variate, out=variate) * inverse + np.float32(0)).view(np.uint32)  # + 0: no negative zero
        if whole is None:
            joined = (high.astype(np.uint64) << np.uint64(32)) | tokens
        else:
            keys[:, 1] = high
            joined = whole
        out[:, place] = np.minimum.reduceat(joined, starts).astype(np.uint32)
    return out


def agreement(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Count equal picks, row by row of two signature arrays; divided by the permutations it estimates the similarity."""
    return np.where(left[:, 0] != NOTHING, trues(left == right), 0)


def trues(found: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count along the last axis, of at most 255: eight bytes at a time, several times as fast as ``numpy.count_nonzero``."""
    if found.shape[-1] % 8:
        slow: NDArray[np.int64] = np.count_nonzero(found, axis=-1).astype(np.int64)
        return slow
    eights = np.ascontiguousarray(found).view(np.uint64)
    total = eights[..., 0].copy()
    for place in range(1, eights.shape[-1]):
        total += eights[..., place]
    sums: NDArray[np.int64] = ((total * np.uint64(0x0101010101010101)) >> np.uint64(56)).astype(np.int64)
    return sums


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
