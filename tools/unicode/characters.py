"""Writes what `toadstone.views.unicode` has to know of every character, as spans of code points.

    python -m tools.unicode.characters

Source: `unicodedata` of the interpreter that runs this (the newer its Unicode version, the better). A script is read off a
character's name, which begins with it. Lines are ``first<TAB>last<TAB>kind<TAB>script``, code points in hexadecimal; what is not
listed is of kind ``other`` and of no script.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

TARGET = Path("src/toadstone/views/data/characters.tsv")

_INVISIBLE = {
    "joiner": "200C-200D",
    "zero-width": "200B 2060 FEFF",
    "mark-of-direction": "061C 200E-200F",
    "direction": "202A-202B 202D-202E 2066-2068",
    "end-of-direction": "202C 2069",
    "tag": "E0000-E007F",
    "selector": "FE00-FE0F 180B-180D 180F E0100-E01EF",
    "soft-hyphen": "00AD",
    "filler": "034F 115F-1160 17B4-17B5 180E 2800 3164 FFA0",
    "invisible-operator": "2061-2064",
    "format": "2065 206A-206F FFF0-FFFB E0080-E00FF E01F0-E0FFF",
    "control": "0000-0008 000B-000C 000E-001F 007F-009F",
}
_EMOJI = "0023 002A 0030-0039 00A9 00AE 203C 2049 20E3 2122 2139 24C2 3030 303D 3297 3299 1F1E6-1F1FF 1F3FB-1F3FF"
"""Bases of emoji sequences that are neither symbols nor marks."""
_BESIDE = {
    "cjk": "CJK HIRAGANA KATAKANA HANGUL BOPOMOFO IDEOGRAPHIC YI NUSHU TANGUT KANGXI HALFWIDTH HENTAIGANA",
    "joining": "ARABIC HEBREW SYRIAC NKO THAANA MANDAIC SAMARITAN MANICHAEAN PHOENICIAN ADLAM",
    "complex": "DEVANAGARI BENGALI GURMUKHI GUJARATI ORIYA TAMIL TELUGU KANNADA MALAYALAM SINHALA THAI LAO TIBETAN MYANMAR KHMER"
    " MONGOLIAN TAI JAVANESE BALINESE CHAM LIMBU SUNDANESE BATAK GRANTHA BRAHMI KHAROSHTHI VEDIC LEPCHA MEETEI SAURASHTRA TAGALOG"
    " HANUNOO BUHID TAGBANWA BUGINESE KAYAH REJANG PHAGS-PA NEWA TIRHUTA SIDDHAM MODI TAKRI KHUDAWADI CHAKMA KAITHI SHARADA",
    "latin": "LATIN",
    "greek": "GREEK",
    "cyrillic": "CYRILLIC",
    "alike": "ARMENIAN CHEROKEE COPTIC LISU CANADIAN DESERET OSAGE WARANG CARIAN LYCIAN LYDIAN OLD GOTHIC TIFINAGH GEORGIAN MIAO"
    " BAMUM ELBASAN RUNIC",
}
_SCRIPTS = {name: script for script, names in _BESIDE.items() for name in names.split()}
_LETTERS = frozenset((0xAA, 0xBA, 0x17F))
"""Ordinals and the long s, which are letters of their languages."""
_LIKE_PICTURES = {"So", "Sm", "Sk"}


def main() -> None:
    given = {code: kind for kind, spans in _INVISIBLE.items() for code in _codes(spans)}
    emoji = set(_codes(_EMOJI))
    lines = [f"# Kinds and scripts of characters, Unicode {unicodedata.unidata_version}; see tools/unicode/characters.py"]
    first, held = 0, ("other", "-")
    for code in range(0x110000 + 1):
        what = (given.get(code) or _kind(code, code in emoji), _script(code)) if code < 0x110000 else ("end", "")
        if what != held:
            if held != ("other", "-"):
                lines.append(f"{first:X}\t{code - 1:X}\t{held[0]}\t{held[1]}")
            first, held = code, what
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(len(lines) - 1, "spans")


def _codes(spans: str) -> list[int]:
    parts = [span.split("-") for span in spans.split()]
    return [code for part in parts for code in range(int(part[0], 16), int(part[-1], 16) + 1)]


def _kind(code: int, emoji: bool) -> str:
    character = chr(code)
    category = unicodedata.category(character)
    styled = "" if emoji else _styled(code)
    if styled:
        return styled
    if code in (9, 10, 13) or category[0] == "Z":
        return "space"
    if emoji or (category in _LIKE_PICTURES and code > 0x7F):
        return "emoji"
    return {"L": "letter", "M": "mark"}.get(category[0], "other")


def _styled(code: int) -> str:
    """Name the way in which a character is a form of one ASCII letter, by its compatibility decomposition or its name."""
    character = chr(code)
    plain = unicodedata.normalize("NFKC", character).strip("()")
    if "LETTER SMALL CAPITAL" in unicodedata.name(character, ""):
        return "raised"
    if code < 0x80 or code in _LETTERS or len(plain) != 1 or not (plain.isascii() and plain.isalnum()):
        return ""
    tag = unicodedata.decomposition(character).partition(" ")[0]
    if tag == "<wide>":
        return "fullwidth"
    if not plain.isalpha():
        return ""
    return "raised" if tag in ("<super>", "<sub>") else "styled"


def _script(code: int) -> str:
    name = unicodedata.name(chr(code), "")
    if 0xFF01 <= code <= 0xFF5E:
        return "-"
    return _SCRIPTS.get(name.replace("-", " ").split(" ")[0] if name.startswith("CJK") else name.partition(" ")[0], "-")


if __name__ == "__main__":
    main()
