"""Characters that a reader does not see, or takes for others."""

from __future__ import annotations

INVISIBLE = {
    "zero-width": "\u200b\u200c\u200d\u2060\ufeff",
    "soft-hyphen": "\u00ad",
    "invisible-operator": "\u2061\u2062\u2063\u2064",
    "variation-selector": "".join(map(chr, range(0xFE00, 0xFE10))),
    "tag": "".join(map(chr, range(0xE0061, 0xE007B))),
    "bidirectional": "\u200e\u200f\u202a\u202d\u2066\u2068",
}
"""Kinds of characters without a glyph (Boucher et al. 2022, Bad Characters; the Unicode Standard)."""

_LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
CONFUSABLE = {
    "cyrillic": {"a": "а", "c": "с", "e": "е", "i": "і", "j": "ј", "o": "о", "p": "р", "s": "ѕ", "x": "х", "y": "у"},  # noqa: RUF001
    "greek": {"o": "ο", "v": "ν", "A": "Α", "B": "Β", "E": "Ε", "H": "Η", "I": "Ι", "K": "Κ", "O": "Ο", "T": "Τ"},  # noqa: RUF001
    "fullwidth": {letter: chr(ord(letter) + 0xFEE0) for letter in _LATIN},
    "mathematical": {
        letter: chr((0x1D5BA if letter.islower() else 0x1D5A0) + ord(letter.lower()) - ord("a")) for letter in _LATIN
    },
}
"""Letters that look like Latin ones, by where they come from (Unicode Technical Standard 39)."""
