"""The one extractor of indicators: for files, data rows, prompts and logs.

A text is read in windows of bounded size. In each, cheap searches find the rare characters that an indicator cannot do
without (``://``, a dot between word characters, ``::``, a long run of letters and digits); only what they find is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.intel.spotting_addresses import ipv6_addresses, numbers
from toadstone.intel.spotting_defanged import defanged
from toadstone.intel.spotting_names import Known, names
from toadstone.intel.spotting_paths import paths
from toadstone.intel.spotting_runs import runs
from toadstone.intel.spotting_types import Spotted
from toadstone.intel.spotting_urls import urls

__all__ = ["Known", "Spotted", "spot", "spot_bytes"]

_WINDOW = 1 << 19
_REACH = 4096
"""Longest indicator with its surroundings; windows overlap by this much."""

_ASCII_TEXT = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]{6,}")
_PRINTABLE = re.compile(rb"[\t\n\r\x20-\x7e]{6,}")
_WIDE_TEXT = re.compile(rb"(?:[\t\n\r\x20-\x7e]\0){6,}")
_STRONG = frozenset(("url", "ipv6", "md5", "sha1", "sha256", "wallet", "path"))


def spot(text: str, known: Known | None = None) -> Iterator[Spotted]:
    """Yield the indicators of a text, in the order of their places.

    A URL is given once, with its host in `Spotted.host`; so are e-mail addresses. An address with a port gives the address and
    the endpoint.

    Args:
        text: Any text; cost is linear in its length.
        known: Tells whether a canonical value is in a list. Dotted words that could be anything (``name.io``, a bare MD5)
            count when they are.
    """
    past = 0
    for begin in range(0, max(len(text), 1), _WINDOW):
        low, high = max(0, begin - 64), min(len(text), begin + _WINDOW + _REACH)
        window = text if low == 0 and high == len(text) else text[low:high]
        for found in _window(window, known):
            start = found.start + low
            if not begin <= start < begin + _WINDOW:
                continue
            if found.type == "port":
                yield found._replace(start=start, end=found.end + low)
            elif start >= past:
                past = found.end + low
                yield found._replace(start=start, end=found.end + low) if low else found


def _window(text: str, known: Known | None) -> list[Spotted]:
    """Collect what one window holds; where two overlap, the one that says more stays."""
    found = list(urls(text))
    found += names(text, known)
    found += defanged(text)
    found += ipv6_addresses(text)
    found += runs(text, known)
    found += paths(text)
    found += numbers(text)
    found.sort(key=_rank)
    kept: list[Spotted] = []
    past = 0
    for one in found:
        if one.type != "port" and one.start >= past:
            kept.append(one)
            past = one.end
    ends = {(one.value, one.end) for one in kept}
    kept += [one for one in found if one.type == "port" and _behind(text, one, ends)]
    return sorted(kept, key=lambda one: (one.start, one.end))


def _behind(text: str, port: Spotted, ends: set[tuple[str, int]]) -> bool:
    """Whether the host of an endpoint was kept: the port stands right behind it."""
    end = port.start + len(text[port.start : port.end].rstrip("0123456789").rstrip("[]:"))
    return (port.host, end) in ends


_WEIGHT = {
    "url": 0,
    "email": 1,
    "wallet": 2,
    "sha256": 2,
    "sha1": 2,
    "md5": 2,
    "ipv6": 3,
    "ipv4": 3,
    "domain": 4,
    "port": 9,
    "path": 5,
}


def _rank(one: Spotted) -> tuple[int, int, int]:
    return one.start, _WEIGHT[one.type], -one.end


def spot_bytes(data: bytes | bytearray | memoryview, known: Known | None = None) -> Iterator[Spotted]:
    """Yield the indicators of bytes of any kind; places are byte offsets.

    Text is read as UTF-8 where the data are UTF-8, else run by run of printable characters, also of two bytes each. Runs
    of a few characters that chance makes in numbers are not enough for a bare name.
    """
    data = bytes(data)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        yield from _binary(data, known)
        return
    if text.isascii():
        if "\0" not in text:
            yield from spot(text, known)
        else:
            yield from _binary(data, known)
        return
    before = place = 0
    for found in spot(text, known):
        place += len(text[before : found.start].encode("utf-8"))
        before = found.start
        size = len(text[found.start : found.end].encode("utf-8"))
        yield found._replace(start=place, end=place + size)


def _binary(data: bytes, known: Known | None) -> Iterator[Spotted]:
    for pattern, width in ((_PRINTABLE, 1), (_WIDE_TEXT, 2)):
        for run in pattern.finditer(data):
            text = run[0][::width].decode("ascii")
            for found in spot(text, known):
                if _counts(found, text):
                    yield found._replace(start=run.start() + width * found.start, end=run.start() + width * found.end)


def _counts(found: Spotted, text: str) -> bool:
    """Whether a find in a run of printable bytes is more than what chance makes of numbers."""
    if found.type in ("domain", "email"):
        return len(text) >= 16 and found.end - found.start >= 8 and text[found.start : found.end].islower()
    return found.type in _STRONG or len(text) >= 12 or found.end - found.start >= 7
