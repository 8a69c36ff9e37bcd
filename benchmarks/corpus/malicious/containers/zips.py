"""A zip writer that can lie: every field of the local header, the central directory and the end record can be set apart.

Source: PKWARE APPNOTE 6.3.10.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
END64, LOCATOR64 = b"PK\x06\x06", b"PK\x06\x07"


@dataclass
class Member:
    """One member; ``local`` and ``central`` override header fields (``name flags method crc csize usize extra``).

    Attributes:
        name: as in both headers unless overridden.
        data: uncompressed content.
        method: 0 stored, 8 deflated; others need ``packed``.
        packed: the stored bytes, if not made from ``data``.
        listed: whether it stands in the central directory.
        before: bytes put before the local header.
        attributes: external attributes (a symbolic link is ``0o120777 << 16``).
        offset: the local header's offset to claim, if not the true one.
    """

    name: str
    data: bytes
    method: int = 0
    packed: bytes | None = None
    local: dict[str, object] = field(default_factory=dict)
    central: dict[str, object] = field(default_factory=dict)
    listed: bool = True
    present: bool = True
    before: bytes = b""
    after: bytes = b""
    attributes: int = 0
    offset: int | None = None


def _deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(data) + engine.flush()


def _fields(member: Member, packed: bytes, overrides: dict[str, object]) -> dict[str, object]:
    base: dict[str, object] = {
        "name": member.name.encode("utf-8", "surrogateescape"),
        "flags": 0 if member.name.isascii() else 0x800,
        "method": member.method,
        "crc": zlib.crc32(member.data),
        "csize": len(packed),
        "usize": len(member.data),
        "extra": b"",
    }
    base.update(overrides)
    if isinstance(base["name"], str):
        base["name"] = base["name"].encode()
    return base


def _size(value: object) -> int:
    assert isinstance(value, bytes)
    return len(value)


def build(
    members: Sequence[Member],
    *,
    prefix: bytes = b"",
    adjust: bool = True,
    comment: bytes = b"",
    suffix: bytes = b"",
    count: int | None = None,
    before_central: bytes = b"",
    zip64: tuple[int, int] | None = None,
    comment_size: int | None = None,
    disk: int = 0,
) -> bytes:
    """The bytes of an archive.

    Args:
        members: in file order.
        prefix: bytes before the first local header.
        adjust: whether offsets count the prefix (false: a self-extractor made by ``cat``).
        comment: of the archive.
        suffix: bytes after the end record.
        count: the number of entries to claim.
        before_central: bytes between the last member and the central directory.
        zip64: ``(entries, offset)`` to claim in a zip64 end record, which is then added.
        comment_size: to claim.
        disk: number of this disk.
    """
    out, central = bytearray(prefix), bytearray()
    base = 0 if adjust else len(prefix)
    listed = 0
    for member in members:
        packed = member.packed if member.packed is not None else _deflate(member.data) if member.method == 8 else member.data
        out += member.before
        offset = len(out) - base if member.offset is None else member.offset
        if member.present:
            head = _fields(member, packed, member.local)
            sizes = struct.pack("<III", head["crc"], head["csize"], head["usize"])
            names = struct.pack("<HH", _size(head["name"]), _size(head["extra"])) + head["name"] + head["extra"]  # type: ignore[operator]
            out += (
                LOCAL
                + struct.pack("<HHHHH", 20, head["flags"], head["method"], 0, 0x5821)
                + sizes
                + names
                + packed
                + member.after
            )
        if member.listed:
            listed += 1
            entry = _fields(member, packed, member.central)
            sizes = struct.pack("<III", entry["crc"], entry["csize"], entry["usize"])
            lengths = struct.pack("<HHHHH", _size(entry["name"]), _size(entry["extra"]), 0, 0, 0)
            place = struct.pack("<II", member.attributes, offset)
            fixed = struct.pack("<HHHHHH", 0x031E, 20, entry["flags"], entry["method"], 0, 0x5821)
            central += CENTRAL + fixed + sizes + lengths + place + entry["name"] + entry["extra"]  # type: ignore[operator]
    out += before_central
    start = len(out) - base
    out += central
    entries = listed if count is None else count
    if zip64:
        record = len(out) - base
        out += END64 + struct.pack(
            "<QHHIIQQQQ", 44, 45, 45, 0, 0, zip64[0], zip64[0], len(central), zip64[1] if zip64[1] >= 0 else start
        )
        out += LOCATOR64 + struct.pack("<IQI", 0, record, 1)
        entries, start = 0xFFFF, 0xFFFFFFFF
    claimed = len(comment) if comment_size is None else comment_size
    out += END + struct.pack("<HHHHIIH", disk, disk, entries, entries, len(central), start, claimed) + comment + suffix
    return bytes(out)


def plain(members: Sequence[tuple[str, bytes]], method: int = 0) -> bytes:
    """An honest archive."""
    return build([Member(name, data, method) for name, data in members])


def encrypt(data: bytes, password: bytes, head: bytes = b"toadstone-in") -> bytes:
    """PKWARE's traditional encryption (weak; here to make a member nobody can read)."""
    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte: int) -> None:
        keys[0] = zlib.crc32(bytes([byte]), keys[0] ^ 0xFFFFFFFF) ^ 0xFFFFFFFF
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = zlib.crc32(bytes([keys[1] >> 24]), keys[2] ^ 0xFFFFFFFF) ^ 0xFFFFFFFF

    for byte in password:
        update(byte)
    out = bytearray()
    for byte in head[:11] + bytes([zlib.crc32(data) >> 24]) + data:
        temporary = (keys[2] & 0xFFFF) | 2
        out.append(byte ^ (((temporary * (temporary ^ 1)) >> 8) & 0xFF))
        update(byte)
    return bytes(out)
