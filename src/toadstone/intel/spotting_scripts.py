"""Letters that look like letters of another script, as names that deceive use them."""

from __future__ import annotations

import functools
import unicodedata

from toadstone.intel.bundled import bundled

_SCRIPTS = frozenset(("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "HEBREW", "LISU", "GEORGIAN"))
"""Scripts with letters that pass for Latin ones."""


@functools.cache
def _plain() -> dict[str, str]:
    text = bundled("lookalikes.tsv").decode("utf-8")
    rows = (line.partition("\t") for line in text.splitlines() if not line.startswith("#"))
    return {other: letter for letter, _, others in rows for other in others}


def skeleton(label: str) -> str:
    """Write a label as a person would read it: every letter as the ASCII letter that it looks like, where there is one."""
    table = _plain()
    return "".join(table.get(character, character) for character in label)


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


_TURKISH = frozenset("\u0131")
"""The dotless i: a letter of its own where these languages are at home."""


def is_lookalike(label: str, tld: str) -> bool:
    """Whether a label, in its Unicode form, is written to be taken for another one.

    It is when it mixes Latin with a script that has look-alike letters, or when every letter looks like an ASCII letter and its
    top-level domain is not of the label's own script.
    """
    if label.isascii():
        return False
    letters = [character for character in label if character.isalpha()]
    scripts = {_script(character) for character in letters}
    table = _plain()
    if "LATIN" in scripts:
        strange = {character for character in letters if character in table and not unicodedata.decomposition(character)}
        return bool(scripts & _SCRIPTS) or bool(strange - (_TURKISH if tld in ("tr", "az") else frozenset()))
    return bool(letters) and all(character in table for character in letters) and _script(tld[:1]) not in scripts
