"""Writes the tables of who owns an address: ranges to autonomous systems, and those to organisations and countries.

    npm pack @ip-location-db/asn @ip-location-db/asn-country      # and unpack both
    python -m tools.intel.owners asn/package asn-country/package 2026-06-17

Sources and licences (all CC BY 4.0): Route Views (IPv4 origins), the statistics of the five regional registries (NRO), the
DB-IP "IP to ASN Lite" database (organisation names), as merged by the npm package ``@ip-location-db/asn``; the country of a
system is the one in which the NRO statistics register most of its addresses. Attribution is in NOTICE.

Three files, each one LZMA stream: columns of 32-bit or 64-bit little-endian numbers, cut into their byte planes because like
bytes compress well next to each other.
"""

from __future__ import annotations

import csv
import itertools
import lzma
import sys
from array import array
from bisect import bisect_right
from collections import defaultdict
from pathlib import Path

Range = tuple[int, int, int]
_FOLDER = Path("src/toadstone/intel/data")


def main(asn: str, country: str, date: str) -> None:
    names: dict[int, str] = {}
    four = _ranges(Path(asn, "asn-ipv4-num.csv"), names, 0)
    six = _ranges(Path(asn, "asn-ipv6-num.csv"), names, 64)
    countries = _countries(four, six, Path(country))
    order = sorted(names)
    index = {number: place for place, number in enumerate(order, 1)}
    _write("owners-ipv4.xz", _table(four, index, "I"))
    _write("owners-ipv6.xz", _table(six, index, "Q"))
    lines = [date, *(f"{number}\t{countries.get(number, '')}\t{_clean(names[number])}" for number in order)]
    _write("owners-names.xz", "\n".join(lines).encode("utf-8"))
    print(len(order), "systems,", len(four), "IPv4 and", len(six), "IPv6 ranges")


def _clean(name: str) -> str:
    return " ".join(name.split())[:80]


def _ranges(path: Path, names: dict[int, str], shift: int) -> list[Range]:
    """Read ranges as (first, last, system), in units of 2**shift addresses, neighbours of one system joined."""
    found: list[list[int]] = []
    with path.open(encoding="utf-8") as stream:
        rows = sorted((int(row[0]), int(row[1]), int(row[2]), row[3]) for row in csv.reader(stream))
    for first, last, number, name in rows:
        names.setdefault(number, name)
        begin, end = first >> shift, last >> shift
        if found and begin <= found[-1][1]:
            begin = found[-1][1] + 1  # two systems inside one /64: the first one has it
        if begin > end:
            continue
        if found and found[-1][2] == number and found[-1][1] + 1 == begin:
            found[-1][1] = end
        else:
            found.append([begin, end, number])
    return [(begin, end, number) for begin, end, number in found]


def _countries(four: list[Range], six: list[Range], folder: Path) -> dict[int, str]:
    """Count for every system how many of its addresses are registered where; an IPv6 /64 counts little, as there are so many."""
    counts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for name, shift, ranges, weight in (("asn-country-ipv4-num.csv", 0, four, 1 << 40), ("asn-country-ipv6-num.csv", 64, six, 1)):
        with (folder / name).open(encoding="utf-8") as stream:
            registered = sorted((int(row[0]) >> shift, int(row[1]) >> shift, row[2]) for row in csv.reader(stream))
        starts = [row[0] for row in registered]
        for begin, end, number in ranges:
            place = max(0, bisect_right(starts, begin) - 1)
            while place < len(registered) and registered[place][0] <= end:
                low, high, country = registered[place]
                shared = min(high, end) - max(low, begin) + 1
                if shared > 0:
                    counts[number][country] += shared * weight
                place += 1
    return {number: max(sorted(found), key=lambda country: found[country]) for number, found in counts.items()}


def _table(ranges: list[Range], index: dict[int, int], kind: str) -> bytes:
    """Write starts (as differences) and systems; space that nobody announces belongs to system 0."""
    starts: list[int] = [0]
    owners: list[int] = [0]
    for begin, end, number in ranges:
        if starts[-1] == begin:
            owners[-1] = index[number]
        else:
            starts.append(begin)
            owners.append(index[number])
        if end + 1 < 1 << (32 if kind == "I" else 64):
            starts.append(end + 1)
            owners.append(0)
    gaps = array(kind, [starts[0], *(after - before for before, after in itertools.pairwise(starts))])
    return len(starts).to_bytes(4, "little") + _planes(gaps) + _planes(array("I", owners))


def _planes(column: array[int]) -> bytes:
    data = column.tobytes() if sys.byteorder == "little" else _swapped(column)
    return b"".join(data[plane :: column.itemsize] for plane in range(column.itemsize))


def _swapped(column: array[int]) -> bytes:
    copy = array(column.typecode, column)
    copy.byteswap()
    return copy.tobytes()


def _write(name: str, data: bytes) -> None:
    packed = lzma.compress(
        data, lzma.FORMAT_XZ, filters=[{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0}]
    )
    (_FOLDER / name).write_bytes(packed)
    print(name, f"{len(data):,} -> {len(packed):,}")


if __name__ == "__main__":
    main(*sys.argv[1:4])
