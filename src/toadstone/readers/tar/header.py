"""The 512-byte header of tar (POSIX.1-2017 ``pax`` / ustar, GNU tar's manual "Basic Tar Format")."""

from __future__ import annotations

from typing import Final

from toadstone.core.record import dataclass

BLOCK: Final = 512

REGULAR: Final = b"0\x007"
LINKS: Final = b"12"
NODES: Final = b"346"
PAX: Final = b"xgX"
LONG: Final = b"LK"


@dataclass(slots=True)
class Header:
    """One header as stored.

    Attributes:
        kind: Type flag, one byte.
        name: Name with its ustar prefix.
        size: Bytes of content as stored; -1 when the field is no number.
        link: Target of a link.
        magic: ``posix``, ``gnu`` or ``v7``.
        raw: The block.
    """

    kind: bytes
    name: str
    size: int
    link: str
    magic: str
    raw: bytes


def text(field: bytes) -> str:
    """Decode a field that ends at the first NUL."""
    return field.partition(b"\0")[0].decode("utf-8", "replace")


def number(field: bytes) -> int:
    """Read a number: octal digits, or base 256 when the first bit is set (GNU); -1 if it is neither."""
    if field[:1] in {b"\x80", b"\xff"}:
        return int.from_bytes(field[1:], "big") if field[:1] == b"\x80" else -1
    digits = field.partition(b"\0")[0].strip()
    if not digits:
        return 0
    if digits.strip(b"01234567"):
        return -1
    return int(digits, 8)


def valid(block: bytes) -> bool:
    """Whether a block is a header: its checksum holds, computed over unsigned or (old Unix) signed bytes."""
    field = block[148:156]
    if len(block) < BLOCK or field.strip(b" \x0001234567"):
        return False
    stored = number(field)
    if stored <= 0:
        return False
    rest = block[:148] + block[156:BLOCK]
    total = 256 + sum(rest)
    return stored == total or stored == total - 256 * sum(byte > 127 for byte in rest)


def parse(block: bytes) -> Header:
    """Read a block of which `valid` holds."""
    magic = "posix" if block[257:263] == b"ustar\0" else "gnu" if block[257:265] == b"ustar  \0" else "v7"
    name = text(block[:100])
    if magic == "posix" and block[345:346].strip(b"\0"):
        name = f"{text(block[345:500])}/{name}"
    return Header(block[156:157], name, number(block[124:136]), text(block[157:257]), magic, block)
