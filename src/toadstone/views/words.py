"""Words as 32-bit hashes, without a Python object for any of them.

A word is a run of letters, digits, ``_``, ``'`` and whatever is not ASCII; a run of two and more other printing characters
is a word too (``##``, ``:)``), and so is one alone that is no everyday punctuation (``~``); each Chinese or Japanese
character stands alone, since nothing separates them. Letters count in lower case. The hash of a word is a polynomial of its
bytes modulo 2^64 (Karp and Rabin 1987), read off prefix sums and mixed.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.engine.arrow import compute as pc
from toadstone.views.view import Columns, View, text_bytes

_BLOCK = 1 << 18
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2^64
_INVERSE = pow(_BASE, -1, 1 << 64)

_SPACE, _WORD, _MARK, _ALONE = range(4)
_EVERYDAY = b'.,;:!?"()-/'
"""Marks that are words only in company: they stand in every text."""


@cache
def _classes() -> NDArray[np.uint8]:
    """Say of each byte what it does to words."""
    table = np.full(256, _MARK, np.uint8)
    table[: ord(" ") + 1] = _SPACE
    table[127] = _SPACE
    for span in (range(ord("a"), ord("z") + 1), range(ord("A"), ord("Z") + 1), range(ord("0"), ord("9") + 1), range(0x80, 0x100)):
        table[span.start : span.stop] = _WORD
    table[[ord("_"), ord("'")]] = _WORD
    table[0xE3:0xEA] = _ALONE  # lead bytes of U+3000 to U+9FFF
    return table


@cache
def _everyday() -> NDArray[np.bool_]:
    """Say of each byte whether it is punctuation of every text."""
    table = np.zeros(256, bool)
    table[list(_EVERYDAY)] = True
    return table


@cache
def _powers() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Give base^i and base^-i modulo 2^64 for every position in a block."""
    up, down = np.full(_BLOCK + 1, _BASE, np.uint64), np.full(_BLOCK + 1, _INVERSE, np.uint64)
    up[0] = down[0] = 1
    return np.cumprod(up, dtype=np.uint64), np.cumprod(down, dtype=np.uint64)


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit of 64-bit values over all bits (the finaliser of SplitMix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def spans(content: NDArray[np.uint8], offsets: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the words.

    Args:
        content: UTF-8 bytes.
        offsets: Where rows begin in them, and the end.

    Returns:
        First byte of each word and the byte behind its last.
    """
    kinds = _classes()[content]
    begins = np.empty(len(kinds), bool)
    if not len(kinds):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    begins[0] = True
    np.not_equal(kinds[1:], kinds[:-1], out=begins[1:])
    rows = offsets[:-1]
    begins[rows[rows < len(kinds)]] = True
    lone = np.flatnonzero(kinds == _ALONE)
    if len(lone):
        begins[lone] = True
        begins[np.minimum(lone + 1, len(kinds) - 1)] = False  # the two bytes that follow the lead byte belong to it
        begins[np.minimum(lone + 2, len(kinds) - 1)] = False
        after = lone + 3
        begins[after[after < len(kinds)]] = True
    starts = np.flatnonzero(begins)
    ends = np.append(starts[1:], len(kinds))
    kind = kinds[starts]
    everyday = _everyday()[content[starts]]
    kept = (kind == _WORD) | (kind == _ALONE) | ((kind == _MARK) & ((ends - starts > 1) | ~everyday))
    return starts[kept], ends[kept]


def hashed(content: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Hash the spans of a byte array; equal bytes give equal hashes, wherever they stand."""
    out = np.empty(len(starts), np.uint32)
    up, down = _powers()
    first, last = 0, 0
    while first < len(starts):
        origin = int(starts[first])
        last = max(int(np.searchsorted(ends, origin + _BLOCK, "right")), first + 1)
        stop = min(int(ends[last - 1]), origin + _BLOCK)  # a word of more than a block counts by its beginning
        sums = np.zeros(stop - origin + 1, np.uint64)
        np.cumsum((content[origin:stop].astype(np.uint64) + np.uint64(1)) * up[: stop - origin], out=sums[1:])
        begin, end = starts[first:last] - origin, np.minimum(ends[first:last], stop) - origin
        value = (sums[end] - sums[begin]) * down[begin]
        out[first:last] = (mixed(value) >> np.uint64(32)).astype(np.uint32)
        first = last
    return out


class Words(View):
    """``words``: uint32, the hashes of the words of each row in order (ragged)."""

    name = "words"
    role = "text"

    def of(self, values: pa.Array) -> Columns:
        content, offsets = text_bytes(lowered(values))
        starts, ends = spans(content, offsets)
        return {"words": hashed(content, starts, ends), "words.offsets": np.searchsorted(starts, offsets).astype(np.int64)}


def lowered(values: pa.Array) -> pa.Array:
    """Give the texts in lower case."""
    return pc.utf8_lower(values)


def words_of(text: str) -> list[tuple[int, str]]:
    """Give the hashes of a text's words with the words themselves, for reports."""
    array = lowered(pa.array([text], pa.large_string()))
    content, offsets = text_bytes(array)
    starts, ends = spans(content, offsets)
    raw = content.tobytes()
    return [
        (value, raw[start:end].decode("utf-8", "replace"))
        for value, start, end in zip(hashed(content, starts, ends).tolist(), starts.tolist(), ends.tolist(), strict=True)
    ]
