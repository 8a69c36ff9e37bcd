"""Spellings: the four-byte pieces of the words of each row, which survive inflection, typing errors and unknown words."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.views.view import Columns, View, text_bytes
from toadstone.views.words import lowered

LONGEST = 2048
"""Bytes of a row that are looked at."""

_SPACE = 32


class Grams(View):
    """``grams``: uint32, the distinct four-byte pieces of each row in ascending order (ragged).

    A piece is four bytes of the text in lower case in little-endian order; a blank may stand at its ends but not inside it,
    so that pieces stay within words.
    """

    name = "grams"
    role = "text"
    efforts = ("standard", "deep")

    def of(self, values: pa.Array) -> Columns:
        content, offsets = text_bytes(lowered(values))
        starts, lengths = offsets[:-1], np.clip(np.diff(offsets) - 3, 0, LONGEST - 3)
        codes = _pieces(content, starts, lengths)
        rows = np.repeat(np.arange(len(lengths), dtype=np.uint64), lengths)
        inside = codes != 0
        keys = (rows[inside] << np.uint64(32)) | codes[inside]
        keys.sort()
        if len(keys):
            keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
        edges = np.searchsorted(keys, np.arange(len(lengths) + 1, dtype=np.uint64) << np.uint64(32))
        return {"grams": (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32), "grams.offsets": edges.astype(np.int64)}


def _pieces(content: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Give the piece at each of the first ``lengths`` bytes of each row, 0 where a blank stands inside."""
    total = int(lengths.sum())
    if not total:
        return np.zeros(0, np.uint64)
    content = np.where(content <= _SPACE, np.uint8(_SPACE), content)
    firsts = np.cumsum(lengths) - lengths
    at = np.arange(total) + np.repeat(starts - firsts, lengths)
    codes = np.zeros(total, np.uint32)
    blank = np.zeros(total, bool)
    for place in range(4):
        byte = content[at + place]
        codes |= byte.astype(np.uint32) << np.uint32(8 * place)
        if place in (1, 2):
            blank |= byte == _SPACE
    codes[blank] = 0
    return codes.astype(np.uint64)
