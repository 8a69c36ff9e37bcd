"""Texts as code points, and the flags of rows that hide something."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from toadstone.views.characters import KIND, SPECIAL

SPLIT = 1 << 0
"""Zero-width characters within a word, or several in a row."""
ZERO_WIDTH = 1 << 1
"""Zero-width characters elsewhere, where the script has no use for them."""
DIRECTION = 1 << 2
"""Controls of writing direction in text that has no letters from the right, or that override the letters' own."""
DIRECTION_SOFT = 1 << 3
"""The same where they change nothing: around numbers, beside a space, unbalanced."""
TAG = 1 << 4
"""Tag characters outside a flag."""
SELECTOR = 1 << 5
"""Variation selectors behind what has no variants."""
HYPHEN = 1 << 6
"""Soft hyphens where no word is divided."""
HYPHEN_MAYBE = 1 << 7
"""Soft hyphens in a row that shows no habit of typesetting."""
HYPHEN_TYPESET = 1 << 8
"""Soft hyphens as typesetters set them."""
LOOKALIKE = 1 << 9
"""A word in which letters of another script stand for those that they look like."""
LOOKALIKE_WHOLE = 1 << 10
"""A word that is all of letters that look like Latin ones, among Latin words: honest when no such Latin word is known."""
STYLED = 1 << 11
"""Words of letters that are forms of ASCII ones: mathematical, fullwidth, circled, raised."""
STYLED_INSIDE = 1 << 12
"""Such letters among ASCII letters of the same word."""
FILLER = 1 << 13
"""Blank or ignored characters that are no spaces."""
CONTROL = 1 << 14
"""Control characters within a word."""
RESIDUE = 1 << 15
"""Characters that processing leaves behind: selectors without emoji, controls of another encoding, invisible operators."""
STACKED = 1 << 16
"""Heaps of marks on letters, or letters struck through."""
PRIVATE = 1 << 17
"""Characters without a meaning of their own, for private use, within words or beside them."""
BLANKS = 1 << 18
"""Words that are parted by blanks of unusual widths."""

Mask = NDArray[np.bool_]
Places = NDArray[np.int64]


class Characters:
    """The code points of some texts, each text followed by a line end; two line ends come before the first.

    Attributes:
        codes: Code points, uint32.
        kinds: Of each, by number in `toadstone.views.characters.KIND`.
        scripts: Of each, by number in `toadstone.views.characters.SCRIPT`.
        starts: Place at which each text begins, and the end, shape (rows + 1,).
    """

    def __init__(self, codes: NDArray[np.uint32], kinds: NDArray[np.uint8], scripts: NDArray[np.uint8], starts: Places) -> None:
        self.codes = codes
        self.kinds = kinds
        self.scripts = scripts
        self.starts = starts

    @cached_property
    def present(self) -> NDArray[np.uint8]:
        """Scripts of each row, one bit each."""
        bits = np.left_shift(np.uint8(1), self.scripts[: self.starts[-1]])
        return np.asarray(np.bitwise_or.reduceat(bits, self.starts[:-1]), np.uint8)

    @cached_property
    def special(self) -> Places:
        """Places of characters that are looked at where they stand."""
        return np.flatnonzero(self.kinds >= SPECIAL)

    @cached_property
    def letters(self) -> Mask:
        """Whether each character is a letter or a mark on one."""
        return np.asarray((self.kinds == KIND["letter"]) | (self.kinds == KIND["mark"]), bool)

    @cached_property
    def lower(self) -> Mask:
        """Whether each character is a small ASCII letter."""
        return (self.codes >= 0x61) & (self.codes <= 0x7A)

    @cached_property
    def ascii(self) -> Mask:
        """Whether each character is an ASCII letter."""
        return np.asarray(self.lower | ((self.codes >= 0x41) & (self.codes <= 0x5A)), bool)

    def rows(self, places: Places) -> Places:
        """Give the row of each place."""
        return np.searchsorted(self.starts, places, "right") - 1

    def of_kinds(self, *names: str) -> Places:
        """Give the places of some kinds, sorted."""
        wanted = np.zeros(256, bool)
        wanted[[KIND[name] for name in names]] = True
        return self.special[wanted[self.kinds[self.special]]]

    def has(self, places: Places, scripts: int) -> Mask:
        """Whether the row of each place has letters of any of some scripts (bits)."""
        return (self.present[self.rows(places)] & scripts).astype(bool)


class Runs:
    """Consecutive places.

    Attributes:
        first: Of each run.
        last: Of each run.
        sizes: Of each run.
        index: Run of each place.
    """

    def __init__(self, places: Places) -> None:
        breaks = np.flatnonzero(np.diff(places) != 1) + 1 if len(places) else np.zeros(0, np.int64)
        firsts = np.append(0, breaks) if len(places) else breaks
        self.first = places[firsts]
        self.last = places[np.append(firsts[1:], len(places)) - 1] if len(places) else places
        self.sizes = self.last - self.first + 1
        self.index = np.repeat(np.arange(len(firsts)), self.sizes)
