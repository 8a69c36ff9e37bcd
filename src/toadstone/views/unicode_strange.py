"""Characters that are seen and yet no text: marks heaped on letters, letters without a meaning, spaces that spell something."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from toadstone.views.unicode_invisible import Found
from toadstone.views.unicode_text import BLANKS, FILLER, PRIVATE, RESIDUE, STACKED, Characters, Mask, Places, Runs

_MARKS = (
    (0x300, 0x36F),
    (0x483, 0x489),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20DF),
    (0x20E1, 0x20F0),
    (0xFE20, 0xFE2F),
)
"""Marks that go on any letter; those of scripts that need several belong to these scripts. Keycaps are left out."""
_HEAPED = 4
"""Marks on one letter: Vietnamese, transliteration and phonetic writing need up to three."""
_STRUCK = (0x334, 0x338)
_STRUCK_LETTERS = 2
_PRIVATE = ((0xE000, 0xF8FE), (0xF0000, 0x10FFFD))  # U+F8FF is the sign of a maker of computers
_FONTS = ((0xF000, 0xF0FF), (0xF600, 0xF8FE))
"""Where symbol fonts and conversions put ligatures and small capitals."""
_BLANKS = ((0x2000, 0x200A), (0x205F, 0x205F))
_BLANK_WORDS = 4
"""Words that are parted by blanks of a width of their own, from which on the blanks of a row are no typesetting."""
_SILENT = ((0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xFDD0, 0xFDEF), (0x1FFFE, 0x1FFFF), (0xE01F0, 0xE0FFF))


def strange(text: Characters) -> Iterator[Found]:
    """Judge marks, private characters, blanks and silent characters by their code points."""
    if int(text.codes.max()) < _MARKS[0][0]:
        return
    yield from _heaped(text)
    yield from _private(text)
    yield from _blanks(text)
    places = _within(text, _SILENT)
    yield places[text.letters[places - 1] & text.letters[places + 1]], FILLER


def _heaped(text: Characters) -> Iterator[Found]:
    places = _within(text, _MARKS)
    if not len(places):
        return
    runs = Runs(places)
    heaped = (runs.sizes >= _HEAPED)[runs.index]
    struck = (text.codes[places] >= _STRUCK[0]) & (text.codes[places] <= _STRUCK[1]) & text.ascii[places - 1]
    rows = text.rows(places)
    many = np.bincount(rows, weights=struck, minlength=len(text.starts) - 1)[rows] >= _STRUCK_LETTERS
    yield places[heaped | (struck & many)], STACKED


def _private(text: Characters) -> Iterator[Found]:
    """A private character within a word, or several beside one: fonts draw icons with them, which stand alone."""
    places = _within(text, _PRIVATE)
    if not len(places):
        return
    runs = Runs(places)
    left, right = text.letters[runs.first - 1][runs.index], text.letters[runs.last + 1][runs.index]
    odd = (left & right) | ((left | right) & (runs.sizes > 1)[runs.index])
    drawn = _is(text.codes[places], _FONTS) & (runs.sizes == 1)[runs.index]
    yield places[odd & ~drawn], PRIVATE
    yield places[odd & drawn], RESIDUE


def _blanks(text: Characters) -> Iterator[Found]:
    places = _within(text, _BLANKS)
    if not len(places):
        return
    between = text.letters[places - 1] & text.letters[places + 1]
    rows = text.rows(places)
    many = np.bincount(rows, weights=between, minlength=len(text.starts) - 1)[rows] >= _BLANK_WORDS
    yield places[between & many], BLANKS


def _within(text: Characters, spans: tuple[tuple[int, int], ...]) -> Places:
    return np.flatnonzero(_is(text.codes[: text.starts[-1]], spans))


def _is(codes: np.ndarray[tuple[int], np.dtype[np.uint32]], spans: tuple[tuple[int, int], ...]) -> Mask:
    found = np.zeros(len(codes), bool)
    for first, last in spans:
        found |= (codes - np.uint32(first)) <= np.uint32(last - first)
    return found
