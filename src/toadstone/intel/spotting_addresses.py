"""IPv6 addresses, and IPv4 addresses written as one number where a host is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.intel.spotting_context import asks_for_host
from toadstone.intel.spotting_hosts import ipv4_any, ipv6
from toadstone.intel.spotting_types import Spotted

_ANCHOR = re.compile(
    r":(?::|[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){5,6}(?![0-9A-Fa-f:])|[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){4}:[0-9]{1,3}\.[0-9])"
)
_DIGITS = "0123456789abcdefABCDEF:."
_TAIL = re.compile(r"(?:[0-9A-Fa-f]{0,4}:)+(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4})")
_ZONE = re.compile(r"%[A-Za-z0-9][\w.-]{0,31}")
_PORT = re.compile(r"\]:(\d{1,5})(?!\d)")
_NUMBER = re.compile(r"(?:0[xX][0-9a-fA-F]{6,8}|[0-9]{9,12})(?!\w)")
_CLASSES = {
    **dict.fromkeys(b"0123456789", 48),
    **dict.fromkeys(b"xX", 120),
    **dict.fromkeys(b" '\"/", 32),
    **dict.fromkeys(b":,[=", 58),
}
_SHAPE = bytes(_CLASSES.get(code, 97) for code in range(256))
_HOSTS = ((b" 0x", 1), (b"a 000000000", 2), (b"  000000000", 2))
"""Shapes of numbers that may be hosts: behind a space or a quote, which does not follow a colon or a comma as in data."""


def ipv6_addresses(text: str) -> Iterator[Spotted]:
    """Yield the IPv6 addresses of a text, with the endpoint when a port follows the brackets."""
    past = 0
    for anchor in _ANCHOR.finditer(text):
        if anchor.start() < past:
            continue
        head = text[max(0, anchor.start() - 40) : anchor.start()]
        start = anchor.start() - (len(head) - len(head.rstrip(_DIGITS)))
        tail = _TAIL.match(text, anchor.start())
        assert tail is not None
        end = tail.end()
        past = end
        while end > start and text[end - 1] == ":" and text[end - 2 : end] != "::":
            end -= 1
        value = ipv6(text[start:end])
        if not value or not _stands_alone(text, start, end, value):
            continue
        zone = _ZONE.match(text, end)
        end = zone.end() if zone is not None else end
        yield Spotted("ipv6", value, start, end)
        port = _PORT.match(text, end)
        if port is not None and text[max(0, start - 1) : start] == "[" and 0 < int(port[1]) < 65536:
            yield Spotted("port", f"[{value}]:{int(port[1])}", start - 1, port.end(), "plain", value)


def _stands_alone(text: str, start: int, end: int, value: str) -> bool:
    """Whether this is an address: in space that is given out (IANA), not a slice, a time, a hardware address or C++."""
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    if before.isalnum() or before in ("_", ".", ":", "-") or after.isalnum() or after in ("_", ":"):
        return False
    written = text[start:end]
    if before == "[" and (start < 2 or text[start - 2].isalnum() or text[start - 2] in "_)]"):
        return _PORT.match(text, end) is not None and start < 2  # x[2000::2] is a slice
    if "::" not in written and all(len(group) == 2 for group in written.split(":")):
        return False  # a hardware address or a fingerprint
    if not any(character.isdigit() for character in written):
        return False
    return given_out(value) or (value == "::1" and (before == "[" or written == text.strip("\"'[] \n")))


def given_out(value: str) -> bool:
    """Whether a canonical address lies in space that is assigned to some use (IANA IPv6 address space)."""
    first = value.partition(":")[0]
    if len(first) == 4:
        return first[0] in "23" or first[:2] in ("fc", "fd", "ff") or first[:3] in ("fe8", "fe9", "fea", "feb")
    return value.startswith(("64:ff9b:", "::ffff:", "100::"))


def numbers(text: str) -> Iterator[Spotted]:
    """Yield IPv4 addresses that are written as one number and stand where a command or a call takes a host."""
    shape = text.encode("ascii", "replace").translate(_SHAPE)
    for mark, skipped in _HOSTS:
        at = shape.find(mark)
        while at >= 0:
            start = at + skipped
            found = _NUMBER.match(text, start)
            if found is not None and asks_for_host(text, start, found.end()):
                value, form = ipv4_any(found[0])
                if value:
                    yield Spotted("ipv4", value, start, found.end(), form)
            at = shape.find(mark, start + 1)
