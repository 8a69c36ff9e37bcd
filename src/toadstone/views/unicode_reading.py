"""What invisible characters spell, and which words look like others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from toadstone.views.characters import same_table

_LONGEST = 160
"""Characters of a decoded text that are shown."""
_WORD = re.compile(r"[^\W\d_]{3,}")


def hidden_text(codes: Sequence[int]) -> str:
    """Decode what the invisible characters of one row spell; empty when that is nothing.

    Tag characters mirror ASCII (Unicode, section 23.9). Variation selectors number 256 and are used as bytes. Two kinds of
    zero-width characters are used as bits, eight or seven to a letter.

    Args:
        codes: Code points in their order.
    """
    tags = "".join(chr(code - 0xE0000) for code in codes if 0xE0020 <= code < 0xE007F)
    if tags:
        return tags[:_LONGEST]
    raw = bytes(_byte(code) for code in codes if _byte(code) >= 0)
    if len(raw) > 1:
        text = raw.decode("utf-8", "replace")
        return text[:_LONGEST] if _readable(text) else ""
    return _bits(codes)


def _byte(code: int) -> int:
    if 0xFE00 <= code <= 0xFE0F:
        return code - 0xFE00
    return code - 0xE0100 + 16 if 0xE0100 <= code <= 0xE01EF else -1


def _bits(codes: Sequence[int]) -> str:
    kinds = sorted(set(codes))
    if len(codes) < 16 or not 2 <= len(kinds) <= 3:
        return ""
    for zero in kinds:
        for one in kinds:
            digits = "".join("0" if code == zero else "1" for code in codes if code in (zero, one))
            for width in (8, 7):
                letters = [int(digits[at : at + width], 2) for at in range(0, len(digits) - width + 1, width)]
                text = "".join(map(chr, letters))
                if zero != one and len(text) > 1 and text.isascii() and _readable(text):
                    return text[:_LONGEST]
    return ""


def _readable(text: str) -> bool:
    return sum(character.isprintable() and character != "\ufffd" for character in text) >= 0.9 * len(text)


def same_words(text: str) -> Iterator[str]:
    """Yield the words all of whose letters cannot be told from Latin ones and are not."""
    table = same_table()
    for word in _WORD.findall(text):
        if not word.isascii() and all(table[ord(letter)] for letter in word):
            yield word
