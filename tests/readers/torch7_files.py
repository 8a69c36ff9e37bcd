"""Files of Torch7, written by hand after torch7's `File.lua`; nothing in them is ever loaded by Lua."""

from __future__ import annotations

import struct

LUA = b"\x1bLuaQ\0\1\4\x08\4\x08\0\4\x03\0\0\0\0\0\0\0os\0\4\x08\0\0\0\0\0\0\0execute\0\4\x0f\0\0\0\0\0\0\0echo toadstone\0"
"""The head and the constants of a function that names `os.execute`."""


def number(value: int) -> bytes:
    return struct.pack("<i", value)


def longs(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}q", *values)


def text(value: bytes) -> bytes:
    return number(2) + number(len(value)) + value


def key(value: float) -> bytes:
    return number(1) + struct.pack("<d", value)


def thing(index: int, name: bytes) -> bytes:
    return number(4) + number(index) + number(3) + b"V 1" + number(len(name)) + name


def table(index: int, *objects: bytes) -> bytes:
    return number(3) + number(index) + number(len(objects) // 2) + b"".join(objects)


def tensor(index: int, side: int) -> bytes:
    storage = thing(index + 1, b"torch.FloatStorage") + longs(side * side) + bytes(4 * side * side)
    return thing(index, b"torch.FloatTensor") + number(2) + longs(side, side) + longs(side, 1) + longs(1) + storage


def function(code: bytes) -> bytes:
    return number(8) + number(90) + number(len(code)) + code + number(0)


LINEAR = thing(4, b"nn.Linear") + table(5, text(b"weight"), tensor(6, 3), text(b"train"), number(5) + number(1))
BENIGN = thing(1, b"nn.Sequential") + table(
    2, text(b"modules"), table(3, key(1), LINEAR), text(b"_type"), text(b"torch.FloatTensor")
)
HOSTILE = table(1, text(b"forward"), function(LUA), text(b"w"), tensor(2, 2))
HARMLESS_FUNCTION = table(1, text(b"f"), function(b"\x1bLJ\2\nadd mul"))
LINES = (
    b"4\n1\n3\nV 1\n13\nnn.Sequential\n3\n2\n2\n2\n5\ntrain\n5\n0\n2\n1\nw\n4\n3\n3\nV 1\n17\ntorch.FloatTensor\n1\n3\n1\n1\n"
    b"4\n4\n3\nV 1\n18\ntorch.FloatStorage\n3\n0.5 -1e-05 nan\n"
)
