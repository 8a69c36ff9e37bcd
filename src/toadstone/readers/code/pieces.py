"""Cuts a long Python source at top-level statements, so that one syntax tree stays small."""

from __future__ import annotations

import re
from collections.abc import Iterator

WHOLE = 160_000
"""Characters up to which a source is parsed in one piece (a syntax tree takes about a kilobyte for every other character at
worst).
"""

PIECE = 120_000
"""Characters of a piece after which it ends at the next top-level statement."""

_TOKENS = re.compile(
    r"""(?P<skip>\#[^\n]*+
    |'''(?:[^\\']|\\.|'(?!''))*+(?:'''|\Z)|\"\"\"(?:[^\\"]|\\.|"(?!""))*+(?:\"\"\"|\Z)
    |'(?:[^\\'\n]|\\.)*+'?+|"(?:[^\\"\n]|\\.)*+"?+
    |\\\n)
    |(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<line>\n(?=[^\s\#)\]}]))""",
    re.VERBOSE | re.DOTALL,
)

_WORDS = re.compile(_TOKENS.pattern.partition("|(?P<open>")[0] + r"|(?P<word>\w++)", re.VERBOSE | re.DOTALL)

_CONTINUES = re.compile(r"(?:else|elif|except|finally|case)\b")

_ATOM = r"(?:-?\d[\d_.]*+(?:[eE][+-]?\d+)?j?|'[^'\\\n]{0,64}'|\"[^\"\\\n]{0,64}\")"
_ENTRY = rf"(?:{_ATOM}\s*+:\s*+)?{_ATOM}\s*+,\s*+"
_DATA = re.compile(rf"(?<![\w.])({_ENTRY})(?:{_ENTRY}){{32,}}+")
"""A long run of plain numbers or short texts: a table, of which the first entry tells as much as all."""

WORDS = 120_000
"""Words of one piece that are given to the parser at most."""

ALL_WORDS = 130_000
"""Words of one source that are given to the parser at most; the largest modules of big packages have 93,000."""

STEPS = 8
"""Steps that a word costs: it is parsed, followed, and may become a fact."""


def pieces(text: str) -> Iterator[tuple[int, str, bool]]:
    """Cut a source.

    Yields:
        0-based first line, text, and whether it is the whole source.
    """
    if len(text) <= WHOLE:
        yield 0, text, True
        return
    start = line = depth = 0
    decorated = False
    for token in _TOKENS.finditer(text):
        kind = token.lastgroup
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(depth - 1, 0)
        elif kind == "line" and depth == 0:
            position = token.end()
            if position - start >= PIECE and not decorated and not _CONTINUES.match(text, position):
                piece = text[start:position]
                yield line, _shortened(piece), False
                line += piece.count("\n")
                start = position
            decorated = text[position] == "@"
    yield line, _shortened(text[start:]), False


def words(piece: str) -> int:
    """Count the words and string literals of a piece: its syntax tree has about as many nodes."""
    return sum(found[0][0] not in "#\\" for found in _WORDS.finditer(piece))


def _shortened(piece: str) -> str:
    """Cut long tables of plain constants down to their first entries, keeping the lines where they are."""
    if len(piece) <= WHOLE:
        return piece
    return _DATA.sub(lambda found: found[1] + "\n" * (found[0].count("\n") - found[1].count("\n")), piece)
