"""Zip files made byte by byte, so that every field can lie."""

import struct
import zlib
from dataclasses import dataclass

FIELDS = ("method", "flags", "crc", "packed", "unpacked")


def deflated(data: bytes) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeeze.compress(data) + squeeze.flush()


@dataclass
class Made:
    """A member: what is true, and what its two headers say instead."""

    name: bytes = b"a.txt"
    content: bytes = b"hello\n"
    method: int = 0
    packed: bytes | None = None
    local: dict | None = None
    central: dict | None = None
    local_name: bytes | None = None
    extra: bytes = b""
    local_extra: bytes = b""
    comment: bytes = b""
    mode: int = 0
    after: bytes = b""
    listed: bool = True
    offset: int | None = None
    headed: bool = True

    def body(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflated(self.content) if self.method == 8 else self.content

    def says(self, lies: dict | None) -> dict:
        true = {
            "method": self.method,
            "flags": 0,
            "crc": zlib.crc32(self.content),
            "packed": len(self.body()),
            "unpacked": len(self.content),
        }
        return true | (lies or {})

    def local_record(self) -> bytes:
        says = self.says(self.local)
        name = self.name if self.local_name is None else self.local_name
        head = struct.pack(
            "<4s5H3I2H",
            b"PK\3\4", 20, says["flags"], says["method"], 0, 0x21, says["crc"], says["packed"], says["unpacked"],
            len(name), len(self.local_extra),
        )  # fmt: skip
        return head + name + self.local_extra + self.body() + self.after

    def central_record(self, offset: int) -> bytes:
        says = self.says(self.central)
        head = struct.pack(
            "<4s6H3I5H2I",
            b"PK\1\2", 0x0300 | 20, 20, says["flags"], says["method"], 0, 0x21, says["crc"], says["packed"], says["unpacked"],
            len(self.name), len(self.extra), len(self.comment), 0, 0, self.mode << 16,
            says.get("offset", offset if self.offset is None else self.offset),
        )  # fmt: skip
        return head + self.name + self.extra + self.comment


def end_record(count: int, length: int, start: int, comment: bytes = b"", stated: int | None = None) -> bytes:
    size = len(comment) if stated is None else stated
    return struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, length, start, size) + comment


def made(
    *members: Made,
    prefix: bytes = b"",
    adjusted: bool = True,
    gap: bytes = b"",
    comment: bytes = b"",
    suffix: bytes = b"",
    end: dict | None = None,
) -> bytes:
    """Build an archive; ``adjusted``: offsets count from the start of the file, not of the archive."""
    body = bytearray(prefix)
    base = 0 if adjusted else len(prefix)
    records = []
    for member in members:
        offset = len(body) - base
        if member.headed:
            body += member.local_record()
        if member.listed:
            records.append(member.central_record(offset))
    body += gap
    directory = b"".join(records)
    says = {"count": len(records), "length": len(directory), "start": len(body) - base, "comment": comment} | (end or {})
    return bytes(body + directory + end_record(**says) + suffix)
