"""The records of a zip file (PKWARE APPNOTE 6.3.10), read one at a time and checked against what is there."""

from __future__ import annotations

import struct
import zlib

from toadstone.core.blob import Blob
from toadstone.core.record import dataclass

TYPE_CHECKING = False  # as typing.TYPE_CHECKING, which takes 3 ms to import
if TYPE_CHECKING:
    from typing import Final

LOCAL: Final = b"PK\x03\x04"
CENTRAL: Final = b"PK\x01\x02"
END: Final = b"PK\x05\x06"
END64: Final = b"PK\x06\x06"
LOCATOR64: Final = b"PK\x06\x07"
DESCRIPTOR: Final = b"PK\x07\x08"
SIGNATURE: Final = b"PK\x05\x05"
SPANNED: Final = (b"PK00", b"PK\x07\x08")
"""Markers that stand before the first header of an archive that was, or was nearly, split (APPNOTE 8.5)."""

ENCRYPTED: Final = 1
DESCRIBED: Final = 1 << 3
PATCHED: Final = 1 << 5
STRONG: Final = 1 << 6
UTF8: Final = 1 << 11
MASKED: Final = 1 << 13

FULL32: Final = 0xFFFFFFFF

_CENTRAL = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64 = struct.Struct("<4sIQI")

LOCAL_ONCE = 512
"""Bytes that are read at once for a local header; one read is enough for nearly all."""


@dataclass(slots=True)
class Header:
    """One of the two descriptions of a member; sizes and offset are resolved through the zip64 field.

    Attributes:
        offset: Where the record stands in the blob.
        size: Bytes of the record with its variable parts.
        raw_name: Name as stored.
        flags: General purpose bits.
        method: Compression method.
        crc: Stored CRC-32 of the unpacked content.
        packed: Stored size of the packed content.
        unpacked: Stored size of the unpacked content.
        extra: Extra fields as stored.
        comment: Comment (directory only).
        target: Offset of the local header as written, before any base is added (directory only).
        attributes: External attributes (directory only).
        system: System that made the member (directory only): 0 DOS, 3 Unix, 19 macOS.
        zip64: Whether a zip64 field replaced something.
    """

    offset: int
    size: int
    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    unpacked: int
    extra: bytes
    comment: bytes = b""
    target: int = -1
    attributes: int = 0
    system: int = 0
    zip64: bool = False

    @property
    def name(self) -> str:
        """The name as loaders decode it; not cut at NUL."""
        return decode(self.raw_name)

    @property
    def encrypted(self) -> bool:
        """Whether any flag says that the content is encrypted."""
        return bool(self.flags & (ENCRYPTED | STRONG)) or self.method == 99

    @property
    def end(self) -> int:
        """Where the record ends: for a local header, where the content begins."""
        return self.offset + self.size


@dataclass(slots=True)
class End:
    """An end-of-central-directory record, with what its zip64 companion says.

    Attributes:
        offset: Where the record stands.
        size: Its bytes, with the part of the comment that is there.
        disk: Number of this disk and of the disk where the directory begins.
        count: Members as stated.
        length: Bytes of the directory as stated.
        start: Offset of the directory as stated.
        comment: Archive comment.
        cut: Whether the comment is shorter than stated.
        locator: Offset of the zip64 locator, or -1.
        record64: Offset of the zip64 record, or -1.
        size64: Bytes of the zip64 record.
        stated64: Where the locator says that the zip64 record is; -1 without one.
        plain: ``(count, length, start)`` of the plain record when a zip64 record contradicts it; otherwise None.
        rival64: Offset of a second zip64 record that the locator points to while another stands before it; or -1.
    """

    offset: int
    size: int
    disk: tuple[int, int]
    count: int
    length: int
    start: int
    comment: bytes
    cut: bool
    locator: int = -1
    record64: int = -1
    size64: int = 0
    stated64: int = -1
    plain: tuple[int, int, int] | None = None
    rival64: int = -1

    @property
    def adjacent(self) -> int:
        """Where the directory begins if it ends right before the end records; negative if it cannot."""
        stop = self.record64 if self.record64 >= 0 else self.offset
        return stop - self.length


def decode(raw: bytes) -> str:
    """Decode a member's name or comment: UTF-8 when it is valid UTF-8, else code page 437.

    The language flag decides in theory; in practice Unix tools write UTF-8 without it.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp437")


def fields(extra: bytes) -> tuple[list[tuple[int, int, bytes]], int]:
    """Split extra fields.

    Returns:
        ``(id, offset of the data, data)`` for each field, and the offset of what is left over and is no field.
    """
    found: list[tuple[int, int, bytes]] = []
    position, stop = 0, len(extra)
    while position + 4 <= stop:
        kind = extra[position] | extra[position + 1] << 8
        size = extra[position + 2] | extra[position + 3] << 8
        if position + 4 + size > stop:
            break
        found.append((kind, position + 4, extra[position + 4 : position + 4 + size]))
        position += 4 + size
    return found, position


def _zip64(extra: bytes) -> bytes | None:
    if b"\x01\x00" not in extra:
        return None
    return next((data for kind, _, data in fields(extra)[0] if kind == 1), None)


def read_central(data: bytes, at: int, base: int, *, cut: bool = False) -> Header | None:
    """Read a directory record at ``data[at:]``, where ``data[0]`` stands at ``base`` in the blob; None if there is none.

    With ``cut``, the variable parts may be shorter than stated, as Python accepts it at the end of the directory.
    """
    if at + 46 > len(data) or data[at : at + 4] != CENTRAL:
        return None
    (_, made, _, flags, method, _, _, crc, packed, unpacked, names, extras, comments, _, _, attributes, target) = (
        _CENTRAL.unpack_from(data, at)
    )
    position = at + 46
    stop = position + names + extras + comments
    if stop > len(data):
        if not cut:
            return None
        stop = len(data)
        comments = max(stop - position - names - extras, 0)
    name = data[position : position + names]
    extra = data[position + names : position + names + extras]
    header = Header(
        base + at, stop - at, name, flags, method, crc, packed, unpacked, extra, data[stop - comments : stop], target,
        attributes, made >> 8,
    )  # fmt: skip
    if extra and FULL32 in {unpacked, packed, target}:
        _resolve_central(header)
    return header


def _resolve_central(header: Header) -> None:
    """Take what is saturated from the zip64 field, in the order of APPNOTE 4.5.3."""
    data = _zip64(header.extra)
    if data is None:
        return
    position = 0
    for attribute in ("unpacked", "packed", "target"):
        if getattr(header, attribute) == FULL32 and position + 8 <= len(data):
            setattr(header, attribute, int.from_bytes(data[position : position + 8], "little"))
            header.zip64 = True
            position += 8


def read_local(blob: Blob, offset: int) -> Header | None:
    """Read the local header at an offset; None if there is none or it is cut."""
    if offset < 0:
        return None
    data = blob.read(offset, LOCAL_ONCE)
    if len(data) < 30 or data[:4] != LOCAL:
        return None
    _, _, flags, method, _, _, crc, packed, unpacked, names, extras = _LOCAL.unpack_from(data)
    size = 30 + names + extras
    if size > len(data):
        data = blob.read(offset, size)
        if len(data) < size:
            return None
    header = Header(offset, size, data[30 : 30 + names], flags, method, crc, packed, unpacked, data[30 + names : size])
    if extras and FULL32 in {packed, unpacked} and (more := _zip64(header.extra)) is not None and len(more) >= 16:
        header.unpacked = int.from_bytes(more[:8], "little")
        header.packed = int.from_bytes(more[8:16], "little")
        header.zip64 = True
    return header


def read_end(blob: Blob, offset: int) -> End | None:
    """Read an end-of-directory record and its zip64 companion; None if there is none at the offset."""
    data = blob.read(offset, 22)
    if len(data) < 22 or data[:4] != END:
        return None
    _, disk, first, _, count, length, start, comments = _END.unpack(data)
    comment = blob.read(offset + 22, comments)
    end = End(offset, 22 + len(comment), (disk, first), count, length, start, comment, len(comment) < comments)
    _resolve_end(blob, end)
    return end


def _resolve_end(blob: Blob, end: End) -> None:
    """Find the zip64 record: where the locator points, or right before the locator (which is where Python looks)."""
    data = blob.read(end.offset - 20, 20)
    if len(data) < 20 or data[:4] != LOCATOR64:
        return
    end.locator = end.offset - 20
    stated = _LOCATOR64.unpack(data)[2]
    found = [offset for offset in dict.fromkeys((end.locator - 56, stated)) if blob.read(offset, 56)[:4] == END64]
    record = blob.read(found[0], 56) if found else b""
    if len(record) < 56:
        return
    offset = found[0]
    if len(found) > 1:
        end.rival64 = found[1]
    _, size, _, _, disk, first, _, count, length, start = _END64.unpack(record)
    plain = (end.count, end.length, end.start)
    saturated = (0xFFFF, FULL32, FULL32)
    if any(old not in (new, full) for old, new, full in zip(plain, (count, length, start), saturated, strict=True)):
        end.plain = plain
    end.record64, end.stated64 = offset, stated
    end.size64 = max(min(size + 12, end.locator - offset), 56) if offset < end.locator else 56
    end.disk, end.count, end.length, end.start = (disk, first), count, length, start


@dataclass(slots=True)
class Descriptor:
    """A data descriptor: what a streaming writer appends to a member.

    Attributes:
        size: Its bytes: 12, 16, 20 or 24.
        crc: Stored CRC-32.
        packed: Stored packed size.
        unpacked: Stored unpacked size.
    """

    size: int
    crc: int
    packed: int
    unpacked: int


def read_descriptor(blob: Blob, offset: int, packed: int, unpacked: int, *, signed: bool = False) -> Descriptor | None:
    """Read the descriptor after ``packed`` bytes of content; None if none of its four forms fits.

    The signature is optional and the sizes have 4 or 8 bytes (APPNOTE 4.3.9); the packed size tells which form it is,
    and the unpacked size where two forms fit. With ``signed``, a signature alone makes it one, whatever its sizes say.
    """
    data = blob.read(offset, 28)
    has_signature = data[:4] == DESCRIPTOR
    found: Descriptor | None = None
    for form, size in _DESCRIPTOR_FORMS[has_signature]:
        if len(data) < size:
            continue
        crc, stored, content = struct.unpack_from(form, data)
        lies = signed and has_signature and data[size : size + 2] == b"PK"
        if (stored == packed or lies) and (found is None or content == unpacked):
            found = Descriptor(size, crc, stored, content)
            if content == unpacked and stored == packed:
                break
    return found


_DESCRIPTOR_FORMS = ((("<III", 12), ("<IQQ", 20)), (("<4xIII", 16), ("<4xIQQ", 24)))


def unicode_name(header: Header) -> str | None:
    """Give the Info-ZIP Unicode path (field 0x7075) if there is a valid one for this name."""
    if b"\x75\x70" not in header.extra:
        return None
    for kind, _, data in fields(header.extra)[0]:
        if kind == 0x7075 and len(data) > 5 and data[0] == 1:
            if int.from_bytes(data[1:5], "little") != zlib.crc32(header.raw_name):
                return None
            return data[5:].decode("utf-8", "replace")
    return None
