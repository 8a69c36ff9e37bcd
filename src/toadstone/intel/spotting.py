"""The one extractor of indicators: for files, data rows, prompts and logs.

A text is read in windows of bounded size. In each, cheap searches find the rare characters that an indicator cannot do
without (``://``, a dot between word characters, ``::``, a long run of letters and digits); only what they find is looked at.
"""

from __future__ import annotations

import operator
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
            kind, value, start, end, form, host = found
            start += low
            if begin <= start < begin + _WINDOW and (start >= past or kind == "port"):
                if kind != "port":
                    past = end + low
                yield Spotted(kind, value, start, end + low, form, host) if low else found


def _window(text: str, known: Known | None) -> list[Spotted]:
    """Collect what one window holds; where two begin at one place, the one that says more stays (the order below)."""
    found = list(urls(text))
    disguised = list(defanged(text))
    if disguised:
        found = sorted(found + disguised, key=_START)
    found += names(text, known, found.copy())
    found += runs(text, known)
    found += ipv6_addresses(text)
    found += numbers(text)
    found += paths(text)
    found.sort(key=_START)
    kept: list[Spotted] = []
    ports: list[Spotted] = []
    past = 0
    for one in found:
        if one[0] == "port":
            ports.append(one)
        elif one[2] >= past:
            kept.append(one)
            past = one[3]
    if ports:  # an endpoint begins where its host does, or at the bracket before it
        begins = {(one[1], one[2]) for one in kept}
        kept += [one for one in ports if (one[5], one[2]) in begins or (one[5], one[2] + 1) in begins]
        kept.sort(key=_PLACE)
    return kept


_START = operator.itemgetter(2)
_PLACE = operator.itemgetter(2, 3)


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
    if found.type == "path" and found.value[:1] != "/":  # a drive or a home and a letter: chance makes that
        return len(found.value) >= 10 and found.value.count("\\") + found.value.count("/") > 1
    return found.type in _STRONG or len(text) >= 12 or found.end - found.start >= 7
