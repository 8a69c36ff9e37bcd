"""Characters that hide something from a person, row by row: invisible ones, look-alikes, styled letters, controls.

Rows of ordinary ASCII cost one comparison a byte. Of the others, only characters of special kinds are looked at where they
stand, all of a batch at once; whether one is honest depends on its neighbours and on the scripts of its row (a joiner belongs
between Persian letters and between emoji, a mark of direction belongs to Hebrew). See Unicode Technical Reports 36 and 39.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from toadstone.engine.arrow import compute as pc
from toadstone.views.characters import KIND, SCRIPT, SPECIAL, tables
from toadstone.views.unicode_invisible import Found, controls, directions, fillers, selectors, tags, zero_widths
from toadstone.views.unicode_strange import strange
from toadstone.views.unicode_text import Characters
from toadstone.views.unicode_words import hyphens, lookalikes, styled
from toadstone.views.view import Columns, View, text_bytes

_MOST = 1024
"""Marks that are kept of one row."""

_RULES = (zero_widths, directions, tags, selectors, fillers, controls, hyphens, styled)
_FOREIGN = sum(1 << SCRIPT[name] for name in ("cyrillic", "greek", "alike"))
_LATIN = 1 << SCRIPT["latin"]


class Unicode(View):
    """``unicode``: uint32, the flags of `toadstone.views.unicode_text`; ``unicode.marks``: the characters that gave them.

    Marks are uint32, ragged, in the order of the characters: the code point, and the number of the flag's bit shifted left by 24.
    """

    name = "unicode"
    role = "text"

    def of(self, values: pa.Array) -> Columns:
        flags = np.zeros(len(values), np.uint32)
        counts = np.zeros(len(values), np.int64)
        rows = odd_rows(values)
        marks = np.zeros(0, np.uint32)
        if len(rows):
            flags[rows], counts[rows], marks = _judged(characters(values.take(pa.array(rows))))
        return {"unicode": flags, "unicode.marks": marks, "unicode.marks.offsets": np.append(0, np.cumsum(counts))}


def odd_rows(values: pa.Array) -> NDArray[np.int64]:
    """Give the rows with anything but printing ASCII, tabs and line ends."""
    content, offsets = text_bytes(values)
    odd = np.flatnonzero((content - np.uint8(32)) > 94)
    there = content[odd]
    odd = odd[(there != 10) & (there != 13) & (there != 9)]
    if not len(odd):
        return np.zeros(0, np.int64)
    held = np.searchsorted(odd, offsets)
    return np.flatnonzero(held[1:] > held[:-1])


def characters(values: pa.Array) -> Characters:
    """Read texts as code points, with a line end before the first and behind each; bytes that are no UTF-8 count as U+FFFD."""
    texts = decoded(values)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts)) + 1
    joined = "\n\n" + "\n".join(texts) + "\n\n\n"
    codes = np.frombuffer(joined.encode("utf-32-le", "replace"), np.uint32)
    kinds, scripts = tables()
    starts = np.append(0, np.cumsum(lengths)) + 2
    return Characters(codes, kinds[codes], scripts[codes], starts)


def decoded(values: pa.Array) -> list[str]:
    """Give texts as strings; bytes that are no UTF-8 count as U+FFFD."""
    try:
        return list(values.to_pylist())
    except UnicodeDecodeError:
        return [raw.decode("utf-8", "replace") for raw in pc.cast(values, pa.large_binary()).to_pylist()]


def _judged(text: Characters) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.uint32]]:
    """Give flags and numbers of marks of each row, and the marks."""
    found: list[Found] = []
    if bool((text.kinds >= SPECIAL).any()):
        found += [one for rule in _RULES for one in rule(text)]
    found += strange(text)
    # Bytes of one encoding read as another give letters of all scripts side by side.
    garbled = np.add.reduceat(text.codes[: text.starts[-1]] == 0xFFFD, text.starts[:-1]) * 100 >= np.diff(text.starts)
    mixed = ~garbled & (text.present & _LATIN).astype(bool) & (text.present & _FOREIGN).astype(bool)
    if mixed.any():
        found += lookalikes(text, mixed)
    size = len(text.starts) - 1
    if not found:
        return np.zeros(size, np.uint32), np.zeros(size, np.int64), np.zeros(0, np.uint32)
    places = np.concatenate([where for where, _ in found])
    bits = np.concatenate([np.full(len(where), flag.bit_length() - 1, np.uint32) for where, flag in found])
    order = np.lexsort((bits, places))
    places, bits = places[order], bits[order]
    rows = text.rows(places)
    flags = np.zeros(size, np.uint32)
    np.bitwise_or.at(flags, rows, np.left_shift(np.uint32(1), bits))
    firsts = np.searchsorted(rows, rows)
    kept = np.arange(len(rows)) - firsts < _MOST
    marks = text.codes[places[kept]] | (bits[kept] << np.uint32(24))
    return flags, np.bincount(rows[kept], minlength=size).astype(np.int64), marks.astype(np.uint32)


__all__ = ["KIND", "Unicode", "characters", "decoded", "odd_rows"]
