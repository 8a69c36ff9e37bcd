"""Identity of bytes: SHA-256 (interoperable) and BLAKE3 (fast), in one pass."""

from __future__ import annotations

import hashlib

from blake3 import blake3

from toadstone.core.blob import Blob

_STEP = 256 << 10
"""Bytes that are hashed at once: both functions find them in the processor's cache, and few pages of memory are touched."""


def digests(blob: Blob) -> dict[str, str]:
    """Hash a blob once, with both functions.

    Returns:
        ``{"sha256": hex, "blake3": hex}``.
    """
    sha = hashlib.sha256()
    fast = blake3()
    for chunk in blob.chunks(step=_STEP):
        sha.update(chunk)
        fast.update(chunk)
    return {"sha256": sha.hexdigest(), "blake3": fast.hexdigest()}
