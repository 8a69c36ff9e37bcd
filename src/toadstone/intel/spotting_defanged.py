"""Addresses that are written so that nobody follows them by accident: ``203[.]0[.]113[.]7``, ``joe(at)evil[.]example``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toadstone.intel.spotting_hosts import ipv4, ipv6, name
from toadstone.intel.spotting_types import Spotted
from toadstone.intel.spotting_urls import refang

_MARKS = (
    re.compile(r"\[\s?(?:\.\s?\]?(?=\s?\w)|:\](?=[0-9A-Fa-f\[])|@\]|(?:dot|DOT|Dot|at|AT)\s?\])"),
    re.compile(r"\(\s?(?:\.\)(?=\w)|@\)|(?:dot|DOT|Dot|at|AT)\s?\))"),
    re.compile(r"\{\s?(?:\.\}(?=\w)|(?:dot|DOT|Dot|at|AT)\s?\})"),
    re.compile(r"\.\](?=\w)"),
)
"""Each begins with a literal, which makes the search cheap."""

_DOT = r"(?:\s?[\[({<]\s?(?:\.|dot)\s?[\])}>]\s?|\[\.|\.\]|\.)"
_AT = r"(?:\s?[\[({<]\s?(?:@|at)\s?[\])}>]\s?|@)"
_NAMES = re.compile(
    rf"(?:(?P<local>[\w.+%-]{{1,64}}){_AT})?(?P<host>(?<![\w-])[^\W_](?:[\w-]{{0,62}})(?:{_DOT}[^\W_][\w-]{{0,62}}){{1,12}})(?P<port>\[?:\]?\d{{1,5}}(?!\d))?",
    re.IGNORECASE,
)
_SIX = re.compile(r"(?<![\w:])[0-9A-Fa-f]{0,4}(?:\[?:\]?[0-9A-Fa-f]{0,4}){2,8}(?![\w:])")
_REACH = 300


def defanged(text: str) -> Iterator[Spotted]:
    """Yield what is written with at least one such mark. Windows around the marks are read, never the whole text."""
    past = 0
    for start, end in _windows(text):
        for found in _NAMES.finditer(text, max(start, past), end):
            spotted = list(_read(found))
            if spotted:
                past = found.end()
            yield from spotted
        for six in _SIX.finditer(text, start, end):
            if "[:]" in six[0]:
                value = ipv6(six[0].replace("[:]", ":"))
                if value:
                    yield Spotted("ipv6", value, six.start(), six.end(), "defanged")


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Give the stretches of a text around marks, joined where they meet."""
    places = sorted(found.start() for mark in _MARKS for found in mark.finditer(text))
    begin = end = -1
    for place in places:
        if place > end:
            if end >= 0:
                yield begin, end
            begin = max(0, place - _REACH)
            while begin > 0 and begin > place - _REACH - 64 and (text[begin - 1].isalnum() or text[begin - 1] in "-_"):
                begin -= 1
        end = min(len(text), place + _REACH)
    if end >= 0:
        yield begin, end


def _read(found: re.Match[str]) -> Iterator[Spotted]:
    written = found["host"]
    local = found["local"]
    disguised_at = local is not None and found[0][len(local) :].lstrip()[:1] != "@"
    clear = refang(written)
    clear = re.sub(r"\s", "", clear.replace("[.", ".").replace(".]", "."))
    if clear == written and not disguised_at:
        return
    value = ipv4(clear)
    kind = "ipv4"
    if not value:
        value, _, _ = name(clear)
        kind = "domain"
    if not value:
        return
    start, end = found.span("host")
    if "[.]" not in written and found.string[end : end + 1] == "]":
        return  # an optional part: HHMMSS[.ss]
    if local is not None and kind == "domain":
        yield Spotted("email", f"{local}@{value}", found.start("local"), end, "defanged", value)
        return
    yield Spotted(kind, value, start, end, "defanged")
    if found["port"]:
        port = int(re.sub(r"\D", "", found["port"]))
        if 0 < port < 65536:
            yield Spotted("port", f"{value}:{port}", start, found.end(), "defanged", value)
