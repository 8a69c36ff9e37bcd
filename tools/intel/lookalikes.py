"""Writes the letters of other scripts that look like ASCII ones.

    pip install confusable-homoglyphs==3.3.1        # MIT; carries the table of Unicode Technical Standard 39
    python -m tools.intel.lookalikes PATH/confusable_homoglyphs/confusables.json

Kept are single letters that may stand in a domain label (lower case, unchanged by NFKC) and whose plain reading is one ASCII
letter or digit.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

_ASCII = "abcdefghijklmnopqrstuvwxyz"


def main(source: str) -> None:
    table = json.loads(Path(source).read_text(encoding="utf-8"))
    found: dict[str, set[str]] = {letter: set() for letter in _ASCII}
    for letter in _ASCII:
        for plain in (letter, letter.upper()):
            for entry in table.get(plain, ()):
                for other in (entry["c"], entry["c"].lower()):
                    as_written = plain == letter or other != entry["c"] or not entry["c"].isupper()
                    if len(other) == 1 and as_written and _in_label(other):
                        found[letter].add(other)
    lines = ["# ASCII letter and the letters that look like it (Unicode Technical Standard 39); see tools/intel/lookalikes.py"]
    lines += [f"{letter}\t{''.join(sorted(others))}" for letter, others in found.items() if others]
    Path("src/toadstone/intel/data/lookalikes.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(sum(len(others) for others in found.values()), "letters")


def _in_label(character: str) -> bool:
    return (
        not character.isascii()
        and character.isalpha()
        and character == character.lower()
        and unicodedata.normalize("NFKC", character) == character
    )


if __name__ == "__main__":
    main(sys.argv[1])
