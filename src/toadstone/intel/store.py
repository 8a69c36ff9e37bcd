"""Lists on disk: one file a list, made when it is imported, mapped into memory and searched where it lies.

The entries' 64-bit hashes stand sorted in one column, so that a million of them load in no time and take no memory of ours.
A look-up asks a bit map first, which rules out nearly everything, then searches the column, and compares what it finds with
the entry's text: a hit is never a coincidence.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import mmap
import os
import re
import weakref
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toadstone.core.errors import ToadstoneError

SUFFIX = ".list"
_MAGIC = b"toadstone list 1\n"
_BITS = 16
"""Bits of the map for each entry: of the look-ups that hit nothing, one in sixteen or fewer reaches the column."""
_MOST_NOTES = 1 << 16
"""Different notes that a list may have; entries beyond that share one."""


class IntelError(ToadstoneError):
    """A list cannot be read, written or found."""


@dataclass(frozen=True)
class Note:
    """What a list says of an entry.

    Attributes:
        label: For a person: a family, a campaign, a reason.
        valid_from: First day on which it counts; empty if always.
        valid_until: Last day on which it counts; empty if for ever.
    """

    label: str = ""
    valid_from: str = ""
    valid_until: str = ""

    def counts(self, today: dt.date | None) -> bool:
        """Whether the entry counts on a day; None makes every entry count."""
        if today is None:
            return True
        day = today.isoformat()
        return (not self.valid_from or self.valid_from <= day) and (not self.valid_until or day <= self.valid_until)


@dataclass(frozen=True)
class Entry:
    """One indicator of a list."""

    type: str
    value: str
    note: Note


class ListBuilder:
    """Collects entries and writes a list.

    Args:
        name: Name of the list, for findings; letters, digits, dots, dashes and underscores.
        date: Day of the import.

    Raises:
        IntelError: If the name is none.
    """

    def __init__(self, name: str, date: dt.date) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
            raise IntelError(f"{name!r} is no name for a list.", "Use letters, digits, dots, dashes and underscores, 64 at most.")
        import tempfile  # noqa: PLC0415  (only where a list is made)

        self.name = name
        self.date = date
        self.skipped: dict[str, int] = {}
        self._keys = array("Q")
        self._checks = array("I")
        self._notes = array("I")
        self._places = array("Q")
        self._text = tempfile.TemporaryFile()  # noqa: SIM115  (a large list's entries; lives as long as the builder)
        weakref.finalize(self, self._text.close)
        self._size = 0
        self._known: dict[tuple[str, str, str], int] = {}
        self._prefixes: set[str] = set()
        self._counts: dict[str, int] = {}

    def add(self, kind: str, value: str, label: str = "", valid_from: str = "", valid_until: str = "") -> None:
        """Add an entry of a type and in the form of `toadstone.intel.values.canonical`."""
        line = f"{kind}\0{value}".encode("utf-8", "surrogateescape")
        note = (label, valid_from, valid_until)
        number = self._known.get(note)
        if number is None:
            if len(self._known) >= _MOST_NOTES:
                note = ("", valid_from, valid_until) if len(self._known) < 2 * _MOST_NOTES else ("", "", "")
            number = self._known.setdefault(note, len(self._known))
        self._keys.append(int.from_bytes(hashlib.blake2b(line, digest_size=8).digest(), "little"))
        self._checks.append(zlib.crc32(line))
        self._notes.append(number)
        self._places.append(self._size)
        self._text.write(line + b"\n")
        self._size += len(line) + 1
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if kind == "cidr":
            self._prefixes.add(("6/" if ":" in value else "4/") + value.rpartition("/")[2])

    def skip(self, reason: str) -> None:
        """Count something that was not understood."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1

    def __len__(self) -> int:
        return len(self._keys)

    def write(self, folder: Path) -> Path:
        """Write the list, replacing one of the same name at once or not at all.

        Raises:
            IntelError: If the folder cannot be written.
        """
        import tempfile  # noqa: PLC0415

        order = sorted(range(len(self._keys)), key=self._keys.__getitem__)
        header = {
            "name": self.name,
            "date": self.date.isoformat(),
            "entries": len(order),
            "types": dict(sorted(self._counts.items())),
            "prefixes": sorted(self._prefixes),
            "expires": any(note[1] or note[2] for note in self._known),
            "skipped": dict(sorted(self.skipped.items())),
            "notes": len(self._known),
        }
        notes = b"".join(json.dumps(note).encode() + b"\n" for note in self._known)
        head = json.dumps(header).encode()
        head += b" " * (-(len(_MAGIC) + 4 + len(head)) % 8)
        path = folder / f"{self.name}{SUFFIX}"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".new-", delete=False) as stream:
                stream.write(_MAGIC + len(head).to_bytes(4, "little") + head)
                stream.write(self._map())
                for column in (self._keys, self._places, self._notes):
                    array(column.typecode, map(column.__getitem__, order)).tofile(stream)
                stream.write(len(notes).to_bytes(8, "little") + notes)
                self._text.seek(0)
                while chunk := self._text.read(1 << 20):
                    stream.write(chunk)
            os.replace(stream.name, path)  # noqa: PTH105  (atomic, and what it is called in POSIX)
        except OSError as error:
            raise IntelError(f"{path} cannot be written: {error.strerror}.") from None
        return path

    def _map(self) -> bytes:
        mask = _map_size(len(self._checks)) * 8 - 1
        bits = bytearray((mask + 1) >> 3)
        for check in self._checks:
            place = check & mask
            bits[place >> 3] |= 1 << (place & 7)
        return bytes(bits)


def _map_size(entries: int) -> int:
    """Give the bytes of the bit map of a list: a power of two."""
    return max(8, 1 << (max(1, entries) * _BITS // 8 - 1).bit_length())


class ListFile:
    """A list, mapped into memory.

    Raises:
        IntelError: If the file is no list, or a damaged one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as stream:
                self._map = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise IntelError(f"{path} cannot be read: {error}.") from None
        try:
            self._lay_out()
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            raise IntelError(f"{path} is damaged.", "Import the list again.") from None

    def _lay_out(self) -> None:
        data = self._map
        if data[: len(_MAGIC)] != _MAGIC:
            raise ValueError("no list")
        at = len(_MAGIC) + 4
        size = int.from_bytes(data[at - 4 : at], "little")
        header = json.loads(data[at : at + size])
        at += size
        count = int(header["entries"])
        bits = _map_size(count)
        if count < 0 or at + bits + 20 * count + 8 > len(data):
            raise ValueError("too short")
        view = memoryview(data)
        self._bits = view[at : at + bits]
        self._mask = bits * 8 - 1
        at += bits
        self._keys = view[at : at + 8 * count].cast("Q")
        self._places = view[at + 8 * count : at + 16 * count].cast("Q")
        self._numbers = view[at + 16 * count : at + 20 * count].cast("I")
        at += 20 * count
        size = int.from_bytes(data[at : at + 8], "little")
        self._notes = [Note(*json.loads(line)) for line in data[at + 8 : at + 8 + size].splitlines()]
        self._text = at + 8 + size
        self.name = str(header["name"])
        self.date = str(header["date"])
        self.expires = bool(header["expires"])
        self.types: dict[str, int] = header["types"]
        self.skipped: dict[str, int] = header["skipped"]
        self.prefixes: tuple[str, ...] = tuple(header["prefixes"])

    def __len__(self) -> int:
        return len(self._keys)

    def may_hold(self, kind: str, value: str) -> bool:
        """Whether a value can be in the list: hardly ever when it is not, always when it is."""
        bit = zlib.crc32(f"{kind}\0{value}".encode("utf-8", "surrogateescape")) & self._mask
        return bool(self._bits[bit >> 3] >> (bit & 7) & 1)

    def find(self, kind: str, value: str) -> list[Note]:
        """Give what the list says of a value; empty when it does not name it."""
        line = f"{kind}\0{value}".encode("utf-8", "surrogateescape")
        wanted = int.from_bytes(hashlib.blake2b(line, digest_size=8).digest(), "little")
        keys = self._keys
        place = bisect_left(keys, wanted)
        found: list[Note] = []
        while place < len(keys) and keys[place] == wanted:
            entry = self._entry(place)
            if entry.type == kind and entry.value == value:
                found.append(entry.note)
            place += 1
        return found

    def entries(self) -> Iterator[Entry]:
        """Yield all entries in the order of import."""
        for place in sorted(range(len(self._keys)), key=self._places.__getitem__):
            yield self._entry(place)

    def _entry(self, place: int) -> Entry:
        begin = self._text + self._places[place]
        end = self._map.find(b"\n", begin)
        line = self._map[begin : end if end >= 0 else len(self._map)].decode("utf-8", "surrogateescape")
        kind, _, value = line.partition("\0")
        number = self._numbers[place]
        return Entry(kind, value, self._notes[number] if number < len(self._notes) else Note())

    def identity(self) -> str:
        """Give what changes whenever the list does: its name, size and time."""
        status = self.path.stat()
        return f"{self.path.name}\0{status.st_size}\0{status.st_mtime_ns}"
