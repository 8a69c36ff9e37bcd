"""Names and addresses that stand bare in a text: which dotted words are domains, e-mail addresses, IPv4 addresses.

Most dotted words are none: attributes, files, modules, versions, abbreviations. The cheap question comes first (is the last
part a top-level domain, are there four numbers?), the costly one about the surroundings only for what is left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from toadstone.intel.spotting_context import asks_for_host, in_code, in_version, is_quoted
from toadstone.intel.spotting_hosts import ipv4, ipv4_any, name, tlds
from toadstone.intel.spotting_types import Spotted

Known = Callable[[str], bool]
"""Tells whether a canonical value is in a list: such a value counts in whatever surroundings."""

_ASCII = re.compile(
    r"\.(?<=[A-Za-z0-9]\.)(?:((?<=[0-9a-fA-F]\.)(?:(?:0[xX])?[0-9a-fA-F]{1,12}\.){2}(?:0[xX])?[0-9a-fA-F]{1,12}(?![\w.]*\w))|((?:[A-Za-z0-9_-]+\.)*)([A-Za-z][A-Za-z0-9-]+))"
)
_WIDE = re.compile(
    r"\.(?<=\w\.)(?:((?<=[0-9a-fA-F]\.)(?:(?:0[xX])?[0-9a-fA-F]{1,12}\.){2}(?:0[xX])?[0-9a-fA-F]{1,12}(?![\w.]*\w))|((?:[\w-]+\.)*)([^\W\d_][\w-]+))"
)
_HOST = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
_LOCAL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.+%~#&'*/=!$^{|}`?"
_PORT = re.compile(r":(\d{1,5})(?![\w.:-])")
_RECEIVERS = frozenset(
    "self this cls super args opt opts cfg config ctx module exports window document model obj java javax sys os np torch tf node".split()
)
"""First parts of dotted words of code."""

_FILES = frozenset(
    "train test dev valid val corpus lang locale locales strings messages message readme index news vocab dict data tok clean bpe spm "
    "text input output source target src tgt eval heldout".split()
)
"""First parts of file names whose suffix is a language (``train.de``)."""

_LANGUAGES = frozenset(
    "ar bg ca cs cz da de dk el es et eu fi fr gr he hi hr hu id it ja jp kr lt lv nl no pl pt ro ru se sk sl sr sv th tr ua uk vi zh cn tw".split()
)


def names(text: str, known: Known | None = None) -> Iterator[Spotted]:
    """Yield the bare domains, e-mail addresses, IPv4 addresses and endpoints of a text."""
    table = tlds()
    wide = not text.isascii()
    for found in (_WIDE if wide else _ASCII).finditer(text):
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
    token = text[start:end]
    if start and (text[start - 1].isalnum() or text[start - 1] in "._"):
        return
    value = ipv4(token)
    form = "plain"
    if value:
        if in_version(text, start, end, value):
            return
    else:
        value, form = ipv4_any(token)
        if not value or not asks_for_host(text, start, end):
            return
    yield Spotted("ipv4", value, start, end, form)
    yield from _endpoint(text, value, start, end, form)


def _endpoint(text: str, host: str, start: int, end: int, form: str) -> Iterator[Spotted]:
    port = _PORT.match(text, end)
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
    local = head[len(head.rstrip(_LOCAL)) :].lstrip(".'/=`{|}*&#?!")
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
    last = labels[-1]
    if form != "plain":
        return True
    if not (last.islower() or (token.isupper() and last != "NET")) or in_code(text, start, end):
        return False
    first = labels[0].lower()
    if first == "www" and len(labels) > 2:
        return True
    if kind != "plain":
        return kind == "word" and asks_for_host(text, start, end)
    if first in _RECEIVERS or labels[-2].startswith("_") or any("_" in label for label in labels[-2:]):
        return False
    if len(labels) == 2 and last in _LANGUAGES and (first in _FILES or len(first) < 4):
        return is_quoted(text, start, end) and asks_for_host(text, start, end)
    return len(labels[-2]) > 1 or len(labels) > 2 or last in ("com", "org", "net")
