"""What stands beside tar headers: pax records, GNU long names, and the maps of sparse files."""

from __future__ import annotations

from toadstone.core.blob import Blob
from toadstone.core.budget import Budget
from toadstone.readers.tar.header import BLOCK, Header, number

LONGEST = 1 << 20
"""Bytes of a pax header or long name that are read; no path and no attribute of a real file is longer."""

_MAP_ENTRIES = 10_000

Map = list[tuple[int, int]]
"""``(offset in the file, bytes)`` of each part of a sparse file that is stored."""


def pax_records(data: bytes) -> tuple[dict[str, str], int]:
    """Read records of the form ``length key=value newline``.

    Returns:
        The records, and the offset at which they stop being well-formed (the length of ``data`` if never).
    """
    found: dict[str, str] = {}
    offsets: list[str] = []
    position = 0
    while position < len(data):
        space = data.find(b" ", position, position + 20)
        digits = data[position:space] if space > 0 else b""
        if not digits.isdigit():
            break
        stop = position + int(digits)
        record = data[space + 1 : stop]
        if stop > len(data) or stop <= space or not record.endswith(b"\n") or b"=" not in record:
            break
        key, _, value = record[:-1].partition(b"=")
        name = key.decode("utf-8", "replace")
        found[name] = value.decode("utf-8", "replace")
        if name in {"GNU.sparse.offset", "GNU.sparse.numbytes"}:
            offsets.append(found[name])
        position = stop
    if offsets:
        found["GNU.sparse.map"] = ",".join(offsets)  # version 0.0 repeats two keys; 0.1 joins them
    return found, position


def number_of(records: dict[str, str], key: str) -> int:
    """Give a record's decimal number; -1 when it is missing or none."""
    value = records.get(key, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 20 else -1


def old_map(blob: Blob, header: Header, offset: int) -> tuple[Map, int, int]:
    """Read the map of an old GNU sparse header (type ``S``).

    Args:
        blob: The archive.
        header: The header.
        offset: Where the block after the header begins.

    Returns:
        The map, the size of the whole file, and where the content begins (after extension blocks).
    """
    block, at, entries = header.raw, 386, 4
    real = number(block[483:495])
    found: Map = []
    more = block[482]
    while True:
        for index in range(entries):
            field = block[at + 24 * index : at + 24 * index + 24]
            if field.strip(b"\0"):
                found.append((number(field[:12]), number(field[12:])))
        if not more or len(found) > _MAP_ENTRIES:
            return found, real, offset
        block, at, entries = blob.read(offset, BLOCK), 0, 21
        if len(block) < BLOCK:
            return found, real, offset
        more = block[504]
        offset += BLOCK


def pax_map(blob: Blob, records: dict[str, str], start: int, size: int) -> tuple[Map, int, int] | None:
    """Read the map of a pax sparse file, versions 0.0, 0.1 and 1.0 (GNU tar's manual, "Storing Sparse Files").

    Returns:
        As `old_map`; None when the file is not sparse.
    """
    real = max(number_of(records, "GNU.sparse.realsize"), number_of(records, "GNU.sparse.size"))
    if "GNU.sparse.map" in records:
        values = records["GNU.sparse.map"].split(",")
        begin = start
    elif records.get("GNU.sparse.major") == "1":
        lines = blob.read(start, min(size, LONGEST)).split(b"\n")
        count = int(lines[0]) if lines[0].isdigit() and len(lines[0]) < 8 else 0
        count = min(2 * count, len(lines) - 2, 2 * _MAP_ENTRIES)
        values = [line.decode("latin-1") for line in lines[1 : 1 + count]]
        length = len(lines[0]) + 1 + sum(len(line) + 1 for line in values)
        begin = start + (length + BLOCK - 1) // BLOCK * BLOCK
    else:
        return None
    numbers = [int(value) if value.isascii() and value.isdigit() and len(value) < 20 else -1 for value in values]
    return list(zip(numbers[::2], numbers[1::2], strict=False))[:_MAP_ENTRIES], real, begin


class _Zeros(Blob):
    """A hole."""

    def __init__(self, size: int) -> None:
        self.size = size

    def read(self, offset: int, size: int) -> bytes:
        return bytes(max(min(size, self.size - offset), 0)) if offset >= 0 else b""


def laid_out(packed: Blob, parts: Map, real: int, budget: Budget) -> list[Blob] | None:
    """Give the pieces of a sparse file in the order of the file, holes included; None if the map makes no sense.

    Raises:
        BudgetError: If the holes need more than the budget allows.
    """
    found: list[Blob] = []
    position = taken = 0
    for offset, size in parts:
        if offset < position or size < 0:
            return None
        if offset > position:
            found.append(_Zeros(offset - position))
        found.append(packed.window(taken, size))
        taken += size
        position = offset + size
    if taken > packed.size:
        return None
    if real > position:
        found.append(_Zeros(real - position))
    budget.spend_expand(0, max(real, position) - taken)
    return found
