"""Words that are not what they look like, and hyphens that nobody set."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from toadstone.views.characters import KIND, SCRIPT, same_table, twin_table
from toadstone.views.unicode_invisible import Found
from toadstone.views.unicode_text import (
    HYPHEN,
    HYPHEN_MAYBE,
    HYPHEN_TYPESET,
    LOOKALIKE,
    LOOKALIKE_WHOLE,
    STYLED,
    STYLED_INSIDE,
    Characters,
    Mask,
    Places,
    Runs,
)

_LATIN, _GREEK, _CJK = SCRIPT["latin"], SCRIPT["greek"], SCRIPT["cjk"]
_LONG, _VERY_LONG, _DIVISIBLE = 8, 12, 5
"""Letters of words that typesetters divide: nearly always, more than once, at least."""
_LIKE_CYRILLIC = np.zeros(128, bool)
_LIKE_CYRILLIC[[ord(letter) for letter in "acehijkmnoprstuxyABCEHIKMOPTXYgb"]] = True


class _Words:
    """Runs of a mask, and counts of other masks in them."""

    def __init__(self, mask: Mask) -> None:
        edges = np.flatnonzero(np.diff(mask.astype(np.int8)))
        self.first = edges[0::2] + 1  # the texts begin and end with line ends, so the mask does with False
        self.stop = edges[1::2] + 1

    def count(self, mask: Mask) -> Places:
        """Count how many characters of each word are in a mask."""
        sums = np.zeros(len(mask) + 1, np.int64)
        np.cumsum(mask, out=sums[1:])
        return sums[self.stop] - sums[self.first]


def lookalikes(text: Characters, rows: Mask) -> Iterator[Found]:
    """Find words of rows with Latin letters and letters of another script that has look-alikes.

    In a word of both, the letters of the other script have to look like Latin ones (in text that is mainly in that script, the
    Latin letters like its own). Greek letters are at home in science: at the edge of a word, and beside capitals. Endings of
    another script behind a name (a Latin acronym with a Russian case) are grammar.
    """
    chosen = np.zeros(len(text.codes), bool)
    lengths = np.diff(text.starts)
    chosen[text.starts[0] : text.starts[-1]] = np.repeat(rows, lengths)
    scripts, codes = text.scripts, text.codes
    latin = scripts == _LATIN
    foreign = (scripts >= SCRIPT["cyrillic"]) & (scripts <= SCRIPT["alike"])
    words = _Words(text.letters & chosen)
    if not len(words.first):
        return
    n_latin, n_foreign = words.count(latin), words.count(foreign)
    twin = foreign & twin_table()[codes]
    same = foreign & same_table()[codes]
    row = text.rows(words.first)
    size = len(lengths)
    n_twin, n_same = words.count(twin), words.count(same)
    home = 2 * np.bincount(row, n_foreign - n_twin, size) > np.bincount(row, n_latin, size)
    both = (n_latin > 0) & (n_foreign > 0)
    if both.any():
        greek = words.count(scripts == _GREEK) == n_foreign
        inner = np.zeros(len(codes), bool)
        inner[1:-1] = twin[1:-1] & text.lower[:-2] & text.lower[2:]
        science = ~(n_same > 0) & ~(words.count(inner) > 0) & ~((n_twin == n_foreign) & (words.count(text.lower) >= 4))
        strange = np.where(greek, ~science, _mixed(text, words, latin, foreign, n_latin, n_foreign, n_twin, home[row]))
        intruders = np.where(
            np.repeat(home, lengths), latin[text.starts[0] : text.starts[-1]], foreign[text.starts[0] : text.starts[-1]]
        )
        marked = np.zeros(len(codes), bool)
        marked[text.starts[0] : text.starts[-1]] = intruders
        yield _within(words, both & strange, marked), LOOKALIKE
    others = np.bincount(row, n_foreign - n_same, size) > 0
    whole = (n_latin == 0) & (n_foreign >= 3) & (n_same == n_foreign) & ~others[row]
    yield _within(words, whole, foreign), LOOKALIKE_WHOLE


def _mixed(
    text: Characters,
    words: _Words,
    latin: Mask,
    foreign: Mask,
    n_latin: Places,
    n_foreign: Places,
    n_twin: Places,
    home: Mask,
) -> Mask:
    """Say of words of Latin and Cyrillic (Armenian ...) letters whether one stands for the other."""
    changes = np.zeros(len(latin), bool)
    changes[1:] = (latin[1:] & foreign[:-1]) | (foreign[1:] & latin[:-1])
    n_changes = words.count(changes)
    alike = np.zeros(len(latin), bool)
    small = text.codes < 128
    alike[small] = _LIKE_CYRILLIC[text.codes[small]]
    n_alike = words.count(alike)
    among_latin = (n_twin == n_foreign) | ((n_changes >= 2) & (n_twin > 0))
    single = (n_latin == 1) & (n_foreign >= 2) & (n_alike == n_latin)
    woven = (n_changes >= 2) & ((n_alike == n_latin) | (n_twin == n_foreign))
    leading = foreign[words.first] & (n_changes == 1) & (n_twin == n_foreign) & (n_latin >= 2)
    return np.asarray(np.where(home, single | woven | leading, among_latin), bool)


def _within(words: _Words, chosen: Mask, mask: Mask) -> Places:
    """Give the places of a mask within chosen words."""
    first, stop = words.first[chosen], words.stop[chosen]
    sizes = stop - first
    if not len(first):
        return np.zeros(0, np.int64)
    places = np.repeat(first - np.append(0, np.cumsum(sizes)[:-1]), sizes) + np.arange(int(sizes.sum()))
    return places[mask[places]]


def styled(text: Characters) -> Iterator[Found]:
    """Judge forms of ASCII letters: single ones are mathematics or units, words of them are ASCII words in disguise."""
    wide = text.of_kinds("fullwidth")
    if len(wide):
        lone = ~text.has(wide, 1 << _CJK)
        within = text.lower[wide - 1] & text.lower[np.minimum(wide + 1, len(text.codes) - 1)]
        yield wide[lone & ~within], STYLED
        yield wide[within], STYLED_INSIDE
    raised = text.of_kinds("raised")
    if len(raised):
        runs = Runs(raised)
        yield raised[(runs.sizes >= 4)[runs.index]], STYLED
    forms = text.of_kinds("styled")
    if len(forms):
        runs = Runs(forms)
        first, last, lower = runs.first, runs.last, text.lower
        numeral = (text.codes[first] >= 0x2160) & (text.codes[first] <= 0x217F)
        after = lower[last + 1] & lower[last + 2]
        inside = (lower[first - 1] & lower[last + 1]) | (after & text.letters[np.minimum(last + 3, len(lower) - 1)])
        back = [first - step for step in range(1, 6)]
        inside |= np.logical_and.reduce([lower[np.maximum(place, 0)] for place in back])
        yield forms[inside[runs.index]], STYLED_INSIDE
        yield forms[((runs.sizes >= 3) & ~numeral & ~inside)[runs.index]], STYLED


def hyphens(text: Characters) -> Iterator[Found]:
    """Judge soft hyphens: typesetters divide long words everywhere, between parts that have a vowel."""
    places = text.of_kinds("soft-hyphen")
    if not len(places):
        return
    size = len(text.starts) - 1
    rows = text.rows(places)
    chosen = np.zeros(len(text.codes), bool)
    chosen[text.starts[0] : text.starts[-1]] = np.repeat(np.bincount(rows, minlength=size) > 0, np.diff(text.starts))
    soft = text.kinds == KIND["soft-hyphen"]
    words = _Words((text.letters | soft) & chosen)
    letters, dividers = words.count(text.letters), words.count(soft)
    word = np.searchsorted(words.first, places, "right") - 1
    ends_line = (text.kinds[places + 1] == KIND["space"]) & text.letters[places - 1]
    joins = ~text.letters[places - 1] & (text.kinds[places - 1] == KIND["other"]) & text.letters[places + 1]
    divides = _parts_are_syllables(text, words, places, word) & (letters[word] >= _DIVISIBLE)
    stray = ~divides & ~ends_line & ~joins
    row_of_word = text.rows(words.first)
    long = letters >= _LONG
    n_long = np.bincount(row_of_word[long], minlength=size)
    n_divided = np.bincount(row_of_word[long & (dividers > 0)], minlength=size)
    several = np.bincount(row_of_word[(letters >= _VERY_LONG) & (dividers >= 2)], minlength=size) > 0
    accented = np.bincount(row_of_word, words.count(text.letters & (text.codes >= 0xC0)), size) > 0
    habit = several | accented | ((n_divided >= 2) & (2 * n_divided >= n_long))
    bad = np.bincount(rows[stray], minlength=size) > 0
    yield places[bad[rows]], HYPHEN
    yield places[~bad[rows] & habit[rows]], HYPHEN_TYPESET
    yield places[~bad[rows] & ~habit[rows]], HYPHEN_MAYBE


def _parts_are_syllables(text: Characters, words: _Words, places: Places, word: Places) -> Mask:
    """Whether both parts beside each hyphen, up to the next hyphen or the word's edge, have two letters and a vowel."""
    vowel = np.zeros(len(text.codes) + 1, np.int64)
    np.cumsum(_vowels()[np.minimum(text.codes, 128)], out=vowel[1:])
    inside = (places >= words.first[word]) & (places < words.stop[word])
    earlier = np.append(-1, places[:-1])
    later = np.append(places[1:], len(text.codes))
    begin = np.maximum(earlier + 1, words.first[word])
    end = np.minimum(later, words.stop[word])
    two = (places - begin >= 2) & (end - places - 1 >= 2)
    return np.asarray(inside & two & (vowel[places] > vowel[begin]) & (vowel[end] > vowel[places + 1]), bool)


def _vowels() -> NDArray[np.int64]:
    table = np.zeros(129, np.int64)
    table[[ord(letter) for letter in "aeiouyAEIOUY"]] = 1
    table[128] = 1  # whatever is not ASCII may be one
    return table
