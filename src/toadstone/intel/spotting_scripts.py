"""Letters that look like letters of another script, as names that deceive use them."""

from __future__ import annotations

import functools
import unicodedata

_SAME = {
    "a": "аɑαа⍺",
    "b": "ЬƄʙвᏏ",
    "c": "сϲᴄⅽᏟⲥ",
    "d": "ԁⅾᏧꓒ",
    "e": "еҽєɛҿ",
    "f": "ſꬵքғ",
    "g": "ɡցᶃ",
    "h": "һհᏂ",
    "i": "іıιⅰӏɩ",
    "j": "јϳյ",
    "k": "кκⲕ",
    "l": "ӏⅼ׀ןІ",
    "m": "мⅿ",
    "n": "ոпո",
    "o": "оοօσዐ०ⲟ",
    "p": "рρⲣ",
    "q": "ԛգզ",
    "r": "гᴦⲅꭇ",
    "s": "ѕꜱꮪ",
    "t": "тτ",
    "u": "υսʋцꭒ",
    "v": "ѵνⅴᴠט",
    "w": "ԝѡաɯᴡ",
    "x": "хχⅹ",
    "y": "уγүỿʏყ",
    "z": "ᴢꮓ",
}
"""ASCII letters and the letters of other scripts that look like them (after Unicode Technical Standard #39, confusables)."""

_LATIN_TRICKS = frozenset("ɑɡıɩᴄᴠᴡᴢꜱʏʙſʋɯɛꬵᶃỿ")
"""Latin letters that hardly any language writes and that look like ASCII ones; the dotless i is told apart below."""


@functools.cache
def _plain() -> dict[str, str]:
    return {other: letter for letter, others in _SAME.items() for other in others.lower()}


def skeleton(label: str) -> str:
    """Write a label as a person would read it: every letter as the ASCII letter that it looks like, where there is one."""
    table = _plain()
    return "".join(table.get(character, character) for character in label)


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


def is_lookalike(label: str, tld: str) -> bool:
    """Whether a label, in its Unicode form, is written to be taken for another one.

    It is when it mixes Latin with a script that has look-alike letters, or when every letter looks like an ASCII letter and its
    top-level domain is not of the label's own script.
    """
    if label.isascii():
        return False
    letters = [character for character in label if character.isalpha()]
    scripts = {_script(character) for character in letters}
    if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "HEBREW"}:
        return True
    if any(character in _LATIN_TRICKS for character in letters):
        return not (tld in ("tr", "az") and "ı" in label)
    if "LATIN" in scripts or not letters:
        return False
    table = _plain()
    return all(character in table for character in letters) and not scripts & {_script(character) for character in tld}
