"""Bytes that several tests need. Payloads are inert."""

from __future__ import annotations

import io
import struct
import zipfile


def text(value: str) -> bytes:
    """Push a string."""
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def calling(module: str, name: str, *arguments: str) -> bytes:
    """A pickle that calls a function with strings."""
    pushed = b"".join(text(argument) for argument in arguments)
    return b"\x80\x02" + f"c{module}\n{name}\n".encode() + b"(" + pushed + b"tR."


BENIGN = b"\x80\x02}(" + text("classes") + b"]" + text("stay") + b"a" + text("leave") + b"au."
COMMAND = calling("os", "system", "echo toadstone")
UNKNOWN_CODE = b"\x80\x02cacme_features.encoders\nRegionEncoder\n)\x81."
UNREADABLE = bytes((index * 73 + 41) % 251 | 0x80 for index in range(400))
"""Bytes of no known kind."""


def zipped(**members: bytes) -> bytes:
    """A zip of members; a double underscore in a name stands for a dot."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as file:
        for name, data in members.items():
            file.writestr(zipfile.ZipInfo(name.replace("__", "."), (2026, 1, 5, 9, 0, 0)), data)
    return memory.getvalue()
