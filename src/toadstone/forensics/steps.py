"""Names of the steps that lead to a worked-out value: which of them hide what goes through them."""

from __future__ import annotations

HIDING_STEPS = frozenset(
    {
        "base64", "base64 (url-safe)", "base32", "base32 (hex)", "base16", "base85", "ascii85", "z85", "hex", "uu",
        "quoted-printable", "zlib", "gzip", "bz2", "lzma", "rot13", "xor", "character codes", "reversed", "stride", "punycode",
        "ebcdic", "utf-7",
    }
)  # fmt: skip
"""Steps that nobody takes with text that everybody may read."""

_BUILDING = frozenset(
    {"built", "concatenation", "join", "format", "replace", "translate", "byte values", "slice", "loop", "expression", "…"}
)


def is_built(chain: tuple[str, ...]) -> bool:
    """Whether a chain only puts pieces together: what it gives is hidden only if the pieces do not show it."""
    return all(step in _BUILDING or step.endswith(("constant", "constants")) for step in chain)
