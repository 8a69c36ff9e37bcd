"""Top-level domains, and those that are used without being delegated."""

from __future__ import annotations

import functools

from toadstone.intel.bundled import bundled

RESERVED = {
    "example": "plain",
    "invalid": "plain",
    "onion": "plain",
    "test": "word",
    "local": "word",
    "localhost": "word",
    "internal": "word",
    "lan": "word",
    "alt": "word",
}
"""Top-level names that are not delegated but used: RFC 2606, RFC 6761, RFC 6762, RFC 7686, RFC 9476, ICANN's ``internal``."""


@functools.cache
def tlds() -> dict[str, str]:
    """Give the class of every top-level domain (``plain``, ``word``, ``file``), internationalised ones in both forms."""
    table = dict(RESERVED)
    text = bundled("tlds.tsv").decode("utf-8")
    for line in text.splitlines():
        kind, _, names = line.partition("\t")
        for name in names.split():
            table[name] = kind
            if not name.isascii():
                table["xn--" + name.encode("punycode").decode("ascii")] = kind
    return table
