"""Names and addresses that stand bare in a text: which dotted words are domains, e-mail addresses, IPv4 addresses.

Most dotted words are none: attributes, files, modules, versions, abbreviations. The cheap question comes first (is the last
part a top-level domain, are there four numbers?), the costly one about the surroundings only for what is left.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence

from toadstone.intel.spotting_context import asks_for_host, beside_operator, in_code, in_sentence, in_version, is_quoted
from toadstone.intel.spotting_hosts import ipv4_any, name, octets
from toadstone.intel.spotting_types import Spotted
from toadstone.intel.top_levels import RESERVED, tlds

Known = Callable[[str], bool]
"""Tells whether a canonical value is in a list: such a value counts in whatever surroundings."""

_NUMBERS = r"(?<=[0-9a-fA-F]\.)(?:(?:0[xX])?[0-9a-fA-F]{1,12}+\.){2}(?:0[xX])?[0-9a-fA-F]{1,12}+(?!\.?\w)"
_ASCII = re.compile(
    rf"\.(?<=[A-Za-z0-9]\.)(?:({_NUMBERS})|((?:[A-Za-z0-9_-]{{1,63}}+\.(?=[A-Za-z0-9_-])){{0,15}}+)([A-Za-z][A-Za-z0-9-]{{1,63}}+))"
)
_WIDE = re.compile(rf"\.(?<=\w\.)(?:({_NUMBERS})|((?:[\w-]{{1,63}}+\.(?=[\w-])){{0,15}}+)([^\W\d_][\w-]{{1,63}}+))")
_HOST = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
_LOCAL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.+%~"
_NOWHERE = (1 << 62, 1 << 62)
_PORT = re.compile(r":(\d{1,5})(?![\w.:-])")
_SLASH_PORT = re.compile(r"/(\d{1,5})(?!\d)")
_RECEIVERS = frozenset(
    """self this cls super args arg opt opts cfg config ctx module exports window document model obj java javax sys
    os np torch tf node process prompt source other div span vb asp ado basic""".split()
)
"""First parts of dotted words of code."""

_REVERSED = frozenset("com org net edu gov io dev".split())
"""First parts of names that are written from the top, as packages of Java are."""

_SUFFIXES = frozenset("cfg conf env ini json md py sh toml txt xml yaml yml".split())
_PROGRAMS = frozenset("command more tree edit format mode build login less".split())
"""Programs of DOS and VMS, whose files end in ``.com``."""

_FILES = frozenset(
    """train test dev valid val corpus lang locale locales strings messages message readme index news vocab dict data
    tok clean bpe spm newstest flores text input output source target src tgt eval heldout""".split()
)
"""First parts of file names whose suffix is a language (``train.de``)."""

_LANGUAGES = frozenset(
    """ar bg ca cs cz da de dk el es et eu fi fr gr he hi hr hu id it ja jp kr lt lv nl no pl pt ro ru se sk sl sr sv
    th tr ua uk vi zh cn tw""".split()
)


def names(text: str, known: Known | None = None, taken: Sequence[Spotted] = ()) -> Iterator[Spotted]:
    """Yield the bare domains, e-mail addresses, IPv4 addresses and endpoints of a text.

    Args:
        text: The text.
        known: Tells whether a value is in a list.
        taken: What is spotted already, in order; dots inside it are not looked at again.
    """
    table = tlds()
    wide = not text.isascii()
    spans = iter([(one.start, one.end) for one in taken])
    low, high = next(spans, _NOWHERE)
    for found in (_WIDE if wide else _ASCII).finditer(text):
        dot = found.start()
        while dot >= high:
            low, high = next(spans, _NOWHERE)
        if low < dot:
            continue
        last = found[3]
        if last is None:
            yield from _address(text, found.start(), found.end())
            continue
        kind = table.get(last) or table.get(last.lower())
        if kind is not None:
            yield from _named(text, found.start(), found.end(), kind, known, wide=wide)


def _address(text: str, dot: int, end: int) -> Iterator[Spotted]:
    head = text[max(0, dot - 16) : dot]
    start = dot - (len(head) - len(head.rstrip("0123456789abcdefABCDEFxX")))
    before = text[start - 1] if start else ""
    if before.isalnum() or before in (".", "_"):
        return
    value = token = text[start:end]
    form = "plain"
    parts = octets(token)
    if parts:
        if in_version(text, start, end, parts):
            return
    else:
        value, form = ipv4_any(token)
        if not value or not asks_for_host(text, start, end):
            return
    yield Spotted("ipv4", value, start, end, form)
    if before == "/" or text[end : end + 1] == ":":
        yield from _endpoint(text, value, start, end, form)


def _endpoint(text: str, host: str, start: int, end: int, form: str) -> Iterator[Spotted]:
    port = _PORT.match(text, end)
    if port is None and text[max(0, start - 9) : start] in ("/dev/tcp/", "/dev/udp/"):
        port = _SLASH_PORT.match(text, end)
    if port is not None and 0 < int(port[1]) < 65536:
        yield Spotted("port", f"{host}:{int(port[1])}", start, port.end(), form, host)


def _named(text: str, dot: int, end: int, kind: str, known: Known | None, *, wide: bool) -> Iterator[Spotted]:
    start = _left(text, dot, wide=wide)
    while end < len(text) and text[end - 1] == "-":
        end -= 1
    token = text[start:end]
    value, form, kind = name(token)
    if not value:
        return
    if start and text[start - 1] == "@":
        email = _email(text, start, end, value, form)
        if email is not None:
            yield email
            return
    if text[end : end + 1] == "@":
        return  # the local part of an address
    if not _is_domain(text, start, end, token, kind, form) and not (known is not None and known(value)):
        return
    yield Spotted("domain", value, start, end, form)
    if kind != "file":
        yield from _endpoint(text, value, start, end, form)


def _left(text: str, dot: int, *, wide: bool) -> int:
    """Find where a dotted word begins."""
    head = text[max(0, dot - 253) : dot]
    if not wide:
        kept = len(head.rstrip(_HOST))
    else:
        kept = len(head)
        while kept and (head[kept - 1] in _HOST or head[kept - 1].isalnum()):
            kept -= 1
    start = dot - (len(head) - kept)
    while text[start] in "-._" and start < dot:
        start += 1
    return start


def _email(text: str, start: int, end: int, host: str, form: str) -> Spotted | None:
    head = text[max(0, start - 65) : start - 1]
    local = head[len(head.rstrip(_LOCAL)) :].lstrip(".-+%~")
    if head[: len(head) - len(local)].endswith("\\"):
        local = local[1:]  # the letter of an escaped line end
    if not local or len(local) > 64 or local[-1] == "." or ".." in local or not (local[0].isalnum() or local[0] == "_"):
        return None
    label = text[start:end].rpartition(".")[2]
    if text[end : end + 1] in ("(", "[") or not (label.islower() or label.isupper() or label.istitle()):
        return None
    if len(local) < 2 and tlds().get(label.lower()) != "plain":
        return None  # a matrix product: a@b.to
    return Spotted("email", f"{local}@{host}", start - 1 - len(local), end, form, host)


def _is_domain(text: str, start: int, end: int, token: str, kind: str, form: str) -> bool:
    """Whether a dotted word with a top-level domain at its end is a domain, by its look and its surroundings."""
    labels = token.split(".")
    last = labels[-1].lower()
    if any("_" in label for label in labels[-2:]) or labels[-2].startswith("_"):
        return False
    if form != "plain":
        return kind != "file" and not in_code(text, start, end)
    if not (labels[-1].islower() or (token.isupper() and last != "net")) or in_code(text, start, end):
        return False
    first = labels[0].lower()
    if first == "www" and len(labels) > 2:
        return True
    if kind != "plain":
        return asks_for_host(text, start, end, file=kind == "file")
    if first in _RECEIVERS or (first in _REVERSED and len(labels) > 2):
        return False
    if len(labels) > 2:
        return last not in RESERVED or labels[-2].lower() not in _SUFFIXES
    return _is_short_domain(text, start, end, first, last)


def _is_short_domain(text: str, start: int, end: int, first: str, last: str) -> bool:
    """Whether two words with a dot between them are a domain."""
    if last in ("example", "invalid", "xyz") and not any(character in "-0123456789" for character in first):
        return is_quoted(text, start, end) or in_sentence(text, start) or asks_for_host(text, start, end)
    if len(last) == 2 and beside_operator(text, start, end):
        return False
    if last in _LANGUAGES and (first.rstrip("0123456789") in _FILES or len(first) < 4):
        return is_quoted(text, start, end) and asks_for_host(text, start, end)
    if last == "com" and first in _PROGRAMS:
        return asks_for_host(text, start, end)
    return last in ("com", "org", "net") or (len(first) > 1 and first not in sys.stdlib_module_names)
