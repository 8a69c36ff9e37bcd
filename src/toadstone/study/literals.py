"""Properties in words a person can read: the longest phrase that the rows share, the frame, the characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from toadstone.study.manner_names import manner_name
from toadstone.study.phrases import Wanted, frame_keys, key_of_flag, word_keys
from toadstone.views.words import words_of

_SHARE = 0.8
_LONGEST = 60
FLAGS = (
    "zero-width characters within words",
    "zero-width characters",
    "controls of writing direction",
    "controls of writing direction",
    "tag characters",
    "variation selectors",
    "soft hyphens",
    "soft hyphens",
    "soft hyphens",
    "letters of another script that look alike",
    "words of another script that look alike",
    "styled letters",
    "styled letters within words",
    "invisible fillers",
    "control characters within words",
    "leftover characters",
    "invisible characters",
    "soft hyphens",
    "letters of another script that look alike",
    "styled letters",
    "hidden or disguised characters",
)

Words = list[tuple[int, str]]


def literal(key: int, wanted: Wanted, texts: Sequence[str], rare: NDArray[np.bool_] | None = None) -> tuple[str, str]:
    """Name a property.

    Args:
        key: Of the property.
        wanted: Among which properties it was found.
        texts: Some rows that have it.
        rare: Which words (their hashes modulo the number of slots) hardly occur beyond rows such as these: a sign of manner
            that is the sign of such a word is named after it.

    Returns:
        kind (``word``, ``phrase``, ``frame``, ``characters``, ``manner``, ``place``, ``affix``) and the literal: what most of the
        rows share around it.
    """
    for bit, name in enumerate(FLAGS):
        if key == key_of_flag(bit):
            return "characters", name
    spoken = [words_of(text) for text in texts]
    found = [place for words in spoken if (place := _place(words, key)) is not None]
    if found:
        size = found[0][1]
        rows = [words for words in spoken if _place(words, key) is not None]
        return _spelled(_grown(rows, key, size))
    manner = manner_name(key, texts)
    if manner is not None:
        shared = _shared(spoken, rare) if rare is not None else []
        return _spelled(shared) if shared else manner
    for words in spoken:
        hashes = np.array([value for value, _ in words], np.uint32)
        for length, own in enumerate(frame_keys(hashes, wanted.frequent), start=2):
            if own == key:
                phrase = _common(spoken)
                return ("phrase", " ".join(phrase)) if phrase else ("frame", _frame(words, hashes, wanted, length))
    return "phrase", ""


def _spelled(phrase: list[str]) -> tuple[str, str]:
    return ("word" if len(phrase) == 1 else "phrase"), " ".join(phrase)


def _shared(rows: list[Words], rare: NDArray[np.bool_]) -> list[str]:
    """Give the phrase around a rare word that most of the rows share, if there is one."""
    votes = Counter(value for words in rows for value in {value for value, _ in words} if rare[value % len(rare)])
    value, most = max(votes.items(), key=lambda entry: (entry[1], entry[0]), default=(0, 0))
    if most < _SHARE * len(rows) or len(rows) < 3:
        return []
    key = int(word_keys(np.array([value], np.uint32), 1)[0])
    return _grown([words for words in rows if _place(words, key) is not None], key, 1)


def combination(slots: Sequence[int], width: int, texts: Sequence[str]) -> str:
    """Give the words of some slots, as most of the texts have them.

    Args:
        slots: Hashes of words modulo the width.
        width: Number of slots.
        texts: Some rows that have them all.
    """
    named: list[str] = []
    for slot in slots:
        votes = Counter(word for text in texts for value, word in set(words_of(text)) if value % width == slot)
        named += [max(votes.items(), key=lambda entry: (entry[1], entry[0]))[0]] if votes else []
    return " ".join(named)


def escaped(value: str) -> str:
    """Write everything but printing ASCII as escapes."""
    return value.encode("unicode_escape").decode("ascii")


def _place(words: Words, key: int) -> tuple[int, int] | None:
    hashes = np.array([value for value, _ in words], np.uint32)
    for size in (1, 2, 3):
        hit = np.flatnonzero(word_keys(hashes, size) == np.uint64(key))
        if len(hit):
            return int(hit[0]), size
    return None


def _common(rows: list[Words]) -> list[str]:
    """Give a phrase of three words and more that most of the rows share, if there is one."""
    seen = Counter(
        key for words in rows for key in set(word_keys(np.array([value for value, _ in words], np.uint32), 3).tolist())
    )
    key, votes = max(seen.items(), key=lambda entry: (entry[1], entry[0]), default=(0, 0))
    if votes < _SHARE * len(rows) or len(rows) < 3:
        return []
    return _grown([words for words in rows if _place(words, key) is not None], key, 3)


def _grown(rows: list[Words], key: int, size: int) -> list[str]:
    """Extend the phrase on both sides as long as most rows agree on the next word."""
    places = [_place(words, key) for words in rows]
    starts = [place[0] for place in places if place is not None]
    first = rows[0][starts[0] : starts[0] + size]
    phrase = [word for _, word in first]
    for step, base in ((-1, -1), (1, size)):
        reach = base
        while len(phrase) < _LONGEST:
            near = Counter(
                words[start + reach][1] for words, start in zip(rows, starts, strict=True) if 0 <= start + reach < len(words)
            )
            word, votes = max(near.items(), key=lambda entry: (entry[1], entry[0]), default=("", 0))
            if votes < _SHARE * len(rows) or len(rows) < 3:
                break
            phrase = [word, *phrase] if step < 0 else [*phrase, word]
            reach += step
    return phrase


def _frame(words: Words, hashes: NDArray[np.uint32], wanted: Wanted, length: int) -> str:
    parts: list[str] = []
    for (_, word), value in zip(words, hashes.tolist(), strict=True):
        part = word if wanted.frequent[value % len(wanted.frequent)] else "…"
        if part != "…" or not parts or parts[-1] != "…":
            if len(parts) == length:
                break
            parts.append(part)
    return " ".join(parts)
