"""Which invisible characters are where nobody honest puts them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from toadstone.views.characters import KIND, SCRIPT
from toadstone.views.unicode_text import (
    CONTROL,
    DIRECTION,
    DIRECTION_SOFT,
    FILLER,
    RESIDUE,
    SELECTOR,
    SPLIT,
    TAG,
    ZERO_WIDTH,
    Characters,
    Mask,
    Places,
    Runs,
)

Found = tuple[Places, int]
"""Places of characters, and the flag that they give their rows."""

_JOINING, _COMPLEX, _CJK = SCRIPT["joining"], SCRIPT["complex"], SCRIPT["cjk"]
_ZWNJ, _BOM, _BLACK_FLAG, _CANCEL = 0x200C, 0xFEFF, 0x1F3F4, 0xE007F
_OVERRIDES = (0x202D, 0x202E)
_CUTTING = (0x00, 0x08, 0x7F)
"""Controls that displays drop or act on; the others come from encodings that were taken for ASCII."""
_MANY = 4
"""Zero-width characters in a row that no script needs."""


def zero_widths(text: Characters) -> Iterator[Found]:
    """Judge joiners, zero-width spaces, word joiners and byte order marks."""
    places = text.of_kinds("joiner", "zero-width", "invisible-operator")
    if not len(places):
        return
    runs = Runs(places)
    before, after = runs.first - 1, runs.last + 1
    before = np.where(text.kinds[before] == KIND["selector"], before - 1, before)
    codes, run = text.codes[places], runs.index
    left, right = before[run], after[run]
    joiner = text.kinds[places] == KIND["joiner"]
    operator = text.kinds[places] == KIND["invisible-operator"]
    script, following = text.scripts[left], text.scripts[right]
    emoji = text.kinds[left] == KIND["emoji"]
    honest = joiner & (np.isin(script, (_JOINING, _COMPLEX)) | emoji)
    honest |= joiner & (codes == _ZWNJ) & np.isin(following, (_JOINING, _COMPLEX))
    honest |= (codes == _ZWNJ) & (text.codes[left] == ord("f")) & text.lower[right]  # German: no ligature across parts
    spread = np.isin(script, (_COMPLEX, _CJK)) | np.isin(following, (_COMPLEX, _CJK))
    honest |= ~joiner & ~operator & spread
    honest |= (codes == _BOM) & (text.codes[left] == 10)
    honest |= (codes == 0x2060) & (_dash(text, left) | _dash(text, right))
    many = runs.sizes[run] >= _MANY
    few = (runs.sizes[run] < 2) | emoji
    honest &= ~many & (few | np.isin(script, (_JOINING, _COMPLEX)))
    single = operator & (runs.sizes[run] == 1)
    split = (text.letters[left] & text.letters[right]) | (runs.sizes[run] > 1)
    split &= ~single | (text.lower[left] & text.lower[right] & text.lower[left - 1] & (codes != 0x2061))
    yield places[~honest & split], SPLIT
    single &= _formula(text)[text.rows(places)]
    yield places[~honest & ~split & ~single], ZERO_WIDTH
    yield places[~honest & ~split & single], RESIDUE


def _formula(text: Characters) -> Mask:
    """Whether each row has signs of a formula, in which invisible operators have their place."""
    end = text.starts[-1]
    codes, kinds = text.codes[:end], text.kinds[:end]
    sign = (codes == 0x3D) | ((codes >= 0x2200) & (codes <= 0x22FF)) | (kinds == KIND["styled"]) | (codes == 0x28)
    return np.asarray(np.logical_or.reduceat(sign, text.starts[:-1]), bool)


def _dash(text: Characters, places: Places) -> Mask:
    codes = text.codes[places]
    return np.asarray(((codes >= 0x2010) & (codes <= 0x2026)) | (codes == 0x2F) | (codes == 0x2D), bool)


def directions(text: Characters) -> Iterator[Found]:
    """Judge marks, embeddings, isolates and overrides of direction."""
    places = text.of_kinds("mark-of-direction", "direction", "end-of-direction")
    if not len(places):
        return
    codes, kinds, rows = text.codes[places], text.kinds[places], text.rows(places)
    size = len(text.starts) - 1
    opened = np.bincount(rows[kinds == KIND["direction"]], minlength=size)
    closed = np.bincount(rows[kinds == KIND["end-of-direction"]], minlength=size)
    from_right = text.has(places, 1 << _JOINING)
    inside = text.ascii[places - 1] & text.ascii[places + 1]
    marks = kinds == KIND["mark-of-direction"]
    override = np.isin(codes, _OVERRIDES)
    numbers = ~override & _before_number(text, places, kinds)
    soft = marks & ~inside & ~from_right & (codes == 0x200E) & _beside_sign(text, places)
    honest = marks & from_right & ~inside
    pairs = ~marks & ~override
    honest |= pairs & from_right & (opened[rows] == closed[rows]) & ~inside
    soft |= pairs & ~honest & (from_right | numbers) & ~inside
    soft |= pairs & ~from_right & np.isin(codes, (0x2068, 0x2069)) & (opened[rows] == closed[rows]) & ~_other(codes, rows, size)
    yield places[~honest & ~soft], DIRECTION
    yield places[soft & ~honest], DIRECTION_SOFT


def _beside_sign(text: Characters, places: Places) -> Mask:
    """Whether a mark stands beside a sign, a number or the end of a line, where copied dates, paths and names leave it."""
    signs = np.zeros(128, bool)
    signs[[ord(sign) for sign in "0123456789/\\():-+.,#@%\n\"'[]"]] = True
    left, right = np.minimum(text.codes[places - 1], 127), np.minimum(text.codes[places + 1], 127)
    return np.asarray(signs[left] | signs[right], bool)


def _before_number(text: Characters, places: Places, kinds: np.ndarray[tuple[int], np.dtype[np.uint8]]) -> Mask:
    """Whether an opening control stands before a number, or a closing one behind it, as dialers write them."""
    opening = kinds == KIND["direction"]
    beside = text.codes[np.where(opening, places + 1, places - 1)]
    return ((beside >= 0x30) & (beside <= 0x39)) | np.isin(beside, (0x2B, 0x28, 0x29, 0x23))


def _other(codes: np.ndarray[tuple[int], np.dtype[np.uint32]], rows: Places, size: int) -> Mask:
    """Whether the row of each has controls other than first-strong isolates, which localised messages put around names."""
    strange = ~np.isin(codes, (0x2068, 0x2069, 0x200E))
    return (np.bincount(rows[strange], minlength=size) > 0)[rows]


def tags(text: Characters) -> Iterator[Found]:
    """Judge tag characters: honest in the flag of a region, which is a black flag, its code in tags, and the end of tags."""
    places = text.of_kinds("tag")
    if not len(places):
        return
    runs = Runs(places)
    codes = text.codes[places].astype(np.int64) - 0xE0000
    letter = (codes >= 0x61) & (codes <= 0x7A)
    named = letter | ((codes >= 0x30) & (codes <= 0x39))
    good = np.bincount(runs.index, weights=named, minlength=len(runs.first))
    flag = (text.codes[runs.first - 1] == _BLACK_FLAG) & (text.codes[runs.last] == _CANCEL)
    flag &= (runs.sizes >= 4) & (runs.sizes <= 7) & (good == runs.sizes - 1)
    yield places[~flag[runs.index]], TAG


def selectors(text: Characters) -> Iterator[Found]:
    """Judge variation selectors: honest once behind a symbol, behind Chinese characters, Mongolian and some other letters."""
    places = text.of_kinds("selector")
    if not len(places):
        return
    codes, before, after = text.codes[places], places - 1, places + 1
    kind, script = text.kinds[before], text.scripts[before]
    symbol = (kind == KIND["emoji"]) & (codes < 0xFE10)
    honest = symbol | np.isin(script, (_CJK, _COMPLEX)) | ((codes < 0xFE10) & (script == SCRIPT["alike"]))
    picture = (codes == 0xFE0F) | (codes == 0xFE0E)
    alone = picture & np.isin(kind, (KIND["space"], KIND["joiner"])) & (text.kinds[after] != KIND["selector"])
    doubled = picture & (text.codes[before] == 0xFE0F) & (text.kinds[places - 2] == KIND["emoji"])
    doubled &= text.kinds[after] != KIND["selector"]
    yield places[~honest & ~alone & ~doubled], SELECTOR
    yield places[~honest & (alone | doubled)], RESIDUE


def fillers(text: Characters) -> Iterator[Found]:
    """Judge characters that are blank or ignored without being spaces."""
    places = text.of_kinds("filler", "format")
    if not len(places):
        return
    codes = text.codes[places]
    script, following = text.scripts[places - 1], text.scripts[places + 1]
    beside = np.isin(script, (_JOINING, _COMPLEX, _CJK)) | np.isin(following, (_JOINING, _COMPLEX, _CJK))
    braille = (text.codes >= 0x2801) & (text.codes <= 0x28FF)
    beside |= (codes == 0x2800) & (braille[places - 1] | braille[places + 1] | (text.codes[places - 1] == 0x2800))
    marked = (codes == 0x34F) & (text.kinds[places + 1] == KIND["mark"])  # keeps marks on a letter apart
    broken = (codes >= 0xFFF0) & (codes <= 0xFFFF)  # annotation characters and what is not assigned
    honest = (beside | marked) & ~broken
    yield places[~honest & ~broken], FILLER
    yield places[~honest & broken], RESIDUE


def controls(text: Characters) -> Iterator[Found]:
    """Judge control characters: within a word they cut it for a program and not for a person."""
    places = text.of_kinds("control")
    if not len(places):
        return
    codes, left, right = text.codes[places], places - 1, places + 1
    struck = (codes == 8) & ((text.codes[left] == text.codes[right]) | (text.codes[left] == 0x5F))  # bold in manual pages
    inside = text.ascii[left] & text.ascii[right] & np.isin(codes, _CUTTING) & ~struck
    yield places[inside], CONTROL
    yield places[~inside], RESIDUE
