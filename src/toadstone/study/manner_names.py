"""Signs of manner in words a person can read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from toadstone.study.phrases import AFFIX, FIRST, LAST, MANNER, keys_of
from toadstone.views import manner
from toadstone.views.words import words_of

_COUNTED = {
    manner.BLANKS: "doubled blanks",
    manner.TABS: "tabs",
    manner.LINES: "line ends",
    manner.ODD_CASE: "words in odd case",
    manner.REPEATED_LETTER: "letters three times in a row",
    manner.REPEATED_WORD: "words twice in a row",
    manner.CAPITALS: "words in capitals",
}
_WHOLE = {
    manner.LOWER: "texts in lower case",
    manner.UPPER: "texts in capitals",
    manner.TITLED: "texts in which every word has a capital",
    manner.BARE: "texts without marks",
}
_BEGINS = {"a": "a small letter", "A": "a capital letter", "9": "a digit", "u": "a character beyond ASCII", " ": "a blank"}
_LEVELS = 8

Named = tuple[int, str, str]
"""Key, kind and literal of a property."""


def manner_name(key: int, texts: Sequence[str]) -> tuple[str, str] | None:
    """Name a property of manner, of a word's place, or of a word's beginning or end.

    Args:
        key: Of the property.
        texts: Some rows that have it.

    Returns:
        kind (``manner``, ``place``, ``affix``, ``characters``) and the literal; None when it is no such property.
    """
    for known, kind, value in _fixed():
        if known == key:
            return kind, value
    for text in texts:
        for known, kind, value in (*_of_words(text), *_of_characters(text)):
            if known == key:
                return kind, value
    return None


def _key(kind: int, value: int) -> int:
    return int(keys_of(kind, np.array([value], np.uint32))[0])


def _fixed() -> Iterator[Named]:
    """Give the signs that do not depend on the text."""
    for kind, name in _COUNTED.items():
        for level in range(_LEVELS):
            many = f"{name}, {1 << level} and more" if level else name
            yield _key(MANNER, manner.sign(manner.COUNT, kind, level)), "manner", many
    for kind, name in _WHOLE.items():
        yield _key(MANNER, manner.sign(manner.WHOLE, kind)), "manner", name
    for code in range(33, 127):
        yield _key(MANNER, manner.sign(manner.MARK, code, 0)), "manner", f"the mark {chr(code)}"
        yield _key(MANNER, manner.sign(manner.MARK, code, 1)), "manner", f"a blank before the mark {chr(code)}"
    for code in range(32, 127):
        said = _BEGINS.get(chr(code), f"the mark {chr(code)}")
        yield _key(MANNER, manner.sign(manner.EDGE, code, 0)), "manner", f"{said} at the beginning"
        yield _key(MANNER, manner.sign(manner.EDGE, code, 1)), "manner", f"{said} at the end"


def _of_words(text: str) -> Iterator[Named]:
    for word in text.split():
        shape = manner.shape_of(word)
        for one in (shape, manner.collapsed(shape)):
            yield _key(MANNER, manner.sign(manner.SHAPE, manner.shape_hash(one))), "manner", f"words like {one}"
        raw = word.lower().encode()
        for piece, where in ((b" " + raw[:3], "beginning with"), (raw[-3:] + b" ", "ending in")):
            if len(piece) == 4:
                found = piece.strip().decode("utf-8", "replace")
                yield _key(AFFIX, int.from_bytes(piece, "little")), "affix", f"words {where} {found}"
    words = words_of(text)
    if words:
        yield _key(FIRST, words[0][0]), "place", f"{words[0][1]} as the first word"
        yield _key(LAST, words[-1][0]), "place", f"{words[-1][1]} as the last word"


def _of_characters(text: str) -> Iterator[Named]:
    for one in sorted({one for one in text if ord(one) > 127}):
        yield _key(MANNER, manner.sign(manner.CHARACTER, ord(one))), "characters", one
        for bits in manner.BLOCKS:
            first = ord(one) >> bits << bits
            found = f"characters U+{first:04X} to U+{first + (1 << bits) - 1:04X}"
            yield _key(MANNER, manner.sign(manner.BLOCK, first >> bits, bits)), "characters", found
