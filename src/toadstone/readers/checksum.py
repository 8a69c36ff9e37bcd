"""CRC-32C (Castagnoli), as RFC 3720 defines it."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=1)
def _table() -> tuple[int, ...]:
    table = []
    for index in range(256):
        value = index
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


def crc32c(data: bytes) -> int:
    """Give the checksum of bytes; about 10 MB a second, so callers bound what they hand over."""
    table = _table()
    crc = 0xFFFF_FFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFF_FFFF
