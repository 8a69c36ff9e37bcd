"""Pickles inside the strings of a pickle: raw, as base64 or hex, compressed, or several of these on top of each other.

Nothing loads them by itself, but a loader that a gadget hands them to would; and no honest model needs to hide one.
"""

from __future__ import annotations

import binascii
import zlib

from toadstone.core.blob import Blob, BytesBlob
from toadstone.core.budget import Budget

LONGEST = 32 << 20
"""Strings longer than this are not decoded."""

_EXPANDED = 32 << 20
_STAGES = 4
_HEX = b"0123456789abcdefABCDEF"
_CODED = _HEX + b"GHIJKLMNOPQRSTUVWXYZghijklmnopqrstuvwxyz+/-_= \t\r\n\v\f"
_LOOK = 64
"""Bytes that are enough to see that something is neither Base64 nor hexadecimal."""

_STARTS = frozenset(
    {b"gA", b"80", b"eJ", b"eN", b"eA", b"H4", b"1f", b"1F", b"78", b"x\x9c", b"x\xda", b"x\x01", b"x^", b"\x1f\x8b"}
)
"""How pickles begin as base64 or hex, and what zlib and gzip begin with, as it is and in the same codes."""


def may_hold(head: bytes) -> bool:
    """Whether a string that begins with these two bytes may hold a pickle."""
    return head in _STARTS or _begins(head)


def embedded_pickle(blob: Blob, offset: int, length: int, budget: Budget) -> tuple[Blob, str] | None:
    """Decode a string until it begins like a pickle with a header.

    Returns:
        The pickle's bytes and the stages that led to it (``base64+zlib``; empty for raw), or None.
    """
    head = blob.read(offset, min(length, 4))
    if _begins(head):
        return blob.window(offset, length), ""
    if length > LONGEST or head[:2] not in _STARTS:
        return None
    content = blob.read(offset, length)
    stages: list[str] = []
    for _ in range(_STAGES):
        decoded = _one_stage(content, budget)
        if decoded is None:
            return None
        name, content = decoded
        stages.append(name)
        if _begins(content):
            return BytesBlob(content), "+".join(stages)
    return None


def _begins(content: bytes) -> bool:
    return len(content) >= 2 and content[0] == 0x80 and content[1] <= 5


def _one_stage(content: bytes, budget: Budget) -> tuple[str, bytes] | None:
    if content[:1] == b"x" and content[1:2] in (b"\x9c", b"\xda", b"\x01", b"^"):
        return _inflate(content, zlib.MAX_WBITS, "zlib", budget)
    if content[:2] == b"\x1f\x8b":
        return _inflate(content, zlib.MAX_WBITS | 16, "gzip", budget)
    if content[:_LOOK].translate(None, _CODED):
        return None
    stripped = content.translate(None, b" \t\r\n\v\f")
    if len(stripped) % 2 == 0 and not stripped.translate(None, _HEX):
        return "hex", binascii.unhexlify(stripped)
    try:
        return "base64", binascii.a2b_base64(stripped.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(stripped) % 4))
    except binascii.Error:
        return None


def _inflate(content: bytes, bits: int, name: str, budget: Budget) -> tuple[str, bytes] | None:
    try:
        decoded = zlib.decompressobj(bits).decompress(content, _EXPANDED)
    except zlib.error:
        return None
    budget.spend_unpacked(len(decoded), len(content))
    return name, decoded
