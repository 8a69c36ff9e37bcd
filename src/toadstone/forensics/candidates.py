"""Which constants may be encoded at all: a cheap question that nearly every text answers with no."""

from __future__ import annotations

import re

from toadstone.core.regex import regex

SHORTEST = 12
"""Characters of a constant that is tried."""

_LOOKED_AT = 4 << 20

SHELL = regex(r"\b(?:base64|base32|openssl|xxd|uudecode|gunzip|zcat|echo|printf|python[\d.]*|powershell|pwsh|perl|bash|sh)\b")
_MARKS = regex(
    r"//:|uggcf?:|\bnigeb$|ortva \d{3}|&#x?\w|%[0-9a-fA-F]{2}.{0,12}%"
    r"|\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[0-7]{3})|=[0-9A-F]{2}=",
    re.DOTALL,
)
"""Signs of encodings that leave spaces and words in a text."""
_NUMBERED = regex(r"[\[(]?\s*(?:0x)?[0-9a-fA-F]{1,8}[\s,;:.|-]+(?:0x)?[0-9a-fA-F]{1,8}[\s,;:.|-]")


def may_hold(constant: str | bytes) -> bool:
    """Whether a constant may be encoded at all: a cheap question, asked of every text that a source holds."""
    if isinstance(constant, bytes):
        first = constant[:64]
        if not first.isascii() or first[:1] < b"\t":
            return True
        constant = constant[:_LOOKED_AT].decode("latin-1")
    head = constant[:256].strip()
    if not head:
        return False
    if _MARKS.search(constant) or SHELL.search(constant[:4096]) or _NUMBERED.match(head) or head.startswith(("begin ", "M")):
        return True
    words = head.split()
    return len(words) == 1 or min(map(len, words[:-1])) >= 12 or (len(words) > 1 and len(set(map(len, words[1:-1]))) == 1)
