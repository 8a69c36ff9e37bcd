"""Who owns an address: the autonomous system that announces it, its organisation and country. Offline, from packed tables."""

from __future__ import annotations

import functools
import ipaddress
import sys
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from toadstone.intel.bundled import bundled


@dataclass(frozen=True)
class Owner:
    """An autonomous system.

    Attributes:
        asn: Its number.
        organisation: Who runs it, as registered.
        country: ISO 3166 code of the country where most of its addresses are registered; empty when not known.
    """

    asn: int
    organisation: str
    country: str


def owner(address: str) -> Owner | None:
    """Look an IPv4 or IPv6 address up.

    An IPv6 address that carries an IPv4 address (mapped, 6to4, NAT64, Teredo) is looked up by that one.

    Returns:
        Its owner, or None when nobody announces it (or it is no address).
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address):
        carried = embedded(parsed)
        if carried is None:
            return _found("owners-ipv6.xz", "Q", int(parsed) >> 64)
        parsed = carried
    return _found("owners-ipv4.xz", "I", int(parsed))


def embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Give the IPv4 address inside an IPv6 one (RFC 4291, RFC 3056, RFC 6052, RFC 4380), or None."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if int(address) >> 32 == 0x0064FF9B0000000000000000:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def table_date() -> str:
    """Give the date of the tables, as YYYY-MM-DD."""
    return _names()[0]


def _found(name: str, kind: str, number: int) -> Owner | None:
    starts, systems = _table(name, kind)
    place = systems[bisect_right(starts, number) - 1]
    if not place:
        return None
    asn, country, organisation = _names()[place].split("\t", 2)
    return Owner(int(asn), organisation, country)


def _unpacked(name: str) -> bytes:
    import lzma  # noqa: PLC0415  (start-up time)

    return lzma.decompress(bundled(name))


@functools.cache
def _names() -> list[str]:
    return _unpacked("owners-names.xz").decode("utf-8").split("\n")


@functools.cache
def _table(name: str, kind: str) -> tuple[array[int], array[int]]:
    """Unpack the starts of the ranges and the systems they belong to (see tools/intel/owners.py for the form)."""
    data = _unpacked(name)
    count = int.from_bytes(data[:4], "little")
    width = array(kind).itemsize
    gaps = _column(kind, data[4 : 4 + count * width], count)
    return array(kind, accumulate(gaps)), _column("I", data[4 + count * width :], count)


def _column(kind: str, data: bytes, count: int) -> array[int]:
    """Put the byte planes of a column together."""
    column = array(kind)
    width = column.itemsize
    whole = bytearray(count * width)
    for plane in range(width):
        whole[plane::width] = data[plane * count : (plane + 1) * count]
    column.frombytes(bytes(whole))
    if sys.byteorder == "big":
        column.byteswap()
    return column
