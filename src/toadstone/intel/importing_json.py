"""Reads STIX 2.1 bundles and MISP JSON object by object: a bundle of a gigabyte needs the memory of its largest object."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from toadstone.intel.importing import clean, day
from toadstone.intel.store import ListBuilder
from toadstone.intel.values import canonical

_CHUNK = 1 << 18
_LARGEST = 8 << 20
"""Characters of one object; no indicator is longer, an event with its attributes hardly."""
_DEEPEST = 12
"""Arrays and objects on the way to an entry; an attribute of an object of an event of a response has eight."""
_MOST_KEYS = 4096
_SPACE = " \t\r\n"
_ARRAYS = ("objects", "Attribute", "Object", "response", "Event")

_COMPARISON = (
    r"(?:ipv4-addr:value|ipv6-addr:value|domain-name:value|url:value|email-addr:value|file:hashes\.(?:'[A-Za-z0-9-]+'|[A-Za-z0-9_]+))"
    r"\s*=\s*'(?:[^'\\]|\\.)*'"
)
_PATTERN = re.compile(
    rf"\[\s*{_COMPARISON}(?:\s+OR\s+{_COMPARISON})*\s*\](?:\s+OR\s+\[\s*{_COMPARISON}(?:\s+OR\s+{_COMPARISON})*\s*\])*"
)
_VALUE = re.compile(r"=\s*'((?:[^'\\]|\\.)*)'")
_OBSERVABLES = ("ipv4-addr", "ipv6-addr", "domain-name", "url", "email-addr")


def read(stream: BinaryIO, kind: str, builder: ListBuilder, until: str) -> None:
    """Read a bundle (``stix``) or events (``misp``) into a list."""
    take = _stix if kind == "stix" else _misp
    try:
        for item in _Objects(stream).items():
            take(item, builder, until)
    except (ValueError, RecursionError):
        builder.skip("the rest of the file is no JSON")


class _Objects:
    """Yields the objects inside the arrays of a JSON document, wherever the arrays of `_ARRAYS` are on the way."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")(errors="replace").decode
        self._text = ""
        self._at = 0
        self._ended = False
        self._scan = json.JSONDecoder().raw_decode

    def items(self, depth: int = 0) -> Iterator[dict[str, Any]]:
        """Read the value that comes next: an array is entered, an object whose keys lead to arrays too, others are yielded."""
        if depth > _DEEPEST:
            raise ValueError("nested deeper than any list")
        if self._next() == "[":
            self._at += 1
            while self._next() not in ("]", ""):
                yield from self.items(depth + 1)
                if self._next() == ",":
                    self._at += 1
            self._at += 1
        elif self._next() == "{" and self._leads_on():
            yield from self._object(depth)
        else:
            value = self._value()
            if isinstance(value, dict):
                yield value

    def _object(self, depth: int) -> Iterator[dict[str, Any]]:
        self._at += 1
        plain: dict[str, Any] = {}
        entered = False
        while self._next() not in ("}", ""):
            name = self._value()
            if not isinstance(name, str) or self._next() != ":":
                raise ValueError("no object")
            self._at += 1
            if name in _ARRAYS and self._next() in ("[", "{"):
                entered = True
                yield from self.items(depth + 1)
            elif len(plain) < _MOST_KEYS:
                plain[name] = self._value()
            else:
                raise ValueError("an object of more keys than any list has")
            if self._next() == ",":
                self._at += 1
        self._at += 1
        if not entered:
            yield plain

    def _leads_on(self) -> bool:
        """Whether the object that begins here holds lists: looked up in its first part, as its end may be far away."""
        self._fill(4096)
        head = self._text[self._at : self._at + (1 << 16)]
        return any(f'"{name}"' in head for name in _ARRAYS) and not re.match(r'\{\s*"type"\s*:\s*"(?!bundle)', head)

    def _next(self) -> str:
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._fill(1)

    def _fill(self, wanted: int) -> None:
        while not self._ended and len(self._text) - self._at < wanted:
            data = self._stream.read(_CHUNK)
            self._ended = not data
            self._text = self._text[self._at :] + self._decode(data, final=self._ended)
            self._at = 0

    def _value(self) -> Any:  # noqa: ANN401  (JSON)
        self._next()
        wanted = 1 << 14
        while True:
            self._fill(wanted)
            try:
                value, end = self._scan(self._text, self._at)
            except RecursionError:
                raise ValueError("nested too deeply") from None
            except json.JSONDecodeError:
                if self._ended or wanted > _LARGEST:
                    raise
                wanted *= 4
                continue
            if end == len(self._text) and not self._ended and wanted <= _LARGEST:
                wanted *= 4  # a number may go on
                continue
            self._at = end
            return value


def _stix(item: dict[str, Any], builder: ListBuilder, until: str) -> None:
    kind = item.get("type")
    if kind == "indicator":
        _indicator(item, builder, until)
    elif kind in _OBSERVABLES:
        clear = canonical(item["value"]) if isinstance(item.get("value"), str) else ("", "")
        if clear[0]:
            builder.add(*clear, "", "", until)
        else:
            builder.skip("value that is no indicator")
    elif kind == "file" and isinstance(item.get("hashes"), dict):
        for value in item["hashes"].values():
            clear = canonical(value) if isinstance(value, str) else ("", "")
            if clear[0]:
                builder.add(*clear, clean(item.get("name", "")), "", until)
            else:
                builder.skip("hash of another kind")
    elif not isinstance(kind, str):
        builder.skip("object without a type")


def _indicator(item: dict[str, Any], builder: ListBuilder, until: str) -> None:
    """Read an indicator; only patterns that compare single values, alone or joined by OR, have a meaning for a look-up."""
    pattern = item.get("pattern")
    if item.get("revoked") is True:
        builder.skip("revoked indicator")
        return
    if not isinstance(pattern, str) or item.get("pattern_type", "stix") != "stix" or len(pattern) > 1 << 20:
        builder.skip("pattern of another language")
        return
    if not _PATTERN.fullmatch(pattern.strip()):
        builder.skip("pattern that is more than values joined by OR")
        return
    label = clean(item.get("name", "")) or clean(item.get("description", ""))
    ends = day(item.get("valid_until")) or until
    for found in _VALUE.finditer(pattern):
        kind, value = canonical(re.sub(r"\\(.)", r"\1", found[1]))
        if kind:
            builder.add(kind, value, label, day(item.get("valid_from")), ends)
        else:
            builder.skip("value that is no indicator")


_MISP_TYPES = frozenset(
    """ip-src ip-dst ip-src|port ip-dst|port domain domain|ip hostname hostname|port url uri link email email-src
    email-dst md5 sha1 sha256 filename|md5 filename|sha1 filename|sha256 malware-sample btc""".split()
)


def _misp(item: dict[str, Any], builder: ListBuilder, until: str) -> None:
    """Read one attribute, or an object with attributes of its own."""
    inner = item.get("Attribute")
    if isinstance(inner, list):
        for attribute in inner:
            if isinstance(attribute, dict):
                _misp(attribute, builder, until)
        return
    kind, value = item.get("type"), item.get("value")
    if not isinstance(kind, str) or not isinstance(value, str):
        return
    if item.get("deleted") is True or item.get("to_ids") in (False, 0, "0"):
        builder.skip("attribute that is not for detection (to_ids)")
        return
    if kind not in _MISP_TYPES:
        builder.skip(f"attribute of type {clean(kind)[:40]}")
        return
    label = clean(item.get("comment", "")) or clean(item.get("category", ""))
    parts = value.split("|") if "|" in kind or kind == "malware-sample" else [value]
    wanted = [part for part, what in zip(parts, _what(kind), strict=False) if what not in ("port", "filename")]
    for part in wanted:
        clear = canonical(part)
        if clear[0]:
            builder.add(*clear, label, day(item.get("first_seen")), day(item.get("last_seen_valid")) or until)
        else:
            builder.skip("value that is no indicator")


def _what(kind: str) -> list[str]:
    return ["filename", "md5"] if kind == "malware-sample" else kind.split("|")
